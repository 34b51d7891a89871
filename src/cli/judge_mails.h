/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The messages of files, folders and mailboxes, one at a time, for `sekimori judge`. Nothing is read of them
   but where a mailbox's next message begins. */
#ifndef SEKIMORI_CLI_JUDGE_MAILS_H
#define SEKIMORI_CLI_JUDGE_MAILS_H

#include "base/buffer.h"

struct judge_mails;

/* `paths` is borrowed: files, mailboxes (mbox), folders with what is below them in name order, "-" for
   standard input. Of folders names that begin with a dot are left out,
   and links, which are told; so is a folder without a file. `verb`: in whose name errors are said;
   borrowed. */
struct judge_mails *judge_mails_open(const char *verb, char *const *paths, int count);
void judge_mails_close(struct judge_mails *mails);

/* The next message: its bytes, and its name ("inbox.mbox:3": the third of a mailbox). Of one that is longer
   than `most` bytes the first `most` + 1. False: there is none. What cannot be read is said on standard
   error, and judge_mails_has_failed from then on. */
bool judge_mails_next(struct judge_mails *mails, size_t most, struct buffer *out, struct buffer *out_name);
bool judge_mails_has_failed(const struct judge_mails *mails);

/* The last message is a file that was named itself, or standard input: it was not found in a folder or
 * mailbox. */
bool judge_mails_is_named(const struct judge_mails *mails);

/* Says on standard error if a message is empty, or `is_mail` tells that no field of RFC 5322 stands in its
   header. False: it is not to be judged. Who names a file, or gives one on standard input, has it judged
   unless it is empty. */
bool judge_mails_may_judge(const char *verb, const char *name, size_t length, bool is_mail, bool is_named);

#endif
