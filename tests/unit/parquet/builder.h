#ifndef AK_TEST_PARQUET_BUILDER_H
#define AK_TEST_PARQUET_BUILDER_H
/*
 * Small Parquet files, page by page, that may break any rule: what no writer gives. A file has one
 * row group. Add a column's schema elements, then its pages; change the public structs as you like;
 * then decode. Pages are not compressed unless the chunk's codec and the header say so.
 */
#include <stdlib.h>
#include <string.h>

#include "akidb/parquet.h"
#include "base/buffer.h"
#include "codec/levels.h"
#include "parquet/metadata.h"
#include "parquet/row_stream.h"
#include "test.h"

typedef struct builder {
    akidb_buffer file;
    ak_schema_element schema[100];
    size_t schema_count;
    ak_column_chunk chunks[4];
    size_t chunk_count;
    int encodings[4][10];
    ak_row_group group;
    ak_file_metadata metadata;
    akidb_parquet_read_options options;
    akidb_error err;
} builder;

static inline void build_begin(builder *b, int64_t rows)
{
    memset(b, 0, sizeof *b);
    b->options.struct_size = sizeof b->options;
    b->group.num_rows = rows;
    b->metadata.num_rows = rows;
    b->metadata.version = 1;
    b->schema[0] = (ak_schema_element){
        .type = -1, .repetition = -1, .name = "schema", .converted_type = AK_CONVERTED_NONE};
    b->schema_count = 1;
    assert_ok(b->err, ak_buffer_append(&b->file, "PAR1", 4, &b->err));
}

/* A group has type -1; `children` of a leaf is 0. */
static inline ak_schema_element *build_element(builder *b, const char *name, int type,
                                               int repetition, int children)
{
    ak_schema_element *element = &b->schema[b->schema_count++];
    *element = (ak_schema_element){.type = type,
                                   .repetition = repetition,
                                   .name = name,
                                   .num_children = children,
                                   .converted_type = AK_CONVERTED_NONE};
    return element;
}

/* Begins the chunk of a leaf whose elements are there; all encodings are listed in it. */
static inline ak_column_chunk *build_chunk(builder *b, int type)
{
    static const char *const path[] = {"a"};
    ak_column_chunk *chunk = &b->chunks[b->chunk_count];
    int *encodings = b->encodings[b->chunk_count++];
    for (int i = 0; i < 10; i++)
        encodings[i] = i;
    b->schema[0].num_children++;
    *chunk = (ak_column_chunk){.type = type,
                               .encodings = encodings,
                               .encoding_count = 10,
                               .path_in_schema = path,
                               .path_count = 1,
                               .data_page_offset = (int64_t)b->file.size};
    return chunk;
}

static inline ak_column_chunk *build_flat(builder *b, const char *name, int type, int repetition)
{
    build_element(b, name, type, repetition, 0);
    return build_chunk(b, type);
}

/* required group vector { repeated group list { required float element } } */
static inline ak_column_chunk *build_vector(builder *b)
{
    build_element(b, "vector", -1, AK_REQUIRED, 1);
    build_element(b, "list", -1, AK_REPEATED, 1);
    build_element(b, "element", AK_TYPE_FLOAT, AK_REQUIRED, 0);
    return build_chunk(b, AK_TYPE_FLOAT);
}

static inline void put_bytes(akidb_buffer *buffer, const void *bytes, size_t size)
{
    akidb_error err;
    assert_ok(err, ak_buffer_append(buffer, bytes, size, &err));
}

static inline void put_u32(akidb_buffer *buffer, uint32_t value)
{
    put_bytes(buffer, &value, sizeof value);
}

static inline void put_text(akidb_buffer *buffer, const char *text)
{
    put_u32(buffer, (uint32_t)strlen(text));
    put_bytes(buffer, text, strlen(text));
}

/* `count` times the level, behind its length, as one run. */
static inline void put_constant_levels(akidb_buffer *buffer, uint64_t count, uint8_t level)
{
    akidb_error err;
    akidb_buffer levels = {0};
    assert_ok(err, ak_levels_append_constant(&levels, count, level, &err));
    put_u32(buffer, (uint32_t)levels.size);
    put_bytes(buffer, levels.data, levels.size);
    akidb_buffer_free(&levels);
}

/* Levels one by one, bit-packed, behind their length; one bit each. */
static inline void put_levels(akidb_buffer *buffer, const uint8_t *levels, size_t count)
{
    uint8_t bytes[32] = {0};
    size_t groups = (count + 7) / 8;
    bytes[0] = (uint8_t)(groups << 1 | 1);
    for (size_t i = 0; i < count; i++)
        bytes[1 + i / 8] = (uint8_t)(bytes[1 + i / 8] | levels[i] << i % 8);
    put_u32(buffer, (uint32_t)(1 + groups));
    put_bytes(buffer, bytes, 1 + groups);
}

static inline void put_floats(akidb_buffer *buffer, size_t first, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        float value = (float)(first + i);
        put_bytes(buffer, &value, sizeof value);
    }
}

/* The body of a V1 page of `rows` vectors, which begin with the value `first`. */
static inline akidb_buffer vector_body(uint64_t rows, uint32_t k, size_t first)
{
    akidb_error err;
    akidb_buffer body = {0}, levels = {0};
    assert_ok(err, ak_levels_append_fixed_repetition(&levels, rows, k, &err));
    put_u32(&body, (uint32_t)levels.size);
    put_bytes(&body, levels.data, levels.size);
    put_constant_levels(&body, rows * k, 1);
    put_floats(&body, first, (size_t)rows * k);
    akidb_buffer_free(&levels);
    return body;
}

static inline ak_page_header data_header(int32_t values, size_t size)
{
    return (ak_page_header){.type = AK_PAGE_DATA,
                            .uncompressed_size = (int32_t)size,
                            .compressed_size = (int32_t)size,
                            .num_values = values,
                            .encoding = AK_ENCODING_PLAIN,
                            .definition_encoding = AK_ENCODING_RLE,
                            .repetition_encoding = AK_ENCODING_RLE};
}

/* Adds a page to the last chunk, whose sizes and counts follow. */
static inline void build_page(builder *b, const ak_page_header *header, akidb_buffer *body)
{
    ak_column_chunk *chunk = &b->chunks[b->chunk_count - 1];
    size_t before = b->file.size;
    assert_ok(b->err, ak_page_header_write(header, &b->file, &b->err));
    put_bytes(&b->file, body->data, body->size);
    chunk->total_compressed_size += (int64_t)(b->file.size - before);
    chunk->total_uncompressed_size = chunk->total_compressed_size;
    if (header->type == AK_PAGE_DATA || header->type == AK_PAGE_DATA_V2)
        chunk->num_values += header->num_values;
    akidb_buffer_free(body);
}

static inline void build_plain_page(builder *b, int32_t values, akidb_buffer body)
{
    ak_page_header header = data_header(values, body.size);
    build_page(b, &header, &body);
}

/* A sound vector column of one page. */
static inline ak_column_chunk *build_vectors(builder *b, uint64_t rows, uint32_t k)
{
    ak_column_chunk *chunk = build_vector(b);
    build_plain_page(b, (int32_t)(rows * k), vector_body(rows, k, 0));
    return chunk;
}

/* Writes the footer; the file is whole afterwards. */
static inline void build_end(builder *b)
{
    size_t before = b->file.size;
    b->group.columns = b->chunks;
    b->group.column_count = b->chunk_count;
    b->metadata.schema = b->schema;
    b->metadata.schema_count = b->schema_count;
    b->metadata.row_groups = &b->group;
    b->metadata.row_group_count = 1;
    assert_ok(b->err, ak_file_metadata_write(&b->metadata, &b->file, &b->err));
    put_u32(&b->file, (uint32_t)(b->file.size - before));
    put_bytes(&b->file, "PAR1", 4);
}

/* Decodes from an exact allocation, so that a sanitizer sees a read past the end. */
static inline akidb_status decode_exact(const akidb_buffer *file,
                                        const akidb_parquet_read_options *options,
                                        akidb_documents **documents_out, akidb_error *err)
{
    uint8_t *exact = malloc(file->size == 0 ? 1 : file->size);
    assert_non_null(exact);
    if (file->size > 0)
        memcpy(exact, file->data, file->size);
    *err = (akidb_error){0};
    akidb_status status =
        akidb_parquet_decode_batch((akidb_slice){exact, file->size}, options, documents_out, err);
    free(exact);
    return status;
}

/* The same of a row group, in pieces as small as can be. */
static inline akidb_status decode_by_pieces(const akidb_buffer *file,
                                            const akidb_parquet_read_options *options,
                                            akidb_error *err)
{
    akidb_input input = akidb_input_from_memory((akidb_slice){file->data, file->size}, "memory");
    akidb_parquet_reader *reader;
    ak_row_stream *stream = NULL;
    akidb_documents *documents = NULL;
    akidb_status status = akidb_parquet_reader_open(&input, options, &reader, err);
    if (status != AKIDB_OK)
        return status;
    if (akidb_parquet_reader_dimension(reader) > 0)
        status = akidb_documents_new(akidb_parquet_reader_dimension(reader), &documents, err);
    if (status == AKIDB_OK && documents != NULL)
        status = ak_row_stream_open(reader, 0, 1, &stream, err);
    for (size_t found = 1; status == AKIDB_OK && stream != NULL && found > 0;) {
        akidb_documents_clear(documents);
        status = ak_row_stream_next(stream, 1, documents, err);
        found = akidb_documents_batch(documents).rows;
    }
    ak_row_stream_close(stream);
    akidb_documents_free(documents);
    akidb_parquet_reader_close(reader);
    return status;
}

/* Ends the file and decodes it, which must give just this status and a message with `text`, and the
 * status by pieces, too. */
static inline void build_refused(builder *b, akidb_status expected, const char *text)
{
    akidb_documents *documents;
    akidb_error other = {0};
    build_end(b);
    akidb_status by_pieces = decode_by_pieces(&b->file, &b->options, &other);
    akidb_status status = decode_exact(&b->file, &b->options, &documents, &b->err);
    akidb_documents_free(documents);
    akidb_buffer_free(&b->file);
    if (by_pieces != expected)
        fail_msg("by pieces: expected \"%s\" with \"%s\", found \"%s\": %s",
                 akidb_status_name(expected), text, akidb_status_name(by_pieces), other.message);
    if (status != expected || (status != AKIDB_OK && strstr(b->err.message, text) == NULL))
        fail_msg("expected \"%s\" with \"%s\", found \"%s\": %s", akidb_status_name(expected), text,
                 akidb_status_name(status), b->err.message);
}

/* Ends the file and decodes it, which must succeed. */
static inline akidb_documents *build_decoded(builder *b)
{
    akidb_documents *documents;
    build_end(b);
    assert_ok(b->err, decode_exact(&b->file, &b->options, &documents, &b->err));
    akidb_buffer_free(&b->file);
    return documents;
}

#endif
