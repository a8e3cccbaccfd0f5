#ifndef AK_TEST_FOLDER_H
#define AK_TEST_FOLDER_H
/* A folder for one test, and its end. */
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define TEST_FOLDER_SIZE 64

/* Makes a new folder below /tmp; false, and a word on stderr, when that fails. */
static inline bool test_folder_make(char folder_out[TEST_FOLDER_SIZE])
{
    snprintf(folder_out, TEST_FOLDER_SIZE, "/tmp/akidb-test-XXXXXX");
    if (mkdtemp(folder_out) != NULL)
        return true;
    perror(folder_out);
    return false;
}

static inline int test_folder_remove_one(const char *path, const struct stat *st, int type,
                                         struct FTW *place)
{
    (void)st;
    (void)type;
    (void)place;
    return remove(path);
}

/* With all that is in it; symbolic links are removed, not followed. */
static inline void test_folder_remove(const char *folder)
{
    nftw(folder, test_folder_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
