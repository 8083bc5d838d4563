#include "plan/folder.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

int gd_folder_open(int fd, const char *path, int flags)
{
    struct open_how how = {
        .flags = (uint64_t)flags | O_CLOEXEC,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };

    return (int)syscall(SYS_openat2, fd, path, &how, sizeof(how));
}

/* What browsers are given; text has the encoding that it has everywhere by now. */
#define TYPES(X)                                                                         \
    X("7z", "application/x-7z-compressed")                                               \
    X("atom", "application/atom+xml")                                                    \
    X("avif", "image/avif")                                                              \
    X("bmp", "image/bmp")                                                                \
    X("css", "text/css; charset=utf-8")                                                  \
    X("csv", "text/csv; charset=utf-8")                                                  \
    X("eot", "application/vnd.ms-fontobject")                                            \
    X("epub", "application/epub+zip")                                                    \
    X("gif", "image/gif")                                                                \
    X("gz", "application/gzip")                                                          \
    X("htm", "text/html; charset=utf-8")                                                 \
    X("html", "text/html; charset=utf-8")                                                \
    X("ico", "image/x-icon")                                                             \
    X("ics", "text/calendar; charset=utf-8")                                             \
    X("jpeg", "image/jpeg")                                                              \
    X("jpg", "image/jpeg")                                                               \
    X("js", "text/javascript; charset=utf-8")                                            \
    X("json", "application/json")                                                        \
    X("jsonld", "application/ld+json")                                                   \
    X("m4a", "audio/mp4")                                                                \
    X("map", "application/json")                                                         \
    X("md", "text/markdown; charset=utf-8")                                              \
    X("mjs", "text/javascript; charset=utf-8")                                           \
    X("mp3", "audio/mpeg")                                                               \
    X("mp4", "video/mp4")                                                                \
    X("oga", "audio/ogg")                                                                \
    X("ogg", "audio/ogg")                                                                \
    X("ogv", "video/ogg")                                                                \
    X("opus", "audio/ogg")                                                               \
    X("otf", "font/otf")                                                                 \
    X("pdf", "application/pdf")                                                          \
    X("png", "image/png")                                                                \
    X("rss", "application/rss+xml")                                                      \
    X("svg", "image/svg+xml")                                                            \
    X("tar", "application/x-tar")                                                        \
    X("tif", "image/tiff")                                                               \
    X("tiff", "image/tiff")                                                              \
    X("ttf", "font/ttf")                                                                 \
    X("txt", "text/plain; charset=utf-8")                                                \
    X("wasm", "application/wasm")                                                        \
    X("wav", "audio/wav")                                                                \
    X("weba", "audio/webm")                                                              \
    X("webm", "video/webm")                                                              \
    X("webmanifest", "application/manifest+json")                                        \
    X("webp", "image/webp")                                                              \
    X("woff", "font/woff")                                                               \
    X("woff2", "font/woff2")                                                             \
    X("xhtml", "application/xhtml+xml")                                                  \
    X("xml", "application/xml")                                                          \
    X("yaml", "application/yaml")                                                        \
    X("yml", "application/yaml")                                                         \
    X("zip", "application/zip")

static const struct gd_plan_type usual[] = {
#define X(extension, type) {{extension, sizeof(extension) - 1}, {type, sizeof(type) - 1}},
    TYPES(X)
#undef X
};

/* What stands behind the last dot, but for one at the start. */
static struct gd_span extension_of(struct gd_span name)
{
    size_t n = name.len;

    while (n > 0 && name.ptr[n - 1] != '.' && name.ptr[n - 1] != '/')
        n--;
    if (n < 2 || name.ptr[n - 1] != '.' || name.ptr[n - 2] == '/')
        return GD_SPAN("");
    return (struct gd_span){name.ptr + n, name.len - n};
}

static const struct gd_plan_type *find(const struct gd_plan_type *types, unsigned count,
                                       struct gd_span extension)
{
    for (unsigned i = 0; i < count; i++)
        if (gd_span_ieq(types[i].extension, extension))
            return &types[i];
    return NULL;
}

struct gd_span gd_folder_type(const struct gd_plan_folder *folder, struct gd_span name,
                              bool *known)
{
    struct gd_span extension = extension_of(name);
    const struct gd_plan_type *type = find(folder->types, folder->type_count, extension);

    if (type == NULL)
        type = find(usual, sizeof(usual) / sizeof(usual[0]), extension);
    *known = type != NULL;
    return type ? type->type : GD_SPAN("application/octet-stream");
}
