/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The lists that are files here: read and compiled beside what the process is asked meanwhile, a few
   milliseconds a turn of the loop. A list that was compiled stays in force until its new file is whole. */
#ifndef SEKIMORI_LOOKUP_LOCAL_LISTS_H
#define SEKIMORI_LOOKUP_LOCAL_LISTS_H

#include "base/loop.h"
#include "blocklist/blocklist.h"
#include "config/settings.h"

enum { LOCAL_LIST_LINES_MOST = 5000000, LOCAL_LIST_BYTES_MOST = 256 << 20 };

struct local_lists;

/* Never NULL. `settled` is called whenever no file is left to be read: not inside the call that says so. */
struct local_lists *local_lists_new(struct loop *loop, void (*settled)(void *context), void *context);

/* The lists that `config` (borrowed until the next) names as files; `fds`, one a list of the configuration in
   its order, -1 where the file could not be opened or there is none, are taken over. A file that was read
   before and is the same, by its time, size and number, is not read again. */
void local_lists_configure(struct local_lists *lists, const struct config *config, const int *fds);

/* Reads and compiles all that is left in this call: at the start, when nobody waits. */
void local_lists_finish(struct local_lists *lists);

/* No file is left to be read. */
bool local_lists_are_settled(const struct local_lists *lists);

/* The list in force; NULL: none by that name is. */
const struct blocklist *local_lists_find(const struct local_lists *lists, struct text name);

/* How one is. Borrowed for the call. */
struct local_list_state {
    bool is_in_force;
    uint32_t entries;    /* where it is in force */
    uint64_t loaded_ms;  /* since 1970 */
    struct text problem; /* "FILE:LINE: …" of the file that was refused last; empty: none */
};
/* False: no file by that name. */
bool local_lists_state(const struct local_lists *lists, struct text name, struct local_list_state *out);

#endif
