/* Snappy's framing format, as framing_format.txt of the Snappy project has it: chunks of a type
 * byte, a length of three bytes, and a body. */
#include <snappy-c.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/checksum.h"
#include "base/endian.h"
#include "base/error.h"
#include "codec/stream_ops.h"

enum {
    CHUNK_COMPRESSED = 0x00,
    CHUNK_UNCOMPRESSED = 0x01,
    CHUNK_SKIPPABLE = 0x80, /* from here up to padding: readers skip them */
    CHUNK_PADDING = 0xFE,
    CHUNK_IDENTIFIER = 0xFF,
    HEADER_SIZE = 4,
    CRC_SIZE = 4,
    BLOCK_SIZE = 65536, /* the most that a chunk may hold once decoded */
    COMPRESSED_MAX = 32 + BLOCK_SIZE + BLOCK_SIZE / 6, /* snappy_max_compressed_length of it */
    BODY_MAX = CRC_SIZE + COMPRESSED_MAX
};

static const char identifier[] = "sNaPpY";
enum { IDENTIFIER_SIZE = sizeof identifier - 1 };

/* A checksum over data that holds checksums is weak, so the format stores it rotated and offset. */
static uint32_t masked_crc(const void *bytes, size_t size)
{
    uint32_t crc = ak_crc32c(0, bytes, size);
    return ((crc >> 15) | (crc << 17)) + UINT32_C(0xA282EAD8);
}

/* ---- encoder --------------------------------------------------------------------------------- */

typedef struct encoder {
    bool begun;
    size_t size; /* of block */
    uint8_t block[BLOCK_SIZE];
} encoder;

static akidb_status encoder_new(int level, void **state_out, akidb_error *err)
{
    (void)level;
    encoder *state = calloc(1, sizeof *state);
    if (state == NULL)
        return ak_fail_memory(err, sizeof *state);
    *state_out = state;
    return AKIDB_OK;
}

static void put_header(uint8_t *out, int type, size_t size)
{
    out[0] = (uint8_t)type;
    out[1] = (uint8_t)size;
    out[2] = (uint8_t)(size >> 8);
    out[3] = (uint8_t)(size >> 16);
}

static akidb_status begin(encoder *state, akidb_buffer *out, akidb_error *err)
{
    if (state->begun)
        return AKIDB_OK;
    uint8_t header[HEADER_SIZE];
    put_header(header, CHUNK_IDENTIFIER, IDENTIFIER_SIZE);
    akidb_status status = ak_buffer_reserve(out, HEADER_SIZE + IDENTIFIER_SIZE, err);
    if (status == AKIDB_OK)
        status = ak_buffer_append(out, header, HEADER_SIZE, err);
    if (status == AKIDB_OK)
        status = ak_buffer_append(out, identifier, IDENTIFIER_SIZE, err);
    state->begun = status == AKIDB_OK;
    return status;
}

/* Writes the block as a chunk: compressed, unless it does not shrink. */
static akidb_status put_block(encoder *state, akidb_buffer *out, akidb_error *err)
{
    akidb_status status = ak_buffer_reserve(out, HEADER_SIZE + BODY_MAX, err);
    if (status != AKIDB_OK)
        return status;
    uint8_t *chunk = out->data + out->size;
    uint8_t *body = chunk + HEADER_SIZE + CRC_SIZE;
    size_t size = COMPRESSED_MAX;
    int type = CHUNK_COMPRESSED;
    if (snappy_compress((const char *)state->block, state->size, (char *)body, &size) !=
            SNAPPY_OK ||
        size >= state->size) {
        type = CHUNK_UNCOMPRESSED;
        size = state->size;
        memcpy(body, state->block, size);
    }
    put_header(chunk, type, CRC_SIZE + size);
    ak_store_u32(chunk + HEADER_SIZE, masked_crc(state->block, state->size));
    out->size += HEADER_SIZE + CRC_SIZE + size;
    state->size = 0;
    return AKIDB_OK;
}

static akidb_status encode(void *handle, akidb_slice bytes, bool finish, akidb_buffer *out,
                           akidb_error *err)
{
    encoder *state = handle;
    akidb_status status = begin(state, out, err);
    const uint8_t *next = bytes.data;
    size_t left = bytes.size;
    while (status == AKIDB_OK && left > 0) {
        size_t room = BLOCK_SIZE - state->size;
        size_t size = left < room ? left : room;
        memcpy(state->block + state->size, next, size);
        state->size += size;
        next += size;
        left -= size;
        if (state->size == BLOCK_SIZE)
            status = put_block(state, out, err);
    }
    if (status == AKIDB_OK && finish && state->size > 0)
        status = put_block(state, out, err);
    return status;
}

/* ---- decoder --------------------------------------------------------------------------------- */

typedef struct decoder {
    bool begun;   /* the identifier has been there */
    size_t have;  /* bytes of header and body so far */
    size_t skip;  /* bytes of a skippable chunk still to come */
    size_t given; /* bytes of block handed out */
    size_t size;  /* bytes of block there are */
    uint8_t chunk[HEADER_SIZE + BODY_MAX];
    uint8_t block[BLOCK_SIZE];
} decoder;

static akidb_status decoder_new(void **state_out, akidb_error *err)
{
    decoder *state = calloc(1, sizeof *state);
    if (state == NULL)
        return ak_fail_memory(err, sizeof *state);
    *state_out = state;
    return AKIDB_OK;
}

static size_t body_size(const decoder *state)
{
    return (size_t)state->chunk[1] | (size_t)state->chunk[2] << 8 | (size_t)state->chunk[3] << 16;
}

static akidb_status fail_chunk(const decoder *state, akidb_error *err, const char *expected)
{
    return ak_fail(err, AKIDB_E_CORRUPTION,
                   "snappy stream: expected %s, found a chunk of type %u and %zu bytes", expected,
                   (unsigned)state->chunk[0], body_size(state));
}

/* A header is whole: decides whether its body is gathered, or skipped, or refused. */
static akidb_status check_header(decoder *state, akidb_error *err)
{
    int type = state->chunk[0];
    size_t size = body_size(state);
    if (!state->begun && type != CHUNK_IDENTIFIER)
        return fail_chunk(state, err, "the stream identifier");
    if (type == CHUNK_IDENTIFIER && size != IDENTIFIER_SIZE)
        return fail_chunk(state, err, "a stream identifier of 6 bytes");
    if (type == CHUNK_COMPRESSED && (size < CRC_SIZE || size > BODY_MAX))
        return fail_chunk(state, err, "at most 65,536 bytes compressed");
    if (type == CHUNK_UNCOMPRESSED && (size < CRC_SIZE || size > CRC_SIZE + BLOCK_SIZE))
        return fail_chunk(state, err, "at most 65,536 bytes");
    if (type > CHUNK_UNCOMPRESSED && type < CHUNK_SKIPPABLE)
        return fail_chunk(state, err, "a chunk type that may be skipped");
    if (type >= CHUNK_SKIPPABLE && type <= CHUNK_PADDING) {
        state->skip = size;
        state->have = 0;
    }
    return AKIDB_OK;
}

/* A chunk is whole: decodes it into the block and checks it. */
static akidb_status take_chunk(decoder *state, akidb_error *err)
{
    const uint8_t *body = state->chunk + HEADER_SIZE;
    size_t size = body_size(state);
    state->have = 0;
    if (state->chunk[0] == CHUNK_IDENTIFIER) {
        if (memcmp(body, identifier, IDENTIFIER_SIZE) != 0)
            return fail_chunk(state, err, "the stream identifier \"sNaPpY\"");
        state->begun = true;
        return AKIDB_OK;
    }
    const char *data = (const char *)body + CRC_SIZE;
    size -= CRC_SIZE;
    state->size = size;
    if (state->chunk[0] == CHUNK_UNCOMPRESSED) {
        memcpy(state->block, data, size);
    } else {
        if (snappy_uncompressed_length(data, size, &state->size) != SNAPPY_OK ||
            state->size > BLOCK_SIZE ||
            snappy_uncompress(data, size, (char *)state->block, &state->size) != SNAPPY_OK)
            return fail_chunk(state, err, "a Snappy block of at most 65,536 bytes");
    }
    uint32_t expected = ak_load_u32(body), found = masked_crc(state->block, state->size);
    if (expected != found)
        return ak_fail(err, AKIDB_E_CORRUPTION,
                       "snappy stream: chunk checksum: expected %08x, found %08x",
                       (unsigned)expected, (unsigned)found);
    state->given = 0;
    return AKIDB_OK;
}

/* Takes bytes towards `wanted` bytes of the chunk; true when they are there. */
static bool gather(decoder *state, akidb_slice *bytes, size_t wanted)
{
    size_t missing = wanted - state->have;
    size_t size = bytes->size < missing ? bytes->size : missing;
    if (size > 0) {
        memcpy(state->chunk + state->have, bytes->data, size);
        *bytes = (akidb_slice){(const uint8_t *)bytes->data + size, bytes->size - size};
        state->have += size;
    }
    return state->have == wanted;
}

/* Takes as many bytes as one step of the format needs. */
static akidb_status advance(decoder *state, akidb_slice *bytes, akidb_error *err)
{
    if (state->skip > 0) {
        size_t size = bytes->size < state->skip ? bytes->size : state->skip;
        *bytes = (akidb_slice){(const uint8_t *)bytes->data + size, bytes->size - size};
        state->skip -= size;
        return AKIDB_OK;
    }
    if (state->have < HEADER_SIZE) {
        if (!gather(state, bytes, HEADER_SIZE))
            return AKIDB_OK;
        return check_header(state, err);
    }
    if (gather(state, bytes, HEADER_SIZE + body_size(state)))
        return take_chunk(state, err);
    return AKIDB_OK;
}

static akidb_status decode(void *handle, akidb_slice *bytes, uint8_t *out, size_t capacity,
                           size_t *size_out, akidb_error *err)
{
    decoder *state = handle;
    while (state->given == state->size && bytes->size > 0) {
        akidb_status status = advance(state, bytes, err);
        if (status != AKIDB_OK)
            return status;
    }
    size_t left = state->size - state->given;
    size_t size = left < capacity ? left : capacity;
    memcpy(out, state->block + state->given, size);
    state->given += size;
    *size_out = size;
    return AKIDB_OK;
}

static bool at_end(const void *handle)
{
    const decoder *state = handle;
    return state->begun && state->have == 0 && state->skip == 0 && state->given == state->size;
}

const ak_stream_ops ak_stream_snappy = {
    .name = "snappy",
    .level_max = 0,
    .level_default = 0,
    .encoder_new = encoder_new,
    .encode = encode,
    .encoder_free = free,
    .decoder_new = decoder_new,
    .decode = decode,
    .at_end = at_end,
    .decoder_free = free,
};
