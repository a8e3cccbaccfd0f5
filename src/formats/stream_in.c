#include "formats/stream_in.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/error.h"

enum { READ_BYTES = 256 << 10 };

akidb_status ak_stream_in_open(ak_stream_in *in, const char *path, akidb_error *err)
{
    bool is_standard = strcmp(path, "-") == 0;
    *in = (ak_stream_in){-1, strdup(is_standard ? "standard input" : path)};
    if (in->name == NULL)
        return ak_fail_memory(err, strlen(path) + 1);
    in->fd = is_standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (in->fd < 0) {
        akidb_status status = ak_fail_errno(err, errno, path, "cannot be opened");
        ak_stream_in_close(in);
        return status;
    }
    return AKIDB_OK;
}

void ak_stream_in_close(ak_stream_in *in)
{
    if (in->fd > STDIN_FILENO)
        close(in->fd);
    free(in->name);
    *in = (ak_stream_in){-1, NULL};
}

akidb_status ak_stream_in_read(ak_stream_in *in, akidb_buffer *buffer, akidb_error *err)
{
    akidb_status status = ak_buffer_reserve(buffer, READ_BYTES, err);
    if (status != AKIDB_OK)
        return status;
    ssize_t got;
    do
        got = read(in->fd, buffer->data + buffer->size, READ_BYTES);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return ak_fail_errno(err, errno, in->name, "cannot be read");
    buffer->size += (size_t)got;
    return AKIDB_OK;
}

bool ak_stream_in_ready(const ak_stream_in *in)
{
    struct pollfd waits = {.fd = in->fd, .events = POLLIN};
    int ready;
    do
        ready = poll(&waits, 1, 0);
    while (ready < 0 && errno == EINTR);
    return ready != 0; /* what went wrong is told by the read */
}
