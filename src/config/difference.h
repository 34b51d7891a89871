/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What one configuration has and another has not, setting by setting. */
#ifndef SEKIMORI_CONFIG_DIFFERENCE_H
#define SEKIMORI_CONFIG_DIFFERENCE_H

#include "base/buffer.h"
#include "config/settings.h"

/* Appends a line for each value that is gone ("- virus found reject") and each that is new ("+ virus found
   quarantine"), defaults included where one becomes the other, and "~ FILE: its content has changed". In the
   order of the words. Returns how many values and files differ. */
size_t config_difference(const struct config *old, const struct config *new, struct buffer *out);

#endif
