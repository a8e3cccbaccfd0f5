#ifndef AK_STORE_S3_OBJECTS_H
#define AK_STORE_S3_OBJECTS_H
/* What the slots of akidb_store_ops mean in S3's requests. Handles are ak_s3_client. */
#include "store/s3/client.h"

akidb_status ak_s3_put(void *handle, const char *key, const akidb_slice *slices, size_t count,
                       akidb_put_mode mode, akidb_error *err);
akidb_status ak_s3_get(void *handle, const char *key, uint64_t max_size, akidb_buffer *buffer_out,
                       akidb_error *err);
akidb_status ak_s3_get_range(void *handle, const char *key, uint64_t offset, void *dst, size_t size,
                             size_t *read_out, akidb_error *err);
akidb_status ak_s3_get_pieces(void *handle, const char *key, uint64_t offset,
                              const akidb_piece *pieces, size_t count, size_t *read_out,
                              akidb_error *err);
akidb_status ak_s3_head(void *handle, const char *key, akidb_object_info *info_out,
                        akidb_error *err);
akidb_status ak_s3_remove(void *handle, const char *key, akidb_error *err);
akidb_status ak_s3_remove_many(void *handle, const char *const *keys, size_t count,
                               akidb_status *outcomes, akidb_error *err);
akidb_status ak_s3_copy(void *handle, const char *from_key, const char *to_key, akidb_put_mode mode,
                        akidb_error *err);
akidb_status ak_s3_list(void *handle, const char *prefix, char delimiter,
                        akidb_list_visitor *visitor, void *context, akidb_error *err);
akidb_status ak_s3_upload_begin(void *handle, const char *key, akidb_put_mode mode,
                                void **upload_out, akidb_error *err);
akidb_status ak_s3_upload_write(void *handle, void *upload, const akidb_slice *slices, size_t count,
                                akidb_error *err);
akidb_status ak_s3_upload_commit(void *handle, void *upload, akidb_error *err);
void ak_s3_upload_abort(void *handle, void *upload);
akidb_status ak_s3_remove_leftovers(void *handle, int64_t before, bool dry_run, uint64_t *count_out,
                                    uint64_t *bytes_out, akidb_error *err);

/* ---- shared by the above --------------------------------------------------------------------- */

enum { AK_S3_WRITER_SIZE = 33 };

/* A random mark for the header x-amz-meta-writer, by which a put whose answer was lost knows its
 * own object again. */
AKIDB_CHECK akidb_status ak_s3_new_writer(char text_out[AK_S3_WRITER_SIZE], akidb_error *err);

/* Whether the object at a full key was written by `writer`. `once`: asks the server once only. */
AKIDB_CHECK akidb_status ak_s3_is_ours(ak_s3_client *client, const char *full_key,
                                       const char *writer, bool once, bool *ours_out,
                                       akidb_error *err);

/* For a put or the end of an upload that was given up on: AKIDB_E_UNCERTAIN becomes AKIDB_OK when
 * the object is there after all (and encrypted, where that was asked for). Anything else stays what
 * it is, as *err does. */
AKIDB_CHECK akidb_status ak_s3_resolve(ak_s3_client *client, const char *full_key,
                                       const char *writer, akidb_status status, akidb_error *err);

/* AKIDB_E_UNSUPPORTED for an object that has been made and is not encrypted as the options ask.
 * `told`: the server has said already that it is; otherwise the object is looked at. */
AKIDB_CHECK akidb_status ak_s3_check_encryption(ak_s3_client *client, const char *full_key,
                                                bool told, akidb_error *err);

/* Puts slices at a full key in one request. */
AKIDB_CHECK akidb_status ak_s3_put_whole(ak_s3_client *client, const char *full_key,
                                         const akidb_slice *slices, size_t count,
                                         akidb_put_mode mode, akidb_error *err);

/* What the answer to DeleteObjects says of each of the keys that were sent: outcomes[i] is AKIDB_OK
 * before, or AKIDB_E_UNSUPPORTED of one that was not sent. Afterwards as in akidb_store_ops'
 * remove_many. */
AKIDB_CHECK akidb_status ak_s3_read_deleted(const ak_s3_client *client, const ak_s3_answer *answer,
                                            const char *const *keys, size_t count,
                                            akidb_status *outcomes, akidb_error *err);

/* For a server without If-None-Match: AKIDB_E_ALREADY_EXISTS when the key is taken now. Says in the
 * log, once, that two writers at once can both pass. */
AKIDB_CHECK akidb_status ak_s3_check_absent(ak_s3_client *client, const char *full_key,
                                            akidb_error *err);

/* Copies an object of `size` bytes part by part on the server (upload.c). */
AKIDB_CHECK akidb_status ak_s3_copy_in_parts(ak_s3_client *client, const char *source,
                                             const char *full_key, uint64_t size,
                                             akidb_put_mode mode, akidb_error *err);

#endif
