#include "daemon/inherit.h"

#if GD_HAVE_SYSTEMD
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

static void free_names(char **names)
{
    for (char **name = names; name && *name; name++)
        free(*name);
    free(names);
}

/* What was passed instead, for whoever has to find out. */
static unsigned say_missing(const char *name, char **names, int count, struct gd_err *err)
{
    char list[256] = "";
    size_t len = 0;

    if (count <= 0) {
        gd_err_set(err,
                   "systemd:%s: no sockets were passed; they come from a .socket unit "
                   "with FileDescriptorName=%s",
                   name, name);
        return 0;
    }
    for (int i = 0; i < count && len + 1 < sizeof(list); i++) {
        strncat(list, i ? ", " : "", sizeof(list) - len - 1);
        len = strlen(list);
        strncat(list, names[i], sizeof(list) - len - 1);
        len = strlen(list);
    }
    gd_err_set(err,
               "systemd:%s: no socket with this FileDescriptorName was passed, only %s",
               name, list);
    return 0;
}

unsigned gd_inherit(const char *name, int fds[GD_INHERIT_MAX], struct gd_err *err)
{
    char **names = NULL;
    int passed = sd_listen_fds_with_names(0, &names);
    unsigned count = 0;
    bool ok = true;

    for (int i = 0; ok && i < passed && count < GD_INHERIT_MAX; i++) {
        if (strcmp(names[i], name) != 0)
            continue;
        ok = sd_is_socket(SD_LISTEN_FDS_START + i, AF_UNSPEC, SOCK_STREAM, 1) > 0;
        fds[count++] = SD_LISTEN_FDS_START + i;
    }
    if (!ok) {
        gd_err_set(err, "systemd:%s: what was passed is no listening stream socket",
                   name);
        count = 0;
    } else if (count == 0) {
        say_missing(name, names, passed, err);
    }
    free_names(names);
    return count;
}
#else
unsigned gd_inherit(const char *name, int fds[GD_INHERIT_MAX], struct gd_err *err)
{
    (void)fds;
    gd_err_set(err, "systemd:%s: this program was built without systemd", name);
    return 0;
}
#endif
