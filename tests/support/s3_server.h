#ifndef AK_TEST_S3_SERVER_H
#define AK_TEST_S3_SERVER_H
/* Starts tests/s3/server.py for one test program, and speaks with it. The server ends with the
 * program, however that ends. Failures end the test. */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define S3_TEST_KEY    "testkey"
#define S3_TEST_SECRET "testsecret"
#define S3_TEST_BUCKET "test-bucket"

typedef struct s3_server {
    pid_t pid;
    int to, from;       /* its standard input and output */
    char endpoint[128]; /* "http://127.0.0.1:PORT" */
} s3_server;

/* With the bucket above, and no variable of AWS's or of a proxy left in this program's environment.
 */
void s3_server_start(s3_server *server);

/* The same behind TLS: "https://127.0.0.1:PORT", with this certificate and its key (PEM files). */
void s3_server_start_tls(s3_server *server, const char *certificate, const char *key);
void s3_server_stop(s3_server *server);

/* Sends a command (see server.py). s3_server_ask returns the answer, for the caller to free. */
void s3_server_tell(s3_server *server, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
char *s3_server_ask(s3_server *server, const char *command);

/* Forgets faults, settings and counts; data stays. */
void s3_server_reset(s3_server *server);

/* The next requests of an operation fail ("*": of any). */
void s3_server_fault(s3_server *server, const char *op, const char *kind, unsigned skip,
                     unsigned count);

/* How many requests of that operation came since the last reset. */
unsigned s3_server_count(s3_server *server, const char *op);

/* ... and of all operations together. */
unsigned s3_server_requests(s3_server *server);

/* How many uploads are neither completed nor aborted. */
unsigned s3_server_uploads(s3_server *server);

/* Unsets what would lead a client of S3 elsewhere. */
void s3_clear_environment(void);

#endif
