#include "plan/load.h"

#include <assert.h>
#include <openssl/x509_vfy.h>
#include <stdlib.h>

#include "base/mem.h"
#include "plan/load_log.h"
#include "plan/schema.h"

enum { PLAN_BLOCK = 65536 };

void *gd_need(const void *ptr)
{
    if (ptr == NULL)
        abort();
    return (void *)ptr;
}

void gd_load_each(struct gd_loader *loader, const char *key,
                  void (*fn)(struct gd_loader *loader, const struct gd_yaml_node *node))
{
    for (unsigned i = 0; i < loader->root_count; i++) {
        const struct gd_yaml_node *map = gd_yaml_get(loader->roots[i], key);

        if (map == NULL || map->kind != GD_YAML_MAP)
            continue;
        for (const struct gd_yaml_node *node = map->first; node; node = node->next)
            fn(loader, node);
    }
}

/* Whether the values of several files are joined. */
static bool is_joined(struct gd_span key)
{
    return gd_span_is(key, "upstreams") || gd_span_is(key, "routes") ||
           gd_span_is(key, "include");
}

static void check_declared_once(struct gd_loader *loader)
{
    struct gd_dict seen = {0};

    for (unsigned i = 0; i < loader->root_count; i++)
        for (struct gd_yaml_node *node = loader->roots[i]->first; node;
             node = node->next) {
            const struct gd_yaml_node *first = gd_dict_get(&seen, node->key->text);
            struct gd_words words;

            if (first == NULL)
                gd_dict_put(&seen, node->key->text, node);
            else if (first->file != node->file && !is_joined(node->key->text))
                gd_report_key(&loader->report, node,
                              "declared twice, first at %s; only upstreams and routes "
                              "of several files are joined",
                              gd_words_place(&words, &loader->report, first));
        }
    gd_dict_free(&seen);
}

static void load_top(struct gd_loader *loader)
{
    struct gd_draft_top *top = &loader->top;
    struct gd_plan *plan = loader->plan;

    gd_schema_defaults(GD_SECTION_TOP, top);
    for (unsigned i = 0; i < loader->root_count; i++)
        if (!gd_schema_read(&loader->report, GD_SECTION_TOP, loader->roots[i], top))
            assert(!gd_report_empty(&loader->report));
    check_declared_once(loader);
    plan->workers = top->workers;
    plan->drain_grace_ms = top->drain.grace_ms;
    plan->drain_timeout_ms = top->drain.timeout_ms;
    plan->limits = top->limits;
    plan->mock_seed = top->mock_seed;
    gd_load_fixed(loader);
    gd_load_trusted(loader);
    gd_load_listen(loader);
    gd_load_resolver(loader);
    gd_load_log(loader);
}

static void loader_init(struct gd_loader *loader, const struct gd_load_options *options)
{
    *loader = (struct gd_loader){.last_upstream = NULL};
    loader->last_upstream = &loader->first_upstream;
    gd_yaml_init(&loader->yaml, &loader->report, options);
    loader->plan = gd_alloc(sizeof(*loader->plan));
    loader->plan->refs = 1;
    /* Bounded by the bounds of the configuration's text. */
    gd_arena_init(&loader->plan->arena, NULL, PLAN_BLOCK, SIZE_MAX / 2);
}

static struct gd_plan *loader_finish(struct gd_loader *loader,
                                     struct gd_findings *findings)
{
    struct gd_plan *plan = loader->plan;

    if (!gd_report_empty(&loader->report)) {
        gd_plan_unref(plan);
        plan = NULL;
    }
    gd_report_finish(&loader->report, findings);
    gd_report_free(&loader->report);
    gd_dict_free(&loader->upstreams);
    X509_STORE_free(loader->trusted_cas);
    gd_free(loader->route_nodes);
    gd_free(loader->roots);
    gd_yaml_free(&loader->yaml);
    return plan;
}

static struct gd_plan *load(const char *name, const struct gd_span *text,
                            const struct gd_load_options *options,
                            struct gd_findings *findings)
{
    struct gd_loader loader;

    loader_init(&loader, options);
    gd_load_files(&loader, name, text);
    if (loader.root_count) {
        load_top(&loader);
        gd_load_upstreams(&loader);
        gd_load_routes(&loader);
        gd_load_settle_upstreams(&loader);
        gd_load_top_written(&loader);
    }
    return loader_finish(&loader, findings);
}

struct gd_plan *gd_plan_load(const char *file, const struct gd_load_options *options,
                             struct gd_findings *findings)
{
    return load(file, NULL, options, findings);
}

struct gd_plan *gd_plan_load_text(const char *name, struct gd_span text,
                                  const struct gd_load_options *options,
                                  struct gd_findings *findings)
{
    return load(name, &text, options, findings);
}
