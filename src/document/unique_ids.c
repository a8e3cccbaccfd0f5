#include "document/unique_ids.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/error.h"
#include "os/random.h"
#include "os/temporary.h"

/* An id takes its own 16 bytes, and 8 to 16 bytes of the hash table at the end. */
enum { BYTES_PER_ID = 32 };

/* Ids that are read at a time when a file is gone through. */
enum { PIECE = 4096 };

static const char file_name[] = "temporary file of document ids";

struct ak_unique_ids {
    char *folder;       /* NULL: the default */
    size_t capacity;    /* ids that memory may hold */
    uint64_t seed;      /* random: nobody can choose ids that all have the same hash */
    uint64_t rows;      /* taken so far */
    bool is_ascending;  /* all of them */
    akidb_uuid last;    /* of them */
    akidb_uuid *ids;    /* those that are not in the file, in order */
    size_t count;       /* of ids */
    size_t allocated;   /* for ids */
    int file;           /* the ids before, in order; -1: none yet */
    uint64_t in_file;   /* ids */
    akidb_error failed; /* why ids were forgotten, if status is not AKIDB_OK */
};

akidb_status ak_unique_ids_new(const char *temporary_folder, uint64_t memory_limit,
                               ak_unique_ids **checker_out, akidb_error *err)
{
    *checker_out = NULL;
    if (memory_limit == 0)
        memory_limit = AK_UNIQUE_IDS_MEMORY_DEFAULT;
    ak_unique_ids *checker = calloc(1, sizeof *checker);
    if (checker == NULL)
        return ak_fail_memory(err, sizeof *checker);
    uint64_t capacity = memory_limit / BYTES_PER_ID;
    checker->capacity = capacity < 16 ? 16 : capacity > INT32_MAX ? INT32_MAX : (size_t)capacity;
    checker->is_ascending = true;
    checker->file = -1;
    akidb_status status = ak_random_bytes(&checker->seed, sizeof checker->seed, err);
    if (status == AKIDB_OK && temporary_folder != NULL) {
        checker->folder = strdup(temporary_folder);
        if (checker->folder == NULL)
            status = ak_fail_memory(err, strlen(temporary_folder) + 1);
    }
    if (status != AKIDB_OK) {
        ak_unique_ids_free(checker);
        return status;
    }
    *checker_out = checker;
    return AKIDB_OK;
}

void ak_unique_ids_free(ak_unique_ids *checker)
{
    if (checker == NULL)
        return;
    if (checker->file >= 0)
        close(checker->file);
    free(checker->ids);
    free(checker->folder);
    free(checker);
}

/* ---- taking ids ------------------------------------------------------------------------------ */

/* A folder that is not there is the machine's fault, not an answer about what the caller named. */
static akidb_status open_file(const ak_unique_ids *checker, int *fd_out, akidb_error *err)
{
    akidb_status status = ak_temporary_file(checker->folder, fd_out, err);
    if (status == AKIDB_E_NOT_FOUND) {
        status = AKIDB_E_IO;
        if (err != NULL)
            err->status = status;
    }
    if (status != AKIDB_OK)
        ak_error_context(err, "looking for document ids that come twice");
    return status;
}

static akidb_status write_ids(int fd, uint64_t first, const akidb_uuid *ids, size_t count,
                              akidb_error *err)
{
    akidb_status status =
        ak_fd_write_at(fd, file_name, first * sizeof *ids, ids, count * sizeof *ids, err);
    if (status != AKIDB_OK)
        ak_error_context(err, "looking for document ids that come twice");
    return status;
}

static akidb_status read_ids(int fd, uint64_t first, akidb_uuid *ids, size_t count,
                             akidb_error *err)
{
    return ak_fd_read_at(fd, file_name, first * sizeof *ids, ids, count * sizeof *ids, err);
}

/* Moves the ids from memory to the file. */
static akidb_status spill(ak_unique_ids *checker, akidb_error *err)
{
    akidb_status status = AKIDB_OK;
    if (checker->file < 0)
        status = open_file(checker, &checker->file, err);
    if (status == AKIDB_OK)
        status = write_ids(checker->file, checker->in_file, checker->ids, checker->count, err);
    if (status != AKIDB_OK)
        return status;
    checker->in_file += checker->count;
    checker->count = 0;
    return AKIDB_OK;
}

static akidb_status keep_in_memory(ak_unique_ids *checker, const akidb_uuid *ids, size_t count,
                                   akidb_error *err)
{
    if (checker->count + count > checker->allocated) {
        size_t wanted = checker->allocated * 2;
        if (wanted < checker->count + count)
            wanted = checker->count + count;
        if (wanted > checker->capacity)
            wanted = checker->capacity;
        void *moved = realloc(checker->ids, wanted * sizeof *ids);
        if (moved == NULL)
            return ak_fail_memory(err, wanted * sizeof *ids);
        checker->ids = moved;
        checker->allocated = wanted;
    }
    memcpy(checker->ids + checker->count, ids, count * sizeof *ids);
    checker->count += count;
    return AKIDB_OK;
}

static akidb_status keep(ak_unique_ids *checker, const akidb_uuid *ids, size_t count,
                         akidb_error *err)
{
    for (size_t piece; count > 0; ids += piece, count -= piece) {
        akidb_status status = AKIDB_OK;
        if (checker->count == checker->capacity)
            status = spill(checker, err);
        if (status != AKIDB_OK)
            return status;
        piece = checker->capacity - checker->count;
        piece = count < piece ? count : piece;
        status = keep_in_memory(checker, ids, piece, err);
        if (status != AKIDB_OK)
            return status;
    }
    return AKIDB_OK;
}

static akidb_status fail_duplicate(const akidb_uuid *id, uint64_t first, uint64_t second,
                                   akidb_error *err)
{
    char text[AKIDB_UUID_TEXT_SIZE];
    akidb_uuid_format(id, text);
    return ak_fail_at(err, AKIDB_E_VALIDATION, AK_ROW(NULL, second, "document_id"),
                      "expected ids that differ, found %s in row %llu already", text,
                      (unsigned long long)first);
}

akidb_status ak_unique_ids_add(ak_unique_ids *checker, const akidb_uuid *ids, size_t count,
                               akidb_error *err)
{
    for (size_t i = 0; i < count; i++) {
        const akidb_uuid *before = i == 0 ? &checker->last : &ids[i - 1];
        int order = checker->rows + i == 0 ? 1 : akidb_uuid_compare(&ids[i], before);
        if (order == 0)
            return fail_duplicate(&ids[i], checker->rows + i - 1, checker->rows + i, err);
        if (order < 0)
            checker->is_ascending = false;
    }
    if (count == 0)
        return AKIDB_OK;
    checker->rows += count;
    checker->last = ids[count - 1];
    if (checker->failed.status == AKIDB_OK) {
        akidb_status status = keep(checker, ids, count, &checker->failed);
        if (status != AKIDB_OK)
            checker->failed.status = status;
    }
    /* Ids that cannot be kept do no harm while all of them ascend. */
    if (checker->failed.status == AKIDB_OK || checker->is_ascending)
        return AKIDB_OK;
    if (err != NULL)
        *err = checker->failed;
    return checker->failed.status;
}

/* ---- looking for duplicates ------------------------------------------------------------------ */

/* A set of the first `count` of `ids`: open addressing with linear probing, at most half full. */
typedef struct id_set {
    const akidb_uuid *ids;
    uint32_t *slots; /* index into ids and 1 more; 0: empty */
    size_t mask;     /* slots, less 1 */
    uint64_t seed;
} id_set;

static uint64_t hash_of(const akidb_uuid *id, uint64_t seed)
{
    return XXH3_64bits_withSeed(id->bytes, sizeof id->bytes, seed);
}

static akidb_status id_set_new(id_set *set, const akidb_uuid *ids, size_t count, uint64_t seed,
                               akidb_error *err)
{
    size_t slots = 16;
    while (slots < 2 * count)
        slots *= 2;
    *set = (id_set){ids, calloc(slots, sizeof *set->slots), slots - 1, seed};
    return set->slots != NULL ? AKIDB_OK : ak_fail_memory(err, slots * sizeof *set->slots);
}

/* The slot that holds an id equal to `id`, whose hash is `hash`, or the empty one where it belongs.
 */
static uint32_t *find(const id_set *set, const akidb_uuid *id, uint64_t hash)
{
    size_t at = (size_t)hash & set->mask;
    while (set->slots[at] != 0 && akidb_uuid_compare(&set->ids[set->slots[at] - 1], id) != 0)
        at = (at + 1) & set->mask;
    return &set->slots[at];
}

/* Fills an empty set. The index of the first id that is there already, or `count`; *first_out is
 * the index of its equal. Slots are asked for well before they are needed: they lie anywhere. */
static size_t insert_all(id_set *set, size_t count, size_t *first_out)
{
    enum { AHEAD = 16 };
    uint64_t hashes[AHEAD];
    for (size_t i = 0; i < count; i += AHEAD) {
        size_t some = count - i < AHEAD ? count - i : AHEAD;
        for (size_t j = 0; j < some; j++) {
            hashes[j] = hash_of(&set->ids[i + j], set->seed);
            __builtin_prefetch(&set->slots[hashes[j] & set->mask], 1);
        }
        for (size_t j = 0; j < some; j++) {
            uint32_t *slot = find(set, &set->ids[i + j], hashes[j]);
            if (*slot != 0) {
                *first_out = *slot - 1;
                return i + j;
            }
            *slot = (uint32_t)(i + j + 1);
        }
    }
    return count;
}

static akidb_status check_memory(const ak_unique_ids *checker, akidb_error *err)
{
    id_set set;
    akidb_status status = id_set_new(&set, checker->ids, checker->count, checker->seed, err);
    if (status != AKIDB_OK)
        return status;
    size_t first = 0;
    size_t second = insert_all(&set, checker->count, &first);
    if (second < checker->count)
        status = fail_duplicate(&checker->ids[second], first, second, err);
    free(set.slots);
    return status;
}

/* ---- the same for ids in the file ------------------------------------------------------------ */

/* The second file: partition p has the ids from start[p] on to start[p + 1]. */
typedef struct partitions {
    int file;
    size_t count;
    uint64_t *start;
} partitions;

static size_t partition_of(const akidb_uuid *id, uint64_t seed, size_t count)
{
    return (size_t)((hash_of(id, seed) >> 32) * count >> 32); /* the set uses the lower half */
}

/* An id that comes twice, found by value: its rows are where it lies in the first file. */
static akidb_status fail_duplicate_in_file(const ak_unique_ids *checker, const akidb_uuid *id,
                                           akidb_error *err)
{
    akidb_uuid ids[PIECE];
    uint64_t found[2] = {0, 0};
    int times = 0;
    for (uint64_t row = 0; row < checker->in_file && times < 2;) {
        uint64_t left = checker->in_file - row;
        size_t piece = left < PIECE ? (size_t)left : PIECE;
        akidb_status status = read_ids(checker->file, row, ids, piece, err);
        if (status != AKIDB_OK)
            return status;
        for (size_t i = 0; i < piece && times < 2; i++)
            if (akidb_uuid_compare(&ids[i], id) == 0)
                found[times++] = row + i;
        row += piece;
    }
    return fail_duplicate(id, found[0], found[1], err);
}

static akidb_status count_partitions(const ak_unique_ids *checker, partitions *parts,
                                     akidb_error *err)
{
    akidb_uuid ids[PIECE];
    for (uint64_t row = 0; row < checker->in_file;) {
        uint64_t left = checker->in_file - row;
        size_t piece = left < PIECE ? (size_t)left : PIECE;
        akidb_status status = read_ids(checker->file, row, ids, piece, err);
        if (status != AKIDB_OK)
            return status;
        for (size_t i = 0; i < piece; i++)
            parts->start[partition_of(&ids[i], checker->seed, parts->count) + 1]++;
        row += piece;
    }
    for (size_t p = 0; p < parts->count; p++)
        parts->start[p + 1] += parts->start[p];
    return AKIDB_OK;
}

/* What fill_partitions has of each partition: its next place in the file, and how many ids wait in
 * its share of the memory. */
typedef struct partition_writer {
    uint64_t next;
    size_t waiting;
} partition_writer;

static akidb_status flush_partition(const partitions *parts, partition_writer *writer,
                                    const akidb_uuid *waiting, akidb_error *err)
{
    akidb_status status = write_ids(parts->file, writer->next, waiting, writer->waiting, err);
    writer->next += writer->waiting;
    writer->waiting = 0;
    return status;
}

static akidb_status fill_partitions(const ak_unique_ids *checker, const partitions *parts,
                                    partition_writer *writers, akidb_error *err)
{
    akidb_uuid ids[PIECE];
    size_t share = checker->capacity / parts->count; /* of checker->ids, for each partition */
    for (size_t p = 0; p < parts->count; p++)
        writers[p] = (partition_writer){parts->start[p], 0};
    akidb_status status = AKIDB_OK;
    for (uint64_t row = 0; row < checker->in_file && status == AKIDB_OK;) {
        uint64_t left = checker->in_file - row;
        size_t piece = left < PIECE ? (size_t)left : PIECE;
        status = read_ids(checker->file, row, ids, piece, err);
        for (size_t i = 0; i < piece && status == AKIDB_OK; i++) {
            size_t p = partition_of(&ids[i], checker->seed, parts->count);
            akidb_uuid *waiting = checker->ids + p * share;
            waiting[writers[p].waiting++] = ids[i];
            if (writers[p].waiting == share)
                status = flush_partition(parts, &writers[p], waiting, err);
        }
        row += piece;
    }
    for (size_t p = 0; p < parts->count && status == AKIDB_OK; p++)
        status = flush_partition(parts, &writers[p], checker->ids + p * share, err);
    return status;
}

/* Whether any id of the file's range first .. end is in the set already. */
static akidb_status check_rest(const ak_unique_ids *checker, int file, const id_set *set,
                               uint64_t first, uint64_t end, akidb_error *err)
{
    akidb_uuid ids[PIECE];
    while (first < end) {
        size_t piece = end - first < PIECE ? (size_t)(end - first) : PIECE;
        akidb_status status = read_ids(file, first, ids, piece, err);
        if (status != AKIDB_OK)
            return status;
        for (size_t i = 0; i < piece; i++)
            if (*find(set, &ids[i], hash_of(&ids[i], set->seed)) != 0)
                return fail_duplicate_in_file(checker, &ids[i], err);
        first += piece;
    }
    return AKIDB_OK;
}

/* Goes through a partition by as many ids as memory holds: nearly always all at once. Each load is
 * compared with itself and with what follows it. */
static akidb_status check_partition(const ak_unique_ids *checker, int file, uint64_t first,
                                    uint64_t end, akidb_error *err)
{
    akidb_status status = AKIDB_OK;
    while (first < end && status == AKIDB_OK) {
        size_t count = end - first < checker->capacity ? (size_t)(end - first) : checker->capacity;
        id_set set;
        status = read_ids(file, first, checker->ids, count, err);
        if (status != AKIDB_OK)
            return status;
        status = id_set_new(&set, checker->ids, count, checker->seed, err);
        if (status != AKIDB_OK)
            return status;
        size_t equal = 0;
        size_t second = insert_all(&set, count, &equal);
        if (second < count)
            status = fail_duplicate_in_file(checker, &checker->ids[second], err);
        else
            status = check_rest(checker, file, &set, first + count, end, err);
        free(set.slots);
        first += count;
    }
    return status;
}

static akidb_status check_file(const ak_unique_ids *checker, akidb_error *err)
{
    /* Half full on average, so that hardly any is over full; with room for eight ids at least. */
    uint64_t wanted = checker->in_file / (checker->capacity / 2) + 1;
    size_t most = checker->capacity / 8;
    partitions parts = {.file = -1, .count = wanted < most ? (size_t)wanted : most};
    partition_writer *writers = calloc(parts.count, sizeof *writers);
    parts.start = calloc(parts.count + 1, sizeof *parts.start);
    akidb_status status = AKIDB_OK;
    if (writers == NULL || parts.start == NULL)
        status = ak_fail_memory(err, parts.count * sizeof *writers);
    if (status == AKIDB_OK)
        status = open_file(checker, &parts.file, err);
    if (status == AKIDB_OK)
        status = count_partitions(checker, &parts, err);
    if (status == AKIDB_OK)
        status = fill_partitions(checker, &parts, writers, err);
    for (size_t p = 0; p < parts.count && status == AKIDB_OK; p++)
        status = check_partition(checker, parts.file, parts.start[p], parts.start[p + 1], err);
    if (parts.file >= 0)
        close(parts.file);
    free(writers);
    free(parts.start);
    return status;
}

akidb_status ak_unique_ids_finish(ak_unique_ids *checker, akidb_error *err)
{
    if (checker->is_ascending)
        return AKIDB_OK;
    if (checker->file < 0)
        return check_memory(checker, err);
    akidb_status status = spill(checker, err);
    return status != AKIDB_OK ? status : check_file(checker, err);
}
