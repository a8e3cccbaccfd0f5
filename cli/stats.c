#include "stats.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>

/* Calls come from any thread. */
typedef struct kind {
    atomic_uint_fast64_t requests;
    atomic_uint_fast64_t bytes;
    atomic_uint_fast64_t failed;
} kind;

struct cli_stats {
    kind kinds[AKIDB_STORE_OP_COUNT];
};

static void count_call(void *context, const akidb_store_call *call)
{
    kind *k = &((cli_stats *)context)->kinds[call->op];
    atomic_fetch_add(&k->requests, 1);
    atomic_fetch_add(&k->bytes, call->bytes);
    if (call->status != AKIDB_OK && call->status != AKIDB_E_NOT_FOUND)
        atomic_fetch_add(&k->failed, 1);
}

int cli_stats_open(cli *session)
{
    session->stats = calloc(1, sizeof *session->stats);
    if (session->stats == NULL) {
        cli_say(session, "out of memory");
        return CLI_FAILED;
    }
    akidb_error err;
    akidb_store *outer;
    if (akidb_store_trace_open(session->store, count_call, session->stats, &outer, &err) !=
        AKIDB_OK)
        return cli_fail(session, &err);
    session->counted_store = session->store;
    session->store = outer;
    return CLI_DONE;
}

static void print_line(const char *name, uint64_t requests, uint64_t bytes)
{
    char size[CLI_SIZE_TEXT];
    fprintf(stderr, "%-16s  %6" PRIu64 " request%s  %s\n", name, requests,
            requests == 1 ? " " : "s", cli_format_size(bytes, size));
}

void cli_stats_print(cli *session)
{
    if (session->stats == NULL || !session->wants_stats)
        return;
    uint64_t requests = 0, bytes = 0;
    cli_progress_clear(&session->progress);
    fflush(stdout);
    for (int op = 0; op < AKIDB_STORE_OP_COUNT; op++) {
        kind *k = &session->stats->kinds[op];
        uint64_t count = atomic_load(&k->requests), size = atomic_load(&k->bytes);
        if (count > 0)
            print_line(akidb_store_op_name((akidb_store_op)op), count, size);
        requests += count;
        bytes += size;
    }
    print_line("all", requests, bytes);
}

void cli_stats_get(const cli *session, cli_stats_totals *totals_out)
{
    *totals_out = (cli_stats_totals){0};
    for (int op = 0; session->stats != NULL && op < AKIDB_STORE_OP_COUNT; op++) {
        kind *k = &session->stats->kinds[op];
        totals_out->requests[op] = atomic_load(&k->requests);
        totals_out->failed += atomic_load(&k->failed);
        if (op == AKIDB_STORE_PUT || op == AKIDB_STORE_UPLOAD_WRITE)
            totals_out->sent += atomic_load(&k->bytes);
        else if (op == AKIDB_STORE_GET || op == AKIDB_STORE_GET_RANGE)
            totals_out->received += atomic_load(&k->bytes);
    }
}

void cli_stats_close(cli *session)
{
    akidb_store_close(session->counted_store);
    free(session->stats);
    session->counted_store = NULL;
    session->stats = NULL;
}
