#include "net/found.h"

#include <ares.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>

#include "base/mem.h"

/* Of one answer; further ones are not even counted. */
enum { RECORDS_MAX = 256 };

static const char *reason(int status)
{
    switch (status) {
    case ARES_ENODATA:
        return "it has no such record";
    case ARES_ENOTFOUND:
        return "there is no such name";
    case ARES_ETIMEOUT:
        return "no nameserver answered in time";
    case ARES_ECONNREFUSED:
        return "no nameserver could be reached, or each of them failed";
    case ARES_ESERVFAIL:
        return "the nameserver failed";
    case ARES_EREFUSED:
    case ARES_ENOTIMP:
        return "the nameserver refused to answer";
    case ARES_EBADRESP:
    case ARES_EFORMERR:
    case ARES_EBADNAME:
        return "the nameserver's answer is not valid";
    default:
        return ares_strerror(status);
    }
}

void gd_found_fail(struct gd_found *found, int status)
{
    found->answer = status == ARES_ENODATA || status == ARES_ENOTFOUND ? GD_ANSWER_NONE
                                                                       : GD_ANSWER_FAILED;
    found->why = reason(status);
}

void gd_found_add(struct gd_found *found, int family, const void *bytes)
{
    struct gd_address *to;

    if (found->count == GD_FOUND_MAX) {
        found->left_out++;
        return;
    }
    if (found->addresses == NULL)
        found->addresses = gd_alloc_array(GD_FOUND_MAX, sizeof(*found->addresses));
    to = &found->addresses[found->count];
    *to = (struct gd_address){.sa = {.ss_family = (sa_family_t)family}};
    if (family == AF_INET6) {
        to->len = sizeof(struct sockaddr_in6);
        memcpy(&((struct sockaddr_in6 *)&to->sa)->sin6_addr, bytes,
               sizeof(struct in6_addr));
    } else {
        to->len = sizeof(struct sockaddr_in);
        memcpy(&((struct sockaddr_in *)&to->sa)->sin_addr, bytes, sizeof(struct in_addr));
    }
    for (unsigned i = 0; i < found->count; i++)
        if (memcmp(&found->addresses[i], to, sizeof(*to)) == 0)
            return;
    found->count++;
    found->answer = GD_ANSWER_FOUND;
}

static void lower_ttl(struct gd_found *found, int64_t seconds)
{
    const int64_t most = 7 * 24 * 3600;
    uint32_t ms = (uint32_t)(seconds < 0 ? 0 : seconds > most ? most : seconds) * 1000;

    if (ms < found->ttl_ms)
        found->ttl_ms = ms;
}

int gd_found_read_addresses(int type, const unsigned char *bytes, int len,
                            struct gd_found *found)
{
    struct ares_addrttl v4[RECORDS_MAX];
    struct ares_addr6ttl v6[RECORDS_MAX];
    int count = RECORDS_MAX;
    int status = type == ns_t_aaaa ? ares_parse_aaaa_reply(bytes, len, NULL, v6, &count)
                                   : ares_parse_a_reply(bytes, len, NULL, v4, &count);

    if (status != ARES_SUCCESS)
        return status;
    for (int i = 0; i < count; i++) {
        if (type == ns_t_aaaa)
            gd_found_add(found, AF_INET6, &v6[i].ip6addr);
        else
            gd_found_add(found, AF_INET, &v4[i].ipaddr);
        lower_ttl(found, type == ns_t_aaaa ? v6[i].ttl : v4[i].ttl);
    }
    return found->count ? ARES_SUCCESS : ARES_ENODATA;
}

/* The library leaves out how long services are valid. */
static void read_ttl(const unsigned char *bytes, int len, struct gd_found *found)
{
    ns_msg message;
    ns_rr record;

    if (ns_initparse(bytes, len, &message) != 0)
        return;
    for (int i = 0; i < ns_msg_count(message, ns_s_an); i++)
        if (ns_parserr(&message, ns_s_an, i, &record) == 0)
            lower_ttl(found, ns_rr_ttl(record));
}

/* A target `.` says that there is no such service here. */
int gd_found_read_services(const unsigned char *bytes, int len, struct gd_found *found)
{
    struct ares_srv_reply *list = NULL;
    int status = ares_parse_srv_reply(bytes, len, &list);

    if (status != ARES_SUCCESS)
        return status;
    found->services = gd_alloc_array(GD_FOUND_MAX, sizeof(*found->services));
    for (const struct ares_srv_reply *reply = list; reply; reply = reply->next) {
        size_t host_len = strlen(reply->host);
        struct gd_service *service;

        if (host_len == 0 || host_len >= GD_HOST_MAX || reply->port == 0)
            continue;
        if (found->count == GD_FOUND_MAX) {
            found->left_out++;
            continue;
        }
        service = &found->services[found->count++];
        memcpy(service->host, reply->host, host_len + 1);
        service->port = reply->port;
        service->priority = reply->priority;
        service->weight = reply->weight;
    }
    ares_free_data(list);
    read_ttl(bytes, len, found);
    found->answer = GD_ANSWER_FOUND;
    return found->count ? ARES_SUCCESS : ARES_ENODATA;
}
