#ifndef AK_BASE_OPTIONS_H
#define AK_BASE_OPTIONS_H
#include "akidb/base.h"

/* Copies the options struct of a caller who may have been compiled against an older or a newer
 * header: what his struct lacks is zero (the default); what it has beyond ours must be zero, or it
 * asks for something that this version does not know (AKIDB_E_UNSUPPORTED). `from` may be NULL: all
 * defaults. A struct_size that cannot be is AKIDB_E_VALIDATION. `name` is the struct's, for the
 * message. */
AKIDB_CHECK akidb_status ak_options_copy(void *to, size_t to_size, const void *from,
                                         const char *name, akidb_error *err);

#endif
