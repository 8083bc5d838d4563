#include "plan/plan.h"

#include "base/mem.h"

struct gd_plan *gd_plan_ref(struct gd_plan *plan)
{
    plan->refs++;
    return plan;
}

void gd_plan_unref(struct gd_plan *plan)
{
    if (plan == NULL || --plan->refs > 0)
        return;
    gd_arena_free(&plan->arena);
    gd_free(plan);
}
