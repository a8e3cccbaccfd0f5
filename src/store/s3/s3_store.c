/* A bucket as an akidb_store. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "store/s3/objects.h"

static void close_client(void *handle)
{
    ak_s3_client_close(handle);
}

static void get_statistics(void *handle, akidb_store_statistics *statistics_out)
{
    ak_s3_counters *c = &((ak_s3_client *)handle)->counters;
    for (int kind = 0; kind < AKIDB_REQUEST_KIND_COUNT; kind++)
        statistics_out->requests[kind] = atomic_load(&c->requests[kind]);
    statistics_out->retries = atomic_load(&c->retries);
    statistics_out->failed = atomic_load(&c->failed);
    statistics_out->sent_bytes = atomic_load(&c->sent_bytes);
    statistics_out->received_bytes = atomic_load(&c->received_bytes);
}

static const akidb_store_ops s3_ops = {
    .put = ak_s3_put,
    .get = ak_s3_get,
    .get_range = ak_s3_get_range,
    .get_pieces = ak_s3_get_pieces,
    .head = ak_s3_head,
    .remove = ak_s3_remove,
    .list = ak_s3_list,
    .copy = ak_s3_copy,
    .upload_begin = ak_s3_upload_begin,
    .upload_write = ak_s3_upload_write,
    .upload_commit = ak_s3_upload_commit,
    .upload_abort = ak_s3_upload_abort,
    .remove_leftovers = ak_s3_remove_leftovers,
    .close = close_client,
    .remove_many = ak_s3_remove_many,
    .statistics = get_statistics,
};

akidb_status akidb_s3_store_open(const char *bucket, const char *prefix,
                                 const akidb_s3_options *options, akidb_store **store_out,
                                 akidb_error *err)
{
    *store_out = NULL;
    ak_s3_client *client;
    akidb_status status = ak_s3_client_open(bucket, prefix, options, &client, err);
    if (status != AKIDB_OK)
        return status;
    char name[AKIDB_KEY_MAX + 300];
    ak_s3_name(client, client->prefix, name, sizeof name);
    if (client->prefix[0] != '\0')
        name[strlen(name) - 1] = '\0'; /* its '/' */
    status = akidb_store_new(&s3_ops, client, name, store_out, err);
    if (status != AKIDB_OK)
        ak_s3_client_close(client);
    return status;
}
