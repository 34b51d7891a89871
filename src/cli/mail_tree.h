/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The files of a folder and of those below it, in name order. No name that begins with a dot is looked at, no
   other file system is entered, and what is no regular file (FIFO, socket, device, link) is left out. */
#ifndef SEKIMORI_CLI_MAIL_TREE_H
#define SEKIMORI_CLI_MAIL_TREE_H

#include <fts.h>
#include <stdbool.h>

/* `path` itself may be a link, or a file of any kind: it is the only one then. NULL: errno. Close with
   fts_close. */
FTS *mail_tree_open(char *path);

/* The path of the next file, or of what cannot be read: *out_errno is not 0 then. Borrowed until the next
   call. NULL: there is none any more. out_is_link NULL: links are left out, else it tells them. */
const char *mail_tree_next(FTS *tree, int *out_errno, bool *out_is_link);

#endif
