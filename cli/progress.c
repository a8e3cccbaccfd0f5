#include "cli.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { FIRST_MS = 1000, EVERY_MS = 200, BAR_WIDTH = 24 };

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void cli_progress_begin(cli_progress *progress, const char *what)
{
    snprintf(progress->what, sizeof progress->what, "%s", what);
    progress->began = now_ms();
    progress->told = 0;
}

void cli_progress_clear(cli_progress *progress)
{
    if (!progress->drawn)
        return;
    fputs("\r\033[K", stderr);
    progress->drawn = false;
}

/* The line as it grows; what does not fit is cut. */
typedef struct line {
    char text[160];
    size_t used;
} line;

static void add(line *l, const char *format, ...) CLI_PRINTF(2, 3);
static void add(line *l, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(l->text + l->used, sizeof l->text - l->used, format, arguments);
    va_end(arguments);
    if (size > 0)
        l->used += (size_t)size;
    if (l->used >= sizeof l->text)
        l->used = sizeof l->text - 1;
}

static void add_bar(line *l, double part)
{
    char bar[BAR_WIDTH + 1];
    size_t filled = (size_t)(part * BAR_WIDTH);
    memset(bar, '.', BAR_WIDTH);
    memset(bar, '#', filled);
    bar[BAR_WIDTH] = '\0';
    add(l, "  [%s] %3.0f%%", bar, part * 100);
}

static void add_time_left(line *l, double seconds)
{
    if (seconds >= 3600 * 100.0)
        return;
    uint64_t left = (uint64_t)(seconds + 0.5);
    if (left >= 3600)
        add(l, "  %" PRIu64 ":%02" PRIu64 ":%02" PRIu64 " left", left / 3600, left / 60 % 60,
            left % 60);
    else
        add(l, "  %" PRIu64 ":%02" PRIu64 " left", left / 60, left % 60);
}

/* A line that wraps could not be taken back. */
static size_t terminal_width(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 2)
        return 79;
    return (size_t)size.ws_col - 1;
}

static void draw(cli_progress *progress, const akidb_progress *at, int64_t now)
{
    /* Documents where they are counted, bytes otherwise. */
    bool rows = at->rows_total > 0 || (at->bytes_total == 0 && at->rows_done > 0);
    uint64_t done = rows ? at->rows_done : at->bytes_done;
    uint64_t total = rows ? at->rows_total : at->bytes_total;
    double rate = (double)done * 1000 / (double)(now - progress->began);

    line l = {.used = 0};
    add(&l, "%s", progress->what);
    if (total > 0)
        add_bar(&l, done < total ? (double)done / (double)total : 1.0);
    char size[CLI_SIZE_TEXT], speed[CLI_SIZE_TEXT];
    if (rows)
        add(&l, "  %" PRIu64 "  %.0f/s", done, rate);
    else
        add(&l, "  %s  %s/s", cli_format_size(done, size), cli_format_size((uint64_t)rate, speed));
    if (total > done && done > 0)
        add_time_left(&l, (double)(total - done) / rate);

    size_t width = terminal_width();
    fprintf(stderr, "\r%.*s\033[K", (int)(l.used < width ? l.used : width), l.text);
    fflush(stderr);
    progress->drawn = true;
}

bool cli_progress_hook(void *context, const akidb_progress *at)
{
    cli_progress *progress = context;
    if (cli_interrupted() != 0)
        return false;
    if (!progress->enabled)
        return true;
    int64_t now = now_ms();
    if (now - progress->began >= FIRST_MS && now - progress->told >= EVERY_MS) {
        draw(progress, at, now);
        progress->told = now;
    }
    return true;
}
