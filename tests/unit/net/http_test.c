/* The HTTP client against a server of fixed words: each request that arrives gets the next answer
 * of a script. */
#include "net/http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

/* Ends an answer: what is done with the connection then. */
#define CLOSE "\x01"
#define KEEP  "\x02"
#define HOLD  "\x03" /* nothing more is sent, until the client closes */
#define DRIP  "\x04" /* a byte every 50 ms, until the client closes or there have been DRIPS */

enum { DRIPS = 100 };

typedef struct script {
    const char *const *answers; /* NULL-terminated */
    size_t next;
    int listener;
    pthread_t thread;
    char url[64];
    char received[1 << 16]; /* all requests, one after the other */
    size_t received_size;
    unsigned connections;
} script;

/* Reads a request with its body, by its Content-Length; false at the end of the connection. */
static bool read_request(script *s, int connection)
{
    size_t begin = s->received_size;
    for (;;) {
        char *room = s->received + s->received_size;
        ssize_t got = recv(connection, room, sizeof s->received - 1 - s->received_size, 0);
        if (got <= 0)
            return false;
        s->received_size += (size_t)got;
        s->received[s->received_size] = '\0';
        const char *request = s->received + begin;
        const char *end = strstr(request, "\r\n\r\n");
        if (end == NULL)
            continue;
        const char *length = strcasestr(request, "content-length:");
        size_t body = length == NULL || length > end ? 0 : strtoul(length + 15, NULL, 10);
        if (s->received_size - begin >= (size_t)(end + 4 - request) + body)
            return true;
    }
}

static void drip(int connection)
{
    const struct timespec pause = {0, 50 * 1000000};
    for (int i = 0; i < DRIPS && send(connection, ".", 1, MSG_NOSIGNAL) == 1; i++)
        nanosleep(&pause, NULL);
}

static void serve_connection(script *s, int connection)
{
    while (s->answers[s->next] != NULL && read_request(s, connection)) {
        const char *answer = s->answers[s->next++];
        size_t size = strcspn(answer, CLOSE KEEP HOLD DRIP);
        char what = answer[size];
        if (send(connection, answer, size, MSG_NOSIGNAL) != (ssize_t)size || what == CLOSE[0])
            break;
        char byte;
        if (what == DRIP[0])
            drip(connection);
        if (what == HOLD[0] && recv(connection, &byte, 1, 0) <= 0)
            break;
    }
    close(connection);
}

static void *serve(void *context)
{
    script *s = context;
    while (s->answers[s->next] != NULL) {
        int connection = accept(s->listener, NULL, NULL);
        if (connection < 0)
            break;
        s->connections++;
        serve_connection(s, connection);
    }
    return NULL;
}

static script *script_start(const char *const *answers)
{
    script *s = calloc(1, sizeof *s);
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    assert_non_null(s);
    s->answers = answers;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    s->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(s->listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(s->listener, 16), 0);
    assert_int_equal(getsockname(s->listener, (struct sockaddr *)&address, &size), 0);
    snprintf(s->url, sizeof s->url, "http://127.0.0.1:%u/a%%2Fb/../c?x=%%20",
             (unsigned)ntohs(address.sin_port));
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
    return s;
}

static void script_end(script *s)
{
    shutdown(s->listener, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->listener);
    free(s);
}

static ak_http *open_client(void)
{
    ak_http *http;
    akidb_error err;
    const ak_http_options options = {.stall_timeout_ms = 1000};
    assert_ok(err, ak_http_open(&options, &http, &err));
    return http;
}

static ak_http_response exchange(ak_http *http, const ak_http_request *request)
{
    ak_http_transfer *transfer;
    ak_http_response response = {0};
    akidb_error err;
    assert_ok(err, ak_http_start(http, request, &transfer, &err));
    assert_true(ak_http_wait(transfer, -1, &response));
    return response;
}

static ak_http_request get(const script *s)
{
    return (ak_http_request){.method = "GET", .url = s->url, .max_body_bytes = 100};
}

/* ---- what goes well -------------------------------------------------------------------------- */

static void a_request_and_its_answer_travel_unchanged(void **state)
{
    (void)state;
    static const char *const answers[] = {
        "HTTP/1.1 200 OK\r\nX-Name:  some value \r\nEmpty:\r\nContent-Length: 4\r\n\r\nbody" KEEP,
        "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno" KEEP, NULL};
    script *s = script_start(answers);
    ak_http *http = open_client();
    const akidb_slice body[] = {{"ab", 2}, {NULL, 0}, {"cde", 3}};
    const char *const headers[] = {"x-one: 1", "x-empty;", "Accept:"};
    ak_http_request request = get(s);
    request.method = "PUT";
    request.headers = headers;
    request.header_count = 3;
    request.body = body;
    request.body_count = 3;
    ak_http_response response = exchange(http, &request);
    char value[16];
    assert_int_equal(response.outcome, AK_HTTP_ANSWERED);
    assert_int_equal(response.code, 200);
    assert_int_equal(response.body.size, 4);
    assert_memory_equal(response.body.data, "body", 4);
    assert_int_equal(response.sent_bytes, 5);
    assert_true(ak_http_header(&response, "x-name", value, sizeof value));
    assert_string_equal(value, "some value");
    assert_true(ak_http_header(&response, "EMPTY", value, sizeof value));
    assert_string_equal(value, "");
    assert_false(ak_http_header(&response, "x-nam", value, sizeof value));
    assert_false(ak_http_header(&response, "x-name", value, 5));
    ak_http_response_free(&response);

    request = get(s);
    response = exchange(http, &request);
    assert_int_equal(response.outcome, AK_HTTP_ANSWERED);
    assert_int_equal(response.code, 404);
    ak_http_response_free(&response);
    ak_http_close(http);
    assert_int_equal(s->connections, 1); /* kept */
    assert_non_null(strstr(s->received, "PUT /a%2Fb/../c?x=%20 HTTP/1.1\r\n"));
    assert_non_null(strstr(s->received, "\r\nx-one: 1\r\nx-empty:\r\n"));
    assert_non_null(strstr(s->received, "\r\nContent-Length: 5\r\n"));
    assert_non_null(strstr(s->received, "\r\n\r\nabcde"));
    assert_null(strcasestr(s->received, "expect:"));
    assert_true(strstr(s->received, "Accept:") > strstr(s->received, "GET /")); /* left out */
    script_end(s);
}

static void a_good_body_goes_where_it_is_wanted_and_an_error_does_not(void **state)
{
    (void)state;
    static const char *const answers[] = {
        "HTTP/1.1 206 Partial\r\nContent-Length: 4\r\n\r\nbody" KEEP,
        "HTTP/1.1 500 Oh\r\nContent-Length: 6\r\n\r\nsorry!" KEEP,
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12345" KEEP, NULL};
    script *s = script_start(answers);
    ak_http *http = open_client();
    char into[4] = {0};
    ak_http_request request = get(s);
    const akidb_piece pieces[] = {{into, 1}, {into + 1, 3}};
    request.into = pieces;
    request.into_count = 2;
    request.max_body_bytes = 0;
    ak_http_response response = exchange(http, &request);
    assert_int_equal(response.into_used, 4);
    assert_memory_equal(into, "body", 4);
    assert_int_equal(response.body.size, 0);
    ak_http_response_free(&response);
    response = exchange(http, &request);
    assert_int_equal(response.code, 500);
    assert_int_equal(response.into_used, 0);
    assert_int_equal(response.body.size, 6); /* although no body was allowed: it is an error's */
    assert_memory_equal(into, "body", 4);
    ak_http_response_free(&response);
    response = exchange(http, &request);
    assert_int_equal(response.outcome, AK_HTTP_TOO_LONG);
    assert_memory_equal(into, "body", 4);
    ak_http_response_free(&response);
    ak_http_close(http);
    script_end(s);
}

static void a_redirect_is_not_followed(void **state)
{
    (void)state;
    static const char *const answers[] = {
        "HTTP/1.1 307 Go\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n" KEEP, NULL};
    script *s = script_start(answers);
    ak_http *http = open_client();
    const ak_http_request request = get(s);
    ak_http_response response = exchange(http, &request);
    assert_int_equal(response.outcome, AK_HTTP_ANSWERED);
    assert_int_equal(response.code, 307);
    ak_http_response_free(&response);
    ak_http_close(http);
    script_end(s);
}

/* ---- what goes wrong ------------------------------------------------------------------------- */

static void each_way_of_breaking_has_its_outcome(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        ak_http_outcome outcome;
    } cases[] = {
        {CLOSE, AK_HTTP_LOST},
        {"HTTP/1.1 200 OK\r\nConte" CLOSE, AK_HTTP_LOST},
        {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf" CLOSE, AK_HTTP_LOST},
        {"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nhalf" CLOSE, AK_HTTP_LOST},
        {"HTTP/1.1 200 OK\r\nContent-Length: -4\r\n\r\nhalf" CLOSE, AK_HTTP_LOST},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nhalf" CLOSE, AK_HTTP_LOST},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n" CLOSE, AK_HTTP_LOST},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\n\r\n" CLOSE,
         AK_HTTP_ANSWERED},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab" CLOSE, AK_HTTP_LOST},
        {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf" HOLD, AK_HTTP_LOST}, /* stalls */
        {HOLD, AK_HTTP_LOST},
        {"HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n0123456789" HOLD, AK_HTTP_LOST},
        {"not HTTP at all" CLOSE, AK_HTTP_NO_HTTP},
        {"HTTP/7.0 200 OK\r\nContent-Length: 0\r\n\r\n" CLOSE, AK_HTTP_NO_HTTP},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *const answers[] = {cases[i].answer, NULL};
        script *s = script_start(answers);
        ak_http *http = open_client();
        const ak_http_request request = get(s);
        ak_http_response response = exchange(http, &request);
        if (response.outcome != cases[i].outcome)
            fail_msg("case %zu: outcome %d", i, (int)response.outcome);
        assert_int_equal(response.reason[0] != '\0', response.outcome != AK_HTTP_ANSWERED);
        ak_http_response_free(&response);
        ak_http_close(http);
        script_end(s);
    }
}

/* 20 bytes a second; the second body is there after a time in which a stalled one is given up. */
static void a_body_slower_than_the_lowest_speed_is_lost_and_a_faster_one_is_not(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        uint32_t lowest_speed;
        ak_http_outcome outcome;
    } cases[] = {{"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" DRIP, 0, AK_HTTP_LOST},
                 {"HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n" DRIP, 1, AK_HTTP_ANSWERED}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *const answers[] = {cases[i].answer, NULL};
        const ak_http_options options = {.stall_timeout_ms = 1000,
                                         .lowest_speed = cases[i].lowest_speed};
        script *s = script_start(answers);
        ak_http *http;
        akidb_error err;
        assert_ok(err, ak_http_open(&options, &http, &err));
        const ak_http_request request = get(s);
        ak_http_response response = exchange(http, &request);
        if (response.outcome != cases[i].outcome)
            fail_msg("case %zu: outcome %d: %s", i, (int)response.outcome, response.reason);
        if (response.outcome == AK_HTTP_ANSWERED)
            assert_int_equal(response.body.size, 30);
        ak_http_response_free(&response);
        ak_http_close(http);
        script_end(s);
    }
}

static void endless_headers_and_bodies_are_cut_off(void **state)
{
    (void)state;
    static char headers[200000], body[200000];
    int used = snprintf(headers, sizeof headers, "HTTP/1.1 200 OK\r\n");
    while (used < (int)sizeof headers - 100)
        used +=
            snprintf(headers + used, 100, "X-Long: 0123456789012345678901234567890123456789\r\n");
    snprintf(headers + used, 10, CLOSE);
    used = snprintf(body, sizeof body, "HTTP/1.1 500 Oh\r\nContent-Length: 190000\r\n\r\n");
    memset(body + used, 'x', sizeof body - (size_t)used - 1);
    memcpy(body + sizeof body - 2, CLOSE, 2);
    const char *const answers[] = {headers, body, NULL};
    script *s = script_start(answers);
    ak_http *http = open_client();
    const ak_http_request request = get(s);
    for (int i = 0; i < 2; i++) {
        ak_http_response response = exchange(http, &request);
        assert_int_equal(response.outcome, AK_HTTP_TOO_LONG);
        ak_http_response_free(&response);
    }
    ak_http_close(http);
    script_end(s);
}

static void nobody_there_is_not_sent(void **state)
{
    (void)state;
    ak_http *http = open_client();
    const ak_http_request request = {.method = "GET", .url = "http://127.0.0.1:1/"};
    ak_http_response response = exchange(http, &request);
    assert_int_equal(response.outcome, AK_HTTP_NOT_SENT);
    ak_http_response_free(&response);
    const ak_http_request malformed = {.method = "GET", .url = "http://[/"};
    response = exchange(http, &malformed);
    assert_int_equal(response.outcome, AK_HTTP_REFUSED);
    ak_http_response_free(&response);
    const ak_http_request file = {.method = "GET", .url = "file:///etc/passwd"};
    response = exchange(http, &file);
    assert_int_equal(response.outcome, AK_HTTP_REFUSED);
    ak_http_response_free(&response);
    ak_http_close(http);
}

/* libcurl would send it again by itself, and a server that acts on both answers 412. */
static void a_request_over_a_dying_connection_is_lost_not_repeated(void **state)
{
    (void)state;
    static const char *const answers[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1" KEEP, CLOSE,
        "HTTP/1.1 412 Taken\r\nContent-Length: 0\r\n\r\n" KEEP, NULL};
    script *s = script_start(answers);
    ak_http *http = open_client();
    ak_http_request request = get(s);
    ak_http_response response = exchange(http, &request);
    assert_int_equal(response.outcome, AK_HTTP_ANSWERED);
    ak_http_response_free(&response);
    const akidb_slice body = {"x", 1};
    request.method = "PUT";
    request.body = &body;
    request.body_count = 1;
    response = exchange(http, &request);
    assert_int_equal(response.outcome, AK_HTTP_LOST);
    assert_string_equal(response.reason, "the connection broke before the answer");
    ak_http_response_free(&response);
    response = exchange(http, &request);
    assert_int_equal(response.code, 412);
    ak_http_response_free(&response);
    ak_http_close(http);
    script_end(s);
}

static void an_abandoned_transfer_ends_at_once(void **state)
{
    (void)state;
    static const char *const answers[] = {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nha" HOLD,
                                          NULL};
    script *s = script_start(answers);
    ak_http *http = open_client();
    char into[9];
    ak_http_request request = get(s);
    const akidb_piece piece = {into, sizeof into};
    request.into = &piece;
    request.into_count = 1;
    request.patient = true; /* nothing else would end it */
    ak_http_transfer *transfer;
    ak_http_response response;
    akidb_error err;
    assert_ok(err, ak_http_start(http, &request, &transfer, &err));
    assert_false(ak_http_wait(transfer, 50, &response));
    assert_false(ak_http_wait(transfer, 0, &response));
    ak_http_abandon(transfer);
    ak_http_abandon(NULL);
    ak_http_close(http);
    script_end(s);
}

enum { MANY = 40 };

static void many_transfers_run_at_once(void **state)
{
    (void)state;
    const char *answers[MANY + 1] = {NULL};
    for (size_t i = 0; i < MANY; i++)
        answers[i] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok" CLOSE;
    script *s = script_start(answers);
    ak_http *http = open_client();
    const ak_http_request request = get(s);
    ak_http_transfer *transfers[MANY];
    akidb_error err;
    for (size_t i = 0; i < MANY; i++)
        assert_ok(err, ak_http_start(http, &request, &transfers[i], &err));
    for (size_t i = 0; i < MANY; i++) {
        ak_http_response response;
        assert_true(ak_http_wait(transfers[i], -1, &response));
        assert_int_equal(response.outcome, AK_HTTP_ANSWERED);
        assert_int_equal(response.body.size, 2);
        ak_http_response_free(&response);
    }
    ak_http_close(http);
    script_end(s);
}

int main(void)
{
    static const char *const proxies[] = {"http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY",
                                          "ALL_PROXY"};
    for (size_t i = 0; i < sizeof proxies / sizeof proxies[0]; i++)
        unsetenv(proxies[i]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_and_its_answer_travel_unchanged),
        cmocka_unit_test(a_good_body_goes_where_it_is_wanted_and_an_error_does_not),
        cmocka_unit_test(a_redirect_is_not_followed),
        cmocka_unit_test(each_way_of_breaking_has_its_outcome),
        cmocka_unit_test(a_body_slower_than_the_lowest_speed_is_lost_and_a_faster_one_is_not),
        cmocka_unit_test(endless_headers_and_bodies_are_cut_off),
        cmocka_unit_test(nobody_there_is_not_sent),
        cmocka_unit_test(a_request_over_a_dying_connection_is_lost_not_repeated),
        cmocka_unit_test(an_abandoned_transfer_ends_at_once),
        cmocka_unit_test(many_transfers_run_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
