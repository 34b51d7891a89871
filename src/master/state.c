/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Makes and opens what lives in the state folder. Called by master's main before any process is started. */
#include "master/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/die.h"
#include "base/file.h"
#include "base/log.h"
#include "ipc/ask_campaign.h"
#include "ipc/ask_rate.h"
#include "ipc/counters.h"
#include "ipc/entry_page.h"
#include "ipc/fingerprint_page.h"
#include "ipc/learned_page.h"
#include "ipc/ring.h"
#include "master/folders.h"

enum { CLIENTS_BYTES = 12 * 1024 * 1024, EVENT_SLOTS_A_KIND = 64, DRAIN_LINE = 128 };

static _Noreturn void refuse(int code, const char *what, const struct config *config)
{
    log_error("%s in %.*s: %s", what, TEXT_ARG(config->state), strerror(errno));
    exit(code);
}

static int folder_open(int parent, const char *name, uid_t uid, gid_t gid)
{
    if (mkdirat(parent, name, 0750) == 0) {
        if (geteuid() == 0 && fchownat(parent, name, uid, gid, 0) != 0) return -1;
    } else if (errno != EEXIST) {
        return -1;
    }
    return openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* What master alone writes in: whose the processes are may not put a socket or a file of his own in the place
   of one of ours. */
static int own_folder_open(int parent, const char *name, gid_t gid)
{
    int fd = folder_open(parent, name, geteuid(), gid);
    if (fd < 0 || geteuid() != 0 || fchown(fd, 0, gid) == 0) return fd;
    close(fd);
    return -1;
}

/* mkdir -p, then the folder itself. */
static int state_folder_open(const struct config *config, gid_t gid)
{
    char *path = memory_string(config->state);
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0755);
        *slash = '/';
    }
    int fd = own_folder_open(AT_FDCWD, path, gid);
    free(path);
    return fd;
}

static void lock_take(struct state *state, const struct config *config)
{
    state->lock_fd = openat(state->run_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (state->lock_fd < 0) refuse(EX_CANTCREAT, "the lock file cannot be made", config);
    if (flock(state->lock_fd, LOCK_EX | LOCK_NB) == 0 && ftruncate(state->lock_fd, 0) == 0) {
        dprintf(state->lock_fd, "%d\n", getpid());
        return;
    }
    log_error("another sekimorid is running on %.*s", TEXT_ARG(config->state));
    exit(EX_TEMPFAIL);
}

static bool file_read(int folder, const char *name, char *room, size_t size)
{
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, room, size - 1);
    if (fd >= 0) close(fd);
    room[got > 0 ? got : 0] = '\0';
    return got > 0;
}

/* In the blocks that the file has: on a full disk others would take what is given back. False with errno. */
static bool rewrite(int folder, const char *name, struct text content)
{
    int fd = openat(folder, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0) return false;
    bool is_written =
        file_write_at(fd, content, 0) && ftruncate(fd, (off_t)content.length) == 0 && fsync(fd) == 0;
    int error = errno;
    close(fd);
    errno = error;
    return is_written;
}

/* The shared files hold over kill -9 of everything, since the kernel keeps their pages; not over a power
 * loss. */
static bool went_down_unclean(int run_fd)
{
    char boot_now[64], boot_then[64], clean[8];
    int proc = open("/proc/sys/kernel/random", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool known = proc >= 0 && file_read(proc, "boot_id", boot_now, sizeof boot_now);
    if (proc >= 0) close(proc);
    bool was_same_boot =
        known && file_read(run_fd, "boot", boot_then, sizeof boot_then) && strcmp(boot_now, boot_then) == 0;
    bool was_clean = file_read(run_fd, "clean", clean, sizeof clean);
    unlinkat(run_fd, "clean", 0);
    if (known && !was_same_boot && !rewrite(run_fd, "boot", text_of(boot_now)))
        die_errno("run/boot cannot be written");
    return !was_same_boot && !was_clean;
}

/* Processes get a descriptor; nobody opens it by its name but to read. */
static int shared_file(int run_fd, const char *name, off_t size, bool anew, mode_t mode, gid_t gid)
{
    if (anew) unlinkat(run_fd, name, 0);
    int fd = openat(run_fd, name, O_RDWR | O_CREAT | O_CLOEXEC, mode);
    if (fd < 0) return -1;
    if (fchmod(fd, mode) != 0) return -1;
    if (geteuid() == 0 && fchown(fd, 0, gid) != 0) return -1;
    errno = posix_fallocate(fd, 0, size);
    return errno == 0 ? fd : -1;
}

/* Kept over restarts: what was signed under it may come back. */
static int secret_open(int run_fd)
{
    uint8_t secret[CHILD_SECRET_BYTES];
    struct stat facts;
    int fd = openat(run_fd, "secret", O_RDWR | O_CREAT | O_CLOEXEC, 0600), reading = -1;
    bool is_good = fd >= 0 && fstat(fd, &facts) == 0;
    if (is_good && facts.st_size != sizeof secret)
        is_good = getrandom(secret, sizeof secret, 0) == sizeof secret && ftruncate(fd, 0) == 0 &&
                  file_write_at(fd, text_from((char *)secret, sizeof secret), 0) && fsync(fd) == 0;
    if (is_good) reading = openat(run_fd, "secret", O_RDONLY | O_CLOEXEC);
    if (fd >= 0) close(fd);
    return reading;
}

/* In memory alone, and by no name: whoever reads the disk does not find it, and no voucher outlives us. */
static int vouchers_open(void)
{
    const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
    uint8_t key[CHILD_SECRET_BYTES];
    int fd = memfd_create("vouchers", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    bool is_good = fd >= 0 && getrandom(key, sizeof key, 0) == sizeof key &&
                   file_write_all(fd, text_from((const char *)key, sizeof key)) &&
                   fcntl(fd, F_ADD_SEALS, seals) == 0;
    explicit_bzero(key, sizeof key);
    if (!is_good) die_errno("the key of scan's vouchers cannot be made");
    return fd;
}

static void baseline_set(const struct state *state)
{
    struct counters_slot *slot = counters_map(state->counters_fd, COUNTERS_SLOT_BASELINE, true);
    if (!slot) die_errno("the counters cannot be mapped");
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (slot->baseline.epoch_ms == 0) {
        slot->baseline.is_set = 0;
        slot->baseline.epoch_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
        if (faccessat(state->folder_fd, "spool/journal", F_OK, 0) == 0 || errno == EACCES)
            log_warning("the counts of `sekimori balance` begin anew: run/counters %s",
                        state->was_unclean ? "is from before the machine went down"
                                           : "was not there, or not set");
    }
    counters_unmap(slot);
}

static void measures_open(struct state *state)
{
    struct counters_slot *slot = counters_map(state->counters_fd, COUNTERS_SLOT_MASTER, true);
    if (!slot) die_errno("the counters cannot be mapped");
    measures_begin(&slot->measures);
    state->measures = &slot->measures.master;
}

/* Empty at each start, so that no reader takes the word of the one before for ours. The file stays: a full
   disk might have no blocks for another. */
static void health_open(struct state *state, gid_t gid)
{
    int fd = shared_file(state->run_fd, "health", HEALTH_PAGE_BYTES, false, 0640, gid);
    state->health = fd < 0 ? NULL : health_page_map(fd, true);
    if (!state->health) die_errno("run/health cannot be made");
    health_page_clear(state->health);
    close(fd);
}

/* The state folder and run/, which are master's own, and the lock. */
static void places_open(struct state *state, const struct config *config, gid_t gid)
{
    state->folder_fd = state_folder_open(config, gid);
    if (state->folder_fd < 0) refuse(EX_CANTCREAT, "the state folder cannot be made", config);
    state->run_fd = own_folder_open(state->folder_fd, "run", gid);
    int events = state->run_fd < 0 ? -1 : own_folder_open(state->run_fd, "events", gid);
    if (events < 0) refuse(EX_CANTCREAT, "the folder run/events cannot be made", config);
    close(events);
    lock_take(state, config);
}

static void places_give(const struct state *state, const struct config *config, const struct os_users *users)
{
    const char *name;
    if (!folders_open(state->folder_fd, users, &name)) {
        int error = errno;
        log_error("%s cannot be made, or given to its process: %s%s", name, strerror(error),
                  error == EPERM ? " (as root with all capabilities, `sekimorid --prepare` does it)" : "");
        errno = error;
        refuse(EX_CANTCREAT, "a folder cannot be used", config);
    }
    /* Processes of their own find their folders in it by name; its list is for the node's group. */
    if (users->are_own && fchmod(state->folder_fd, 0751) != 0)
        refuse(EX_CANTCREAT, "the state folder cannot be opened to the processes", config);
}

void state_prepare(const struct config *config, const struct os_users *users)
{
    struct state state;
    places_open(&state, config, users->node.gid);
    places_give(&state, config, users);
}

void state_open(struct state *state, const struct config *config, const struct os_users *users)
{
    gid_t gid = users->node.gid;
    places_open(state, config, gid);
    state->was_unclean = went_down_unclean(state->run_fd);
    off_t size = (off_t)COUNTERS_SLOTS * (off_t)sizeof(struct counters_slot);
    state->counters_fd = shared_file(state->run_fd, "counters", size, state->was_unclean, 0640, gid);
    if (state->counters_fd < 0) refuse(EX_CANTCREAT, "the counters cannot be made", config);
    state->secret_fd = secret_open(state->run_fd);
    if (state->secret_fd < 0) refuse(EX_CANTCREAT, "the node's secret cannot be made", config);
    state->vouchers_fd = vouchers_open();
    baseline_set(state);
    measures_open(state);
    health_open(state, gid);
    state->clients_fd = memfd_create("clients", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (state->clients_fd < 0 || ftruncate(state->clients_fd, CLIENTS_BYTES) != 0 ||
        fcntl(state->clients_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
        die_errno("shared memory for the clients cannot be made");
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, state->connections) != 0)
        die_errno("a place for deliver's connections cannot be made");
    places_give(state, config, users);
}

int state_folder(const struct state *state, const char *name)
{
    return openat(state->folder_fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static int own_file(const struct state *state, const char *name, off_t size)
{
    struct stat owner;
    fstat(state->run_fd, &owner);
    return shared_file(state->run_fd, name, size, false, 0600, owner.st_gid);
}

int state_events(const struct state *state, enum process_kind kind, uint16_t index, uint16_t *out_slot)
{
    char name[64];
    snprintf(name, sizeof name, "events/%s.%u", process_name(kind), index);
    *out_slot = (uint16_t)(kind * EVENT_SLOTS_A_KIND + index);
    return own_file(state, name, RING_FILE_BYTES);
}

int state_flights(const struct state *state)
{
    return own_file(state, "flights", FLIGHTS_FILE_BYTES);
}

/* Of one writer; everybody else reads. */
static int one_writers_file(const struct state *state, const char *name, size_t size, bool is_writer)
{
    int fd = own_file(state, name, size);
    if (is_writer || fd < 0) return fd;
    close(fd);
    return openat(state->run_fd, name, O_RDONLY | O_CLOEXEC);
}

int state_lists(const struct state *state, bool is_writer)
{
    return one_writers_file(state, "lists", FINGERPRINT_PAGE_BYTES, is_writer);
}

int state_approved(const struct state *state, bool is_writer)
{
    return one_writers_file(state, "approved", FINGERPRINT_PAGE_BYTES, is_writer);
}

int state_entries(const struct state *state, bool is_writer)
{
    return one_writers_file(state, "entries", ENTRY_PAGE_BYTES, is_writer);
}

int state_learned(const struct state *state, bool is_writer)
{
    return one_writers_file(state, "learned", LEARNED_PAGE_BYTES, is_writer);
}

int state_campaigns(const struct state *state, bool is_writer)
{
    return one_writers_file(state, "campaigns", CAMPAIGN_FILE_BYTES, is_writer);
}

int state_inside(const struct state *state)
{
    return own_file(state, "inside", SENDER_RATES_FILE_BYTES);
}

int state_results(const struct state *state)
{
    return own_file(state, "results", RING_FILE_BYTES);
}

bool state_drain_read(const struct state *state, char *out_to, size_t size)
{
    if (!file_read(state->run_fd, "drain", out_to, size)) return false;
    out_to[strcspn(out_to, "\n")] = '\0';
    return true;
}

bool state_drain_write(const struct state *state, bool is_on, struct text to)
{
    if (!is_on)
        return (unlinkat(state->run_fd, "drain", 0) == 0 || errno == ENOENT) && fsync(state->run_fd) == 0;
    char line[DRAIN_LINE];
    int length = snprintf(line, sizeof line, "%.*s\n", TEXT_ARG(to));
    if (length >= (int)sizeof line) return errno = ENAMETOOLONG, false;
    return file_replace(state->run_fd, "drain", text_from(line, (size_t)length), 0640);
}

void state_close_clean(struct state *state)
{
    fsync(state->counters_fd);
    if (!rewrite(state->run_fd, "clean", TEXT("yes\n")))
        log_warning("run/clean cannot be written: %s; if the machine starts anew, the counts begin anew",
                    strerror(errno));
    fsync(state->run_fd);
}
