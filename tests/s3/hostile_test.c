/* Answers of a server that means harm, or has lost its mind: numbers, dates, lists. */
#include <stdlib.h>
#include <string.h>

#include "world.h"

/* The server's answers to an operation have that body from now on. */
static void answer_with(const char *op, const char *body)
{
    s3_server_tell(&server, "{\"set\": {\"answers\": {\"%s\": \"%s\"}}}", op, body);
}

static akidb_status list(world *w, size_t *count_out)
{
    *count_out = 0;
    return akidb_store_list(w->store, "", 0, count_entry, count_out, &w->err);
}

static akidb_status remove_leftovers(world *w, bool dry_run)
{
    uint64_t count, bytes;
    return akidb_store_remove_leftovers(w->store, AKIDB_TIME_MAX, dry_run, &count, &bytes, &w->err);
}

/* A year of ten digits, and what is no date. */
static void an_absurd_date_is_no_date(void **state)
{
    (void)state;
    static const char *const dates[] = {"Sun, 06 Nov 2147483647 08:49:37 GMT",
                                        "Sun, 06 Nov 30000 08:49:37 GMT", "yesterday", ""};
    world *w = world_open();
    assert_ok(w->err, put(w, "old", SMALL, AKIDB_PUT_ALWAYS));
    for (size_t i = 0; i < sizeof dates / sizeof dates[0]; i++) {
        akidb_object_info info;
        s3_server_tell(&server, "{\"set\": {\"date\": \"%s\", \"skew\": 7200}}", dates[i]);
        /* The clock cannot be corrected by it. */
        assert_status(AKIDB_E_PERMISSION, put(w, "new", SMALL, AKIDB_PUT_ALWAYS));
        s3_server_tell(&server, "{\"set\": {\"skew\": 0}}");
        assert_ok(w->err, akidb_store_head(w->store, "old", &info, &w->err));
        assert_int_equal(info.modified_at, 0);
    }
    world_close(w);
}

static void a_list_that_begins_anew_is_refused(void **state)
{
    (void)state;
    size_t count;
    world *w = world_open();
    assert_ok(w->err, put(w, "a", SMALL, AKIDB_PUT_ALWAYS));
    assert_ok(w->err, put(w, "b", SMALL, AKIDB_PUT_ALWAYS));
    akidb_upload *upload;
    assert_ok(w->err,
              akidb_store_upload_begin(w->store, "new", AKIDB_PUT_ALWAYS, &upload, &w->err));
    assert_ok(w->err, akidb_upload_write(upload, &(akidb_slice){w->bytes, LARGE}, 1, &w->err));
    s3_server_tell(&server, "{\"set\": {\"forgetful\": true}}");
    assert_status(AKIDB_E_STORE, list(w, &count));
    assert_int_equal(count, 2);
    assert_status(AKIDB_E_STORE, remove_leftovers(w, true));
    s3_server_tell(&server, "{\"set\": {\"forgetful\": false}}");
    akidb_upload_abort(upload);
    world_close(w);
}

static void sizes_are_numbers(void **state)
{
    (void)state;
    static const char *const sizes[] = {"",
                                        "-1",
                                        "+1",
                                        " 1",
                                        "1e3",
                                        "0x10",
                                        "9223372036854775808",
                                        "18446744073709551616",
                                        "999999999999999999999999"};
    char body[512];
    size_t count;
    world *w = world_open();
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        snprintf(body, sizeof body,
                 "<ListBucketResult><Contents><Key>p/a</Key><Size>%s</Size></Contents>"
                 "</ListBucketResult>",
                 sizes[i]);
        answer_with("ListObjectsV2", body);
        assert_status(AKIDB_E_STORE, list(w, &count));
        assert_int_equal(count, 0);
    }
    answer_with("ListObjectsV2", "<ListBucketResult><Contents><Key>p/a</Key>"
                                 "<Size>9223372036854775807</Size></Contents></ListBucketResult>");
    assert_ok(w->err, list(w, &count));
    assert_int_equal(count, 1);
    world_close(w);
}

/* "a" with a NUL after it is not "a"; nor is what lies outside of the prefix ours. */
static void keys_that_cannot_be_are_passed_over(void **state)
{
    (void)state;
    static const char *const keys[] = {"p/a%00b", "p/%00", "p/..", "p/a/../b", "p//a",   "p/",
                                       "a",       "pa",    "",     "p/%ff",    "p/a%0Ab"};
    char body[512];
    size_t count;
    world *w = world_open();
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        snprintf(body, sizeof body,
                 "<ListBucketResult><EncodingType>url</EncodingType>"
                 "<Contents><Key>%s</Key><Size>1</Size></Contents>"
                 "<CommonPrefixes><Prefix>%s</Prefix></CommonPrefixes></ListBucketResult>",
                 keys[i], keys[i]);
        answer_with("ListObjectsV2", body);
        assert_ok(w->err, list(w, &count));
        if (count != 0)
            fail_msg("%s was told", keys[i]);
    }
    world_close(w);
}

/* An abort without an id is a DELETE of an object, and without a key of a bucket; one without a
 * time could be of an upload that goes on. */
static void uploads_without_a_name_are_not_removed(void **state)
{
    (void)state;
    static const char *const uploads[] = {
        "<Key>p/old</Key><Initiated>2020-01-01T00:00:00Z</Initiated>",
        "<Key>p/old</Key><UploadId></UploadId><Initiated>2020-01-01T00:00:00Z</Initiated>",
        "<UploadId>1</UploadId><Initiated>2020-01-01T00:00:00Z</Initiated>",
        "<Key></Key><UploadId>1</UploadId><Initiated>2020-01-01T00:00:00Z</Initiated>",
        "<Key>p/old</Key><UploadId>1</UploadId>",
        "<Key>p/old</Key><UploadId>1</UploadId><Initiated>then</Initiated>"};
    char body[512];
    world *w = world_open();
    assert_ok(w->err, put(w, "old", SMALL, AKIDB_PUT_ALWAYS));
    s3_server_reset(&server);
    for (size_t i = 0; i < sizeof uploads / sizeof uploads[0]; i++) {
        snprintf(body, sizeof body,
                 "<ListMultipartUploadsResult><Upload>%s</Upload></ListMultipartUploadsResult>",
                 uploads[i]);
        answer_with("ListMultipartUploads", body);
        akidb_status status = remove_leftovers(w, false);
        assert_true(status == AKIDB_E_STORE || status == AKIDB_E_VALIDATION);
    }
    assert_int_equal(s3_server_count(&server, "DeleteObject"), 0);
    assert_int_equal(s3_server_count(&server, "AbortMultipartUpload"), 0);
    assert_object(w, "old", SMALL);
    world_close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_absurd_date_is_no_date),
        cmocka_unit_test(a_list_that_begins_anew_is_refused),
        cmocka_unit_test(sizes_are_numbers),
        cmocka_unit_test(keys_that_cannot_be_are_passed_over),
        cmocka_unit_test(uploads_without_a_name_are_not_removed),
    };
    return cmocka_run_group_tests(tests, world_start_server, world_stop_server);
}
