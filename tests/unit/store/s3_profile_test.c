/* The AWS tools' shared files. */
#include "store/s3/profile.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "folder.h"
#include "test.h"

static char folder[TEST_FOLDER_SIZE];

static void write_file(const char *name, const char *text, const char *variable)
{
    char path[TEST_FOLDER_SIZE + 64];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
    setenv(variable, path, 1);
}

static void assert_setting(const ak_s3_profile *profile, const char *name, const char *expected)
{
    const char *found = ak_s3_profile_get(profile, name);
    if (expected == NULL)
        assert_null(found);
    else if (found == NULL)
        fail_msg("%s is not set", name);
    else
        assert_string_equal(found, expected);
}

static ak_s3_profile read_profile(const char *name)
{
    ak_s3_profile profile;
    akidb_error err;
    assert_ok(err, ak_s3_profile_read(name, &profile, &err));
    return profile;
}

static const char credentials[] = "# a comment = no\n"
                                  "[default]\n"
                                  "aws_access_key_id = DEFAULT\r\n"
                                  "aws_secret_access_key=a/b+c=d=\n"
                                  "\n"
                                  "[ work ]\n"
                                  "\taws_access_key_id = NESTED\n"
                                  "aws_access_key_id   =   WORK   \n"
                                  "no sign at all\n"
                                  "[profile work]\n"
                                  "aws_access_key_id = NOT-HERE\n"
                                  "[work";

static const char config[] = "[default]\n"
                             "region = eu-central-1\n"
                             "aws_access_key_id = SECOND\n"
                             "[profile work]\n"
                             "region = us-west-2\n"
                             "s3 =\n"
                             "  region = nested\n"
                             "endpoint_url = https://s3.work.example\n"
                             "[work]\n"
                             "region = not-here\n"
                             "[profilework]\n"
                             "region = nor-here\n";

static void each_file_names_its_sections_in_its_own_way(void **state)
{
    (void)state;
    write_file("credentials", credentials, "AWS_SHARED_CREDENTIALS_FILE");
    write_file("config", config, "AWS_CONFIG_FILE");
    ak_s3_profile profile = read_profile(NULL);
    assert_setting(&profile, "aws_access_key_id",
                   "DEFAULT"); /* the credentials file's goes first */
    assert_setting(&profile, "aws_secret_access_key", "a/b+c=d=");
    assert_setting(&profile, "region", "eu-central-1");
    assert_setting(&profile, "endpoint_url", NULL);
    ak_s3_profile_free(&profile);
    profile = read_profile("work");
    assert_setting(&profile, "aws_access_key_id", "WORK");
    assert_setting(&profile, "region", "us-west-2"); /* indented lines belong to "s3" */
    assert_setting(&profile, "endpoint_url", "https://s3.work.example");
    ak_s3_profile_free(&profile);
}

static void the_environment_chooses_the_profile(void **state)
{
    (void)state;
    write_file("credentials", credentials, "AWS_SHARED_CREDENTIALS_FILE");
    write_file("config", config, "AWS_CONFIG_FILE");
    setenv("AWS_PROFILE", "work", 1);
    ak_s3_profile profile = read_profile(NULL);
    assert_setting(&profile, "region", "us-west-2");
    ak_s3_profile_free(&profile);
    profile = read_profile("default");
    assert_setting(&profile, "region", "eu-central-1");
    ak_s3_profile_free(&profile);
    unsetenv("AWS_PROFILE");
}

static void a_profile_that_was_asked_for_must_be_there(void **state)
{
    (void)state;
    write_file("credentials", credentials, "AWS_SHARED_CREDENTIALS_FILE");
    write_file("config", config, "AWS_CONFIG_FILE");
    ak_s3_profile profile;
    akidb_error err = {0};
    assert_status(AKIDB_E_VALIDATION, ak_s3_profile_read("nobody", &profile, &err));
    assert_non_null(strstr(err.message, "nobody"));
    assert_null(profile.settings);
    char long_name[200];
    memset(long_name, 'x', sizeof long_name);
    long_name[sizeof long_name - 1] = '\0';
    assert_status(AKIDB_E_VALIDATION, ak_s3_profile_read(long_name, &profile, &err));
}

static void files_that_are_not_there_are_empty(void **state)
{
    (void)state;
    setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent/a", 1);
    setenv("AWS_CONFIG_FILE", "/nonexistent/b", 1);
    ak_s3_profile profile = read_profile(NULL);
    assert_int_equal(profile.count, 0);
    ak_s3_profile_free(&profile);
    akidb_error err;
    setenv("AWS_CONFIG_FILE", folder, 1); /* there, and no file */
    assert_status(AKIDB_E_IO, ak_s3_profile_read(NULL, &profile, &err));
}

static void the_home_folder_holds_them_unless_told(void **state)
{
    (void)state;
    char path[TEST_FOLDER_SIZE + 16];
    snprintf(path, sizeof path, "%s/.aws", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    write_file(".aws/config", "[default]\nregion = home\n", "UNUSED");
    unsetenv("AWS_SHARED_CREDENTIALS_FILE");
    unsetenv("AWS_CONFIG_FILE");
    setenv("HOME", folder, 1);
    ak_s3_profile profile = read_profile(NULL);
    assert_setting(&profile, "region", "home");
    ak_s3_profile_free(&profile);
    unsetenv("HOME");
    profile = read_profile(NULL);
    assert_int_equal(profile.count, 0);
    ak_s3_profile_free(&profile);
}

static void sizes_have_limits(void **state)
{
    (void)state;
    enum { ROOM = 200000 };
    char *text = malloc(ROOM);
    assert_non_null(text);
    int used = snprintf(text, ROOM, "[default]\n");
    for (int i = 0; i < AK_S3_SETTINGS_MAX; i++)
        used += snprintf(text + used, (size_t)(ROOM - used), "n%d = %d\n", i, i);
    write_file("config", text, "AWS_CONFIG_FILE");
    setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent/a", 1);
    ak_s3_profile profile = read_profile(NULL);
    assert_int_equal(profile.count, AK_S3_SETTINGS_MAX);
    ak_s3_profile_free(&profile);
    snprintf(text + used, (size_t)(ROOM - used), "more = 1\n");
    write_file("config", text, "AWS_CONFIG_FILE");
    akidb_error err;
    assert_status(AKIDB_E_LIMIT, ak_s3_profile_read(NULL, &profile, &err));
    used = snprintf(text, ROOM, "[default]\nlong = ");
    memset(text + used, 'x', 5000);
    snprintf(text + used + 5000, 100, "\nregion = after\n");
    write_file("config", text, "AWS_CONFIG_FILE");
    profile = read_profile(NULL);
    assert_setting(&profile, "long", NULL);
    assert_setting(&profile, "region", "after");
    ak_s3_profile_free(&profile);
    free(text);
}

static int make_folder(void **state)
{
    (void)state;
    unsetenv("AWS_PROFILE");
    return test_folder_make(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    test_folder_remove(folder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_file_names_its_sections_in_its_own_way),
        cmocka_unit_test(the_environment_chooses_the_profile),
        cmocka_unit_test(a_profile_that_was_asked_for_must_be_there),
        cmocka_unit_test(files_that_are_not_there_are_empty),
        cmocka_unit_test(the_home_folder_holds_them_unless_told),
        cmocka_unit_test(sizes_have_limits),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
