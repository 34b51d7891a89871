/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The half of the jail that the kernel's seccomp keeps: which system calls, with which arguments. Of
   base/sandbox.c only. */
#ifndef SEKIMORI_BASE_SYSCALL_FILTER_H
#define SEKIMORI_BASE_SYSCALL_FILTER_H

#include <stdbool.h>

/* From now on this process, and what it forks, makes the calls of these rights (enum jail_right) and no
   others. False with errno; nothing is narrowed then. */
bool syscall_filter_enter(int rights);

/* Beside what a process with JAIL_COMMANDS is denied: the namespaces that it makes for its programs. Of such
   a program, before it is executed. False with errno. */
bool syscall_filter_enter_command(void);

#endif
