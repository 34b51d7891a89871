/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The processes of a node, their names, and the names of their users. */
#ifndef SEKIMORI_CONFIG_PROCESS_KIND_H
#define SEKIMORI_CONFIG_PROCESS_KIND_H

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
    PROCESS_COUNT
};
const char *process_name(enum process_kind kind);                      /* "receive" */
bool process_kind_from_name(struct text name, enum process_kind *out); /* false: none has that name */

/* "sekimori-receive": the user of this machine that the process runs as where `user` is "sekimori". False:
   the name is too long for one. */
enum { PROCESS_USER_SIZE = 33 }; /* as long as useradd takes names, and a NUL */
bool process_user_name(struct text user, enum process_kind kind, char room[PROCESS_USER_SIZE]);

#endif
