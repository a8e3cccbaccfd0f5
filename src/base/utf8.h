#ifndef AK_BASE_UTF8_H
#define AK_BASE_UTF8_H
#include <stddef.h>

/* The number of bytes at the beginning that are well-formed UTF-8 (Unicode, table 3-7: no overlong
 * forms, no surrogates, nothing above U+10FFFF): `size` when all are. */
size_t ak_utf8_valid_prefix(const void *text, size_t size);

/* Makes it one line of UTF-8: control characters and bytes that are no UTF-8 become '?'. */
void ak_utf8_make_line(char *text, size_t size);

#endif
