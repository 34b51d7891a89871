/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What one configuration has and another has not, setting by setting. */
#ifndef SEKIMORI_CONFIG_DIFFERENCE_H
#define SEKIMORI_CONFIG_DIFFERENCE_H

#include "base/buffer.h"
#include "config/settings.h"

/* Appends a line for each value that is gone ("- virus found reject") and each that is new ("+ virus found
   quarantine"), defaults included where one becomes another value or was it, and "~ FILE: its content has
   changed". In the order of the words. Returns how many values and files differ. */
size_t config_difference(const struct config *old, const struct config *new, struct buffer *out);

/* Appends all values, defaults too, a line each, as what difference_of_statements compares later. Without
   files. */
void difference_statements(const struct config *config, struct buffer *out);
/* The lines of config_difference for two such texts, of programs of any version. False: one of them is
   none, and nothing is appended. */
bool difference_of_statements(struct text old, struct text new, struct buffer *out);

#endif
