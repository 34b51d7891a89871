/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Does the DNS answer? What others ask shows it; when nobody has had an answer from a server for a while, a
   name is asked for that no cache can have. */
#ifndef SEKIMORI_LOOKUP_DNS_PROBE_H
#define SEKIMORI_LOOKUP_DNS_PROBE_H

#include "ipc/health.h"
#include "lookup/resolver.h"

struct dns_probe;

/* Never NULL, as long as the process. All three are borrowed. */
struct dns_probe *dns_probe_new(struct loop *loop, struct resolver *resolver, const struct config *config);
void dns_probe_configure(struct dns_probe *probe, const struct config *config); /* borrowed */

/* Misses in a row; nothing where no part of the configuration needs the DNS. */
void dns_probe_tell(const struct dns_probe *probe, struct health_facts *out);

#endif
