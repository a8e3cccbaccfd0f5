#include "bench.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

double bench_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static uint64_t peak_now(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (uint64_t)usage.ru_maxrss * 1024;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* A forked child begins with a peak that equals what it has in common with its parent, so the
 * growth is what the work itself has needed. */
static bench_result work_several_times(bench_work *work, void *context, int runs,
                                       double seconds_limit)
{
    bench_result result = {0};
    double seconds[BENCH_RUNS_MAX];
    uint64_t peak_before = peak_now();
    double start = bench_now();
    do {
        bench_run run = {0};
        if (work(context, &run) != 0) {
            result.failed = 1;
            return result;
        }
        seconds[result.runs++] = run.seconds;
        result.stored_bytes = run.stored_bytes;
        result.store_calls = run.store_calls;
    } while (result.runs < runs && result.runs < BENCH_RUNS_MAX &&
             bench_now() - start <= seconds_limit);
    qsort(seconds, (size_t)result.runs, sizeof seconds[0], compare_doubles);
    result.seconds = seconds[result.runs / 2];
    result.seconds_min = seconds[0];
    result.peak_bytes = peak_now() - peak_before;
    return result;
}

bench_result bench_measure(bench_work *work, void *context, int runs, double seconds_limit)
{
    bench_result result = {.failed = 1};
    int ends[2];
    if (pipe(ends) != 0)
        return result;
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        bench_result found = work_several_times(work, context, runs, seconds_limit);
        ssize_t written = write(ends[1], &found, sizeof found);
        _exit(written == (ssize_t)sizeof found ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    close(ends[1]);
    bench_result found;
    if (child > 0 && read(ends[0], &found, sizeof found) == (ssize_t)sizeof found)
        result = found;
    close(ends[0]);
    if (child > 0)
        waitpid(child, NULL, 0);
    return result;
}
