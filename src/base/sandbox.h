/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The jail: which system calls a process may make (seccomp, kills) and which files and ports it may reach
   (Landlock). Entered once, after everything has been opened, before the first foreign byte. */
#ifndef SEKIMORI_BASE_SANDBOX_H
#define SEKIMORI_BASE_SANDBOX_H

#include <stdbool.h>

/* What a process may still do after the jail has closed, beyond computing and using descriptors it has. No
   right reaches another process, an AF_UNIX socket that was not given, or executable memory. */
enum jail_right {
    JAIL_FILES = 1,    /* open files below a given folder: openat, unlinkat, fallocate, … (queue, ledger) */
    JAIL_CONNECT = 2,  /* make TCP sockets and connect (deliver, courier) */
    JAIL_ACCEPT = 4,   /* accept on listening sockets it was given (receive) */
    JAIL_FORK = 8,     /* fork workers, wait for and kill them (scan's parent) */
    JAIL_SCANNER = 16, /* the list of a scan worker: its private tmpfs, no sockets, no threads */
    JAIL_THREADS = 32, /* start threads (report: its font library does) */
    /* Start any program (helper). Programs inherit what we are denied, so this is a jail of another kind:
       files and sockets stay, and all calls but those that reach into other processes or into the kernel,
       which fail. */
    JAIL_PROGRAMS = 64,
    JAIL_DATAGRAMS = 128, /* make UDP sockets too (lookup) */
    /* Shorten files that are open (SQLite does). Who maps a file ends by SIGBUS when another shortens it, so
       a process with this right has no descriptor of a shared file: child_jail(). */
    JAIL_SHORTEN = 256,
    JAIL_BODIES = 512, /* make memfds and seal them */
};

/* `folders`: NULL-ended list of directories below which JAIL_FILES holds; others cannot be opened at all.
   Returns false where the kernel lacks seccomp or Landlock, with the reason in the log; the caller goes on
   only when the configuration says `jail off`. Sets no_new_privs and drops every capability. A denied system
   call kills the process and logs through the audit; Landlock denials give EACCES. Since Linux 6.12 signals
   go to itself and its descendants only. */
bool jail_enter(const char *process, int rights, const char *const *folders);
/* The same, with folders that may be read beside: NULL-ended too; those that are not there are left out. */
bool jail_enter_reading(const char *process, int rights, const char *const *folders,
                        const char *const *readable);

#ifdef SEKIMORI_JAIL_PROBE
struct jail {
    const char *process;
    int rights;
    const char *const *folders, *const *readable;
    bool (*enter)(const char *process, int rights, const char *const *folders, const char *const *readable);
};

/* Test builds: for each attempt that the environment variable SEKIMORI_JAIL_PROBE names (a list with blanks,
   or "all"), a child of the process enters the same jail at the same point and tries it. Logs "jail probe:
   PROCESS: ATTEMPT: denied", "killed" or "ALLOWED". See base/jail_probe.c. */
void jail_probe(const struct jail *jail);
#endif

#endif
