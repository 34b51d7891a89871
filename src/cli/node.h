/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* `sekimori start|stop|reload`: the node as a whole. */
#ifndef SEKIMORI_CLI_NODE_H
#define SEKIMORI_CLI_NODE_H

/* argv[0] is the verb. Exit codes: see its --help. */
int start_main(int argc, char **argv);
int stop_main(int argc, char **argv);
int reload_main(int argc, char **argv);

#endif
