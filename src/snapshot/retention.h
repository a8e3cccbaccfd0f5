#ifndef AK_SNAPSHOT_RETENTION_H
#define AK_SNAPSHOT_RETENTION_H
/* Which snapshots a policy keeps: a pure function of snapshots, policy and time. */
#include "akidb/snapshot.h"

/* AKIDB_E_VALIDATION when the policy has no rule or a negative time. AKIDB_KEEP_NONE alone is no
 * rule: it only takes away the protection of the newest. */
AKIDB_CHECK akidb_status ak_retention_check(const akidb_retention *policy, akidb_error *err);

/* Fills keep and reason of each decision. The rest of each is filled already, newest first;
 * damaged[i] tells that snapshot i cannot be read: it stays and counts for no rule. The policy has
 * been checked. */
void ak_retention_decide(const akidb_retention *policy, int64_t now,
                         akidb_retention_decision *decisions, const bool *damaged, size_t count);

/* Whether a snapshot was made more than `age` (not negative) microseconds before `now`. */
bool ak_retention_older(int64_t created_at, int64_t now, int64_t age);

/* "7d", "36h", "90m", "45s", "1500ms", "7us": the greatest unit that divides it. */
enum { AK_DURATION_TEXT_SIZE = 32 };
void ak_duration_format(int64_t micros, char out[AK_DURATION_TEXT_SIZE]);

#endif
