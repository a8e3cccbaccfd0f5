#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"
#include "snapshot/metadata.h"

static akidb_status check_label(const akidb_label *label, akidb_error *err)
{
    if (label->key == NULL || label->value == NULL)
        return ak_fail(err, AKIDB_E_VALIDATION, "label: expected a key and a value, found NULL");
    size_t key = strlen(label->key), value = strlen(label->value);
    if (key == 0 || key > AK_LABEL_KEY_MAX)
        return ak_fail(err, AKIDB_E_VALIDATION,
                       "label \"%.80s\": expected a key of 1 to %d bytes, found %zu", label->key,
                       AK_LABEL_KEY_MAX, key);
    if (value > AK_LABEL_VALUE_MAX)
        return ak_fail(err, AKIDB_E_VALIDATION,
                       "label \"%s\": expected a value of at most %d bytes, found %zu", label->key,
                       AK_LABEL_VALUE_MAX, value);
    if (ak_utf8_valid_prefix(label->key, key) != key ||
        ak_utf8_valid_prefix(label->value, value) != value)
        return ak_fail(err, AKIDB_E_VALIDATION,
                       "label \"%.80s\": expected UTF-8, found other bytes", label->key);
    return AKIDB_OK;
}

static int compare_labels(const void *a, const void *b)
{
    return strcmp(((const akidb_label *)a)->key, ((const akidb_label *)b)->key);
}

akidb_status ak_labels_copy(const akidb_label *labels, size_t count, akidb_label **labels_out,
                            akidb_error *err)
{
    *labels_out = NULL;
    if (count > 0 && labels == NULL)
        return ak_fail(err, AKIDB_E_VALIDATION, "labels: expected %zu, found NULL", count);
    akidb_label *copies = calloc(count == 0 ? 1 : count, sizeof *copies);
    if (copies == NULL)
        return ak_fail_memory(err, count * sizeof *copies);
    akidb_status status = AKIDB_OK;
    for (size_t i = 0; i < count && status == AKIDB_OK; i++) {
        status = check_label(&labels[i], err);
        if (status != AKIDB_OK)
            break;
        copies[i].key = strdup(labels[i].key);
        copies[i].value = strdup(labels[i].value);
        if (copies[i].key == NULL || copies[i].value == NULL)
            status = ak_fail_memory(err, strlen(labels[i].key) + strlen(labels[i].value));
    }
    if (status == AKIDB_OK)
        qsort(copies, count, sizeof *copies, compare_labels);
    for (size_t i = 1; i < count && status == AKIDB_OK; i++)
        if (strcmp(copies[i - 1].key, copies[i].key) == 0)
            status = ak_fail(err, AKIDB_E_VALIDATION,
                             "label \"%s\": expected each key once, found it twice", copies[i].key);
    if (status != AKIDB_OK) {
        ak_labels_free(copies, count);
        return status;
    }
    *labels_out = copies;
    return AKIDB_OK;
}

void ak_labels_free(akidb_label *labels, size_t count)
{
    for (size_t i = 0; labels != NULL && i < count; i++) {
        free((char *)labels[i].key);
        free((char *)labels[i].value);
    }
    free(labels);
}

const char *akidb_snapshot_label(const akidb_snapshot_metadata *metadata, const char *key)
{
    if (metadata == NULL || key == NULL)
        return NULL;
    for (size_t i = 0; i < metadata->label_count; i++)
        if (strcmp(metadata->labels[i].key, key) == 0)
            return metadata->labels[i].value;
    return NULL;
}
