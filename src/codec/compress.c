#include "codec/compress.h"

#include <limits.h>
#include <lz4.h>
#include <snappy-c.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/buffer.h"
#include "base/error.h"
#include "codec/zstd_around.h"

enum { GZIP_WINDOW = 16 + MAX_WBITS }; /* zlib's sign for gzip's header and trailer */

/* zlib counts in 32 bits, so it gets and gives at most so much at a time. */
enum { ZLIB_PIECE = 1 << 30 };

typedef struct codec_facts {
    const char *name;
    bool can_write;
    bool can_read;
    int level_default; /* 0: the codec has no levels */
    int level_max;     /* the least is 1 */
} codec_facts;

static const codec_facts codecs[] = {
    [AK_CODEC_UNCOMPRESSED] = {"UNCOMPRESSED", true, true, 0, 0},
    [AK_CODEC_SNAPPY] = {"SNAPPY", true, true, 0, 0},
    [AK_CODEC_GZIP] = {"GZIP", true, true, 6, 9},
    [AK_CODEC_LZO] = {"LZO", false, false, 0, 0},
    [AK_CODEC_BROTLI] = {"BROTLI", false, false, 0, 0},
    [AK_CODEC_LZ4_HADOOP] = {"LZ4", false, true, 0, 0},
    [AK_CODEC_ZSTD] = {"ZSTD", true, true, 1, 19},
    [AK_CODEC_LZ4_RAW] = {"LZ4_RAW", true, true, 0, 0},
};

static const codec_facts *facts_of(int codec)
{
    bool known = codec >= 0 && (size_t)codec < sizeof codecs / sizeof codecs[0];
    return known ? &codecs[codec] : NULL;
}

const char *ak_codec_name(int codec)
{
    const codec_facts *facts = facts_of(codec);
    return facts == NULL ? NULL : facts->name;
}

bool ak_codec_can_write(int codec)
{
    const codec_facts *facts = facts_of(codec);
    return facts != NULL && facts->can_write;
}

bool ak_codec_can_read(int codec)
{
    const codec_facts *facts = facts_of(codec);
    return facts != NULL && facts->can_read;
}

static akidb_status fail_unsupported(int codec, const char *what, akidb_error *err)
{
    const char *name = ak_codec_name(codec);
    if (name == NULL)
        return ak_fail(err, AKIDB_E_UNSUPPORTED, "compression codec %d is not known", codec);
    return ak_fail(err, AKIDB_E_UNSUPPORTED, "compression %s is not %s", name, what);
}

/* The state of a library, whose size only the library knows. */
static akidb_status fail_state(int codec, akidb_error *err)
{
    return ak_fail(err, AKIDB_E_OUT_OF_MEMORY, "out of memory: no room for the state of %s",
                   codecs[codec].name);
}

/* ---- compressing ----------------------------------------------------------------------------- */

struct ak_compressor {
    ak_codec codec;
    int level;
    akidb_buffer joined; /* slices put together, for codecs that want one piece */
    ZSTD_CCtx *zstd;
    z_stream gzip;
    bool gzip_ready;
};

static akidb_status start_zstd(ak_compressor *compressor, int level, akidb_error *err)
{
    compressor->zstd = ZSTD_createCCtx();
    if (compressor->zstd == NULL)
        return fail_state(AK_CODEC_ZSTD, err);
    size_t result = ZSTD_CCtx_setParameter(compressor->zstd, ZSTD_c_compressionLevel, level);
    if (ZSTD_isError(result))
        return ak_fail(err, AKIDB_E_VALIDATION, "ZSTD level %d: %s", level,
                       ZSTD_getErrorName(result));
    return AKIDB_OK;
}

static akidb_status start_gzip(ak_compressor *compressor, int level, akidb_error *err)
{
    enum { MEMORY_LEVEL = 8 }; /* zlib's default */
    if (deflateInit2(&compressor->gzip, level, Z_DEFLATED, GZIP_WINDOW, MEMORY_LEVEL,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        return fail_state(AK_CODEC_GZIP, err);
    compressor->gzip_ready = true;
    return AKIDB_OK;
}

akidb_status ak_compressor_new(ak_codec codec, int level, ak_compressor **compressor_out,
                               akidb_error *err)
{
    *compressor_out = NULL;
    if (!ak_codec_can_write((int)codec))
        return fail_unsupported((int)codec, "written", err);
    const codec_facts *facts = facts_of((int)codec);
    if (level < 0 || level > facts->level_max)
        return ak_fail(err, AKIDB_E_VALIDATION,
                       "compression level of %s: expected 0 (the default) to %d, found %d",
                       facts->name, facts->level_max, level);
    if (level == 0)
        level = facts->level_default;
    ak_compressor *compressor = calloc(1, sizeof *compressor);
    if (compressor == NULL)
        return ak_fail_memory(err, sizeof *compressor);
    compressor->codec = codec;
    compressor->level = level;
    akidb_status status = AKIDB_OK;
    if (codec == AK_CODEC_ZSTD)
        status = start_zstd(compressor, level, err);
    else if (codec == AK_CODEC_GZIP)
        status = start_gzip(compressor, level, err);
    if (status != AKIDB_OK) {
        ak_compressor_free(compressor);
        return status;
    }
    *compressor_out = compressor;
    return AKIDB_OK;
}

void ak_compressor_free(ak_compressor *compressor)
{
    if (compressor == NULL)
        return;
    akidb_buffer_free(&compressor->joined);
    ZSTD_freeCCtx(compressor->zstd);
    if (compressor->gzip_ready)
        deflateEnd(&compressor->gzip);
    free(compressor);
}

static akidb_status append_slices(akidb_buffer *buffer, const akidb_slice *slices, size_t count,
                                  akidb_error *err)
{
    akidb_status status = AKIDB_OK;
    for (size_t i = 0; i < count && status == AKIDB_OK; i++)
        status = ak_buffer_append(buffer, slices[i].data, slices[i].size, err);
    return status;
}

/* The slices as one piece: the only one that is not empty, or a copy in compressor->joined. */
static akidb_status join(ak_compressor *compressor, const akidb_slice *slices, size_t count,
                         akidb_slice *whole_out, akidb_error *err)
{
    size_t filled = 0;
    *whole_out = (akidb_slice){"", 0};
    for (size_t i = 0; i < count; i++) {
        if (slices[i].size == 0)
            continue;
        *whole_out = slices[i];
        filled++;
    }
    if (filled <= 1)
        return AKIDB_OK;
    compressor->joined.size = 0;
    akidb_status status = append_slices(&compressor->joined, slices, count, err);
    *whole_out = (akidb_slice){compressor->joined.data, compressor->joined.size};
    return status;
}

static akidb_status fail_too_large(ak_codec codec, size_t size, size_t most, akidb_error *err)
{
    return ak_fail(err, AKIDB_E_LIMIT, "a %s block holds at most %zu bytes, found %zu",
                   codecs[codec].name, most, size);
}

static akidb_status compress_snappy(akidb_slice whole, akidb_buffer *buffer, akidb_error *err)
{
    if (whole.size > UINT32_MAX)
        return fail_too_large(AK_CODEC_SNAPPY, whole.size, UINT32_MAX, err);
    size_t room = snappy_max_compressed_length(whole.size);
    akidb_status status = ak_buffer_reserve(buffer, room, err);
    if (status != AKIDB_OK)
        return status;
    char *to = (char *)buffer->data + buffer->size;
    if (snappy_compress(whole.data, whole.size, to, &room) != SNAPPY_OK)
        return ak_fail(err, AKIDB_E_IO, "SNAPPY: %zu bytes could not be compressed", whole.size);
    buffer->size += room;
    return AKIDB_OK;
}

static akidb_status compress_lz4(akidb_slice whole, akidb_buffer *buffer, akidb_error *err)
{
    if (whole.size > LZ4_MAX_INPUT_SIZE)
        return fail_too_large(AK_CODEC_LZ4_RAW, whole.size, LZ4_MAX_INPUT_SIZE, err);
    int room = LZ4_compressBound((int)whole.size);
    akidb_status status = ak_buffer_reserve(buffer, (size_t)room, err);
    if (status != AKIDB_OK)
        return status;
    char *to = (char *)buffer->data + buffer->size;
    int written = LZ4_compress_default(whole.data, to, (int)whole.size, room);
    if (written <= 0)
        return ak_fail(err, AKIDB_E_IO, "LZ4: %zu bytes could not be compressed", whole.size);
    buffer->size += (size_t)written;
    return AKIDB_OK;
}

static akidb_status compress_zstd(ZSTD_CCtx *zstd, akidb_slice whole, akidb_buffer *buffer,
                                  akidb_error *err)
{
    size_t room = ZSTD_compressBound(whole.size);
    if (ZSTD_isError(room))
        return fail_too_large(AK_CODEC_ZSTD, whole.size, PTRDIFF_MAX, err);
    akidb_status status = ak_buffer_reserve(buffer, room, err);
    if (status != AKIDB_OK)
        return status;
    size_t written =
        ZSTD_compress2(zstd, buffer->data + buffer->size, room, whole.data, whole.size);
    if (ZSTD_getErrorCode(written) == ZSTD_error_memory_allocation)
        return fail_state(AK_CODEC_ZSTD, err);
    if (ZSTD_isError(written))
        return ak_fail(err, AKIDB_E_IO, "ZSTD: %zu bytes could not be compressed: %s", whole.size,
                       ZSTD_getErrorName(written));
    buffer->size += written;
    return AKIDB_OK;
}

/* Hands all of `whole` to zlib, and with Z_FINISH the end of the stream, making room as it goes. */
static akidb_status deflate_slice(z_stream *gzip, akidb_slice whole, bool last,
                                  akidb_buffer *buffer, akidb_error *err)
{
    enum { ROOM = 1 << 14 };
    const uint8_t *from = whole.data;
    size_t left = whole.size;
    for (;;) {
        akidb_status status = ak_buffer_reserve(buffer, ROOM, err);
        if (status != AKIDB_OK)
            return status;
        size_t room = buffer->capacity - buffer->size;
        uInt offered = left < ZLIB_PIECE ? (uInt)left : ZLIB_PIECE;
        uInt given = room < ZLIB_PIECE ? (uInt)room : ZLIB_PIECE;
        bool end = last && offered == left;
        gzip->next_in = (z_const Bytef *)from;
        gzip->avail_in = offered;
        gzip->next_out = buffer->data + buffer->size;
        gzip->avail_out = given;
        int result = deflate(gzip, end ? Z_FINISH : Z_NO_FLUSH);
        buffer->size += given - gzip->avail_out;
        left -= offered - gzip->avail_in;
        from += offered - gzip->avail_in;
        if (result == Z_STREAM_END || (!last && left == 0 && gzip->avail_out > 0))
            return AKIDB_OK;
        if (result != Z_OK && result != Z_BUF_ERROR)
            return ak_fail(err, AKIDB_E_IO, "GZIP: %zu bytes could not be compressed", whole.size);
    }
}

static akidb_status compress_gzip(z_stream *gzip, const akidb_slice *slices, size_t count,
                                  akidb_buffer *buffer, akidb_error *err)
{
    if (deflateReset(gzip) != Z_OK)
        return ak_fail(err, AKIDB_E_IO, "GZIP: the stream could not be started");
    uint64_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += slices[i].size;
    akidb_status status = ak_buffer_reserve(buffer, deflateBound(gzip, total), err);
    for (size_t i = 0; i < count && status == AKIDB_OK; i++)
        if (slices[i].size > 0)
            status = deflate_slice(gzip, slices[i], false, buffer, err);
    if (status == AKIDB_OK)
        status = deflate_slice(gzip, (akidb_slice){"", 0}, true, buffer, err);
    return status;
}

akidb_status ak_compress(ak_compressor *compressor, const akidb_slice *slices, size_t count,
                         akidb_buffer *buffer, akidb_error *err)
{
    size_t before = buffer->size;
    akidb_status status;
    akidb_slice whole = {NULL, 0};
    switch (compressor->codec) {
    case AK_CODEC_UNCOMPRESSED: status = append_slices(buffer, slices, count, err); break;
    case AK_CODEC_GZIP:
        status = compress_gzip(&compressor->gzip, slices, count, buffer, err);
        break;
    default:
        status = join(compressor, slices, count, &whole, err);
        if (status != AKIDB_OK)
            break;
        if (compressor->codec == AK_CODEC_ZSTD)
            status = compress_zstd(compressor->zstd, whole, buffer, err);
        else if (compressor->codec == AK_CODEC_SNAPPY)
            status = compress_snappy(whole, buffer, err);
        else
            status = compress_lz4(whole, buffer, err);
    }
    if (status != AKIDB_OK)
        buffer->size = before;
    return status;
}

/* Sets the library up for split floats, or for anything else. */
static akidb_status tune_zstd(ZSTD_CCtx *zstd, bool are_split, akidb_error *err)
{
    enum { HASH_LOG = 6, MIN_MATCH = 7 }; /* 0 is what the level has */
    size_t result = ZSTD_CCtx_setParameter(zstd, ZSTD_c_hashLog, are_split ? HASH_LOG : 0);
    if (!ZSTD_isError(result))
        result = ZSTD_CCtx_setParameter(zstd, ZSTD_c_minMatch, are_split ? MIN_MATCH : 0);
    if (ZSTD_isError(result))
        return ak_fail(err, AKIDB_E_UNSUPPORTED, "ZSTD parameters for split floats: %s",
                       ZSTD_getErrorName(result));
    return AKIDB_OK;
}

static akidb_status compress_split_zstd(ZSTD_CCtx *zstd, akidb_slice page, size_t head,
                                        akidb_buffer *buffer, akidb_error *err)
{
    bool done = false;
    akidb_status status = tune_zstd(zstd, true, err);
    if (status == AKIDB_OK)
        status = ak_zstd_compress_around(zstd, page, head, ak_zstd_noise(page, head), buffer, &done,
                                         err);
    if (status == AKIDB_OK && !done)
        status = compress_zstd(zstd, page, buffer, err);
    akidb_status reset = tune_zstd(zstd, false, status == AKIDB_OK ? err : NULL);
    return status == AKIDB_OK ? reset : status;
}

akidb_status ak_compress_split_floats(ak_compressor *compressor, akidb_slice page, size_t head,
                                      akidb_buffer *buffer, akidb_error *err)
{
    if (compressor->codec != AK_CODEC_ZSTD || compressor->level != 1)
        return ak_compress(compressor, &page, 1, buffer, err);
    size_t before = buffer->size;
    akidb_status status = compress_split_zstd(compressor->zstd, page, head, buffer, err);
    if (status != AKIDB_OK)
        buffer->size = before;
    return status;
}

/* ---- decompressing --------------------------------------------------------------------------- */

struct ak_decompressor {
    ZSTD_DCtx *zstd; /* NULL until it is needed, as the next */
    z_stream gzip;
    bool gzip_ready;
};

akidb_status ak_decompressor_new(ak_decompressor **decompressor_out, akidb_error *err)
{
    *decompressor_out = calloc(1, sizeof **decompressor_out);
    if (*decompressor_out == NULL)
        return ak_fail_memory(err, sizeof **decompressor_out);
    return AKIDB_OK;
}

void ak_decompressor_free(ak_decompressor *decompressor)
{
    if (decompressor == NULL)
        return;
    ZSTD_freeDCtx(decompressor->zstd);
    if (decompressor->gzip_ready)
        inflateEnd(&decompressor->gzip);
    free(decompressor);
}

static akidb_status fail_size(int codec, size_t expected, size_t found, akidb_error *err)
{
    return ak_fail(err, AKIDB_E_CORRUPTION, "%s: expected %zu bytes once decompressed, found %zu",
                   codecs[codec].name, expected, found);
}

static akidb_status fail_damaged(int codec, akidb_slice bytes, const char *reason, akidb_error *err)
{
    return ak_fail(err, AKIDB_E_CORRUPTION, "%s: %zu compressed bytes are damaged: %s",
                   codecs[codec].name, bytes.size, reason);
}

static akidb_status copy_plain(akidb_slice bytes, uint8_t *out, size_t out_size, akidb_error *err)
{
    if (bytes.size != out_size)
        return fail_size(AK_CODEC_UNCOMPRESSED, out_size, bytes.size, err);
    memcpy(out, bytes.data, out_size);
    return AKIDB_OK;
}

static akidb_status decompress_snappy(akidb_slice bytes, uint8_t *out, size_t out_size,
                                      akidb_error *err)
{
    size_t claimed;
    if (snappy_uncompressed_length(bytes.data, bytes.size, &claimed) != SNAPPY_OK)
        return fail_damaged(AK_CODEC_SNAPPY, bytes, "no length at the beginning", err);
    if (claimed != out_size)
        return fail_size(AK_CODEC_SNAPPY, out_size, claimed, err);
    size_t written = out_size;
    if (snappy_uncompress(bytes.data, bytes.size, (char *)out, &written) != SNAPPY_OK)
        return fail_damaged(AK_CODEC_SNAPPY, bytes, "not a block of Snappy", err);
    return written == out_size ? AKIDB_OK : fail_size(AK_CODEC_SNAPPY, out_size, written, err);
}

/* Whether the bytes are one LZ4 block of exactly so many bytes. */
static bool lz4_block_fits(const uint8_t *from, size_t size, uint8_t *out, size_t out_size)
{
    if (size > INT_MAX || out_size > INT_MAX)
        return false;
    int written = LZ4_decompress_safe((const char *)from, (char *)out, (int)size, (int)out_size);
    return written >= 0 && (size_t)written == out_size;
}

static akidb_status decompress_lz4(int codec, akidb_slice bytes, uint8_t *out, size_t out_size,
                                   akidb_error *err)
{
    if (lz4_block_fits(bytes.data, bytes.size, out, out_size))
        return AKIDB_OK;
    return ak_fail(err, AKIDB_E_CORRUPTION,
                   "%s: %zu compressed bytes are damaged, or not %zu bytes once decompressed",
                   codecs[codec].name, bytes.size, out_size);
}

static uint32_t load_big_endian(const uint8_t *from)
{
    return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

/* Hadoop's frames: the decompressed size, the compressed size, the block; until the bytes end. */
static bool hadoop_frames_fit(akidb_slice bytes, uint8_t *out, size_t out_size)
{
    enum { HEADER = 8 };
    const uint8_t *from = bytes.data;
    size_t left = bytes.size;
    while (left > 0) {
        if (left < HEADER)
            return false;
        size_t size = load_big_endian(from);
        size_t block_size = load_big_endian(from + 4);
        from += HEADER;
        left -= HEADER;
        if (size > out_size || block_size > left || !lz4_block_fits(from, block_size, out, size))
            return false;
        out += size;
        out_size -= size;
        from += block_size;
        left -= block_size;
    }
    return out_size == 0;
}

/* Arrow's C++ library once wrote bare blocks under the same number; nothing tells them apart but
 * that they decompress. */
static akidb_status decompress_lz4_hadoop(akidb_slice bytes, uint8_t *out, size_t out_size,
                                          akidb_error *err)
{
    if (hadoop_frames_fit(bytes, out, out_size))
        return AKIDB_OK;
    return decompress_lz4(AK_CODEC_LZ4_HADOOP, bytes, out, out_size, err);
}

static akidb_status decompress_zstd(ak_decompressor *decompressor, akidb_slice bytes, uint8_t *out,
                                    size_t out_size, akidb_error *err)
{
    if (decompressor->zstd == NULL)
        decompressor->zstd = ZSTD_createDCtx();
    if (decompressor->zstd == NULL)
        return fail_state(AK_CODEC_ZSTD, err);
    /* Takes frames one after the other, and needs no content size when all room is given. */
    size_t written = ZSTD_decompressDCtx(decompressor->zstd, out, out_size, bytes.data, bytes.size);
    if (ZSTD_getErrorCode(written) == ZSTD_error_memory_allocation)
        return fail_state(AK_CODEC_ZSTD, err);
    if (ZSTD_getErrorCode(written) == ZSTD_error_dstSize_tooSmall)
        return ak_fail(err, AKIDB_E_CORRUPTION,
                       "ZSTD: expected %zu bytes once decompressed, found more", out_size);
    if (ZSTD_isError(written))
        return fail_damaged(AK_CODEC_ZSTD, bytes, ZSTD_getErrorName(written), err);
    return written == out_size ? AKIDB_OK : fail_size(AK_CODEC_ZSTD, out_size, written, err);
}

static akidb_status start_inflate(ak_decompressor *decompressor, akidb_error *err)
{
    z_stream *gzip = &decompressor->gzip;
    if (decompressor->gzip_ready)
        return inflateReset(gzip) == Z_OK ? AKIDB_OK : fail_state(AK_CODEC_GZIP, err);
    if (inflateInit2(gzip, GZIP_WINDOW) != Z_OK)
        return fail_state(AK_CODEC_GZIP, err);
    decompressor->gzip_ready = true;
    return AKIDB_OK;
}

/* Members follow each other until the bytes end; each carries its own CRC, which zlib checks. When
 * the room is full, a member may still have its end to read, but no byte to give. */
static akidb_status decompress_gzip(ak_decompressor *decompressor, akidb_slice bytes, uint8_t *out,
                                    size_t out_size, akidb_error *err)
{
    akidb_status status = start_inflate(decompressor, err);
    if (status != AKIDB_OK)
        return status;
    z_stream *gzip = &decompressor->gzip;
    const uint8_t *from = bytes.data;
    size_t left = bytes.size;
    size_t room = out_size;
    int result = Z_STREAM_END;
    do {
        uInt offered = left < ZLIB_PIECE ? (uInt)left : ZLIB_PIECE;
        uInt given = room < ZLIB_PIECE ? (uInt)room : ZLIB_PIECE;
        gzip->next_in = (z_const Bytef *)from;
        gzip->avail_in = offered;
        gzip->next_out = out + (out_size - room);
        gzip->avail_out = given;
        result = inflate(gzip, Z_NO_FLUSH);
        from += offered - gzip->avail_in;
        left -= offered - gzip->avail_in;
        room -= given - gzip->avail_out;
        bool moved = gzip->avail_in < offered || gzip->avail_out < given;
        if (result == Z_MEM_ERROR)
            return fail_state(AK_CODEC_GZIP, err);
        if (result == Z_STREAM_END && left > 0)
            result = inflateReset(gzip);
        else if (result == Z_OK && !moved)
            result = Z_BUF_ERROR;
    } while (result == Z_OK);
    if (result == Z_BUF_ERROR)
        return fail_damaged(AK_CODEC_GZIP, bytes, room == 0 ? "more than expected" : "cut off",
                            err);
    if (result != Z_STREAM_END)
        return fail_damaged(AK_CODEC_GZIP, bytes, gzip->msg == NULL ? "not gzip" : gzip->msg, err);
    return room == 0 ? AKIDB_OK : fail_size(AK_CODEC_GZIP, out_size, out_size - room, err);
}

akidb_status ak_decompress(ak_decompressor *decompressor, int codec, akidb_slice bytes,
                           uint8_t *out, size_t out_size, akidb_error *err)
{
    uint8_t nowhere = 0; /* the libraries want an address even for no bytes */
    if (!ak_codec_can_read(codec))
        return fail_unsupported(codec, "read", err);
    if (out_size == 0 && bytes.size == 0)
        return AKIDB_OK; /* some writers leave out an empty page's body altogether */
    if (out_size == 0)
        out = &nowhere;
    if (bytes.size == 0)
        bytes.data = &nowhere;
    switch ((ak_codec)codec) {
    case AK_CODEC_UNCOMPRESSED: return copy_plain(bytes, out, out_size, err);
    case AK_CODEC_SNAPPY: return decompress_snappy(bytes, out, out_size, err);
    case AK_CODEC_GZIP: return decompress_gzip(decompressor, bytes, out, out_size, err);
    case AK_CODEC_LZ4_HADOOP: return decompress_lz4_hadoop(bytes, out, out_size, err);
    case AK_CODEC_ZSTD: return decompress_zstd(decompressor, bytes, out, out_size, err);
    case AK_CODEC_LZ4_RAW: return decompress_lz4(codec, bytes, out, out_size, err);
    case AK_CODEC_LZO:
    case AK_CODEC_BROTLI: break; /* refused above */
    }
    return fail_unsupported(codec, "read", err);
}
