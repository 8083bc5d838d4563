#include "plan/loader.h"
#include "plan/schema.h"
#include "plan/template.h"
#include "plan/value.h"

/* How servers are chosen, taken out, asked again and looked after. */

static bool is_text(const struct gd_yaml_node *node, const char *text)
{
    return node->kind == GD_YAML_SCALAR && gd_span_is(node->text, text);
}

static bool say_expected(struct gd_loader *loader, const struct gd_yaml_node *node,
                         enum gd_type type)
{
    struct gd_words words;

    return gd_report_value(&loader->report, node, "expected %s, found %s",
                           gd_type_words(type), gd_words_found(&words, node));
}

/* Whether a node that may say `off` is a map; what it is else is reported. */
static bool is_map(struct gd_loader *loader, const struct gd_yaml_node *node)
{
    return node->kind == GD_YAML_MAP || say_expected(loader, node, GD_TYPE_SWITCH);
}

/* Balance -------------------------------------------------------------------------------
 */

/* The text between `hash(` and `)`; ptr NULL when it is no such thing. */
static struct gd_span hash_text(struct gd_span text)
{
    const size_t front = strlen("hash("), around = strlen("hash()");

    if (text.len <= around || !gd_span_starts(text, GD_SPAN("hash(")) ||
        text.ptr[text.len - 1] != ')')
        return GD_SPAN_NONE;
    return (struct gd_span){text.ptr + front, text.len - around};
}

static void load_hash(struct gd_loader *loader, const struct gd_yaml_node *node,
                      struct gd_span text, struct gd_plan_upstream *out)
{
    static const struct gd_names names = {.request = true};
    struct gd_template *key;
    struct gd_err err;

    out->balance = GD_BALANCE_HASH;
    key = gd_template_header(&loader->plan->arena, text, &names, &err);
    out->hash_key = key;
    if (key == NULL)
        gd_report_value(&loader->report, node, "%s", err.text);
    else if (gd_template_literal(key).ptr)
        gd_report_value(&loader->report, node,
                        "without a placeholder all requests would go to one server");
    else if (gd_template_reads_body(key))
        gd_report_value(&loader->report, node,
                        "a server is chosen without looking into the body");
}

static void load_balance(struct gd_loader *loader, const struct gd_yaml_node *node,
                         struct gd_plan_upstream *out)
{
    static const char *const words[] = {
        [GD_BALANCE_ROUND_ROBIN] = "round_robin",
        [GD_BALANCE_LEAST_PENDING] = "least_pending",
        [GD_BALANCE_RANDOM_TWO] = "random_two",
    };
    struct gd_span text = GD_SPAN_NONE;

    for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (is_text(node, words[i])) {
            out->balance = (enum gd_balance)i;
            return;
        }
    if (node->kind == GD_YAML_SCALAR)
        text = hash_text(node->text);
    if (text.ptr)
        load_hash(loader, node, text, out);
    else
        say_expected(loader, node, GD_TYPE_BALANCE);
}

/* Eject ---------------------------------------------------------------------------------
 */

static void load_eject(struct gd_loader *loader, const struct gd_yaml_node *node,
                       struct gd_plan_eject *out)
{
    *out = (struct gd_plan_eject){.errors = 0};
    if (node && is_text(node, "off"))
        return;
    gd_schema_defaults(GD_SECTION_EJECT, out);
    if (node && is_map(loader, node))
        gd_schema_read(&loader->report, GD_SECTION_EJECT, node, out);
}

/* Retry ---------------------------------------------------------------------------------
 */

static bool add_reason(struct gd_span text, struct gd_plan_retry *out)
{
    static const enum gd_failure classes[] = {GD_FAIL_CONNECT, GD_FAIL_RESET,
                                              GD_FAIL_TIMEOUT, GD_FAIL_PROTOCOL};

    for (unsigned i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
        if (gd_span_is(text, gd_failure_word(classes[i]))) {
            out->failures |= 1u << classes[i];
            if (classes[i] == GD_FAIL_CONNECT)
                out->failures |= 1u << GD_FAIL_TLS; /* a part of connecting */
            return true;
        }
    return gd_load_status(text, &out->statuses);
}

static void load_reasons(struct gd_loader *loader, const struct gd_yaml_node *list,
                         struct gd_plan_retry *out)
{
    static const char *const usual[] = {"connect", "reset", "502", "503", "504"};
    struct gd_words words;

    if (list == NULL) {
        for (unsigned i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
            if (!add_reason(gd_span_of(usual[i]), out))
                gd_need(NULL);
        return;
    }
    for (const struct gd_yaml_node *node = list->first; node; node = node->next)
        if (node->kind != GD_YAML_SCALAR || !add_reason(node->text, out))
            gd_report_value(&loader->report, node,
                            "expected connect, reset, timeout, protocol, or a status "
                            "like 503 or 5xx, found %s",
                            gd_words_found(&words, node));
}

static void load_methods(struct gd_loader *loader, const struct gd_yaml_node *list,
                         struct gd_plan_retry *out)
{
    struct gd_words words;

    if (list == NULL) {
        for (enum gd_method i = GD_METHOD_OTHER; i < GD_METHODS; i++)
            out->methods |= gd_method_idempotent(i) ? 1u << i : 0;
        return;
    }
    for (const struct gd_yaml_node *node = list->first; node; node = node->next) {
        enum gd_method method =
            node->kind == GD_YAML_SCALAR ? gd_method_of(node->text) : GD_METHOD_OTHER;

        if (method == GD_METHOD_OTHER)
            gd_report_value(&loader->report, node,
                            "expected a method like GET or POST, found %s",
                            gd_words_found(&words, node));
        out->methods |= 1u << method;
    }
}

static void load_retry(struct gd_loader *loader, const struct gd_yaml_node *node,
                       struct gd_plan_retry *out)
{
    struct gd_draft_retry draft = {.on = NULL};

    gd_schema_defaults(GD_SECTION_RETRY, &draft);
    if (node && is_text(node, "off"))
        draft.plan.tries = 0; /* hedges draw on the budget all the same */
    else if (node && is_map(loader, node))
        gd_schema_read(&loader->report, GD_SECTION_RETRY, node, &draft);
    load_reasons(loader, draft.on, &draft.plan);
    load_methods(loader, draft.methods, &draft.plan);
    *out = draft.plan;
}

/* Hedge and health ----------------------------------------------------------------------
 */

static void load_hedge(struct gd_loader *loader, const struct gd_yaml_node *node,
                       struct gd_plan_hedge *out)
{
    uint64_t ms;

    *out = (struct gd_plan_hedge){.kind = GD_HEDGE_OFF};
    if (node == NULL || is_text(node, "off"))
        return;
    if (is_text(node, "p95"))
        out->kind = GD_HEDGE_P95;
    else if (node->kind == GD_YAML_SCALAR && gd_value_duration(node->text, &ms) && ms &&
             ms <= GD_MS_MAX)
        *out = (struct gd_plan_hedge){GD_HEDGE_AFTER, (uint32_t)ms};
    else
        say_expected(loader, node, GD_TYPE_HEDGE);
}

static void load_health(struct gd_loader *loader, const struct gd_yaml_node *node,
                        struct gd_plan_health *out)
{
    struct gd_draft_health draft = {.get = NULL};
    struct gd_template *target;
    struct gd_err err;
    struct gd_span text;

    *out = (struct gd_plan_health){.up = 0};
    if (node == NULL || is_text(node, "off") || !is_map(loader, node))
        return;
    gd_schema_defaults(GD_SECTION_HEALTH, &draft);
    gd_schema_read(&loader->report, GD_SECTION_HEALTH, node, &draft);
    if (draft.get == NULL || draft.get->broken)
        return;
    target = gd_template_target(&loader->plan->arena, draft.get->text,
                                &(struct gd_names){.params = NULL}, &err);
    text = target ? gd_template_literal(target) : GD_SPAN_NONE;
    if (target == NULL)
        gd_report_value(&loader->report, draft.get, "%s", err.text);
    else if (text.ptr == NULL)
        gd_report_value(&loader->report, draft.get,
                        "a placeholder has no value here: nobody asked");
    *out = draft.plan;
    out->target = text;
}

void gd_load_resilience(struct gd_loader *loader, const struct gd_draft_upstream *draft,
                        struct gd_plan_upstream *out)
{
    out->balance = GD_BALANCE_LEAST_PENDING;
    if (draft->balance)
        load_balance(loader, draft->balance, out);
    load_eject(loader, draft->eject, &out->eject);
    load_retry(loader, draft->retry, &out->retry);
    load_hedge(loader, draft->hedge, &out->hedge);
    load_health(loader, draft->health, &out->health);
}
