#include "front/page.h"

/* The file itself, byte for byte. */
__asm__(".section .rodata\n"
        ".global gd_page_bytes, gd_page_bytes_end\n"
        "gd_page_bytes:\n"
        ".incbin \"" GD_PAGE_FILE "\"\n"
        "gd_page_bytes_end:\n"
        ".byte 0\n"
        ".previous\n");

extern const char gd_page_bytes[], gd_page_bytes_end[];

struct gd_span gd_page_text(void)
{
    return (struct gd_span){gd_page_bytes, (size_t)(gd_page_bytes_end - gd_page_bytes)};
}
