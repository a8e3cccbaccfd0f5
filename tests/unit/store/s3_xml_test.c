/* XML from servers that may be anybody's. */
#include "store/s3/xml.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "test.h"

static akidb_status note(void *context, const char *path, const char *text, akidb_error *err)
{
    (void)err;
    char *noted = context;
    size_t used = strlen(noted);
    snprintf(noted + used, 2000 - used, "%s=%s;", path, text);
    return AKIDB_OK;
}

static akidb_status read_text(const char *text, size_t size, char noted[2000], akidb_error *err)
{
    noted[0] = '\0';
    return ak_xml_read((akidb_slice){text, size}, "the test", note, noted, err);
}

static void assert_reads(const char *xml, const char *expected)
{
    char noted[2000];
    akidb_error err = {0};
    assert_ok(err, read_text(xml, strlen(xml), noted, &err));
    assert_string_equal(noted, expected);
}

static void assert_refuses(const char *xml, size_t size, const char *word)
{
    char noted[2000];
    akidb_error err = {0};
    assert_status(AKIDB_E_STORE, read_text(xml, size, noted, &err));
    if (strstr(err.message, word) == NULL)
        fail_msg("expected \"%s\" in \"%s\"", word, err.message);
}

static void elements_are_told_with_their_paths(void **state)
{
    (void)state;
    assert_reads("<a/>", "a=;");
    assert_reads("<a:/>", "a:=;");
    assert_reads("<a><b>x</b><b>y&amp;&lt;&#65;</b></a>", "a/b=x;a/b=y&<A;a=;");
    assert_reads("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<s:a xmlns:s=\"urn:x\" c=\"1\">"
                 "<s:b><![CDATA[<raw>]]></s:b></s:a>",
                 "a/b=<raw>;a=;");
    assert_reads("<a>\xC3\xA9<b>1</b>t</a>", "a/b=1;a=\xC3\xA9t;");
}

static void what_is_not_well_formed_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "   ",
                                        "<a>",
                                        "<a></b>",
                                        "<a/>x",
                                        "x<a/>",
                                        "<a/><b/>",
                                        "<a>&nbsp;</a>",
                                        "<a",
                                        "<a>\x01",
                                        "<a>\xff</a>",
                                        "<a b=1/>",
                                        "{\"a\"}",
                                        "<html><br></html>"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_refuses(texts[i], strlen(texts[i]), "not well-formed");
    assert_refuses("<a>\0</a>", 8, "not well-formed");
}

static void a_document_type_is_refused_before_its_entities_grow(void **state)
{
    (void)state;
    static const char bomb[] = "<!DOCTYPE a [<!ENTITY x \"xxxxxxxxxx\"><!ENTITY y \"&x;&x;&x;\">]>"
                               "<a>&y;</a>";
    static const char external[] = "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>";
    assert_refuses(bomb, sizeof bomb - 1, "document type");
    assert_refuses(external, sizeof external - 1, "document type");
}

static char *repeat(const char *text, size_t count)
{
    size_t size = strlen(text);
    char *all = malloc(size * count + 1);
    assert_non_null(all);
    for (size_t i = 0; i < count; i++)
        memcpy(all + i * size, text, size);
    all[size * count] = '\0';
    return all;
}

static void depth_and_length_have_limits(void **state)
{
    (void)state;
    char *deep = repeat("<a>", 100000);
    assert_refuses(deep, strlen(deep), "too deeply");
    free(deep);
    char *name = repeat("n", 300);
    char xml[600];
    snprintf(xml, sizeof xml, "<%s/>", name);
    assert_refuses(xml, strlen(xml), "too deeply");
    free(name);
    name = repeat("n", AK_XML_PATH_MAX - 1); /* fills the path, and then one level more */
    snprintf(xml, sizeof xml, "<%s><b/></%s>", name, name);
    free(name);
    assert_refuses(xml, strlen(xml), "too deeply");
    char *text = repeat("0123456789abcdef", 2000);
    akidb_buffer long_text = {0};
    akidb_error err;
    assert_ok(err, ak_buffer_printf(&long_text, &err, "<a>%s</a>", text));
    assert_refuses((const char *)long_text.data, long_text.size, "too long");
    akidb_buffer_free(&long_text);
    free(text);
}

static void sixteen_levels_are_not_too_many(void **state)
{
    (void)state;
    assert_reads("<a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a>x</a></a></a></a></a></a></a>"
                 "</a></a></a></a></a></a></a></a></a>",
                 "a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a=x;a/a/a/a/a/a/a/a/a/a/a/a/a/a/a=;"
                 "a/a/a/a/a/a/a/a/a/a/a/a/a/a=;a/a/a/a/a/a/a/a/a/a/a/a/a=;"
                 "a/a/a/a/a/a/a/a/a/a/a/a=;a/a/a/a/a/a/a/a/a/a/a=;a/a/a/a/a/a/a/a/a/a=;"
                 "a/a/a/a/a/a/a/a/a=;a/a/a/a/a/a/a/a=;a/a/a/a/a/a/a=;a/a/a/a/a/a=;a/a/a/a/a=;"
                 "a/a/a/a=;a/a/a=;a/a=;a=;");
}

static akidb_status fail_at_b(void *context, const char *path, const char *text, akidb_error *err)
{
    (void)text;
    ++*(int *)context;
    if (strcmp(path, "a/b") == 0)
        return ak_fail(err, AKIDB_E_LIMIT, "enough");
    return AKIDB_OK;
}

static void a_visitors_failure_ends_the_reading(void **state)
{
    (void)state;
    static const char xml[] = "<a><c/><b/><d/></a>";
    akidb_error err = {0};
    int visits = 0;
    assert_status(AKIDB_E_LIMIT, ak_xml_read((akidb_slice){xml, sizeof xml - 1}, "the test",
                                             fail_at_b, &visits, &err));
    assert_string_equal(err.message, "enough");
    assert_int_equal(visits, 2);
}

static void a_text_that_is_written_reads_back(void **state)
{
    (void)state;
    static const char text[] = "a<b>&\"c'\r d \xE2\x82\xAC";
    akidb_error err;
    akidb_buffer xml = {0};
    char noted[2000];
    assert_ok(err, ak_buffer_printf(&xml, &err, "<a>"));
    assert_ok(err, ak_xml_append_text(&xml, text, &err));
    assert_ok(err, ak_buffer_printf(&xml, &err, "</a>"));
    assert_ok(err, read_text((const char *)xml.data, xml.size, noted, &err));
    char expected[64];
    snprintf(expected, sizeof expected, "a=%s;", text);
    assert_string_equal(noted, expected);
    akidb_buffer_free(&xml);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_are_told_with_their_paths),
        cmocka_unit_test(what_is_not_well_formed_is_refused),
        cmocka_unit_test(a_document_type_is_refused_before_its_entities_grow),
        cmocka_unit_test(depth_and_length_have_limits),
        cmocka_unit_test(sixteen_levels_are_not_too_many),
        cmocka_unit_test(a_visitors_failure_ends_the_reading),
        cmocka_unit_test(a_text_that_is_written_reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
