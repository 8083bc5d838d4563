#include "gather/explain_page.h"

/* The upstreams in an explanation. */

void gd_page_upstream(struct gd_page *page, const json_t *call)
{
    const json_t *upstream = json_object_get(call, "upstream");
    const json_t *servers = json_object_get(upstream, "servers");
    const json_t *left_out = json_object_get(upstream, "servers_left_out");

    gd_page_label(page, "upstream");
    gd_page_add_shown(page, gd_page_text_of(upstream, "name"));
    gd_page_add(page, servers ? " at " : ", a mock in the configuration");
    gd_page_add_names(page, servers);
    if (left_out) {
        gd_page_add(page, " and ");
        gd_page_add_value(page, left_out);
        gd_page_add(page, " more");
    }
    if (json_object_get(upstream, "balance")) {
        gd_page_add(page, ", ");
        gd_page_add_shown(page, gd_page_text_of(upstream, "balance"));
    }
    if (json_object_get(upstream, "http")) {
        gd_page_add(page, ", http ");
        gd_page_add_shown(page, gd_page_text_of(upstream, "http"));
    }
    if (json_is_false(json_object_get(upstream, "verify")))
        gd_page_add(page, ", whose certificate is not verified");
    gd_page_add(page, "\n");
}

/* Options that are told, in this order. */
static const char *const settings[] = {
    "timeout", "connect_timeout", "pool",   "max_in_flight",
    "eject",   "retry",           "health", "hedge",
};

static void add_setting(struct gd_page *page, const json_t *value)
{
    if (!json_is_array(value)) {
        gd_page_add_value(page, value);
        return;
    }
    gd_page_add(page, "[");
    gd_page_add_names(page, value);
    gd_page_add(page, "]");
}

/* `key value, key value`, or a word. */
static void print_setting(struct gd_page *page, const char *name, json_t *setting)
{
    const char *key, *comma = "";
    json_t *value;

    gd_page_label(page, name);
    if (!json_is_object(setting))
        add_setting(page, setting);
    json_object_foreach(setting, key, value)
    {
        gd_page_add(page, comma);
        gd_page_add(page, key);
        gd_page_add(page, " ");
        add_setting(page, value);
        comma = ", ";
    }
    gd_page_add(page, "\n");
}

static const json_t *settings_of(const json_t *upstream)
{
    return json_object_get(upstream, "settings");
}

/* All that have these settings. */
static void print_alike(struct gd_page *page, const json_t *upstreams,
                        const json_t *alike)
{
    bool several = false;
    const char *name;
    json_t *upstream;

    json_object_foreach((json_t *)upstreams, name, upstream)
    {
        if (!json_equal(settings_of(upstream), alike))
            continue;
        if (several)
            gd_page_add(page, ", ");
        else
            gd_page_label(page, "upstream");
        gd_page_add_shown(page, name);
        several = true;
    }
    gd_page_add(page, "\n");
}

static void print_settings(struct gd_page *page, const json_t *upstreams,
                           const json_t *all)
{
    gd_page_add(page, "\n");
    print_alike(page, upstreams, all);
    page->indent = "  ";
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
        print_setting(page, settings[i], json_object_get(all, settings[i]));
    page->indent = "";
}

/* Whether an upstream before this one was told with it. */
static bool is_told(const json_t *upstreams, const json_t *one)
{
    const char *name;
    json_t *upstream;

    json_object_foreach((json_t *)upstreams, name, upstream)
    {
        if (upstream == one)
            return false;
        if (json_equal(settings_of(upstream), settings_of(one)))
            return true;
    }
    return false;
}

static void add_upstream(json_t *upstreams, const json_t *by)
{
    json_t *upstream = json_object_get(by, "upstream");

    if (upstream)
        json_object_set(upstreams, gd_page_text_of(upstream, "name"), upstream);
}

void gd_page_upstreams(struct gd_page *page, const json_t *document)
{
    json_t *upstreams = json_object(), *value;
    const char *name;
    size_t i;

    json_array_foreach(json_object_get(document, "calls"), i, value)
    {
        add_upstream(upstreams, value);
    }
    add_upstream(upstreams, json_object_get(document, "pass"));
    json_object_foreach(upstreams, name, value)
    {
        if (!is_told(upstreams, value))
            print_settings(page, upstreams, settings_of(value));
    }
    json_decref(upstreams);
}
