/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Messages from files, folders and standard input, ready for the wire: CRLF line ends. */
#ifndef SEKIMORI_CLI_MAIL_FILES_H
#define SEKIMORI_CLI_MAIL_FILES_H

#include "base/buffer.h"

struct mail_file {
    char *name;
    struct buffer content; /* CRLF line ends */
};

struct mail_files {
    struct mail_file *items;
    size_t count;
};

enum { MAIL_FILE_MOST = 1 << 30 };

/* A file, "-" for standard input, or every regular file of a folder in name order (not below it). False with
   the reason on stderr. */
bool mail_files_add(struct mail_files *files, const char *path);

/* LF and CR alone become CRLF. */
void mail_crlf(struct text text, struct buffer *out);

/* "From a@b.test Fri Feb 14 08:55:52 2014": a time of day is in it. */
bool mail_is_mailbox_line(struct text line);

/* It begins with such a line, and has another one behind an empty line: it has more than one message. */
bool mail_is_mailbox(struct text content);

#endif
