#include "document/new_ids.h"

#include <string.h>

#include "akidb/sys/clock.h"
#include "os/random.h"

enum { HIGH_BITS = 12, LOW_BITS = 62 };
#define HIGH_END         (UINT64_C(1) << HIGH_BITS)
#define LOW_END          (UINT64_C(1) << LOW_BITS)
#define MILLISECONDS_MAX ((UINT64_C(1) << 48) - 1)

static uint64_t milliseconds_of(int64_t micros)
{
    if (micros < 0)
        return 0;
    uint64_t milliseconds = (uint64_t)micros / 1000;
    return milliseconds < MILLISECONDS_MAX ? milliseconds : MILLISECONDS_MAX;
}

/* A new millisecond begins at a random place in the lower half: the other half is there to count
 * into. */
static akidb_status begin_millisecond(ak_id_sequence *sequence, uint64_t milliseconds,
                                      akidb_error *err)
{
    uint64_t random[2];
    akidb_status status = ak_random_bytes(random, sizeof random, err);
    if (status != AKIDB_OK)
        return status;
    *sequence = (ak_id_sequence){milliseconds, random[0] % (HIGH_END / 2), random[1] % LOW_END};
    return AKIDB_OK;
}

/* Moves on by 1 to 2^32, into the next millisecond should the bits ever run out. */
static akidb_status step(ak_id_sequence *sequence, uint32_t random, akidb_error *err)
{
    sequence->low += (uint64_t)random + 1;
    if (sequence->low < LOW_END)
        return AKIDB_OK;
    sequence->low -= LOW_END;
    if (++sequence->high < HIGH_END)
        return AKIDB_OK;
    return begin_millisecond(sequence, sequence->milliseconds + 1, err);
}

static akidb_uuid current_id(const ak_id_sequence *sequence)
{
    akidb_uuid id;
    for (unsigned i = 0; i < 6; i++)
        id.bytes[i] = (uint8_t)(sequence->milliseconds >> (40 - 8 * i));
    id.bytes[6] = (uint8_t)(0x70 | sequence->high >> 8);
    id.bytes[7] = (uint8_t)sequence->high;
    for (unsigned i = 0; i < 8; i++)
        id.bytes[8 + i] = (uint8_t)(sequence->low >> (56 - 8 * i));
    id.bytes[8] |= 0x80; /* the variant, over the two bits that LOW_BITS leaves */
    return id;
}

akidb_status ak_id_sequence_take(ak_id_sequence *sequence, int64_t now, akidb_uuid *ids_out,
                                 size_t count, akidb_error *err)
{
    enum { BATCH = 1024 };
    uint32_t random[BATCH];
    ak_id_sequence next = *sequence;
    akidb_status status = AKIDB_OK;
    bool is_new = next.high == 0 && next.low == 0;
    if (is_new || milliseconds_of(now) > next.milliseconds)
        status = begin_millisecond(&next, milliseconds_of(now), err);
    for (size_t done = 0; done < count && status == AKIDB_OK;) {
        size_t batch = count - done < BATCH ? count - done : BATCH;
        status = ak_random_bytes(random, batch * sizeof random[0], err);
        for (size_t i = 0; i < batch && status == AKIDB_OK; i++) {
            status = step(&next, random[i], err);
            ids_out[done + i] = current_id(&next);
        }
        done += batch;
    }
    if (status != AKIDB_OK) {
        memset(ids_out, 0, count * sizeof *ids_out);
        return status;
    }
    *sequence = next;
    return AKIDB_OK;
}

akidb_status ak_new_ids(akidb_uuid *ids_out, size_t count, akidb_error *err)
{
    ak_id_sequence sequence = {0};
    return ak_id_sequence_take(&sequence, akidb_clock_now(NULL), ids_out, count, err);
}
