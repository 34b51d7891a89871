/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Is the provider's line up? Each address of `health upstream` is connected to again and again from the
   address that mail is sent from. Who refuses is there. */
#ifndef SEKIMORI_DELIVER_UPLINK_PROBE_H
#define SEKIMORI_DELIVER_UPLINK_PROBE_H

#include "base/loop.h"
#include "config/settings.h"
#include "ipc/health.h"

struct uplink_probe;

/* Never NULL, for as long as the process. What uplink_probe_configure needs of the configuration is copied;
   connections under way are closed then. */
struct uplink_probe *uplink_probe_new(struct loop *loop, const struct config *config);
void uplink_probe_configure(struct uplink_probe *uplink, const struct config *config);
/* How many there are; and the misses in a row of the best of them, once one answered or all were tried. */
void uplink_probe_tell(const struct uplink_probe *uplink, struct health_facts *out);

#endif
