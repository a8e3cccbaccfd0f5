#ifndef AK_FORMATS_NPY_H
#define AK_FORMATS_NPY_H
/* The header of a .npy file (NEP 1; numpy.lib.format): what the array behind it is. */
#include "akidb/sys/input.h"

typedef struct ak_npy_header {
    uint64_t rows;
    uint32_t dimension;
    unsigned float_size; /* in bytes: 2, 4 or 8 */
    bool big_endian;
    bool fortran_order; /* column by column */
    uint64_t data;      /* offset of the first value; all of them lie between it and the end */
} ak_npy_header;

/* Reads versions 1 to 3. AKIDB_E_CORRUPTION: no .npy file, or one whose size is not what its header
 * says. AKIDB_E_VALIDATION: an array that is no table of floats. */
AKIDB_CHECK akidb_status ak_npy_read_header(const akidb_input *input, ak_npy_header *header_out,
                                            akidb_error *err);

/* Little-endian float32 in C order; the same size whatever the number of rows. */
enum { AK_NPY_HEADER_SIZE = 128 };
void ak_npy_write_header(uint64_t rows, uint32_t dimension, uint8_t out[AK_NPY_HEADER_SIZE]);

#endif
