#ifndef GD_PLAN_YAMLWORDS_H
#define GD_PLAN_YAMLWORDS_H
/**
 * What libyaml says about a broken file, in words for the person who wrote it.
 */
#include <yaml.h>

#include "plan/report.h"

/** Reports the problem at which the parser stopped. text: the whole file. */
void gd_yaml_say_problem(struct gd_report *report, unsigned file, struct gd_span text,
                         const yaml_parser_t *parser);

#endif
