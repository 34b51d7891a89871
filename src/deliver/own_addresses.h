/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Which addresses are this gateway's own, so that a route that leads back here is seen (deliver/mx_route.h).
 */
#ifndef SEKIMORI_DELIVER_OWN_ADDRESSES_H
#define SEKIMORI_DELIVER_OWN_ADDRESSES_H

#include "deliver/mx_route.h"

/* The addresses of this machine's interfaces. Opens a socket: before the jail closes. */
void own_addresses_find(struct own_addresses *own);

/* Name and listeners of the configuration, copied; call again after a reload. */
void own_addresses_configure(struct own_addresses *own, const struct config *config);
void own_addresses_free(struct own_addresses *own);

#endif
