/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Sockets by /proc/net/tcp and tcp6, their processes by the links in /proc/PID/fd. */
#include "base/listening.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SOCKETS_MOST = 16, STATE_LISTEN = 0x0A };

int listening_bind(const struct endpoint *endpoint)
{
    struct sockaddr_storage address;
    socklen_t length = endpoint_to_sockaddr(endpoint, &address);
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), one = 1;
    if (fd < 0) return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (address.ss_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    /* An address that moves between nodes may come later. */
    if (address.ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &one, sizeof one);
    else
        setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&address, length) == 0) return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

/* --- sockets --- */

struct sockets {
    unsigned long inodes[SOCKETS_MOST];
    uid_t uids[SOCKETS_MOST];
    size_t count;
};

/* Words of 32 bits in the machine's order, each as eight digits. */
static void address_read(const char *digits, bool is_v6, struct address *out)
{
    uint32_t words[4];
    int count = is_v6 ? 4 : 1;
    for (int i = 0; i < count; i++) {
        char word[9] = "";
        memcpy(word, digits + 8 * i, 8);
        words[i] = (uint32_t)strtoul(word, NULL, 16);
    }
    address_from_bytes(words, (size_t)count * sizeof *words, out);
}

/* A wildcard of IPv6 may take IPv4 along; which it does is not told. */
static bool overlaps(const struct endpoint *wanted, const struct address *taken, bool is_v6)
{
    bool is_wanted_v6 = !address_is_v4(&wanted->address);
    if (is_v6 && address_is_zero(taken)) return true;
    if (is_wanted_v6 != (is_v6 && !address_is_v4(taken))) return false;
    return address_is_zero(taken) || address_is_zero(&wanted->address) ||
           address_equal(taken, &wanted->address);
}

/* "  0: 0100007F:0019 00000000:0000 0A 00000000:00000000 00:00000000 00000000  UID  0 INODE …" */
static void line_read(const char *line, bool is_v6, const struct endpoint *endpoint, struct sockets *out)
{
    char local[33];
    unsigned port, state, uid;
    unsigned long inode;
    struct address address;
    int got = sscanf(line, " %*d: %32[0-9A-F]:%4x %*[0-9A-F]:%*x %2x %*x:%*x %*x:%*x %*x %u %*u %lu", local,
                     &port, &state, &uid, &inode);
    if (got != 5 || state != STATE_LISTEN || port != endpoint->port || out->count == SOCKETS_MOST) return;
    if (strlen(local) != (is_v6 ? 32u : 8u)) return;
    address_read(local, is_v6, &address);
    if (!overlaps(endpoint, &address, is_v6)) return;
    out->inodes[out->count] = inode;
    out->uids[out->count++] = uid;
}

static void sockets_read(const char *path, bool is_v6, const struct endpoint *endpoint, struct sockets *out)
{
    char line[512];
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file)) line_read(line, is_v6, endpoint, out);
    if (file) fclose(file);
}

static void sockets_find(const struct endpoint *endpoint, struct sockets *out)
{
    *out = (struct sockets){ 0 };
    sockets_read("/proc/net/tcp", false, endpoint, out);
    sockets_read("/proc/net/tcp6", true, endpoint, out);
}

/* --- processes --- */

static bool is_among(const struct sockets *sockets, const char *link)
{
    unsigned long inode;
    if (sscanf(link, "socket:[%lu]", &inode) != 1) return false;
    for (size_t i = 0; i < sockets->count; i++)
        if (sockets->inodes[i] == inode) return true;
    return false;
}

static bool process_has(const char *pid, const struct sockets *sockets)
{
    char path[64], link[64];
    snprintf(path, sizeof path, "/proc/%.20s/fd", pid);
    DIR *folder = opendir(path);
    bool has = false;
    for (const struct dirent *entry; folder && !has && (entry = readdir(folder));) {
        ssize_t length = readlinkat(dirfd(folder), entry->d_name, link, sizeof link - 1);
        if (length <= 0) continue;
        link[length] = '\0';
        has = is_among(sockets, link);
    }
    if (folder) closedir(folder);
    return has;
}

static void program_read(const char *pid, char *room, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%.20s/comm", pid);
    FILE *file = fopen(path, "re");
    if (!file || !fgets(room, (int)size, file)) snprintf(room, size, "?");
    if (file) fclose(file);
    room[strcspn(room, "\n")] = '\0';
}

void listening_find_holder(const struct endpoint *endpoint, struct listening_holder *out)
{
    struct sockets sockets;
    *out = (struct listening_holder){ 0 };
    sockets_find(endpoint, &sockets);
    if (sockets.count == 0) return;
    out->is_found = true;
    out->uid = sockets.uids[0];
    DIR *folder = opendir("/proc");
    for (const struct dirent *entry; folder && (entry = readdir(folder));) {
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9' || !process_has(entry->d_name, &sockets))
            continue;
        out->pid = (pid_t)strtol(entry->d_name, NULL, 10);
        program_read(entry->d_name, out->program, sizeof out->program);
        break;
    }
    if (folder) closedir(folder);
}

bool listening_is_of(const struct endpoint *endpoint, pid_t pid)
{
    struct sockets sockets;
    char name[24];
    snprintf(name, sizeof name, "%d", (int)pid);
    sockets_find(endpoint, &sockets);
    return sockets.count > 0 && process_has(name, &sockets);
}

void listening_holder_print(const struct listening_holder *holder, struct buffer *out)
{
    if (holder->pid)
        buffer_printf(out, "by %s (pid %d)", holder->program, (int)holder->pid);
    else if (holder->is_found)
        buffer_printf(out, "by a process of user %u, which root can name", (unsigned)holder->uid);
}
