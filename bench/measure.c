#include "bench.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

double bench_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static double cpu_now(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

/* A line of /proc/self/status, in bytes: VmRSS is memory in use, VmHWM the most that ever was. */
static uint64_t memory_of(const char *name)
{
    FILE *status = fopen("/proc/self/status", "r");
    char line[256];
    uint64_t kilobytes = 0;
    while (status != NULL && fgets(line, sizeof line, status) != NULL) {
        if (strncmp(line, name, strlen(name)) == 0)
            kilobytes = strtoull(line + strlen(name), NULL, 10);
    }
    if (status != NULL)
        fclose(status);
    return kilobytes * 1024;
}

/* Makes VmHWM what VmRSS is (proc(5), clear_refs). */
static void forget_peak(void)
{
    int file = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
    if (file < 0)
        return;
    if (write(file, "5", 1) != 1)
        fputs("bench: the peak of memory is that of the whole process\n", stderr);
    close(file);
}

/* Free memory that the kernel hands to the work first. */
static void have_memory(uint64_t bytes)
{
    if (bytes == 0)
        return;
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        fputs("bench: the work begins with whatever memory is free\n", stderr);
        return;
    }
    (void)madvise(memory, bytes, MADV_HUGEPAGE);
    memset(memory, 1, bytes);
    munmap(memory, bytes);
}

bench_cost bench_begin(uint64_t memory_bytes)
{
    have_memory(memory_bytes);
    forget_peak();
    return (bench_cost){
        .peak_bytes = memory_of("VmRSS:"), .cpu_seconds = cpu_now(), .seconds = bench_now()};
}

void bench_end(bench_cost *cost)
{
    cost->seconds = bench_now() - cost->seconds;
    cost->cpu_seconds = cpu_now() - cost->cpu_seconds;
    uint64_t peak = memory_of("VmHWM:");
    cost->peak_bytes = peak > cost->peak_bytes ? peak - cost->peak_bytes : 0;
}
