/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Test builds only: what somebody who has taken over a process would try first. Each attempt is made by a
   child of its own, with the descriptors and maps of the process, which enters the very jail that the process
   is about to enter. A second child, outside of any jail, is whom it tries to reach: its victim. Returns of
   an attempt: 0 or more, it got through; less, it was denied. */
#ifdef SEKIMORI_JAIL_PROBE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/sandbox.h"

enum { SHARED_MOST = 1024, ALLOWED = 200, DENIED, NO_JAIL, PAGE = 4096, PATIENCE_S = 20 };

/* Made before the jail closes. */
static struct {
    pid_t victim;
    int tcp, local;          /* sockets that somebody made for it */
    int shared[SHARED_MOST]; /* descriptors of what other processes map: files of run/, memfds not sealed */
    int shared_count;
    void *page;                 /* of two that are shared, the first */
    char run[PATH_MAX];         /* of the node; empty where the test does not say */
    char folder[PATH_MAX + 64]; /* of the state, for the attempts "read-FOLDER" and "write-FOLDER" */
    char file[PATH_MAX + 64];   /* one that is in it, or empty: it could not even make one */
} given;

/* --- files --- */

static int try_open(void)
{
    return open("/etc/passwd", O_RDONLY | O_CLOEXEC);
}

static int path_open(const char *name, int how)
{
    char path[PATH_MAX + 64];
    snprintf(path, sizeof path, "%s/%s", given.run, name);
    return open(path, how | O_CLOEXEC);
}

static int try_open_shared(void)
{
    return path_open("counters", O_RDWR);
}

static int try_make_in_run(void)
{
    return path_open(".", O_RDWR | O_TMPFILE); /* where it could put its own socket */
}

/* Of the folder where it is, which is its own where it has one. */
static int try_list_here(void)
{
    DIR *here = opendir(".");
    return here && readdir(here) ? 0 : -1;
}

/* --- the state folder --- */

/* Names are not counted: who may list them has read no file. */
static int try_read_state(void)
{
    errno = EACCES;
    return *given.file ? open(given.file, O_RDONLY | O_CLOEXEC) : -1;
}

static int try_write_state(void)
{
    return open(given.folder, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
}

static int try_chmod(void)
{
    char path[PATH_MAX + 64];
    snprintf(path, sizeof path, "%s/control", given.run);
    return chmod(path, 0660);
}

/* By a byte, and back: whoever reads it meanwhile keeps its pages. */
static int try_shorten(void)
{
    struct stat facts;
    errno = EBADF;
    if (given.shared_count == 0) return -1; /* it holds none */
    for (int i = 0; i < given.shared_count; i++) {
        if (fstat(given.shared[i], &facts) != 0 || ftruncate(given.shared[i], facts.st_size - 1) != 0)
            continue;
        return ftruncate(given.shared[i], facts.st_size);
    }
    return -1;
}

static int try_collapse(void)
{
    errno = EBADF;
    for (int i = 0; i < given.shared_count; i++)
        if (fallocate(given.shared[i], FALLOC_FL_COLLAPSE_RANGE, 0, PAGE) == 0) return 0;
    return -1;
}

static int try_map_shared(void)
{
    errno = EBADF;
    for (int i = 0; i < given.shared_count; i++)
        if (mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, given.shared[i], 0) != MAP_FAILED) return 0;
    return -1;
}

/* --- sockets --- */

static int try_connect(void)
{
    struct sockaddr_in there = { .sin_family = AF_INET, .sin_port = htons(9) };
    there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    int result = connect(fd, (struct sockaddr *)&there, sizeof there);
    return result != 0 && errno == ECONNREFUSED ? 0 : result; /* it got through to a closed port */
}

static int try_datagram(void)
{
    return socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

static int try_local_socket(void)
{
    return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
}

static int try_local_stream(void)
{
    return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static int try_odd_socket(void)
{
    static const int odd[][3] = { { AF_UNIX, SOCK_DGRAM, 0 },
                                  { AF_NETLINK, SOCK_RAW, 0 },
                                  { AF_INET, SOCK_DGRAM, IPPROTO_ICMP },
                                  { AF_INET, SOCK_STREAM, 262 /* MPTCP */ } };
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        if (socket(odd[i][0], odd[i][1] | SOCK_CLOEXEC, odd[i][2]) >= 0) return 0;
    return -1;
}

/* With a socket that it did not have to make. The frame is a command that is answered at once; who has no
   rights is hung up on. */
static int try_control(void)
{
    static const struct {
        uint16_t type, zero;
        uint32_t length;
        uint64_t id;
        uint32_t text_length;
        char text[8]; /* without a NUL */
    } ask = { 128, 0, 12, 1, 8, "counters" };
    struct sockaddr_un there = { .sun_family = AF_UNIX };
    char answer[PAGE];
    int folder = open(given.run, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (strlen(given.run) + sizeof "/control" <= sizeof there.sun_path)
        snprintf(there.sun_path, sizeof there.sun_path, "%s/control", given.run);
    else
        snprintf(there.sun_path, sizeof there.sun_path, "/proc/self/fd/%d/control", folder);
    if (connect(given.local, (struct sockaddr *)&there, sizeof there) != 0) return -1;
    send(given.local, &ask, 28, MSG_NOSIGNAL);
    ssize_t got = recv(given.local, answer, sizeof answer, 0);
    errno = got == 0 ? ECONNRESET : errno;
    return got > 0 ? 0 : -1;
}

static int try_listen(void)
{
    struct sockaddr_in here = { .sin_family = AF_INET };
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(given.tcp, (struct sockaddr *)&here, sizeof here) != 0) return -1;
    return listen(given.tcp, 1);
}

static int try_bind_port(void)
{
    struct sockaddr_in here = { .sin_family = AF_INET, .sin_port = htons(48991) };
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return bind(given.tcp, (struct sockaddr *)&here, sizeof here);
}

static int try_odd_option(void)
{
    return setsockopt(given.tcp, IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
}

/* --- other processes --- */

static int try_kill(void)
{
    return kill(given.victim, SIGKILL);
}

static int try_kill_softly(void)
{
    return kill(given.victim, 0);
}

static int try_tgkill(void)
{
    return (int)syscall(SYS_tgkill, given.victim, given.victim, SIGABRT);
}

static int try_tkill(void)
{
    return (int)syscall(SYS_tkill, given.victim, 0);
}

static int try_sigqueue(void)
{
    return sigqueue(given.victim, 0, (union sigval){ 0 });
}

static int try_own_signal(void)
{
    struct f_owner_ex owner = { F_OWNER_PID, given.victim };
    return fcntl(given.tcp, F_SETOWN_EX, &owner) == 0 || fcntl(given.tcp, F_SETOWN, given.victim) == 0 ? 0
                                                                                                       : -1;
}

static int try_limit(void)
{
    struct rlimit none = { 0, 0 };
    return (int)syscall(SYS_prlimit64, given.victim, RLIMIT_NOFILE, &none, NULL);
}

static int try_own_limit(void)
{
    struct rlimit now;
    if (getrlimit(RLIMIT_CORE, &now) != 0) return -1;
    return setrlimit(RLIMIT_CORE, &now);
}

static int try_priority(void)
{
    return setpriority(PRIO_PROCESS, (id_t)given.victim, 19);
}

static int try_ptrace(void)
{
    return (int)ptrace(PTRACE_SEIZE, given.victim, NULL, NULL);
}

static int try_memory(void)
{
    char byte = 0;
    struct iovec here = { &byte, 1 }, there = { &given.victim, 1 };
    return (int)process_vm_readv(given.victim, &here, 1, &there, 1, 0);
}

static int try_steal(void)
{
    int process = (int)syscall(SYS_pidfd_open, given.victim, 0);
    return process < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, process, 0, 0);
}

static int try_pidfd_signal(void)
{
    int process = (int)syscall(SYS_pidfd_open, given.victim, 0);
    return process < 0 ? -1 : (int)syscall(SYS_pidfd_send_signal, process, SIGKILL, NULL, 0);
}

static int proc_open(const char *name, int how)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)given.victim, name);
    return open(path, how | O_CLOEXEC);
}

static int try_proc_memory(void)
{
    return proc_open("mem", O_RDWR);
}

static int try_proc_look(void)
{
    return proc_open("mem", O_RDONLY);
}

static int try_proc_environment(void)
{
    return proc_open("environ", O_RDONLY);
}

static int try_proc_descriptor(void)
{
    return proc_open("fd/2", O_WRONLY);
}

static int try_proc_folder(void)
{
    return proc_open("root/tmp", O_RDONLY | O_DIRECTORY);
}

/* --- programs and memory --- */

static int try_exec(void)
{
    char *const arguments[] = { "true", NULL };
    execv("/bin/true", arguments);
    return -1;
}

static int try_exec_memory(void)
{
    char *const arguments[] = { "sh", NULL };
    int fd = memfd_create("program", 0);
    if (fd < 0 || write(fd, "#!/bin/true\n", 12) != 12) return -1;
    return (int)syscall(SYS_execveat, fd, "", arguments, NULL, AT_EMPTY_PATH);
}

static int try_fork(void)
{
    pid_t pid = fork();
    if (pid == 0) _exit(0);
    return pid < 0 ? -1 : 0;
}

/* A map of a file may grow over the pages of others behind its own, without a descriptor. */
static int try_grow_map(void)
{
    return mremap(given.page, PAGE, 2 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED ? -1 : 0;
}

static int try_map_code(void)
{
    return mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0;
}

static int try_write_code(void)
{
    void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? -1 : mprotect(page, PAGE, PROT_READ | PROT_EXEC);
}

static int try_map_code_memory(void)
{
    int fd = memfd_create("code", 0);
    if (fd < 0 || write(fd, "\xc3", 1) != 1) return -1;
    return mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED ? -1 : 0;
}

/* --- the kernel --- */

static int try_namespace(void)
{
    return unshare(CLONE_NEWNET | CLONE_NEWUSER);
}

static int try_terminal(void)
{
    return ioctl(given.local, TIOCSTI, "x") == 0 || errno == ENOTTY ? 0 : -1; /* it was looked at */
}

static int try_ring(void)
{
    return (int)syscall(SYS_io_uring_setup, 1, NULL) < 0 && errno != EFAULT ? -1 : 0;
}

static int try_bpf(void)
{
    return (int)syscall(SYS_bpf, 0, NULL, 0) < 0 && errno != EFAULT && errno != EINVAL ? -1 : 0;
}

static int try_userfault(void)
{
    return (int)syscall(SYS_userfaultfd, 1 /* of user mode only */);
}

static const struct {
    const char *name;
    int (*attempt)(void);
} attempts[] = {
    { "open", try_open },
    { "open-shared", try_open_shared },
    { "make-in-run", try_make_in_run },
    { "list-here", try_list_here },
    { "read-spool", try_read_state },
    { "read-ledger", try_read_state },
    { "read-quarantine", try_read_state },
    { "read-report", try_read_state },
    { "read-learn", try_read_state },
    { "read-senders", try_read_state },
    { "read-lists", try_read_state },
    { "write-spool", try_write_state },
    { "write-ledger", try_write_state },
    { "write-quarantine", try_write_state },
    { "write-report", try_write_state },
    { "write-learn", try_write_state },
    { "write-senders", try_write_state },
    { "write-lists", try_write_state },
    { "chmod", try_chmod },
    { "shorten", try_shorten },
    { "collapse", try_collapse },
    { "map-shared", try_map_shared },
    { "connect", try_connect },
    { "datagram", try_datagram },
    { "local-socket", try_local_socket },
    { "local-stream", try_local_stream },
    { "odd-socket", try_odd_socket },
    { "control", try_control },
    { "listen", try_listen },
    { "bind-port", try_bind_port },
    { "odd-option", try_odd_option },
    { "kill", try_kill },
    { "kill-softly", try_kill_softly },
    { "tgkill", try_tgkill },
    { "tkill", try_tkill },
    { "sigqueue", try_sigqueue },
    { "own-signal", try_own_signal },
    { "limit", try_limit },
    { "own-limit", try_own_limit },
    { "priority", try_priority },
    { "ptrace", try_ptrace },
    { "memory", try_memory },
    { "steal", try_steal },
    { "pidfd-signal", try_pidfd_signal },
    { "proc-memory", try_proc_memory },
    { "proc-look", try_proc_look },
    { "proc-environment", try_proc_environment },
    { "proc-descriptor", try_proc_descriptor },
    { "proc-folder", try_proc_folder },
    { "exec", try_exec },
    { "exec-memory", try_exec_memory },
    { "fork", try_fork },
    { "grow-map", try_grow_map },
    { "map-code", try_map_code },
    { "write-code", try_write_code },
    { "map-code-memory", try_map_code_memory },
    { "namespace", try_namespace },
    { "terminal", try_terminal },
    { "ring", try_ring },
    { "bpf", try_bpf },
    { "userfault", try_userfault },
};

/* --- one attempt --- */

static bool is_shared(int fd)
{
    char path[PATH_MAX];
    struct stat facts;
    if (fstat(fd, &facts) != 0 || !S_ISREG(facts.st_mode)) return false;
    if (!file_path_of(fd, path, sizeof path)) return false;
    bool is_memory = strncmp(path, "/memfd:", 7) == 0;
    size_t run = strlen(given.run);
    return is_memory || (run > 0 && strncmp(path, given.run, run) == 0);
}

/* "spool" of "read-spool". NULL: it is of no folder. */
static const char *folder_of(const char *attempt)
{
    bool is_of_state = strncmp(attempt, "read-", 5) == 0 || strncmp(attempt, "write-", 6) == 0;
    return is_of_state && strcmp(attempt, "write-code") != 0 ? strchr(attempt, '-') + 1 : NULL;
}

/* Beside run/. The file is there where the process may make it before its jail closes. */
static void folder_make(const char *name)
{
    const char *end = strrchr(given.run, '/');
    int length = end ? (int)(end - given.run) : 0;
    snprintf(given.folder, sizeof given.folder, "%.*s/%s", length, given.run, name);
    snprintf(given.file, sizeof given.file, "%.*s/%s/probe", length, given.run, name);
    int fd = open(given.file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) given.file[0] = '\0';
    close(fd);
}

static void given_make(pid_t victim)
{
    struct timeval patience = { PATIENCE_S, 0 };
    const char *run = getenv("SEKIMORI_JAIL_PROBE_RUN");
    snprintf(given.run, sizeof given.run, "%s", run ? run : "");
    given.victim = victim;
    given.tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    given.local = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    setsockopt(given.local, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    given.page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (given.page != MAP_FAILED) munmap((char *)given.page + PAGE, PAGE);
    for (int fd = 0; fd < SHARED_MOST; fd++)
        if (is_shared(fd)) given.shared[given.shared_count++] = fd;
}

/* All attempts of one process. */
struct probing {
    const struct jail *jail;
    bool (*close)(const struct jail *jail);
    pid_t victim; /* 0: none yet */
};

static _Noreturn void attempt_run(const struct probing *probing, size_t number)
{
    const char *folder = folder_of(attempts[number].name);
    unsetenv("SEKIMORI_JAIL_PROBE"); /* the jail below has no probes of its own */
    given_make(probing->victim);
    if (folder) folder_make(folder);
    if (!probing->close(probing->jail)) _exit(NO_JAIL);
    int result = attempts[number].attempt();
    _exit(result >= 0 ? ALLOWED : DENIED);
}

static pid_t victim_start(void)
{
    pid_t pid = fork();
    if (pid != 0) return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) pause();
}

static void victim_end(pid_t victim)
{
    kill(victim, SIGKILL);
    while (waitpid(victim, NULL, 0) < 0 && errno == EINTR) continue;
}

/* A program that it became has ended with 0. A process that ignores SIGCHLD cannot say how its child ended.
 */
static const char *outcome_of(int status)
{
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) return "killed";
    if (WIFEXITED(status) && WEXITSTATUS(status) == DENIED) return "denied";
    if (WIFEXITED(status) && (WEXITSTATUS(status) == ALLOWED || WEXITSTATUS(status) == 0)) return "ALLOWED";
    return "ended in no known way";
}

/* One serves as long as no attempt kills it. */
static void victim_have(pid_t *victim)
{
    if (*victim <= 0 || waitpid(*victim, NULL, WNOHANG) != 0) *victim = victim_start();
}

static void attempt_tell(struct probing *probing, size_t number)
{
    int status = 0;
    victim_have(&probing->victim);
    pid_t pid = probing->victim > 0 ? fork() : -1;
    if (pid == 0) attempt_run(probing, number);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
    log_info("jail probe: %s: %s: %s", probing->jail->process, attempts[number].name,
             pid > 0 ? outcome_of(status) : "not tried");
    log_flush();
}

static bool is_wanted(const char *wanted, const char *name)
{
    char list[512], *rest = list;
    if (strcmp(wanted, "all") == 0) return true;
    snprintf(list, sizeof list, "%s", wanted);
    for (const char *word; (word = strsep(&rest, " "));)
        if (strcmp(word, name) == 0) return true;
    return false;
}

void jail_probe(const struct jail *jail, bool (*close)(const struct jail *jail))
{
    struct probing probing = { jail, close, 0 };
    const char *wanted = getenv("SEKIMORI_JAIL_PROBE");
    for (size_t i = 0; wanted && i < sizeof attempts / sizeof *attempts; i++)
        if (is_wanted(wanted, attempts[i].name)) attempt_tell(&probing, i);
    if (probing.victim > 0) victim_end(probing.victim);
}
#else
typedef int probe_is_empty; /* a translation unit has to declare something */
#endif
