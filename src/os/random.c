#include "os/random.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/error.h"

akidb_status ak_random_bytes(void *bytes, size_t size, akidb_error *err)
{
    size_t done = 0;
    while (done < size) {
        ssize_t n = getrandom((uint8_t *)bytes + done, size - done, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            akidb_status status = ak_fail_errno(err, errno, NULL, "asking for random numbers");
            memset(bytes, 0, size);
            return status;
        }
        done += (size_t)n;
    }
    return AKIDB_OK;
}

/* RFC 9562, section 5.4. */
akidb_status akidb_uuid_new_v4(akidb_uuid *uuid_out, akidb_error *err)
{
    akidb_status status = ak_random_bytes(uuid_out->bytes, sizeof uuid_out->bytes, err);
    if (status != AKIDB_OK)
        return status;
    uuid_out->bytes[6] = (uint8_t)(0x40 | (uuid_out->bytes[6] & 0x0F));
    uuid_out->bytes[8] = (uint8_t)(0x80 | (uuid_out->bytes[8] & 0x3F));
    return AKIDB_OK;
}
