#ifndef AK_STORE_S3_PROFILE_H
#define AK_STORE_S3_PROFILE_H
/* The AWS tools' shared files: ~/.aws/config and ~/.aws/credentials, or what AWS_CONFIG_FILE and
 * AWS_SHARED_CREDENTIALS_FILE name. A file that is not there counts as empty. */
#include "akidb/base.h"

enum { AK_S3_SETTINGS_MAX = 64, AK_S3_SETTING_NAME = 64, AK_S3_SETTING_VALUE = 2048 };

typedef struct ak_s3_setting {
    char name[AK_S3_SETTING_NAME];
    char value[AK_S3_SETTING_VALUE];
} ak_s3_setting;

/* One profile's settings; those of the credentials file come first, and the first of a name wins.
 */
typedef struct ak_s3_profile {
    char name[128];
    bool found;
    size_t count;
    ak_s3_setting *settings; /* owned */
} ak_s3_profile;

/* `name` NULL: AWS_PROFILE, or "default". A profile that was asked for by name and is in no file is
 * AKIDB_E_VALIDATION. */
AKIDB_CHECK akidb_status ak_s3_profile_read(const char *name, ak_s3_profile *profile_out,
                                            akidb_error *err);
void ak_s3_profile_free(ak_s3_profile *profile); /* wipes what it held */

/* The value of a setting, or NULL. */
const char *ak_s3_profile_get(const ak_s3_profile *profile, const char *name);

/* Parses the text of such a file, adding the settings of the profile `name` to *profile. Section
 * headers are "[name]" in the credentials file and "[profile name]" in the config file
 * (`is_config`), where the default profile is "[default]". Indented lines below a setting are
 * nested and ignored. */
AKIDB_CHECK akidb_status ak_s3_profile_parse(akidb_slice text, bool is_config,
                                             ak_s3_profile *profile, akidb_error *err);

#endif
