/* What tiering counts, in Prometheus' text format (version 0.0.4). */
#include <inttypes.h>

#include "base/prometheus.h"
#include "tiering/tiering.h"

static void put_causes(ak_metrics *m, akidb_tiering *tiering)
{
    static const struct {
        ak_tier_cause cause;
        const char *name;
    } causes[] = {{AK_CAME_UP, "access"}, {AK_CAME_BY_AGE, "age"}, {AK_CAME_FOR_ROOM, "room"}};
    const char *name = "akidb_tiering_moves_total";
    ak_metrics_head(m, name, "counter", "Moves by what caused them: accesses, age, want of room.");
    for (size_t i = 0; i < sizeof causes / sizeof causes[0]; i++)
        ak_metrics_put(m, "%s{cause=\"%s\"} %" PRIu64 "\n", name, causes[i].name,
                       atomic_load(&tiering->counters.moved[causes[i].cause]));
}

akidb_status akidb_tiering_metrics(akidb_tiering *tiering, akidb_buffer *text_out, akidb_error *err)
{
    *text_out = (akidb_buffer){0};
    ak_metrics m = {text_out, AKIDB_OK, err};
    ak_tiering_counters *c = &tiering->counters;
    ak_ledger_counts known = ak_ledger_count(tiering->ledger);
    const char *budget = "akidb_tiering_budget_bytes";
    ak_metrics_head(&m, budget, "gauge", "What a tier may take; 0: no limit.");
    ak_metrics_put(&m, "%s{tier=\"hot\"} %" PRIu64 "\n", budget, tiering->policy.hot_budget);
    ak_metrics_put(&m, "%s{tier=\"warm\"} %" PRIu64 "\n", budget, tiering->policy.warm_budget);
    ak_metrics_gauge(&m, "akidb_tiering_pinned_collections", "Collections that never move down.",
                     known.pinned);
    put_causes(&m, tiering);
    ak_metrics_gauge(&m, "akidb_tiering_waiting_moves",
                     "Moves that the last cycle decided and could not try, or that failed.",
                     atomic_load(&c->waiting));
    ak_metrics_counter(&m, "akidb_tiering_cycles_total", "Cycles of the policy.",
                       atomic_load(&c->cycles));
    int64_t cycle_at = atomic_load(&c->cycle_at);
    ak_metrics_gauge(&m, "akidb_tiering_last_cycle_timestamp_seconds",
                     "When the last cycle ended; 0: there was none.",
                     cycle_at <= 0 ? 0 : (uint64_t)cycle_at / 1000000);
    ak_metrics_counter(&m, "akidb_tiering_unrecorded_accesses_total",
                       "Accesses of new collections that there was no room to record.",
                       known.unrecorded);
    ak_metrics_counter(&m, "akidb_tiering_state_failures_total",
                       "Writes of the state that failed; it is written later.",
                       atomic_load(&c->state_failures));
    if (m.status != AKIDB_OK)
        akidb_buffer_free(text_out);
    return m.status;
}
