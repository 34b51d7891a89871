/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* journald's native protocol: an entry is one datagram of fields. Called by log.c, which owns the descriptor.
   Nothing here waits. */
#ifndef SEKIMORI_BASE_JOURNALD_H
#define SEKIMORI_BASE_JOURNALD_H

#include "base/text.h"

enum { JOURNALD_ENTRY_MOST = 4095, JOURNALD_BACKLOG_MOST = 64 * 1024 };

struct journald_entry {
    size_t length;
    char bytes[JOURNALD_ENTRY_MOST];
};

/* Appends NAME=value, or where the value has a newline its binary form, so that no byte of it begins another
   field. `name` is ours: capitals and _. The value may hold anything; it is cut to `most` bytes, and to what
   the entry has room for, before a byte that would cut a character of UTF-8 in two; an empty one is left out.
 */
void journald_field(struct journald_entry *entry, const char *name, struct text value, size_t most);

/* What a busy journal has not taken yet, in order: entries with their length before each. */
struct journald_backlog {
    size_t length;
    char bytes[JOURNALD_BACKLOG_MOST];
};

/* Sends what waits and then the entry, or lets it wait. False with errno, the entry is the caller's loss: the
   journal takes nothing and there is no room to wait, or it is gone. */
bool journald_send(struct journald_backlog *backlog, int fd, const struct journald_entry *entry);
/* Sends what waits, as far as the journal takes it. False with errno: something still waits. */
bool journald_flush(struct journald_backlog *backlog, int fd);

/* Whether `fd` is the stream that JOURNAL_STREAM names ("device:inode" in digits; NULL: none). */
bool journald_is_stream(int fd, const char *stream);

#endif
