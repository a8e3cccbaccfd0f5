#include "store/s3/profile.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"

enum { FILE_BYTES_MAX = 4 << 20 };

static akidb_slice trim(akidb_slice text)
{
    const char *at = text.data;
    size_t size = text.size;
    while (size > 0 && (at[0] == ' ' || at[0] == '\t')) {
        at++;
        size--;
    }
    while (size > 0 && (at[size - 1] == ' ' || at[size - 1] == '\t' || at[size - 1] == '\r'))
        size--;
    return (akidb_slice){at, size};
}

static bool equals(akidb_slice text, const char *expected)
{
    return text.size == strlen(expected) && memcmp(text.data, expected, text.size) == 0;
}

/* Whether "[...]" opens the profile that is wanted. */
static bool is_section_of(akidb_slice line, bool is_config, const char *name)
{
    const char *begin = line.data;
    const char *end = memchr(begin, ']', line.size);
    if (end == NULL)
        return false;
    akidb_slice section = trim((akidb_slice){begin + 1, (size_t)(end - begin - 1)});
    static const char word[] = "profile";
    const size_t word_size = sizeof word - 1;
    const char *text = section.data;
    if (is_config && section.size > word_size && memcmp(text, word, word_size) == 0 &&
        (text[word_size] == ' ' || text[word_size] == '\t'))
        return equals(trim((akidb_slice){text + word_size, section.size - word_size}), name);
    return (!is_config || strcmp(name, "default") == 0) && equals(section, name);
}

static akidb_status add_setting(ak_s3_profile *profile, akidb_slice line, akidb_error *err)
{
    const char *text = line.data;
    const char *sign = memchr(text, '=', line.size);
    if (sign == NULL)
        return AKIDB_OK; /* not a setting: the AWS tools pass over it too */
    akidb_slice name = trim((akidb_slice){text, (size_t)(sign - text)});
    akidb_slice value = trim((akidb_slice){sign + 1, line.size - (size_t)(sign - text) - 1});
    if (name.size >= AK_S3_SETTING_NAME || value.size >= AK_S3_SETTING_VALUE)
        return AKIDB_OK; /* none that is looked for is so long */
    if (profile->count == AK_S3_SETTINGS_MAX)
        return ak_fail(err, AKIDB_E_LIMIT, "profile %s has more than %d settings", profile->name,
                       AK_S3_SETTINGS_MAX);
    ak_s3_setting *setting = &profile->settings[profile->count++];
    memcpy(setting->name, name.data, name.size);
    setting->name[name.size] = '\0';
    memcpy(setting->value, value.data, value.size);
    setting->value[value.size] = '\0';
    return AKIDB_OK;
}

akidb_status ak_s3_profile_parse(akidb_slice text, bool is_config, ak_s3_profile *profile,
                                 akidb_error *err)
{
    const char *at = text.data;
    size_t left = text.size;
    bool ours = false;
    while (left > 0) {
        const char *end = memchr(at, '\n', left);
        size_t size = end == NULL ? left : (size_t)(end - at);
        bool indented = size > 0 && (at[0] == ' ' || at[0] == '\t');
        akidb_slice line = trim((akidb_slice){at, size});
        const char *first = line.data;
        akidb_status status = AKIDB_OK;
        if (line.size > 0 && first[0] == '[') {
            ours = is_section_of(line, is_config, profile->name);
            profile->found = profile->found || ours;
        } else if (ours && !indented && line.size > 0 && first[0] != '#' && first[0] != ';') {
            status = add_setting(profile, line, err);
        }
        if (status != AKIDB_OK)
            return status;
        size_t used = end == NULL ? size : size + 1;
        at += used;
        left -= used;
    }
    return AKIDB_OK;
}

/* Reads a whole file, or nothing where there is none. */
static akidb_status read_file(const char *path, akidb_buffer *text, akidb_error *err)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return errno == ENOENT || errno == ENOTDIR
                   ? AKIDB_OK
                   : ak_fail_errno(err, errno, path, "the AWS settings could not be read");
    akidb_status status = AKIDB_OK;
    for (;;) {
        status = ak_buffer_reserve(text, 64 << 10, err);
        if (status != AKIDB_OK)
            break;
        size_t got = fread(text->data + text->size, 1, 64 << 10, file);
        text->size += got;
        if (got == 0)
            break;
        if (text->size > FILE_BYTES_MAX) {
            status = ak_fail_at(err, AKIDB_E_LIMIT, AK_IN(path),
                                "the AWS settings have over %d bytes", FILE_BYTES_MAX);
            break;
        }
    }
    if (status == AKIDB_OK && ferror(file))
        status = ak_fail_errno(err, errno, path, "the AWS settings could not be read");
    fclose(file);
    return status;
}

static akidb_status read_and_parse(const char *variable, const char *home_path, bool is_config,
                                   ak_s3_profile *profile, akidb_error *err)
{
    char path[4096];
    const char *named = getenv(variable);
    const char *home = getenv("HOME");
    if (named != NULL && named[0] != '\0')
        snprintf(path, sizeof path, "%s", named);
    else if (home != NULL && home[0] != '\0')
        snprintf(path, sizeof path, "%s/%s", home, home_path);
    else
        return AKIDB_OK;
    akidb_buffer text = {0};
    akidb_status status = read_file(path, &text, err);
    if (status == AKIDB_OK)
        status = ak_s3_profile_parse((akidb_slice){text.data, text.size}, is_config, profile, err);
    if (text.data != NULL)
        OPENSSL_cleanse(text.data, text.capacity);
    akidb_buffer_free(&text);
    return status;
}

akidb_status ak_s3_profile_read(const char *name, ak_s3_profile *profile_out, akidb_error *err)
{
    *profile_out = (ak_s3_profile){0};
    if (name == NULL || name[0] == '\0')
        name = getenv("AWS_PROFILE");
    bool asked_for = name != NULL && name[0] != '\0';
    if (!asked_for)
        name = "default";
    if (strlen(name) >= sizeof profile_out->name)
        return ak_fail(err, AKIDB_E_VALIDATION, "the name of the AWS profile is too long");
    ak_s3_profile profile = {0};
    memcpy(profile.name, name, strlen(name) + 1);
    profile.settings = calloc(AK_S3_SETTINGS_MAX, sizeof *profile.settings);
    if (profile.settings == NULL)
        return ak_fail_memory(err, AK_S3_SETTINGS_MAX * sizeof *profile.settings);
    akidb_status status =
        read_and_parse("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials", false, &profile, err);
    if (status == AKIDB_OK)
        status = read_and_parse("AWS_CONFIG_FILE", ".aws/config", true, &profile, err);
    if (status == AKIDB_OK && asked_for && !profile.found)
        status = ak_fail(err, AKIDB_E_VALIDATION,
                         "AWS profile \"%s\" is in neither the shared config nor the credentials "
                         "file",
                         name);
    if (status == AKIDB_OK)
        *profile_out = profile;
    else
        ak_s3_profile_free(&profile);
    return status;
}

void ak_s3_profile_free(ak_s3_profile *profile)
{
    if (profile->settings != NULL)
        OPENSSL_cleanse(profile->settings, AK_S3_SETTINGS_MAX * sizeof *profile->settings);
    free(profile->settings);
    *profile = (ak_s3_profile){0};
}

const char *ak_s3_profile_get(const ak_s3_profile *profile, const char *name)
{
    for (size_t i = 0; i < profile->count; i++)
        if (strcmp(profile->settings[i].name, name) == 0)
            return profile->settings[i].value;
    return NULL;
}
