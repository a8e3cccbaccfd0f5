#ifndef AK_STORE_S3_MULTIPART_H
#define AK_STORE_S3_MULTIPART_H
/* The requests of a multipart upload: create, complete, abort; and the parts that it is made of. */
#include "store/s3/objects.h"

enum { AK_S3_PARTS_MAX = 10000, AK_S3_UPLOAD_ID_SIZE = 1025, AK_S3_ETAG_SIZE = 128 };

typedef struct ak_s3_part {
    char etag[AK_S3_ETAG_SIZE]; /* with its quotes, as the server gave it */
    /* In base64; it goes into the completion of an upload. "": the server knows none. */
    char crc32c[AK_S3_CRC32C_SIZE];
    bool is_encrypted; /* the server says that it is, as the options ask */
} ak_s3_part;

typedef struct ak_s3_multipart {
    ak_s3_client *client;
    char full_key[AKIDB_KEY_MAX + 1];
    akidb_put_mode mode;
    bool copies; /* its parts are copied on the server; MinIO refuses those with checksums */
    char writer[AK_S3_WRITER_SIZE];
    char upload_id[AK_S3_UPLOAD_ID_SIZE]; /* "" before it is created */
    bool is_encrypted;                    /* the server has said so when it created it */
} ak_s3_multipart;

/* Creates the upload on the server. full_key and mode are set. Where the answer is lost, an upload
 * may stay behind whose id nobody knows. It is left to akidb_store_remove_leftovers, and not looked
 * for: the list of uploads tells no metadata of theirs, so another writer's
 * upload of that key (two who copy one snapshot, for example) would look just like it. */
AKIDB_CHECK akidb_status ak_s3_multipart_create(ak_s3_multipart *multipart, akidb_error *err);

/* Uploads part `number`, from 1. */
AKIDB_CHECK akidb_status ak_s3_multipart_put(const ak_s3_multipart *multipart, unsigned number,
                                             const akidb_slice *slices, size_t count,
                                             ak_s3_part *part_out, akidb_error *err);

/* Copies bytes first .. first + size - 1 of `source` ("/bucket/key", encoded) as part `number`. */
AKIDB_CHECK akidb_status ak_s3_multipart_copy(const ak_s3_multipart *multipart, unsigned number,
                                              const char *source, uint64_t first, uint64_t size,
                                              ak_s3_part *part_out, akidb_error *err);

/* Makes the object of parts 1 .. count. AKIDB_E_ALREADY_EXISTS; AKIDB_E_UNCERTAIN;
 * AKIDB_E_UNSUPPORTED when the server does not encrypt it as the options ask: before anything is
 * made, or, of copied parts, afterwards. */
AKIDB_CHECK akidb_status ak_s3_multipart_complete(ak_s3_multipart *multipart,
                                                  const ak_s3_part *parts, size_t count,
                                                  akidb_error *err);

/* Removes the parts from the server, as far as it lets us: what stays is logged, and left to
 * akidb_store_remove_leftovers. */
void ak_s3_multipart_abort(ak_s3_multipart *multipart);

#endif
