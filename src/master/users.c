/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One child at a time asks the name service and writes "NAME NUMBER" lines into a pipe. */
#include "master/users.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/context.h"
#include "base/log.h"
#include "base/signals.h"
#include "config/value.h"

enum { ASK_LIMIT_S = 20, AGAIN_MS = 60000, REFRESH_MS = 600000, READ_STEP = 4096, ANSWER_MOST = 1 << 20 };

struct user {
    char *name;
    uid_t uid;
    bool is_known, is_answered; /* it has a number; in this round */
    bool was_missed;            /* it has been said that there is no such user */
};

struct users {
    enum { USERS_MAGIC = 0x6a2ecb81 } magic;
    struct loop *loop;
    const struct config *config;
    struct user *list;
    size_t count;
    struct watch *answers; /* NULL: nobody is being asked */
    int answers_fd;
    struct buffer said;
    struct timer *again;
    bool is_outdated; /* the configuration has changed while somebody was asked */
};

/* --- the names --- */

static struct user *user_find(const struct users *users, struct text name)
{
    for (size_t i = 0; i < users->count; i++)
        if (text_equal(text_of(users->list[i].name), name)) return &users->list[i];
    return NULL;
}

static void names_add(struct users *users, const struct text_list *names)
{
    for (size_t i = 0; i < names->count; i++) {
        uint64_t number;
        bool is_number = text_to_number(names->items[i], UINT32_MAX, &number);
        if (is_number || value_is_user_group(names->items[i]) || user_find(users, names->items[i])) continue;
        users->list = memory_grow(users->list, (users->count + 1) * sizeof *users->list);
        users->list[users->count++] = (struct user){ .name = memory_string(names->items[i]) };
    }
}

/* Those that the configuration has; what is known of them stays known. */
static void names_collect(struct users *users)
{
    struct users old = *users;
    users->list = NULL;
    users->count = 0;
    names_add(users, &users->config->rights.operate);
    names_add(users, &users->config->rights.read_content);
    names_add(users, &users->config->rights.trace);
    for (int i = 0; i < HELD_CLASSES; i++) names_add(users, &users->config->quarantine.release[i]);
    for (size_t i = 0; i < old.count; i++) {
        struct user *same = user_find(users, text_of(old.list[i].name));
        if (same) {
            same->uid = old.list[i].uid;
            same->is_known = old.list[i].is_known;
            same->was_missed = old.list[i].was_missed;
        }
        free(old.list[i].name);
    }
    free(old.list);
}

/* --- the child --- */

/* Ends by itself when the name service does not answer. Master's loop and its descriptors are none of its. */
static _Noreturn void ask(const struct users *users, int out, pid_t parent)
{
    signals_default();
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent) _exit(0);
    dup2(out, STDIN_FILENO);
    close_range(STDERR_FILENO + 1, ~0u, 0);
    alarm(ASK_LIMIT_S);
    for (size_t i = 0; i < users->count; i++) {
        errno = 0;
        const struct passwd *entry = getpwnam(users->list[i].name);
        if (entry)
            dprintf(STDIN_FILENO, "%s %lu\n", users->list[i].name, (unsigned long)entry->pw_uid);
        else if (errno == 0 || errno == ENOENT)
            dprintf(STDIN_FILENO, "%s\n", users->list[i].name);
    }
    _exit(0);
}

/* --- answers --- */

static void line_take(struct users *users, struct text line)
{
    struct text name, number;
    uint64_t uid;
    struct user *user = text_next_word(&line, &name) ? user_find(users, name) : NULL;
    if (!user) return;
    bool has_number = text_next_word(&line, &number) && text_to_number(number, UINT32_MAX, &uid);
    if (!has_number && !user->was_missed)
        log_warning("the configuration names the user %s, whom this machine does not know", user->name);
    user->was_missed = !has_number;
    user->is_answered = true;
    user->is_known = has_number;
    if (has_number) user->uid = (uid_t)uid;
}

static void begin(struct users *users);

static void answers_end(struct users *users)
{
    struct text lines = buffer_text(&users->said), line;
    bool is_whole = true;
    while (text_next_line(&lines, &line)) line_take(users, line);
    buffer_free(&users->said);
    watch_free(users->answers);
    users->answers = NULL;
    for (size_t i = 0; i < users->count; i++) is_whole = is_whole && users->list[i].is_answered;
    if (users->is_outdated)
        begin(users);
    else if (!is_whole)
        log_warning(
            "the name service does not answer for users of the configuration: asked again in a minute");
    if (!users->answers) timer_set(users->again, is_whole ? REFRESH_MS : AGAIN_MS);
}

static void answers_ready(void *context, int what)
{
    struct users *users = CONTEXT(context, struct users, USERS_MAGIC);
    ssize_t got = read(users->answers_fd, buffer_reserve(&users->said, READ_STEP), READ_STEP);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got > 0) buffer_commit(&users->said, (size_t)got);
    if (got <= 0 || buffer_length(&users->said) > ANSWER_MOST) answers_end(users);
}

/* --- asking --- */

static void again_due(void *context)
{
    struct users *users = CONTEXT(context, struct users, USERS_MAGIC);
    if (users->answers)
        answers_end(users);
    else
        begin(users);
}

static void begin(struct users *users)
{
    int ends[2];
    users->is_outdated = false;
    names_collect(users);
    timer_set(users->again, AGAIN_MS);
    if (users->count == 0 || pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return;
    log_flush();
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) ask(users, ends[1], parent);
    close(ends[1]);
    users->answers_fd = ends[0];
    users->answers = watch_new(users->loop, ends[0], answers_ready, users);
    watch_set(users->answers, WATCH_READ); /* when the fork failed, the end is read at once */
}

struct users *users_open(struct loop *loop, const struct config *config)
{
    struct users *users = memory_alloc(sizeof *users);
    *users = (struct users){ .magic = USERS_MAGIC, .loop = loop, .config = config };
    users->again = timer_new(loop, again_due, users);
    begin(users);
    return users;
}

void users_set_config(struct users *users, const struct config *config)
{
    users->config = config;
    users->is_outdated = users->answers != NULL;
    if (!users->is_outdated) begin(users);
}

void users_close(struct users *users)
{
    watch_free(users->answers);
    timer_free(users->again);
    for (size_t i = 0; i < users->count; i++) free(users->list[i].name);
    free(users->list);
    buffer_free(&users->said);
    free(users);
}

/* --- what is known --- */

bool users_has(const struct users *users, const struct text_list *list, uid_t uid)
{
    uint64_t number;
    for (size_t i = 0; i < list->count; i++) {
        const struct user *user = user_find(users, list->items[i]);
        if (user && user->is_known && user->uid == uid) return true;
        bool is_number = text_to_number(list->items[i], UINT32_MAX, &number);
        if (is_number && (uid_t)number == uid) return true;
    }
    return false;
}

const char *users_name(const struct users *users, uid_t uid)
{
    for (size_t i = 0; i < users->count; i++)
        if (users->list[i].is_known && users->list[i].uid == uid) return users->list[i].name;
    return NULL;
}
