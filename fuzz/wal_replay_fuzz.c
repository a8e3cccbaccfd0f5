/* layers: os wal */
/* The bytes of a log of one or two segments. Properties: whatever they are, a replay ends; entries
 * come in the order of their LSNs; salvage finds each entry that a strict replay finds; a check
 * says what an open says. The first byte chooses: bit 0 puts right all checksums, so that what they
 * guard is reached; bit 1 makes two segments, the first of as many bytes as the next two say. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/endian.h"
#include "wal/record.h"
#include "wal/wal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- two files in memory --------------------------------------------------------------------- */

enum { FILES = 2 };

typedef struct memory {
    uint8_t *bytes[FILES];
    size_t sizes[FILES];
    int count;
} memory;

static const char *const file_names[FILES] = {"00000000000000000001.wal",
                                              "00000000000000000002.wal"};

static int open_root(void *handle, const char *path, akidb_folder *folder_out)
{
    (void)path;
    folder_out->object = handle;
    return 0;
}

static void close_folder(void *handle, akidb_folder folder)
{
    (void)handle;
    (void)folder;
}

static int list(void *handle, akidb_folder folder, akidb_name_visitor *visitor, void *context)
{
    (void)folder;
    const memory *m = handle;
    for (int i = 0; i < m->count && i < FILES; i++)
        if (!visitor(context, file_names[i], AKIDB_FILE_REGULAR))
            break;
    return 0;
}

static int open_file(void *handle, akidb_folder folder, const char *name, akidb_file_mode mode,
                     akidb_file *file_out)
{
    (void)folder;
    const memory *m = handle;
    if (mode != AKIDB_FILE_READ)
        abort(); /* nothing may be changed */
    for (int i = 0; i < m->count && i < FILES; i++)
        if (strcmp(name, file_names[i]) == 0) {
            file_out->descriptor = i;
            return 0;
        }
    return ENOENT;
}

static int file_info(void *handle, akidb_file file, akidb_file_info *info_out)
{
    const memory *m = handle;
    *info_out = (akidb_file_info){.size = m->sizes[file.descriptor]};
    return 0;
}

static int read_at(void *handle, akidb_file file, uint64_t offset, void *dst, size_t size,
                   size_t *read_out)
{
    const memory *m = handle;
    size_t left = offset < m->sizes[file.descriptor] ? m->sizes[file.descriptor] - offset : 0;
    *read_out = size < left ? size : left;
    if (*read_out > 0)
        memcpy(dst, m->bytes[file.descriptor] + offset, *read_out);
    return 0;
}

static int close_file(void *handle, akidb_file file)
{
    (void)handle;
    (void)file;
    return 0;
}

static const akidb_files_ops memory_ops = {
    .open_root = open_root,
    .close_folder = close_folder,
    .list = list,
    .open_file = open_file,
    .file_info = file_info,
    .read_at = read_at,
    .close_file = close_file,
};

/* ---- right checksums ------------------------------------------------------------------------- */

static void mend(uint8_t *bytes, size_t size)
{
    if (size < AK_WAL_SEGMENT_HEAD)
        return;
    ak_wal_segment_head head = {
        .flags = ak_load_u32(bytes + 12) & AK_WAL_REWRITTEN,
        .number = ak_load_u64(bytes + 32),
        .first_lsn = ak_load_u64(bytes + 40),
        .previous_end = ak_load_u32(bytes + 56),
    };
    memcpy(head.log_id, bytes + 16, sizeof head.log_id);
    ak_wal_segment_head_write(&head, bytes);
    uint32_t seed = ak_wal_segment_seed(head.log_id, head.number);
    size_t at = AK_WAL_SEGMENT_HEAD;
    while (size - at >= AK_WAL_RECORD_HEAD) {
        ak_wal_record_head record = {
            .size = ak_load_u32(bytes + at + 4),
            .lsn = ak_load_u64(bytes + at + 8),
            .durable = ak_load_u64(bytes + at + 16),
            .flags = bytes[at + 30],
            .kind = bytes[at + 31] & 0x0F,
        };
        size_t left = size - at - AK_WAL_RECORD_HEAD;
        if (record.kind == 0 || record.size > AK_WAL_RECORD_MAX_PAYLOAD ||
            ak_wal_padded(record.size) > left)
            return;
        ak_wal_record_write(&record, seed, at, bytes + at);
        at += (size_t)ak_wal_record_bytes(record.size);
    }
}

static bool split(const uint8_t *data, size_t size, memory *m)
{
    if (size < 3)
        return false;
    size_t rest = size - 3;
    size_t first = (data[0] & 2) != 0 ? ak_load_u16(data + 1) : rest;
    if (first > rest)
        first = rest;
    m->count = first < rest ? 2 : 1;
    m->sizes[0] = first;
    m->sizes[1] = rest - first;
    const uint8_t *from = data + 3;
    for (int i = 0; i < m->count; i++) {
        m->bytes[i] = malloc(m->sizes[i] + 1);
        if (m->bytes[i] == NULL)
            abort();
        memcpy(m->bytes[i], from, m->sizes[i]);
        from += m->sizes[i];
        if ((data[0] & 1) != 0)
            mend(m->bytes[i], m->sizes[i]);
    }
    return true;
}

/* ---- properties ------------------------------------------------------------------------------ */

typedef struct seen {
    uint64_t last;
    uint64_t count;
    uint64_t bytes;
} seen;

static akidb_status see(void *context, uint64_t lsn, ak_wal_kind kind, akidb_slice payload,
                        akidb_error *err)
{
    (void)err;
    seen *s = context;
    if (lsn <= s->last || kind < AK_WAL_CREATE)
        abort();
    for (size_t i = 0; i < payload.size; i += 64) /* a sanitizer sees what is not there */
        s->bytes += ((const uint8_t *)payload.data)[i];
    s->last = lsn;
    s->count++;
    return AKIDB_OK;
}

static akidb_status replay(const akidb_files *files, ak_wal_recovery recovery, seen *s)
{
    ak_wal_options options = {
        .files = files, .folder = "/log", .recovery = recovery, .read_only = true};
    *s = (seen){0};
    ak_wal *wal;
    ak_wal_report report;
    akidb_status status = ak_wal_open(&options, see, s, &wal, &report, NULL);
    if (status == AKIDB_OK && report.entries != s->count)
        abort();
    if (ak_wal_close(wal, NULL) != AKIDB_OK)
        abort();
    if (ak_wal_check(&options, NULL, &report, NULL) != status)
        abort();
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    memory m = {.count = 0};
    if (!split(data, size, &m))
        return 0;
    akidb_files files = {&memory_ops, &m};
    seen strict, up_to, salvaged;
    akidb_status status = replay(&files, AK_WAL_STRICT, &strict);
    akidb_status up_to_status = replay(&files, AK_WAL_UP_TO, &up_to);
    akidb_status salvage_status = replay(&files, AK_WAL_SALVAGE, &salvaged);
    if (status == AKIDB_OK && (up_to_status != AKIDB_OK || salvage_status != AKIDB_OK ||
                               up_to.count != strict.count || salvaged.count != strict.count))
        abort();
    if (up_to_status == AKIDB_OK && salvage_status == AKIDB_OK && salvaged.count < up_to.count)
        abort();
    for (int i = 0; i < m.count; i++)
        free(m.bytes[i]);
    return 0;
}
