#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/error.h"

void akidb_buffer_free(akidb_buffer *buffer)
{
    if (buffer == NULL)
        return;
    free(buffer->data);
    *buffer = (akidb_buffer){0};
}

akidb_status ak_array_reserve(void **array, size_t *capacity, size_t wanted, size_t element_size,
                              akidb_error *err)
{
    if (wanted <= *capacity)
        return AKIDB_OK;
    size_t grown = *capacity + *capacity / 2;
    if (grown < wanted)
        grown = wanted;
    size_t bytes;
    if (!ak_mul_size(grown, element_size, &bytes) || bytes > PTRDIFF_MAX)
        return ak_fail_memory(err, SIZE_MAX);
    void *moved = realloc(*array, bytes);
    if (moved == NULL)
        return ak_fail_memory(err, bytes);
    *array = moved;
    *capacity = grown;
    return AKIDB_OK;
}

akidb_status ak_buffer_reserve(akidb_buffer *buffer, size_t extra, akidb_error *err)
{
    size_t wanted;
    if (!ak_add_size(buffer->size, extra, &wanted))
        return ak_fail_memory(err, SIZE_MAX);
    if (wanted < 64)
        wanted = 64;
    void *data = buffer->data;
    akidb_status status = ak_array_reserve(&data, &buffer->capacity, wanted, 1, err);
    buffer->data = data;
    return status;
}

akidb_status ak_buffer_append(akidb_buffer *buffer, const void *bytes, size_t size,
                              akidb_error *err)
{
    if (size == 0)
        return AKIDB_OK;
    akidb_status status = ak_buffer_reserve(buffer, size, err);
    if (status != AKIDB_OK)
        return status;
    memcpy(buffer->data + buffer->size, bytes, size);
    buffer->size += size;
    return AKIDB_OK;
}

akidb_status ak_buffer_put(akidb_buffer *buffer, uint8_t byte, akidb_error *err)
{
    return ak_buffer_append(buffer, &byte, 1, err);
}

akidb_status ak_buffer_vprintf(akidb_buffer *buffer, akidb_error *err, const char *format,
                               va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int needed = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (needed < 0)
        return ak_fail(err, AKIDB_E_VALIDATION, "text could not be formatted");
    akidb_status status = ak_buffer_reserve(buffer, (size_t)needed + 1, err);
    if (status != AKIDB_OK)
        return status;
    vsnprintf((char *)buffer->data + buffer->size, (size_t)needed + 1, format, arguments);
    buffer->size += (size_t)needed;
    return AKIDB_OK;
}

akidb_status ak_buffer_printf(akidb_buffer *buffer, akidb_error *err, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    akidb_status status = ak_buffer_vprintf(buffer, err, format, arguments);
    va_end(arguments);
    return status;
}
