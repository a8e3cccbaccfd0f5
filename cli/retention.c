#include "retention.h"

bool cli_retention_has_rule(const cli_retention *v)
{
    return v->older_than.set || v->keep_within.set || v->keep_last.value > 0 ||
           v->keep_daily.value > 0 || v->keep_weekly.value > 0 || v->keep_monthly.value > 0;
}

akidb_retention cli_retention_policy(const cli_retention *v)
{
    return (akidb_retention){
        .struct_size = sizeof(akidb_retention),
        .older_than = v->older_than.value,
        .keep_within = v->keep_within.value,
        .keep_last = v->keep_last.set && v->keep_last.value == 0 ? AKIDB_KEEP_NONE
                                                                 : (uint32_t)v->keep_last.value,
        .keep_daily = (uint32_t)v->keep_daily.value,
        .keep_weekly = (uint32_t)v->keep_weekly.value,
        .keep_monthly = (uint32_t)v->keep_monthly.value,
    };
}
