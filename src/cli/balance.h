/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* `sekimori balance [--wait SECONDS] [--json]`: compares what receive, the journal and the ledger counted. */
#ifndef SEKIMORI_CLI_BALANCE_H
#define SEKIMORI_CLI_BALANCE_H

/* argv[0] is the verb. Returns 0 (equal), 1 (a difference stays), 64 (usage) or 69 (a part cannot be asked).
 */
int balance_main(int argc, char **argv);

#endif
