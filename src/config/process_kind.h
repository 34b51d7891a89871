/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The processes of a node, their names, and the names of their users. */
#ifndef SEKIMORI_CONFIG_PROCESS_KIND_H
#define SEKIMORI_CONFIG_PROCESS_KIND_H

#include <sys/types.h>

#include "base/text.h"

enum process_kind {
    PROCESS_MASTER,
    PROCESS_RECEIVE,
    PROCESS_LOOKUP,
    PROCESS_SCAN,
    PROCESS_QUEUE,
    PROCESS_DELIVER,
    PROCESS_LEDGER,
    PROCESS_REPORT,
    PROCESS_COURIER,
    PROCESS_HELPER,
    PROCESS_METRICS,
    PROCESS_SIGNER,
    PROCESS_OPEN,
    PROCESS_CONSULT,
    PROCESS_ENGINE,
    PROCESS_COUNT
};
const char *process_name(enum process_kind kind);                      /* "receive" */
bool process_kind_from_name(struct text name, enum process_kind *out); /* false: none has that name */

struct os_user {
    uid_t uid;
    gid_t gid;
};

/* False: this machine's name service knows no such user. */
bool os_user_find(const char *name, struct os_user *out);

/* The users of their own that processes run as where `user` is "sekimori": "sekimori-receive" and so on. Asks
   the name service for each but PROCESS_MASTER's; `out` has room for PROCESS_COUNT. Returns how many are
   there; `missing` is the name of the first that is not, or empty. */
enum { PROCESS_USER_SIZE = 33 }; /* as long as useradd takes names, and a NUL */
int process_users_find(struct text user, struct os_user *out, char missing[PROCESS_USER_SIZE]);

#endif
