#ifndef GD_TESTS_GATEWAY_H
#define GD_TESTS_GATEWAY_H
/**
 * A whole gateway in the test's process: engine, mocks and admin on one loop in a thread
 * of its own, and a blocking client for the test.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/stat.h"

struct gateway;

/** Starts one from YAML text (its `listen` and `admin` are ignored). Fails the test with
 * the findings. */
struct gateway *gateway_start(const char *yaml);

/** Drains (bounded), checks that nothing is in flight, leased or queued, and frees. */
void gateway_end(struct gateway *gateway);

/** Returns a blocking connection with a receive timeout of 5 s. */
int gateway_connect(struct gateway *gateway);
int gateway_connect_admin(struct gateway *gateway);

/** Sends text whole. */
void client_send(int fd, const char *text);

/** Reads one answer (head and Content-Length bytes) into room, terminated; returns the
 *  status, 0 at end of file. head_only: an answer to HEAD. */
int client_read(int fd, bool head_only, char *room, size_t size);

/** Connects, sends `METHOD target` with Connection: close, and reads the answer. */
int client_ask(struct gateway *gateway, const char *method, const char *target,
               char *room, size_t size);

/** The body of an answer read by client_read. */
const char *client_body(const char *answer);

/** The value of a field, or NULL; valid until the next call. */
const char *client_field(const char *answer, const char *name);

/** Waits up to 2 s until a counter of the engine has the value. */
bool gateway_counts(struct gateway *gateway, const uint64_t *value, uint64_t wanted);
struct gd_stats *gateway_stats(struct gateway *gateway);

/** Milliseconds on the monotonic clock. */
double now_ms(void);

#endif
