/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The lists that are zones of the DNS (RFC 5782). Each has a resolver of its own. One that refuses us, lists
   what no list has, does not list what each has, or does not answer is put aside, with an alarm, and tried
   again: it then says nothing of anybody. What a list says of somebody counts only once it was seen, after
   that, not to list everything. */
#ifndef SEKIMORI_LOOKUP_DNS_LISTS_H
#define SEKIMORI_LOOKUP_DNS_LISTS_H

#include "base/loop.h"
#include "config/settings.h"
#include "lookup/resolver.h"

enum { DNS_LIST_PROBE_MS = 3600000, DNS_LIST_RETRY_LEAST_MS = 5000, DNS_LIST_RETRY_MOST_MS = 300000 };

struct dns_lists;

/* Never NULL. Both are borrowed. */
struct dns_lists *dns_lists_new(struct loop *loop, const struct resolver *first);

/* `config` is borrowed until the next. A list whose zone and servers are as before goes on as it is, and is
   tried at once where it is aside; the others are tried first. */
void dns_lists_configure(struct dns_lists *lists, const struct config *config);

enum dns_list_says { DNS_LIST_UNKNOWN, DNS_LIST_UNLISTED, DNS_LIST_LISTED };

/* One who asks. The caller's memory. */
struct dns_list_asker {
    void (*answered)(struct dns_list_asker *asker, enum dns_list_says says, const struct address *answer);
    struct dns_list_query *query; /* ours: NULL when not waiting */
};

/* Whether the list named `name` has `labels` (what stands before its zone, lower case). False: it is aside,
   or there is no such list; `answered` is never called then. Else it is, later. */
bool dns_lists_ask(struct dns_lists *lists, struct text name, struct text labels,
                   struct dns_list_asker *asker);
/* No answer is wanted any more; `is_late`: for it has not come in time, which is held against the list. */
void dns_lists_leave(struct dns_list_asker *asker, bool is_late);

enum dns_list_standing {
    DNS_LIST_IS_TRIED, /* not known yet */
    DNS_LIST_IS_IN_FORCE,
    DNS_LIST_IS_ASIDE
};
/* How one is. Borrowed for the call. */
struct dns_list_state {
    enum dns_list_standing standing;
    struct text why;    /* it is aside */
    uint64_t probed_ms; /* since 1970, when it was tried last; 0: never */
    uint64_t asked, listed;
};
/* False: no zone by that name. */
bool dns_lists_state(const struct dns_lists *lists, struct text name, struct dns_list_state *out);

#endif
