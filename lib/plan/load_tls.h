#ifndef GD_PLAN_LOAD_TLS_H
#define GD_PLAN_LOAD_TLS_H
/**
 * What loading TLS to upstreams and to clients share. Internal to the loader.
 */
#include "plan/loader.h"
#include "plan/tls_context.h"

/** Gives the text of an option's file to use; what is wrong is reported at the option.
 *  False then, and when node is NULL. */
bool gd_load_tls_file(struct gd_loader *loader, const struct gd_yaml_node *node,
                      SSL_CTX *context,
                      bool (*use)(SSL_CTX *, struct gd_span, struct gd_err *));

/** A certificate and its key, both or none. */
void gd_load_tls_pair(struct gd_loader *loader, const struct gd_yaml_node *cert,
                      const struct gd_yaml_node *key, SSL_CTX *context);

#endif
