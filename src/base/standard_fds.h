/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The three descriptors that every program takes for granted. */
#ifndef SEKIMORI_BASE_STANDARD_FDS_H
#define SEKIMORI_BASE_STANDARD_FDS_H

/* First in main: /dev/null stands in for whichever of input, output and error was closed by who started us.
   Else the next file that is opened takes its number, and every line of the log is written into that file. */
void standard_open(void);

#endif
