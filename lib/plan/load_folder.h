#ifndef GD_PLAN_LOAD_FOLDER_H
#define GD_PLAN_LOAD_FOLDER_H
/**
 * Loading of what names files and folders. Internal to the folder, like loader.h.
 */
#include "plan/loader.h"

/** The folder of a route with files, as text or as a map. */
void gd_load_folder(struct gd_loader *loader, const struct gd_yaml_node *node,
                    const struct gd_names *names, struct gd_plan_route *route);

/** A path as named in a configuration, relative to the folder of the file that names it.
 *  Returns owned. */
char *gd_load_path(struct gd_loader *loader, const struct gd_yaml_node *node);

#endif
