#include "snapshot/keys.h"

#include <string.h>

#include "test.h"

#define C "0945db03-3ed2-5aea-b1b9-96709bcb3b20"
#define S "11111111-2222-4333-8444-5555aaaa6666"

static akidb_uuid uuid(const char *text)
{
    akidb_uuid result;
    akidb_error err;
    assert_ok(err, akidb_uuid_parse(text, &result, &err));
    return result;
}

static void keys_are_spelled_as_the_layout_has_them(void **state)
{
    (void)state;
    akidb_uuid c = uuid(C), s = uuid(S);
    char key[AK_KEY_SIZE];
    ak_key_collection_prefix(&c, key);
    assert_string_equal(key, "snapshots/" C "/");
    ak_key_metadata(&c, &s, key);
    assert_string_equal(key, "snapshots/" C "/" S ".metadata.json");
    ak_key_single_part(&c, &s, AKIDB_FORMAT_PARQUET, AKIDB_COMPRESSION_GZIP, key);
    assert_string_equal(key, "snapshots/" C "/" S ".parquet");
    ak_key_single_part(&c, &s, AKIDB_FORMAT_JSON, AKIDB_COMPRESSION_NONE, key);
    assert_string_equal(key, "snapshots/" C "/" S ".json");
    ak_key_single_part(&c, &s, AKIDB_FORMAT_JSON, AKIDB_COMPRESSION_GZIP, key);
    assert_string_equal(key, "snapshots/" C "/" S ".json.gz");
    ak_key_single_part(&c, &s, AKIDB_FORMAT_JSON, AKIDB_COMPRESSION_SNAPPY, key);
    assert_string_equal(key, "snapshots/" C "/" S ".json.sz");
    ak_key_single_part(&c, &s, AKIDB_FORMAT_JSON, AKIDB_COMPRESSION_ZSTD, key);
    assert_string_equal(key, "snapshots/" C "/" S ".json.zst");
    ak_key_folder_part(&c, &s, 99999, key);
    assert_string_equal(key, "snapshots/" C "/" S "/part-99999.parquet");
    ak_key_old_metadata(&s, key);
    assert_string_equal(key, "snapshots/" S ".meta.json");
    ak_key_old_part(&s, AKIDB_COMPRESSION_NONE, key);
    assert_string_equal(key, "snapshots/" S ".json");
}

static void every_key_parses_to_what_it_was_made_of(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        ak_key_kind kind;
        akidb_snapshot_format format;
        akidb_compression compression;
    } cases[] = {
        {"snapshots/" C "/" S ".metadata.json", AK_KEY_METADATA, 0, 0},
        {"snapshots/" C "/" S ".parquet", AK_KEY_PART, AKIDB_FORMAT_PARQUET, 0},
        {"snapshots/" C "/" S "/part-00042.parquet", AK_KEY_PART, AKIDB_FORMAT_PARQUET, 0},
        {"snapshots/" C "/" S ".json", AK_KEY_PART, AKIDB_FORMAT_JSON, AKIDB_COMPRESSION_NONE},
        {"snapshots/" C "/" S ".json.gz", AK_KEY_PART, AKIDB_FORMAT_JSON, AKIDB_COMPRESSION_GZIP},
        {"snapshots/" C "/" S ".json.sz", AK_KEY_PART, AKIDB_FORMAT_JSON, AKIDB_COMPRESSION_SNAPPY},
        {"snapshots/" C "/" S ".json.zst", AK_KEY_PART, AKIDB_FORMAT_JSON, AKIDB_COMPRESSION_ZSTD},
        {"snapshots/" S ".meta.json", AK_KEY_OLD_METADATA, 0, 0},
        {"snapshots/" S ".json", AK_KEY_OLD_PART, AKIDB_FORMAT_JSON, AKIDB_COMPRESSION_NONE},
    };
    akidb_uuid c = uuid(C), s = uuid(S), none = {{0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ak_key key = ak_key_parse(cases[i].text);
        assert_int_equal(key.kind, cases[i].kind);
        assert_int_equal(key.format, cases[i].format);
        assert_int_equal(key.compression, cases[i].compression);
        assert_memory_equal(&key.snapshot_id, &s, sizeof s);
        bool old = key.kind == AK_KEY_OLD_METADATA || key.kind == AK_KEY_OLD_PART;
        assert_memory_equal(&key.collection_id, old ? &none : &c, sizeof c);
    }
}

static void a_key_of_another_spelling_is_foreign(void **state)
{
    (void)state;
    static const char *const keys[] = {
        "",
        "snapshots",
        "snapshots/",
        "snapshots/" C,
        "snapshots/" C "/",
        "snapshots/" C "/" S,
        "snapshots/" C "/" S ".metadata.json.bak",
        "snapshots/" C "/" S ".json.lz4",
        "snapshots/" C "/" S ".meta.json",
        "snapshots/" C "/" S "/part-0000.parquet",
        "snapshots/" C "/" S "/part-000000.parquet",
        "snapshots/" C "/" S "/part-00000.json",
        "snapshots/" C "/" S "/",
        "snapshots/" S ".parquet",
        "snapshots/" S ".metadata.json",
        "snapshots/0945DB03-3ed2-5aea-b1b9-96709bcb3b20/" S ".parquet",
        "snapshots/0945db03/" S ".parquet",
        "Snapshots/" C "/" S ".parquet",
        "other/" C "/" S ".parquet",
    };
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        assert_int_equal(ak_key_parse(keys[i]).kind, AK_KEY_FOREIGN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_spelled_as_the_layout_has_them),
        cmocka_unit_test(every_key_parses_to_what_it_was_made_of),
        cmocka_unit_test(a_key_of_another_spelling_is_foreign),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
