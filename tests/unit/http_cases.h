#ifndef GD_TESTS_HTTP_CASES_H
#define GD_TESTS_HTTP_CASES_H
/**
 * A battery of malformed, ambiguous and unusual requests, for the parser alone and for
 * the front on a socket. docs/http.md is printed from it.
 */
#include "http_cases_chunks.h"
#include "http_cases_fields.h"
#include "http_cases_framing.h"
#include "http_cases_lines.h"

#endif
