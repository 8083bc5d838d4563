#ifndef GD_TESTS_TLS_PAIR_H
#define GD_TESTS_TLS_PAIR_H
/**
 * A stream that speaks TLS, and the server it speaks to.
 */
#include <openssl/err.h>

#include "net/tls.h"
#include "tls_server.h"

enum { LARGE = 1 << 20 };

/* A client's stream and the server at its other end. */
struct pair {
    struct gd_loop *loop;
    struct identity own;
    struct gd_plan_tls plan;
    struct gd_tls_peer *peer;
    SSL_CTX *context;
    SSL *server;
    struct gd_stream stream;
    enum gd_io shaken; /* outcome of the handshake */
    int wakes;         /* times it was readable since it was shaken */
    int writable;
    size_t room; /* on_readable reads that much, 0: nothing */
    size_t read; /* bytes so far */
    enum gd_io last;
    char *bytes;
};

static inline void go_on(struct pair *pair)
{
    pair->shaken = gd_stream_handshake(&pair->stream);
}

static inline void on_readable(void *arg)
{
    struct pair *pair = arg;
    size_t n = 0;

    if (pair->shaken == GD_IO_AGAIN) {
        go_on(pair);
        return;
    }
    pair->wakes++;
    if (pair->room == 0) {
        gd_stream_want_read(&pair->stream, false);
        return;
    }
    pair->last = gd_stream_read(&pair->stream, pair->bytes + pair->read, pair->room, &n);
    if (pair->last == GD_IO_OK)
        pair->read += n;
    else if (pair->last != GD_IO_AGAIN)
        gd_stream_want_read(&pair->stream, false);
}

static inline void on_writable(void *arg)
{
    struct pair *pair = arg;

    if (pair->shaken == GD_IO_AGAIN)
        go_on(pair);
    else
        pair->writable++;
}

static inline bool never(void *arg)
{
    (void)arg;
    return false;
}

static inline void turn(struct pair *pair)
{
    gd_loop_run_until(pair->loop, never, NULL, 1);
}

static inline void pair_connect(struct pair *pair)
{
    gd_stream_open(&pair->stream, server_open(&pair->server, pair->context), true);
    gd_stream_start_tls(&pair->stream, pair->peer);
    pair->wakes = pair->writable = 0;
    pair->read = 0;
    for (go_on(pair); pair->shaken == GD_IO_AGAIN; turn(pair)) {
        if (SSL_do_handshake(pair->server) != 1)
            ERR_clear_error();
    }
    while (pair->shaken == GD_IO_OK && SSL_do_handshake(pair->server) != 1)
        ck_assert(!SSL_in_before(pair->server));
}

static inline void pair_open(struct pair *pair, int version)
{
    *pair = (struct pair){.loop = gd_loop_new(NULL), .room = LARGE};
    identity_make(&pair->own);
    pair->bytes = calloc(2, LARGE);
    pair->plan = (struct gd_plan_tls){.context = gd_tls_context_new(true, GD_TLS_1_2),
                                      .verify = true};
    ck_assert(gd_tls_context_trust(pair->plan.context, pair->own.text, NULL));
    pair->peer = gd_tls_peer_new(&pair->plan, "server.test");
    pair->context = server_context(&pair->own, version);
    gd_stream_init(&pair->stream, pair->loop, on_readable, on_writable, pair);
    pair_connect(pair);
    ck_assert_int_eq(pair->shaken, GD_IO_OK);
}

static inline void pair_disconnect(struct pair *pair)
{
    gd_stream_close(&pair->stream, false);
    server_close(pair->server);
}

static inline void pair_close(struct pair *pair)
{
    pair_disconnect(pair);
    gd_tls_peer_free(pair->peer);
    SSL_CTX_free(pair->plan.context);
    SSL_CTX_free(pair->context);
    identity_free(&pair->own);
    free(pair->bytes);
    gd_loop_free(pair->loop);
}

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

#define FOR_EACH_VERSION(pair)                                                           \
    for (int v = 0; v < 2 && (pair_open(pair, versions[v]), true); pair_close(pair), v++)

#endif
