#ifndef AK_STORE_S3_CREDENTIALS_H
#define AK_STORE_S3_CREDENTIALS_H
/*
 * Where the keys come from, in AWS's usual order: given; environment; shared credentials and config
 * files; web identity; container; EC2 (IMDSv2). A profile that was named in so many words, not by
 * AWS_PROFILE, goes before the environment, as the AWS command line has it: then the environment's
 * keys and web identity are passed over. The first source that is configured is used, and
 * its failure is an error: another identity is never taken silently. Temporary keys are fetched
 * anew five minutes before they expire, by one thread at a time; when that fails, the old ones
 * serve until they expire. Secrets are wiped from memory when they are replaced or freed.
 */
#include "akidb/base.h"
#include "akidb/sys/clock.h"
#include "net/http.h"
#include "store/s3/profile.h"

typedef struct ak_s3_credentials {
    char access_key_id[256];
    char secret_access_key[256];
    char session_token[4096]; /* "": none */
    int64_t expires_at;       /* microseconds since the epoch; INT64_MAX: never */
} ak_s3_credentials;

typedef struct ak_s3_provider ak_s3_provider;

typedef struct ak_s3_provider_options {
    const char *access_key_id; /* NULL: find them */
    const char *secret_access_key;
    const char *session_token;
    const ak_s3_profile *profile;     /* borrowed for the open only */
    bool profile_is_named;            /* by the caller, and not by the environment or by default */
    const char *region;               /* for the token service; copied */
    ak_http *http;                    /* outlives the provider */
    const akidb_clock *clock;         /* likewise; NULL: the system's */
    bool (*cancelled)(void *context); /* asked while a service is waited for; NULL: never */
    void *context;
} ak_s3_provider_options;

/* Chooses the source; asks nobody yet. */
AKIDB_CHECK akidb_status ak_s3_provider_open(const ak_s3_provider_options *options,
                                             ak_s3_provider **provider_out, akidb_error *err);
void ak_s3_provider_close(ak_s3_provider *provider);

/* Keys that are good now. AKIDB_E_PERMISSION when there are none, saying what was looked for. Any
 * thread. `refresh`: the server said that the last ones have expired. */
AKIDB_CHECK akidb_status ak_s3_provider_get(ak_s3_provider *provider, bool refresh,
                                            ak_s3_credentials *credentials_out, akidb_error *err);

/* Wipes a copy. */
void ak_s3_credentials_wipe(ak_s3_credentials *credentials);

#endif
