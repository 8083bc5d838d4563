#include "plan/digest.h"

#include <openssl/evp.h>
#include <stdlib.h>

#include "base/mem.h"
#include "plan/yamldoc.h"

struct gd_digest {
    EVP_MD_CTX *context;
};

/* OpenSSL fails here for want of memory only. */
static void must(bool done)
{
    if (!done)
        abort();
}

struct gd_digest *gd_digest_new(void)
{
    struct gd_digest *digest = gd_alloc(sizeof(*digest));

    digest->context = EVP_MD_CTX_new();
    must(digest->context && EVP_DigestInit_ex(digest->context, EVP_sha256(), NULL) == 1);
    return digest;
}

/* With its length in front, so that nothing can be cut another way. */
static void add(struct gd_digest *digest, char kind, const void *bytes, uint64_t len)
{
    must(EVP_DigestUpdate(digest->context, &kind, 1) == 1 &&
         EVP_DigestUpdate(digest->context, &len, sizeof(len)) == 1 &&
         EVP_DigestUpdate(digest->context, bytes, (size_t)len) == 1);
}

void gd_digest_bytes(struct gd_digest *digest, struct gd_span bytes)
{
    if (digest)
        add(digest, 'b', bytes.ptr ? bytes.ptr : "", bytes.len);
}

/* The depth is bounded by that of the file. */
void gd_digest_node(struct gd_digest *digest, const struct gd_yaml_node *node)
{
    if (digest == NULL)
        return;
    if (node->kind == GD_YAML_SCALAR) {
        add(digest, node->plain ? 'p' : 'q', node->text.ptr, node->text.len);
        return;
    }
    add(digest, node->kind == GD_YAML_MAP ? 'm' : 'l', "", 0);
    for (const struct gd_yaml_node *value = node->first; value; value = value->next) {
        if (node->kind == GD_YAML_MAP)
            add(digest, 'k', value->key->text.ptr, value->key->text.len);
        gd_digest_node(digest, value);
    }
    add(digest, 'e', "", 0);
}

void gd_digest_end(struct gd_digest *digest, unsigned char out[GD_DIGEST_BYTES])
{
    must(EVP_DigestFinal_ex(digest->context, out, NULL) == 1);
    EVP_MD_CTX_free(digest->context);
    gd_free(digest);
}
