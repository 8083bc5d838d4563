/* The page for people. Its one script and its one style are allowed by their hashes, so
 * that nothing else of it, whatever came there, would run. */
#include <openssl/evp.h>
#include <stdio.h>

#include "front/admin_inside.h"
#include "front/page.h"

enum { HASH_BYTES = 32, HASH_TEXT = 48, POLICY_MAX = 512 };

/* What stands between two marks of the page; ptr NULL when they are not there. */
static struct gd_span between(struct gd_span page, const char *from, const char *to)
{
    const char *start = memmem(page.ptr, page.len, from, strlen(from));
    const char *end;

    if (start == NULL)
        return GD_SPAN_NONE;
    start += strlen(from);
    end = memmem(start, page.len - (size_t)(start - page.ptr), to, strlen(to));
    return end ? (struct gd_span){start, (size_t)(end - start)} : GD_SPAN_NONE;
}

/* The hash of a text as policies have it: base64. */
static void hash(struct gd_span text, char out[HASH_TEXT])
{
    unsigned char digest[HASH_BYTES];

    gd_loop_must(text.ptr &&
                 EVP_Digest(text.ptr, text.len, digest, NULL, EVP_sha256(), NULL) == 1);
    EVP_EncodeBlock((unsigned char *)out, digest, HASH_BYTES);
}

static void write_policy(struct gd_span page, char *out)
{
    char script[HASH_TEXT], style[HASH_TEXT];

    hash(between(page, "<script>", "</script>"), script);
    hash(between(page, "<style>", "</style>"), style);
    snprintf(out, POLICY_MAX,
             "default-src 'none'; script-src 'sha256-%s'; style-src 'sha256-%s'; "
             "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
             "frame-ancestors 'none'",
             script, style);
}

void gd_admin_page(struct gd_admin *admin, struct gd_request *request,
                   const struct gd_match *match)
{
    struct gd_span page = gd_page_text();
    char *policy = gd_arena_raw(request->arena, POLICY_MAX);
    struct gd_plan_header *headers = gd_arena_alloc(request->arena, 5 * sizeof(*headers));
    struct iovec *piece = gd_arena_raw(request->arena, sizeof(*piece));
    struct gd_answer answer = {
        .status = 200,
        .content_type = GD_SPAN("text/html; charset=utf-8"),
        .headers = headers,
        .header_count = 5,
        .body = piece,
        .body_count = 1,
        .body_bytes = page.len,
    };

    gd_loop_must(policy && headers && piece);
    write_policy(page, policy);
    headers[0] =
        (struct gd_plan_header){GD_SPAN("Content-Security-Policy"), gd_span_of(policy)};
    headers[1] = (struct gd_plan_header){GD_SPAN("Cache-Control"), GD_SPAN("no-store")};
    headers[2] =
        (struct gd_plan_header){GD_SPAN("X-Content-Type-Options"), GD_SPAN("nosniff")};
    headers[3] =
        (struct gd_plan_header){GD_SPAN("Referrer-Policy"), GD_SPAN("no-referrer")};
    headers[4] = (struct gd_plan_header){GD_SPAN("Cross-Origin-Opener-Policy"),
                                         GD_SPAN("same-origin")};
    *piece = (struct iovec){(char *)page.ptr, page.len};
    gd_request_answer(request, &answer);
}
