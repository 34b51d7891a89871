/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The jail of a process: Landlock for files and ports, seccomp for system calls, no capability. Lists stand
   in tables; a call that is in no table of the process's rights kills it. */
#include "base/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"

#define CALL(name) SCMP_SYS(name)
enum { END = -1000000 };

/* What computing, the loop, streams and channels need. */
static const int common_calls[] = { CALL(read),
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
                                    CALL(fcntl),
                                    CALL(dup),
                                    CALL(dup3),
                                    CALL(ftruncate),
                                    CALL(mmap),
                                    CALL(munmap),
                                    CALL(mremap),
                                    CALL(mprotect),
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
                                    CALL(setsockopt),
                                    CALL(getsockname),
                                    CALL(getpeername),
                                    CALL(ioctl),
                                    CALL(memfd_create),
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
                                    CALL(prlimit64),
                                    CALL(getrlimit),
                                    CALL(getrusage),
                                    CALL(rt_sigaction),
                                    CALL(rt_sigprocmask),
                                    CALL(rt_sigreturn),
                                    CALL(sigaltstack),
                                    CALL(tgkill),
                                    CALL(restart_syscall),
                                    CALL(exit),
                                    CALL(exit_group),
                                    END };

static const int file_calls[] = { CALL(openat),          CALL(open),       CALL(unlink),
                                  CALL(unlinkat),        CALL(rename),     CALL(renameat),
                                  CALL(renameat2),       CALL(mkdir),      CALL(mkdirat),
                                  CALL(rmdir),           CALL(getdents64), CALL(fallocate),
                                  CALL(fsync),           CALL(fdatasync),  CALL(sync_file_range),
                                  CALL(pwritev),         CALL(pwritev2),   CALL(preadv),
                                  CALL(flock),           CALL(stat),       CALL(lstat),
                                  CALL(access),          CALL(faccessat),  CALL(faccessat2),
                                  CALL(readlink),        CALL(readlinkat), CALL(getcwd),
                                  CALL(chdir),           CALL(fchdir),     CALL(chmod),
                                  CALL(fchmod),          CALL(fchown),     CALL(utimensat),
                                  CALL(fstatfs),         CALL(statfs),     CALL(fadvise64),
                                  CALL(copy_file_range), CALL(linkat),     END };

static const int connect_calls[] = { CALL(connect), CALL(bind),
                                     END }; /* and socket() of three families, below */

static const int accept_calls[] = { CALL(accept4), END };

static const int fork_calls[] = { CALL(clone),
                                  CALL(clone3),
                                  CALL(fork),
                                  CALL(vfork),
                                  CALL(wait4),
                                  CALL(waitid),
                                  CALL(kill),
                                  CALL(pidfd_open),
                                  CALL(pidfd_send_signal),
                                  CALL(socketpair),
                                  CALL(setpriority),
                                  CALL(getpriority),
                                  CALL(dup2),
                                  CALL(dup3),
                                  CALL(unshare),
                                  CALL(fsopen),
                                  CALL(fsconfig),
                                  CALL(fsmount),
                                  CALL(move_mount),
                                  CALL(mount),
                                  CALL(prctl),
                                  CALL(seccomp),
                                  CALL(capset),
                                  CALL(capget),
                                  CALL(landlock_create_ruleset),
                                  CALL(landlock_add_rule),
                                  CALL(landlock_restrict_self),
                                  CALL(setrlimit),
                                  CALL(set_tid_address),
                                  CALL(arch_prctl),
                                  END };

static const int scanner_calls[] = { CALL(openat),     CALL(unlink),   CALL(unlinkat), CALL(mkdir),
                                     CALL(mkdirat),    CALL(rmdir),    CALL(chmod),    CALL(fchmod),
                                     CALL(getdents64), CALL(stat),     CALL(lstat),    CALL(access),
                                     CALL(faccessat2), CALL(readlink), CALL(rename),   CALL(fstatfs),
                                     CALL(statfs),     CALL(getcwd),   CALL(umask),    END };

static const int thread_calls[] = { CALL(clone), CALL(clone3), CALL(prctl), END };

#if defined(__SANITIZE_ADDRESS__)
static const int sanitizer_calls[] = { CALL(openat),
                                       CALL(open),
                                       CALL(readlink),
                                       CALL(getdents64),
                                       CALL(prctl),
                                       CALL(clone),
                                       CALL(wait4),
                                       CALL(ptrace),
                                       CALL(kill),
                                       CALL(pipe),
                                       CALL(stat),
                                       CALL(process_vm_readv),
                                       CALL(personality),
                                       CALL(arch_prctl),
                                       CALL(set_tid_address),
                                       CALL(clone3),
                                       END };
#endif

static const struct {
    int right;
    const int *calls;
} tables[] = {
    { JAIL_FILES, file_calls }, { JAIL_CONNECT, connect_calls }, { JAIL_ACCEPT, accept_calls },
    { JAIL_FORK, fork_calls },  { JAIL_SCANNER, scanner_calls }, { JAIL_THREADS, thread_calls },
};

static bool calls_add(scmp_filter_ctx filter, const int *calls, uint32_t action)
{
    for (; *calls != END; calls++) {
        int error = seccomp_rule_add(filter, action, *calls, 0);
        if (error != 0 && error != -EDOM && error != -EEXIST)
            return false; /* EDOM: not on this architecture */
    }
    return true;
}

static bool calls_allow(scmp_filter_ctx filter, const int *calls)
{
    return calls_add(filter, calls, SCMP_ACT_ALLOW);
}

/* None of these is needed for telling somebody something. They fail, where all else would have to be known.
 */
static const int foreign_calls[] = {
#if !defined(__SANITIZE_ADDRESS__)
    CALL(ptrace), /* which a sanitizer needs at its end */
#endif
    CALL(process_vm_readv),
    CALL(process_vm_writev),
    CALL(kcmp),
    CALL(pidfd_getfd),
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
    END
};

static bool programs_enter(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    bool good =
        filter && calls_add(filter, foreign_calls, SCMP_ACT_ERRNO(EPERM)) && seccomp_load(filter) == 0;
    seccomp_release(filter);
    return good;
}

static bool sockets_allow(scmp_filter_ctx filter)
{
    static const int families[] = { AF_INET, AF_INET6, AF_UNIX };
    for (int i = 0; i < 3; i++)
        if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
                             SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i])) != 0)
            return false;
    return true;
}

/* A forked worker narrows the filter further, so the parent's lists have to allow what it needs: JAIL_FORK
   includes JAIL_SCANNER and JAIL_FILES. */
static bool seccomp_enter(int rights)
{
    if (rights & JAIL_PROGRAMS) return programs_enter();
    if (rights & JAIL_FORK) rights |= JAIL_SCANNER | JAIL_FILES;
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    if (!filter) return false;
    bool good = calls_allow(filter, common_calls);
    for (size_t i = 0; good && i < sizeof tables / sizeof *tables; i++)
        if (rights & tables[i].right) good = calls_allow(filter, tables[i].calls);
    if (good && (rights & JAIL_CONNECT)) good = sockets_allow(filter);
#if defined(__SANITIZE_ADDRESS__)
    if (good) good = calls_allow(filter, sanitizer_calls);
#endif
    good = good && seccomp_load(filter) == 0;
    seccomp_release(filter);
    return good;
}

/* --- Landlock, by raw calls: glibc has no wrappers --- */

static const uint64_t FILE_RIGHTS_V1 = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif

struct ruleset_attributes {
    uint64_t handled_files, handled_ports;
};
enum { PORT_BIND = 1, PORT_CONNECT = 2 };
static const uint64_t READING = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;

static bool folder_allow(int ruleset, const char *folder, uint64_t access)
{
    struct landlock_path_beneath_attr rule = { .allowed_access = access };
    rule.parent_fd = open(folder, O_PATH | O_CLOEXEC);
    if (rule.parent_fd < 0) return false;
    bool good = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
    close(rule.parent_fd);
    return good;
}

#if defined(__SANITIZE_ADDRESS__)
/* A sanitizer's report names functions: for that it reads the program, its libraries and its own maps. */
static void sanitizer_folders_allow(int ruleset)
{
    char program[4096];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    folder_allow(ruleset, "/proc", READING);
    folder_allow(ruleset, "/usr/lib", READING);
    if (length <= 0) return;
    program[length] = '\0';
    folder_allow(ruleset, program, LANDLOCK_ACCESS_FS_READ_FILE);
}
#endif

static bool landlock_enter(int rights, const char *const *folders, const char *const *readable)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 1) return false;
    uint64_t files = FILE_RIGHTS_V1;
    if (version >= 2) files |= LANDLOCK_ACCESS_FS_REFER;
    if (version >= 3) files |= LANDLOCK_ACCESS_FS_TRUNCATE;
    struct ruleset_attributes attributes = { files, 0 };
    if (version >= 4) attributes.handled_ports = rights & JAIL_CONNECT ? 0 : PORT_BIND | PORT_CONNECT;
    size_t size = version >= 4 ? sizeof attributes : sizeof attributes.handled_files;
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attributes, size, 0);
    if (ruleset < 0) return false;
    bool good = true;
    for (; good && folders && *folders; folders++)
        good = folder_allow(ruleset, *folders, files & ~(uint64_t)LANDLOCK_ACCESS_FS_EXECUTE);
    for (; good && readable && *readable; readable++) folder_allow(ruleset, *readable, READING);
#if defined(__SANITIZE_ADDRESS__)
    sanitizer_folders_allow(ruleset);
#endif
    good = good && syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
    close(ruleset);
    return good;
}

static bool capabilities_drop(void)
{
    struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct none[2] = { 0 };
    return syscall(SYS_capset, &header, none) == 0;
}

static bool failed(const char *process, const char *step)
{
    log_error("%s: the jail is not to be had: %s: %s", process, step, strerror(errno));
    return false;
}

bool jail_enter(const char *process, int rights, const char *const *folders)
{
    return jail_enter_reading(process, rights, folders, NULL);
}

bool jail_enter_reading(const char *process, int rights, const char *const *folders,
                        const char *const *readable)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return failed(process, "no_new_privs");
    /* A parent of scan workers keeps its capabilities for their private tmpfs; each worker drops them in its
       own jail. Mounting and Landlock exclude each other, so its files are kept by the worker's Landlock too.
     */
    if (!(rights & JAIL_FORK)) {
        if (!(rights & JAIL_PROGRAMS) && !landlock_enter(rights, folders, readable))
            return failed(process, "Landlock");
        if (!capabilities_drop()) return failed(process, "capabilities");
    }
    if (!seccomp_enter(rights)) return failed(process, "seccomp");
#ifdef SEKIMORI_JAIL_PROBE
    jail_probe(process);
#endif
    return true;
}
