#include "json_out.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Every function is a no-op once there is no file: cli_json_print says it. */

void cli_json_begin(cli_json *json)
{
    *json = (cli_json){0};
    json->file = open_memstream(&json->text, &json->size);
}

size_t cli_utf8_size(const char *at)
{
    const unsigned char *text = (const unsigned char *)at;
    if (text[0] < 0x80)
        return 1;
    size_t size = text[0] >= 0xF0 ? 4 : text[0] >= 0xE0 ? 3 : 2;
    if (text[0] < 0xC2 || text[0] > 0xF4)
        return 0;
    for (size_t i = 1; i < size; i++)
        if ((text[i] & 0xC0) != 0x80)
            return 0; /* also where the text ends */
    bool overlong = (text[0] == 0xE0 && text[1] < 0xA0) || (text[0] == 0xF0 && text[1] < 0x90);
    bool surrogate = text[0] == 0xED && text[1] > 0x9F;
    bool too_large = text[0] == 0xF4 && text[1] > 0x8F;
    return overlong || surrogate || too_large ? 0 : size;
}

static void put_string(FILE *file, const char *value)
{
    const char *at = value;
    fputc('"', file);
    while (*at != '\0') {
        size_t size = cli_utf8_size(at);
        if (size == 0)
            fputs("\\ufffd", file);
        else if (*at == '"' || *at == '\\')
            fprintf(file, "\\%c", *at);
        else if ((unsigned char)*at < 0x20)
            fprintf(file, "\\u%04x", (unsigned)*at);
        else
            fwrite(at, 1, size, file);
        at += size > 0 ? size : 1;
    }
    fputc('"', file);
}

/* What stands before a value. Returns false when nothing can be written. */
static bool put_name(cli_json *json, const char *name)
{
    if (json->file == NULL)
        return false;
    if (json->comma)
        fputc(',', json->file);
    json->comma = true;
    if (name != NULL) {
        put_string(json->file, name);
        fputc(':', json->file);
    }
    return true;
}

void cli_json_open(cli_json *json, const char *name, char bracket)
{
    if (!put_name(json, name))
        return;
    fputc(bracket, json->file);
    json->comma = false;
}

void cli_json_close(cli_json *json, char bracket)
{
    if (json->file == NULL)
        return;
    fputc(bracket, json->file);
    json->comma = true;
}

void cli_json_string(cli_json *json, const char *name, const char *value)
{
    if (!put_name(json, name))
        return;
    if (value == NULL)
        fputs("null", json->file);
    else
        put_string(json->file, value);
}

void cli_json_uuid(cli_json *json, const char *name, const akidb_uuid *value)
{
    char text[AKIDB_UUID_TEXT_SIZE];
    akidb_uuid_format(value, text);
    cli_json_string(json, name, text);
}

void cli_json_time(cli_json *json, const char *name, int64_t value)
{
    char text[AKIDB_TIME_TEXT_SIZE];
    akidb_time_format(value, text);
    cli_json_string(json, name, text);
}

void cli_json_number(cli_json *json, const char *name, uint64_t value)
{
    if (put_name(json, name))
        fprintf(json->file, "%" PRIu64, value);
}

void cli_json_bool(cli_json *json, const char *name, bool value)
{
    if (put_name(json, name))
        fputs(value ? "true" : "false", json->file);
}

void cli_json_raw(cli_json *json, const char *name, const char *text)
{
    size_t size = strlen(text);
    while (size > 0 && strchr(" \t\r\n", text[size - 1]) != NULL)
        size--;
    if (put_name(json, name))
        fwrite(text, 1, size, json->file);
}

void cli_json_add(cli_json *json, const char *name, cli_json *value)
{
    bool whole = value->file != NULL && !ferror(value->file) && fflush(value->file) == 0;
    if (whole) {
        cli_json_raw(json, name, value->text);
    } else if (json->file != NULL) {
        fclose(json->file);
        json->file = NULL; /* told by the print */
    }
}

int cli_json_print(cli *session, cli_json *json)
{
    bool whole = json->file != NULL && !ferror(json->file) && fflush(json->file) == 0;
    if (whole) {
        cli_progress_clear(&session->progress);
        fwrite(json->text, 1, json->size, stdout);
        fputc('\n', stdout);
    } else {
        cli_say(session, "out of memory");
    }
    cli_json_free(json);
    return whole ? CLI_DONE : CLI_FAILED;
}

void cli_json_free(cli_json *json)
{
    if (json->file != NULL)
        fclose(json->file);
    free(json->text);
    *json = (cli_json){0};
}
