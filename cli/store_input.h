#ifndef CLI_STORE_INPUT_H
#define CLI_STORE_INPUT_H
#include "cli.h"

typedef struct cli_object {
    akidb_store *store;
    const char *key;
} cli_object;

/* An input over an object of a store, which should have `size` bytes. What it points to must
 * outlive it. It needs no close. */
akidb_input cli_store_input(cli_object *object, uint64_t size);

#endif
