#include "base/options.h"

#include <string.h>

#include "base/error.h"

/* No options struct comes near this: a larger struct_size was never set. */
enum { STRUCT_SIZE_MAX = 4096 };

static bool all_zero(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

akidb_status ak_options_copy(void *to, size_t to_size, const void *from, const char *name,
                             akidb_error *err)
{
    memset(to, 0, to_size);
    if (from == NULL)
        return AKIDB_OK;
    size_t from_size;
    memcpy(&from_size, from, sizeof from_size); /* struct_size is the first member of each */
    if (from_size < sizeof from_size || from_size > STRUCT_SIZE_MAX)
        return ak_fail(err, AKIDB_E_VALIDATION, "%s.struct_size: expected sizeof(%s), found %zu",
                       name, name, from_size);
    size_t known = from_size < to_size ? from_size : to_size;
    if (!all_zero((const uint8_t *)from + known, from_size - known))
        return ak_fail(err, AKIDB_E_UNSUPPORTED,
                       "%s has fields set that version %s of the library does not know", name,
                       AKIDB_VERSION_STRING);
    memcpy(to, from, known);
    return AKIDB_OK;
}
