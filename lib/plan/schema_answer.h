#ifndef GD_PLAN_SCHEMA_ANSWER_H
#define GD_PLAN_SCHEMA_ANSWER_H
/**
 * The rows of what routes make of their answers, and of files, as in schema_table.h.
 */

/* clang-format off */
#define GD_ANSWER_SECTION_ROWS(X)                                                         \
    X(CORS, struct gd_draft_cors, "routes.PATTERN.cors",                                  \
      "Who may read answers in a browser from other origins.")                            \
    X(COMPRESS, struct gd_draft_compress, "routes.PATTERN.compress",                      \
      "What is sent in a content coding to clients that take it.")                        \
    X(FILES, struct gd_draft_files, "routes.PATTERN.files", "The long form of `files`.")

#define GD_ANSWER_OPTION_ROWS(X)                                                          \
    X(CORS, "origins", LIST, NONE, origins, 0, 0, "!", "", APPLIED,                       \
      "`https://a.example`, `https://*.example.com` for what lies below it, or `*` for "  \
      "all.")                                                                             \
    X(CORS, "methods", LIST, NONE, methods, 0, 0, "=those of the routes", "", APPLIED,    \
      "Methods that scripts may use, of those that a route takes.")                       \
    X(CORS, "headers", LIST, NONE, headers, 0, 0, "=*", "", APPLIED,                       \
      "Header fields that scripts may send; `*` for all.")                                \
    X(CORS, "expose", LIST, NONE, expose, 0, 0,                                           \
      "=[Gather-Parts, Retry-After, X-Request-Id]", "", APPLIED,                          \
      "Header fields of answers that scripts may read.")                                  \
    X(CORS, "credentials", BOOL, NONE, credentials, 0, 0, "false", "", APPLIED,           \
      "Browsers may send cookies and the like; not with origins `*`.")                    \
    X(CORS, "max_age", DURATION, NONE, max_age_ms, 0, GD_MS_MAX, "10m", "", APPLIED,      \
      "How long browsers may keep the answer to a preflight.")                            \
    X(COMPRESS, "min", SIZE, NONE, min, 0, GD_SIZE_MAX, "1KiB", "", APPLIED,              \
      "What is shorter goes as it is.")                                                   \
    X(COMPRESS, "types", LIST, NONE, types, 0, 0,                                         \
      "=text, JSON, XML, SVG, scripts, wasm and fonts", "", APPLIED,                      \
      "Types of content, like `application/json` or `text/*`.")                           \
    X(COMPRESS, "level", INT, NONE, level, 1, 9, "5", "", APPLIED,                        \
      "1 is fast, 9 is small.")                                                           \
    X(COMPRESS, "codings", LIST, NONE, codings, 0, 0, "=[br, gzip]", "", APPLIED,         \
      "Codings, the one that is liked best first.")                                       \
    X(FILES, "dir", TEXT, NONE, dir, 0, 0, "!", "", APPLIED,                              \
      "The folder, relative to the file that names it.")                                  \
    X(FILES, "index", TEXT, NONE, index, 0, 0, "=index.html", "", APPLIED,                \
      "The file that stands for its folder; `off`: none does.")                           \
    X(FILES, "fallback", TEXT, NONE, fallback, 0, 0, "", "", APPLIED,                     \
      "The file that is answered, with 200, to paths without a file whose last segment "  \
      "has no dot: for front ends that have routes of their own.")                        \
    X(FILES, "dotfiles", BOOL, NONE, dotfiles, 0, 0, "false", "", APPLIED,                \
      "Names that start with a dot are answered; otherwise only `.well-known` is.")       \
    X(FILES, "precompressed", BOOL, NONE, precompressed, 0, 0, "false", "", APPLIED,      \
      "`app.js.br` and `app.js.gz` are sent instead of `app.js` to clients that take "    \
      "them, unless they are older.")                                                     \
    X(FILES, "types", TEXTS, NONE, types, 0, 0, "", "", APPLIED,                          \
      "Types by extension, like `{webmanifest: application/manifest+json}`, before the "  \
      "usual ones.")
/* clang-format on */

#endif
