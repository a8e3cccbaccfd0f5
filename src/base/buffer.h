#ifndef AK_BASE_BUFFER_H
#define AK_BASE_BUFFER_H
/* A growing akidb_buffer. On failure (AKIDB_E_OUT_OF_MEMORY) the buffer is as it was. */
#include <stdarg.h>

#include "akidb/base.h"

/* Makes room for `extra` more bytes after buffer->size, growing by half at least. */
AKIDB_CHECK akidb_status ak_buffer_reserve(akidb_buffer *buffer, size_t extra, akidb_error *err);

AKIDB_CHECK akidb_status ak_buffer_append(akidb_buffer *buffer, const void *bytes, size_t size,
                                          akidb_error *err);

/* One byte more. */
AKIDB_CHECK akidb_status ak_buffer_put(akidb_buffer *buffer, uint8_t byte, akidb_error *err);

/* Text by a printf format, without the NUL. */
AKIDB_CHECK akidb_status ak_buffer_printf(akidb_buffer *buffer, akidb_error *err,
                                          const char *format, ...)
    __attribute__((format(printf, 3, 4)));
AKIDB_CHECK akidb_status ak_buffer_vprintf(akidb_buffer *buffer, akidb_error *err,
                                           const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));

/* Makes *array, of *capacity elements of element_size bytes, hold at least `wanted`. For arrays
 * that are not bytes. */
AKIDB_CHECK akidb_status ak_array_reserve(void **array, size_t *capacity, size_t wanted,
                                          size_t element_size, akidb_error *err);

#endif
