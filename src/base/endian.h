#ifndef AK_BASE_ENDIAN_H
#define AK_BASE_ENDIAN_H
/* Little-endian loads and stores at any address. */
#include <stdint.h>
#include <string.h>

#if !defined(__BYTE_ORDER__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "AkiDB stores floats as they lie in memory and is built for little-endian machines only"
#endif

static inline uint16_t ak_load_u16(const void *from)
{
    uint16_t value;
    memcpy(&value, from, sizeof value);
    return value;
}

static inline uint32_t ak_load_u32(const void *from)
{
    uint32_t value;
    memcpy(&value, from, sizeof value);
    return value;
}

static inline uint64_t ak_load_u64(const void *from)
{
    uint64_t value;
    memcpy(&value, from, sizeof value);
    return value;
}

static inline void ak_store_u32(void *to, uint32_t value)
{
    memcpy(to, &value, sizeof value);
}

static inline void ak_store_u64(void *to, uint64_t value)
{
    memcpy(to, &value, sizeof value);
}

#endif
