#ifndef GD_DAEMON_STATUS_H
#define GD_DAEMON_STATUS_H
/**
 * `gatherd status`: what a running gatherd is doing, for a terminal.
 */
#include <jansson.h>

#include "base/bytes.h"
#include "daemon/operate.h"

/** The arguments, read. */
struct gd_status_command {
    struct gd_endpoint endpoint; /* its token is that of --token, or of GATHERD_TOKEN */
    bool json;                   /* the document as it is */
    bool watch;                  /* again and again, until the end of the terminal */
};

/** Reads `[URL] [--watch] [--json] [--token TOKEN]`, in any order. False with err. */
GD_MUST_CHECK bool gd_status_read(int argc, char **argv,
                                  struct gd_status_command *command, struct gd_err *err);

/** Prints it; returns the exit code: OK, DEGRADED when it is not ready or an upstream has
 *  no server left that takes requests, IO when it cannot be asked. */
int gd_status_print(const struct gd_status_command *command);

/** Appends the text of a status document. before: an earlier one, for rates, or NULL;
 *  seconds: between them. colour: with the sequences of terminals. */
GD_MUST_CHECK bool gd_status_text(const json_t *status, const json_t *before,
                                  double seconds, bool colour, struct gd_buf *out);

/** Whether it is ready and each upstream has a server that takes requests. */
bool gd_status_is_well(const json_t *status);

#endif
