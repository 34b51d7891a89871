/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* `sekimori model`: what the node has learned, out of it and into it. */
#ifndef SEKIMORI_CLI_MODEL_COMMAND_H
#define SEKIMORI_CLI_MODEL_COMMAND_H

#include "cli/options.h"

extern const struct verb_usage model_usage;
int model_main(int argc, char **argv); /* a verb: see verb_table.h */

#endif
