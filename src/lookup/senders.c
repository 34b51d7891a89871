/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "lookup/senders.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/codec.h"
#include "base/context.h"
#include "base/die.h"
#include "base/log.h"
#include "config/greylist.h"
#include "lookup/command_reply.h"
#include "lookup/sender_memory.h"

enum { COMMIT_MS = 1000 };

struct senders {
    enum { SENDERS_MAGIC = 0x5e17d0b6 } magic;
    struct loop *loop;
    const struct config *config;
    struct senderdb *db; /* NULL: it could not be opened */
    struct timer *timer;
    bool is_changed, is_lost;
    struct arena *arena; /* of one frame */
};

/* --- the store --- */

static struct sender_memory memory_of(const struct senders *senders)
{
    return (struct sender_memory){ senders->db, senders->config, loop_wall_ms(senders->loop),
                                   senders->arena };
}

/* Once for each failure, and when it is over. */
static void lost_say(struct senders *senders, bool is_lost, int error)
{
    if (is_lost && !senders->is_lost)
        log_error("ALARM: what is known of senders cannot be kept: %s; the newest of it is forgotten",
                  strerror(error));
    if (!is_lost && senders->is_lost) log_info("what is known of senders is kept again");
    senders->is_lost = is_lost;
}

/* A jail opens no other file: the next process begins a new one. */
static void commit_now(struct senders *senders)
{
    if (!senders->db) return;
    bool is_kept = senderdb_commit(senders->db);
    if (!is_kept && errno == EUCLEAN) die("the memory of senders is damaged: the next start sets it aside");
    lost_say(senders, !is_kept, errno);
}

static void on_time(void *context)
{
    struct senders *senders = CONTEXT(context, struct senders, SENDERS_MAGIC);
    senders->is_changed = false;
    commit_now(senders);
}

static void found_say(enum senderdb_found found)
{
    if (found == SENDERDB_DAMAGED)
        log_error(
            "ALARM: the memory of senders is damaged: it is set aside as senders/senders.damaged, and what "
            "was known of them is forgotten");
    if (found == SENDERDB_UNUSABLE)
        log_error("ALARM: the memory of senders cannot be opened: %s; nothing is known of them",
                  strerror(errno));
}

struct senders *senders_new(struct loop *loop, const struct config *config, int folder)
{
    struct senders *senders = memory_alloc(sizeof *senders);
    enum senderdb_found found;
    *senders = (struct senders){ .magic = SENDERS_MAGIC, .loop = loop, .config = config };
    senders->arena = arena_new(0);
    senders->db = senderdb_open(folder, config->senders.memory_bytes, &found);
    found_say(found);
    if (!senders->db) return senders;
    const struct sender_memory memory = memory_of(senders);
    sender_memory_begin(&memory);
    senders->timer = timer_new(loop, on_time, senders);
    return senders;
}

void senders_close(struct senders *senders)
{
    timer_free(senders->timer);
    senderdb_close(senders->db);
    arena_free(senders->arena);
    free(senders);
}

void senders_configure(struct senders *senders, const struct config *config)
{
    senders->config = config;
}

void senders_facts(struct senders *senders, struct senderdb_facts *out)
{
    *out = (struct senderdb_facts){ 0 };
    if (senders->db) senderdb_facts(senders->db, out);
}

bool senders_are_lost(const struct senders *senders)
{
    return !senders->db || senders->is_lost;
}

/* --- answering --- */

static bool is_remembering(const struct senders *senders)
{
    return senders->db && config_remembers(senders->config);
}

static void rcpt_answer(const struct senders *senders, const struct sender_subject *subject,
                        struct buffer *out)
{
    const struct sender_memory memory = memory_of(senders);
    struct sender_rcpt_answer answer = { .is_for_all = true };
    if (is_remembering(senders)) sender_memory_rcpt(&memory, subject, &answer);
    sender_rcpt_answer_put(&answer, out);
}

static void history_answer(const struct senders *senders, const struct sender_subject *subject,
                           struct buffer *out)
{
    const struct sender_memory memory = memory_of(senders);
    struct sender_history history = { .count = 0 };
    if (is_remembering(senders)) sender_memory_history(&memory, subject, &history);
    sender_history_put(&history, out);
}

static bool answer(struct senders *senders, struct channel *channel, struct frame *frame)
{
    struct sender_subject subject;
    struct buffer bytes = { 0 };
    struct text asked;
    uint32_t deadline_ms;
    bool is_rcpt = frame->type == LOOKUP_SENDER;
    if (!lookup_name_get(frame, &deadline_ms, &asked)) return false;
    if (!sender_subject_get(senders->arena, asked, &subject)) return false;
    if (is_rcpt)
        rcpt_answer(senders, &subject, &bytes);
    else
        history_answer(senders, &subject, &bytes);
    put_text(channel_begin(channel, is_rcpt ? LOOKUP_SENDER_IS : LOOKUP_HISTORY_IS, frame->id),
             buffer_text(&bytes));
    channel_end(channel);
    buffer_free(&bytes);
    return true;
}

/* --- learning --- */

static bool seen_take(struct senders *senders, const struct frame *frame)
{
    const struct sender_memory memory = memory_of(senders);
    struct sender_seen seen;
    if (!sender_seen_get(senders->arena, frame->payload, &seen)) return false;
    if (!is_remembering(senders)) return true;
    sender_memory_learn(&memory, &seen);
    if (!senders->is_changed) timer_set(senders->timer, COMMIT_MS);
    senders->is_changed = true;
    return true;
}

bool senders_has_contact(struct senders *senders, struct text outside, struct text ours, uint64_t longer_ms)
{
    if (!senders->db || !config_remembers(senders->config)) return false;
    arena_reset(senders->arena);
    const struct sender_memory memory = memory_of(senders);
    return sender_memory_has_contact(&memory, outside, ours, memory.now_ms - longer_ms);
}

bool senders_is_frame(const struct frame *frame)
{
    return frame->type == LOOKUP_SENDER || frame->type == LOOKUP_HISTORY || frame->type == LOOKUP_SENDER_SEEN;
}

bool senders_frame(struct senders *senders, struct channel *channel, struct frame *frame)
{
    arena_reset(senders->arena);
    return frame->type == LOOKUP_SENDER_SEEN ? seen_take(senders, frame) : answer(senders, channel, frame);
}

/* --- commands --- */

static void show(struct senders *senders, struct text which, struct text with, int fd)
{
    const struct sender_memory memory = memory_of(senders);
    struct buffer out = { 0 };
    if (sender_memory_show(&memory, which, with, &out))
        command_reply(fd, EX_OK, buffer_text(&out));
    else
        command_reply(fd, EX_USAGE, TEXT("that is no address, domain or network"));
    buffer_free(&out);
}

static void forget(struct senders *senders, struct text which, struct text with, int fd)
{
    const struct sender_memory memory = memory_of(senders);
    struct buffer out = { 0 };
    unsigned count;
    if (!sender_memory_forget(&memory, which, with, &count)) {
        command_reply(fd, EX_USAGE, TEXT("that is no address, domain or network"));
        return;
    }
    commit_now(senders);
    buffer_printf(&out, "{\"forgotten\":%u}\n", count);
    command_reply(fd, count ? EX_OK : EX_NOINPUT, count ? buffer_text(&out) : TEXT("nothing is known of it"));
    buffer_free(&out);
}

void senders_command(struct senders *senders, struct text command, int fd)
{
    struct text word = TEXT_NONE, verb = TEXT_NONE, which = TEXT_NONE, with = TEXT_NONE;
    text_next_word(&command, &word);
    text_next_word(&command, &verb);
    text_next_word(&command, &which);
    text_next_word(&command, &with);
    arena_reset(senders->arena);
    if (!senders->db)
        command_reply(fd, EX_UNAVAILABLE, TEXT("nothing is remembered: the store could not be opened"));
    else if (text_equal(verb, TEXT("show")) && which.length)
        show(senders, which, with, fd);
    else if (text_equal(verb, TEXT("forget")) && which.length)
        forget(senders, which, with, fd);
    else
        command_reply(fd, EX_USAGE, TEXT("unknown command"));
}
