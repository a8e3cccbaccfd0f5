#include "parquet/again.h"

#include <stdio.h>

void ak_log_read_again(const akidb_hooks *hooks, const akidb_error *damage)
{
    if (hooks == NULL || hooks->log == NULL)
        return;
    char message[sizeof damage->message + 64];
    (void)snprintf(message, sizeof message, "%s; whole when it was read again", damage->message);
    hooks->log(hooks->context, AKIDB_LOG_WARNING, message);
}

akidb_status ak_read_again(ak_read_function *read, void *context, const akidb_hooks *hooks,
                           akidb_error *err)
{
    akidb_error damage = {0};
    akidb_status status = read(context, &damage);
    if (status == AKIDB_E_CORRUPTION) {
        status = read(context, err);
        if (status == AKIDB_OK)
            ak_log_read_again(hooks, &damage);
    } else if (status != AKIDB_OK && err != NULL) {
        *err = damage;
    }
    return status;
}
