/* The suite of all stores, on each store and wrapper that needs no server. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "akidb/sys/store_backend.h"
#include "folder.h"
#include "store_suite.h"
#include "test.h"

static akidb_fault no_fault(void *context, akidb_store_op op, const char *key)
{
    (void)context;
    (void)op;
    (void)key;
    return (akidb_fault){AKIDB_FAULT_NONE, AKIDB_OK};
}

static void ignore_call(void *context, const akidb_store_call *call)
{
    (void)context;
    (void)call;
}

/* Stops the program, since nothing can be tested then. */
static akidb_store *opened(akidb_status status, const akidb_error *err, akidb_store **store)
{
    if (status == AKIDB_OK)
        return *store;
    fprintf(stderr, "a store could not be opened: %s\n", err->message);
    exit(1);
}

#define OPEN(call) opened((call), &err, &store)

int main(void)
{
    akidb_error err = {0};
    akidb_store *store = NULL;
    char folder[TEST_FOLDER_SIZE];
    if (!test_folder_make(folder))
        return 1;
    akidb_store *memory = OPEN(akidb_store_memory_open(&store, &err));
    akidb_store *local = OPEN(akidb_store_local_open(folder, &store, &err));
    akidb_store *wrappers[] = {
        OPEN(akidb_store_prefix_open(local, "some/where", &store, &err)),
        OPEN(akidb_store_prefix_open(memory, "some/where", &store, &err)),
        OPEN(akidb_store_trace_open(memory, ignore_call, NULL, &store, &err)),
        OPEN(akidb_store_fault_open(local, no_fault, NULL, &store, &err)),
    };
    const size_t shorter = AKIDB_KEY_MAX - strlen("some/where/");
    const store_suite_target targets[] = {
        {.name = "memory", .store = memory, .prefix = "suite-1"},
        {.name = "local", .store = local, .prefix = "suite-2"},
        {.name = "prefix of local",
         .store = wrappers[0],
         .prefix = "suite-3",
         .key_max = shorter,
         .many = 50},
        {.name = "prefix of memory", .store = wrappers[1], .prefix = "suite-4", .key_max = shorter},
        {.name = "trace of memory", .store = wrappers[2], .prefix = "suite-5"},
        {.name = "fault of local", .store = wrappers[3], .prefix = "suite-6", .many = 500},
    };
    int failures = 0;
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++)
        failures += store_suite_run(&targets[i]);
    for (size_t i = 0; i < sizeof wrappers / sizeof wrappers[0]; i++)
        akidb_store_close(wrappers[i]);
    akidb_store_close(memory);
    akidb_store_close(local);
    test_folder_remove(folder);
    return failures == 0 ? 0 : 1;
}
