/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What the bench programs share: clocks, sockets, and options that are read in one way. */
#ifndef SEKIMORI_BENCH_TOOL_H
#define SEKIMORI_BENCH_TOOL_H

#include "base/address.h"

/* Seconds of CLOCK_MONOTONIC: comparable between processes of one machine. */
double tool_now(void);

/* User and system seconds this process has used. */
double tool_cpu_seconds(void);

/* Each ends the program with exit 64 and a message that names `option` when the word is not what it must be.
 */
struct endpoint tool_endpoint(const char *option, const char *word); /* "IP:PORT", "[IP6]:PORT" */
uint64_t tool_number(const char *option, const char *word, uint64_t least, uint64_t most);
double tool_decimal(const char *option, const char *word, double least, double most);

/* Returns where argv has from `least` to `most` words behind the program's name, the first of them no option.
   Else prints `usage`, a line or more, and ends the program: asked for with --help on standard output with 0,
   else on standard error with EX_USAGE. */
void tool_usage(int argc, char **argv, int least, int most, const char *usage);

/* Raises the limit of open files as far as this user may. */
void tool_raise_file_limit(void);

/* A non-blocking listening socket; dies when the address cannot be bound. */
int tool_listen(const struct endpoint *endpoint);

/* A non-blocking socket on its way to `endpoint`, from `source` (NULL: of the system's choice), TCP_NODELAY
   set; -1 with errno when that failed at once. */
int tool_connect(const struct endpoint *endpoint, const struct address *source);

#endif
