#include "daemon/demo.h"

#include <stdio.h>

/* The file itself, byte for byte, so that the demo and the example cannot differ. */
__asm__(".section .rodata\n"
        ".global gd_demo_text, gd_demo_text_end\n"
        "gd_demo_text:\n"
        ".incbin \"" GD_DEMO_CONF "\"\n"
        "gd_demo_text_end:\n"
        ".byte 0\n"
        ".previous\n");

extern const char gd_demo_text[], gd_demo_text_end[];

struct gd_plan *gd_demo_plan(struct gd_findings *findings)
{
    struct gd_span text = {gd_demo_text, (size_t)(gd_demo_text_end - gd_demo_text)};

    return gd_plan_load_text("demo.yaml", text, NULL, findings);
}

void gd_demo_explain(const struct gd_plan *plan)
{
    const char *site = plan->listens[0].address.text;

    printf("The demo gateway: its upstreams are mocks that answer after 20 to 80 ms.\n\n"
           "  curl -i %s/profile/7      one request, three calls, one answer\n",
           site);
    for (unsigned i = 0; i < plan->route_count; i++)
        printf("      route  %s\n", plan->routes[i].pattern);
    if (plan->admin_on)
        printf("  %s/                  what it is doing, for a browser\n"
               "  curl %s/status       the same for programs\n"
               "  curl %s/metrics      the same for Prometheus\n",
               plan->admin.text, plan->admin.text, plan->admin.text);
    printf("\nCtrl-C ends it.\n\n");
    fflush(stdout);
}
