/* Each kind of request and each way in which it can fail, on the tests' own server. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "world.h"

/* ---- what is tried --------------------------------------------------------------------------- */

static akidb_status try_put(world *w)
{
    return put(w, "new", SMALL, AKIDB_PUT_ALWAYS);
}

static akidb_status try_put_if_absent(world *w)
{
    return put(w, "new", SMALL, AKIDB_PUT_IF_ABSENT);
}

static akidb_status try_upload(world *w)
{
    return put(w, "new", LARGE, AKIDB_PUT_ALWAYS);
}

static akidb_status try_upload_if_absent(world *w)
{
    return put(w, "new", LARGE, AKIDB_PUT_IF_ABSENT);
}

static akidb_status try_get(world *w)
{
    akidb_buffer found;
    akidb_status status = akidb_store_get(w->store, "old", LARGE, &found, &w->err);
    if (status == AKIDB_OK) {
        assert_int_equal(found.size, LARGE);
        assert_memory_equal(found.data, w->bytes, LARGE);
    }
    akidb_buffer_free(&found);
    return status;
}

static akidb_status try_get_range(world *w)
{
    char found[1000] = {0};
    size_t read;
    akidb_status status =
        akidb_store_get_range(w->store, "old", 77, found, sizeof found, &read, &w->err);
    if (status == AKIDB_OK) {
        assert_int_equal(read, sizeof found);
        assert_memory_equal(found, w->bytes + 77, sizeof found);
    }
    return status;
}

static akidb_status try_head(world *w)
{
    akidb_object_info info;
    akidb_status status = akidb_store_head(w->store, "old", &info, &w->err);
    if (status == AKIDB_OK)
        assert_int_equal(info.size, LARGE);
    return status;
}

static akidb_status try_delete(world *w)
{
    akidb_status status = akidb_store_delete(w->store, "gone", &w->err);
    if (status == AKIDB_OK) {
        bool there = true;
        assert_ok(w->err, akidb_store_exists(w->store, "gone", &there, &w->err));
        assert_false(there);
    }
    return status;
}

static akidb_status try_delete_many(world *w)
{
    static const char *const keys[] = {"gone", "never there"};
    akidb_status status = akidb_store_delete_many(w->store, keys, 2, NULL, &w->err);
    if (status == AKIDB_OK) {
        bool there = true;
        assert_ok(w->err, akidb_store_exists(w->store, "gone", &there, &w->err));
        assert_false(there);
    }
    return status;
}

static akidb_status try_copy(world *w)
{
    return akidb_store_copy(w->store, "old", "new", AKIDB_PUT_ALWAYS, &w->err);
}

static akidb_status try_copy_in_parts(world *w)
{
    return akidb_store_copy(w->store, "old", "new", AKIDB_PUT_IF_ABSENT, &w->err);
}

static akidb_status try_list(world *w)
{
    size_t count = 0;
    akidb_status status = akidb_store_list(w->store, "", 0, count_entry, &count, &w->err);
    if (status == AKIDB_OK)
        assert_int_equal(count, 2); /* old and gone */
    return status;
}

static akidb_status try_leftovers(world *w)
{
    uint64_t count, bytes;
    return akidb_store_remove_leftovers(w->store, AKIDB_TIME_MAX, false, &count, &bytes, &w->err);
}

static akidb_status try_abort(world *w)
{
    akidb_upload *upload;
    akidb_status status =
        akidb_store_upload_begin(w->store, "new", AKIDB_PUT_ALWAYS, &upload, &w->err);
    if (status != AKIDB_OK)
        return status;
    status = akidb_upload_write(upload, &(akidb_slice){w->bytes, LARGE}, 1, &w->err);
    akidb_upload_abort(upload);
    return status;
}

typedef struct attempt {
    const char *op; /* as the server names it */
    akidb_status (*call)(world *w);
    size_t new_size; /* of the object "new" afterwards */
    bool has_body;   /* of the answer, when all goes well */
} attempt;

static const attempt attempts[] = {
    {"PutObject", try_put, SMALL, false},
    {"PutObject", try_put_if_absent, SMALL, false},
    {"CreateMultipartUpload", try_upload, LARGE, true},
    {"UploadPart", try_upload, LARGE, false},
    {"CompleteMultipartUpload", try_upload, LARGE, true},
    {"CompleteMultipartUpload", try_upload_if_absent, LARGE, true},
    {"GetObject", try_get, 0, true},
    {"GetObject", try_get_range, 0, true},
    {"HeadObject", try_head, 0, false},
    {"DeleteObject", try_delete, 0, false},
    {"CopyObject", try_copy, LARGE, true},
    {"UploadPartCopy", try_copy_in_parts, LARGE, true},
    {"ListObjectsV2", try_list, 0, true},
    {"ListMultipartUploads", try_leftovers, 0, true},
    {"AbortMultipartUpload", try_abort, 0, false},
    {"DeleteObjects", try_delete_many, 0, true},
};

enum { ATTEMPTS = sizeof attempts / sizeof attempts[0] };

static void set_up_objects(world *w)
{
    assert_ok(w->err, put(w, "old", LARGE, AKIDB_PUT_ALWAYS));
    assert_ok(w->err, put(w, "gone", SMALL, AKIDB_PUT_ALWAYS));
    assert_ok(w->err, akidb_store_delete(w->store, "new", &w->err));
}

/* One request fails in that way; the call succeeds all the same, and did just what it should. */
static void assert_survives(world *w, const attempt *a, const char *kind)
{
    s3_server_reset(&server);
    set_up_objects(w);
    s3_server_fault(&server, a->op, kind, 0, 1);
    akidb_status status = a->call(w);
    if (status != AKIDB_OK)
        fail_msg("%s in spite of %s: %s", a->op, kind, w->err.message);
    if (s3_server_count(&server, a->op) < 2)
        fail_msg("%s: %s was never met", a->op, kind);
    if (a->new_size > 0)
        assert_object(w, "new", a->new_size);
    uint64_t count, bytes;
    assert_ok(w->err, akidb_store_remove_leftovers(w->store, AKIDB_TIME_MAX, false, &count, &bytes,
                                                   &w->err));
    /* Whoever asks for an upload and gets no answer cannot know its id. */
    bool may_leak = strcmp(a->op, "CreateMultipartUpload") == 0;
    if (count > (may_leak ? 1 : 0))
        fail_msg("%s: after %s %u uploads were left", a->op, kind, (unsigned)count);
    assert_int_equal(s3_server_uploads(&server), 0);
}

static void every_request_survives(const char *const *kinds, size_t count, bool needs_body)
{
    world *w = world_open();
    for (size_t i = 0; i < ATTEMPTS; i++)
        for (size_t k = 0; k < count; k++)
            if (!needs_body || attempts[i].has_body)
                assert_survives(w, &attempts[i], kinds[k]);
    world_close(w);
}

static void every_request_survives_an_error_that_passes(void **state)
{
    (void)state;
    static const char *const kinds[] = {"500", "503", "429", "early"};
    static const char *const told_in_the_body[] = {"request-timeout"};
    every_request_survives(kinds, sizeof kinds / sizeof kinds[0], false);
    every_request_survives(told_in_the_body, 1, true);
}

static void every_request_survives_a_broken_connection(void **state)
{
    (void)state;
    static const char *const kinds[] = {"refuse", "reset", "lost"};
    every_request_survives(kinds, sizeof kinds / sizeof kinds[0], false);
}

static void every_request_survives_a_torn_answer(void **state)
{
    (void)state;
    static const char *const kinds[] = {"reset-body", "truncate"};
    every_request_survives(kinds, sizeof kinds / sizeof kinds[0], true);
}

static void an_error_within_a_200_is_an_error(void **state)
{
    (void)state;
    world *w = world_open();
    for (size_t i = 0; i < ATTEMPTS; i++) {
        const char *op = attempts[i].op;
        if (strncmp(op, "C", 1) == 0 || strncmp(op, "List", 4) == 0 ||
            strcmp(op, "UploadPartCopy") == 0 || strcmp(op, "DeleteObjects") == 0) {
            assert_survives(w, &attempts[i], "error-200");
            assert_survives(w, &attempts[i], "empty-200");
            assert_survives(w, &attempts[i], "garbage");
        }
    }
    world_close(w);
}

static void a_stall_is_noticed(void **state)
{
    (void)state;
    world *w = world_open();
    assert_survives(w, &attempts[0], "stall");
    assert_survives(w, &attempts[7], "stall-body");
    world_close(w);
}

static void damage_on_the_way_to_the_server_is_mended(void **state)
{
    (void)state;
    for (int crc32c = 0; crc32c <= 1; crc32c++) {
        world *w = world_open();
        for (size_t i = 0; i < 5; i++) { /* the first of a client, and later ones */
            s3_server_tell(&server, "{\"set\": {\"crc32c\": %s}}", crc32c ? "true" : "false");
            s3_server_fault(&server, "PutObject", "wrong-checksum", 0, 1);
            s3_server_fault(&server, "UploadPart", "wrong-checksum", 0, 1);
            assert_ok(w->err, put(w, "small", SMALL, AKIDB_PUT_ALWAYS));
            assert_ok(w->err, put(w, "large", LARGE, AKIDB_PUT_ALWAYS));
            assert_object(w, "small", SMALL);
            assert_object(w, "large", LARGE);
        }
        world_close(w);
    }
}

/* Of a whole object. Who reads ranges holds checksums of his own against them. */
static void damage_on_the_way_back_is_mended_or_told(void **state)
{
    (void)state;
    world *w = world_open();
    assert_ok(w->err, put(w, "small", SMALL, AKIDB_PUT_ALWAYS));
    s3_server_fault(&server, "GetObject", "wrong-checksum", 0, 1);
    assert_object(w, "small", SMALL);
    akidb_s3_options options = usual();
    options.attempts = 2;
    akidb_store *store = open_with(&options);
    akidb_buffer found;
    s3_server_fault(&server, "GetObject", "wrong-checksum", 0, 2);
    assert_status(AKIDB_E_CORRUPTION, akidb_store_get(store, "small", LARGE, &found, &w->err));
    assert_null(found.data);
    const char *had = strstr(w->err.message, "arrived have the CRC-32C ");
    const char *told = strstr(w->err.message, "the server told ");
    assert_non_null(had);
    assert_non_null(told);
    had += strlen("arrived have the CRC-32C ");
    told += strlen("the server told ");
    assert_string_equal(told + strlen("xxxxxx=="), ""); /* four bytes in base64 */
    assert_memory_not_equal(had, told, strlen("xxxxxx=="));
    akidb_store_close(store);
    world_close(w);
}

/* Each answer is lost, the last one too: then the object is looked at. */
static void an_answer_that_stays_lost_is_looked_up(void **state)
{
    (void)state;
    static const struct {
        const char *op;
        akidb_status (*call)(world *);
        size_t size;
    } calls[] = {{"PutObject", try_put, SMALL},
                 {"PutObject", try_put_if_absent, SMALL},
                 {"CompleteMultipartUpload", try_upload, LARGE},
                 {"CompleteMultipartUpload", try_upload_if_absent, LARGE}};
    world *w = world_open();
    akidb_store *usual_store = w->store;
    akidb_s3_options options = usual();
    options.attempts = 2;
    w->store = open_with(&options);
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        s3_server_reset(&server);
        set_up_objects(w);
        s3_server_fault(&server, calls[i].op, "lost", 0, 1000);
        assert_ok(w->err, calls[i].call(w));
        assert_object(w, "new", calls[i].size);
        set_up_objects(w);
        s3_server_fault(&server, "HeadObject", "403", 0, 1); /* who may not look, cannot know */
        assert_status(AKIDB_E_UNCERTAIN, calls[i].call(w));
        assert_int_equal(s3_server_uploads(&server), 0);
    }
    akidb_store_close(w->store);
    w->store = usual_store;
    world_close(w);
}

/* A server that puts an upload together may send blanks meanwhile: that must not go on for ever. */
static void an_answer_that_only_drips_is_given_up(void **state)
{
    (void)state;
    world *w = world_open();
    akidb_store *usual_store = w->store;
    akidb_s3_options options = usual();
    options.stall_timeout_ms = 50; /* 1 s for a patient request; the answer would take 10 s */
    w->store = open_with(&options);
    s3_server_fault(&server, "CompleteMultipartUpload", "drip", 0, 1);
    assert_ok(w->err, try_upload_if_absent(w));
    assert_int_equal(s3_server_count(&server, "CompleteMultipartUpload"), 2);
    assert_object(w, "new", LARGE);
    akidb_store_close(w->store);
    w->store = usual_store;
    world_close(w);
}

/* ---- giving up ------------------------------------------------------------------------------- */

static void what_does_not_pass_is_given_up_with_a_message(void **state)
{
    (void)state;
    world *w = world_open();
    set_up_objects(w);
    akidb_store *usual_store = w->store;
    akidb_s3_options options = usual();
    options.attempts = 3;
    for (size_t i = 0; i < ATTEMPTS; i++) {
        const attempt *a = &attempts[i];
        if (a->call == try_abort)
            continue; /* cannot fail, and says in the log what stays */
        s3_server_reset(&server);
        w->store = open_with(&options);
        s3_server_fault(&server, a->op, "slow-down", 0, 1000);
        w->err = (akidb_error){0};
        akidb_status status = a->call(w);
        bool visible = strncmp(a->op, "Put", 3) == 0 || strncmp(a->op, "Complete", 8) == 0 ||
                       strncmp(a->op, "Delete", 6) == 0 || strncmp(a->op, "CopyObject", 10) == 0;
        assert_int_equal(status, visible ? AKIDB_E_UNCERTAIN : AKIDB_E_STORE);
        assert_int_equal(s3_server_count(&server, a->op), 3);
        const char *code = strcmp(a->op, "HeadObject") == 0 ? "503" : "503 SlowDown";
        if (strstr(w->err.message, code) == NULL ||
            strstr(w->err.message, S3_TEST_BUCKET) == NULL ||
            strstr(w->err.message, "3 tries") == NULL)
            fail_msg("%s: unclear message: %s", a->op, w->err.message);
        akidb_store_close(w->store);
    }
    w->store = usual_store;
    s3_server_reset(&server);
    assert_status(AKIDB_OK, try_leftovers(w));
    world_close(w);
}

static int64_t now_ms(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void a_dead_endpoint_gives_up_within_its_budget(void **state)
{
    (void)state;
    akidb_s3_options options = usual();
    options.endpoint = "http://127.0.0.1:1"; /* where nobody listens */
    options.retry_total_ms = 1000;
    options.attempts = 1000;
    world *w = world_open();
    akidb_store *usual_store = w->store;
    w->store = open_with(&options);
    int64_t before = now_ms();
    assert_status(AKIDB_E_STORE, try_put(w)); /* not uncertain: nothing was ever sent */
    assert_true(now_ms() - before < 10000);
    assert_non_null(strstr(w->err.message, "gave up"));
    assert_non_null(strstr(w->err.message, "127.0.0.1"));
    akidb_store_close(w->store);
    w->store = usual_store;
    world_close(w);
}

static void who_waits_long_is_told_why(void **state)
{
    (void)state;
    world *w = world_open();
    last_log[0] = '\0';
    s3_server_fault(&server, "PutObject", "500", 0, 1);
    assert_ok(w->err, try_put(w));
    assert_null(strstr(last_log, "failed")); /* a moment is no news */
    s3_server_tell(&server, "{\"set\": {\"retry_after\": 2}}");
    s3_server_fault(&server, "PutObject", "slow-down", 0, 1);
    assert_ok(w->err, try_put(w));
    assert_non_null(strstr(last_log, "s3:PutObject: try 1 failed"));
    assert_non_null(strstr(last_log, "SlowDown"));
    world_close(w);
}

static void retry_after_is_heeded(void **state)
{
    (void)state;
    world *w = world_open();
    s3_server_tell(&server, "{\"set\": {\"retry_after\": 1}}");
    s3_server_fault(&server, "PutObject", "slow-down", 0, 1);
    int64_t before = now_ms();
    assert_ok(w->err, try_put(w));
    assert_true(now_ms() - before >= 1000);
    world_close(w);
}

/* ---- what no retry changes ------------------------------------------------------------------- */

static void assert_refused_at_once(world *w, akidb_status (*call)(world *), akidb_status expected,
                                   const char *op, const char *words)
{
    s3_server_tell(&server, "{\"log\": true}");
    unsigned before = s3_server_count(&server, op);
    akidb_status status = call(w);
    if (status != expected)
        fail_msg("%s: expected %s, found %s: %s", op, akidb_status_name(expected),
                 akidb_status_name(status), w->err.message);
    assert_int_equal(s3_server_count(&server, op) - before, 1);
    if (strstr(w->err.message, words) == NULL)
        fail_msg("expected \"%s\" in \"%s\"", words, w->err.message);
}

static void a_missing_right_is_named(void **state)
{
    (void)state;
    world *w = world_open();
    set_up_objects(w);
    s3_server_tell(&server, "{\"allow\": {\"testkey\": []}}");
    assert_refused_at_once(w, try_put, AKIDB_E_PERMISSION, "PutObject", "s3:PutObject on bucket");
    assert_refused_at_once(w, try_get, AKIDB_E_PERMISSION, "GetObject", "s3:GetObject on bucket");
    assert_refused_at_once(w, try_head, AKIDB_E_PERMISSION, "HeadObject", "s3:GetObject");
    assert_refused_at_once(w, try_list, AKIDB_E_PERMISSION, "ListObjectsV2", "s3:ListBucket");
    assert_refused_at_once(w, try_delete, AKIDB_E_PERMISSION, "DeleteObject", "s3:DeleteObject");
    assert_refused_at_once(w, try_delete_many, AKIDB_E_PERMISSION, "DeleteObjects",
                           "s3:DeleteObject on bucket");
    assert_refused_at_once(w, try_leftovers, AKIDB_E_PERMISSION, "ListMultipartUploads",
                           "s3:ListBucketMultipartUploads");
    assert_non_null(strstr(w->err.message, S3_TEST_BUCKET));
    world_close(w);
}

static void a_missing_bucket_is_not_a_missing_key(void **state)
{
    (void)state;
    world *w = world_open();
    akidb_store *usual_store = w->store;
    akidb_s3_options options = usual();
    assert_ok(w->err, akidb_s3_store_open("no-such-bucket", "", &options, &w->store, &w->err));
    assert_refused_at_once(w, try_put, AKIDB_E_NOT_FOUND, "PutObject",
                           "there is no bucket no-such-bucket");
    assert_refused_at_once(w, try_get, AKIDB_E_NOT_FOUND, "GetObject", "there is no bucket");
    assert_refused_at_once(w, try_list, AKIDB_E_NOT_FOUND, "ListObjectsV2", "there is no bucket");
    akidb_store_close(w->store);
    w->store = usual_store;
    assert_ok(w->err, akidb_store_delete(w->store, "old", &w->err));
    assert_refused_at_once(w, try_get, AKIDB_E_NOT_FOUND, "GetObject", "NoSuchKey");
    assert_non_null(strstr(w->err.message, "s3://" S3_TEST_BUCKET "/p/old"));
    world_close(w);
}

/* A port for TLS asked without it, or another program's. What a put has done there is not known. */
static void an_answer_that_is_no_http_is_told_at_once(void **state)
{
    (void)state;
    world *w = world_open();
    set_up_objects(w);
    s3_server_fault(&server, "GetObject", "no-http", 0, 1);
    assert_refused_at_once(w, try_get, AKIDB_E_STORE, "GetObject", "no HTTP");
    assert_non_null(strstr(w->err.message, "s3://" S3_TEST_BUCKET "/p/old"));
    s3_server_reset(&server);
    s3_server_fault(&server, "PutObject", "no-http", 0, 1);
    s3_server_fault(&server, "HeadObject", "no-http", 0, 1);
    assert_refused_at_once(w, try_put, AKIDB_E_UNCERTAIN, "PutObject", "no HTTP");
    world_close(w);
}

static void wrong_keys_are_refused_without_a_word_of_the_secret(void **state)
{
    (void)state;
    world *w = world_open();
    akidb_store *usual_store = w->store;
    akidb_s3_options options = usual();
    options.secret_access_key = "not-the-secret";
    w->store = open_with(&options);
    assert_refused_at_once(w, try_put, AKIDB_E_PERMISSION, "PutObject", "SignatureDoesNotMatch");
    assert_null(strstr(w->err.message, "not-the-secret"));
    akidb_store_close(w->store);
    w->store = usual_store;
    world_close(w);
}

/* ---- what the client learns ------------------------------------------------------------------ */

static void the_region_that_a_server_names_is_used(void **state)
{
    (void)state;
    world *w = world_open();
    s3_server_tell(&server, "{\"set\": {\"region\": \"eu-test-7\"}}");
    assert_ok(w->err, try_put(w));
    assert_int_equal(s3_server_count(&server, "PutObject"), 2);
    assert_ok(w->err, try_put(w));
    assert_int_equal(s3_server_count(&server, "PutObject"), 3);
    world_close(w);
}

static void a_wrong_clock_is_corrected_once(void **state)
{
    (void)state;
    world *w = world_open();
    s3_server_tell(&server, "{\"set\": {\"skew\": -7200}}");
    assert_ok(w->err, try_put(w));
    assert_int_equal(s3_server_count(&server, "PutObject"), 2);
    assert_non_null(strstr(last_log, "clock"));
    assert_ok(w->err, try_put(w));
    assert_int_equal(s3_server_count(&server, "PutObject"), 3);
    world_close(w);
}

static void a_server_without_conditions_is_asked_before_the_put(void **state)
{
    (void)state;
    world *w = world_open();
    set_up_objects(w);
    s3_server_tell(&server, "{\"set\": {\"conditional\": false}}");
    assert_ok(w->err, try_put_if_absent(w));
    assert_non_null(strstr(last_log, "If-None-Match"));
    assert_status(AKIDB_E_ALREADY_EXISTS, try_put_if_absent(w));
    assert_status(AKIDB_E_ALREADY_EXISTS, try_upload_if_absent(w));
    assert_ok(w->err, akidb_store_delete(w->store, "new", &w->err));
    assert_ok(w->err, try_upload_if_absent(w));
    assert_object(w, "new", LARGE);
    world_close(w);
}

static void another_writers_object_is_not_taken_for_ones_own(void **state)
{
    (void)state;
    static const char *const kinds[] = {"reset", "500", "lost"};
    world *w = world_open();
    for (size_t i = 0; i < 3; i++) {
        set_up_objects(w);
        assert_ok(w->err, try_put(w)); /* somebody was first */
        s3_server_fault(&server, "PutObject", kinds[i], 0, 1);
        assert_status(AKIDB_E_ALREADY_EXISTS, try_put_if_absent(w));
        s3_server_fault(&server, "CompleteMultipartUpload", kinds[i], 0, 1);
        assert_status(AKIDB_E_ALREADY_EXISTS, try_upload_if_absent(w));
        assert_object(w, "new", SMALL);
    }
    assert_int_equal(s3_server_uploads(&server), 0);
    world_close(w);
}

static void encryption_is_asked_for(void **state)
{
    (void)state;
    world *w = world_open();
    akidb_store *usual_store = w->store;
    akidb_s3_options options = usual();
    options.sse = "aws:kms:a/key";
    w->store = open_with(&options);
    static const struct {
        akidb_status (*call)(world *);
        const char *op;
    } calls[] = {
        {try_put, "PutObject"}, {try_upload, "CreateMultipartUpload"}, {try_copy, "CopyObject"}};
    set_up_objects(w);
    for (size_t i = 0; i < 3; i++) {
        char command[64];
        assert_ok(w->err, calls[i].call(w));
        snprintf(command, sizeof command, "{\"last\": \"%s\"}", calls[i].op);
        char *answer = s3_server_ask(&server, command);
        assert_non_null(strstr(answer, "\"x-amz-server-side-encryption\": [\"aws:kms\"]"));
        assert_non_null(
            strstr(answer, "\"x-amz-server-side-encryption-aws-kms-key-id\": [\"a/key\"]"));
        free(answer);
    }
    akidb_store_close(w->store);
    w->store = usual_store;
    world_close(w);
}

/* MinIO's answers tell less of it than those of AWS. */
static void encryption_is_found_in_whichever_answer_tells_it(void **state)
{
    (void)state;
    static const char *const kinds[] = {"lost", "500"};
    world *w = world_open();
    akidb_store *usual_store = w->store;
    akidb_s3_options options = usual();
    options.sse = "AES256";
    options.attempts = 2;
    w->store = open_with(&options);
    set_up_objects(w);
    s3_server_tell(&server, "{\"set\": {\"encryption\": \"minio\"}}");
    assert_ok(w->err, try_put(w));
    assert_ok(w->err, try_upload(w));
    assert_ok(w->err, try_copy(w));
    assert_ok(w->err, akidb_store_delete(w->store, "new", &w->err));
    assert_ok(w->err, try_copy_in_parts(w));
    for (size_t i = 0; i < 2; i++) {
        assert_ok(w->err, akidb_store_delete(w->store, "new", &w->err));
        s3_server_fault(&server, "PutObject", kinds[i], 0, 1);
        assert_ok(w->err, try_put_if_absent(w));
        s3_server_fault(&server, "CompleteMultipartUpload", kinds[i], 0, 1);
        assert_ok(w->err, try_upload(w));
    }
    akidb_store_close(w->store);
    w->store = usual_store;
    world_close(w);
}

static void a_server_that_passes_over_encryption_is_found_out(void **state)
{
    (void)state;
    static akidb_status (*const calls[])(world *) = {
        try_put, try_put_if_absent, try_copy, try_copy_in_parts, try_upload, try_upload_if_absent};
    static const char *const asked[] = {"AES256", "aws:kms:a/key"};
    world *w = world_open();
    akidb_store *usual_store = w->store;
    akidb_s3_options options = usual();
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
            set_up_objects(w);
            options.sse = asked[k];
            w->store = open_with(&options);
            s3_server_tell(&server, "{\"set\": {\"encryption\": \"ignored\"}}");
            assert_status(AKIDB_E_UNSUPPORTED, calls[i](w));
            assert_non_null(strstr(w->err.message, k == 0 ? "AES256" : "aws:kms"));
            assert_non_null(strstr(w->err.message, "/new"));
            akidb_store_close(w->store);
            w->store = usual_store;
            bool there = true;
            assert_ok(w->err, akidb_store_exists(w->store, "new", &there, &w->err));
            assert_int_equal(there, i < 4); /* an upload is given up before anything is visible */
            assert_int_equal(s3_server_uploads(&server), 0);
        }
    world_close(w);
}

/* Whether it was put before the right was lost, nobody knows. */
static void a_refusal_after_a_lost_answer_leaves_doubt(void **state)
{
    (void)state;
    static const char *const refusals[] = {"403", "404-bucket"};
    world *w = world_open();
    for (size_t i = 0; i < 2; i++) {
        set_up_objects(w);
        s3_server_fault(&server, "PutObject", "reset", 0, 1); /* it was not put */
        s3_server_fault(&server, "PutObject", refusals[i], 0, 1);
        assert_status(AKIDB_E_UNCERTAIN, try_put_if_absent(w));
        s3_server_fault(&server, "PutObject", "lost", 0, 1); /* it was */
        s3_server_fault(&server, "PutObject", refusals[i], 0, 1);
        assert_ok(w->err, try_put_if_absent(w));
        assert_object(w, "new", SMALL);
        s3_server_fault(&server, "DeleteObject", "lost", 0, 1);
        s3_server_fault(&server, "DeleteObject", refusals[i], 0, 1);
        assert_status(AKIDB_E_UNCERTAIN, try_delete(w));
        s3_server_fault(&server, "GetObject", "lost", 0, 1); /* reading leaves none */
        s3_server_fault(&server, "GetObject", "403", 0, 1);
        assert_status(AKIDB_E_PERMISSION, try_get(w));
    }
    world_close(w);
}

static void the_bucket_may_stand_in_the_hosts_name(void **state)
{
    (void)state;
    world *w = world_open();
    akidb_store *usual_store = w->store;
    akidb_s3_options options = usual();
    char endpoint[64];
    snprintf(endpoint, sizeof endpoint, "http://localhost:%s", strrchr(server.endpoint, ':') + 1);
    options.endpoint = endpoint;
    options.path_style = AKIDB_OFF;
    w->store = open_with(&options);
    set_up_objects(w);
    assert_ok(w->err, try_list(w));
    assert_ok(w->err, try_upload_if_absent(w));
    akidb_store_close(w->store);
    w->store = usual_store;
    world_close(w);
}

/* ---- statistics ------------------------------------------------------------------------------ */

static void every_request_is_counted(void **state)
{
    (void)state;
    world *w = world_open();
    akidb_store_statistics s;
    set_up_objects(w);
    s3_server_reset(&server);
    akidb_store *usual_store = w->store;
    akidb_s3_options options = usual();
    w->store = open_with(&options);
    s3_server_fault(&server, "PutObject", "503", 0, 2);
    s3_server_fault(&server, "GetObject", "lost", 0, 1);
    s3_server_fault(&server, "ListObjectsV2", "error-200", 0, 1);
    assert_ok(w->err, try_put(w));                                   /* PUT 3 */
    assert_status(AKIDB_E_ALREADY_EXISTS, try_put_if_absent(w));     /* PUT 1 */
    assert_ok(w->err, try_upload(w));                                /* POST 2, PUT 1 */
    assert_ok(w->err, try_get(w));                                   /* GET 2 */
    assert_ok(w->err, try_get_range(w));                             /* GET 1 */
    assert_ok(w->err, try_head(w));                                  /* HEAD 1 */
    assert_ok(w->err, akidb_store_delete(w->store, "new", &w->err)); /* DELETE 1 */
    assert_ok(w->err, try_list(w));                                  /* LIST 2 */
    assert_ok(w->err, try_leftovers(w));                             /* LIST 1 */
    assert_ok(w->err, try_delete_many(w));                           /* POST 1, HEAD 1 */
    akidb_store_get_statistics(w->store, &s);
    assert_int_equal(s.requests[AKIDB_REQUEST_PUT], 5);
    assert_int_equal(s.requests[AKIDB_REQUEST_POST], 3);
    assert_int_equal(s.requests[AKIDB_REQUEST_GET], 3);
    assert_int_equal(s.requests[AKIDB_REQUEST_HEAD], 2);
    assert_int_equal(s.requests[AKIDB_REQUEST_LIST], 3);
    assert_int_equal(s.requests[AKIDB_REQUEST_DELETE], 1);
    assert_int_equal(s.retries, 4);
    assert_int_equal(s.failed, 4);
    uint64_t all = 0;
    for (int kind = 0; kind < AKIDB_REQUEST_KIND_COUNT; kind++)
        all += s.requests[kind];
    assert_int_equal(all, s3_server_requests(&server));
    assert_true(s.sent_bytes >= 4 * SMALL + LARGE && s.sent_bytes < 5 * SMALL + LARGE + 2000);
    assert_true(s.received_bytes >= LARGE + 1000);
    akidb_store_close(w->store);
    w->store = usual_store;
    world_close(w);
}

/* ---- a hostile server ------------------------------------------------------------------------ */

static void hostile_lists_are_refused(void **state)
{
    (void)state;
    static const char *const kinds[] = {"garbage", "doctype", "deep", "endless", "empty-200"};
    world *w = world_open();
    akidb_store *usual_store = w->store;
    akidb_s3_options options = usual();
    options.attempts = 2;
    w->store = open_with(&options);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        size_t count = 0;
        s3_server_fault(&server, "ListObjectsV2", kinds[i], 0, 2);
        s3_server_fault(&server, "ListMultipartUploads", kinds[i], 0, 2);
        akidb_status status = akidb_store_list(w->store, "", 0, count_entry, &count, &w->err);
        if (status != AKIDB_E_STORE && status != AKIDB_E_LIMIT)
            fail_msg("a list of %s: %s", kinds[i], akidb_status_name(status));
        assert_int_equal(count, 0);
        status = try_leftovers(w);
        if (status != AKIDB_E_STORE && status != AKIDB_E_LIMIT)
            fail_msg("leftovers of %s: %s", kinds[i], akidb_status_name(status));
        s3_server_reset(&server);
    }
    akidb_store_close(w->store);
    w->store = usual_store;
    world_close(w);
}

/* ---- cancelling, and being killed ------------------------------------------------------------ */

static bool is_cancelled(void *context)
{
    return now_ms() >= *(int64_t *)context;
}

static void a_cancel_ends_a_call_within_a_second(void **state)
{
    (void)state;
    world *w = world_open();
    set_up_objects(w);
    akidb_store *usual_store = w->store;
    akidb_s3_options options = usual();
    int64_t at;
    options.cancelled = is_cancelled;
    options.context = &at;
    options.stall_timeout_ms = 60000;
    static akidb_status (*const calls[])(world *) = {try_put, try_upload, try_get_range, try_list,
                                                     try_copy_in_parts};
    static const char *const kinds[] = {"stall", "slow-down"};
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        for (size_t k = 0; k < 2; k++) {
            s3_server_reset(&server);
            w->store = open_with(&options);
            s3_server_tell(&server, "{\"set\": {\"stall_seconds\": 4, \"retry_after\": 20}}");
            s3_server_fault(&server, "*", kinds[k], 0, 1000);
            at = now_ms() + 300;
            assert_status(AKIDB_E_CANCELLED, calls[i](w));
            assert_true(now_ms() - at < 1000);
            akidb_store_close(w->store);
        }
    }
    w->store = usual_store;
    world_close(w);
}

static void upload_for_ever(void)
{
    akidb_s3_options options = usual();
    akidb_upload *upload;
    akidb_store *store = open_with(&options);
    static char bytes[5 << 20];
    if (akidb_store_upload_begin(store, "killed/object", AKIDB_PUT_ALWAYS, &upload, NULL) !=
        AKIDB_OK)
        _exit(1);
    for (;;)
        if (akidb_upload_write(upload, &(akidb_slice){bytes, sizeof bytes}, 1, NULL) != AKIDB_OK)
            _exit(1);
}

static void a_killed_upload_shows_nothing_and_is_removed(void **state)
{
    (void)state;
    world *w = world_open();
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        upload_for_ever();
    while (s3_server_count(&server, "UploadPart") < 8) {
        assert_int_equal(waitpid(child, NULL, WNOHANG), 0);
        nanosleep(&(struct timespec){0, 10000000}, NULL);
    }
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);

    size_t count = 0;
    assert_ok(w->err, akidb_store_list(w->store, "killed/", 0, count_entry, &count, &w->err));
    assert_int_equal(count, 0);
    uint64_t found, bytes;
    assert_ok(w->err, akidb_store_remove_leftovers(w->store, AKIDB_TIME_MIN, false, &found, &bytes,
                                                   &w->err));
    assert_int_equal(found, 0); /* too young */
    assert_ok(w->err, akidb_store_remove_leftovers(w->store, AKIDB_TIME_MAX, true, &found, &bytes,
                                                   &w->err));
    assert_int_equal(found, 1);
    assert_true(bytes > 0 && bytes % (5 << 20) == 0);
    assert_int_equal(s3_server_uploads(&server), 1);
    assert_ok(w->err, akidb_store_remove_leftovers(w->store, AKIDB_TIME_MAX, false, &found, &bytes,
                                                   &w->err));
    assert_int_equal(found, 1);
    assert_int_equal(s3_server_uploads(&server), 0);
    world_close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_request_survives_an_error_that_passes),
        cmocka_unit_test(every_request_survives_a_broken_connection),
        cmocka_unit_test(every_request_survives_a_torn_answer),
        cmocka_unit_test(an_error_within_a_200_is_an_error),
        cmocka_unit_test(a_stall_is_noticed),
        cmocka_unit_test(damage_on_the_way_to_the_server_is_mended),
        cmocka_unit_test(damage_on_the_way_back_is_mended_or_told),
        cmocka_unit_test(an_answer_that_stays_lost_is_looked_up),
        cmocka_unit_test(an_answer_that_only_drips_is_given_up),
        cmocka_unit_test(what_does_not_pass_is_given_up_with_a_message),
        cmocka_unit_test(a_dead_endpoint_gives_up_within_its_budget),
        cmocka_unit_test(who_waits_long_is_told_why),
        cmocka_unit_test(retry_after_is_heeded),
        cmocka_unit_test(a_missing_right_is_named),
        cmocka_unit_test(a_missing_bucket_is_not_a_missing_key),
        cmocka_unit_test(an_answer_that_is_no_http_is_told_at_once),
        cmocka_unit_test(wrong_keys_are_refused_without_a_word_of_the_secret),
        cmocka_unit_test(the_region_that_a_server_names_is_used),
        cmocka_unit_test(a_wrong_clock_is_corrected_once),
        cmocka_unit_test(a_server_without_conditions_is_asked_before_the_put),
        cmocka_unit_test(another_writers_object_is_not_taken_for_ones_own),
        cmocka_unit_test(encryption_is_asked_for),
        cmocka_unit_test(encryption_is_found_in_whichever_answer_tells_it),
        cmocka_unit_test(a_server_that_passes_over_encryption_is_found_out),
        cmocka_unit_test(a_refusal_after_a_lost_answer_leaves_doubt),
        cmocka_unit_test(the_bucket_may_stand_in_the_hosts_name),
        cmocka_unit_test(every_request_is_counted),
        cmocka_unit_test(hostile_lists_are_refused),
        cmocka_unit_test(a_cancel_ends_a_call_within_a_second),
        cmocka_unit_test(a_killed_upload_shows_nothing_and_is_removed),
    };
    return cmocka_run_group_tests_name("s3 faults", tests, world_start_server, world_stop_server);
}
