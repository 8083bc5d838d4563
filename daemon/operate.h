#ifndef GD_DAEMON_OPERATE_H
#define GD_DAEMON_OPERATE_H
/**
 * Commands that ask a running gatherd by its admin endpoint.
 */
#include "base/bytes.h"
#include "base/err.h"

/** Whom to ask. Zeroed: the default endpoint. */
struct gd_endpoint {
    const char *url;   /* `http://HOST[:PORT]` or `unix:/PATH`; NULL: the default one */
    const char *token; /* NULL: none */
};

/** Sends one request, without a body, and waits for its answer at most a minute. body:
 *  its body is appended. Returns its status; 0 with err when there was none. */
int gd_operate_ask(const struct gd_endpoint *endpoint, const char *method,
                   const char *path, struct gd_buf *body, struct gd_err *err);

/** `gatherd reload [URL]`: asks for a reload and prints what became of it. The token is
 *  taken from GATHERD_TOKEN. Returns the exit code. */
int gd_operate_reload(const char *url);

#endif
