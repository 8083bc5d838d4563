#include "front/files.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "http/write.h"
#include "plan/folder.h"

enum { PATH_MAX_BYTES = 4096 };

/* Opening -------------------------------------------------------------------------------
 */

void gd_file_close(struct gd_passage *passage, int fd)
{
    gd_stat_add(&passage->generation->stats->worker[GD_WORKER_FILES_OPEN], -1);
    close(fd);
}

bool gd_file_open(struct gd_passage *passage, const char *path, struct gd_file *out)
{
    /* Without O_NONBLOCK a pipe would be waited for. */
    int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY;
    int fd = gd_folder_open(passage->route->folder->fd, path, flags);

    if (fd < 0)
        return false;
    /* Clients that read slowly must not take those of upstreams and operators. */
    if (gd_front_spares_fd(passage->engine->front, fd)) {
        close(fd);
        errno = EMFILE;
        return false;
    }
    if (fstat(fd, &out->stat) == 0 && S_ISREG(out->stat.st_mode)) {
        gd_stat_inc(&passage->generation->stats->worker[GD_WORKER_FILES_OPEN]);
        out->fd = fd;
        out->path = path;
        return true;
    }
    close(fd);
    errno = S_ISDIR(out->stat.st_mode) ? EISDIR : ENOENT;
    return false;
}

/* Paths ---------------------------------------------------------------------------------
 */

/* Whether a decoded segment can be the name of a file. */
static bool is_name(const struct gd_plan_folder *folder, struct gd_span name, bool first)
{
    if (name.len == 0 || gd_span_is(name, ".") || gd_span_is(name, "..") ||
        memchr(name.ptr, '/', name.len) || memchr(name.ptr, '\0', name.len))
        return false;
    return *name.ptr != '.' || folder->dotfiles ||
           (first && gd_span_is(name, ".well-known"));
}

/* Writes the path of the file that the rest of the request's path names, decoded; an
 * empty last segment, of a folder, is left to the caller. False when there can be none.
 */
static bool write_path(const struct gd_plan_folder *folder, struct gd_span rest,
                       char out[PATH_MAX_BYTES])
{
    size_t len = 0;

    if (rest.len >= PATH_MAX_BYTES - 1)
        return false;
    while (rest.len) {
        const char *slash = memchr(rest.ptr, '/', rest.len);
        struct gd_span segment = {rest.ptr,
                                  slash ? (size_t)(slash - rest.ptr) : rest.len};
        struct gd_span name = {out + len, gd_percent_decode(segment, false, out + len)};

        if (!is_name(folder, name, len == 0))
            return false;
        len += name.len;
        if (slash)
            out[len++] = '/';
        rest.ptr += segment.len + (slash != NULL);
        rest.len -= segment.len + (slash != NULL);
    }
    out[len] = '\0';
    return true;
}

/* Answers -------------------------------------------------------------------------------
 */

static void refuse_method(struct gd_passage *passage)
{
    struct gd_plan_header allow = {GD_SPAN("Allow"), GD_SPAN("GET, HEAD, OPTIONS")};
    struct gd_answer answer = {.status = 204, .headers = &allow, .header_count = 1};

    if (passage->request->head.method == GD_METHOD_OPTIONS) {
        gd_passage_account(passage, 204);
        gd_request_answer(passage->request, &answer);
        return;
    }
    gd_passage_account(passage, 405);
    gd_request_problem(passage->request, 405, "the path exists, but not with this method",
                       GD_SPAN(""), &allow, 1);
}

/* Links in a folder's index are relative to it, so its path ends in a slash. */
static void redirect(struct gd_passage *passage)
{
    struct gd_buf *out = &passage->generation->gathers.scratch;
    struct gd_plan_header location = {.name = GD_SPAN("Location")};
    struct gd_answer answer = {.status = 301, .headers = &location, .header_count = 1};
    struct gd_span path = passage->facts.path, query = passage->facts.query;

    out->len = 0;
    /* `//name` would be a host. */
    if ((gd_span_starts(path, GD_SPAN("//")) && !gd_buf_add_text(out, "/.")) ||
        !gd_buf_add_span(out, path) || !gd_buf_add_text(out, "/") ||
        (query.ptr && (!gd_buf_add_text(out, "?") || !gd_buf_add_span(out, query)))) {
        gd_passage_refuse(passage, 503, "no memory is left for this request");
        return;
    }
    location.value = gd_buf_span(out);
    gd_passage_account(passage, 301);
    gd_request_answer(passage->request, &answer);
}

static void refuse(struct gd_passage *passage, int error)
{
    switch (error) {
    case EMFILE:
    case ENFILE:
    case ENOMEM:
        gd_passage_refuse(passage, 503, "no file can be opened at the moment");
        break;
    case EACCES:
    case EPERM:
        gd_passage_refuse(passage, 403, "the file may not be read");
        break;
    case EIO:
        gd_passage_refuse(passage, 500, "the file cannot be read");
        break;
    default: /* not there, or not inside */
        gd_passage_refuse(passage, 404, "there is nothing at this path");
        break;
    }
}

/* A front end's own routes have no file: they are for its page. What has an extension is
 * a file that is missing. */
static bool wants_fallback(struct gd_span rest)
{
    for (size_t i = rest.len; i > 0 && rest.ptr[i - 1] != '/'; i--)
        if (rest.ptr[i - 1] == '.')
            return false;
    return true;
}

static bool is_missing(int error)
{
    return error == ENOENT || error == ENOTDIR || error == EISDIR;
}

/* Appends the name of the index; false when there is none, or no room. */
static bool add_index(const struct gd_plan_folder *folder, char path[PATH_MAX_BYTES])
{
    size_t len = strlen(path), more;

    if (folder->index == NULL)
        return false;
    more = strlen(folder->index);
    if (len + more >= PATH_MAX_BYTES)
        return false;
    memcpy(path + len, folder->index, more + 1);
    return true;
}

/* Opens what the path names. *is_folder: a folder without a slash behind it. */
static bool find(struct gd_passage *passage, struct gd_span rest, char *path,
                 struct gd_file *file, bool *is_folder)
{
    const struct gd_plan_folder *folder = passage->route->folder;
    bool slash = rest.len == 0 || rest.ptr[rest.len - 1] == '/';

    *is_folder = false;
    errno = ENOENT;
    if (!write_path(folder, rest, path) || (slash && !add_index(folder, path)))
        return false;
    if (gd_file_open(passage, path, file))
        return true;
    *is_folder = errno == EISDIR && !slash && folder->index;
    return false;
}

void gd_files_start(struct gd_passage *passage)
{
    const struct gd_plan_folder *folder = passage->route->folder;
    enum gd_method method = passage->request->head.method;
    struct gd_span rest = passage->match.params[passage->match.param_count - 1];
    char path[PATH_MAX_BYTES];
    struct gd_file file;
    bool is_folder;

    if (method != GD_METHOD_GET && method != GD_METHOD_HEAD) {
        refuse_method(passage);
        return;
    }
    if (find(passage, rest, path, &file, &is_folder)) {
        gd_file_answer(passage, &file);
        return;
    }
    if (is_folder) {
        redirect(passage);
        return;
    }
    if (folder->fallback && is_missing(errno) && wants_fallback(rest) &&
        gd_file_open(passage, folder->fallback, &file)) {
        gd_file_answer(passage, &file);
        return;
    }
    refuse(passage, errno);
}
