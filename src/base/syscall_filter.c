/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The lists of system calls, one a right. A call that could reach another process, a file that others map or
   a family of sockets that is not ours stands here with the arguments it may have; a call that is in no list
   of the process's rights kills it. What a library tries and can do without fails instead. */
#include "base/syscall_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/netlink.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/sandbox.h"

enum {
    CONDITIONS_MOST = 3,
    END = -1000000,
    NAMESPACES = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS |
                 CLONE_NEWCGROUP,
    COMMAND_CLONE = CLONE_NEWUSER | CLONE_NEWPID | SIGCHLD, /* how engine makes a command's namespaces */
};

struct rule {
    int call;
    unsigned count;
    struct scmp_arg_cmp when[CONDITIONS_MOST]; /* all of them */
};

/* ints are compared as the kernel reads them: the lower half of the register. */
#define INT UINT64_C(0xFFFFFFFF)
#define CALL(name)     \
    {                  \
        SCMP_SYS(name) \
    }
#define IF(name, a)        \
    {                      \
        SCMP_SYS(name), 1, \
        {                  \
            a              \
        }                  \
    }
#define IF_BOTH(name, a, b) \
    {                       \
        SCMP_SYS(name), 2,  \
        {                   \
            a, b            \
        }                   \
    }
#define IF_ALL(name, a, b, c) \
    {                         \
        SCMP_SYS(name), 3,    \
        {                     \
            a, b, c           \
        }                     \
    }
#define NO_MORE \
    {           \
        END     \
    }
/* clang-format off */
#define IS(argument, value) { argument, SCMP_CMP_MASKED_EQ, INT, value }
#define BITS(argument, mask, value) { argument, SCMP_CMP_MASKED_EQ, mask, value }
#define IS_NULL(argument) { argument, SCMP_CMP_EQ, 0, 0 }
#define IS_NOT_0(argument) { argument, SCMP_CMP_NE, 0, 0 }
/* clang-format on */
#define OPTION(level, name) IF_BOTH(setsockopt, IS(1, level), IS(2, name))

/* What computing, the loop, streams and channels need. Memory is never executable. */
static const struct rule common[] = {
    CALL(read),
    CALL(write),
    CALL(readv),
    CALL(writev),
    CALL(pread64),
    CALL(pwrite64),
    CALL(lseek),
    CALL(close),
    CALL(close_range),
    CALL(fstat),
    CALL(newfstatat),
    CALL(statx),
    CALL(dup),
    CALL(dup3),
    IF(fcntl, IS(1, F_DUPFD)),
    IF(fcntl, IS(1, F_DUPFD_CLOEXEC)),
    IF(fcntl, IS(1, F_GETFD)),
    IF(fcntl, IS(1, F_SETFD)),
    IF(fcntl, IS(1, F_GETFL)),
    IF_BOTH(fcntl, IS(1, F_SETFL), BITS(2, O_ASYNC, 0)), /* no signals to whom F_SETOWN would name */
    IF(fcntl, IS(1, F_GET_SEALS)),
    IF(ioctl, IS(1, FIONBIO)),
    IF(ioctl, IS(1, FIONREAD)),
    IF(ioctl, IS(1, TCGETS)), /* isatty, which stdio asks */
    IF(mmap, BITS(2, PROT_EXEC, 0)),
    IF(mprotect, BITS(2, PROT_EXEC, 0)),
    CALL(munmap),
    CALL(madvise),
    CALL(brk),
    CALL(futex),
    CALL(membarrier),
    CALL(sched_yield),
    CALL(sched_getaffinity),
    CALL(getcpu),
    CALL(rseq),
    CALL(set_robust_list),
    CALL(poll),
    CALL(ppoll),
    CALL(select),
    CALL(pselect6),
    CALL(epoll_create1),
    CALL(epoll_ctl),
    CALL(epoll_wait),
    CALL(epoll_pwait),
    CALL(epoll_pwait2),
    CALL(eventfd2),
    CALL(timerfd_create),
    CALL(timerfd_settime),
    CALL(pipe2),
    CALL(sendmsg),
    CALL(sendmmsg),
    CALL(sendto),
    CALL(recvmsg),
    CALL(recvmmsg),
    CALL(recvfrom),
    CALL(sendfile),
    CALL(shutdown),
    CALL(getsockopt),
    OPTION(SOL_SOCKET, SO_SNDBUF),
    OPTION(SOL_SOCKET, SO_RCVBUF),
    CALL(getsockname),
    CALL(getpeername),
    CALL(clock_gettime),
    CALL(clock_nanosleep),
    CALL(nanosleep),
    CALL(gettimeofday),
    CALL(time),
    CALL(getrandom),
    CALL(getpid),
    CALL(gettid),
    CALL(getppid),
    CALL(getuid),
    CALL(geteuid),
    CALL(getgid),
    CALL(getegid),
    CALL(uname),
    CALL(sysinfo),
    IF_BOTH(prlimit64, IS(0, 0), IS_NULL(2)), /* its own limits, to read */
    CALL(getrlimit),
    CALL(getrusage),
    CALL(rt_sigaction),
    CALL(rt_sigprocmask),
    CALL(rt_sigreturn),
    CALL(sigaltstack),
    CALL(restart_syscall),
    CALL(exit),
    CALL(exit_group),
    NO_MORE,
};

/* What goes by path and Landlock does not look at (chmod, chown, utimes, link by /proc) is not here. */
static const struct rule files[] = {
    CALL(openat),
    CALL(unlink),
    CALL(unlinkat),
    CALL(rename),
    CALL(renameat),
    CALL(renameat2),
    CALL(mkdir),
    CALL(mkdirat),
    CALL(rmdir),
    CALL(getdents64),
    IF(fallocate, BITS(1, INT & ~FALLOC_FL_KEEP_SIZE, 0)), /* which cannot shorten */
    CALL(fsync),
    CALL(fdatasync),
    CALL(sync_file_range),
    CALL(pwritev),
    CALL(pwritev2),
    CALL(fadvise64),
    CALL(copy_file_range),
    CALL(preadv),
    CALL(access),
    CALL(faccessat),
    CALL(faccessat2),
    CALL(readlink),
    CALL(readlinkat),
    CALL(getcwd),
    CALL(fchmod),
    CALL(fchown),
    CALL(fstatfs),
    CALL(statfs),
    IF(fcntl, IS(1, F_GETLK)),
    IF(fcntl, IS(1, F_SETLK)),
    IF(fcntl, IS(1, F_SETLKW)),
    NO_MORE,
};

static const struct rule shortening[] = { CALL(ftruncate), NO_MORE };

static const struct rule bodies[] = { CALL(memfd_create), IF(fcntl, IS(1, F_ADD_SEALS)), NO_MORE };

static const struct rule connecting[] = {
    CALL(connect),
    CALL(bind),
    IF_ALL(socket, IS(0, AF_INET), BITS(1, 15, SOCK_STREAM), IS(2, 0)),
    IF_ALL(socket, IS(0, AF_INET6), BITS(1, 15, SOCK_STREAM), IS(2, 0)),
    IF_ALL(socket, IS(0, AF_INET), BITS(1, 15, SOCK_STREAM), IS(2, IPPROTO_TCP)),
    IF_ALL(socket, IS(0, AF_INET6), BITS(1, 15, SOCK_STREAM), IS(2, IPPROTO_TCP)),
    OPTION(SOL_SOCKET, SO_REUSEADDR),
    OPTION(SOL_SOCKET, SO_KEEPALIVE),
    OPTION(IPPROTO_TCP, TCP_NODELAY),
    OPTION(IPPROTO_TCP, TCP_KEEPIDLE),
    OPTION(IPPROTO_TCP, TCP_KEEPINTVL),
    OPTION(IPPROTO_TCP, TCP_KEEPCNT),
    NO_MORE,
};

/* Beside those of connecting. */
static const struct rule local[] = {
    IF_ALL(socket, IS(0, AF_UNIX), BITS(1, 15, SOCK_STREAM), IS(2, 0)),
    NO_MORE,
};

/* Beside those of connecting: what the resolver's library sets. */
static const struct rule datagrams[] = {
    IF_ALL(socket, IS(0, AF_INET), BITS(1, 15, SOCK_DGRAM), IS(2, 0)),
    IF_ALL(socket, IS(0, AF_INET6), BITS(1, 15, SOCK_DGRAM), IS(2, 0)),
    IF_ALL(socket, IS(0, AF_INET), BITS(1, 15, SOCK_DGRAM), IS(2, IPPROTO_UDP)),
    IF_ALL(socket, IS(0, AF_INET6), BITS(1, 15, SOCK_DGRAM), IS(2, IPPROTO_UDP)),
    OPTION(IPPROTO_IP, IP_MTU_DISCOVER),
    OPTION(IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT),
    OPTION(IPPROTO_IPV6, IPV6_V6ONLY),
    OPTION(IPPROTO_IPV6, IPV6_MTU_DISCOVER),
    OPTION(IPPROTO_IPV6, IPV6_MTU),
    OPTION(IPPROTO_TCP, TCP_MAXSEG),
    OPTION(IPPROTO_TCP, TCP_FASTOPEN_CONNECT),
    NO_MORE,
};

static const struct rule accepting[] = { CALL(accept4), OPTION(IPPROTO_TCP, TCP_NODELAY), NO_MORE };

/* Workers, beside what all children get. */
static const struct rule forking[] = {
    IF_BOTH(setpriority, IS(0, PRIO_PROCESS), IS(1, 0)),
    IF_BOTH(mmap, BITS(2, PROT_WRITE, 0), BITS(3, MAP_ANONYMOUS, 0)), /* a library, for unpacking */
    CALL(dup2),
    CALL(dup3),
    IF(unshare, IS(0, CLONE_NEWUSER | CLONE_NEWNS)),
    CALL(fsopen),
    CALL(fsconfig),
    CALL(fsmount),
    CALL(fchdir),
    IF(prctl, IS(0, PR_SET_SECCOMP)),
    IF(prctl, IS(0, PR_CAPBSET_READ)),
    IF(prctl, IS(0, PR_CAPBSET_DROP)),
    CALL(capget),
    CALL(landlock_create_ruleset),
    CALL(landlock_add_rule),
    NO_MORE,
};

/* Opening files to read them: Landlock says which, but does not look at O_PATH. */
static const struct rule reading[] = {
    IF(openat, BITS(2, O_ACCMODE | O_CREAT | O_TRUNC | O_PATH, 0)),
    NO_MORE,
};

/* What libraries try beside that, those for fonts above all: it fails. */
static const struct rule not_reading[] = {
    IF(openat, BITS(2, O_PATH, O_PATH)),
    CALL(readlink),
    IF(openat, BITS(2, O_WRONLY, O_WRONLY)),
    IF(openat, BITS(2, O_RDWR, O_RDWR)),
    IF(openat, BITS(2, O_CREAT, O_CREAT)),
    IF(openat, BITS(2, O_TRUNC, O_TRUNC)),
    CALL(access),
    CALL(faccessat),
    CALL(faccessat2),
    CALL(getdents64),
    CALL(readlinkat),
    CALL(statfs),
    CALL(fstatfs),
    CALL(getcwd),
    CALL(mkdir),
    CALL(unlink),
    NO_MORE,
};

/* Children that get a jail of their own, and a channel. Signals: only those that end a child or oneself;
   whose, Landlock says where it can. */
static const struct rule nursing[] = {
    IF(clone, BITS(0, NAMESPACES, 0)),
    CALL(wait4),
    IF(kill, IS(1, SIGKILL)),
    IF(tgkill, IS(2, SIGABRT)),
    IF_BOTH(socketpair, IS(0, AF_UNIX), BITS(1, 15, SOCK_SEQPACKET)),
    IF(prlimit64, IS(0, 0)),
    IF(prctl, IS(0, PR_SET_PDEATHSIG)),
    IF(prctl, IS(0, PR_SET_NAME)),
    IF(prctl, IS(0, PR_SET_NO_NEW_PRIVS)),
    CALL(seccomp),
    CALL(capset),
    CALL(landlock_restrict_self),
    NO_MORE,
};

/* A worker's library names folders and files that are memory: only files are opened, and dropped again. What
   else is done by path ends the worker. */
static const struct rule scanning[] = { CALL(openat), CALL(unlink), CALL(statfs), CALL(fstatfs), NO_MORE };

static const struct rule threads[] = {
    IF(clone, BITS(0, CLONE_THREAD | CLONE_VM | CLONE_SIGHAND | NAMESPACES,
                   CLONE_THREAD | CLONE_VM | CLONE_SIGHAND)),
    IF(prctl, IS(0, PR_SET_NAME)),
    NO_MORE,
};

static const struct {
    int right; /* one of them is enough */
    const struct rule *rules;
} tables[] = {
    { JAIL_FILES, files },
    { JAIL_SHORTEN, shortening },
    { JAIL_BODIES, bodies },
    { JAIL_CONNECT, connecting },
    { JAIL_DATAGRAMS, datagrams },
    { JAIL_ACCEPT, accepting },
    { JAIL_LOCAL, local },
    { JAIL_FORK, forking },
    { JAIL_SCANNER, scanning },
    { JAIL_THREADS, threads },
    { JAIL_FORK | JAIL_NURSERY, nursing },
    { JAIL_NURSERY | JAIL_READER, reading },
};

/* They fail: libraries know what to do then. The scanner's library makes the folders that it unpacks
   signatures in its own again, and Landlock does not look at chmod. A clone3 cannot be looked into; for want
   of it glibc calls clone. A map of a shared file could grow over the pages behind it; for want of mremap
   glibc copies what it enlarges. */
static const struct {
    int right, call, error; /* right 0: every process */
} failing[] = {
    { 0, SCMP_SYS(mremap), ENOMEM },
    { JAIL_FORK | JAIL_THREADS | JAIL_NURSERY, SCMP_SYS(clone3), ENOSYS },
    { JAIL_FORK, SCMP_SYS(chmod), EPERM },
    { JAIL_FORK | JAIL_SCANNER, SCMP_SYS(ftruncate), EPERM },
    { JAIL_THREADS, SCMP_SYS(chmod), EPERM },
};

#if defined(__SANITIZE_ADDRESS__)
/* For its report. */
static const struct rule sanitizer[] = {
    CALL(openat),
    CALL(open),
    CALL(readlink),
    CALL(getdents64),
    CALL(pipe),
    CALL(stat),
    CALL(personality),
    CALL(arch_prctl),
    CALL(set_tid_address),
    IF(prctl, IS(0, PR_SET_PTRACER)),
    IF(prctl, IS(0, PR_GET_DUMPABLE)),
    IF(prctl, IS(0, PR_SET_DUMPABLE)),
    IF(prctl, IS(0, PR_SET_VMA)),
    NO_MORE,
};
#endif

static bool rules_add(scmp_filter_ctx filter, const struct rule *rule, uint32_t action)
{
    for (; rule->call != END; rule++) {
        int error = seccomp_rule_add_array(filter, action, rule->call, rule->count, rule->when);
        if (error != 0 && error != -EDOM && error != -EEXIST) {
            errno = -error;
            return false; /* EDOM: not on this architecture */
        }
    }
    return true;
}

/* abort() is a signal to oneself. Who forks has children that do it too. */
static bool own_signal_allow(scmp_filter_ctx filter, pid_t self)
{
    const struct rule rules[] = { IF(tgkill, IS(0, (scmp_datum_t)self)), NO_MORE };
    return rules_add(filter, rules, SCMP_ACT_ALLOW);
}

static bool failing_add(scmp_filter_ctx filter, int rights)
{
    bool is_good = true;
    for (size_t i = 0; is_good && i < sizeof failing / sizeof *failing; i++) {
        const struct rule rules[] = { { failing[i].call }, NO_MORE };
        if (failing[i].right == 0 || (rights & failing[i].right))
            is_good = rules_add(filter, rules, SCMP_ACT_ERRNO((uint32_t)failing[i].error));
    }
    if (is_good && (rights & (JAIL_NURSERY | JAIL_READER)))
        is_good = rules_add(filter, not_reading, SCMP_ACT_ERRNO(EACCES));
    return is_good;
}

/* --- who starts programs --- */

/* clang-format off */
/* What ordinary programs do: a shell, curl, an interpreter, a mail client. By categories; a call that is in
   none fails as on a kernel that has not got it (ENOSYS), which programs know to do without. */
static const struct rule program_files[] = {
    CALL(open), CALL(openat), CALL(openat2), CALL(creat), CALL(close), CALL(close_range), CALL(read),
    CALL(write), CALL(readv), CALL(writev), CALL(pread64), CALL(pwrite64), CALL(preadv), CALL(pwritev),
    CALL(preadv2), CALL(pwritev2), CALL(lseek), CALL(sendfile), CALL(copy_file_range), CALL(splice),
    CALL(tee), CALL(vmsplice), CALL(stat), CALL(fstat), CALL(lstat), CALL(newfstatat), CALL(statx),
    CALL(statfs), CALL(fstatfs), CALL(access), CALL(faccessat), CALL(faccessat2), CALL(readlink),
    CALL(readlinkat), CALL(getcwd), CALL(chdir), CALL(fchdir), CALL(getdents), CALL(getdents64), CALL(mkdir),
    CALL(mkdirat), CALL(rmdir), CALL(unlink), CALL(unlinkat), CALL(rename), CALL(renameat), CALL(renameat2),
    CALL(link), CALL(linkat), CALL(symlink), CALL(symlinkat), CALL(mknod), CALL(mknodat), CALL(chmod),
    CALL(fchmod), CALL(fchmodat), CALL(chown), CALL(fchown), CALL(lchown), CALL(fchownat), CALL(utime),
    CALL(utimes), CALL(utimensat), CALL(futimesat), CALL(truncate), CALL(ftruncate), CALL(fallocate),
    CALL(fadvise64), CALL(readahead), CALL(fsync), CALL(fdatasync), CALL(sync), CALL(syncfs),
    CALL(sync_file_range), CALL(flock), CALL(umask), CALL(getxattr), CALL(lgetxattr), CALL(fgetxattr),
    CALL(listxattr), CALL(llistxattr), CALL(flistxattr), CALL(setxattr), CALL(lsetxattr), CALL(fsetxattr),
    CALL(removexattr), CALL(lremovexattr), CALL(fremovexattr), CALL(inotify_init), CALL(inotify_init1),
    CALL(inotify_add_watch), CALL(inotify_rm_watch),
    NO_MORE,
};

static const struct rule program_descriptors[] = {
    CALL(dup), CALL(dup2), CALL(dup3), CALL(fcntl), CALL(pipe), CALL(pipe2), CALL(poll), CALL(ppoll),
    CALL(select), CALL(pselect6), CALL(epoll_create), CALL(epoll_create1), CALL(epoll_ctl), CALL(epoll_wait),
    CALL(epoll_pwait), CALL(epoll_pwait2), CALL(eventfd), CALL(eventfd2), CALL(signalfd), CALL(signalfd4),
    CALL(timerfd_create), CALL(timerfd_settime), CALL(timerfd_gettime), CALL(memfd_create),
    IF(ioctl, IS(1, FIONREAD)), IF(ioctl, IS(1, FIONBIO)), IF(ioctl, IS(1, FIOCLEX)),
    IF(ioctl, IS(1, FIONCLEX)), IF(ioctl, IS(1, TCGETS)), IF(ioctl, IS(1, TCSETS)), IF(ioctl, IS(1, TCSETSW)),
    IF(ioctl, IS(1, TCSETSF)), IF(ioctl, IS(1, TIOCGWINSZ)), IF(ioctl, IS(1, TIOCGPGRP)),
    IF(ioctl, IS(1, TIOCSPGRP)), IF(ioctl, IS(1, TIOCOUTQ)), IF(ioctl, IS(1, FICLONE)),
    IF(ioctl, IS(1, SIOCGIFCONF)), IF(ioctl, IS(1, SIOCGIFNAME)), IF(ioctl, IS(1, SIOCGIFINDEX)),
    IF(ioctl, IS(1, SIOCGIFADDR)), IF(ioctl, IS(1, SIOCGIFFLAGS)), IF(ioctl, IS(1, SIOCGIFMTU)),
    IF(ioctl, IS(1, SIOCGIFHWADDR)),
    NO_MORE,
};

static const struct rule program_memory[] = {
    CALL(brk), CALL(mmap), CALL(mprotect), CALL(munmap), CALL(mremap), CALL(madvise), CALL(msync),
    CALL(mincore), CALL(mlock), CALL(mlock2), CALL(munlock), CALL(mlockall), CALL(munlockall),
    CALL(membarrier), CALL(pkey_alloc), CALL(pkey_free), CALL(pkey_mprotect),
    NO_MORE,
};

/* Itself and what it starts; signals go where Landlock, or the user it runs as, lets them. */
static const struct rule program_processes[] = {
    IF(clone, BITS(0, NAMESPACES, 0)),
    CALL(fork), CALL(vfork), CALL(execve), CALL(execveat), CALL(exit), CALL(exit_group), CALL(wait4),
    CALL(waitid), CALL(kill), CALL(tkill), CALL(tgkill), CALL(rt_sigqueueinfo), CALL(rt_tgsigqueueinfo),
    CALL(pidfd_open), CALL(pidfd_send_signal), CALL(rt_sigaction), CALL(rt_sigprocmask), CALL(rt_sigpending),
    CALL(rt_sigsuspend), CALL(rt_sigtimedwait), CALL(rt_sigreturn), CALL(sigaltstack), CALL(pause),
    CALL(alarm), CALL(setitimer), CALL(getitimer), CALL(restart_syscall), CALL(futex), CALL(set_robust_list),
    CALL(get_robust_list), CALL(rseq), CALL(set_tid_address), CALL(arch_prctl), CALL(prctl), CALL(seccomp),
    CALL(landlock_create_ruleset), CALL(landlock_add_rule), CALL(landlock_restrict_self), CALL(sched_yield),
    CALL(sched_getaffinity), CALL(sched_getscheduler), CALL(sched_getparam), CALL(sched_getattr),
    CALL(sched_get_priority_max), CALL(sched_get_priority_min), CALL(sched_rr_get_interval), CALL(getcpu),
    CALL(getpriority), CALL(ioprio_get), CALL(getrlimit), CALL(setrlimit), CALL(getrusage), CALL(times),
    IF(prlimit64, IS(0, 0)),
    IF(setpriority, IS(1, 0)),
    IF(ioprio_set, IS(1, 0)),
    IF(sched_setaffinity, IS(0, 0)),
    IF(sched_setscheduler, IS(0, 0)),
    IF(sched_setparam, IS(0, 0)),
    IF(sched_setattr, IS(0, 0)),
    NO_MORE,
};

static const struct rule program_identity[] = {
    CALL(getpid), CALL(getppid), CALL(gettid), CALL(getpgrp), CALL(getpgid), CALL(setpgid), CALL(getsid),
    CALL(setsid), CALL(getuid), CALL(geteuid), CALL(getgid), CALL(getegid), CALL(getresuid), CALL(getresgid),
    CALL(getgroups), CALL(setuid), CALL(setgid), CALL(setreuid), CALL(setregid), CALL(setresuid),
    CALL(setresgid), CALL(setgroups), CALL(setfsuid), CALL(setfsgid), CALL(capget), CALL(capset), CALL(uname),
    CALL(sysinfo), CALL(getrandom),
    IF(personality, IS(0, 0)),
    IF(personality, IS(0, INT)), /* asks */
    NO_MORE,
};

static const struct rule program_clocks[] = {
    CALL(time), CALL(gettimeofday), CALL(clock_gettime), CALL(clock_getres), CALL(clock_nanosleep),
    CALL(nanosleep), CALL(timer_create), CALL(timer_settime), CALL(timer_gettime), CALL(timer_getoverrun),
    CALL(timer_delete),
    NO_MORE,
};

/* A hook tells somebody: by IP, or a service of the machine. The names of interfaces come by netlink. */
static const struct rule program_network[] = {
    IF(socket, IS(0, AF_UNIX)),
    IF(socket, IS(0, AF_INET)),
    IF(socket, IS(0, AF_INET6)),
    IF_BOTH(socket, IS(0, AF_NETLINK), IS(2, NETLINK_ROUTE)),
    IF(socketpair, IS(0, AF_UNIX)),
    CALL(bind), CALL(connect), CALL(listen), CALL(accept), CALL(accept4), CALL(shutdown), CALL(getsockname),
    CALL(getpeername), CALL(getsockopt), CALL(setsockopt), CALL(sendto), CALL(sendmsg), CALL(sendmmsg),
    CALL(recvfrom), CALL(recvmsg), CALL(recvmmsg),
    NO_MORE,
};

/* The channel of the process that starts them, and what a program asks of itself by a pair of sockets. */
static const struct rule program_channel[] = {
    IF(socketpair, IS(0, AF_UNIX)),
    CALL(shutdown), CALL(getsockname), CALL(getpeername), CALL(getsockopt), OPTION(SOL_SOCKET, SO_SNDBUF),
    OPTION(SOL_SOCKET, SO_RCVBUF), CALL(sendto), CALL(sendmsg), CALL(sendmmsg), CALL(recvfrom),
    CALL(recvmsg), CALL(recvmmsg),
    IF(clone, IS(0, COMMAND_CLONE)),
    NO_MORE,
};

static const struct rule no_sockets[] = { CALL(socket), NO_MORE };
static const struct rule no_namespaces[] = { IF(clone, IS(0, COMMAND_CLONE)), NO_MORE };

static const struct rule *const programs[] = {
    program_files,     program_descriptors, program_memory,
    program_processes, program_identity,    program_clocks,
};
/* clang-format on */

/* What reaches into others, or into the kernel: programs that try it hear that they may not. */
static const struct rule foreign[] = {
#if !defined(__SANITIZE_ADDRESS__)
    CALL(ptrace), /* which a sanitizer needs at its end */
#endif
    CALL(process_vm_readv),
    CALL(process_vm_writev),
    CALL(process_madvise),
    CALL(process_mrelease),
    CALL(kcmp),
    CALL(pidfd_getfd),
    IF(prlimit64, IS_NOT_0(0)),
    IF(setpriority, IS_NOT_0(1)),
    IF(ioprio_set, IS_NOT_0(1)),
    IF(sched_setaffinity, IS_NOT_0(0)),
    IF(sched_setscheduler, IS_NOT_0(0)),
    IF(sched_setparam, IS_NOT_0(0)),
    IF(sched_setattr, IS_NOT_0(0)),
    IF(move_pages, IS_NOT_0(0)),
    IF(migrate_pages, IS_NOT_0(0)),
    CALL(mount),
    CALL(umount2),
    CALL(pivot_root),
    CALL(setns),
    CALL(unshare),
    CALL(fsopen),
    CALL(fsmount),
    CALL(move_mount),
    CALL(open_tree),
    CALL(bpf),
    CALL(perf_event_open),
    CALL(userfaultfd),
    CALL(keyctl),
    CALL(add_key),
    CALL(request_key),
    CALL(init_module),
    CALL(finit_module),
    CALL(delete_module),
    CALL(kexec_load),
    CALL(kexec_file_load),
    CALL(reboot),
    CALL(swapon),
    CALL(swapoff),
    CALL(open_by_handle_at),
    CALL(io_uring_setup),
    NO_MORE,
};

/* Ends with the filter. `is_whole`: all its rules were added; else errno says why not. libseccomp returns its
   errors and need not set errno. */
static bool filter_enter(scmp_filter_ctx filter, bool is_whole)
{
    int error = is_whole ? -seccomp_load(filter) : errno;
    seccomp_release(filter);
    errno = error;
    return is_whole && error == 0;
}

static bool programs_enter(int rights)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    if (!filter) return errno = ENOMEM, false;
    seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));
    seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    bool is_good = rules_add(filter, foreign, SCMP_ACT_ERRNO(EPERM));
    for (size_t i = 0; is_good && i < sizeof programs / sizeof *programs; i++)
        is_good = rules_add(filter, programs[i], SCMP_ACT_ALLOW);
    if (is_good)
        is_good =
            rules_add(filter, rights & JAIL_PROGRAMS ? program_network : program_channel, SCMP_ACT_ALLOW);
    if (is_good && !(rights & JAIL_PROGRAMS)) is_good = rules_add(filter, no_sockets, SCMP_ACT_ERRNO(EACCES));
#if defined(__SANITIZE_ADDRESS__)
    if (is_good) is_good = rules_add(filter, sanitizer, SCMP_ACT_ALLOW);
#endif
    return filter_enter(filter, is_good);
}

/* A forked worker narrows the filter further, so the parent's lists have to allow what it needs: JAIL_FORK
   includes JAIL_SCANNER and JAIL_FILES. The kernel keeps the calls that need no look at arguments in a map of
   bits; for the others the tree below is as deep as the logarithm of their number. NULL with errno. */
static scmp_filter_ctx filter_make(int rights, pid_t self)
{
    if (rights & JAIL_FORK) rights |= JAIL_SCANNER | JAIL_FILES;
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    if (!filter) return errno = ENOMEM, NULL;
    seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    bool is_good = rules_add(filter, common, SCMP_ACT_ALLOW) && own_signal_allow(filter, self);
    for (size_t i = 0; is_good && i < sizeof tables / sizeof *tables; i++)
        if (rights & tables[i].right) is_good = rules_add(filter, tables[i].rules, SCMP_ACT_ALLOW);
#if defined(__SANITIZE_ADDRESS__)
    if (is_good) is_good = rules_add(filter, sanitizer, SCMP_ACT_ALLOW);
#endif
    if (is_good && failing_add(filter, rights)) return filter;
    filter_enter(filter, false);
    return NULL;
}

bool syscall_filter_enter(int rights)
{
    if (rights & (JAIL_PROGRAMS | JAIL_COMMANDS)) return programs_enter(rights);
    scmp_filter_ctx filter = filter_make(rights, getpid());
    return filter && filter_enter(filter, true);
}

/* --- made ahead --- */

enum { NOBODY = INT32_MAX }; /* stands for the pid of who will enter it */

struct syscall_program {
    struct sock_filter steps[BPF_MAXINSNS];
    unsigned short count;
    struct sock_filter *self; /* the step that compares with NOBODY */
};

/* A pipe holds twice the longest program. */
static bool program_export(scmp_filter_ctx filter, struct syscall_program *out)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return false;
    int error = -seccomp_export_bpf(filter, ends[1]);
    close(ends[1]);
    ssize_t bytes = error == 0 ? read(ends[0], out->steps, sizeof out->steps) : 0;
    close(ends[0]);
    out->count = (unsigned short)((size_t)(bytes > 0 ? bytes : 0) / sizeof *out->steps);
    return errno = error, out->count > 0;
}

/* The only one, or it is none. */
static bool program_find_self(struct syscall_program *program)
{
    unsigned found = 0;
    for (struct sock_filter *step = program->steps; step < program->steps + program->count; step++) {
        if (step->code != (BPF_JMP | BPF_JEQ | BPF_K) || step->k != NOBODY) continue;
        program->self = step;
        found++;
    }
    errno = EPROTO;
    return found == 1;
}

struct syscall_program *syscall_program_make(int rights)
{
    scmp_filter_ctx filter = filter_make(rights, NOBODY);
    if (!filter) return NULL;
    struct syscall_program *program = memory_alloc(sizeof *program);
    bool is_good = program_export(filter, program) && program_find_self(program);
    int error = errno;
    seccomp_release(filter);
    if (is_good) return program;
    free(program);
    return errno = error, NULL;
}

bool syscall_program_enter(struct syscall_program *program)
{
    struct sock_fprog code = { program->count, program->steps };
    program->self->k = (uint32_t)getpid();
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &code) == 0;
}

bool syscall_filter_enter_command(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    if (!filter) return errno = ENOMEM, false;
    return filter_enter(filter, rules_add(filter, no_namespaces, SCMP_ACT_ERRNO(EPERM)));
}
