#include "bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void *must_allocate(size_t size)
{
    void *memory = malloc(size);
    if (memory == NULL) {
        fprintf(stderr, "bench: no memory for %zu bytes\n", size);
        exit(EXIT_FAILURE);
    }
    return memory;
}

/* splitmix64 */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* Uniform in (0, 1]. */
static double next_unit(uint64_t *state)
{
    return (double)((next_random(state) >> 11) + 1) * 0x1p-53;
}

/* Box and Muller: two independent Gaussian values from two uniform ones. */
static void fill_vector(float *vector, uint32_t dimension, uint64_t *state)
{
    double sum = 0;
    for (uint32_t i = 0; i < dimension; i += 2) {
        double radius = sqrt(-2 * log(next_unit(state)));
        double angle = 6.283185307179586 * next_unit(state);
        double pair[2] = {radius * cos(angle), radius * sin(angle)};
        for (uint32_t j = 0; j < 2 && i + j < dimension; j++) {
            vector[i + j] = (float)pair[j];
            sum += pair[j] * pair[j];
        }
    }
    double norm = sqrt(sum);
    for (uint32_t i = 0; i < dimension; i++)
        vector[i] = (float)(vector[i] / norm);
}

static void fill_id(akidb_uuid *id, uint64_t *state)
{
    for (size_t i = 0; i < sizeof id->bytes; i++)
        id->bytes[i] = (uint8_t)next_random(state);
    id->bytes[6] = (uint8_t)(0x40 | (id->bytes[6] & 0x0F));
    id->bytes[8] = (uint8_t)(0x80 | (id->bytes[8] & 0x3F));
}

/* A text for each row, made by `format` of the row's number and a random one. */
static akidb_texts make_texts(size_t rows, const char *format, uint64_t *state)
{
    enum { TEXT_MAX = 96 };
    uint64_t *offsets = must_allocate((rows + 1) * sizeof *offsets);
    char *bytes = must_allocate(rows * TEXT_MAX);
    uint64_t used = 0;
    for (size_t i = 0; i < rows; i++) {
        offsets[i] = used;
        int n = snprintf(bytes + used, TEXT_MAX, format, i, (unsigned)(next_random(state) % 1000));
        used += (uint64_t)n;
    }
    offsets[rows] = used;
    return (akidb_texts){.offsets = offsets, .bytes = bytes};
}

bench_data bench_data_make(size_t rows, uint32_t dimension)
{
    uint64_t state = 42;
    float *vectors = must_allocate(rows * dimension * sizeof *vectors);
    akidb_uuid *ids = must_allocate(rows * sizeof *ids);
    int64_t *times = must_allocate(rows * sizeof *times);
    for (size_t i = 0; i < rows; i++) {
        fill_vector(vectors + i * dimension, dimension, &state);
        fill_id(&ids[i], &state);
        times[i] = INT64_C(1700000000000000) + (int64_t)i * 1000;
    }
    return (bench_data){
        .batch = {.rows = rows,
                  .dimension = dimension,
                  .vectors = vectors,
                  .document_ids = ids,
                  .external_ids = make_texts(rows, "doc-%08zu-%03u", &state),
                  .metadata = make_texts(rows, "{\"title\":\"Document %zu\",\"shard\":%u}", &state),
                  .inserted_at = times},
        .vector_bytes = rows * dimension * sizeof *vectors,
    };
}

/* ---- as files -------------------------------------------------------------------------------- */

static FILE *must_open(const char *folder, const char *name, const char *mode)
{
    char path[4096];
    int length = snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = length < (int)sizeof path ? fopen(path, mode) : NULL;
    if (file == NULL) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    return file;
}

static void save(const char *folder, const char *name, const void *bytes, size_t size)
{
    FILE *file = must_open(folder, name, "wb");
    size_t written = fwrite(bytes, 1, size, file);
    if (fclose(file) != 0 || written != size) {
        perror(name);
        exit(EXIT_FAILURE);
    }
}

static void *load(const char *folder, const char *name, size_t size)
{
    FILE *file = must_open(folder, name, "rb");
    void *bytes = must_allocate(size);
    if (fread(bytes, 1, size, file) != size) {
        fprintf(stderr, "%s/%s is shorter than %zu bytes\n", folder, name, size);
        exit(EXIT_FAILURE);
    }
    fclose(file);
    return bytes;
}

static void save_texts(const char *folder, const char *column, const akidb_texts *texts,
                       size_t rows)
{
    char name[64];
    snprintf(name, sizeof name, "%s.offsets", column);
    save(folder, name, texts->offsets, (rows + 1) * sizeof *texts->offsets);
    snprintf(name, sizeof name, "%s.bytes", column);
    save(folder, name, texts->bytes, texts->offsets[rows]);
}

static akidb_texts load_texts(const char *folder, const char *column, size_t rows)
{
    char name[64];
    snprintf(name, sizeof name, "%s.offsets", column);
    uint64_t *offsets = load(folder, name, (rows + 1) * sizeof *offsets);
    snprintf(name, sizeof name, "%s.bytes", column);
    return (akidb_texts){.offsets = offsets, .bytes = load(folder, name, offsets[rows])};
}

void bench_data_save(const bench_data *data, const char *folder)
{
    const akidb_batch *batch = &data->batch;
    mkdir(folder, 0700);
    save(folder, "vectors", batch->vectors, data->vector_bytes);
    save(folder, "ids", batch->document_ids, batch->rows * sizeof *batch->document_ids);
    save(folder, "times", batch->inserted_at, batch->rows * sizeof *batch->inserted_at);
    save_texts(folder, "external", &batch->external_ids, batch->rows);
    save_texts(folder, "metadata", &batch->metadata, batch->rows);
    char shape[64];
    int length = snprintf(shape, sizeof shape, "%zu %u\n", batch->rows, batch->dimension);
    save(folder, "shape", shape, (size_t)length);
}

bench_data bench_data_load(const char *folder)
{
    char text[64] = "", *end = text;
    FILE *shape = must_open(folder, "shape", "r");
    size_t rows = fgets(text, sizeof text, shape) == NULL ? 0 : strtoull(text, &end, 10);
    uint32_t dimension = (uint32_t)strtoul(end, NULL, 10);
    if (rows == 0 || dimension == 0) {
        fprintf(stderr, "%s/shape does not tell rows and dimension\n", folder);
        exit(EXIT_FAILURE);
    }
    fclose(shape);
    size_t vector_bytes = rows * dimension * sizeof(float);
    return (bench_data){
        .batch = {.rows = rows,
                  .dimension = dimension,
                  .vectors = load(folder, "vectors", vector_bytes),
                  .document_ids = load(folder, "ids", rows * sizeof(akidb_uuid)),
                  .external_ids = load_texts(folder, "external", rows),
                  .metadata = load_texts(folder, "metadata", rows),
                  .inserted_at = load(folder, "times", rows * sizeof(int64_t))},
        .vector_bytes = vector_bytes,
    };
}

static void free_texts(akidb_texts *texts)
{
    free((void *)(uintptr_t)texts->offsets);
    free((void *)(uintptr_t)texts->bytes);
}

void bench_data_free(bench_data *data)
{
    free((void *)(uintptr_t)data->batch.vectors);
    free((void *)(uintptr_t)data->batch.document_ids);
    free((void *)(uintptr_t)data->batch.inserted_at);
    free_texts(&data->batch.external_ids);
    free_texts(&data->batch.metadata);
    memset(data, 0, sizeof *data);
}
