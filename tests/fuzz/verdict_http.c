/*
 * Says how gatherd reads streams of requests, for differ_http.py. stdin: streams, each
 * behind its length in decimal and a line end. stdout: a line for each, with
 * `METHOD TARGET BODY,` in hexadecimal for every request read, and how it ended: "close",
 * "refused" or "more".
 */
#include <stdio.h>
#include <stdlib.h>

#include "http/body.h"
#include "http/head.h"

enum { STREAM_MAX = 65536, FIELDS = 100 };

static void print_hex(struct gd_span span, char end)
{
    for (size_t i = 0; i < span.len; i++)
        printf("%02x", (unsigned char)span.ptr[i]);
    putchar(end);
}

/* Reads a body at the start of *rest; its content goes to the place it has there. */
static enum gd_body_result read_body(const struct gd_request_head *head,
                                     struct gd_span *rest, char *content,
                                     size_t *content_len)
{
    enum gd_body_result result;
    struct gd_body body;
    struct gd_span data;
    size_t used;

    *content_len = 0;
    gd_body_init(&body, head->framing, head->content_length);
    do {
        result = gd_body_step(&body, *rest, &used, &data);
        if (result == GD_BODY_DATA) {
            memcpy(content + *content_len, data.ptr, data.len);
            *content_len += data.len;
        }
        *rest = (struct gd_span){rest->ptr + used, rest->len - used};
    } while (result == GD_BODY_DATA);
    return result;
}

/* Reads and prints one request of *rest; how the stream ended, or NULL to go on. */
static const char *read_request(struct gd_span *rest)
{
    static const struct gd_head_limits limits = {8000, 16384, FIELDS};
    static char content[STREAM_MAX];
    struct gd_field fields[FIELDS];
    struct gd_head_state state = {0};
    struct gd_request_head head;
    enum gd_parse parsed = gd_request_head_parse(&state, *rest, &limits, fields, &head);
    enum gd_body_result body;
    size_t len;

    if (parsed != GD_PARSE_DONE)
        return parsed == GD_PARSE_MORE ? "more" : "refused";
    *rest = (struct gd_span){rest->ptr + head.bytes, rest->len - head.bytes};
    body = read_body(&head, rest, content, &len);
    if (body != GD_BODY_DONE)
        return body == GD_BODY_BAD ? "refused" : "more";
    print_hex(head.method_text, ' ');
    print_hex(head.target, ' ');
    print_hex((struct gd_span){content, len}, ',');
    return head.keep_alive ? NULL : "close";
}

int main(void)
{
    static char stream[STREAM_MAX];
    size_t len;

    while (scanf("%zu", &len) == 1 && getchar() == '\n' && len <= sizeof(stream) &&
           fread(stream, 1, len, stdin) == len) {
        struct gd_span rest = {stream, len};
        const char *end = NULL;

        while (!end)
            end = read_request(&rest);
        puts(end);
    }
    return 0;
}
