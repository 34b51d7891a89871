/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* sekimori campaign: list, show, stop and forget what came from many places. */
#ifndef SEKIMORI_CLI_CAMPAIGN_TOOL_H
#define SEKIMORI_CLI_CAMPAIGN_TOOL_H

#include "cli/options.h"

extern const struct verb_usage campaign_usage;
int campaign_main(int argc, char **argv); /* a verb: see verb_table.h */

#endif
