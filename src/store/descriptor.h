#ifndef AK_STORE_DESCRIPTOR_H
#define AK_STORE_DESCRIPTOR_H
#include "akidb/store.h"

/* An object as an open file of the system, for reading: one version of it, whatever is put or
 * deleted meanwhile. The caller closes the descriptor. AKIDB_E_UNSUPPORTED where objects are no
 * files of the system. */
AKIDB_CHECK akidb_status ak_store_descriptor(akidb_store *store, const char *key,
                                             int *descriptor_out, akidb_error *err);

#endif
