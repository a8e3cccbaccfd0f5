#ifndef AK_CODEC_SPLIT_VARIANTS_H
#define AK_CODEC_SPLIT_VARIANTS_H
/* The variants of split.h for values of four bytes: split.c chooses one at run time, the tests
 * compare them all with the portable one. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ak_split_variant {
    const char *name;
    bool (*available)(void); /* on this processor */
    void (*encode)(const void *values, size_t count, uint8_t *bytes_out);
    void (*decode)(const uint8_t *bytes, size_t count, void *values_out);
} ak_split_variant;

/* Best first; the last is the portable one, which is always available. */
const ak_split_variant *ak_split_variants(size_t *count_out);

/* In pieces of 32 values; each returns how many values are done then. The decoder begins with value
 * `first`; past the caches, the address of that value is a multiple of 32. */
#if defined(__x86_64__)
bool ak_split_avx2_available(void);
size_t ak_split_avx2_encode(const uint8_t *values, size_t count, uint8_t *bytes_out);
size_t ak_split_avx2_decode(const uint8_t *bytes, size_t first, size_t count, uint8_t *values_out,
                            bool past_caches);
#endif

#endif
