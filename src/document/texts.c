#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "document/documents.h"

static akidb_status reserve_offsets(ak_texts *texts, size_t rows, akidb_error *err)
{
    void *offsets = texts->offsets;
    akidb_status status =
        ak_array_reserve(&offsets, &texts->offset_capacity, rows + 1, sizeof *texts->offsets, err);
    texts->offsets = offsets;
    return status;
}

static akidb_status reserve_validity(ak_texts *texts, size_t rows, akidb_error *err)
{
    void *validity = texts->validity;
    akidb_status status =
        ak_array_reserve(&validity, &texts->validity_capacity, rows / 8 + 1, 1, err);
    texts->validity = validity;
    return status;
}

/* Makes room for row `rows`. When the column was absent so far, its rows become nulls; when none
 * was null and this one is, they become a bitmap of ones. */
static akidb_status make_room(ak_texts *texts, size_t rows, akidb_slice text, akidb_error *err)
{
    bool was_absent = texts->offsets == NULL;
    bool was_full = texts->validity == NULL;
    akidb_status status = ak_buffer_reserve(&texts->bytes, text.size, err);
    if (status == AKIDB_OK && (!was_full || text.data == NULL || (was_absent && rows > 0))) {
        status = reserve_validity(texts, rows, err);
        if (status == AKIDB_OK && (was_full || was_absent))
            memset(texts->validity, was_absent ? 0 : 0xFF, rows / 8 + 1);
    }
    if (status == AKIDB_OK)
        status = reserve_offsets(texts, rows + 1, err);
    if (status == AKIDB_OK && was_absent)
        memset(texts->offsets, 0, (rows + 1) * sizeof *texts->offsets);
    return status;
}

akidb_status ak_texts_append(ak_texts *texts, size_t rows, akidb_slice text, akidb_error *err)
{
    if (text.data == NULL) {
        text.size = 0;
        if (texts->offsets == NULL)
            return AKIDB_OK; /* an absent column stays so */
    }
    ak_texts_truncate(texts, rows);
    akidb_status status = make_room(texts, rows, text, err);
    if (status != AKIDB_OK)
        return status;
    if (text.size > 0)
        memcpy(texts->bytes.data + texts->bytes.size, text.data, text.size);
    texts->bytes.size += text.size;
    texts->offsets[rows + 1] = texts->bytes.size;
    if (texts->validity != NULL) {
        uint8_t bit = (uint8_t)(1 << rows % 8);
        uint8_t *byte = &texts->validity[rows / 8];
        if (rows % 8 == 0)
            *byte = 0;
        *byte = (uint8_t)(text.data == NULL ? *byte & ~bit : *byte | bit);
    }
    return AKIDB_OK;
}

akidb_status ak_texts_append_rows(ak_texts *texts, size_t rows, const akidb_texts *from,
                                  size_t first, size_t count, akidb_error *err)
{
    if (from->offsets == NULL && texts->offsets == NULL)
        return AKIDB_OK;
    for (size_t i = 0; i < count; i++) {
        akidb_status status =
            ak_texts_append(texts, rows + i, akidb_texts_at(from, first + i), err);
        if (status != AKIDB_OK) {
            ak_texts_truncate(texts, rows);
            return status;
        }
    }
    return AKIDB_OK;
}

void ak_texts_truncate(ak_texts *texts, size_t rows)
{
    if (texts->offsets != NULL)
        texts->bytes.size = (size_t)texts->offsets[rows];
}

void ak_texts_free(ak_texts *texts)
{
    free(texts->offsets);
    free(texts->validity);
    akidb_buffer_free(&texts->bytes);
    *texts = (ak_texts){0};
}

akidb_texts ak_texts_view(const ak_texts *texts)
{
    if (texts->offsets == NULL)
        return (akidb_texts){NULL, NULL, NULL};
    return (akidb_texts){texts->offsets, (const char *)texts->bytes.data, texts->validity};
}
