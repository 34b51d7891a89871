/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The half of the jail that the kernel's seccomp keeps: which system calls, with which arguments. Of
   base/sandbox.c only. */
#ifndef SEKIMORI_BASE_SYSCALL_FILTER_H
#define SEKIMORI_BASE_SYSCALL_FILTER_H

#include <stdbool.h>

/* From now on this process, and what it forks, makes the calls of these rights (enum jail_right) and no
   others. False with errno; nothing is narrowed then. */
bool syscall_filter_enter(int rights);

/* The same, made ahead by who forks the process that enters it: libseccomp works long. Not for JAIL_PROGRAMS
   and JAIL_COMMANDS. NULL with errno; it lasts as long as its maker. */
struct syscall_program *syscall_program_make(int rights);
/* Of each child: as syscall_filter_enter, where no_new_privs is set. */
bool syscall_program_enter(struct syscall_program *program);

/* Beside what a process with JAIL_COMMANDS is denied: the namespaces that it makes for its programs. Of such
   a program, before it is executed. False with errno. */
bool syscall_filter_enter_command(void);

#endif
