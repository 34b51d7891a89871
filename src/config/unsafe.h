/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What works and is unsafe, or will not do what it is there for. Said by `sekimori check` and `sekimori
 * start`. */
#ifndef SEKIMORI_CONFIG_UNSAFE_H
#define SEKIMORI_CONFIG_UNSAFE_H

#include "config/load.h"

/* Adds warnings: processes that would run as root, a host name that is none, mail from the world without TLS,
   a certificate that has not the host name. `config` has its sources. */
void unsafe_check(const struct config *config, struct problem_list *problems);

/* A warning where nothing answers at `digest page`. Waits for a name service and up to three seconds for the
   server. */
void unsafe_check_page(const struct config *config, struct problem_list *problems);

#endif
