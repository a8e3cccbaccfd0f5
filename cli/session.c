#include "cli.h"

#include "akidb/s3.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

static void log_hook(void *context, akidb_log_level level, const char *message)
{
    cli *session = context;
    if (level >= AKIDB_LOG_WARNING)
        cli_say(session, "warning: %s", message);
    else if (!session->quiet)
        cli_say(session, "note: %s", message);
}

/* The library hands one context to every hook. */
static bool progress_hook(void *context, const akidb_progress *progress)
{
    cli *session = context;
    return cli_progress_hook(&session->progress, progress);
}

akidb_hooks cli_hooks(cli *session)
{
    return (akidb_hooks){session, progress_hook, log_hook};
}

const char *cli_store_uri(const cli *session)
{
    if (session->store_uri != NULL)
        return session->store_uri;
    const char *variable = getenv("AKIDB_STORE");
    return variable != NULL && *variable != '\0' ? variable : "./akidb-data";
}

/* ---- stores ---------------------------------------------------------------------------------- */

static bool is_interrupted(void *context)
{
    (void)context;
    return cli_interrupted() != 0;
}

static bool is_web_address(const char *uri)
{
    return strncasecmp(uri, "http://", 7) == 0 || strncasecmp(uri, "https://", 8) == 0;
}

int cli_open_store(cli *session, const char *option, const char *uri, const cli_bucket *bucket,
                   akidb_store **store_out)
{
    *store_out = NULL;
    if (is_web_address(uri))
        return cli_usage(session,
                         "%s '%s': a bucket is named s3://BUCKET/PREFIX, and its server by "
                         "--endpoint-url or the variable AWS_ENDPOINT_URL",
                         option, uri);
    const akidb_s3_options options = {.struct_size = sizeof options,
                                      .endpoint = bucket->endpoint_url,
                                      .region = bucket->region,
                                      .profile = bucket->profile,
                                      .ca_file = bucket->ca_bundle,
                                      .sse = bucket->sse,
                                      .context = session,
                                      .log = log_hook,
                                      .cancelled = is_interrupted};
    akidb_error err;
    switch (akidb_store_open_with(uri, &options, store_out, &err)) {
    case AKIDB_OK: return CLI_DONE;
    case AKIDB_E_VALIDATION:
    case AKIDB_E_UNSUPPORTED: return cli_usage(session, "%s", err.message);
    default: return cli_fail(session, &err);
    }
}

int cli_check_sse(cli *session, const akidb_store *store)
{
    static const char bucket[] = "s3://";
    if (session->bucket.sse == NULL ||
        strncmp(akidb_store_name(store), bucket, sizeof bucket - 1) == 0)
        return CLI_DONE;
    return cli_usage(session, "--sse: %s is no bucket", akidb_store_name(store));
}

/* Where the user mistyped the name of a local store there is none, which is something else than one
 * with nothing in it. */
static int check_there(cli *session)
{
    static const char local[] = "file://";
    const char *name = akidb_store_name(session->store);
    struct stat info;
    if (session->family != NULL || session->command->makes_store ||
        strncmp(name, local, sizeof local - 1) != 0 || stat(name + sizeof local - 1, &info) == 0 ||
        errno != ENOENT)
        return CLI_DONE;
    cli_say(session, "%s: there is no store: no such folder%s", name,
            session->store_uri == NULL && getenv("AKIDB_STORE") == NULL
                ? "; --store or the variable AKIDB_STORE names another"
                : "");
    return CLI_MISSING;
}

int cli_open(cli *session, akidb_snapshotter_options *options, const char *what)
{
    akidb_error err;
    akidb_snapshotter_options defaults = {0};
    if (options == NULL)
        options = &defaults;
    options->struct_size = sizeof *options;
    options->threads = (unsigned)session->threads.value;
    options->hooks = cli_hooks(session);

    cli_progress_begin(&session->progress, what);
    int code = CLI_DONE;
    if (session->store == NULL)
        code = cli_open_store(session, "--store", cli_store_uri(session), &session->bucket,
                              &session->store);
    if (code == CLI_DONE && !session->writes_elsewhere)
        code = cli_check_sse(session, session->store);
    if (code == CLI_DONE)
        code = check_there(session);
    if (code != CLI_DONE)
        return code;
    if (akidb_snapshotter_open(session->store, options, &session->snapshotter, &err) != AKIDB_OK)
        return cli_fail(session, &err);
    return CLI_DONE;
}

int cli_collection(cli *session, const char *name, akidb_uuid *id_out)
{
    akidb_error err;
    if (akidb_collection_id(name, id_out, &err) != AKIDB_OK)
        return cli_usage(session, "collection '%s': %s", name, err.message);
    return CLI_DONE;
}

/* By the names that the user gave: one of the two may be mistyped, or it is another store. */
static int no_snapshot(cli *session, const char *collection, const akidb_uuid *id,
                       const char *snapshot)
{
    char text[AKIDB_UUID_TEXT_SIZE];
    akidb_uuid_format(id, text);
    cli_say(session, "%s: no snapshot '%s' of collection '%s' (%s)",
            akidb_store_name(session->store), snapshot, collection, text);
    return CLI_MISSING;
}

int cli_snapshot(cli *session, const char *collection, const char *snapshot,
                 akidb_uuid *collection_out, akidb_uuid *snapshot_out)
{
    akidb_error err;
    if (snapshot == NULL)
        snapshot = "latest";
    int code = cli_collection(session, collection, collection_out);
    if (code != CLI_DONE)
        return code;
    switch (akidb_snapshot_resolve(session->snapshotter, collection_out, snapshot, snapshot_out,
                                   &err)) {
    case AKIDB_OK: return CLI_DONE;
    case AKIDB_E_VALIDATION: return cli_usage(session, "%s", err.message);
    case AKIDB_E_NOT_FOUND: return no_snapshot(session, collection, collection_out, snapshot);
    default: return cli_fail(session, &err);
    }
}

int cli_no_snapshots(cli *session, const char *collection, const akidb_uuid *id)
{
    char text[AKIDB_UUID_TEXT_SIZE];
    akidb_uuid_format(id, text);
    cli_say(session, "%s: no snapshots of collection '%s' (%s)", akidb_store_name(session->store),
            collection, text);
    return CLI_MISSING;
}
