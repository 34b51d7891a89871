/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The jail: which system calls a process may make (seccomp, kills) and which files and ports it may reach
   (Landlock). Entered once, after everything has been opened, before the first foreign byte. */
#ifndef SEKIMORI_BASE_SANDBOX_H
#define SEKIMORI_BASE_SANDBOX_H

#include <stdbool.h>

/* What a process may still do after the jail has closed, beyond computing and using descriptors it has. */
enum jail_right {
    JAIL_FILES = 1,    /* open files below a given folder: openat, unlinkat, fallocate, … (queue, ledger) */
    JAIL_CONNECT = 2,  /* make IP sockets and connect (deliver, lookup) */
    JAIL_ACCEPT = 4,   /* accept on listening sockets it was given (receive) */
    JAIL_FORK = 8,     /* fork workers, wait for and kill them (scan's parent) */
    JAIL_SCANNER = 16, /* the list of a scan worker: its private tmpfs, no sockets, no threads */
    JAIL_THREADS = 32, /* start threads (report: its font library does) */
    /* Start any program (helper). Programs inherit what we are denied, so this is a jail of another kind: no
       Landlock, and all calls but those that reach into other processes or into the kernel, which fail. */
    JAIL_PROGRAMS = 64,
};

/* `folders`: NULL-ended list of directories below which JAIL_FILES holds; others cannot be opened at all.
   Returns false where the kernel lacks seccomp or Landlock, with the reason in the log; the caller goes on
   only when the configuration says `jail off`. Sets no_new_privs and drops every capability. A denied system
   call kills the process and logs through the audit; Landlock denials give EACCES. */
bool jail_enter(const char *process, int rights, const char *const *folders);
/* The same, with folders that may be read beside: NULL-ended too; those that are not there are left out. */
bool jail_enter_reading(const char *process, int rights, const char *const *folders,
                        const char *const *readable);

#ifdef SEKIMORI_JAIL_PROBE
/* Test builds: tries what the environment variable SEKIMORI_JAIL_PROBE names ("open", "connect", "exec") and
   logs "jail probe: PROCESS: open denied: …" or "… ALLOWED"; where the jail kills, master's log says so. */
void jail_probe(const char *process);
#endif

#endif
