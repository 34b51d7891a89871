/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Which addresses are this gateway's own, so that a route that leads back here is seen (deliver/route.h). */
#ifndef SEKIMORI_DELIVER_OWN_H
#define SEKIMORI_DELIVER_OWN_H

#include "deliver/route.h"

/* The addresses of this machine's interfaces. Opens a socket: before the jail closes. */
void own_find_addresses(struct own *own);

/* Name and listeners of the configuration, copied; call again after a reload. */
void own_configure(struct own *own, const struct config *config);
void own_free(struct own *own);

#endif
