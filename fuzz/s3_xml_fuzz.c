/* layers: os json net store */
/* Properties: paths are made of the document's names and never too deep; texts have an end, and
 * together are no longer than the document lets them be. */
#include <stdlib.h>
#include <string.h>

#include "store/s3/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static akidb_status check(void *context, const char *path, const char *text, akidb_error *err)
{
    (void)err;
    size_t *room = context;
    size_t slashes = 0, length = strlen(text);
    for (const char *c = path; *c != '\0'; c++)
        slashes += *c == '/';
    if (path[0] == '\0' || strlen(path) >= AK_XML_PATH_MAX || slashes >= AK_XML_DEPTH_MAX)
        abort();
    if (length > AK_XML_TEXT_MAX || length > *room)
        abort();
    *room -= length;
    return AKIDB_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* UTF-16 or Latin-1 grow by half or twice when they become UTF-8. */
    size_t room = 2 * size;
    akidb_status status = ak_xml_read((akidb_slice){data, size}, "fuzz", check, &room, NULL);
    if (status != AKIDB_OK && status != AKIDB_E_STORE)
        abort();
    return 0;
}
