/* Reading the configuration again. */
#include "front/admin_inside.h"
#include "front/sum.h"

enum { CONFLICT = 409, WRONG = 422 };

static void on_reloaded(void *arg)
{
    struct gd_admin_action *action = arg;
    const struct gd_reload_view *reload = action->admin->source.reload;

    gd_admin_end(action, reload->state == GD_RELOAD_DONE ? 200 : WRONG,
                 gd_sum_reload(reload));
}

void gd_admin_reload(struct gd_admin *admin, struct gd_request *request,
                     const struct gd_match *match)
{
    struct gd_admin_action *action = gd_admin_begin(admin, request);
    const char *why =
        admin->source.reload_now(admin->source.process_arg, on_reloaded, action);

    if (why)
        gd_admin_end(action, CONFLICT,
                     json_pack("{s:s, s:[s]}", "state", "refused", "errors", why));
}
