/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#ifndef SEKIMORI_CLI_QUARANTINE_H
#define SEKIMORI_CLI_QUARANTINE_H

/* sekimori quarantine list | show | release | delete */
int quarantine_main(int argc, char **argv);

#endif
