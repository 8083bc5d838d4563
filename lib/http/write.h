#ifndef GD_HTTP_WRITE_H
#define GD_HTTP_WRITE_H
/**
 * Writing heads: the one place where message heads are made, so that no value can become
 * a line of its own. Every function returns false when a name or value is not allowed
 * there, or past the buffer's bound; the caller then sends nothing.
 */
#include <stdint.h>

#include "base/bytes.h"
#include "http/token.h"

/** `HTTP/1.1 200 OK` CRLF. */
GD_MUST_CHECK bool gd_write_status_line(struct gd_buf *buf, int status);

/** `GET /path?query HTTP/1.1` CRLF. method: a token; target: visible ASCII only. */
GD_MUST_CHECK bool gd_write_request_line(struct gd_buf *buf, struct gd_span method,
                                         struct gd_span target);

/** `Name: value` CRLF; refuses a name that is no token and control characters in values.
 */
GD_MUST_CHECK bool gd_write_field(struct gd_buf *buf, struct gd_span name,
                                  struct gd_span value);
GD_MUST_CHECK bool gd_write_field_u64(struct gd_buf *buf, struct gd_span name,
                                      uint64_t value);

/** The blank line. */
GD_MUST_CHECK bool gd_write_end(struct gd_buf *buf);

enum { GD_CHUNK_LINE_ROOM = 20 };

/** What stands around a chunk of `bytes` (RFC 9112 7.1): the line in front, in room, and
 *  what is behind it; last: with the last chunk and no trailers. Nothing in front of a
 *  chunk without bytes. Borrowed from room; constant. */
struct gd_span gd_write_chunk_line(char room[GD_CHUNK_LINE_ROOM], size_t bytes);
struct gd_span gd_chunk_end(size_t bytes, bool last);

enum { GD_DATE_ROOM = 30 };

/** Writes `Mon, 23 Nov 2026 21:58:00 GMT`; returns borrowed: room. */
struct gd_span gd_date_write(int64_t wall_s, char room[GD_DATE_ROOM]);

/** A Date line, formatted at most once a second (RFC 9110 5.6.7). One a thread. */
struct gd_date {
    int64_t second;
    char line[40]; /* `Date: Mon, 23 Nov 2026 21:58:00 GMT` CRLF */
    size_t len;
};

/** Returns borrowed: the whole line for that second, CRLF included. */
struct gd_span gd_date_line(struct gd_date *date, int64_t wall_s);

#endif
