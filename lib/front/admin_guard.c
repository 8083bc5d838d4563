#include "front/admin_inside.h"
#include "plan/network.h"
#include "plan/url.h"

/* Compares in a time that does not depend on where the first difference is. */
static bool same_secret(struct gd_span a, struct gd_span b)
{
    unsigned char difference = a.len != b.len;

    for (size_t i = 0; i < a.len && i < b.len; i++)
        difference |= (unsigned char)(a.ptr[i] ^ b.ptr[i]);
    return difference == 0;
}

bool gd_admin_knows_token(const struct gd_admin *admin, const struct gd_request *request)
{
    const char *token = admin->source.plan->admin_token;
    const struct gd_field *field;
    struct gd_span scheme = GD_SPAN("Bearer ");

    if (token == NULL)
        return true;
    field = gd_fields_get(&request->head.fields, GD_FIELD_AUTHORIZATION);
    if (field == NULL || field->value.len < scheme.len ||
        !gd_span_ieq((struct gd_span){field->value.ptr, scheme.len}, scheme))
        return false;
    return same_secret(
        (struct gd_span){field->value.ptr + scheme.len, field->value.len - scheme.len},
        gd_span_of(token));
}

/* Other sites ---------------------------------------------------------------------------
 *
 * A browser sends what pages of any site tell it to, to loopback too. It tells the truth
 * about where that comes from (Origin with every POST, Sec-Fetch-Site besides), and
 * programs that are no browsers send neither. */

/* Whether a host can only mean this endpoint. Any other name may be a foreign site's that
 * has been pointed here (DNS rebinding). */
static bool is_own_host(const struct gd_admin *admin, struct gd_span host)
{
    const char *configured = admin->source.plan->admin.host;
    char room[GD_HOST_MAX];
    struct gd_span name = gd_router_host(host, room);
    struct gd_ip ip;

    if (name.len == 0)
        return false;
    return gd_span_is(name, "localhost") || name.ptr[0] == '[' ||
           gd_ip_parse(name, &ip) ||
           (configured && gd_span_ieq(name, gd_span_of(configured)));
}

bool gd_admin_is_own(const struct gd_admin *admin, const struct gd_request *request)
{
    struct gd_span host = request->head.host;

    return admin->source.plan->admin_token || host.len == 0 ||
           request->client->sa.ss_family == AF_UNIX || is_own_host(admin, host);
}

/* Whether the page that sends this is of this endpoint. */
static bool is_own_origin(const struct gd_admin *admin, const struct gd_request *request)
{
    struct gd_span origin = gd_fields_only(&request->head.fields, GD_SPAN("Origin"));
    struct gd_span host = request->head.host;
    struct gd_url url;
    struct gd_err err;

    return origin.ptr && gd_url_split(origin, &url, &err) && url.rest.len == 0 &&
           gd_span_ieq(url.authority, host) &&
           (admin->source.plan->admin_token || is_own_host(admin, host));
}

/* What an HTML form can send without asking first (Fetch, "CORS-safelisted"). */
static bool is_form(struct gd_span type)
{
    static const char *const forms[] = {"application/x-www-form-urlencoded",
                                        "multipart/form-data", "text/plain"};
    const char *end = memchr(type.ptr, ';', type.len);
    struct gd_span bare = gd_span_trim(
        (struct gd_span){type.ptr, end ? (size_t)(end - type.ptr) : type.len}, " \t");

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
        if (gd_span_ieq(bare, gd_span_of(forms[i])))
            return true;
    return false;
}

const char *gd_admin_foreign(const struct gd_admin *admin,
                             const struct gd_request *request, int *status)
{
    const struct gd_fields *fields = &request->head.fields;
    const struct gd_field *site = gd_fields_find(fields, GD_SPAN("Sec-Fetch-Site"));
    const struct gd_field *type = gd_fields_get(fields, GD_FIELD_CONTENT_TYPE);

    *status = 403;
    if (site && !gd_span_is(site->value, "same-origin") &&
        !gd_span_is(site->value, "none"))
        return "actions are not taken from other sites (Sec-Fetch-Site)";
    if (gd_fields_get(fields, GD_FIELD_ORIGIN) && !is_own_origin(admin, request))
        return "actions are not taken from other sites (Origin)";
    *status = 415;
    if (type && is_form(type->value))
        return "actions are not taken from forms (Content-Type)";
    return NULL;
}
