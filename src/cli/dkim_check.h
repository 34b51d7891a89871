/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* `sekimori dkim check`: the keys of a configuration against what the DNS has of them. */
#ifndef SEKIMORI_CLI_DKIM_CHECK_H
#define SEKIMORI_CLI_DKIM_CHECK_H

#include <stdbool.h>

#include "cli/control.h"

struct dkim_check_wish {
    struct control_target target; /* whose configuration, and whose lookup asks */
    const char *server;           /* asked in the node's place; NULL: the node asks */
    const char *domain;           /* NULL: all that have keys */
    bool json;
};

/* Says on standard output what is published of each key. Returns the exit code. */
int dkim_check(const struct dkim_check_wish *wish);

#endif
