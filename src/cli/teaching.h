/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Lessons to the ledger process of a running node, one after another: for `sekimori learn` and `model
 * import`. */
#ifndef SEKIMORI_CLI_TEACHING_H
#define SEKIMORI_CLI_TEACHING_H

#include "cli/control.h"

struct teaching {
    int fd;
    struct text base_model; /* the node's file; empty: none. Lives in `room` */
    struct buffer room, answer;
    size_t taught, changed, known;
};

/* Zero-initialised before. A sysexits code; what is wrong was said on standard error. */
int teaching_begin(struct teaching *teaching, const struct control_target *target);

/* The bytes of a lesson. What became of it is in `answer`: "taught ID", "changed ID" or "known ID". Another
   code than EX_OK ends it all, and was explained. */
int teaching_send(struct teaching *teaching, struct text lesson);

/* Of a mail that is taught as ham, before its lesson: what is like it is no campaign. Nothing where the
   sketch is empty. */
void teaching_send_like(struct teaching *teaching, struct text sketch);

/* When all that was taught is on disk and in force. Frees what is owned. `code`: EX_OK, or why it ends early:
   then what was sent before stays taught. */
int teaching_end(struct teaching *teaching, int code);

#endif
