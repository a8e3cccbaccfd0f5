/* The metadata's text: what is written is read back, and contradictions are told. */
#include "snapshot/metadata.h"

#include <string.h>

#include "base/buffer.h"
#include "base/checksum.h"
#include "snapshot/keys.h"

#include "support.h"

#define C   "0945db03-3ed2-5aea-b1b9-96709bcb3b20"
#define S   "11111111-2222-4333-8444-5555aaaa6666"
#define KEY "snapshots/" C "/" S ".metadata.json"

#define PLAN                                                                                       \
    "{\"snapshot_id\":\"" S "\",\"collection_id\":\"" C "\",\"vector_count\":7,\"dimension\":3,"   \
    "\"created_at\":\"2026-11-22T09:00:00.000001Z\",\"size_bytes\":100,"                           \
    "\"compression\":\"Snappy\",\"format\":\"Parquet\""
#define OURS                                                                                       \
    ",\"format_version\":1,\"writer\":\"akidb 0.1.0\",\"writer_id\":\"" S                          \
    "\",\"labels\":{\"name\":\"books\"},\"parts\":[{\"key\":\"snapshots/" C "/" S                  \
    ".parquet\",\"rows\":7,\"size_bytes\":100,\"crc32c\":\"00000001\",\"tail\":{\"size\":36,"      \
    "\"crc32c\":\"00000002\"},\"row_groups\":[{\"rows\":4,\"size\":40,\"crc32c\":\"00000003\","    \
    "\"small_size\":10,\"small_crc32c\":\"00000004\"},{\"rows\":3,\"size\":20,\"crc32c\":"         \
    "\"0000abcd\",\"small_size\":20,\"small_crc32c\":\"00000006\"}]}]"

/* Adds the checksum that the text should have. */
static void seal(char *text, size_t room)
{
    size_t size = strlen(text);
    snprintf(text + size, room - size, ",\"checksum\":\"crc32c:%08x\"}\n",
             (unsigned)ak_crc32c(0, text, size));
}

static akidb_status read_text(const char *text, akidb_snapshot_metadata **metadata,
                              akidb_error *err)
{
    return ak_metadata_read(KEY, (akidb_slice){text, strlen(text)}, metadata, err);
}

static void what_is_written_is_read_back(void **state)
{
    (void)state;
    akidb_error err;
    char text[4096] = PLAN OURS;
    seal(text, sizeof text);
    akidb_snapshot_metadata *metadata;
    assert_ok(err, read_text(text, &metadata, &err));
    assert_true(metadata->checked);
    assert_int_equal(metadata->vector_count, 7);
    assert_int_equal(metadata->part_count, 1);
    const akidb_parquet_summary *part = &metadata->parts[0].summary;
    assert_int_equal(part->row_groups[1].all.offset, 44);
    assert_int_equal(part->row_groups[1].all.crc32c, 0xABCD);
    assert_int_equal(part->tail.offset, 64);
    assert_string_equal(akidb_snapshot_label(metadata, "name"), "books");
    assert_string_equal(metadata->text, text);
    assert_string_equal(metadata->key, KEY);
    akidb_buffer again = {0};
    assert_ok(err, ak_metadata_write(metadata, &again, &err));
    assert_int_equal(again.size, strlen(text));
    assert_memory_equal(again.data, text, again.size);
    akidb_buffer_free(&again);
    akidb_snapshot_metadata_free(metadata);
}

static void numbers_are_exact(void **state)
{
    (void)state;
    akidb_error err;
    char text[4096];
    snprintf(text, sizeof text, "%s}", PLAN);
    char *count = strstr(text, "\"vector_count\":7,");
    memmove(count + 34, count + 16, strlen(count + 16) + 1);
    memcpy(count, "\"vector_count\":9007199254740993   ", 34);
    akidb_snapshot_metadata *metadata;
    assert_ok(err, read_text(text, &metadata, &err));
    assert_true(metadata->vector_count == UINT64_C(9007199254740993)); /* 2^53 + 1 */
    assert_false(metadata->checked);
    akidb_snapshot_metadata_free(metadata);
}

static void unknown_fields_are_kept(void **state)
{
    (void)state;
    akidb_error err;
    char text[4096] = PLAN ",\"later\":18446744073709551615,\"new\":[{}]" OURS;
    seal(text, sizeof text);
    akidb_snapshot_metadata *metadata;
    assert_ok(err, read_text(text, &metadata, &err));
    assert_string_equal(metadata->text, text);
    akidb_snapshot_metadata_free(metadata);
}

#define LINEAGE "\"log_id\":\"" C "\",\"incarnation\":\"" S "\",\"lsn\":18446744073709551615"

static void a_place_in_a_log_is_kept(void **state)
{
    (void)state;
    akidb_error err;
    char text[4096], whole[] = PLAN OURS;
    char *labels = strstr(whole, ",\"labels\"");
    assert_non_null(labels);
    snprintf(text, sizeof text, "%.*s," LINEAGE "%s", (int)(labels - whole), whole, labels);
    seal(text, sizeof text);
    akidb_snapshot_metadata *metadata;
    assert_ok(err, read_text(text, &metadata, &err));
    assert_true(metadata->has_lineage);
    assert_true(metadata->lsn == UINT64_MAX);
    assert_memory_equal(&metadata->incarnation, &metadata->snapshot_id, sizeof(akidb_uuid));
    assert_memory_equal(&metadata->log_id, &metadata->collection_id, sizeof(akidb_uuid));
    akidb_buffer again = {0};
    assert_ok(err, ak_metadata_write(metadata, &again, &err));
    assert_int_equal(again.size, strlen(text));
    assert_memory_equal(again.data, text, again.size);
    akidb_buffer_free(&again);
    akidb_snapshot_metadata_free(metadata);
}

/* Replaces the first `from` by `to`, seals the text, and wants it refused as corrupt. */
static void check_refused(const char *from, const char *to)
{
    char text[4096], whole[] = PLAN OURS;
    char *at = strstr(whole, from);
    assert_non_null(at);
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at - whole), whole, to, at + strlen(from));
    seal(text, sizeof text);
    akidb_error err = {0};
    akidb_snapshot_metadata *metadata;
    akidb_status status = read_text(text, &metadata, &err);
    if (status != AKIDB_E_CORRUPTION)
        fail_msg("%s -> %s: %s", from, to, akidb_status_name(status));
    assert_null(metadata);
    assert_string_equal(err.object, KEY);
}

static void contradictions_are_corruption(void **state)
{
    (void)state;
    static const char *const changes[][2] = {
        {"\"snapshot_id\":\"1", "\"snapshot_id\":\"2"},
        {"\"collection_id\":\"0", "\"collection_id\":\"1"},
        {"\"collection_id\":\"0", "\"collection_id\":\"x"},
        {"\"vector_count\":7", "\"vector_count\":8"},
        {"\"vector_count\":7", "\"vector_count\":-7"},
        {"\"vector_count\":7", "\"vector_count\":7.0"},
        {"\"vector_count\":7", "\"vector_count\":\"7\""},
        {"\"vector_count\":7", "\"vector_count\":18446744073709551616"},
        {"\"vector_count\":7,", ""},
        {"\"dimension\":3", "\"dimension\":0"},
        {"\"dimension\":3", "\"dimension\":65537"},
        {"2026-11-22T", "2026-13-22T"},
        {"2026-11-22T", "10000-11-22T"},
        {"\"size_bytes\":100,\"compression\"", "\"size_bytes\":101,\"compression\""},
        {"Snappy", "snappy"},
        {"\"format\":\"Parquet\"", "\"format\":\"Json\""},
        {"\"format\":\"Parquet\"", "\"format\":\"ORC\""},
        {"\"format\":\"Parquet\"", "\"format\":null"},
        {"\"format_version\":1", "\"format_version\":0"},
        {"\"writer_id\":\"1", "\"writer_id\":\""},
        {"\"labels\"", "\"lsn\":7,\"labels\""},
        {"\"labels\"", "\"log_id\":\"" S "\",\"incarnation\":\"" S "\",\"labels\""},
        {"\"labels\"", LINEAGE ".5,\"labels\""},
        {"\"books\"", "7"},
        {"\"parts\":[{", "\"parts\":[],\"x\":[{"},
        {"\"key\":\"snapshots/", "\"key\":\"other/"},
        {"\"key\":\"snapshots/0", "\"key\":\"snapshots/1"},
        {"\"key\":\"snapshots/" C "/" S, "\"key\":\"snapshots/" C "/" C},
        {".parquet\"", ".json\""},
        {"\"rows\":7", "\"rows\":6"},
        {"\"size_bytes\":100,\"crc32c\"", "\"size_bytes\":99,\"crc32c\""},
        {"00000001", "0000001"},
        {"00000001", "0000000G"},
        {"\"tail\":{\"size\":36", "\"tail\":{\"size\":37"},
        {"\"tail\":{\"size\":36", "\"tail\":{\"size\":1000"},
        {"\"rows\":4", "\"rows\":5"},
        {"\"rows\":4", "\"rows\":18446744073709551615"},
        {"\"size\":40", "\"size\":41"},
        {"\"size\":40", "\"size\":9223372036854775807"},
        {"\"small_size\":10", "\"small_size\":41"},
    };
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++)
        check_refused(changes[i][0], changes[i][1]);
}

static void a_later_format_is_unsupported(void **state)
{
    (void)state;
    akidb_error err;
    char text[4096] = PLAN OURS;
    *(strstr(text, "\"format_version\":1") + 17) = '2';
    memcpy(strstr(text, "Snappy"), "Brotli", 6); /* what is legal then is not known now */
    seal(text, sizeof text);
    akidb_snapshot_metadata *metadata;
    assert_status(AKIDB_E_UNSUPPORTED, read_text(text, &metadata, &err));
}

static void what_is_no_metadata_is_corruption(void **state)
{
    (void)state;
    akidb_error err;
    static const char *const texts[] = {
        "",
        " ",
        "{",
        "[]",
        "null",
        "{}",
        "not json",
        PLAN,
        PLAN OURS "}",
        PLAN ",\"labels\":{}}",
        PLAN ",\"checksum\":\"crc32c:00000000\"}\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        akidb_snapshot_metadata *metadata;
        assert_status(AKIDB_E_CORRUPTION, read_text(texts[i], &metadata, &err));
        assert_null(metadata);
    }
}

static void nothing_may_follow_the_checksum(void **state)
{
    (void)state;
    akidb_error err;
    akidb_snapshot_metadata *metadata;
    static const char *const ends[] = {"\n", " ", "}", "x"};
    for (size_t i = 0; i < 4; i++) {
        char text[4096] = PLAN OURS;
        seal(text, sizeof text);
        size_t size = strlen(text);
        snprintf(text + size, sizeof text - size, "%s", ends[i]);
        assert_status(AKIDB_E_CORRUPTION, read_text(text, &metadata, &err));
    }
    char text[4096] = PLAN OURS;
    seal(text, sizeof text);
    text[strlen(text) - 1] = '\0'; /* the newline is missing */
    assert_status(AKIDB_E_CORRUPTION, read_text(text, &metadata, &err));
}

static void the_old_layout_has_one_json_part(void **state)
{
    (void)state;
    akidb_error err;
    static const char text[] =
        "{\"snapshot_id\":\"" S "\",\"collection_id\":\"" C "\",\"vector_count\":13,"
        "\"dimension\":128,\"created_at\":\"2025-11-08T04:23:45.152660Z\",\"size_bytes\":10141,"
        "\"compression\":\"None\"}";
    akidb_snapshot_metadata *metadata;
    assert_ok(err, ak_metadata_read("snapshots/" S ".meta.json",
                                    (akidb_slice){text, sizeof text - 1}, &metadata, &err));
    assert_false(metadata->checked);
    assert_int_equal(metadata->format, AKIDB_FORMAT_JSON);
    assert_int_equal(metadata->part_count, 1);
    assert_string_equal(metadata->parts[0].key, "snapshots/" S ".json");
    assert_int_equal(metadata->parts[0].summary.rows, 13);
    assert_int_equal(metadata->parts[0].summary.file.size, 10141);
    akidb_snapshot_metadata_free(metadata);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(a_place_in_a_log_is_kept),
        cmocka_unit_test(numbers_are_exact),
        cmocka_unit_test(unknown_fields_are_kept),
        cmocka_unit_test(contradictions_are_corruption),
        cmocka_unit_test(a_later_format_is_unsupported),
        cmocka_unit_test(what_is_no_metadata_is_corruption),
        cmocka_unit_test(nothing_may_follow_the_checksum),
        cmocka_unit_test(the_old_layout_has_one_json_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
