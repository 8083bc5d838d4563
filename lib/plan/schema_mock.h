#ifndef GD_PLAN_SCHEMA_MOCK_H
#define GD_PLAN_SCHEMA_MOCK_H
/**
 * The options of mock upstreams: rows of the table in plan/schema_table.h, which says
 * what their columns are.
 */
/* clang-format off */
#define GD_MOCK_OPTION_ROWS(X)                                                            \
    X(MOCK, "json", JSON, NONE, json, 0, 0, "", "", APPLIED,                              \
      "The body, any value; `{name}` in its texts is a parameter of the pattern.")        \
    X(MOCK, "status", INT, NONE, plan.status, 200, 599, "200", "", APPLIED, "The status.") \
    X(MOCK, "headers", HEADERS, NONE, headers, 0, 0, "", "", APPLIED,                     \
      "Further header fields of the answer.")                                             \
    X(MOCK, "delay", RANGE, NONE, plan.delay, 0, GD_MS_MAX, "0ms", "", APPLIED,           \
      "How long the answer takes; with a range, each request has its own time within it.") \
    X(MOCK, "drip", DURATION, NONE, plan.drip_ms, 0, GD_MS_MAX, "0ms", "", APPLIED,       \
      "Over how long the answer is sent, in small pieces.")                               \
    X(MOCK, "fail", PERCENT, NONE, plan.fail_share, 0, 0, "0%", "", APPLIED,              \
      "The share of requests that is answered with 500 instead.")                         \
    X(MOCK, "reset", PERCENT, NONE, plan.reset_share, 0, 0, "0%", "", APPLIED,            \
      "The share of requests whose connection is reset instead of an answer.")            \
    X(MOCK, "truncate", PERCENT, NONE, plan.truncate_share, 0, 0, "0%", "", APPLIED,      \
      "The share of answers that ends, with the connection, after half of the body.")
/* clang-format on */

#endif
