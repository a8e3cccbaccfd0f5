#include "akidb/sys/output.h"

#include "base/buffer.h"
#include "base/checked.h"
#include "base/error.h"

akidb_status akidb_output_write(const akidb_output *output, const akidb_slice *slices, size_t count,
                                akidb_error *err)
{
    if (output == NULL || output->ops == NULL || output->ops->write == NULL)
        return ak_fail(err, AKIDB_E_VALIDATION, "output: expected a write function, found none");
    if (count == 0)
        return AKIDB_OK;
    if (slices == NULL)
        return ak_fail(err, AKIDB_E_VALIDATION, "output: expected %zu slices, found NULL", count);
    return output->ops->write(output->handle, slices, count, err);
}

static akidb_status buffer_write(void *handle, const akidb_slice *slices, size_t count,
                                 akidb_error *err)
{
    akidb_buffer *buffer = handle;
    size_t total = 0;
    for (size_t i = 0; i < count; i++)
        if (!ak_add_size(total, slices[i].size, &total))
            return ak_fail_memory(err, SIZE_MAX);
    akidb_status status = ak_buffer_reserve(buffer, total, err);
    for (size_t i = 0; i < count && status == AKIDB_OK; i++)
        status = ak_buffer_append(buffer, slices[i].data, slices[i].size, err);
    return status;
}

akidb_output akidb_output_to_buffer(akidb_buffer *buffer)
{
    static const akidb_output_ops ops = {buffer_write};
    return (akidb_output){&ops, buffer};
}
