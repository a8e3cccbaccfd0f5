#include "cli.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

int cli_exit_of_status(akidb_status status)
{
    switch (status) {
    case AKIDB_OK: return CLI_DONE;
    case AKIDB_E_VALIDATION: return CLI_INVALID;
    case AKIDB_E_NOT_FOUND: return CLI_MISSING;
    case AKIDB_E_CORRUPTION: return CLI_CORRUPT;
    default: return CLI_FAILED;
    }
}

int cli_exit_worse(int a, int b)
{
    static const int order[] = {CLI_CORRUPT, CLI_MISSING, CLI_FAILED, CLI_INVALID, CLI_USAGE};
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
        if (a == order[i] || b == order[i])
            return order[i];
    return CLI_DONE;
}

/* The length of the character at `text` that a terminal would obey instead of showing, or 0. */
static size_t control_size(const char *text)
{
    unsigned char first = (unsigned char)text[0];
    if (first < 0x20 || first == 0x7F)
        return 1;
    unsigned char second = (unsigned char)text[1];
    return first == 0xC2 && second >= 0x80 && second < 0xA0 ? 2 : 0;
}

void cli_print_text(FILE *file, const char *text)
{
    while (*text != '\0') {
        size_t control = control_size(text);
        fputc(control > 0 ? '?' : *text, file);
        text += control > 0 ? control : 1;
    }
}

static void say(cli *session, const char *format, va_list arguments)
{
    char message[4096];
    cli_progress_clear(&session->progress);
    vsnprintf(message, sizeof message, format, arguments);
    fputs("akidb: ", stderr);
    cli_print_text(stderr, message);
    fputc('\n', stderr);
}

void cli_say(cli *session, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(session, format, arguments);
    va_end(arguments);
}

/* Copies a message with the words of the library replaced by those of the family's options. */
static void translate(const cli_family *family, const char *message, char *out, size_t out_size)
{
    size_t size = 0;
    while (*message != '\0' && size + 1 < out_size) {
        const cli_word *word = family != NULL ? family->words : NULL;
        while (word != NULL && word->library != NULL &&
               strncmp(message, word->library, strlen(word->library)) != 0)
            word++;
        if (word == NULL || word->library == NULL) {
            out[size++] = *message++;
            continue;
        }
        size += (size_t)snprintf(out + size, out_size - size, "%s", word->typed);
        message += strlen(word->library);
    }
    out[size < out_size ? size : out_size - 1] = '\0';
}

int cli_fail(cli *session, const akidb_error *err)
{
    char message[sizeof err->message + 64];
    if (strcmp(err->object, "standard output") == 0 && cli_interrupt_by_closed_pipe(session))
        return CLI_FAILED;
    translate(session->family, err->message, message, sizeof message);
    cli_say(session, "%s", err->status == AKIDB_E_CANCELLED ? "interrupted" : message);
    return cli_exit_of_status(err->status);
}

int cli_usage(cli *session, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(session, format, arguments);
    va_end(arguments);
    if (session->command != NULL || session->family != NULL)
        fprintf(stderr, "Try 'akidb %s --help'.\n",
                session->command != NULL ? session->command->name : session->family->name);
    else
        fputs("Try 'akidb --help'.\n", stderr);
    return CLI_USAGE;
}

akidb_status cli_set_error(akidb_error *err, akidb_status status, const char *format, ...)
{
    memset(err, 0, sizeof *err);
    err->status = status;
    err->offset = -1;
    err->row = -1;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(err->message, sizeof err->message, format, arguments);
    va_end(arguments);
    return status;
}

const char *cli_format_size(uint64_t bytes, char text_out[CLI_SIZE_TEXT])
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    if (bytes < 1024) {
        snprintf(text_out, CLI_SIZE_TEXT, "%u B", (unsigned)bytes);
        return text_out;
    }
    double value = (double)bytes / 1024;
    size_t unit = 0;
    while (value >= 1023.95 && unit + 1 < sizeof units / sizeof units[0]) {
        value /= 1024;
        unit++;
    }
    snprintf(text_out, CLI_SIZE_TEXT, "%.1f %s", value, units[unit]);
    return text_out;
}

const char *cli_format_count(uint64_t count, const char *noun, char text_out[CLI_COUNT_TEXT])
{
    snprintf(text_out, CLI_COUNT_TEXT, "%" PRIu64 " %s%s", count, noun, count == 1 ? "" : "s");
    return text_out;
}

const char *cli_format_time(int64_t time, char text_out[AKIDB_TIME_TEXT_SIZE])
{
    akidb_time_format(time, text_out);
    text_out[19] = 'Z'; /* the fraction goes */
    text_out[20] = '\0';
    return text_out;
}
