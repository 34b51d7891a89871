/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* LMDB has no checksums, and a page that is not what it was leads it anywhere; so a child process walks over
   all of it first, and only what it came through is opened here. What is open is read through a mapping of
   what was written by pwrite: a full disk is an error of a commit, never a signal. */
#include "senderdb/database_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/file.h"

enum { CHECK_SECONDS_MOST = 60, MODE = 0600 };
static const char file_name[] = "senders.mdb", aside_name[] = "senders.damaged";
static const char entries_name[] = "entries-1", order_name[] = "order-1";

/* NOLOCK: this process is the only one, and has one transaction at a time. NOSYNC: what a power loss takes is
   harmless, and a file that it left half written is found by the walk. */
enum { FLAGS = MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOSYNC | MDB_NOTLS | MDB_NORDAHEAD };

int database_file_errno(int error)
{
    return error > 0 ? error : error == MDB_MAP_FULL ? ENOSPC : EIO;
}

/* --- spoiling --- */

enum { META_PAGES = 2, SPOILT_BYTES = 64 };
static const int deadly[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL };

/* What is read now, for the handler of signals: it knows no context. */
static struct {
    volatile sig_atomic_t is_busy;
    int fd;
    size_t page_bytes;
} at_risk = { .fd = -1 };

/* The heads of the two pages from which all others are found. Safe in a handler of signals. */
static void heads_spoil(void)
{
    static const char nothing[SPOILT_BYTES];
    for (size_t i = 0; i < META_PAGES; i++)
        if (pwrite(at_risk.fd, nothing, sizeof nothing, (off_t)(i * at_risk.page_bytes)) < 0) return;
}

/* It returns to what failed, which now ends the process. */
static void on_deadly(int signal)
{
    if (at_risk.is_busy) heads_spoil();
}

void database_file_busy(bool is_busy)
{
    at_risk.is_busy = is_busy;
}

void database_file_spoil(void)
{
    heads_spoil();
}

/* What the walk came through may still lead who writes astray. */
static void risk_watch(MDB_env *env)
{
    struct sigaction action = { .sa_handler = on_deadly, .sa_flags = (int)SA_RESETHAND };
    MDB_stat facts;
    if (mdb_env_stat(env, &facts) || mdb_env_get_fd(env, &at_risk.fd)) return;
    at_risk.page_bytes = facts.ms_psize;
    for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++) sigaction(deadly[i], &action, NULL);
}

/* --- opening --- */

static int tables_open(MDB_env *env, unsigned flags, struct database_file *out)
{
    MDB_txn *txn;
    int error = mdb_txn_begin(env, NULL, flags & MDB_CREATE ? 0 : MDB_RDONLY, &txn);
    if (error) return error;
    error = mdb_dbi_open(txn, entries_name, flags, &out->entries);
    if (!error) error = mdb_dbi_open(txn, order_name, flags, &out->order);
    if (!error) return mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return error;
}

void database_file_close(struct database_file *file)
{
    mdb_env_close(file->env);
    at_risk.fd = -1;
}

/* By the head: then one that is not found stood in a page that is spoilt. */
static bool has_tables(MDB_env *env)
{
    MDB_stat main_table;
    return mdb_env_stat(env, &main_table) == 0 && main_table.ms_entries > 0;
}

static int env_open(const char *path, size_t map_bytes, unsigned flags, struct database_file *out)
{
    int error = mdb_env_create(&out->env);
    if (error) return error;
    error = mdb_env_set_maxdbs(out->env, 2);
    if (!error) error = mdb_env_set_mapsize(out->env, map_bytes);
    if (!error) error = mdb_env_open(out->env, path, FLAGS | (flags & MDB_CREATE ? 0 : MDB_RDONLY), MODE);
    if (!error && flags & MDB_CREATE) risk_watch(out->env);
    database_file_busy(true);
    if (!error) error = tables_open(out->env, flags, out);
    database_file_busy(false);
    if (error == MDB_NOTFOUND && has_tables(out->env)) error = MDB_CORRUPTED;
    if (error) database_file_close(out);
    return error;
}

/* --- looking through --- */

static bool is_entry_sound(const MDB_val *key, const MDB_val *value)
{
    return key->mv_size == SENDERDB_KEY_BYTES && value->mv_size >= DATABASE_HOUR_BYTES &&
           value->mv_size <= DATABASE_HOUR_BYTES + SENDERDB_VALUE_MOST;
}

static bool is_order_sound(const MDB_val *key, const MDB_val *value)
{
    return key->mv_size == DATABASE_ORDER_BYTES && value->mv_size == 0;
}

static bool table_walk(MDB_txn *txn, MDB_dbi table, bool (*is_sound)(const MDB_val *, const MDB_val *),
                       size_t *out_count)
{
    MDB_cursor *cursor;
    MDB_val key, value;
    int error = mdb_cursor_open(txn, table, &cursor);
    *out_count = 0;
    if (error) return false;
    while ((error = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
        if (!is_sound(&key, &value)) return false;
        ++*out_count;
    }
    mdb_cursor_close(cursor);
    return error == MDB_NOTFOUND;
}

/* A list of free pages: their count, then the pages, the highest first, each in one list only. `seen` has a
   bit for each page up to the last. */
static bool is_free_list_sound(const MDB_val *value, size_t last_page, uint8_t *seen)
{
    const size_t *numbers = value->mv_data, room = value->mv_size / sizeof *numbers;
    if (room == 0 || numbers[0] >= room) return false;
    for (size_t i = 1; i <= numbers[0]; i++) {
        size_t page = numbers[i];
        bool is_good = page > 1 && page <= last_page && !(seen[page / 8] >> page % 8 & 1);
        if (!is_good || (i > 1 && page >= numbers[i - 1])) return false;
        seen[page / 8] |= (uint8_t)(1U << page % 8);
    }
    return true;
}

/* Which pages are free only who writes reads, in the table 0: the next commit would trip over it. */
static bool free_pages_walk(MDB_env *env, MDB_txn *txn)
{
    MDB_cursor *cursor;
    MDB_val key, value;
    MDB_envinfo info;
    mdb_env_info(env, &info);
    if (mdb_cursor_open(txn, 0, &cursor)) return false;
    uint8_t *seen = memory_alloc(info.me_last_pgno / 8 + 1);
    bool is_good = true;
    int error = 0;
    while (is_good && (error = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0)
        is_good = key.mv_size == sizeof(size_t) && is_free_list_sound(&value, info.me_last_pgno, seen);
    free(seen);
    mdb_cursor_close(cursor);
    return is_good && error == MDB_NOTFOUND;
}

static bool all_walk(const char *path, size_t map_bytes)
{
    struct database_file file;
    MDB_txn *txn;
    size_t entries, orders;
    int error = env_open(path, map_bytes, 0, &file);
    if (error == MDB_NOTFOUND) return true; /* its first commit never came */
    if (error || mdb_txn_begin(file.env, NULL, MDB_RDONLY, &txn)) return false;
    return free_pages_walk(file.env, txn) && table_walk(txn, file.entries, is_entry_sound, &entries) &&
           table_walk(txn, file.order, is_order_sound, &orders) && entries == orders;
}

/* Whatever kills it, kills it alone. */
static void child_run_walk(const char *path, size_t map_bytes)
{
    const struct rlimit none = { 0 };
    for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++) signal(deadly[i], SIG_DFL);
    signal(SIGALRM, SIG_DFL);
    setrlimit(RLIMIT_CORE, &none);
    alarm(CHECK_SECONDS_MOST);
    _exit(all_walk(path, map_bytes) ? 0 : 1);
}

static bool is_sound(const char *path, size_t map_bytes)
{
    int status;
    pid_t child = fork();
    if (child < 0) return false;
    if (child == 0) child_run_walk(path, map_bytes);
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return false;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* --- the folder --- */

/* What a larger limit once made stays as large on the disk: its pages are used again. */
static size_t map_bytes_for(uint64_t limit_bytes, uint64_t file_bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint64_t bytes = limit_bytes < SENDERDB_BYTES_LEAST ? SENDERDB_BYTES_LEAST : limit_bytes;
    if (file_bytes > bytes) bytes = file_bytes + bytes / 4;
    return (size_t)bytes / page * page;
}

static bool memory_open(uint64_t limit_bytes, struct database_file *out)
{
    char path[40];
    int fd = memfd_create("senders", MFD_CLOEXEC);
    if (fd < 0) return false;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int error = env_open(path, map_bytes_for(limit_bytes, 0), MDB_CREATE, out);
    close(fd);
    errno = error ? database_file_errno(error) : 0;
    return error == 0;
}

static bool folder_open(int folder_fd, uint64_t limit_bytes, struct database_file *out,
                        enum senderdb_found *out_found)
{
    char folder[PATH_MAX], path[PATH_MAX + sizeof file_name + 1];
    struct stat facts = { 0 };
    bool is_there = fstatat(folder_fd, file_name, &facts, AT_SYMLINK_NOFOLLOW) == 0 && facts.st_size > 0;
    size_t map_bytes = map_bytes_for(limit_bytes, is_there ? (uint64_t)facts.st_size : 0);
    if (!file_path_of(folder_fd, folder, sizeof folder)) return false;
    snprintf(path, sizeof path, "%s/%s", folder, file_name);
    *out_found = is_there ? SENDERDB_WHOLE : SENDERDB_NEW;
    if (is_there && !is_sound(path, map_bytes)) {
        if (renameat(folder_fd, file_name, folder_fd, aside_name) != 0) return false;
        *out_found = SENDERDB_DAMAGED;
    }
    int error = env_open(path, map_bytes, MDB_CREATE, out);
    errno = error ? database_file_errno(error) : 0;
    return error == 0;
}

bool database_file_open(int folder_fd, uint64_t limit_bytes, struct database_file *out,
                        enum senderdb_found *out_found)
{
    *out_found = SENDERDB_NEW;
    return folder_fd < 0 ? memory_open(limit_bytes, out)
                         : folder_open(folder_fd, limit_bytes, out, out_found);
}
