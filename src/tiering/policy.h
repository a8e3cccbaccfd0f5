#ifndef AK_TIERING_POLICY_H
#define AK_TIERING_POLICY_H
/*
 * Where collections belong: a pure function of what is known of them and of the time.
 *
 *   Age       What was not used for hot_idle leaves hot, for warm_idle goes to cold, at once if
 * need be. Used means accessed, moved up, or seen for the first time. Budgets   What a tier holds
 * and what is on its way to it count together. Over budget the least recently used go down: out of
 * hot into warm, and what passes warm's budget then, from wherever it comes, into cold. Up Cold to
 * warm after an access, warm to hot after enough of them. It must fit: room is made only of
 * collections that are used less than half as much as would bring them up and less recently than
 * the one that comes. Without room it stays where it is. Steady    For promote_window after a
 * collection came up it does not go down by age or to make room, and one that was moved down for
 * room does not come up. Only a budget that is passed already (documents were added) takes those
 * too, last of all. Pinned    never move down. Held ones do not move at all, but count. Order of
 * the moves: into cold, out of hot, into hot, into warm. Room that moving up leaves behind counts
 * from the next time on, so that no order of events passes a budget.
 */
#include "akidb/tiering.h"

/* How a collection came to its tier. The values are stored. */
typedef enum ak_tier_cause {
    AK_CAME_SOMEHOW = 0, /* by hand, or nobody knows */
    AK_CAME_UP = 1,
    AK_CAME_BY_AGE = 2,
    AK_CAME_FOR_ROOM = 3
} ak_tier_cause;

/* What the policy knows of a collection. */
typedef struct ak_tier_subject {
    akidb_tier tier;
    ak_tier_cause cause;
    bool pinned, held;
    bool accessed;       /* since it came to its tier */
    uint32_t accesses;   /* since then, and within the window */
    int64_t used_at;     /* microseconds since the epoch, like moved_at */
    int64_t moved_at;    /* when it came to its tier */
    uint64_t hot_bytes;  /* that it takes, or would take, in memory */
    uint64_t warm_bytes; /* on the disk, likewise */
} ak_tier_subject;

typedef struct ak_tier_decision {
    size_t subject; /* its index */
    akidb_tier to;
    ak_tier_cause cause;
    char reason[128];
} ak_tier_decision;

/* What the tiers hold. */
typedef struct ak_tier_usage {
    uint64_t hot, warm;
} ak_tier_usage;

/* Fills in the defaults. AKIDB_E_VALIDATION names the field. `from` may be NULL. */
AKIDB_CHECK akidb_status ak_policy_copy(akidb_tier_policy *to, const akidb_tier_policy *from,
                                        akidb_error *err);

/* Fails for want of memory only. `decisions_out` is freed with free(). */
AKIDB_CHECK akidb_status ak_policy_decide(const akidb_tier_policy *policy, int64_t now,
                                          const ak_tier_subject *subjects, size_t count,
                                          ak_tier_decision **decisions_out, size_t *count_out,
                                          akidb_error *err);

/* What has to move down before `subject` can come to `to` by somebody's order, and last that move
 * itself, for `reason`. AKIDB_E_LIMIT when there is no way within the budget. */
AKIDB_CHECK akidb_status ak_policy_order(const akidb_tier_policy *policy, int64_t now,
                                         const ak_tier_subject *subjects, size_t count,
                                         size_t subject, akidb_tier to,
                                         ak_tier_decision **decisions_out, size_t *count_out,
                                         akidb_error *err);

ak_tier_usage ak_policy_usage(const ak_tier_subject *subjects, size_t count);

/* Whether one more collection of this size would pass the budget of `to`; never true for cold. */
bool ak_policy_passes(const akidb_tier_policy *policy, ak_tier_usage usage, akidb_tier to,
                      const ak_tier_subject *subject);

#endif
