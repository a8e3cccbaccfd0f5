#include "snapshot/retention.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static const int64_t micros_per_day = INT64_C(24) * 3600 * 1000000;

bool ak_retention_older(int64_t created_at, int64_t now, int64_t age)
{
    int64_t bound;
    return !__builtin_sub_overflow(now, age, &bound) && created_at < bound;
}

void ak_duration_format(int64_t micros, char out[AK_DURATION_TEXT_SIZE])
{
    static const struct {
        int64_t micros;
        const char *name;
    } units[] = {{INT64_C(86400000000), "d"},
                 {INT64_C(3600000000), "h"},
                 {60000000, "m"},
                 {1000000, "s"},
                 {1000, "ms"},
                 {1, "us"}};
    size_t unit = 0;
    while (micros % units[unit].micros != 0)
        unit++;
    snprintf(out, AK_DURATION_TEXT_SIZE, "%lld%s", (long long)(micros / units[unit].micros),
             units[unit].name);
}

akidb_status ak_retention_check(const akidb_retention *policy, akidb_error *err)
{
    if (policy->older_than < 0 || policy->keep_within < 0)
        return ak_fail(err, AKIDB_E_VALIDATION,
                       "retention: expected times that are not negative, found older_than %lld "
                       "and keep_within %lld microseconds",
                       (long long)policy->older_than, (long long)policy->keep_within);
    bool keeps_last = policy->keep_last != 0 && policy->keep_last != AKIDB_KEEP_NONE;
    if (!keeps_last && policy->older_than == 0 && policy->keep_within == 0 &&
        policy->keep_daily == 0 && policy->keep_weekly == 0 && policy->keep_monthly == 0)
        return ak_fail(err, AKIDB_E_VALIDATION,
                       "retention: expected at least one rule, found none; every snapshot would "
                       "be removed");
    return AKIDB_OK;
}

/* ---- calendar -------------------------------------------------------------------------------- */

/* Days since the epoch, rounded down. */
static int64_t day_of(int64_t time)
{
    int64_t day = time / micros_per_day;
    return time % micros_per_day < 0 ? day - 1 : day;
}

typedef enum period { DAY, WEEK, MONTH } period;

/* Writes the ISO week of a time: "2026-W47". A week belongs to the year of its Thursday. */
static void format_week(int64_t time, char out[AKIDB_TIME_TEXT_SIZE])
{
    int64_t day = day_of(time);
    int64_t from_monday = ((day + 3) % 7 + 7) % 7; /* 1970-01-01 was a Thursday */
    int64_t thursday = day - from_monday + 3;
    char text[AKIDB_TIME_TEXT_SIZE], first[] = "0000-01-01";
    akidb_time_format(thursday * micros_per_day, text);
    memcpy(first, text, 4);
    int64_t new_year = 0;
    if (akidb_time_parse(first, &new_year, NULL) != AKIDB_OK)
        new_year = 0; /* cannot be: the text is a date of a legal year */
    int64_t week = (thursday - day_of(new_year)) / 7 + 1;
    snprintf(out, AKIDB_TIME_TEXT_SIZE, "%.4s-W%02d", text, (int)(week % 100));
}

/* The name of the day, week or month that a time lies in; equal if and only if it is the same. */
static void format_period(period kind, int64_t time, char out[AKIDB_TIME_TEXT_SIZE])
{
    if (kind == WEEK) {
        format_week(time, out);
        return;
    }
    akidb_time_format(time, out);
    out[kind == DAY ? 10 : 7] = '\0';
}

/* ---- rules ----------------------------------------------------------------------------------- */

/* Keeps a snapshot, and adds why to the reasons that it has already, if there is room. */
static void keep(akidb_retention_decision *decision, const char *reason, const char *detail)
{
    size_t length = decision->keep ? strlen(decision->reason) : 0;
    decision->keep = true;
    size_t room = sizeof decision->reason - length;
    const char *divider = length == 0 ? "" : ", ";
    if (strlen(divider) + strlen(reason) + strlen(detail) < room)
        snprintf(decision->reason + length, room, "%s%s%s", divider, reason, detail);
}

static void keep_last(uint32_t wanted, akidb_retention_decision *decisions, const bool *damaged,
                      size_t count)
{
    char number[16];
    snprintf(number, sizeof number, "%u", (unsigned)wanted);
    for (size_t i = 0; i < count && wanted > 0; i++) {
        if (damaged[i])
            continue;
        keep(&decisions[i], "last ", number);
        wanted--;
    }
}

/* Keeps the newest snapshot of each of the newest `wanted` periods that have one. */
static void keep_periods(period kind, const char *rule, uint32_t wanted,
                         akidb_retention_decision *decisions, const bool *damaged, size_t count)
{
    char last[AKIDB_TIME_TEXT_SIZE] = "", current[AKIDB_TIME_TEXT_SIZE];
    for (size_t i = 0; i < count && wanted > 0; i++) {
        if (damaged[i])
            continue;
        format_period(kind, decisions[i].created_at, current);
        if (strcmp(current, last) == 0)
            continue;
        keep(&decisions[i], rule, current);
        memcpy(last, current, sizeof last);
        wanted--;
    }
}

static void keep_by_age(const akidb_retention *policy, int64_t now,
                        akidb_retention_decision *decision)
{
    char text[AK_DURATION_TEXT_SIZE];
    if (policy->keep_within > 0 &&
        !ak_retention_older(decision->created_at, now, policy->keep_within)) {
        ak_duration_format(policy->keep_within, text);
        keep(decision, "within ", text);
    }
    if (policy->older_than > 0 &&
        !ak_retention_older(decision->created_at, now, policy->older_than)) {
        ak_duration_format(policy->older_than, text);
        keep(decision, "not older than ", text);
    }
}

void ak_retention_decide(const akidb_retention *policy, int64_t now,
                         akidb_retention_decision *decisions, const bool *damaged, size_t count)
{
    char removed[sizeof decisions->reason] = "kept by no rule";
    if (policy->older_than > 0) {
        char text[AK_DURATION_TEXT_SIZE];
        ak_duration_format(policy->older_than, text);
        snprintf(removed, sizeof removed, "older than %s", text);
    }
    size_t newest = count;
    for (size_t i = 0; i < count; i++) {
        decisions[i].keep = false;
        memcpy(decisions[i].reason, removed, sizeof removed);
        if (damaged[i])
            keep(&decisions[i], "damaged: left alone", "");
        else if (newest == count)
            newest = i;
    }
    if (policy->keep_last != AKIDB_KEEP_NONE)
        keep_last(policy->keep_last, decisions, damaged, count);
    for (size_t i = 0; i < count; i++)
        if (!damaged[i])
            keep_by_age(policy, now, &decisions[i]);
    keep_periods(DAY, "daily ", policy->keep_daily, decisions, damaged, count);
    keep_periods(WEEK, "weekly ", policy->keep_weekly, decisions, damaged, count);
    keep_periods(MONTH, "monthly ", policy->keep_monthly, decisions, damaged, count);
    if (newest < count && !decisions[newest].keep && policy->keep_last != AKIDB_KEEP_NONE)
        keep(&decisions[newest], "newest", "");
}
