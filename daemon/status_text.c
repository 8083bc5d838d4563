#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "daemon/status.h"

/* Text is measured as it is printed: a table is filled first, then written with columns
 * as wide as their widest cell. */
enum { COLUMNS_MAX = 11, CELL_MAX = 96 };

struct row {
    char cells[COLUMNS_MAX][CELL_MAX];
    const char *colour; /* of its last but one column, or NULL */
    struct row *next;
};

struct table {
    unsigned columns, widths[COLUMNS_MAX];
    const char *titles[COLUMNS_MAX];
    struct gd_arena arena;
    struct row *first, **last;
    bool colour;
};

static const char bold[] = "\x1b[1m", dim[] = "\x1b[2m", red[] = "\x1b[31m",
                  green[] = "\x1b[32m", yellow[] = "\x1b[33m", plain[] = "\x1b[0m";

/* Numbers -------------------------------------------------------------------------------
 */

static json_int_t whole(const json_t *from, const char *key)
{
    return json_integer_value(json_object_get(from, key));
}

static json_int_t total(const json_t *map)
{
    json_int_t sum = 0;
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)map, key, value) sum += json_integer_value(value);
    return sum;
}

static void put_ms(char *out, const json_t *latency, const char *key)
{
    double ms = json_number_value(json_object_get(latency, key));

    snprintf(out, CELL_MAX, ms >= 100 ? "%.0f" : ms > 0 ? "%.1f" : "0", ms);
}

static void put_count(char *out, json_int_t number)
{
    snprintf(out, CELL_MAX, "%lld", (long long)number);
}

static void put_share(char *out, json_int_t part, json_int_t all)
{
    snprintf(out, CELL_MAX, part && all ? "%.1f%%" : "0",
             100.0 * (double)part / (double)all);
}

static void put_rate(char *out, json_int_t now, json_int_t before, double seconds)
{
    if (seconds > 0)
        snprintf(out, CELL_MAX, "%.1f", (double)(now - before) / seconds);
    else
        snprintf(out, CELL_MAX, "-");
}

/* Names come from a configuration, by way of whoever answers: what could move a cursor is
 * not printed. */
static void put_text(char *out, const char *text)
{
    size_t n = 0;

    for (; text && *text && n + 1 < CELL_MAX; text++)
        out[n++] = (unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text;
    while (n > 0 && text && *text && ((unsigned char)out[n - 1] & 0xc0) == 0x80)
        n--; /* a character that was cut */
    out[n] = '\0';
}

/* Tables --------------------------------------------------------------------------------
 */

static void table_init(struct table *table, bool colour, const char *const *titles,
                       unsigned count)
{
    memset(table, 0, sizeof(*table));
    gd_arena_init(&table->arena, NULL, 65536, SIZE_MAX / 2);
    table->last = &table->first;
    table->colour = colour;
    table->columns = count;
    memcpy(table->titles, titles, count * sizeof(*titles));
}

static struct row *table_row(struct table *table)
{
    struct row *row = gd_arena_alloc(&table->arena, sizeof(*row));

    if (row == NULL)
        return NULL;
    *table->last = row;
    table->last = &row->next;
    return row;
}

/* Characters, not bytes. */
static unsigned width_of(const char *text)
{
    unsigned width = 0;

    for (; *text; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

static void measure(struct table *table)
{
    for (unsigned i = 0; i < table->columns; i++)
        table->widths[i] = width_of(table->titles[i]);
    for (const struct row *row = table->first; row; row = row->next)
        for (unsigned i = 0; i < table->columns; i++) {
            unsigned width = width_of(row->cells[i]);

            if (width > table->widths[i])
                table->widths[i] = width;
        }
}

static bool add_cell(struct gd_buf *out, const struct table *table, unsigned column,
                     const char *text, const char *colour)
{
    int pad = (int)(table->widths[column] - width_of(text));
    bool coloured = table->colour && colour;
    bool last = column + 1 == table->columns;

    /* The first column and the last one, if it is of words, begin where they begin. */
    return gd_buf_addf(out, "%s%*s%s%s%s%*s", column ? "  " : "", column ? pad : 0, "",
                       coloured ? colour : "", text, coloured ? plain : "",
                       column || last ? 0 : pad, "");
}

static bool table_print(struct table *table, struct gd_buf *out)
{
    bool ok = true;

    measure(table);
    for (unsigned i = 0; ok && i < table->columns; i++)
        ok = add_cell(out, table, i, table->titles[i], dim);
    ok = ok && gd_buf_add_text(out, "\n");
    for (const struct row *row = table->first; ok && row; row = row->next) {
        for (unsigned i = 0; ok && i < table->columns; i++)
            ok = add_cell(out, table, i, row->cells[i],
                          i + 1 == table->columns ? row->colour : NULL);
        ok = ok && gd_buf_add_text(out, "\n");
    }
    gd_arena_free(&table->arena);
    return ok;
}

/* Parts ---------------------------------------------------------------------------------
 */

/* That of before with the same name. */
static const json_t *same(const json_t *list, const char *key, const char *name)
{
    for (size_t i = 0; name && i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        const char *other = json_string_value(json_object_get(item, key));

        if (other && strcmp(other, name) == 0)
            return item;
    }
    return NULL;
}

static bool add_routes(const json_t *status, const json_t *before, double seconds,
                       bool colour, struct gd_buf *out)
{
    static const char *const titles[] = {"ROUTE",   "PER S", "REQUESTS", "IN FLIGHT",
                                         "P50",     "P90",   "P99",      "MAX",
                                         "PARTIAL", "5XX"};
    const json_t *routes = json_object_get(status, "routes");
    const json_t *old = json_object_get(before, "routes");
    struct table table;

    table_init(&table, colour, titles, 10);
    for (size_t i = 0; i < json_array_size(routes); i++) {
        const json_t *route = json_array_get(routes, i);
        const json_t *late = json_object_get(route, "latency_ms");
        const json_t *answers = json_object_get(route, "answers");
        const char *name = json_string_value(json_object_get(route, "route"));
        const json_t *was = same(old, "route", name);
        json_int_t bad = whole(answers, "5xx");
        struct row *row = table_row(&table);

        if (row == NULL)
            break;
        put_text(row->cells[0], name);
        put_rate(row->cells[1], whole(route, "requests"), whole(was, "requests"),
                 was ? seconds : 0);
        put_count(row->cells[2], whole(route, "requests"));
        put_count(row->cells[3], whole(route, "in_flight"));
        put_ms(row->cells[4], late, "p50");
        put_ms(row->cells[5], late, "p90");
        put_ms(row->cells[6], late, "p99");
        put_ms(row->cells[7], late, "max");
        put_count(row->cells[8], whole(route, "incomplete"));
        put_share(row->cells[9], bad, total(answers));
        row->colour = bad ? red : NULL;
    }
    return table_print(&table, out);
}

static bool add_upstreams(const json_t *status, const json_t *before, double seconds,
                          bool colour, struct gd_buf *out)
{
    static const char *const titles[] = {"UPSTREAM", "PER S", "CALLS",   "IN FLIGHT",
                                         "P50",      "P99",   "RETRIES", "FAILED"};
    const json_t *upstreams = json_object_get(status, "upstreams");
    const json_t *old = json_object_get(before, "upstreams");
    struct table table;

    table_init(&table, colour, titles, 8);
    for (size_t i = 0; i < json_array_size(upstreams); i++) {
        const json_t *upstream = json_array_get(upstreams, i);
        const json_t *late = json_object_get(upstream, "latency_ms");
        const char *name = json_string_value(json_object_get(upstream, "name"));
        const json_t *was = same(old, "name", name);
        json_int_t bad = total(json_object_get(upstream, "failures"));
        struct row *row = table_row(&table);

        if (row == NULL)
            break;
        put_text(row->cells[0], name);
        put_rate(row->cells[1], whole(upstream, "calls"), whole(was, "calls"),
                 was ? seconds : 0);
        put_count(row->cells[2], whole(upstream, "calls"));
        put_count(row->cells[3], whole(upstream, "in_flight"));
        put_ms(row->cells[4], late, "p50");
        put_ms(row->cells[5], late, "p99");
        put_count(row->cells[6], whole(upstream, "retries"));
        put_share(row->cells[7], bad, whole(upstream, "calls"));
        row->colour = bad ? red : NULL;
    }
    return table_print(&table, out);
}

/* What a server is: the first of these that is true of a worker. */
static const char *state_of(const json_t *server, const char **colour)
{
    static const struct {
        const char *key, *colour;
    } states[] = {{"drained", yellow}, {"down", red}, {"out", red}, {"trial", yellow}};
    const json_t *state = json_object_get(server, "state");

    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
        if (whole(state, states[i].key)) {
            *colour = states[i].colour;
            return states[i].key;
        }
    *colour = green;
    return "in use";
}

static bool add_servers(const json_t *status, bool colour, struct gd_buf *out)
{
    static const char *const titles[] = {"SERVER",   "IDLE",   "LEASED", "DIALLING",
                                         "CONNECTS", "FAILED", "QUEUED", "STATE"};
    const json_t *upstreams = json_object_get(status, "upstreams");
    struct table table;

    table_init(&table, colour, titles, 8);
    for (size_t i = 0; i < json_array_size(upstreams); i++) {
        const json_t *upstream = json_array_get(upstreams, i);
        const json_t *servers = json_object_get(upstream, "servers");
        const char *name = json_string_value(json_object_get(upstream, "name"));

        for (size_t k = 0; k < json_array_size(servers); k++) {
            const json_t *server = json_array_get(servers, k);
            const json_t *sessions = json_object_get(server, "sessions");
            const char *address = json_string_value(json_object_get(server, "address"));
            struct row *row = table_row(&table);
            char both[2 * CELL_MAX];

            if (row == NULL)
                break;
            snprintf(both, sizeof(both), "%s %s", name ? name : "",
                     address ? address : "");
            put_text(row->cells[0], both);
            put_count(row->cells[1], whole(sessions, "idle"));
            put_count(row->cells[2], whole(sessions, "leased"));
            put_count(row->cells[3], whole(sessions, "dialling"));
            put_count(row->cells[4], whole(server, "connects"));
            put_count(row->cells[5], whole(server, "connect_failures"));
            put_count(row->cells[6], whole(server, "queued"));
            put_text(row->cells[7], state_of(server, &row->colour));
        }
    }
    return table_print(&table, out);
}

static bool add_head(const json_t *status, const json_t *before, double seconds,
                     bool colour, struct gd_buf *out)
{
    const json_t *worker = json_object_get(status, "worker");
    const char *state = json_string_value(json_object_get(status, "state"));
    char version[CELL_MAX], word[CELL_MAX], rate[CELL_MAX];
    bool ready = state && strcmp(state, "ready") == 0;
    const char *shade = ready ? green : yellow;

    put_text(version, json_string_value(json_object_get(status, "version")));
    put_text(word, state);
    put_rate(rate, whole(worker, "requests"),
             whole(json_object_get(before, "worker"), "requests"), before ? seconds : 0);
    return gd_buf_addf(
        out,
        "%sgatherd %s%s  %s%s%s, up %lld s, %lld workers\n"
        "%lld requests (%s per s), %lld in flight, %lld connections\n",
        colour ? bold : "", version, colour ? plain : "", colour ? shade : "", word,
        colour ? plain : "", (long long)whole(status, "uptime_s"),
        (long long)whole(status, "workers"), (long long)whole(worker, "requests"), rate,
        (long long)whole(worker, "requests_in_flight"),
        (long long)whole(worker, "connections_open"));
}

static bool add_reload(const json_t *status, bool colour, struct gd_buf *out)
{
    const json_t *reload = json_object_get(status, "reload");
    const char *state = json_string_value(json_object_get(reload, "state"));
    const json_t *errors = json_object_get(reload, "errors");
    bool ok = true;

    if (state == NULL || strcmp(state, "refused") != 0)
        return true;
    ok = gd_buf_addf(out, "%sthe last reload was refused:%s\n", colour ? red : "",
                     colour ? plain : "");
    for (size_t i = 0; ok && i < json_array_size(errors); i++) {
        char line[CELL_MAX * 2];
        const char *text = json_string_value(json_array_get(errors, i));
        size_t n = 0;

        for (; text && *text && n + 1 < sizeof(line); text++)
            line[n++] = (unsigned char)*text < ' ' ? '?' : *text;
        line[n] = '\0';
        ok = gd_buf_addf(out, "  %s\n", line);
    }
    return ok;
}

bool gd_status_text(const json_t *status, const json_t *before, double seconds,
                    bool colour, struct gd_buf *out)
{
    return add_head(status, before, seconds, colour, out) &&
           add_reload(status, colour, out) && gd_buf_add_text(out, "\n") &&
           add_routes(status, before, seconds, colour, out) &&
           gd_buf_add_text(out, "\n") &&
           add_upstreams(status, before, seconds, colour, out) &&
           gd_buf_add_text(out, "\n") && add_servers(status, colour, out);
}

bool gd_status_is_well(const json_t *status)
{
    const char *state = json_string_value(json_object_get(status, "state"));
    const json_t *upstreams = json_object_get(status, "upstreams");

    if (state == NULL || strcmp(state, "ready") != 0)
        return false;
    for (size_t i = 0; i < json_array_size(upstreams); i++) {
        const json_t *servers = json_object_get(json_array_get(upstreams, i), "servers");
        size_t good = 0, count = json_array_size(servers);
        const char *colour;

        for (size_t k = 0; k < count; k++) {
            state_of(json_array_get(servers, k), &colour);
            good += colour == green;
        }
        if (count && good == 0)
            return false;
    }
    return true;
}
