/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* `sekimori learn`: says which mails are ham and which spam. */
#ifndef SEKIMORI_CLI_LEARN_H
#define SEKIMORI_CLI_LEARN_H

#include "cli/options.h"

extern const struct verb_usage learn_usage;
int learn_main(int argc, char **argv); /* a verb: see verb_table.h */

#endif
