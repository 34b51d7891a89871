/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The jail: which system calls a process may make (seccomp, kills) and which files and ports it may reach
   (Landlock). Entered once, after everything has been opened, before the first foreign byte. */
#ifndef SEKIMORI_BASE_SANDBOX_H
#define SEKIMORI_BASE_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>

/* What a process may still do after the jail has closed, beyond computing and using descriptors it has. No
   right but JAIL_LOCAL reaches an AF_UNIX socket that was not given, and none another process or executable
   memory. */
enum jail_right {
    JAIL_FILES = 1,    /* open files below a given folder: openat, unlinkat, fallocate, … (queue, ledger) */
    JAIL_CONNECT = 2,  /* make TCP sockets and connect (deliver, courier) */
    JAIL_ACCEPT = 4,   /* accept on listening sockets it was given (receive) */
    JAIL_FORK = 8,     /* fork workers, wait for and kill them (scan's parent) */
    JAIL_SCANNER = 16, /* the list of a scan worker: its private tmpfs, no sockets, no threads */
    JAIL_THREADS = 32, /* start threads (report: its font library does) */
    /* Start programs (helper). They inherit what we are denied, so this is a jail of another kind: what
       ordinary programs do is allowed, sockets included, and all else fails as it does on a kernel that has
       not got it. */
    JAIL_PROGRAMS = 64,
    JAIL_DATAGRAMS = 128, /* make UDP sockets too (lookup) */
    /* Shorten files that are open (SQLite does). Who maps a file ends by SIGBUS when another shortens it, so
       a process with this right has no descriptor of a shared file: child_jail(). */
    JAIL_SHORTEN = 256,
    JAIL_BODIES = 512,   /* make memfds and seal them */
    JAIL_NURSERY = 1024, /* fork children that enter a narrower jail, and kill them; read files (open) */
    JAIL_READER = 2048,  /* such a child: compute, read files; what else its libraries try to open fails and
                            does not kill */
    JAIL_LOCAL = 4096,   /* make AF_UNIX stream sockets and connect them (consult) */
    /* Start programs that read what strangers sent (engine): as JAIL_PROGRAMS, but without sockets, and each
       in namespaces of its own, in a narrower jail: jail_enter_command(). */
    JAIL_COMMANDS = 8192,
};

/* What may be opened below which absolute paths; each list ends with NULL, or is NULL. */
struct jail_paths {
    const char *const *folders;  /* read, written, made, removed: have to be there */
    const char *const *readable; /* these and the next are left out where they are not there */
    const char *const *writable; /* as folders, or a file: read and written */
    const char *const *executable;
    const char *const *hidden; /* nothing of these, though they lie below one of readable and what follows */
};

/* Where a right on files is among the rights, it holds below `paths`; nothing else can be opened. `paths` may
   be NULL: nothing. Returns false where the kernel lacks seccomp or Landlock, with the reason in the log; the
   caller goes on only when the configuration says `jail off`. Sets no_new_privs and drops every capability,
   but for CAP_SYS_ADMIN with JAIL_FORK. A denied system call kills the process and logs through the audit;
   Landlock denials give EACCES. Since Linux 6.12 signals go to itself and its descendants only. */
bool jail_enter(const char *process, int rights, const struct jail_paths *paths);

/* A jail of which all is made that can be before its process is forked. */
struct jail {
    const char *process;
    int rights;
    const struct jail_paths *paths;  /* borrowed */
    int ruleset;                     /* a descriptor, of Landlock; -1: not made yet */
    struct syscall_program *program; /* NULL: not made yet */
};

/* By a process, before it enters its own jail, for children that it forks in that: jail_enter in two steps.
   The second narrows what the child has: capabilities that its parent's jail took are taken. Neither opens a
   path in the child. Not with JAIL_FORK, JAIL_PROGRAMS, JAIL_COMMANDS. False with the reason in the log. */
bool jail_make(const char *process, int rights, const struct jail_paths *paths, struct jail *out);
bool jail_enter_made(const struct jail *jail);

/* The jail of one program, within that of a process with JAIL_PROGRAMS: called by its child between fork and
   exec. It opens no more than `paths`, and cannot look into its parent's memory. False with errno. */
bool jail_enter_program(const struct jail_paths *paths);

/* The same within that of a process with JAIL_COMMANDS; and it makes no namespaces. */
bool jail_enter_command(const struct jail_paths *paths);

/* No program that is executed from now on gets more capabilities than `kept` (a bit each), as whichever user.
   Does nothing without CAP_SETPCAP. */
void capabilities_bound(uint64_t kept);
/* No program gets any, and what this process has beside `kept` it loses. False with errno. */
bool capabilities_keep(uint32_t kept);

#ifdef SEKIMORI_JAIL_PROBE
/* Test builds: for each attempt that the environment variable SEKIMORI_JAIL_PROBE names (a list with blanks,
   or "all"), a child of the process enters the same jail at the same point, by `close`, and tries it. Logs
   "jail probe: PROCESS: ATTEMPT: denied", "killed" or "ALLOWED". See base/jail_probe.c. */
void jail_probe(const struct jail *jail, bool (*close)(const struct jail *jail));
#endif

#endif
