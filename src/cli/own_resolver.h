/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A resolver of this command's own, for a server that is named on the command line. */
#ifndef SEKIMORI_CLI_OWN_RESOLVER_H
#define SEKIMORI_CLI_OWN_RESOLVER_H

#include "lookup/resolver.h"

struct own_resolver {
    struct loop *loop;
    struct resolver *resolver;
    char server[64]; /* as IP@PORT */
    struct text servers[1];
    struct config config; /* its dns section alone */
};

/* `server`: ADDRESS, ADDRESS:PORT or [ADDRESS]:PORT; NULL: those of /etc/resolv.conf. Signatures (DNSSEC) are
   not checked: a server for a test has none. False, with why on standard error: no address, or no resolver
   can be made. */
bool own_resolver_open(struct own_resolver *own, const char *server);
void own_resolver_close(struct own_resolver *own);

#endif
