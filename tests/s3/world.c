#include "world.h"

#include <stdlib.h>

s3_server server;
char last_log[1024];

static void keep_log(void *context, akidb_log_level level, const char *message)
{
    (void)context, (void)level;
    snprintf(last_log, sizeof last_log, "%s", message);
}

akidb_s3_options usual(void)
{
    return (akidb_s3_options){.struct_size = sizeof(akidb_s3_options),
                              .endpoint = server.endpoint,
                              .access_key_id = S3_TEST_KEY,
                              .secret_access_key = S3_TEST_SECRET,
                              .single_put_bytes = 1000,
                              .part_bytes = 5 << 20,
                              .stall_timeout_ms = 1000,
                              .log = keep_log};
}

akidb_store *open_with(const akidb_s3_options *options)
{
    akidb_store *store;
    akidb_error err = {0};
    assert_ok(err, akidb_s3_store_open(S3_TEST_BUCKET, "p", options, &store, &err));
    return store;
}

world *world_open(void)
{
    world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    akidb_s3_options options = usual();
    s3_server_tell(&server, "{\"reset\": true, \"clear\": true}");
    w->store = open_with(&options);
    test_random_bytes(1, (uint8_t *)w->bytes, sizeof w->bytes);
    return w;
}

void world_close(world *w)
{
    akidb_store_close(w->store);
    free(w);
}

akidb_status put(world *w, const char *key, size_t size, akidb_put_mode mode)
{
    return akidb_store_put(w->store, key, &(akidb_slice){w->bytes, size}, 1, mode, &w->err);
}

void assert_object(world *w, const char *key, size_t size)
{
    akidb_buffer found;
    assert_ok(w->err, akidb_store_get(w->store, key, LARGE, &found, &w->err));
    assert_int_equal(found.size, size);
    assert_memory_equal(found.data, w->bytes, size);
    akidb_buffer_free(&found);
}

akidb_visit count_entry(void *context, const akidb_list_entry *entry)
{
    (void)entry;
    ++*(size_t *)context;
    return AKIDB_VISIT_CONTINUE;
}

int world_start_server(void **state)
{
    (void)state;
    s3_server_start(&server);
    return 0;
}

int world_stop_server(void **state)
{
    (void)state;
    s3_server_stop(&server);
    return 0;
}
