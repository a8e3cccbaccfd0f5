#include "storage/contents.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/buffer.h"
#include "base/checked.h"
#include "base/endian.h"
#include "base/error.h"
#include "document/documents.h"
#include "storage/chunk.h"

/* ---- rows by their references ---------------------------------------------------------------- */

static ak_row row_at(size_t place, uint32_t row)
{
    return (ak_row)place * AK_CHUNK_ROWS_MAX + row;
}

static ak_chunk *chunk_of(const ak_contents *contents, ak_row row)
{
    return contents->chunks[row / AK_CHUNK_ROWS_MAX];
}

static uint32_t number_of(ak_row row)
{
    return (uint32_t)(row % AK_CHUNK_ROWS_MAX);
}

static uint64_t hash_bytes(const ak_contents *contents, const void *bytes, size_t size)
{
    return XXH3_64bits_withSeed(size == 0 ? "" : bytes, size, contents->hash_seed);
}

/* The position in the index of the living row with this id. */
static size_t find_id(const ak_contents *contents, const uint8_t *id, uint64_t hash)
{
    size_t at = ak_index_first(&contents->ids, hash);
    while (at != AK_INDEX_NONE) {
        ak_row row = contents->ids.slots[at].reference;
        if (memcmp(chunk_of(contents, row)->ids[number_of(row)].bytes, id, sizeof(akidb_uuid)) == 0)
            return at;
        at = ak_index_next(&contents->ids, hash, at);
    }
    return AK_INDEX_NONE;
}

/* ---- external ids ------------------------------------------------------------------------------
 * The index has one entry for each external id; further rows with it hang on a list, so that many
 * rows with the same one cost no more than others. */

static size_t find_external(const ak_contents *contents, akidb_slice text, uint64_t hash)
{
    size_t at = ak_index_first(&contents->external, hash);
    while (at != AK_INDEX_NONE) {
        ak_row row = contents->external.slots[at].reference;
        akidb_slice found = ak_chunk_external_id(chunk_of(contents, row), number_of(row));
        if (found.size == text.size && memcmp(found.data, text.data, text.size) == 0)
            return at;
        at = ak_index_next(&contents->external, hash, at);
    }
    return AK_INDEX_NONE;
}

static ak_row *next_same(const ak_contents *contents, ak_row row)
{
    return &chunk_of(contents, row)->next_same[number_of(row)];
}

static ak_row *previous_same(const ak_contents *contents, ak_row row)
{
    return &chunk_of(contents, row)->previous_same[number_of(row)];
}

static void link_external(ak_contents *contents, ak_row row)
{
    *next_same(contents, row) = AK_NO_ROW;
    *previous_same(contents, row) = AK_NO_ROW;
    akidb_slice text = ak_chunk_external_id(chunk_of(contents, row), number_of(row));
    if (text.data == NULL)
        return;
    uint64_t hash = hash_bytes(contents, text.data, text.size);
    size_t at = find_external(contents, text, hash);
    if (at == AK_INDEX_NONE) {
        ak_index_add(&contents->external, hash, row);
        return;
    }
    ak_row head = contents->external.slots[at].reference;
    *next_same(contents, row) = head;
    *previous_same(contents, head) = row;
    contents->external.slots[at].reference = row;
}

static void unlink_external(ak_contents *contents, ak_row row)
{
    akidb_slice text = ak_chunk_external_id(chunk_of(contents, row), number_of(row));
    if (text.data == NULL)
        return;
    ak_row next = *next_same(contents, row), previous = *previous_same(contents, row);
    if (next != AK_NO_ROW)
        *previous_same(contents, next) = previous;
    if (previous != AK_NO_ROW) {
        *next_same(contents, previous) = next;
        return;
    }
    size_t at = find_external(contents, text, hash_bytes(contents, text.data, text.size));
    if (next != AK_NO_ROW)
        contents->external.slots[at].reference = next;
    else
        ak_index_remove(&contents->external, at);
}

/* ---- life ------------------------------------------------------------------------------------ */

akidb_status ak_contents_new(uint32_t dimension, uint64_t hash_seed, _Atomic uint64_t *memory,
                             ak_contents **contents_out, akidb_error *err)
{
    *contents_out = NULL;
    ak_contents *contents = calloc(1, sizeof *contents);
    if (contents == NULL)
        return ak_fail_memory(err, sizeof *contents);
    contents->dimension = dimension;
    contents->hash_seed = hash_seed;
    contents->memory = memory;
    contents->current = SIZE_MAX;
    *contents_out = contents;
    return AKIDB_OK;
}

static uint64_t index_bytes(const ak_contents *contents)
{
    return (contents->ids.capacity + contents->external.capacity) * sizeof(ak_index_slot);
}

void ak_contents_free(ak_contents *contents)
{
    if (contents == NULL)
        return;
    for (size_t i = 0; i < contents->chunk_count; i++)
        ak_chunk_release(contents->chunks[i]);
    atomic_fetch_sub(contents->memory, index_bytes(contents));
    ak_index_free(&contents->ids);
    ak_index_free(&contents->external);
    free(contents->chunks);
    free(contents->spares);
    free(contents);
}

uint64_t ak_contents_bytes(const ak_contents *contents)
{
    uint64_t bytes = index_bytes(contents);
    for (size_t i = 0; i < contents->chunk_count; i++)
        bytes += contents->chunks[i] == NULL ? 0 : contents->chunks[i]->bytes;
    return bytes;
}

/* ---- room ------------------------------------------------------------------------------------ */

/* Small collections get small chunks, large vectors few in a chunk. */
static uint32_t next_capacity(const ak_contents *contents)
{
    enum { FIRST = 16, VECTOR_BYTES = 8 << 20 };
    uint64_t most = VECTOR_BYTES / (contents->dimension * sizeof(float));
    uint64_t capacity = contents->live + contents->reserved;
    if (capacity < FIRST)
        capacity = FIRST;
    if (most < FIRST)
        most = FIRST;
    if (capacity > most)
        capacity = most;
    return capacity > AK_CHUNK_ROWS_MAX ? AK_CHUNK_ROWS_MAX : (uint32_t)capacity;
}

static akidb_status check_limit(const ak_contents *contents, uint64_t bytes, uint64_t limit,
                                akidb_error *err)
{
    uint64_t used = atomic_load(contents->memory), sum;
    if (limit == 0 || (ak_add_u64(used, bytes, &sum) && sum <= limit))
        return AKIDB_OK;
    return ak_fail(err, AKIDB_E_LIMIT,
                   "memory_limit: expected at most %llu bytes, found %llu in use and %llu needed",
                   (unsigned long long)limit, (unsigned long long)used, (unsigned long long)bytes);
}

static size_t free_place(const ak_contents *contents)
{
    for (size_t i = 0; i < contents->chunk_count; i++)
        if (contents->chunks[i] == NULL)
            return i;
    return contents->chunk_count;
}

static akidb_status add_spare(ak_contents *contents, uint64_t limit, akidb_error *err)
{
    uint32_t capacity = next_capacity(contents);
    akidb_status status =
        check_limit(contents, ak_chunk_bytes(contents->dimension, capacity), limit, err);
    void *chunks = contents->chunks, *spares = contents->spares;
    if (status == AKIDB_OK)
        status = ak_array_reserve(&chunks, &contents->chunk_capacity, contents->chunk_count + 1,
                                  sizeof *contents->chunks, err);
    contents->chunks = chunks;
    if (status == AKIDB_OK)
        status = ak_array_reserve(&spares, &contents->spare_capacity, contents->spare_count + 1,
                                  sizeof *contents->spares, err);
    contents->spares = spares;
    ak_chunk *chunk = NULL;
    if (status == AKIDB_OK)
        status = ak_chunk_new(contents->dimension, capacity, contents->memory, &chunk, err);
    if (status != AKIDB_OK)
        return status;
    size_t place = free_place(contents);
    contents->chunks[place] = chunk;
    if (place == contents->chunk_count)
        contents->chunk_count++;
    contents->spares[contents->spare_count++] = place;
    contents->room += capacity;
    return AKIDB_OK;
}

static akidb_status reserve_indexes(ak_contents *contents, size_t rows, akidb_error *err)
{
    uint64_t before = index_bytes(contents);
    size_t count;
    if (!ak_add_size(contents->ids.count, rows, &count))
        return ak_fail_memory(err, SIZE_MAX);
    akidb_status status = ak_index_reserve(&contents->ids, count, err);
    if (status == AKIDB_OK)
        status = ak_index_reserve(&contents->external, contents->external.count + rows, err);
    atomic_fetch_add(contents->memory, index_bytes(contents) - before);
    return status;
}

akidb_status ak_contents_reserve(ak_contents *contents, size_t rows, uint64_t limit,
                                 akidb_error *err)
{
    size_t reserved = contents->reserved;
    if (!ak_add_size(reserved, rows, &contents->reserved)) {
        contents->reserved = reserved;
        return ak_fail_memory(err, SIZE_MAX);
    }
    akidb_status status = reserve_indexes(contents, contents->reserved, err);
    while (status == AKIDB_OK && contents->room < contents->reserved)
        status = add_spare(contents, limit, err);
    if (status != AKIDB_OK)
        contents->reserved = reserved;
    return status;
}

void ak_contents_unreserve(ak_contents *contents, size_t rows)
{
    contents->reserved -= rows;
}

/* The next free row; there is room. */
static ak_row new_row(ak_contents *contents)
{
    if (contents->current == SIZE_MAX ||
        contents->chunks[contents->current]->rows == contents->chunks[contents->current]->capacity)
        contents->current = contents->spares[--contents->spare_count];
    ak_chunk *chunk = contents->chunks[contents->current];
    contents->room--;
    return row_at(contents->current, chunk->rows++);
}

/* ---- texts on their way ---------------------------------------------------------------------- */

static uint32_t size_at(const uint8_t *sizes, size_t row)
{
    return sizes == NULL ? AK_LOG_NULL : ak_load_u32(sizes + row * sizeof(uint32_t));
}

static size_t bytes_of(uint32_t size)
{
    return size == AK_LOG_NULL ? 0 : size;
}

akidb_status ak_row_texts_make(ak_row_texts *texts, const ak_log_rows *rows, akidb_error *err)
{
    *texts = (ak_row_texts){0};
    if (rows->text_size == 0)
        return AKIDB_OK;
    texts->blocks = calloc(rows->rows, sizeof *texts->blocks);
    if (texts->blocks == NULL)
        return ak_fail_memory(err, rows->rows * sizeof *texts->blocks);
    texts->count = rows->rows;
    const uint8_t *external = rows->external_bytes, *metadata = rows->metadata_bytes;
    for (size_t row = 0; row < rows->rows; row++) {
        size_t first = bytes_of(size_at(rows->external_sizes, row));
        size_t second = bytes_of(size_at(rows->metadata_sizes, row));
        if (first + second == 0)
            continue;
        ak_text *block = ak_text_new(first + second);
        if (block == NULL) {
            ak_row_texts_free(texts);
            return ak_fail_memory(err, first + second);
        }
        if (first > 0)
            memcpy(block->bytes, external, first);
        if (second > 0)
            memcpy(block->bytes + first, metadata, second);
        texts->blocks[row] = block;
        texts->bytes += first + second;
        external = first == 0 ? external : external + first;
        metadata = second == 0 ? metadata : metadata + second;
    }
    return AKIDB_OK;
}

void ak_row_texts_free(ak_row_texts *texts)
{
    for (size_t row = 0; row < texts->count; row++)
        ak_text_release(texts->blocks[row]);
    free(texts->blocks);
    *texts = (ak_row_texts){0};
}

/* ---- writing --------------------------------------------------------------------------------- */

static void kill_row(ak_contents *contents, size_t position, uint64_t lsn)
{
    ak_row row = contents->ids.slots[position].reference;
    ak_chunk *chunk = chunk_of(contents, row);
    unlink_external(contents, row);
    ak_index_remove(&contents->ids, position);
    /* Within a load from a snapshot there is no LSN yet; 1 is as dead as any other. */
    atomic_store(&chunk->dead_at[number_of(row)], lsn == 0 ? 1 : lsn);
    chunk->dead++;
    contents->kills++;
    contents->live--;
}

void ak_contents_upsert(ak_contents *contents, const ak_log_rows *rows, const ak_row_texts *texts,
                        uint64_t lsn)
{
    size_t vector = rows->dimension * sizeof(float);
    for (size_t i = 0; i < rows->rows; i++) {
        const uint8_t *id = rows->ids + i * sizeof(akidb_uuid);
        uint64_t hash = hash_bytes(contents, id, sizeof(akidb_uuid));
        size_t old = find_id(contents, id, hash);
        if (old != AK_INDEX_NONE)
            kill_row(contents, old, lsn);
        ak_row row = new_row(contents);
        ak_chunk *chunk = chunk_of(contents, row);
        uint32_t n = number_of(row);
        memcpy(chunk->ids[n].bytes, id, sizeof(akidb_uuid));
        memcpy(&chunk->times[n], rows->times + i * sizeof(int64_t), sizeof(int64_t));
        memcpy(chunk->vectors + (size_t)n * rows->dimension, rows->vectors + i * vector, vector);
        chunk->external_sizes[n] = size_at(rows->external_sizes, i);
        chunk->metadata_sizes[n] = size_at(rows->metadata_sizes, i);
        if (texts->blocks != NULL) {
            uint64_t bytes =
                (uint64_t)bytes_of(chunk->external_sizes[n]) + bytes_of(chunk->metadata_sizes[n]);
            chunk->texts[n] = texts->blocks[i];
            ak_text_retain(texts->blocks[i]);
            chunk->bytes += bytes;
            atomic_fetch_add(contents->memory, bytes);
        }
        ak_index_add(&contents->ids, hash, row);
        link_external(contents, row);
        contents->live++;
    }
    contents->reserved -= rows->rows;
}

uint64_t ak_contents_delete(ak_contents *contents, const uint8_t *ids, size_t count, uint64_t lsn)
{
    uint64_t deleted = 0;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *id = ids + i * sizeof(akidb_uuid);
        size_t at = find_id(contents, id, hash_bytes(contents, id, sizeof(akidb_uuid)));
        if (at == AK_INDEX_NONE)
            continue;
        kill_row(contents, at, lsn);
        deleted++;
    }
    return deleted;
}

akidb_status ak_contents_load(ak_contents *contents, const ak_log_rows *rows, uint64_t lsn,
                              uint64_t limit, akidb_error *err)
{
    ak_row_texts texts;
    akidb_status status = ak_row_texts_make(&texts, rows, err);
    if (status == AKIDB_OK)
        status = check_limit(contents, texts.bytes, limit, err);
    if (status == AKIDB_OK)
        status = ak_contents_reserve(contents, rows->rows, limit, err);
    if (status == AKIDB_OK)
        ak_contents_upsert(contents, rows, &texts, lsn);
    ak_row_texts_free(&texts);
    return status;
}

/* ---- compaction ------------------------------------------------------------------------------ */

static bool worth_compacting(const ak_contents *contents, size_t place)
{
    const ak_chunk *chunk = contents->chunks[place];
    return chunk != NULL && place != contents->current && chunk->rows > 0 &&
           chunk->dead >= chunk->rows - chunk->rows / 2;
}

static uint64_t text_bytes(const ak_chunk *chunk, uint32_t row)
{
    return (uint64_t)bytes_of(chunk->external_sizes[row]) + bytes_of(chunk->metadata_sizes[row]);
}

/* Copies row `row` of a chunk, of these or other contents, to the end, where there is room. The
 * texts are shared. */
static ak_row append_row(ak_contents *contents, const ak_chunk *from, uint32_t row)
{
    ak_row to = new_row(contents);
    ak_chunk *chunk = chunk_of(contents, to);
    uint32_t n = number_of(to);
    size_t d = chunk->dimension;
    uint64_t bytes = text_bytes(from, row);
    chunk->ids[n] = from->ids[row];
    chunk->times[n] = from->times[row];
    memcpy(chunk->vectors + n * d, from->vectors + row * d, d * sizeof(float));
    chunk->external_sizes[n] = from->external_sizes[row];
    chunk->metadata_sizes[n] = from->metadata_sizes[row];
    chunk->texts[n] = from->texts[row];
    ak_text_retain(chunk->texts[n]);
    chunk->bytes += bytes;
    atomic_fetch_add(contents->memory, bytes);
    return to;
}

/* Moves a living row to the end and marks the old place with `lsn`: views before that see the old
 * place, since they do not reach to the new one, and later ones the new place. */
static void move_row(ak_contents *contents, ak_chunk *from, uint32_t row, uint64_t lsn)
{
    uint64_t hash = hash_bytes(contents, from->ids[row].bytes, sizeof(akidb_uuid));
    size_t at = find_id(contents, from->ids[row].bytes, hash);
    unlink_external(contents, contents->ids.slots[at].reference);
    ak_row to = append_row(contents, from, row);
    contents->ids.slots[at].reference = to;
    link_external(contents, to);
    atomic_store(&from->dead_at[row], lsn);
    from->dead++;
}

/* Moves the living rows of a chunk; false when there is no memory for that. */
static bool empty_chunk(ak_contents *contents, ak_chunk *chunk, uint64_t lsn)
{
    size_t living = chunk->rows - chunk->dead;
    if (ak_contents_reserve(contents, living, 0, NULL) != AKIDB_OK)
        return false;
    for (uint32_t row = 0; row < chunk->rows; row++)
        if (atomic_load(&chunk->dead_at[row]) == 0)
            move_row(contents, chunk, row, lsn);
    contents->reserved -= living;
    return true;
}

void ak_contents_compact(ak_contents *contents, uint64_t lsn)
{
    enum { KILLS_MIN = 64 }; /* looking at every chunk is not worth it for less */
    if (contents->kills < KILLS_MIN)
        return;
    for (size_t place = 0; place < contents->chunk_count; place++) {
        if (!worth_compacting(contents, place))
            continue;
        ak_chunk *chunk = contents->chunks[place];
        if (empty_chunk(contents, chunk, lsn)) {
            contents->chunks[place] = NULL;
            ak_chunk_release(chunk);
        }
        return;
    }
    contents->kills = 0;
}

void ak_contents_merge(ak_contents *contents, const ak_contents *from)
{
    for (size_t place = 0; place < from->chunk_count; place++) {
        const ak_chunk *chunk = from->chunks[place];
        for (uint32_t row = 0; chunk != NULL && row < chunk->rows; row++) {
            if (atomic_load(&chunk->dead_at[row]) != 0)
                continue;
            uint64_t hash = hash_bytes(contents, chunk->ids[row].bytes, sizeof(akidb_uuid));
            size_t old = find_id(contents, chunk->ids[row].bytes, hash);
            if (old != AK_INDEX_NONE)
                kill_row(contents, old, 0);
            ak_row to = append_row(contents, chunk, row);
            ak_index_add(&contents->ids, hash, to);
            link_external(contents, to);
            contents->live++;
            contents->reserved--;
        }
    }
}

/* ---- reading --------------------------------------------------------------------------------- */

bool ak_contents_has(const ak_contents *contents, const akidb_uuid *id)
{
    return find_id(contents, id->bytes, hash_bytes(contents, id->bytes, sizeof *id)) !=
           AK_INDEX_NONE;
}

akidb_status ak_contents_get(const ak_contents *contents, const akidb_uuid *id,
                             akidb_documents *documents, bool *found_out, akidb_error *err)
{
    size_t at = find_id(contents, id->bytes, hash_bytes(contents, id->bytes, sizeof *id));
    *found_out = at != AK_INDEX_NONE;
    if (!*found_out)
        return AKIDB_OK;
    ak_row row = contents->ids.slots[at].reference;
    return ak_chunk_copy_row(chunk_of(contents, row), number_of(row), documents, err);
}

static int compare_ids(const void *a, const void *b)
{
    return akidb_uuid_compare(a, b);
}

akidb_status ak_contents_get_external(const ak_contents *contents, akidb_slice text,
                                      akidb_documents *documents, size_t *found_out,
                                      akidb_error *err)
{
    *found_out = 0;
    size_t at = find_external(contents, text, hash_bytes(contents, text.data, text.size)),
           count = 0;
    if (at == AK_INDEX_NONE)
        return AKIDB_OK;
    ak_row head = contents->external.slots[at].reference;
    for (ak_row row = head; row != AK_NO_ROW; row = *next_same(contents, row))
        count++;
    akidb_uuid *ids = calloc(count + 1, sizeof *ids);
    if (ids == NULL)
        return ak_fail_memory(err, (count + 1) * sizeof *ids);
    size_t n = 0;
    for (ak_row row = head; row != AK_NO_ROW; row = *next_same(contents, row))
        ids[n++] = chunk_of(contents, row)->ids[number_of(row)];
    qsort(ids, count, sizeof *ids, compare_ids);
    size_t before = documents->rows;
    akidb_status status = AKIDB_OK;
    bool found;
    for (size_t i = 0; i < count && status == AKIDB_OK; i++)
        status = ak_contents_get(contents, &ids[i], documents, &found, err);
    free(ids);
    if (status != AKIDB_OK)
        ak_documents_truncate(documents, before);
    else
        *found_out = count;
    return status;
}

/* ---- views ----------------------------------------------------------------------------------- */

akidb_status ak_view_take(const ak_contents *contents, uint64_t lsn, ak_view *view_out,
                          akidb_error *err)
{
    *view_out = (ak_view){.dimension = contents->dimension, .lsn = lsn, .live = contents->live};
    size_t size = contents->chunk_count * sizeof *view_out->chunks;
    if (size == 0)
        return AKIDB_OK;
    view_out->chunks = malloc(size);
    if (view_out->chunks == NULL)
        return ak_fail_memory(err, size);
    for (size_t i = 0; i < contents->chunk_count; i++) {
        ak_chunk *chunk = contents->chunks[i];
        if (chunk == NULL || chunk->rows == 0)
            continue;
        ak_chunk_retain(chunk);
        view_out->chunks[view_out->count++] = (ak_view_chunk){chunk, chunk->rows};
    }
    return AKIDB_OK;
}

void ak_view_free(ak_view *view)
{
    for (size_t i = 0; i < view->count; i++)
        ak_chunk_release(view->chunks[i].chunk);
    free(view->chunks);
    *view = (ak_view){0};
}

static bool sees(const ak_view *view, const ak_chunk *chunk, uint32_t row)
{
    uint64_t dead_at = atomic_load(&chunk->dead_at[row]);
    return dead_at == 0 || dead_at > view->lsn;
}

akidb_status ak_view_next(ak_view *view, size_t max_rows, akidb_documents *documents,
                          akidb_error *err)
{
    size_t before = documents->rows, at = view->at;
    uint32_t row = view->row;
    while (at < view->count && documents->rows - before < max_rows) {
        const ak_view_chunk *part = &view->chunks[at];
        if (row == part->rows) {
            at++;
            row = 0;
            continue;
        }
        if (sees(view, part->chunk, row)) {
            akidb_status status = ak_chunk_copy_row(part->chunk, row, documents, err);
            if (status != AKIDB_OK) {
                ak_documents_truncate(documents, before);
                return status;
            }
        }
        row++;
    }
    view->at = at;
    view->row = row;
    return AKIDB_OK;
}

bool ak_view_needs_micros(const ak_view *view)
{
    for (size_t i = 0; i < view->count; i++)
        for (uint32_t row = 0; row < view->chunks[i].rows; row++)
            if (view->chunks[i].chunk->times[row] % 1000 != 0 &&
                sees(view, view->chunks[i].chunk, row))
                return true;
    return false;
}
