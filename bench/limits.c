/* What the machine can do at best. */
#include <errno.h>
#include <fcntl.h>
#include <isa-l.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "works.h"

/* Into memory that was not in use before: the faults of its pages belong to the work. */
bench_outcome bench_memcpy(const bench_settings *s)
{
    bench_data data = bench_data_load(s->data);
    bench_outcome outcome = {.cost = bench_begin(s->memory), .bytes = data.vector_bytes};
    char *copy = bench_allocate(data.vector_bytes);
    memcpy(copy, data.batch.vectors, data.vector_bytes);
    bench_end(&outcome.cost);
    if (memcmp(copy, data.batch.vectors, data.vector_bytes) != 0)
        bench_die("memcpy", "the copy differs");
    free(copy);
    bench_data_free(&data);
    return outcome;
}

static void write_all(int file, const char *bytes, uint64_t size)
{
    while (size > 0) {
        ssize_t written = write(file, bytes, size < (1u << 20) ? (size_t)size : 1u << 20);
        if (written <= 0)
            bench_die("write", strerror(errno));
        bytes += written;
        size -= (uint64_t)written;
    }
}

bench_outcome bench_write(const bench_settings *s)
{
    char path[4096];
    bench_path_in(path, s->folder, "raw");
    bench_data data = bench_data_load(s->data);
    bench_outcome outcome = {.cost = bench_begin(s->memory), .bytes = data.vector_bytes};
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0)
        bench_die(path, strerror(errno));
    write_all(file, (const char *)data.batch.vectors, data.vector_bytes);
    if (fsync(file) != 0 || close(file) != 0)
        bench_die(path, strerror(errno));
    bench_end(&outcome.cost);
    unlink(path);
    bench_data_free(&data);
    return outcome;
}

/* Of a file in the page cache, into memory that was not in use before. */
bench_outcome bench_read(const bench_settings *s)
{
    char path[4096];
    bench_path_in(path, s->data, "vectors");
    int file = open(path, O_RDONLY | O_CLOEXEC);
    struct stat info;
    if (file < 0 || fstat(file, &info) != 0)
        bench_die(path, strerror(errno));
    size_t size = (size_t)info.st_size, done = 0;
    bench_outcome outcome = {.cost = bench_begin(s->memory), .bytes = size};
    char *bytes = bench_allocate(size);
    while (done < size) {
        ssize_t got = read(file, bytes + done, size - done);
        if (got <= 0)
            bench_die(path, strerror(errno));
        done += (size_t)got;
    }
    bench_end(&outcome.cost);
    free(bytes);
    close(file);
    return outcome;
}

bench_outcome bench_crc32(const bench_settings *s)
{
    bench_data data = bench_data_load(s->data);
    bench_outcome outcome = {.cost = bench_begin(s->memory), .bytes = data.vector_bytes};
    volatile uint32_t crc =
        crc32_gzip_refl(0, (const unsigned char *)data.batch.vectors, data.vector_bytes);
    (void)crc;
    bench_end(&outcome.cost);
    bench_data_free(&data);
    return outcome;
}

/* The bits that the vectors take at least when each byte is coded for itself, and each of the four
 * bytes of a float by how often it has each value: what a Huffman code of split floats can reach.
 */
bench_outcome bench_entropy(const bench_settings *s)
{
    bench_data data = bench_data_load(s->data);
    bench_outcome outcome = {.cost = bench_begin(s->memory), .rows = data.batch.rows};
    const unsigned char *bytes = (const unsigned char *)data.batch.vectors;
    uint64_t counts[sizeof(float)][256] = {{0}};
    uint64_t floats = data.vector_bytes / sizeof(float);
    double bits = 0;
    for (uint64_t i = 0; i < data.vector_bytes; i++)
        counts[i % sizeof(float)][bytes[i]]++;
    for (size_t at = 0; at < sizeof(float); at++) {
        for (size_t value = 0; value < 256; value++) {
            double count = (double)counts[at][value];
            if (count > 0)
                bits += count * log2((double)floats / count);
        }
    }
    bench_end(&outcome.cost);
    outcome.bytes = outcome.vector_bytes = (uint64_t)(bits / 8);
    bench_data_free(&data);
    return outcome;
}
