#include "os/spool.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/checksum.h"
#include "base/error.h"
#include "os/temporary.h"

static const char file_name[] = "temporary file";

void ak_spool_init(ak_spool *spool, const char *folder, size_t memory_limit)
{
    *spool = (ak_spool){.folder = folder, .memory_limit = memory_limit, .file = -1};
}

void ak_spool_free(ak_spool *spool)
{
    if (spool->file >= 0)
        close(spool->file);
    akidb_buffer_free(&spool->memory);
    ak_spool_init(spool, spool->folder, spool->memory_limit);
}

uint64_t ak_spool_size(const ak_spool *spool)
{
    return spool->in_file + spool->memory.size;
}

/* Moves the bytes from memory to the file, or gives that up for good. What a failed write left is
 * beyond in_file, and not looked at. */
static void move_to_file(ak_spool *spool)
{
    akidb_status status = AKIDB_OK;
    if (spool->file < 0)
        status = ak_temporary_file(spool->folder, &spool->file, NULL);
    if (status == AKIDB_OK)
        status = ak_fd_write_at(spool->file, file_name, spool->in_file, spool->memory.data,
                                spool->memory.size, NULL);
    if (status != AKIDB_OK) {
        spool->keeps_memory = true;
        return;
    }
    spool->crc32c = ak_crc32c(spool->crc32c, spool->memory.data, spool->memory.size);
    spool->in_file += spool->memory.size;
    spool->memory.size = 0;
}

akidb_status ak_spool_append(ak_spool *spool, akidb_slice bytes, akidb_error *err)
{
    bool is_full =
        spool->memory.size > 0 && (spool->memory.size >= spool->memory_limit ||
                                   bytes.size > spool->memory_limit - spool->memory.size);
    if (is_full && !spool->keeps_memory)
        move_to_file(spool);
    return ak_buffer_append(&spool->memory, bytes.data, bytes.size, err);
}

static akidb_status read_file(const ak_spool *spool, ak_spool_take *take, void *context,
                              akidb_error *err)
{
    enum { PIECE = 1 << 18 };
    uint8_t *piece = malloc(PIECE);
    if (piece == NULL)
        return ak_fail_memory(err, PIECE);
    akidb_status status = AKIDB_OK;
    uint32_t crc32c = 0;
    for (uint64_t done = 0; done < spool->in_file && status == AKIDB_OK;) {
        uint64_t left = spool->in_file - done;
        size_t size = left < PIECE ? (size_t)left : PIECE;
        status = ak_fd_read_at(spool->file, file_name, done, piece, size, err);
        if (status == AKIDB_OK) {
            crc32c = ak_crc32c(crc32c, piece, size);
            status = take(context, (akidb_slice){piece, size}, err);
        }
        done += size;
    }
    free(piece);
    if (status == AKIDB_OK && crc32c != spool->crc32c)
        status = ak_fail(err, AKIDB_E_CORRUPTION,
                         "%s: expected the CRC-32C %08x of the %llu bytes written, found %08x",
                         file_name, spool->crc32c, (unsigned long long)spool->in_file, crc32c);
    return status;
}

akidb_status ak_spool_read(const ak_spool *spool, ak_spool_take *take, void *context,
                           akidb_error *err)
{
    akidb_status status = AKIDB_OK;
    if (spool->in_file > 0)
        status = read_file(spool, take, context, err);
    if (status == AKIDB_OK && spool->memory.size > 0)
        status = take(context, (akidb_slice){spool->memory.data, spool->memory.size}, err);
    return status;
}
