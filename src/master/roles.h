/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Which processes a role starts, what each is given, and who talks to whom. Roles are data: nothing else asks
   "am I an edge?". */
#ifndef SEKIMORI_MASTER_ROLES_H
#define SEKIMORI_MASTER_ROLES_H

#include "config/bundle.h"
#include "config/settings.h"
#include "ipc/ask_master.h"

enum { PART_FOLDERS_MOST = 4 };

/* What needs other powers than these is a process of its own, with a row and a field here for what it is
   given: a scanner that is a command (no folder, no link but to scan, one descriptor to read from), a packet
   filter (CAP_NET_ADMIN and netlink, no program to start). */
struct part {
    enum process_kind kind;
    unsigned roles;     /* bits 1 << enum role */
    bool is_aside;      /* mail flows without it */
    bool has_collector; /* is given the socket of `ledger listen` */
    bool has_metrics;   /* is given the sockets of `metrics` */
    bool has_listeners; /* is given the listening sockets */
    bool has_clients;   /* the table of connections by client, shared by all receive processes */
    bool has_counters, reads_all_events;
    bool has_no_events; /* tells ledger nothing */
    bool keeps_results; /* is given run/results, run/flights and a place for sockets, which outlive it */
    bool has_secret;    /* what this node signs with */
    bool has_lists; /* is given run/lists, run/approved, run/entries, run/learned: to write, where it reads
                       all events */
    bool reads_list_files;                  /* is given the files of `list` statements, to read */
    bool has_campaigns;                     /* is given run/campaigns: lookup to write, others to read */
    bool has_vouchers;                      /* the key of ipc/voucher.h */
    enum bundle_keys keys;                  /* the private keys of its configuration */
    bool reads_counters;                    /* is given run/counters, to read */
    bool mounts;                            /* a tmpfs for each scan worker */
    bool reads_health;                      /* is given run/health, to read */
    const char *folders[PART_FOLDERS_MOST]; /* below the state folder; NULL ends */
};

struct link {
    enum process_kind a, b;
};

extern const struct part parts[];
extern const size_t part_count;
extern const struct link links[];
extern const size_t link_count;

/* Events go to another node, or come from others. */
bool courier_is_wanted(const struct config *config);

/* There is a program to be started. */
bool helper_is_wanted(const struct config *config);

/* There is an engine outside. */
bool consult_is_wanted(const struct config *config);

/* One of them is a command. */
bool engine_is_wanted(const struct config *config);

/* Monitors may read metrics somewhere. */
bool metrics_is_wanted(const struct config *config);

/* How many of this process the configuration wants. */
unsigned part_instances(const struct part *part, const struct config *config);

#endif
