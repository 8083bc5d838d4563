#include <openssl/crypto.h>

#include "base/mem.h"
#include "plan/load_folder.h"
#include "plan/tls_context.h"

/* A file as named in a configuration: relative to the folder of the file that names it.
 */
char *gd_load_path(struct gd_loader *loader, const struct gd_yaml_node *node)
{
    const char *file = loader->report.files[node->file];
    const char *slash = strrchr(file, '/');
    size_t dir = node->text.ptr[0] != '/' && slash ? (size_t)(slash - file) + 1 : 0;
    char *full = gd_alloc(dir + node->text.len + 1);

    memcpy(full, file, dir);
    memcpy(full + dir, node->text.ptr, node->text.len);
    return full;
}

bool gd_load_file(struct gd_loader *loader, const struct gd_yaml_node *node,
                  bool (*use)(void *arg, struct gd_span text, struct gd_err *err),
                  void *arg)
{
    struct gd_words words;
    struct gd_buf text;
    struct gd_err err;
    char *path;
    bool ok;

    if (node == NULL || node->broken)
        return false;
    if (node->text.len == 0)
        return gd_report_value(&loader->report, node, "expected the name of a file");
    path = gd_load_path(loader, node);
    gd_buf_init(&text, NULL, GD_TLS_FILE_MAX);
    ok = (gd_yaml_read(path, false, GD_TLS_FILE_MAX, &text, &err) &&
          use(arg, gd_buf_span(&text), &err)) ||
         gd_report_value(&loader->report, node, "%s %s",
                         gd_words_quote(&words, gd_span_of(path)), err.text);
    gd_digest_bytes(loader->digest, gd_buf_span(&text));
    if (text.data)
        OPENSSL_cleanse(text.data, text.cap);
    gd_buf_free(&text);
    gd_free(path);
    return ok;
}
