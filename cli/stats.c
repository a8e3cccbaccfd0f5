#include "stats.h"

#include <inttypes.h>

void cli_stats_get(const cli *session, akidb_store_statistics *statistics_out)
{
    *statistics_out = (akidb_store_statistics){0};
    if (session->store != NULL)
        akidb_store_get_statistics(session->store, statistics_out);
}

static void print_line(const char *name, uint64_t requests)
{
    fprintf(stderr, "%-8s  %6" PRIu64 " request%s\n", name, requests, requests == 1 ? "" : "s");
}

void cli_stats_print(cli *session)
{
    if (session->store == NULL || !session->wants_stats)
        return;
    akidb_store_statistics s;
    uint64_t all = 0;
    char sent[CLI_SIZE_TEXT], received[CLI_SIZE_TEXT];
    cli_stats_get(session, &s);
    cli_progress_clear(&session->progress);
    fflush(stdout);
    for (int kind = 0; kind < AKIDB_REQUEST_KIND_COUNT; kind++) {
        if (s.requests[kind] > 0)
            print_line(akidb_request_kind_name((akidb_request_kind)kind), s.requests[kind]);
        all += s.requests[kind];
    }
    print_line("all", all);
    fprintf(stderr, "%" PRIu64 " retried, %" PRIu64 " failed, %s sent, %s received\n", s.retries,
            s.failed, cli_format_size(s.sent_bytes, sent),
            cli_format_size(s.received_bytes, received));
}
