/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* `sekimori newsletter`: which newsletters are wanted. */
#ifndef SEKIMORI_CLI_NEWSLETTER_TOOL_H
#define SEKIMORI_CLI_NEWSLETTER_TOOL_H

#include "cli/options.h"

int newsletter_main(int argc, char **argv); /* a verb: see verb_table.h */
extern const struct verb_usage newsletter_usage;

#endif
