#ifndef GD_FRONT_PAGE_H
#define GD_FRONT_PAGE_H
/** The admin page, front/page/index.html, as it was when this was built. */
#include "base/bytes.h"

struct gd_span gd_page_text(void);

#endif
