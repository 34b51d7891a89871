/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Fields, and the datagrams that wait. */
#include "base/journald.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>

static void add(struct journald_entry *entry, const void *at, size_t length)
{
    memcpy(entry->bytes + entry->length, at, length);
    entry->length += length;
}

static size_t cut_to(struct text value, size_t most)
{
    if (value.length <= most) return value.length;
    for (size_t back = 0; back < 3 && most > 0 && ((unsigned char)value.at[most] & 0xC0) == 0x80; back++)
        most--;
    return most;
}

void journald_field(struct journald_entry *entry, const char *name, struct text value, size_t most)
{
    size_t room = sizeof entry->bytes - entry->length, around = strlen(name) + 2 + sizeof(uint64_t);
    if (room <= around) return;
    if (most > room - around) most = room - around;
    value = text_slice(value, 0, cut_to(value, most));
    if (value.length == 0) return;
    bool is_binary = text_find_char(value, '\n') < value.length;
    uint64_t length = htole64(value.length);
    add(entry, name, strlen(name));
    add(entry, is_binary ? "\n" : "=", 1);
    if (is_binary) add(entry, &length, sizeof length);
    add(entry, value.at, value.length);
    add(entry, "\n", 1);
}

static bool is_sent(int fd, const char *at, size_t length)
{
    return send(fd, at, length, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

bool journald_flush(struct journald_backlog *backlog, int fd)
{
    size_t sent = 0;
    for (uint16_t length; sent < backlog->length; sent += sizeof length + length) {
        memcpy(&length, backlog->bytes + sent, sizeof length);
        if (!is_sent(fd, backlog->bytes + sent + sizeof length, length)) break;
    }
    if (sent > 0) memmove(backlog->bytes, backlog->bytes + sent, backlog->length - sent);
    backlog->length -= sent;
    return backlog->length == 0;
}

bool journald_send(struct journald_backlog *backlog, int fd, const struct journald_entry *entry)
{
    if (journald_flush(backlog, fd) && is_sent(fd, entry->bytes, entry->length)) return true;
    uint16_t length = (uint16_t)entry->length;
    bool is_busy = errno == EAGAIN || errno == ENOBUFS;
    if (!is_busy || backlog->length + sizeof length + length > sizeof backlog->bytes) return false;
    memcpy(backlog->bytes + backlog->length, &length, sizeof length);
    memcpy(backlog->bytes + backlog->length + sizeof length, entry->bytes, length);
    backlog->length += sizeof length + length;
    return true;
}

bool journald_is_stream(int fd, const char *stream)
{
    struct stat facts;
    char own[64];
    if (!stream || fstat(fd, &facts) != 0) return false;
    snprintf(own, sizeof own, "%llu:%llu", (unsigned long long)facts.st_dev,
             (unsigned long long)facts.st_ino);
    return strcmp(own, stream) == 0;
}
