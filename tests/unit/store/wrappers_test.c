/* Opening by URI; the trace, fault and prefix stores, beyond what every store must do. */
#include <stdlib.h>
#include <string.h>

#include "akidb/sys/store_backend.h"
#include "test.h"

static akidb_store *memory_open(void)
{
    akidb_error err = {0};
    akidb_store *store;
    assert_ok(err, akidb_store_memory_open(&store, &err));
    return store;
}

static akidb_status put(akidb_store *store, const char *key, const char *text)
{
    akidb_slice slice = {text, strlen(text)};
    return akidb_store_put(store, key, &slice, 1, AKIDB_PUT_ALWAYS, NULL);
}

static bool exists(akidb_store *store, const char *key)
{
    bool there;
    akidb_error err = {0};
    assert_ok(err, akidb_store_exists(store, key, &there, &err));
    return there;
}

/* ---- URIs ------------------------------------------------------------------------------------ */

static void a_uri_names_a_store(void **state)
{
    (void)state;
    static const char *const uris[][2] = {
        {"memory:", "memory:"},
        {"MEMORY:", "memory:"},
        {"/no/where", "file:///no/where"},
        {"/no/where/", "file:///no/where"},
        {"/no/a:b", "file:///no/a%3Ab"},
        {"file:///no/where", "file:///no/where"},
        {"FILE:///no/where", "file:///no/where"},
        {"file:/no/where", "file:///no/where"},
        {"file://localhost/no/where", "file:///no/where"},
        {"file:///no/w%20here%2fx%C3%A9", "file:///no/w%20here/x%C3%A9"},
        {"file:///", "file:///"},
    };
    for (size_t i = 0; i < sizeof uris / sizeof uris[0]; i++) {
        akidb_error err = {0};
        akidb_store *store;
        assert_ok(err, akidb_store_open(uris[i][0], &store, &err));
        assert_string_equal(akidb_store_name(store), uris[i][1]);
        akidb_store_close(store);
    }
    akidb_store_close(NULL);
}

static void a_uri_that_names_none_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *uri;
        akidb_status status;
    } uris[] = {
        {"", AKIDB_E_VALIDATION},
        {NULL, AKIDB_E_VALIDATION},
        {"memory:x", AKIDB_E_VALIDATION},
        {"file:", AKIDB_E_VALIDATION},
        {"file://", AKIDB_E_VALIDATION},
        {"file://host/path", AKIDB_E_VALIDATION},
        {"file:relative", AKIDB_E_VALIDATION},
        {"file:///a%2", AKIDB_E_VALIDATION},
        {"file:///a%zz", AKIDB_E_VALIDATION},
        {"file:///a%00b", AKIDB_E_VALIDATION},
        {"file:///a?b", AKIDB_E_VALIDATION},
        {"file:///a#b", AKIDB_E_VALIDATION},
        {"gopher://host/path", AKIDB_E_UNSUPPORTED},
        {"a+b.c-d:x", AKIDB_E_UNSUPPORTED},
        {"http://host:9000/bucket", AKIDB_E_UNSUPPORTED},
        {"https://host/bucket", AKIDB_E_UNSUPPORTED},
    };
    for (size_t i = 0; i < sizeof uris / sizeof uris[0]; i++) {
        akidb_error err = {0};
        akidb_store *store = (akidb_store *)&err;
        assert_status(uris[i].status, akidb_store_open(uris[i].uri, &store, &err));
        assert_null(store);
        if (uris[i].status == AKIDB_E_UNSUPPORTED)
            assert_non_null(strstr(err.message, uris[i].uri));
        if (strncmp(uris[i].uri == NULL ? "" : uris[i].uri, "http", 4) == 0) {
            assert_non_null(strstr(err.message, "s3://BUCKET/PREFIX"));
            assert_non_null(strstr(err.message, "AWS_ENDPOINT_URL"));
        }
    }
}

/* ---- trace ----------------------------------------------------------------------------------- */

typedef struct log {
    char text[1024];
} log;

static void note_call(void *context, const akidb_store_call *call)
{
    log *l = context;
    size_t used = strlen(l->text);
    snprintf(l->text + used, sizeof l->text - used, "%s|%s|%llu|%s\n",
             akidb_store_op_name(call->op), call->key, (unsigned long long)call->bytes,
             akidb_status_name(call->status));
}

static akidb_visit go_on(void *context, const akidb_list_entry *entry)
{
    (void)context;
    (void)entry;
    return AKIDB_VISIT_CONTINUE;
}

static void a_trace_tells_each_call(void **state)
{
    (void)state;
    akidb_error err = {0};
    akidb_store *inner = memory_open();
    akidb_store *store;
    log l = {""};
    assert_ok(err, akidb_store_trace_open(inner, note_call, &l, &store, &err));
    assert_ok(err, put(store, "a", "12345"));
    akidb_buffer bytes;
    assert_ok(err, akidb_store_get(store, "a", 9, &bytes, &err));
    akidb_buffer_free(&bytes);
    char some[3];
    size_t read;
    assert_ok(err, akidb_store_get_range(store, "a", 3, some, 3, &read, &err));
    assert_false(exists(store, "b"));
    assert_ok(err, akidb_store_copy(store, "a", "c", AKIDB_PUT_IF_ABSENT, &err));
    akidb_upload *upload;
    assert_ok(err, akidb_store_upload_begin(store, "u", AKIDB_PUT_IF_ABSENT, &upload, &err));
    akidb_slice slices[2] = {{"12", 2}, {"3", 1}};
    assert_ok(err, akidb_upload_write(upload, slices, 2, &err));
    assert_ok(err, akidb_upload_commit(upload, &err));
    assert_ok(err, akidb_store_upload_begin(store, "v", AKIDB_PUT_ALWAYS, &upload, &err));
    akidb_upload_abort(upload);
    assert_ok(err, akidb_store_list(store, "x/", 0, go_on, NULL, &err));
    assert_ok(err, akidb_store_delete(store, "a", &err));
    uint64_t count;
    uint64_t size;
    assert_ok(err, akidb_store_remove_leftovers(store, 0, false, &count, &size, &err));
    static const char *const keys[] = {"y", "z"};
    assert_ok(err, akidb_store_delete_many(store, keys, 2, NULL, &err));
    assert_ok(err, akidb_store_delete_many(store, keys, 1, NULL, &err));
    assert_string_equal(l.text, "put|a|5|ok\n"
                                "get|a|5|ok\n"
                                "get range|a|2|ok\n"
                                "head|b|0|not found\n"
                                "copy|c|0|ok\n"
                                "upload begin|u|0|ok\n"
                                "upload write|u|3|ok\n"
                                "upload commit|u|0|ok\n"
                                "upload begin|v|0|ok\n"
                                "upload abort|v|0|ok\n"
                                "list|x/|0|ok\n"
                                "delete|a|0|ok\n"
                                "remove leftovers||0|ok\n"
                                "delete many|y|0|ok\n"
                                "delete|y|0|ok\n");
    akidb_store_close(store);
    assert_true(exists(inner, "u"));
    akidb_store_close(inner);
    assert_string_equal(akidb_store_op_name(AKIDB_STORE_OP_COUNT), "unknown");
}

/* ---- faults ---------------------------------------------------------------------------------- */

typedef struct plan {
    akidb_store_op op;
    akidb_fault fault;
    uint32_t asked; /* bit i: op i was asked for */
} plan;

static akidb_fault decide(void *context, akidb_store_op op, const char *key)
{
    plan *p = context;
    assert_non_null(key);
    p->asked |= 1u << op;
    return op == p->op ? p->fault : (akidb_fault){AKIDB_FAULT_NONE, AKIDB_OK};
}

typedef struct faulty {
    akidb_store *inner;
    akidb_store *store;
    plan plan;
    akidb_error err;
} faulty;

static void faulty_open(faulty *f)
{
    *f = (faulty){.inner = memory_open(), .plan = {.op = AKIDB_STORE_OP_COUNT}};
    assert_ok(f->err, akidb_store_fault_open(f->inner, decide, &f->plan, &f->store, &f->err));
}

static void faulty_close(faulty *f)
{
    akidb_store_close(f->store);
    akidb_store_close(f->inner);
}

static void plan_fault(faulty *f, akidb_store_op op, akidb_fault_effect effect)
{
    f->plan.op = op;
    f->plan.fault = (akidb_fault){effect, AKIDB_OK};
}

static void a_fault_before_does_nothing(void **state)
{
    (void)state;
    faulty f;
    faulty_open(&f);
    plan_fault(&f, AKIDB_STORE_PUT, AKIDB_FAULT_BEFORE);
    assert_status(AKIDB_E_STORE, put(f.store, "a", "x"));
    assert_false(exists(f.inner, "a"));
    f.plan.fault.status = AKIDB_E_TIMEOUT;
    assert_status(AKIDB_E_TIMEOUT, put(f.store, "a", "x"));
    plan_fault(&f, AKIDB_STORE_HEAD, AKIDB_FAULT_BEFORE);
    bool there = true;
    assert_status(AKIDB_E_STORE, akidb_store_exists(f.store, "a", &there, &f.err));
    assert_false(there);
    plan_fault(&f, AKIDB_STORE_UPLOAD_COMMIT, AKIDB_FAULT_BEFORE);
    akidb_upload *upload;
    assert_ok(f.err, akidb_store_upload_begin(f.store, "a", AKIDB_PUT_ALWAYS, &upload, &f.err));
    assert_status(AKIDB_E_STORE, akidb_upload_commit(upload, &f.err));
    assert_false(exists(f.inner, "a"));
    faulty_close(&f);
}

static void a_fault_after_has_happened(void **state)
{
    (void)state;
    faulty f;
    faulty_open(&f);
    plan_fault(&f, AKIDB_STORE_PUT, AKIDB_FAULT_AFTER);
    assert_status(AKIDB_E_UNCERTAIN, put(f.store, "a", "x"));
    assert_true(exists(f.inner, "a"));
    plan_fault(&f, AKIDB_STORE_GET, AKIDB_FAULT_AFTER);
    akidb_buffer bytes;
    assert_status(AKIDB_E_UNCERTAIN, akidb_store_get(f.store, "a", 9, &bytes, &f.err));
    assert_null(bytes.data);
    plan_fault(&f, AKIDB_STORE_COPY, AKIDB_FAULT_AFTER);
    assert_status(AKIDB_E_UNCERTAIN, akidb_store_copy(f.store, "a", "b", AKIDB_PUT_ALWAYS, &f.err));
    assert_true(exists(f.inner, "b"));
    plan_fault(&f, AKIDB_STORE_DELETE, AKIDB_FAULT_AFTER);
    assert_status(AKIDB_E_UNCERTAIN, akidb_store_delete(f.store, "a", &f.err));
    assert_false(exists(f.inner, "a"));
    akidb_upload *upload;
    plan_fault(&f, AKIDB_STORE_UPLOAD_BEGIN, AKIDB_FAULT_AFTER);
    assert_status(AKIDB_E_UNCERTAIN,
                  akidb_store_upload_begin(f.store, "u", AKIDB_PUT_ALWAYS, &upload, &f.err));
    assert_null(upload);
    plan_fault(&f, AKIDB_STORE_UPLOAD_COMMIT, AKIDB_FAULT_AFTER);
    assert_ok(f.err, akidb_store_upload_begin(f.store, "u", AKIDB_PUT_ALWAYS, &upload, &f.err));
    assert_status(AKIDB_E_UNCERTAIN, akidb_upload_commit(upload, &f.err));
    assert_true(exists(f.inner, "u"));
    faulty_close(&f);
}

static void of_many_keys_each_has_its_own_fault(void **state)
{
    (void)state;
    static const char *const keys[] = {"a", "b"};
    akidb_status outcomes[2];
    faulty f;
    faulty_open(&f);
    plan_fault(&f, AKIDB_STORE_DELETE, AKIDB_FAULT_BEFORE);
    assert_ok(f.err, put(f.inner, "b", "x"));
    assert_status(AKIDB_E_STORE, akidb_store_delete_many(f.store, keys, 2, outcomes, &f.err));
    assert_non_null(strstr(f.err.message, "a"));
    assert_int_equal(outcomes[0], AKIDB_E_STORE);
    assert_int_equal(outcomes[1], AKIDB_E_STORE);
    f.plan.fault.status = AKIDB_E_CANCELLED;
    assert_status(AKIDB_E_CANCELLED, akidb_store_delete_many(f.store, keys, 2, outcomes, &f.err));
    assert_int_equal(outcomes[1], AKIDB_E_CANCELLED);
    assert_true(exists(f.inner, "b"));
    plan_fault(&f, AKIDB_STORE_DELETE, AKIDB_FAULT_AFTER);
    assert_status(AKIDB_E_UNCERTAIN, akidb_store_delete_many(f.store, keys, 2, outcomes, &f.err));
    assert_false(exists(f.inner, "b"));
    faulty_close(&f);
}

/* Of 2,500 keys, those below `good` can be deleted. */
typedef struct half_dead {
    size_t good, asked;
} half_dead;

static akidb_fault refuse_some(void *context, akidb_store_op op, const char *key)
{
    half_dead *h = context;
    (void)key;
    bool fails = op == AKIDB_STORE_DELETE && h->asked++ >= h->good;
    return (akidb_fault){fails ? AKIDB_FAULT_BEFORE : AKIDB_FAULT_NONE, AKIDB_E_PERMISSION};
}

static void a_thousand_failures_in_a_row_end_it(void **state)
{
    (void)state;
    enum { KEYS = 2500 };
    static const struct {
        size_t good, asked;
    } cases[] = {{0, 1000}, {1, 2000}, {1001, 2500}, {2500, 2500}};
    static const char *keys[KEYS];
    static akidb_status outcomes[KEYS];
    for (size_t i = 0; i < KEYS; i++)
        keys[i] = "k";
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        half_dead h = {.good = cases[c].good};
        akidb_error err = {0};
        akidb_store *inner = memory_open(), *store;
        assert_ok(err, akidb_store_fault_open(inner, refuse_some, &h, &store, &err));
        akidb_status expected = h.good == KEYS ? AKIDB_OK : AKIDB_E_PERMISSION;
        assert_status(expected, akidb_store_delete_many(store, keys, KEYS, outcomes, &err));
        assert_int_equal(h.asked, cases[c].asked);
        for (size_t i = 0; i < KEYS; i++)
            assert_int_equal(outcomes[i], i < h.good ? AKIDB_OK : AKIDB_E_PERMISSION);
        akidb_store_close(store);
        akidb_store_close(inner);
    }
}

static void a_fault_may_spoil_what_is_read(void **state)
{
    (void)state;
    faulty f;
    faulty_open(&f);
    assert_ok(f.err, put(f.store, "a", "12345678"));
    akidb_buffer bytes;
    plan_fault(&f, AKIDB_STORE_GET, AKIDB_FAULT_SHORT);
    assert_ok(f.err, akidb_store_get(f.store, "a", 9, &bytes, &f.err));
    assert_int_equal(bytes.size, 4);
    akidb_buffer_free(&bytes);
    plan_fault(&f, AKIDB_STORE_GET, AKIDB_FAULT_FLIP);
    assert_ok(f.err, akidb_store_get(f.store, "a", 9, &bytes, &f.err));
    assert_int_equal(bytes.size, 8);
    assert_memory_not_equal(bytes.data, "12345678", 8);
    akidb_buffer_free(&bytes);
    char some[8];
    size_t read;
    plan_fault(&f, AKIDB_STORE_GET_RANGE, AKIDB_FAULT_SHORT);
    assert_ok(f.err, akidb_store_get_range(f.store, "a", 0, some, 8, &read, &f.err));
    assert_int_equal(read, 4);
    plan_fault(&f, AKIDB_STORE_GET_RANGE, AKIDB_FAULT_FLIP);
    assert_ok(f.err, akidb_store_get_range(f.store, "a", 0, some, 8, &read, &f.err));
    assert_memory_not_equal(some, "12345678", 8);
    plan_fault(&f, AKIDB_STORE_OP_COUNT, AKIDB_FAULT_NONE);
    assert_ok(f.err, akidb_store_get_range(f.store, "a", 0, some, 8, &read, &f.err));
    assert_memory_equal(some, "12345678", 8); /* what is stored was never touched */
    faulty_close(&f);
}

static void a_failed_upload_write_can_only_be_aborted(void **state)
{
    (void)state;
    static const akidb_fault_effect effects[] = {AKIDB_FAULT_BEFORE, AKIDB_FAULT_AFTER};
    for (size_t i = 0; i < 2; i++) {
        faulty f;
        faulty_open(&f);
        plan_fault(&f, AKIDB_STORE_UPLOAD_WRITE, effects[i]);
        akidb_upload *upload;
        akidb_slice slice = {"x", 1};
        assert_ok(f.err, akidb_store_upload_begin(f.store, "u", AKIDB_PUT_ALWAYS, &upload, &f.err));
        assert_true(akidb_upload_write(upload, &slice, 1, &f.err) != AKIDB_OK);
        plan_fault(&f, AKIDB_STORE_OP_COUNT, AKIDB_FAULT_NONE);
        assert_status(AKIDB_E_PRECONDITION, akidb_upload_write(upload, &slice, 1, &f.err));
        assert_status(AKIDB_E_PRECONDITION, akidb_upload_commit(upload, &f.err));
        assert_false(exists(f.inner, "u"));
        assert_true((f.plan.asked >> AKIDB_STORE_UPLOAD_ABORT & 1) != 0);
        faulty_close(&f);
    }
}

/* ---- prefix ---------------------------------------------------------------------------------- */

static void a_prefix_store_is_a_part_of_another(void **state)
{
    (void)state;
    akidb_error err = {0};
    akidb_store *inner = memory_open();
    akidb_store *store;
    assert_ok(err, akidb_store_prefix_open(inner, "a/b", &store, &err));
    assert_string_equal(akidb_store_name(store), "memory:/a/b");
    assert_ok(err, put(store, "key", "x"));
    assert_true(exists(inner, "a/b/key"));
    assert_ok(err, put(inner, "a/bc", "x"));
    assert_ok(err, put(inner, "a/b/c", "x"));
    assert_true(exists(store, "c"));
    assert_false(exists(store, "bc"));

    char key[AKIDB_KEY_MAX + 1];
    for (size_t i = 0; i < AKIDB_KEY_MAX; i++)
        key[i] = i % 2 == 0 || i == AKIDB_KEY_MAX - 1 ? 'k' : '/';
    key[AKIDB_KEY_MAX] = '\0';
    assert_ok(err, put(inner, key, "x"));
    assert_status(AKIDB_E_VALIDATION, put(store, key, "x")); /* too long behind the prefix */
    akidb_store_close(store);

    static const char *const bad[] = {"", "/", "a/", "/a", "..", "a//b"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        store = inner;
        assert_status(AKIDB_E_VALIDATION, akidb_store_prefix_open(inner, bad[i], &store, &err));
        assert_null(store);
    }
    akidb_store_close(inner);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_uri_names_a_store),
        cmocka_unit_test(a_uri_that_names_none_is_refused),
        cmocka_unit_test(a_trace_tells_each_call),
        cmocka_unit_test(a_fault_before_does_nothing),
        cmocka_unit_test(a_fault_after_has_happened),
        cmocka_unit_test(of_many_keys_each_has_its_own_fault),
        cmocka_unit_test(a_thousand_failures_in_a_row_end_it),
        cmocka_unit_test(a_fault_may_spoil_what_is_read),
        cmocka_unit_test(a_failed_upload_write_can_only_be_aborted),
        cmocka_unit_test(a_prefix_store_is_a_part_of_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
