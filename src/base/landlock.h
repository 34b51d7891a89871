/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The half of the jail that the kernel's Landlock keeps: which files and ports, and whom a signal reaches. Of
   base/sandbox.c only. */
#ifndef SEKIMORI_BASE_LANDLOCK_H
#define SEKIMORI_BASE_LANDLOCK_H

#include "base/sandbox.h"

/* From now on this process, and what it forks, opens what `paths` says and no more, within what it might
   before. False with errno; nothing is narrowed then. Where this kernel could do nothing for these rights
   (enum jail_right), true. */
bool landlock_enter(int rights, const struct jail_paths *paths);

/* The same in two steps, the first by who forks the process that takes the second: a descriptor,
   close-on-exec and the caller's, or -1 with errno; then, in each child, what it says, and its copy is
   closed. */
int landlock_make(int rights, const struct jail_paths *paths);
bool landlock_enter_made(int ruleset);

/* The same for a program that a process with JAIL_PROGRAMS starts: files alone, and its memory and that of
   its kin is all that it can look into. */
bool landlock_enter_program(const struct jail_paths *paths);

#endif
