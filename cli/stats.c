#include "stats.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>

/* Calls come from any thread. */
typedef struct kind {
    atomic_uint_fast64_t requests;
    atomic_uint_fast64_t bytes;
} kind;

struct cli_stats {
    kind kinds[AKIDB_STORE_OP_COUNT];
};

static void count_call(void *context, const akidb_store_call *call)
{
    kind *k = &((cli_stats *)context)->kinds[call->op];
    atomic_fetch_add(&k->requests, 1);
    atomic_fetch_add(&k->bytes, call->bytes);
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
    if (session->stats == NULL)
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

void cli_stats_close(cli *session)
{
    akidb_store_close(session->counted_store);
    free(session->stats);
    session->counted_store = NULL;
    session->stats = NULL;
}
