#include "parquet/paged_read.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "base/checked.h"
#include "base/checksum.h"
#include "base/error.h"
#include "parquet/column_read.h"
#include "parquet/vector_pages.h"

/* ---- what threads work in -------------------------------------------------------------------- */

typedef struct worker {
    struct worker *next; /* idle, too */
    akidb_buffer bytes;  /* of a page, as the file has them */
    ak_decoding decoding;
} worker;

struct ak_paged_workers {
    pthread_mutex_t lock;
    worker *idle; /* who came back last comes first: its memory is the warmest */
};

akidb_status ak_paged_workers_new(ak_paged_workers **workers_out, akidb_error *err)
{
    ak_paged_workers *workers = calloc(1, sizeof *workers);
    *workers_out = workers;
    if (workers == NULL)
        return ak_fail_memory(err, sizeof *workers);
    pthread_mutex_init(&workers->lock, NULL); /* cannot fail on Linux with default attributes */
    return AKIDB_OK;
}

static void free_worker(worker *w)
{
    ak_decoding_free(&w->decoding);
    akidb_buffer_free(&w->bytes);
    free(w);
}

void ak_paged_workers_free(ak_paged_workers *workers)
{
    if (workers == NULL)
        return;
    while (workers->idle != NULL) {
        worker *w = workers->idle;
        workers->idle = w->next;
        free_worker(w);
    }
    pthread_mutex_destroy(&workers->lock);
    free(workers);
}

static akidb_status borrow_worker(ak_paged_workers *workers, worker **worker_out, akidb_error *err)
{
    pthread_mutex_lock(&workers->lock);
    worker *w = workers->idle;
    if (w != NULL)
        workers->idle = w->next;
    pthread_mutex_unlock(&workers->lock);
    *worker_out = w;
    if (w != NULL)
        return AKIDB_OK;
    w = calloc(1, sizeof *w);
    if (w == NULL)
        return ak_fail_memory(err, sizeof *w);
    akidb_status status = ak_decoding_new(&w->decoding, err);
    if (status != AKIDB_OK) {
        free(w);
        return status;
    }
    *worker_out = w;
    return AKIDB_OK;
}

static void return_worker(ak_paged_workers *workers, worker *w)
{
    pthread_mutex_lock(&workers->lock);
    w->next = workers->idle;
    workers->idle = w;
    pthread_mutex_unlock(&workers->lock);
}

/* ---- pages ----------------------------------------------------------------------------------- */

typedef struct paged {
    const akidb_parquet_reader *reader;
    size_t group;
    const ak_page_list *list;
    float *vectors;
    uint32_t *sums; /* CRC-32C of each page */
    atomic_size_t next;
} paged;

bool ak_paged_can_read(const akidb_parquet_reader *reader, size_t group)
{
    const ak_column_chunk *chunk = ak_reader_chunk(reader, group, reader->columns.vector);
    return reader->options.expected != NULL && reader->input->ops->is_near &&
           reader->vector_pages[group].count > 0 && ak_codec_can_read(chunk->codec);
}

/* The page as if it were a chunk of its own: the offset index has it that rows do not span pages.
 */
static akidb_status decode_page(const paged *p, size_t page, worker *w, akidb_error *err)
{
    const akidb_parquet_reader *reader = p->reader;
    uint64_t first = (uint64_t)p->list->pages[page].first_row_index;
    uint64_t rows = ak_page_list_end(p->list, page, ak_reader_rows(reader, p->group)) - first;
    ak_column_chunk info = *ak_reader_chunk(reader, p->group, reader->columns.vector);
    info.num_values = (int64_t)(rows * reader->dimension);
    const ak_chunk chunk = {
        .file = reader->input->name,
        .leaf = reader->columns.vector,
        .info = &info,
        .bytes = {w->bytes.data, w->bytes.size},
        .offset = (uint64_t)p->list->pages[page].offset,
        .first_row = reader->first_rows[p->group] + first,
        .rows = rows,
        .max_page_bytes = reader->options.max_page_bytes,
        .is_checked = !reader->options.check_pages,
    };
    return ak_read_vectors(&w->decoding, &chunk, reader->dimension,
                           p->vectors + first * reader->dimension, err);
}

static akidb_status read_page(const paged *p, size_t page, worker *w, akidb_error *err)
{
    const ak_page_location *location = &p->list->pages[page];
    size_t size = (size_t)location->compressed_page_size;
    w->bytes.size = 0;
    akidb_status status = ak_buffer_reserve(&w->bytes, size, err);
    if (status == AKIDB_OK)
        status = akidb_input_read_at(p->reader->input, (uint64_t)location->offset, w->bytes.data,
                                     size, err);
    if (status != AKIDB_OK)
        return status;
    w->bytes.size = size;
    p->sums[page] = ak_crc32c(0, w->bytes.data, size);
    return decode_page(p, page, w, err);
}

/* One thread's share: the next page that nobody has, until there is none. */
static akidb_status read_share(void *context, size_t index, akidb_error *err)
{
    paged *p = context;
    worker *w;
    (void)index;
    akidb_status status = borrow_worker(p->reader->workers, &w, err);
    if (status != AKIDB_OK)
        return status;
    for (;;) {
        size_t page = atomic_fetch_add(&p->next, 1);
        if (page >= p->list->count)
            break;
        status = read_page(p, page, w, err);
        if (status != AKIDB_OK)
            break;
    }
    return_worker(p->reader->workers, w);
    return status;
}

akidb_status ak_paged_read(const akidb_parquet_reader *reader, size_t group, float *vectors,
                           uint32_t *crc32c, akidb_error *err)
{
    paged p = {
        .reader = reader, .group = group, .list = &reader->vector_pages[group], .vectors = vectors};
    atomic_init(&p.next, 0);
    p.sums = malloc(p.list->count * sizeof *p.sums);
    if (p.sums == NULL)
        return ak_fail_memory(err, p.list->count * sizeof *p.sums);
    size_t threads = ak_pool_threads(reader->pool);
    size_t shares = p.list->count < threads ? p.list->count : threads;
    akidb_status status = ak_pool_run_indexed(reader->pool, shares, read_share, &p, err);
    for (size_t i = 0; status == AKIDB_OK && i < p.list->count; i++)
        *crc32c =
            ak_crc32c_combine(*crc32c, p.sums[i], (uint64_t)p.list->pages[i].compressed_page_size);
    free(p.sums);
    return status;
}
