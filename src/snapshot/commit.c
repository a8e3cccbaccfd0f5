/* The one moment at which a snapshot begins to exist. */
#include <string.h>

#include "base/error.h"
#include "snapshot/metadata.h"
#include "snapshot/writer.h"

typedef enum found { FOUND_OURS, FOUND_OTHER, FOUND_NOTHING, FOUND_NO_ANSWER } found;

/* What lies under the key. The bytes hold the writer's random id: equal bytes are our own. */
static found read_back(akidb_store *store, const char *key, akidb_slice text)
{
    akidb_buffer stored = {0};
    akidb_status status = akidb_store_get(store, key, AK_METADATA_BYTES_MAX, &stored, NULL);
    found result = FOUND_NO_ANSWER;
    if (status == AKIDB_E_NOT_FOUND)
        result = FOUND_NOTHING;
    else if (status == AKIDB_OK)
        result = stored.size == text.size && memcmp(stored.data, text.data, text.size) == 0
                     ? FOUND_OURS
                     : FOUND_OTHER;
    akidb_buffer_free(&stored);
    return result;
}

static akidb_status fail_uncertain(const char *key, const akidb_error *cause, akidb_error *err)
{
    return ak_fail_at(err, AKIDB_E_UNCERTAIN, AK_IN(key),
                      "the commit may or may not have happened, nothing was removed: %s",
                      cause->message);
}

akidb_status ak_commit_metadata(akidb_store *store, const char *key, akidb_slice text,
                                bool *absent_out, akidb_error *err)
{
    enum { ATTEMPTS = 3 };
    *absent_out = false;
    akidb_error cause = {0};
    bool lost = false; /* an answer was lost, so an object under the key may be ours */
    for (int attempt = 1;; attempt++) {
        akidb_status status = akidb_store_put(store, key, &text, 1, AKIDB_PUT_IF_ABSENT, &cause);
        if (status == AKIDB_OK)
            return AKIDB_OK;
        bool cancelled = status == AKIDB_E_CANCELLED; /* perhaps amid the request: no answer */
        lost = lost || cancelled || status == AKIDB_E_UNCERTAIN || status == AKIDB_E_TIMEOUT;
        bool taken = status == AKIDB_E_ALREADY_EXISTS;
        found there = read_back(store, key, text);
        if (there == FOUND_OURS && taken)
            return AKIDB_OK;
        if (there == FOUND_OTHER)
            return ak_fail_at(err, AKIDB_E_ALREADY_EXISTS, AK_IN(key),
                              "expected nothing under a new id, found another snapshot");
        /* To put the same bytes again does no harm: one of them wins. That they can be seen is not
         * enough, for a disk whose folder could not be synced shows them too and may lose them: the
         * store must say that the key is taken, which it says of what lasts. */
        if ((there == FOUND_NOTHING || there == FOUND_OURS) && lost && !cancelled &&
            attempt < ATTEMPTS)
            continue;
        /* A refused put that left our bytes visible may not be durable: that is doubt too. */
        if (there == FOUND_OURS || lost || (taken && there == FOUND_NO_ANSWER))
            return fail_uncertain(key, &cause, err);
        *absent_out = there == FOUND_NOTHING;
        if (err != NULL)
            *err = cause;
        return status;
    }
}
