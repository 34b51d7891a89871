/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One mail at a time, one recipient of it after the other. Nothing of it is remembered but the id of an
   answer under way: queue offers again what it has not heard to be done, and doing it again changes nothing
   (missed_spam.c, ledger's ticket_release.c). */
#include "report/missed/inbox.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/context.h"
#include "base/log.h"
#include "config/domains.h"
#include "config/hosted.h"
#include "config/own_address.h"
#include "ipc/ask_report.h"
#include "ipc/message_id.h"
#include "report/missed/answer.h"
#include "report/missed/attempts.h"
#include "report/missed/campaign_report.h"
#include "report/missed/proposing.h"
#include "report/missed/request_mail.h"
#include "report/service.h"
#include "report/state_file.h"

enum {
    OFFERS_MOST = 64 /* queue makes fewer */
};

enum waits { WAITS_NOT, WAITS_LEDGER, WAITS_LETTER, WAITS_LESSONS };

/* A mail that queue offered. The first of the line is being done. */
struct errand {
    struct errand *next;
    uint64_t id;
    int fd; /* the segment; -1: queue is gone and will offer it again */
    struct buffer payload;
    struct arena *arena; /* of what follows: made when its turn comes */
    struct held_offer offer;
    struct buffer content;
    uint32_t at; /* recipients before this one are done */
    struct buffer said;
    enum waits waits;
    int why;                      /* WAITS_LETTER: what the answer says */
    enum campaign_said campaigns; /* what is to be told of each mail; CAMPAIGN_SAID_COUNT: nothing */
    struct text told;             /* of a report that waits for lessons or ledger: what was done so far */
    struct text mails[REQUEST_MAIL_MESSAGES_MOST];
};

struct inbox {
    enum { INBOX_MAGIC = 0x63f66cef } magic;
    struct service *service;
    struct channel *ledger; /* NULL: not there; so is lookup's */
    struct channel *lookup;
    struct proposing *proposing;
    struct errand *first;
    unsigned count;
    uint64_t begun;     /* id of the last mail that was begun */
    struct timer *work; /* for the next turn: a mail may take long, and others want something too */
    struct answered answered;
    struct inbox_facts facts;
};

static void errand_free(struct errand *errand)
{
    if (errand->fd >= 0) close(errand->fd);
    buffer_free(&errand->payload);
    buffer_free(&errand->content);
    buffer_free(&errand->said);
    arena_free(errand->arena);
    free(errand);
}

static void first_drop(struct inbox *inbox)
{
    struct errand *errand = inbox->first;
    inbox->first = errand->next;
    inbox->count--;
    errand_free(errand);
    if (inbox->first) timer_set(inbox->work, 0);
}

/* --- to queue --- */

/* Those recipients that are done; the rest is offered again. */
static void done_say(struct inbox *inbox)
{
    const struct errand *errand = inbox->first;
    struct channel *queue = submission_queue(inbox->service->submission);
    if (queue && errand->fd >= 0) {
        struct buffer *out = channel_begin(queue, REPORT_DONE, errand->id);
        put_u32(out, errand->at);
        for (uint32_t i = 0; i < errand->at; i++) put_u32(out, errand->offer.recipients[i].number);
        put_text(out, buffer_text(&errand->said));
        channel_end(queue);
    }
    first_drop(inbox);
}

static void not_done_say(struct inbox *inbox, enum held_refusal refusal, const char *why)
{
    const struct errand *errand = inbox->first;
    struct channel *queue = submission_queue(inbox->service->submission);
    if (errand->at > 0) {
        done_say(inbox);
        return;
    }
    if (queue && errand->fd >= 0) {
        struct buffer *out = channel_begin(queue, REPORT_NOT_DONE, errand->id);
        put_u8(out, refusal);
        put_text(out, text_of(why));
        channel_end(queue);
    }
    first_drop(inbox);
}

/* The recipient at hand is done. */
static void next(struct inbox *inbox, struct text said)
{
    struct errand *errand = inbox->first;
    char id[MESSAGE_ID_SIZE];
    log_of(LOG_LEVEL_INFO, message_id_print(errand->id, id), "%s: <%.*s>: %.*s", id,
           TEXT_ARG(errand->offer.envelope.recipients[errand->at].address), TEXT_ARG(said));
    if (buffer_length(&errand->said)) buffer_add_text(&errand->said, TEXT("; "));
    buffer_add_text(&errand->said, said);
    errand->at++;
    errand->waits = WAITS_NOT;
    timer_set(inbox->work, 0);
}

/* --- what leaked through --- */

/* Who is known by his name: MAIL FROM of mail from inside; empty: nobody. */
static struct text reporter_of(const struct inbox *inbox)
{
    const struct held_offer *offer = &inbox->first->offer;
    return offer->direction == DIRECTION_OUT ? offer->envelope.sender : TEXT_NONE;
}

static bool is_trusted(const struct inbox *inbox)
{
    return config_reporter_is_trusted(inbox->service->child.config, reporter_of(inbox));
}

/* His word alone stops a campaign where the mail is known to have passed here. */
static bool mail_found(void *context, struct text mail, uint64_t message)
{
    struct inbox *inbox = CONTEXT(context, struct inbox, INBOX_MAGIC);
    enum campaign_said said = inbox->first->campaigns;
    if (said == CAMPAIGN_SAID_COUNT) return true;
    if (said == CAMPAIGN_SAID_SPAM && message && is_trusted(inbox)) said = CAMPAIGN_SAID_STOP;
    return campaign_report_mail(inbox->lookup, said, reporter_of(inbox), mail, message);
}

/* False: lookup is not there. */
static bool campaigns_tell(struct inbox *inbox, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!mail_found(inbox, inbox->first->mails[i], 0)) return false;
    return true;
}

static void lessons_done(void *context, struct text said)
{
    struct inbox *inbox = CONTEXT(context, struct inbox, INBOX_MAGIC);
    struct errand *errand = inbox->first;
    next(inbox, arena_printf(errand->arena, "%.*s; of these %.*s", TEXT_ARG(errand->told), TEXT_ARG(said)));
}

static void lessons_later(void *context, const char *why)
{
    struct inbox *inbox = CONTEXT(context, struct inbox, INBOX_MAGIC);
    inbox->first->waits = WAITS_NOT;
    not_done_say(inbox, HELD_NOT_YET, why);
}

/* Why nothing is to be asked about a report; NULL: something is. A copy within the text of the mail is not
   what came; who sent it is known of mail from inside alone. */
static const char *unlearned_why(const struct inbox *inbox, bool is_inline)
{
    const struct config *config = inbox->service->child.config;
    const struct held_offer *offer = &inbox->first->offer;
    bool is_off = config->report.learn == REPORT_LEARN_OFF && !is_trusted(inbox); /* his word stops */
    if (is_off || config->role == ROLE_EDGE) return "";
    if (is_inline) return "; nothing is learned of it: only what is attached is what came";
    if (offer->direction != DIRECTION_OUT || offer->envelope.sender.length == 0)
        return "; nothing is learned of it: nobody inside says to have sent it";
    return NULL;
}

static void report_told(struct inbox *inbox, enum missed_kind kind, bool is_inline, size_t count)
{
    struct errand *errand = inbox->first;
    bool is_spam, teaches = proposing_teaches(kind, &is_spam);
    const char *why = teaches ? unlearned_why(inbox, is_inline) : "";
    if (why && !campaigns_tell(inbox, count)) {
        not_done_say(inbox, HELD_NOT_YET, "lookup is being restarted");
        return;
    }
    if (why) {
        next(inbox, arena_printf(errand->arena, "%.*s%s", TEXT_ARG(errand->told), why));
        return;
    }
    errand->waits = WAITS_LESSONS;
    proposing_begin(inbox->proposing, inbox->ledger,
                    &(struct proposing_order){ .is_spam = is_spam,
                                               .reporter = errand->offer.envelope.sender,
                                               .mails = errand->mails,
                                               .count = count });
}

/* Whether a newsletter is wanted is asked for him who sends the mail, and for nobody else; who is not of ours
   has no say. False: nothing is asked for. */
static bool wishes_send(struct inbox *inbox, const struct text *messages, size_t count)
{
    struct errand *errand = inbox->first;
    struct newsletter_wish wishes[LEDGER_APPROVE_MOST];
    uint32_t found = 0;
    struct text sender = errand->offer.envelope.sender;
    if (!sender.length || !config_is_ours(inbox->service->child.config, envelope_domain_of(sender)))
        return false;
    for (size_t i = 0; i < count && found < LEDGER_APPROVE_MOST; i++)
        found += request_mail_newsletter(errand->arena, messages[i], &wishes[found]);
    if (found == 0) return false;
    if (!inbox->ledger) {
        not_done_say(inbox, HELD_NOT_YET, "ledger is being restarted");
        return true;
    }
    errand->waits = WAITS_LEDGER;
    struct buffer *out = channel_begin(inbox->ledger, LEDGER_APPROVE, errand->id);
    put_text(out, sender);
    put_u32(out, found);
    for (uint32_t i = 0; i < found; i++) {
        put_text(out, wishes[i].name);
        put_text(out, wishes[i].domain);
        put_u8(out, wishes[i].is_wanted);
    }
    channel_end(inbox->ledger);
    return true;
}

static void wishes_answered(struct inbox *inbox, bool is_done, uint32_t changed)
{
    struct errand *errand = inbox->first;
    errand->waits = WAITS_NOT;
    if (is_done)
        next(inbox, arena_printf(errand->arena, "%.*s; newsletters whose approval changed: %u",
                                 TEXT_ARG(errand->told), changed));
    else
        not_done_say(inbox, HELD_NO_ROOM, "ledger cannot approve newsletters now");
}

static void report_take(struct inbox *inbox, enum missed_kind kind)
{
    struct errand *errand = inbox->first;
    struct text *list = errand->mails, mail = buffer_text(&errand->content);
    size_t left, count = request_mail_enclosed(errand->arena, mail, list, REQUEST_MAIL_MESSAGES_MOST, &left);
    bool is_inline = count == 0;
    if (is_inline) list[count++] = mail;
    if (!campaign_report_says(kind, &errand->campaigns) || reporter_of(inbox).length == 0)
        errand->campaigns = CAMPAIGN_SAID_COUNT;
    if (!missed_spam_put(inbox->service, kind, list, count)) {
        not_done_say(inbox, HELD_NO_ROOM, "what leaked through cannot be written to learn/missed");
        return;
    }
    missed_spam_take(inbox->service);
    inbox->facts.reported += count;
    struct text more = left ? arena_printf(errand->arena, "; %zu more are left out", left) : TEXT_NONE;
    errand->told = arena_printf(errand->arena, "told as missed %s: %s%zu%.*s", missed_kind_name(kind),
                                is_inline ? "the mail itself, messages: " : "attached messages: ", count,
                                TEXT_ARG(more));
    if (kind == MISSED_NEWSLETTER && wishes_send(inbox, errand->mails, count)) return;
    report_told(inbox, kind, is_inline, count);
}

/* --- answers --- */

/* The mail and its answer stand in report/answer before queue is given the answer, so that after a crash
 * queue can be asked whether it has it. */
static bool answer_note(struct inbox *inbox, uint64_t letter)
{
    return state_file_write_pair(inbox->service->folder, "answer", inbox->first->id, letter);
}

/* The id of the answer that an earlier life of ours gave to queue for this mail; 0: none. */
static uint64_t answer_noted(const struct inbox *inbox)
{
    uint64_t noted[2];
    bool is_noted = state_file_read_pair(inbox->service->folder, "answer", noted);
    return is_noted && noted[0] == inbox->first->id ? noted[1] : 0;
}

static void not_released(struct inbox *inbox, int why, const char *how)
{
    inbox->facts.not_released += why != REDEEMED_ENTERED;
    next(inbox, arena_printf(inbox->first->arena, "nothing released: %s, %s", answer_reason(why), how));
}

static void letter_done(void *context, uint64_t id, bool is_kept, struct text why)
{
    struct inbox *inbox = CONTEXT(context, struct inbox, INBOX_MAGIC);
    struct errand *errand = inbox->first;
    errand->waits = WAITS_NOT;
    if (!is_kept) {
        not_done_say(inbox, HELD_NO_ROOM, "the answer is not kept yet");
        return;
    }
    char room[MESSAGE_ID_SIZE], how[40];
    inbox->facts.answers++;
    snprintf(how, sizeof how, "answered as %s", message_id_print(id, room));
    not_released(inbox, errand->why, how);
}

static void answer_send(struct inbox *inbox)
{
    struct service *service = inbox->service;
    struct errand *errand = inbox->first;
    struct text to = errand->offer.envelope.sender;
    char room[MESSAGE_ID_SIZE];
    uint64_t id = submission_next_id(service->submission);
    if (!answer_note(inbox, id)) {
        not_done_say(inbox, HELD_NO_ROOM, "the answer cannot be noted in report/answer");
        return;
    }
    struct buffer letter = { 0 };
    answer_print(&(struct answer){ .config = service->child.config,
                                   .language = digest_mailing_language(service->child.config, to),
                                   .to = to,
                                   .id = text_of(message_id_print(id, room)),
                                   .why = errand->why,
                                   .now_ms = loop_wall_ms(service->child.loop) },
                 &letter);
    errand->waits = WAITS_LETTER;
    submission_send(service->submission, id, to, buffer_text(&letter),
                    (struct submission_waiter){ letter_done, inbox });
    buffer_free(&letter);
}

/* Was the answer that is noted kept? If not, it is made now. */
static void noted_resolved(void *context, uint64_t id, bool is_kept, struct text why)
{
    struct inbox *inbox = CONTEXT(context, struct inbox, INBOX_MAGIC);
    if (is_kept)
        letter_done(inbox, id, true, why);
    else
        answer_send(inbox);
}

/* Only to users of ours: nobody else has tickets, and a sender's name is easily forged. */
static void answer(struct inbox *inbox, int why)
{
    struct errand *errand = inbox->first;
    const struct config *config = inbox->service->child.config;
    struct text sender = errand->offer.envelope.sender;
    uint64_t noted = answer_noted(inbox);
    errand->why = why;
    if (noted) {
        errand->waits = WAITS_LETTER;
        submission_ask(inbox->service->submission, noted,
                       (struct submission_waiter){ noted_resolved, inbox });
    } else if (!sender.length || request_mail_is_automatic(errand->arena, buffer_text(&errand->content))) {
        not_released(inbox, why, "no answer to a program");
    } else if (!config_route_is_local(config_find_domain(config, envelope_domain_of(sender)))) {
        not_released(inbox, why, "no answer to who is not of ours");
    } else if (own_address_find(config, sender, NULL) != OWN_ADDRESS_NONE) {
        not_released(inbox, why, "no answer to ourselves");
    } else if (!answered_count(&inbox->answered, sender, loop_wall_ms(inbox->service->child.loop))) {
        not_released(inbox, why, "no answer, there were many");
    } else {
        answer_send(inbox);
    }
}

/* --- tickets --- */

static void ticket_take(struct inbox *inbox)
{
    struct errand *errand = inbox->first;
    enum ticket_wish wish = TICKET_RELEASE;
    struct text ticket = request_mail_ticket(errand->arena, buffer_text(&errand->content), &wish);
    if (!ticket.length) {
        answer(inbox, ANSWER_NO_TICKET);
        return;
    }
    if (!inbox->ledger) {
        not_done_say(inbox, HELD_NOT_YET, "ledger is being restarted");
        return;
    }
    errand->waits = WAITS_LEDGER;
    struct buffer *out = channel_begin(inbox->ledger, LEDGER_REDEEM, errand->id);
    put_text(out, ticket);
    put_text(out, errand->offer.envelope.sender);
    put_u8(out, (uint8_t)wish);
    channel_end(inbox->ledger);
}

static void redeemed(struct inbox *inbox, enum redeemed outcome, uint64_t release)
{
    char id[MESSAGE_ID_SIZE];
    inbox->first->waits = WAITS_NOT;
    if (outcome == REDEEMED_LATER) {
        not_done_say(inbox, HELD_NO_ROOM, "ledger cannot release now");
    } else if (outcome == REDEEMED_DONE) {
        inbox->facts.released++;
        next(inbox, arena_printf(inbox->first->arena, "released as %s", message_id_print(release, id)));
    } else {
        answer(inbox, outcome);
    }
}

static bool approved_frame(struct inbox *inbox, const struct frame *frame)
{
    struct reader reader = reader_of(frame->payload);
    bool is_done = get_u8(&reader) == 1;
    uint32_t changed = get_u32(&reader);
    const struct errand *errand = inbox->first;
    if (!reader_done(&reader)) return false;
    if (errand && errand->id == frame->id && errand->waits == WAITS_LEDGER)
        wishes_answered(inbox, is_done, changed);
    return true;
}

static bool ledger_frame(void *context, struct frame *frame)
{
    struct inbox *inbox = CONTEXT(context, struct inbox, INBOX_MAGIC);
    struct reader reader = reader_of(frame->payload);
    if (frame->type == LEDGER_PROPOSED) return proposing_answer(inbox->proposing, frame);
    if (frame->type == LEDGER_APPROVED) return approved_frame(inbox, frame);
    enum redeemed outcome = get_u8(&reader);
    uint64_t release = get_u64(&reader);
    if (frame->type != LEDGER_REDEEMED || !reader_done(&reader) || outcome >= REDEEMED_COUNT) return false;
    const struct errand *errand = inbox->first; /* queue may have died since it was asked */
    if (errand && errand->id == frame->id && errand->waits == WAITS_LEDGER) redeemed(inbox, outcome, release);
    return true;
}

static void ledger_gone(void *context)
{
    struct inbox *inbox = CONTEXT(context, struct inbox, INBOX_MAGIC);
    channel_close(inbox->ledger);
    inbox->ledger = NULL;
    proposing_cancel(inbox->proposing);
    bool is_waiting =
        inbox->first && (inbox->first->waits == WAITS_LEDGER || inbox->first->waits == WAITS_LESSONS);
    if (is_waiting) not_done_say(inbox, HELD_NOT_YET, "ledger is being restarted");
}

void inbox_set_ledger(struct inbox *inbox, int fd)
{
    static const struct channel_events events = { ledger_frame, ledger_gone };
    if (inbox->ledger) ledger_gone(inbox);
    inbox->ledger = channel_open(inbox->service->child.loop, fd, &events, inbox);
}

void inbox_set_scan(struct inbox *inbox, int fd)
{
    proposing_set_scan(inbox->proposing, fd);
}

/* It answers nothing. */
static bool lookup_frame(void *context, struct frame *frame)
{
    return false;
}

static void lookup_gone(void *context)
{
    struct inbox *inbox = CONTEXT(context, struct inbox, INBOX_MAGIC);
    channel_close(inbox->lookup);
    inbox->lookup = NULL;
}

void inbox_set_lookup(struct inbox *inbox, int fd)
{
    static const struct channel_events events = { lookup_frame, lookup_gone };
    if (inbox->lookup) lookup_gone(inbox);
    inbox->lookup = channel_open(inbox->service->child.loop, fd, &events, inbox);
}

/* --- one after the other --- */

static bool content_read(const struct errand *errand, struct buffer *out)
{
    uint64_t length = errand->offer.length;
    char *room = buffer_reserve(out, length ? length : 1);
    for (uint64_t done = 0; done < length;) {
        ssize_t count = pread(errand->fd, room + done, length - done, (off_t)(errand->offer.offset + done));
        if (count < 0 && errno == EINTR) continue;
        if (count == 0) errno = EIO; /* shorter than the offer says */
        if (count <= 0) return false;
        done += (uint64_t)count;
    }
    buffer_commit(out, length);
    return true;
}

/* It was looked at when it came, so it is whole. */
static bool errand_open(struct errand *errand)
{
    errand->arena = arena_new(0);
    held_offer_get(errand->arena, buffer_text(&errand->payload), &errand->offer);
    if (content_read(errand, &errand->content)) return true;
    log_error("ALARM: a mail to this node itself cannot be read from the journal: %s", strerror(errno));
    return false;
}

/* One that ended several lives of ours is left alone. */
static bool errand_begin(struct inbox *inbox, const struct errand *errand)
{
    uint64_t attempts;
    char id[MESSAGE_ID_SIZE];
    if (inbox->begun == errand->id) return true; /* by this life: it was not done for another reason */
    bool is_noted = attempts_begin(inbox->service->folder, errand->id, inbox->begun, &attempts);
    if (attempts >= ATTEMPTS_MOST) {
        log_of(LOG_LEVEL_ERROR, message_id_print(errand->id, id),
               "ALARM: %s: this mail to the node itself ended the report process %u times", id,
               ATTEMPTS_MOST);
        not_done_say(inbox, HELD_LEFT,
                     "it ended the report process again and again: look at it, or remove it");
        return false;
    }
    if (is_noted)
        inbox->begun = errand->id;
    else
        not_done_say(inbox, HELD_NO_ROOM, "report/errand cannot be written");
    return is_noted;
}

static bool is_open(struct inbox *inbox, struct errand *errand)
{
    if (errand->arena) return true;
    if (!errand_begin(inbox, errand)) return false;
    if (errand_open(errand)) return true;
    not_done_say(inbox, HELD_NO_ROOM, "it cannot be read");
    return false;
}

static void work(void *context)
{
    struct inbox *inbox = CONTEXT(context, struct inbox, INBOX_MAGIC);
    struct errand *errand = inbox->first;
    enum missed_kind kind;
    if (!errand || errand->waits != WAITS_NOT || !is_open(inbox, errand)) return;
    if (errand->at == errand->offer.envelope.recipient_count) {
        done_say(inbox);
        return;
    }
    switch (own_address_find(inbox->service->child.config,
                             errand->offer.envelope.recipients[errand->at].address, &kind)) {
    case OWN_ADDRESS_MISSED:
        report_take(inbox, kind);
        break;
    case OWN_ADDRESS_REPLY:
        ticket_take(inbox);
        break;
    case OWN_ADDRESS_NONE:
        not_done_say(inbox, HELD_LEFT,
                     "its recipient is no longer an address of this node: release it, or remove it");
        break;
    }
}

/* --- from queue --- */

/* Only the first of the line can wait for a letter. */
static bool is_back(struct inbox *inbox, struct frame *frame)
{
    struct errand *errand = inbox->first;
    if (!errand || errand->id != frame->id || errand->fd >= 0) return false;
    errand->fd = frame_take_fd(frame, 0);
    return errand->fd >= 0;
}

static bool offer_add(struct inbox *inbox, struct frame *frame)
{
    struct held_offer offer;
    struct arena *arena = arena_new(0);
    bool is_good = held_offer_get(arena, frame->payload, &offer) && offer.id == frame->id;
    arena_free(arena);
    if (!is_good || inbox->count == OFFERS_MOST) return false;
    if (is_back(inbox, frame)) return true;
    struct errand *errand = memory_alloc(sizeof *errand), **link = &inbox->first;
    *errand = (struct errand){ .id = frame->id, .fd = frame_take_fd(frame, 0) };
    if (errand->fd < 0) {
        free(errand);
        return false;
    }
    buffer_add_text(&errand->payload, frame->payload);
    while (*link) link = &(*link)->next;
    *link = errand;
    inbox->count++;
    timer_set(inbox->work, 0);
    return true;
}

static bool queue_frame(void *context, struct frame *frame)
{
    return frame->type == REPORT_MAIL && offer_add(CONTEXT(context, struct inbox, INBOX_MAGIC), frame);
}

/* It offers all again. A letter under way goes on, and what became of it belongs to its mail. */
static void queue_gone(void *context)
{
    struct inbox *inbox = CONTEXT(context, struct inbox, INBOX_MAGIC);
    struct errand *kept = inbox->first && inbox->first->waits == WAITS_LETTER ? inbox->first : NULL;
    proposing_cancel(inbox->proposing);
    for (struct errand *errand = inbox->first, *following; errand; errand = following) {
        following = errand->next;
        if (errand != kept) errand_free(errand);
    }
    inbox->first = kept;
    inbox->count = kept != NULL;
    if (!kept) return;
    kept->next = NULL;
    if (kept->fd >= 0) close(kept->fd);
    kept->fd = -1;
}

struct inbox *inbox_new(struct service *service)
{
    struct inbox *inbox = memory_alloc(sizeof *inbox);
    inbox->magic = INBOX_MAGIC;
    inbox->service = service;
    static const struct proposing_events events = { lessons_done, mail_found, lessons_later };
    inbox->proposing = proposing_new(service->child.loop, &events, inbox);
    inbox->work = timer_new(service->child.loop, work, inbox);
    submission_listen(service->submission, (struct submission_listener){ queue_frame, queue_gone, inbox });
    return inbox;
}

struct inbox_facts inbox_facts(const struct inbox *inbox)
{
    return inbox->facts;
}
