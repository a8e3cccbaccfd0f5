#include "store_input.h"

static akidb_status read_at(void *handle, uint64_t offset, void *dst, size_t size, akidb_error *err)
{
    const cli_object *object = handle;
    size_t done;
    akidb_status status =
        akidb_store_get_range(object->store, object->key, offset, dst, size, &done, err);
    if (status != AKIDB_OK || done == size)
        return status;
    akidb_error unused;
    return cli_set_error(err != NULL ? err : &unused, AKIDB_E_CORRUPTION,
                         "%s: at byte %llu: expected %zu bytes, found %zu: the object became "
                         "shorter",
                         object->key, (unsigned long long)offset, size, done);
}

akidb_input cli_store_input(cli_object *object, uint64_t size)
{
    static const akidb_input_ops ops = {.read_at = read_at};
    return (akidb_input){&ops, object, size, object->key};
}
