#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "plan/folder.h"
#include "plan/load_folder.h"
#include "plan/ref.h"
#include "plan/schema.h"

static void open_folder(struct gd_loader *loader, const struct gd_yaml_node *node,
                        struct gd_plan_folder *folder)
{
    char *path = gd_load_path(loader, node);
    struct gd_words words;
    int probe;

    folder->dir = gd_need(gd_arena_text(&loader->plan->arena, node->text));
    folder->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder->fd < 0) {
        gd_report_value(&loader->report, node, "%s cannot be opened as a folder: %s",
                        gd_words_quote(&words, gd_span_of(path)), strerror(errno));
    } else {
        probe = gd_folder_open(folder->fd, ".", O_RDONLY | O_DIRECTORY);
        if (probe < 0)
            gd_report_value(&loader->report, node,
                            "files need Linux 5.6 or later, with openat2: %s",
                            strerror(errno));
        else
            close(probe);
    }
    gd_free(path);
}

/* A path below the folder, like `index.html`; NULL for `off` and when it is none. */
static const char *load_name(struct gd_loader *loader, const struct gd_yaml_node *node,
                             const char *usual, bool in_folders)
{
    struct gd_words words;
    struct gd_span text;

    if (node == NULL || node->broken)
        return usual;
    text = node->text;
    if (gd_span_is(text, "off"))
        return NULL;
    if (text.len == 0 || *text.ptr == '/' || text.ptr[text.len - 1] == '/' ||
        memmem(text.ptr, text.len, "..", 2) ||
        (!in_folders && memchr(text.ptr, '/', text.len))) {
        gd_report_value(&loader->report, node,
                        in_folders ? "expected the path of a file below dir, or off, "
                                     "found %s"
                                   : "expected the name of a file, or off, found %s",
                        gd_words_found(&words, node));
        return NULL;
    }
    return gd_need(gd_arena_text(&loader->plan->arena, text));
}

static void load_types(struct gd_loader *loader, const struct gd_yaml_node *map,
                       struct gd_plan_folder *folder)
{
    struct gd_arena *arena = &loader->plan->arena;
    struct gd_plan_type *types;
    struct gd_words words;

    if (map == NULL)
        return;
    types = gd_need(gd_arena_alloc(arena, (map->count + 1) * sizeof(*types)));
    folder->types = types;
    for (const struct gd_yaml_node *node = map->first; node; node = node->next) {
        struct gd_span extension = node->key->text, type = node->text;

        if (extension.len && *extension.ptr == '.') {
            extension.ptr++;
            extension.len--;
        }
        if (node->kind != GD_YAML_SCALAR || extension.len == 0 ||
            !gd_is_field_value(type) || type.len == 0 ||
            memchr(type.ptr, '/', type.len) == NULL) {
            gd_report_value(&loader->report, node,
                            "expected a type like text/html, found %s",
                            gd_words_found(&words, node));
            continue;
        }
        types[folder->type_count].extension = gd_arena_copy(arena, extension);
        types[folder->type_count].type = gd_arena_copy(arena, type);
        gd_need(types[folder->type_count].extension.ptr);
        gd_need(types[folder->type_count++].type.ptr);
    }
}

static void check_route(struct gd_loader *loader, const struct gd_yaml_node *node,
                        const struct gd_names *names, const struct gd_plan_route *route)
{
    bool any = route->method_text.len == 0;

    if (!names->tail)
        gd_report_key(&loader->report, node,
                      "the pattern of a route with files ends in {name...}, which is the "
                      "path of the file");
    if (!any && route->method != GD_METHOD_GET)
        gd_report_key(&loader->report, node,
                      "files are answered to GET and HEAD; write GET before the pattern");
}

void gd_load_folder(struct gd_loader *loader, const struct gd_yaml_node *node,
                    const struct gd_names *names, struct gd_plan_route *route)
{
    struct gd_draft_files draft = {.dir = node};
    struct gd_plan_folder *folder =
        gd_need(gd_arena_alloc(&loader->plan->arena, sizeof(*folder)));
    struct gd_words words;

    folder->fd = -1;
    route->folder = folder;
    gd_schema_defaults(GD_SECTION_FILES, &draft);
    if (node->kind == GD_YAML_MAP) {
        draft.dir = NULL;
        gd_schema_read(&loader->report, GD_SECTION_FILES, node, &draft);
    } else if (node->kind != GD_YAML_SCALAR || node->text.len == 0) {
        gd_report_value(&loader->report, node, "expected %s, found %s",
                        gd_type_words(GD_TYPE_FOLDER), gd_words_found(&words, node));
        return;
    }
    check_route(loader, node, names, route);
    if (draft.dir && !draft.dir->broken && draft.dir->text.len)
        open_folder(loader, draft.dir, folder);
    folder->index = load_name(loader, draft.index, "index.html", false);
    folder->fallback = load_name(loader, draft.fallback, NULL, true);
    folder->dotfiles = draft.dotfiles;
    folder->precompressed = draft.precompressed;
    load_types(loader, draft.types, folder);
}
