/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The answer to a command of an administrator's. */
#ifndef SEKIMORI_LOOKUP_COMMAND_REPLY_H
#define SEKIMORI_LOOKUP_COMMAND_REPLY_H

#include "base/text.h"

/* One MASTER_DONE with that exit code, and the end of `fd`. Who asked may be gone: nobody is told then. */
void command_reply(int fd, int code, struct text says);

#endif
