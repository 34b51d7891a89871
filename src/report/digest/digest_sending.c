/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Sends the digests of a day, one letter after the other: what is under way is written down before it goes,
   so that nobody is told twice and nobody left out, whoever dies. */
#include <stdio.h>
#include <sysexits.h>

#include "base/context.h"
#include "base/log.h"
#include "ipc/message_id.h"
#include "report/digest/digest_recipients.h"
#include "report/service.h"
#include "statistics/calendar.h"

enum { NEXT_MS = 5, AGAIN_MS = 10000 };

static uint64_t now_of(const struct service *service)
{
    return loop_wall_ms(service->child.loop);
}

static void remember(struct service *service)
{
    digest_mailing_write(service->folder, &service->mailing);
}

/* The day whose digest was the last to be due at `ms`: today from `digest at` on, else yesterday. */
static uint32_t due_at(const struct service *service, uint64_t ms)
{
    return calendar_add(nightly_due((time_t)(ms / 1000), service->child.config->digest.at_minutes), 1);
}

static void mailing_finish(struct service *service)
{
    struct digest_mailing *mailing = &service->mailing;
    uint32_t due = due_at(service, mailing->until_ms);
    if (due > mailing->done_day) mailing->done_day = due;
    mailing->from_ms = mailing->until_ms;
    mailing->until_ms = 0;
    mailing->address[0] = '\0';
    remember(service);
}

static void letter_done(void *context, uint64_t id, bool is_kept, struct text why)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    char room[MESSAGE_ID_SIZE];
    service->is_mailing = false;
    if (is_kept) {
        log_of(LOG_LEVEL_INFO, message_id_print(id, room), "%s: the digest of <%s>", room,
               service->mailing.address);
        service->digests++;
        service->mailing.offered_id = 0; /* written with the next one */
        timer_set(service->mail, NEXT_MS);
        return;
    }
    log_warning("the digest of <%s> is not kept yet: %.*s", service->mailing.address, TEXT_ARG(why));
    service->mailing.offered_id = 0;
    service->is_repeating = true;
    timer_set(service->mail, AGAIN_MS);
}

static void letter_send(struct service *service, const struct held_rows *rows, size_t at, size_t count)
{
    struct digest_mailing *mailing = &service->mailing;
    struct text to = rows->items[at].address;
    struct ticket_key key;
    char id[MESSAGE_ID_SIZE];
    bool is_linked = service->child.config->digest.page.length || service->child.config->digest.reply.length;
    bool has_key = is_linked && ticket_key_open(service->ledger_path, false, &key);
    mailing->offered_id = submission_next_id(service->submission);
    snprintf(mailing->address, sizeof mailing->address, "%.*s", TEXT_ARG(to));
    if (!digest_mailing_write(service->folder, mailing)) return; /* else it might go out at every look */
    struct digest_letter letter = { .config = service->child.config,
                                    .key = has_key ? &key : NULL,
                                    .language = digest_mailing_language(service->child.config, to),
                                    .to = to,
                                    .id = text_of(message_id_print(mailing->offered_id, id)),
                                    .rows = &rows->items[at],
                                    .count = count,
                                    .now_ms = now_of(service) };
    struct buffer bytes = { 0 };
    digest_mailing_print(&letter, &bytes);
    service->is_mailing = true;
    submission_send(service->submission, mailing->offered_id, to, buffer_text(&bytes),
                    (struct submission_waiter){ letter_done, service });
    buffer_free(&bytes);
}

/* The first user behind the last one, who may be there no more; that one again when it was not kept. */
static size_t next_user(const struct service *service, const struct held_rows *rows)
{
    struct text last = text_of(service->mailing.address);
    size_t at = 0;
    while (last.length && at < rows->count) {
        int order = digest_mailing_order(rows->items[at].address, last);
        if (order > 0 || (order == 0 && service->is_repeating)) break;
        at++;
    }
    return at;
}

/* All is gathered when the first letter is written, and stays the same to the last: `until` is fixed, and
   what is released meanwhile only makes letters shorter. False: the ledger does not answer now. */
static bool mailing_gather(struct service *service)
{
    const struct digest_mailing *mailing = &service->mailing;
    struct ledgerdb_reader *ledgerdb;
    struct buffer why = { 0 };
    if (service->digest_mailing_arena) return true;
    service->digest_mailing_arena = arena_new(0);
    enum ledgerdb_outcome outcome = ledgerdb_open(service->ledger_path, &ledgerdb, &why);
    if (outcome == LEDGERDB_DONE)
        outcome = digest_mailing_gather(ledgerdb, service->child.config, mailing->from_ms, mailing->until_ms,
                                        service->digest_mailing_arena, &service->digest_mailing_rows);
    ledgerdb_close(ledgerdb);
    buffer_free(&why);
    if (outcome == LEDGERDB_DONE) return true;
    arena_free(service->digest_mailing_arena);
    service->digest_mailing_arena = NULL;
    return false;
}

static void user_next(struct service *service)
{
    if (!mailing_gather(service)) return; /* again at the next look */
    const struct held_rows *rows = &service->digest_mailing_rows;
    size_t at = next_user(service, rows);
    service->is_repeating = false;
    if (at < rows->count) {
        letter_send(service, rows, at, digest_mailing_group(rows, at));
        return;
    }
    mailing_finish(service);
    arena_free(service->digest_mailing_arena);
    service->digest_mailing_arena = NULL;
}

void digest_job_look(struct service *service)
{
    const struct config *config = service->child.config;
    struct digest_mailing *mailing = &service->mailing;
    uint64_t now = now_of(service);
    if (service->is_mailing || !submission_is_open(service->submission)) return;
    if (mailing->offered_id) { /* an earlier life of ours handed it over and heard no answer */
        service->is_mailing = true;
        submission_ask(service->submission, mailing->offered_id,
                       (struct submission_waiter){ letter_done, service });
        return;
    }
    uint32_t due = due_at(service, now);
    if (!config->digest.send || !mailing->done_day) { /* what was held before stays untold */
        bool is_new = mailing->done_day != due;
        *mailing = (struct digest_mailing){ .done_day = due, .from_ms = now };
        if (is_new) remember(service);
        return;
    }
    if (!mailing->until_ms && mailing->done_day >= due) return;
    if (!mailing->until_ms) mailing->until_ms = now;
    user_next(service);
}

static void mailing_say(const struct service *service, struct buffer *says)
{
    const struct held_rows *rows = &service->digest_mailing_rows;
    size_t users = 0, messages = 0;
    for (size_t at = next_user(service, rows), count; at < rows->count; at += count, users++) {
        count = digest_mailing_group(rows, at);
        messages += count;
    }
    if (users)
        buffer_printf(says, "%zu held message%s, told to %zu user%s", messages, messages == 1 ? "" : "s",
                      users, users == 1 ? "" : "s");
    else
        buffer_add_text(says, TEXT("nothing is newly held for anybody"));
}

int digest_job_now(struct service *service, struct buffer *says)
{
    struct digest_mailing *mailing = &service->mailing;
    digest_job_look(service);
    if (!service->child.config->digest.send) {
        buffer_add_text(says, TEXT("digest send is off: nobody is told"));
        return EX_CONFIG;
    }
    if (!mailing->until_ms) mailing->until_ms = now_of(service);
    if (!submission_is_open(service->submission) || !mailing_gather(service)) {
        buffer_add_text(says, TEXT("the queue or the ledger does not answer now: it goes out when they do"));
        return EX_TEMPFAIL;
    }
    mailing_say(service, says);
    if (!service->is_mailing) user_next(service);
    return EX_OK;
}
