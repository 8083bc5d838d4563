#ifndef GD_UPSTREAM_REPLY_H
#define GD_UPSTREAM_REPLY_H
/**
 * The reading half of an exchange, private to this folder: from the socket to a checked
 * head and a contiguous body. Relays read their heads here as well.
 */
#include "upstream/exchange.h"

enum gd_exchange_state {
    GD_EXCHANGE_NONE, /* never started, cancelled or freed */
    GD_EXCHANGE_HEAD, /* no complete final head yet */
    GD_EXCHANGE_BODY,
    GD_EXCHANGE_DONE, /* on_done was called */
};

enum gd_verdict {
    GD_VERDICT_MORE,     /* what is there has been read; more must come */
    GD_VERDICT_COMPLETE, /* the results are set */
    GD_VERDICT_FAILED,   /* failure and why are set */
};

/** Looks for a final head at the start of bytes; interim ones (1xx) are dropped from it,
 *  up to a bound, and 101 is refused. MORE, COMPLETE (fields and head are set; borrowed
 *  from bytes) or FAILED. fields: room for GD_REPLY_FIELDS_MAX. */
enum gd_verdict gd_reply_final_head(struct gd_reply_reader *reader, struct gd_buf *bytes,
                                    struct gd_field *fields,
                                    struct gd_response_head *head);

/** Prepares reading; holds no memory yet. */
void gd_reply_init(struct gd_exchange *exchange);

/** Reads and decodes what the socket has, a bounded amount at a time. */
enum gd_verdict gd_reply_read(struct gd_exchange *exchange);

/** Sets failure and why; returns GD_VERDICT_FAILED. why: constant text. */
enum gd_verdict gd_reply_fail(struct gd_exchange *exchange, enum gd_failure failure,
                              const char *why);

#endif
