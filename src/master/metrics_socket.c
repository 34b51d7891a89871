/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The folder is opened once and the socket made by way of it: a path in an address is limited to 107 bytes,
   and what stands in the folder's place later is not touched. */
#include "master/metrics_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/arena.h"

enum { BACKLOG = 1024 }; /* a connection that does not wait is refused where it is full */

static int folder_open(const char *path, const char **out_name)
{
    char *folder = memory_string(text_of(path)), *slash = strrchr(folder, '/');
    *out_name = slash ? path + (slash - folder) + 1 : path;
    if (slash) slash[slash == folder] = '\0';
    int fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int error = errno;
    free(folder);
    errno = error;
    return fd;
}

/* False with errno: something else than a socket is there. */
static bool place_make(int folder, const char *name)
{
    struct stat facts;
    if (fstatat(folder, name, &facts, AT_SYMLINK_NOFOLLOW) != 0) return errno == ENOENT;
    if (!S_ISSOCK(facts.st_mode)) return errno = EEXIST, false;
    return unlinkat(folder, name, 0) == 0;
}

/* The mode is right from the first moment on. */
static bool bind_in(int fd, int folder, const char *name)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int length = snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", folder, name);
    if (length >= (int)sizeof address.sun_path) return errno = ENAMETOOLONG, false;
    mode_t before = umask(0117);
    bool is_bound = bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
    int error = errno;
    umask(before);
    errno = error;
    return is_bound;
}

/* -1 with errno. */
static int socket_make(const char *path, gid_t gid)
{
    const char *name;
    int folder = folder_open(path, &name);
    int fd = folder < 0 ? -1 : socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool is_good = fd >= 0 && place_make(folder, name) && bind_in(fd, folder, name) &&
                   (geteuid() != 0 || fchownat(folder, name, 0, gid, AT_SYMLINK_NOFOLLOW) == 0) &&
                   listen(fd, BACKLOG) == 0;
    int error = errno;
    if (folder >= 0) close(folder);
    if (!is_good && fd >= 0) close(fd);
    errno = error;
    return is_good ? fd : -1;
}

bool metrics_socket_open(struct metrics_socket *out, const struct config *config, gid_t gid,
                         const struct metrics_socket *old, char *error, size_t size)
{
    *out = (struct metrics_socket){ .fd = -1 };
    if (config->metrics.socket.length == 0) return true;
    char *path = memory_string(config->metrics.socket);
    bool is_kept = old && old->path && strcmp(old->path, path) == 0;
    int fd = is_kept ? old->fd : socket_make(path, gid);
    if (fd < 0) {
        snprintf(error, size, "metrics socket %s: %s", path,
                 errno == EEXIST ? "something that is no socket stands there" : strerror(errno));
        free(path);
        return false;
    }
    *out = (struct metrics_socket){ path, fd };
    return true;
}

void metrics_socket_drop(struct metrics_socket *old, const struct metrics_socket *now)
{
    bool is_kept = now && now->fd == old->fd;
    if (old->path && !is_kept) {
        unlink(old->path);
        close(old->fd);
    }
    free(old->path);
    *old = (struct metrics_socket){ .fd = -1 };
}
