/* Objects written piece by piece. Bytes gather in parts of equal size. An object that ends within
 * single_put_bytes is one PUT; a longer one becomes a multipart upload, whose parts travel in
 * parallel while the next ones are still being written. */
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "os/memory.h"
#include "os/pool.h"
#include "store/s3/multipart.h"

typedef struct upload upload;

/* The memory of one part, and its task while it travels. */
typedef struct slot {
    upload *owner;
    ak_task task;
    bool travels;
    unsigned number;
    akidb_buffer bytes;
} slot;

struct upload {
    ak_s3_multipart multipart;
    bool is_multipart; /* more than one PUT holds */
    ak_pool *pool;
    slot *slots; /* used in turn: part n lies in slot (n - 1) modulo slot_count */
    size_t slot_count;
    unsigned filling; /* the number of the part that is being filled, from 1 */
    ak_s3_part *parts;
};

static slot *slot_of(upload *u, unsigned number)
{
    return &u->slots[(number - 1) % u->slot_count];
}

static void upload_free(upload *u)
{
    ak_pool_free(u->pool);
    for (size_t i = 0; i < u->slot_count; i++)
        akidb_buffer_free(&u->slots[i].bytes);
    free(u->slots);
    free(u->parts);
    free(u);
}

akidb_status ak_s3_upload_begin(void *handle, const char *key, akidb_put_mode mode,
                                void **upload_out, akidb_error *err)
{
    ak_s3_client *client = handle;
    upload *u = calloc(1, sizeof *u);
    if (u == NULL)
        return ak_fail_memory(err, sizeof *u);
    u->multipart.client = client;
    u->multipart.mode = mode;
    u->filling = 1;
    /* All that one PUT may hold must stay in memory until it is known that there is more. */
    size_t kept = (size_t)(client->single_put_bytes / client->part_bytes) + 1;
    u->slot_count = kept > client->parallel + 1 ? kept : client->parallel + 1;
    u->slots = calloc(u->slot_count, sizeof *u->slots);
    akidb_status status = u->slots != NULL ? ak_s3_full_key(client, key, u->multipart.full_key, err)
                                           : ak_fail_memory(err, u->slot_count * sizeof *u->slots);
    if (status != AKIDB_OK) {
        u->slot_count = u->slots == NULL ? 0 : u->slot_count;
        upload_free(u);
        return status;
    }
    for (size_t i = 0; i < u->slot_count; i++)
        u->slots[i].owner = u;
    *upload_out = u;
    return AKIDB_OK;
}

/* ---- parts that travel ----------------------------------------------------------------------- */

static akidb_status put_part(void *context, akidb_error *err)
{
    slot *s = context;
    upload *u = s->owner;
    const akidb_slice bytes = {s->bytes.data, s->bytes.size};
    return ak_s3_multipart_put(&u->multipart, s->number, &bytes, 1, &u->parts[s->number - 1], err);
}

static akidb_status wait_for(upload *u, slot *s, akidb_error *err)
{
    if (!s->travels)
        return AKIDB_OK;
    akidb_status status = ak_pool_wait(u->pool, &s->task, err);
    s->travels = false;
    s->bytes.size = 0;
    return status;
}

static akidb_status submit(upload *u, unsigned number, akidb_error *err)
{
    slot *s = slot_of(u, number);
    if (number > AK_S3_PARTS_MAX)
        return ak_fail_at(err, AKIDB_E_LIMIT, AK_IN(u->multipart.full_key),
                          "an upload has at most %d parts: part_bytes is too small for this object",
                          AK_S3_PARTS_MAX);
    s->number = number;
    s->task = (ak_task){0};
    s->travels = true;
    ak_pool_submit(u->pool, &s->task, put_part, s);
    return AKIDB_OK;
}

static akidb_status become_multipart(upload *u, akidb_error *err)
{
    ak_s3_client *client = u->multipart.client;
    u->parts = calloc(AK_S3_PARTS_MAX, sizeof *u->parts);
    if (u->parts == NULL)
        return ak_fail_memory(err, AK_S3_PARTS_MAX * sizeof *u->parts);
    akidb_status status = ak_pool_new(client->parallel, &u->pool, err);
    if (status == AKIDB_OK)
        status = ak_s3_multipart_create(&u->multipart, err);
    u->is_multipart = status == AKIDB_OK;
    for (unsigned number = 1; number < u->filling && status == AKIDB_OK; number++)
        status = submit(u, number, err);
    return status;
}

/* The part being filled is full: sends it off, if this is a multipart upload, and turns to the next
 * slot, whose part may have to arrive first. */
static akidb_status next_part(upload *u, akidb_error *err)
{
    akidb_status status = u->is_multipart ? submit(u, u->filling, err) : AKIDB_OK;
    if (status != AKIDB_OK)
        return status;
    u->filling++;
    return wait_for(u, slot_of(u, u->filling), err);
}

static uint64_t gathered(const upload *u)
{
    const slot *s = &u->slots[(u->filling - 1) % u->slot_count];
    return (uint64_t)(u->filling - 1) * u->multipart.client->part_bytes + s->bytes.size;
}

/* One allocation a part, and none larger than what comes for a small object. */
static akidb_status make_room(upload *u, slot *s, akidb_error *err)
{
    size_t size = (size_t)u->multipart.client->part_bytes;
    if ((!u->is_multipart && u->filling == 1) || s->bytes.capacity >= size)
        return AKIDB_OK;
    akidb_status status = ak_buffer_reserve(&s->bytes, size - s->bytes.size, err);
    if (status == AKIDB_OK)
        ak_memory_prefer_large_pages(s->bytes.data, s->bytes.capacity);
    return status;
}

static akidb_status write_slice(upload *u, const char *data, size_t size, akidb_error *err)
{
    ak_s3_client *client = u->multipart.client;
    akidb_status status = AKIDB_OK;
    while (size > 0 && status == AKIDB_OK) {
        slot *s = slot_of(u, u->filling);
        size_t room = (size_t)client->part_bytes - s->bytes.size;
        size_t piece = size < room ? size : room;
        if (!u->is_multipart && gathered(u) + piece > client->single_put_bytes)
            status = become_multipart(u, err);
        if (status == AKIDB_OK)
            status = make_room(u, s, err);
        if (status == AKIDB_OK)
            status = ak_buffer_append(&s->bytes, data, piece, err);
        if (status != AKIDB_OK)
            break;
        data += piece;
        size -= piece;
        if (s->bytes.size == client->part_bytes)
            status = next_part(u, err);
    }
    return status;
}

akidb_status ak_s3_upload_write(void *handle, void *own, const akidb_slice *slices, size_t count,
                                akidb_error *err)
{
    (void)handle;
    upload *u = own;
    akidb_status status = AKIDB_OK;
    for (size_t i = 0; i < count && status == AKIDB_OK; i++)
        status = write_slice(u, slices[i].data, slices[i].size, err);
    return status;
}

/* ---- end ------------------------------------------------------------------------------------- */

static akidb_status put_at_once(upload *u, akidb_error *err)
{
    akidb_slice *slices = calloc(u->slot_count, sizeof *slices);
    if (slices == NULL)
        return ak_fail_memory(err, u->slot_count * sizeof *slices);
    for (size_t i = 0; i < u->slot_count; i++)
        slices[i] = (akidb_slice){u->slots[i].bytes.data, u->slots[i].bytes.size};
    akidb_status status = ak_s3_put_whole(u->multipart.client, u->multipart.full_key, slices,
                                          u->slot_count, u->multipart.mode, err);
    free(slices);
    return status;
}

/* Waits for every part that travels; the first failure is told. */
static akidb_status wait_for_all(upload *u, akidb_error *err)
{
    akidb_status first = AKIDB_OK;
    for (size_t i = 0; i < u->slot_count; i++) {
        akidb_status status = wait_for(u, &u->slots[i], first == AKIDB_OK ? err : NULL);
        if (first == AKIDB_OK)
            first = status;
    }
    return first;
}

akidb_status ak_s3_upload_commit(void *handle, void *own, akidb_error *err)
{
    (void)handle;
    upload *u = own;
    akidb_status status = AKIDB_OK;
    if (!u->is_multipart) {
        status = put_at_once(u, err);
        upload_free(u);
        return status;
    }
    unsigned count = u->filling - 1;
    if (slot_of(u, u->filling)->bytes.size > 0) {
        status = submit(u, u->filling, err);
        count++;
    }
    akidb_status arrived = wait_for_all(u, status == AKIDB_OK ? err : NULL);
    if (status == AKIDB_OK)
        status = arrived;
    if (status == AKIDB_OK)
        status = ak_s3_multipart_complete(&u->multipart, u->parts, count, err);
    if (status != AKIDB_OK && status != AKIDB_E_UNCERTAIN)
        ak_s3_multipart_abort(&u->multipart);
    upload_free(u);
    return status;
}

void ak_s3_upload_abort(void *handle, void *own)
{
    (void)handle;
    upload *u = own;
    if (u->pool != NULL && wait_for_all(u, NULL) != AKIDB_OK)
        ak_s3_log(u->multipart.client, AKIDB_LOG_INFO, "an upload is given up");
    ak_s3_multipart_abort(&u->multipart);
    upload_free(u);
}

/* ---- copies of large objects ----------------------------------------------------------------- */

akidb_status ak_s3_copy_in_parts(ak_s3_client *client, const char *source, const char *full_key,
                                 uint64_t size, akidb_put_mode mode, akidb_error *err)
{
    const uint64_t part_bytes = UINT64_C(1) << 30;
    ak_s3_multipart multipart = {.client = client, .mode = mode, .copies = true};
    memcpy(multipart.full_key, full_key, strlen(full_key) + 1);
    size_t count = (size_t)((size + part_bytes - 1) / part_bytes);
    if (count > AK_S3_PARTS_MAX)
        return ak_fail_at(err, AKIDB_E_LIMIT, AK_IN(full_key), "the object is too large to copy");
    ak_s3_part *parts = calloc(count + 1, sizeof *parts);
    if (parts == NULL)
        return ak_fail_memory(err, (count + 1) * sizeof *parts);
    akidb_status status = ak_s3_multipart_create(&multipart, err);
    for (size_t i = 0; i < count && status == AKIDB_OK; i++) {
        uint64_t first = (uint64_t)i * part_bytes;
        uint64_t piece = size - first < part_bytes ? size - first : part_bytes;
        status =
            ak_s3_multipart_copy(&multipart, (unsigned)i + 1, source, first, piece, &parts[i], err);
    }
    if (status == AKIDB_OK)
        status = ak_s3_multipart_complete(&multipart, parts, count, err);
    if (status != AKIDB_OK && status != AKIDB_E_UNCERTAIN)
        ak_s3_multipart_abort(&multipart);
    free(parts);
    return status;
}
