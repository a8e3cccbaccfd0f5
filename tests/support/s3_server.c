#include "s3_server.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

static const char script[] = AKIDB_GOLDEN_DIR "/../s3/server.py";

void s3_clear_environment(void)
{
    static const char *const names[] = {"AWS_ACCESS_KEY_ID",
                                        "AWS_SECRET_ACCESS_KEY",
                                        "AWS_SESSION_TOKEN",
                                        "AWS_PROFILE",
                                        "AWS_REGION",
                                        "AWS_DEFAULT_REGION",
                                        "AWS_ENDPOINT_URL",
                                        "AWS_ENDPOINT_URL_S3",
                                        "AWS_ENDPOINT_URL_STS",
                                        "AWS_CA_BUNDLE",
                                        "AWS_WEB_IDENTITY_TOKEN_FILE",
                                        "AWS_ROLE_ARN",
                                        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
                                        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                                        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
                                        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
                                        "AWS_EC2_METADATA_SERVICE_ENDPOINT",
                                        "AKIDB_S3_SIGN_PAYLOAD",
                                        "http_proxy",
                                        "https_proxy",
                                        "HTTPS_PROXY",
                                        "all_proxy",
                                        "ALL_PROXY"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        unsetenv(names[i]);
    setenv("AWS_CONFIG_FILE", "/nonexistent/config", 1);
    setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent/credentials", 1);
    setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
}

/* A line without its end. */
static char *read_line(s3_server *server)
{
    size_t used = 0, room = 1 << 12;
    char *line = malloc(room);
    assert_non_null(line);
    for (;;) {
        char c;
        ssize_t got = read(server->from, &c, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got != 1)
            fail_msg("the S3 server has ended");
        if (c == '\n')
            break;
        if (used + 1 == room) {
            room *= 2;
            char *longer = realloc(line, room);
            assert_non_null(longer);
            line = longer;
        }
        line[used++] = c;
    }
    line[used] = '\0';
    return line;
}

/* Without TLS the certificate is NULL. */
static void run_server(const int to[2], const int from[2], const char *certificate, const char *key)
{
    dup2(to[0], STDIN_FILENO);
    dup2(from[1], STDOUT_FILENO);
    for (int fd = 3; fd < 256; fd++)
        close(fd);
    const char *tls = certificate == NULL ? NULL : "--tls"; /* NULL ends the arguments */
    execlp("python3", "python3", script, "--bucket", S3_TEST_BUCKET, tls, certificate, key,
           (char *)NULL);
    _exit(127);
}

void s3_server_start_tls(s3_server *server, const char *certificate, const char *key)
{
    int to[2], from[2];
    assert_int_equal(pipe(to), 0);
    assert_int_equal(pipe(from), 0);
    signal(SIGPIPE, SIG_IGN);
    server->pid = fork();
    assert_true(server->pid >= 0);
    if (server->pid == 0)
        run_server(to, from, certificate, key);
    close(to[0]);
    close(from[1]);
    server->to = to[1];
    server->from = from[0];
    char *endpoint = read_line(server);
    snprintf(server->endpoint, sizeof server->endpoint, "%s", endpoint);
    free(endpoint);
    s3_clear_environment();
}

void s3_server_start(s3_server *server)
{
    s3_server_start_tls(server, NULL, NULL);
}

void s3_server_stop(s3_server *server)
{
    close(server->to);
    close(server->from);
    waitpid(server->pid, NULL, 0);
}

char *s3_server_ask(s3_server *server, const char *command)
{
    char line[4096];
    int size = snprintf(line, sizeof line, "%s\n", command);
    assert_true(size > 0 && (size_t)size < sizeof line);
    assert_int_equal(write(server->to, line, (size_t)size), size);
    char *answer = read_line(server);
    if (strstr(answer, "\"ok\": true") == NULL)
        fail_msg("the S3 server answers %s to %s", answer, command);
    return answer;
}

void s3_server_tell(s3_server *server, const char *format, ...)
{
    char command[4000];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(command, sizeof command, format, arguments);
    va_end(arguments);
    free(s3_server_ask(server, command));
}

void s3_server_reset(s3_server *server)
{
    s3_server_tell(server, "{\"reset\": true}");
}

void s3_server_fault(s3_server *server, const char *op, const char *kind, unsigned skip,
                     unsigned count)
{
    s3_server_tell(server,
                   "{\"fault\": {\"op\": \"%s\", \"kind\": \"%s\", \"skip\": %u, \"count\": %u}}",
                   op, kind, skip, count);
}

unsigned s3_server_count(s3_server *server, const char *op)
{
    char name[64];
    char *answer = s3_server_ask(server, "{\"log\": true}");
    snprintf(name, sizeof name, "\"%s\": ", op);
    const char *found = strstr(answer, name);
    unsigned count = found == NULL ? 0 : (unsigned)strtoul(found + strlen(name), NULL, 10);
    free(answer);
    return count;
}

unsigned s3_server_requests(s3_server *server)
{
    char *answer = s3_server_ask(server, "{\"log\": true}");
    const char *found = strstr(answer, "\"requests\": ");
    assert_non_null(found);
    unsigned count = (unsigned)strtoul(found + strlen("\"requests\": "), NULL, 10);
    free(answer);
    return count;
}

unsigned s3_server_uploads(s3_server *server)
{
    char *answer = s3_server_ask(server, "{\"uploads\": true}");
    const char *found = strstr(answer, "\"uploads\": ");
    assert_non_null(found);
    unsigned count = (unsigned)strtoul(found + strlen("\"uploads\": "), NULL, 10);
    free(answer);
    return count;
}
