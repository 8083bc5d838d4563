#include "daemon/operate.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "daemon/exit.h"
#include "http/head.h"
#include "net/address.h"
#include "plan/url.h"

enum {
    ANSWER_MAX_BYTES = 64 * 1024 * 1024,
    REQUEST_MAX_BYTES = 8192,
    READ_BYTES = 65536,
    FIELDS_MAX = 100,
    WAIT_S = 60,
};

#define DEFAULT_URL "http://127.0.0.1:9901"

static bool place(const struct gd_endpoint *endpoint, struct gd_arena *arena,
                  struct gd_address *out, struct gd_err *err)
{
    const char *url = endpoint->url ? endpoint->url : DEFAULT_URL;
    struct gd_plan_address where;

    return gd_url_listen(arena, gd_span_of(url), &where, NULL, err) &&
           gd_address_resolve(&where, out, 1, err) == 1;
}

static int connect_to(const struct gd_address *to, struct gd_err *err)
{
    static const struct timeval limit = {.tv_sec = WAIT_S};
    char text[GD_ADDRESS_TEXT_MAX];
    int fd = socket(to->sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) != 0 ||
        connect(fd, (const struct sockaddr *)&to->sa, to->len) != 0) {
        gd_err_set(err, "nobody answers at %s: %s", gd_address_text(to, text),
                   strerror(errno));
        if (fd >= 0)
            close(fd);
        return -1;
    }
    return fd;
}

static bool send_request(int fd, const struct gd_endpoint *endpoint, const char *method,
                         const char *path)
{
    struct gd_buf out;
    bool ok;

    gd_buf_init(&out, NULL, REQUEST_MAX_BYTES);
    ok = gd_buf_addf(&out, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n",
                     method, path) &&
         (endpoint->token == NULL ||
          gd_buf_addf(&out, "Authorization: Bearer %s\r\n", endpoint->token)) &&
         gd_buf_add_text(&out, "Content-Length: 0\r\n\r\n");
    for (size_t at = 0; ok && at < out.len;) {
        ssize_t n = send(fd, out.data + at, out.len - at, MSG_NOSIGNAL);

        ok = n > 0 || (n < 0 && errno == EINTR);
        at += n > 0 ? (size_t)n : 0;
    }
    gd_buf_free(&out);
    return ok;
}

/* All there is until the end of the connection. */
static bool read_all(int fd, struct gd_buf *in)
{
    for (;;) {
        ssize_t n;

        if (!gd_buf_reserve(in, READ_BYTES))
            return false;
        n = recv(fd, in->data + in->len, READ_BYTES, 0);
        if (n == 0)
            return true;
        if (n < 0 && errno != EINTR)
            return false;
        in->len += n > 0 ? (size_t)n : 0;
    }
}

static int read_answer(int fd, struct gd_buf *body)
{
    static const struct gd_head_limits limits = {8192, 65536, FIELDS_MAX};
    struct gd_field fields[FIELDS_MAX];
    struct gd_head_state state = {0};
    struct gd_response_head head;
    struct gd_buf in;
    int status = 0;

    gd_buf_init(&in, NULL, ANSWER_MAX_BYTES);
    if (read_all(fd, &in) &&
        gd_response_head_parse(&state, gd_buf_span(&in), &limits, GD_METHOD_POST, fields,
                               &head) == GD_PARSE_DONE &&
        head.framing == GD_FRAMING_LENGTH && in.len - head.bytes == head.content_length &&
        gd_buf_add(body, in.data + head.bytes, in.len - head.bytes))
        status = head.status;
    gd_buf_free(&in);
    return status;
}

int gd_operate_ask(const struct gd_endpoint *endpoint, const char *method,
                   const char *path, struct gd_buf *body, struct gd_err *err)
{
    struct gd_address address;
    struct gd_arena arena;
    int fd = -1, status = 0;

    gd_arena_init(&arena, NULL, 1024, 65536);
    if (place(endpoint, &arena, &address, err))
        fd = connect_to(&address, err);
    gd_arena_free(&arena);
    if (fd < 0)
        return 0;
    if (send_request(fd, endpoint, method, path))
        status = read_answer(fd, body);
    if (status == 0)
        gd_err_set(err, "there was no answer that can be understood: %s",
                   errno ? strerror(errno) : "it is no HTTP");
    close(fd);
    return status;
}

/* Reload --------------------------------------------------------------------------------
 */

static void print_lines(const json_t *lines)
{
    for (size_t i = 0; i < json_array_size(lines); i++)
        fprintf(stderr, "%s\n", json_string_value(json_array_get(lines, i)));
}

static int print_outcome(int status, const struct gd_buf *body)
{
    json_t *json = json_loadb(body->data ? body->data : "", body->len, 0, NULL);
    const char *detail = json_string_value(json_object_get(json, "detail"));
    int code = GD_EXIT_OK;

    print_lines(json_object_get(json, "errors"));
    print_lines(json_object_get(json, "warnings"));
    if (status == 200) {
        puts("reloaded");
    } else if (status == 422) {
        fputs("not reloaded; the configuration before goes on\n", stderr);
        code = GD_EXIT_CONFIG;
    } else {
        fprintf(stderr, "gatherd: the admin endpoint answers %d%s%s\n", status,
                detail ? ": " : "", detail ? detail : "");
        code = GD_EXIT_SYSTEM;
    }
    json_decref(json);
    return fflush(stdout) == 0 ? code : GD_EXIT_IO;
}

int gd_operate_reload(const char *url)
{
    struct gd_endpoint endpoint = {.url = url, .token = getenv("GATHERD_TOKEN")};
    struct gd_buf body;
    struct gd_err err;
    int status, code = GD_EXIT_SYSTEM;

    gd_buf_init(&body, NULL, ANSWER_MAX_BYTES);
    errno = 0;
    status = gd_operate_ask(&endpoint, "POST", "/reload", &body, &err);
    if (status)
        code = print_outcome(status, &body);
    else
        fprintf(stderr, "gatherd: %s\n", err.text);
    gd_buf_free(&body);
    return code;
}
