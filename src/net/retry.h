#ifndef AK_NET_RETRY_H
#define AK_NET_RETRY_H
/*
 * How long to wait before a failed request is sent again, and when to give up. Pure: times and
 * random numbers come from the caller, who also decides what is worth another try.
 *
 * Full jitter: a random part of min(cap, base * 2^attempt), so that many clients of a server that
 * recovers do not come back at once. A budget shared by all requests of a client bounds how much
 * retries can add to an outage: each costs tokens, which a success after a retry gives back, and
 * any other success slowly. So it runs dry while most requests fail, and not while some do.
 */
#include <stdbool.h>
#include <stdint.h>

typedef struct ak_retry_policy {
    unsigned attempts; /* in all, the first one too */
    uint32_t base_ms;
    uint32_t cap_ms;
    uint32_t total_ms; /* from the first attempt to the beginning of the last */
} ak_retry_policy;

/* Shared by the requests of one client; guarded by its owner. */
typedef struct ak_retry_budget {
    uint32_t tokens;
} ak_retry_budget;

enum { AK_RETRY_TOKENS = 500, AK_RETRY_COST = 5, AK_RETRY_REFUND = 1 };

typedef struct ak_retry {
    ak_retry_policy policy;
    int64_t started_ms;
    unsigned made; /* attempts that have failed */
} ak_retry;

ak_retry ak_retry_begin(const ak_retry_policy *policy, int64_t now_ms);

/* After a failed attempt: whether to try again, and after how long. server_ms is what the server
 * asked for (Retry-After), or 0. `random` is any 64 random bits. */
bool ak_retry_again(ak_retry *retry, ak_retry_budget *budget, int64_t now_ms, uint32_t server_ms,
                    uint64_t random, uint32_t *delay_ms_out);

/* After a success. */
void ak_retry_succeeded(const ak_retry *retry, ak_retry_budget *budget);

#endif
