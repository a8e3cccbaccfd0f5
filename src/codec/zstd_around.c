#include "codec/zstd_around.h"

#include <string.h>
#include <zstd_errors.h>

#include "base/buffer.h"
#include "base/endian.h"
#include "base/error.h"

enum {
    PLANES = 4,
    WINDOW = AK_ZSTD_AROUND_WINDOW,
    BLOCK_MAX = 1 << 17,
    BLOCK_HEADER = 3,
    /* What the library begins a frame of unknown size with, and what ours begins with. */
    STREAM_HEADER = 6,
    FRAME_HEADER = 10,
};

/* ---- noise ----------------------------------------------------------------------------------- */

/* Whether the bytes of a sample are spread so evenly that the library would gain less by Huffman
 * codes than the 1/64 below which it stores them. Each piece of it begins a piece further into its
 * part of the plane, or pages of 2^n rows would show the same dimensions in every piece. */
static bool is_noise(const uint8_t *plane, size_t size)
{
    enum { PIECES = 64, PIECE = 64, SAMPLE = PIECES * PIECE, VALUES = 256, CHI_SQUARE_MAX = 600 };
    if (size < SAMPLE)
        return false;
    uint32_t counts[VALUES] = {0};
    const size_t part = size / PIECES;
    for (size_t i = 0; i < PIECES; i++) {
        const uint8_t *piece = plane + part * i + i * PIECE % (part - PIECE + 1);
        for (size_t j = 0; j < PIECE; j++)
            counts[piece[j]]++;
    }
    uint32_t squares = 0;
    for (size_t i = 0; i < VALUES; i++)
        squares += counts[i] * counts[i];
    return squares / (SAMPLE / VALUES) < SAMPLE + CHI_SQUARE_MAX;
}

size_t ak_zstd_noise(akidb_slice page, size_t head)
{
    const uint8_t *planes = (const uint8_t *)page.data + head;
    size_t size = (page.size - head) / PLANES, count = 0;
    while (count < PLANES && is_noise(planes + count * size, size))
        count++;
    return count * size;
}

/* ---- the frame ------------------------------------------------------------------------------- */

static akidb_status fail_zstd(size_t result, akidb_error *err)
{
    if (ZSTD_getErrorCode(result) == ZSTD_error_memory_allocation)
        return ak_fail(err, AKIDB_E_OUT_OF_MEMORY, "out of memory: no room for the state of ZSTD");
    return ak_fail(err, AKIDB_E_IO, "ZSTD: a page could not be compressed: %s",
                   ZSTD_getErrorName(result));
}

/* Lets the library compress `size` bytes, and end the block or the frame with them. There is room
 * for all of it. */
static akidb_status feed(ZSTD_CCtx *zstd, const uint8_t *from, size_t size, ZSTD_EndDirective end,
                         akidb_buffer *buffer, akidb_error *err)
{
    ZSTD_inBuffer in = {from, size, 0};
    ZSTD_outBuffer out = {buffer->data, buffer->capacity, buffer->size};
    size_t result = ZSTD_compressStream2(zstd, &out, &in, end);
    if (ZSTD_isError(result))
        return fail_zstd(result, err);
    if (result > 0 || in.pos < size)
        return ak_fail(err, AKIDB_E_IO, "ZSTD: %zu bytes were not compressed at once", size);
    buffer->size = out.pos;
    return AKIDB_OK;
}

static void put_block_header(uint8_t *to, size_t size)
{
    uint32_t header = (uint32_t)size << 3; /* not the last, stored */
    to[0] = (uint8_t)header;
    to[1] = (uint8_t)(header >> 8);
    to[2] = (uint8_t)(header >> 16);
}

static void append_stored(akidb_buffer *buffer, const uint8_t *from, size_t size)
{
    while (size > 0) {
        size_t count = size < BLOCK_MAX ? size : BLOCK_MAX;
        put_block_header(buffer->data + buffer->size, count);
        memcpy(buffer->data + buffer->size + BLOCK_HEADER, from, count);
        buffer->size += BLOCK_HEADER + count;
        from += count;
        size -= count;
    }
}

/* Whether the blocks are stored ones of `size` bytes together. */
static bool are_stored(const uint8_t *blocks, size_t length, size_t size)
{
    size_t at = 0, found = 0;
    while (length - at >= BLOCK_HEADER) {
        uint32_t header =
            blocks[at] | (uint32_t)blocks[at + 1] << 8 | (uint32_t)blocks[at + 2] << 16;
        size_t stored = header >> 3;
        if ((header & 7) != 0 || stored > length - at - BLOCK_HEADER)
            return false;
        found += stored;
        at += BLOCK_HEADER + stored;
    }
    return at == length && found == size;
}

/* The frame's header in place of the library's, which does not tell the size of the content. False
 * if that is another than the one known here. */
static bool replace_header(akidb_buffer *buffer, size_t start, size_t content)
{
    static const uint8_t expected[STREAM_HEADER] = {
        0x28, 0xB5, 0x2F, 0xFD, 0, (AK_ZSTD_AROUND_WINDOW_LOG - 10) << 3};
    uint8_t *header = buffer->data + start;
    size_t grows = FRAME_HEADER - STREAM_HEADER;
    if (buffer->size - start < STREAM_HEADER || memcmp(header, expected, sizeof expected) != 0)
        return false;
    memmove(header + FRAME_HEADER, header + STREAM_HEADER, buffer->size - start - STREAM_HEADER);
    header[4] = 2 << 6; /* a content size of four bytes */
    ak_store_u32(header + STREAM_HEADER, (uint32_t)content);
    buffer->size += grows;
    return true;
}

static akidb_status append_frame(ZSTD_CCtx *zstd, akidb_slice page, size_t head, size_t noise,
                                 akidb_buffer *buffer, bool *done_out, akidb_error *err)
{
    const uint8_t *from = page.data;
    size_t start = buffer->size, rest = head + noise, skipped = noise - WINDOW;
    akidb_status status = feed(zstd, from, head, ZSTD_e_flush, buffer, err);
    if (status != AKIDB_OK)
        return status;
    if (!replace_header(buffer, start, page.size))
        return AKIDB_OK;
    append_stored(buffer, from + head, skipped);
    size_t last = buffer->size;
    status = feed(zstd, from + rest - WINDOW, WINDOW, ZSTD_e_flush, buffer, err);
    if (status != AKIDB_OK || !are_stored(buffer->data + last, buffer->size - last, WINDOW))
        return status;
    status = feed(zstd, from + rest, page.size - rest, ZSTD_e_end, buffer, err);
    *done_out = status == AKIDB_OK;
    return status;
}

static size_t set_parameters(ZSTD_CCtx *zstd, int window_log, int has_content_size)
{
    size_t result = ZSTD_CCtx_reset(zstd, ZSTD_reset_session_only);
    if (!ZSTD_isError(result))
        result = ZSTD_CCtx_setParameter(zstd, ZSTD_c_windowLog, window_log);
    if (!ZSTD_isError(result))
        result = ZSTD_CCtx_setParameter(zstd, ZSTD_c_contentSizeFlag, has_content_size);
    return result;
}

akidb_status ak_zstd_compress_around(ZSTD_CCtx *zstd, akidb_slice page, size_t head, size_t noise,
                                     akidb_buffer *buffer, bool *done_out, akidb_error *err)
{
    *done_out = false;
    if (head == 0 || noise < 2 * WINDOW || page.size > UINT32_MAX)
        return AKIDB_OK;
    size_t blocks = page.size / BLOCK_MAX + PLANES;
    size_t room = ZSTD_compressBound(page.size) + FRAME_HEADER + blocks * BLOCK_HEADER;
    akidb_status status = ak_buffer_reserve(buffer, room, err);
    if (status != AKIDB_OK)
        return status;
    size_t before = buffer->size;
    size_t result = set_parameters(zstd, AK_ZSTD_AROUND_WINDOW_LOG, 0);
    status = ZSTD_isError(result) ? fail_zstd(result, err)
                                  : append_frame(zstd, page, head, noise, buffer, done_out, err);
    result = set_parameters(zstd, 0, 1);
    if (status == AKIDB_OK && ZSTD_isError(result))
        status = fail_zstd(result, err);
    if (status != AKIDB_OK || !*done_out) {
        *done_out = false;
        buffer->size = before;
    }
    return status;
}
