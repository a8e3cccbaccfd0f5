#include "os/path.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/error.h"

static akidb_status add_working_folder(akidb_buffer *text, akidb_error *err)
{
    char *folder = getcwd(NULL, 0);
    if (folder == NULL)
        return ak_fail_errno(err, errno, NULL, "finding the working folder");
    akidb_status status = ak_buffer_printf(text, err, "%s/", folder);
    free(folder);
    return status;
}

akidb_status ak_path_absolute(const char *path, char **absolute_out, akidb_error *err)
{
    *absolute_out = NULL;
    akidb_buffer text = {0};
    akidb_status status = AKIDB_OK;
    if (path[0] != '/')
        status = add_working_folder(&text, err);
    while (path[0] == '.' && (path[1] == '/' || path[1] == '\0')) /* the folder it starts from */
        path += strspn(path + 1, "/") + 1;
    if (status == AKIDB_OK)
        status = ak_buffer_printf(&text, err, "%s", path);
    if (status != AKIDB_OK) {
        akidb_buffer_free(&text);
        return status;
    }
    while (text.size > 1 && text.data[text.size - 1] == '/')
        text.data[--text.size] = '\0';
    *absolute_out = (char *)text.data;
    return AKIDB_OK;
}
