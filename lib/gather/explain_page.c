#include "gather/explain_page.h"

enum { LABEL_WIDTH = 16 };

void gd_page_add(struct gd_page *page, const char *text)
{
    page->ok = page->ok && gd_buf_add_text(page->out, text);
}

void gd_page_add_shown(struct gd_page *page, const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text, next = (unsigned char)text[1];
        bool c1 = c == 0xC2 && next >= 0x80 && next < 0xA0;
        char shown = c < 0x20 || c == 0x7F || c1 ? ' ' : *text;

        page->ok = page->ok && gd_buf_add(page->out, &shown, 1);
        text += c1;
    }
}

void gd_page_label(struct gd_page *page, const char *text)
{
    page->ok = page->ok && gd_buf_addf(page->out, "%s%-*s ", page->indent,
                                       LABEL_WIDTH - (int)strlen(page->indent), text);
}

void gd_page_row(struct gd_page *page, const char *text, const char *value)
{
    gd_page_label(page, text);
    gd_page_add_shown(page, value);
    gd_page_add(page, "\n");
}

const char *gd_page_text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

static int on_json(const char *text, size_t size, void *arg)
{
    struct gd_page *page = arg;

    page->ok = page->ok && gd_buf_add(page->out, text, size);
    return page->ok ? 0 : -1;
}

void gd_page_add_value(struct gd_page *page, const json_t *value)
{
    if (json_is_string(value))
        gd_page_add_shown(page, json_string_value(value));
    else if (json_dump_callback(value, on_json, page,
                                JSON_COMPACT | JSON_ENCODE_ANY |
                                    JSON_REAL_PRECISION(15)) != 0)
        page->ok = false;
}

void gd_page_add_names(struct gd_page *page, const json_t *names)
{
    size_t i;
    json_t *name;

    json_array_foreach(names, i, name)
    {
        gd_page_add(page, i ? ", " : "");
        gd_page_add_value(page, name);
    }
}

void gd_page_row_value(struct gd_page *page, const char *text, const json_t *value)
{
    if (value == NULL)
        return;
    gd_page_label(page, text);
    if (json_is_array(value) && json_is_string(json_array_get(value, 0)))
        gd_page_add_names(page, value);
    else
        gd_page_add_value(page, value);
    gd_page_add(page, "\n");
}

const char *gd_page_duration_of(const json_t *object, const char *key,
                                struct gd_value_text *room)
{
    json_int_t ms = json_integer_value(json_object_get(object, key));

    return gd_value_duration_text((uint64_t)ms, room);
}
