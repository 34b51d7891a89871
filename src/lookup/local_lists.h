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

/* Who brings a file. */
struct local_list_offer {
    void (*taken)(void *context, const char *why);
    void *context;
};
/* A file that came by HTTPS, for the list of that name; `fd` is taken over, and nobody may change it any
   more. `came_ms` tells it from the one that came before: what is in force is not compiled again. `taken` is
   called once, later or in this call, with NULL or why it is not in force; the text is borrowed. */
void local_lists_offer(struct local_lists *lists, struct text name, uint64_t came_ms, int fd,
                       const struct local_list_offer *offer);
/* What is known of its fetching; let be where no list by HTTPS has this name. Texts are copied. */
void local_lists_fetched(struct local_lists *lists, struct text name, uint64_t fetched_ms,
                         struct text trouble);

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
    bool is_fetched;     /* by HTTPS; then the next three count */
    bool is_stale;       /* none came for `stale after` */
    uint64_t fetched_ms; /* since 1970, when it was known to be the newest; 0: never */
    struct text trouble; /* why the last try to fetch it failed; empty: it did not */
};
/* False: no file by that name. */
bool local_lists_state(const struct local_lists *lists, struct text name, struct local_list_state *out);

#endif
