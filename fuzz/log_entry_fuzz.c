/* layers: storage */
/* Any bytes as the payload of a log entry: refused, or taken as something whose every length lies
 * within the bytes and that is written again as it was. */
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "storage/contents.h"
#include "storage/log_entry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void check_written_again(const ak_log_entry *entry, akidb_slice payload)
{
    akidb_buffer head = {0};
    akidb_slice slices[AK_LOG_SLICES_MAX];
    size_t count, at = 0;
    require(ak_log_encode(entry, &head, slices, &count, NULL) == AKIDB_OK);
    for (size_t i = 0; i < count; i++) {
        require(slices[i].size <= payload.size - at);
        if (slices[i].size > 0)
            require(memcmp((const uint8_t *)payload.data + at, slices[i].data, slices[i].size) ==
                    0);
        at += slices[i].size;
    }
    require(at == payload.size);
    akidb_buffer_free(&head);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ak_log_entry entry;
    if (size == 0)
        return 0;
    akidb_slice payload = {data + 1, size - 1};
    if (ak_log_decode((ak_log_kind)(data[0] % 8), payload, &entry, NULL) != AKIDB_OK)
        return 0;
    check_written_again(&entry, payload);
    if (entry.kind == AK_LOG_UPSERT) {
        ak_row_texts texts;
        require(ak_row_texts_make(&texts, &entry.rows, NULL) == AKIDB_OK);
        require(texts.bytes == entry.rows.text_size);
        ak_row_texts_free(&texts);
    }
    return 0;
}
