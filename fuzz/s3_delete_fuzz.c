/* layers: os json net store */
/* Properties: what a server says of keys that were deleted settles each of them, and a failure that
 * is returned is one of theirs. */
#include <stdlib.h>
#include <string.h>

#include "store/s3/objects.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { KEYS = 4 };

static void check(akidb_status returned, const akidb_status *outcomes)
{
    bool found = returned == AKIDB_OK;
    for (size_t i = 0; i < KEYS; i++) {
        akidb_status o = outcomes[i];
        if (o != AKIDB_OK && o != AKIDB_E_UNSUPPORTED && o != AKIDB_E_PERMISSION &&
            o != AKIDB_E_STORE)
            abort();
        if (returned == AKIDB_OK && o != AKIDB_OK && o != AKIDB_E_UNSUPPORTED)
            abort();
        found = found || o == returned;
    }
    if (!found)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const keys[KEYS] = {"a & b", "c", "folder/d", "e"};
    akidb_status outcomes[KEYS] = {AKIDB_OK};
    char bucket[] = "bucket", prefix[] = "p/";
    const ak_s3_client client = {.bucket = bucket, .prefix = prefix};
    ak_s3_answer answer = {.http = {.code = 200}};
    akidb_error err;
    answer.http.body.data = malloc(size + 1);
    if (answer.http.body.data == NULL)
        return 0;
    memcpy(answer.http.body.data, data, size);
    answer.http.body.size = size;
    check(ak_s3_read_deleted(&client, &answer, keys, KEYS, outcomes, &err), outcomes);
    ak_s3_answer_free(&answer);
    return 0;
}
