#include "net/retry.h"

ak_retry ak_retry_begin(const ak_retry_policy *policy, int64_t now_ms)
{
    return (ak_retry){.policy = *policy, .started_ms = now_ms};
}

static uint32_t ceiling_ms(const ak_retry_policy *policy, unsigned made)
{
    uint64_t ceiling = policy->base_ms;
    for (unsigned i = 1; i < made && ceiling < policy->cap_ms; i++)
        ceiling *= 2;
    return ceiling < policy->cap_ms ? (uint32_t)ceiling : policy->cap_ms;
}

bool ak_retry_again(ak_retry *retry, ak_retry_budget *budget, int64_t now_ms, uint32_t server_ms,
                    uint64_t random, uint32_t *delay_ms_out)
{
    *delay_ms_out = 0;
    retry->made++;
    if (retry->made >= retry->policy.attempts || budget->tokens < AK_RETRY_COST)
        return false;
    uint64_t delay = random % ((uint64_t)ceiling_ms(&retry->policy, retry->made) + 1);
    if (delay < server_ms)
        delay = server_ms;
    int64_t spent = now_ms - retry->started_ms;
    if (spent < 0 || (uint64_t)spent + delay > retry->policy.total_ms)
        return false;
    budget->tokens -= AK_RETRY_COST;
    *delay_ms_out = (uint32_t)delay;
    return true;
}

void ak_retry_succeeded(const ak_retry *retry, ak_retry_budget *budget)
{
    uint32_t back = retry->made > 0 ? AK_RETRY_COST : AK_RETRY_REFUND;
    uint32_t room = AK_RETRY_TOKENS - budget->tokens;
    budget->tokens += back < room ? back : room;
}
