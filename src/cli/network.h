/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The one thing that is changed about the network: an address is taken off an interface (rtnetlink). */
#ifndef SEKIMORI_CLI_NETWORK_H
#define SEKIMORI_CLI_NETWORK_H

#include "base/text.h"

/* `word`: ADDRESS or ADDRESS/BITS. NULL: it is not there (any more), or neither is the interface; else why
   not. */
const char *network_address_remove(const char *interface, struct text word);

#endif
