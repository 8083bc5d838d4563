/*
 * A whole gateway between a client and upstreams that both say anything. The input is
 * texts with a byte 0x1e between them: first what the client sends, then an upstream's
 * answer to the first request it gets, to the second, and so on. The first byte of all
 * says in which pieces the client sends, and whether it leaves without reading.
 *
 * Whatever comes, what gatherd writes to either side is strict HTTP, every request ends,
 * and all counters are back.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../whole.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    INPUT_MAX = 8192,
    BETWEEN = 0x1e,
    LEAVES = 0x80,
    PLAYS_MAX = 20000,
    PIECES_MAX = 64
};

static const char config[] =
    "log: {level: error}\n"
    "limits: {body: 4KiB, header_timeout: 1s, body_timeout: 1s, idle_timeout: 1s}\n"
    "upstreams:\n"
    "  up: {servers: [http://10.0.0.1:1], retry: off, eject: off, timeout: 1s,\n"
    "       max_response: 64KiB, accept_encoding: on, cookies: on}\n"
    "routes:\n"
    "  GET /g/{id}:\n"
    "    forward: {headers: [X-A, Authorization], query: [q], cookies: [sid]}\n"
    "    response_headers: {X-Name: '{a.name?}'}\n"
    "    calls:\n"
    "      a: {url: 'up/a/{id}?p={query.p?}', headers: {X-B: '{header.x-b?}'}}\n"
    "      b: {url: 'up/b/{a.name}', optional: true}\n"
    "  POST /b:\n"
    "    calls:\n"
    "      a: {url: up/a, json: {it: $body.it, all: $body}}\n"
    "      c: {url: up/c, body: forward, default: []}\n"
    "  GET /e:\n"
    "    timeout: 1s\n"
    "    calls:\n"
    "      a: {url: up/a, pick: [items.id, name], rename: {name: n}}\n"
    "      e: {url: 'up/e/{item}', each: 'a.items[*].id', each_limit: 4, default: 0}\n"
    "    respond: {x: $a.name, list: {$join: [$a.items, $e], on: {id: $item}, as: e}}\n"
    "  GET /m: {merge: deep, calls: {a: up/a, b: up/b}}\n"
    "  /p/{rest...}: {pass: 'up/{rest}'}\n"
    "  GET /f: {respond: {fixed: true}}\n"
    "  GET /r: {redirect: '/f?{query.x?}'}\n";

static struct gd_span take(struct gd_span *rest)
{
    const char *end = rest->len ? memchr(rest->ptr, BETWEEN, rest->len) : NULL;
    struct gd_span text = {rest->ptr, end ? (size_t)(end - rest->ptr) : rest->len};

    rest->ptr += text.len + (end != NULL);
    rest->len -= text.len + (end != NULL);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct whole *whole;
    static unsigned plays;
    struct whole_script script = {0};
    struct gd_span rest;
    bool ended;

    if (size < 2 || size > INPUT_MAX)
        return 0;
    if (whole == NULL)
        whole = whole_new(config);
    script.leaves = data[0] & LEAVES;
    script.piece = (data[0] & ~LEAVES) ? (data[0] & ~LEAVES) * 8U : 1;
    rest = (struct gd_span){(const char *)data + 1, size - 1};
    script.client = take(&rest);
    if (script.piece < script.client.len / PIECES_MAX) /* each costs turns of the loop */
        script.piece = (unsigned)(script.client.len / PIECES_MAX) + 1;
    while (rest.len && script.reply_count < WHOLE_REPLIES_MAX)
        script.replies[script.reply_count++] = take(&rest);
    whole_play(whole, &script, &ended);
    if (whole_complaint(whole)) {
        fprintf(stderr, "gateway: %s\n", whole_complaint(whole));
        abort();
    }
    if (++plays == PLAYS_MAX) { /* an end is tried now and then, too */
        whole_free(whole);
        whole = NULL;
        plays = 0;
    }
    return 0;
}
