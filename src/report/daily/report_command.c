/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Answers `sekimori report`: a report of any time, as a file's bytes or as a mail; `sekimori health --all`;
   and `trace` and `stats` of who may not read the ledger's files. */
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "base/codec.h"
#include "base/context.h"
#include "base/log.h"
#include "ipc/message_id.h"
#include "ledgerdb/search_wire.h"
#include "mail/mailbox.h"
#include "report/service.h"
#include "statistics/calendar.h"
#include "statistics/statistics.h"

struct customer {
    enum { CUSTOMER_MAGIC = 0x6a49bebb } magic;
    struct channel *channel; /* NULL: it has gone */
    bool waits;              /* for queue or a hook */
};

static void customer_drop(struct customer *customer)
{
    channel_close(customer->channel);
    customer->channel = NULL;
    if (!customer->waits) free(customer);
}

static void say_last(struct customer *customer, int code, struct text text)
{
    struct buffer *out = channel_begin(customer->channel, MASTER_DONE, 0);
    put_u8(out, (uint8_t)code);
    put_text(out, text);
    channel_end(customer->channel);
}

/* --- orders --- */

struct order {
    struct period period;
    enum language language;
    bool is_mail;
    struct text to; /* an address, or "html", "txt", "eml" */
};

/* In ASCII: the letter's To field is not made for more. */
static bool is_address(struct text text)
{
    struct mailbox mailbox;
    return mailbox_parse(text, false, &mailbox) == MAILBOX_GOOD && mailbox.domain.length &&
           !mailbox.needs_smtputf8;
}

static bool order_read(struct text command, const struct config *config, struct order *out)
{
    struct text period, language, how;
    bool is_whole = text_next_word(&command, &period) && text_next_word(&command, &language) &&
                    text_next_word(&command, &how) && text_next_word(&command, &out->to);
    if (!is_whole || !period_parse(period, &out->period)) return false;
    out->language = text_equal(language, TEXT("ja"))   ? LANGUAGE_JA
                    : text_equal(language, TEXT("en")) ? LANGUAGE_EN
                                                       : config->report.language;
    out->is_mail = text_equal(how, TEXT("to"));
    return true;
}

static void mail_done(void *context, uint64_t id, bool is_kept, struct text why)
{
    struct customer *customer = CONTEXT(context, struct customer, CUSTOMER_MAGIC);
    char room[MESSAGE_ID_SIZE];
    customer->waits = false;
    if (!customer->channel)
        free(customer);
    else if (is_kept)
        say_last(customer, EX_OK, text_of(message_id_print(id, room)));
    else
        say_last(customer, EX_TEMPFAIL, why);
}

static void mail_order(struct service *service, struct customer *customer, const struct order *order,
                       const struct report_document *document)
{
    char room[MESSAGE_ID_SIZE];
    struct buffer letter = { 0 };
    uint64_t id = submission_next_id(service->submission);
    message_id_print(id, room);
    report_document_print_letter(document, service->child.config->admin, order->to, text_of(room), &letter);
    customer->waits = true;
    submission_send(service->submission, id, order->to, buffer_text(&letter),
                    (struct submission_waiter){ mail_done, customer });
    buffer_free(&letter);
}

static void file_order(struct service *service, struct customer *customer, const struct order *order,
                       const struct report_document *document)
{
    const struct config *config = service->child.config;
    char room[MESSAGE_ID_SIZE];
    struct text to = config->report.to.length ? config->report.to : config->admin;
    struct buffer bytes = { 0 };
    if (text_equal(order->to, TEXT("html")))
        report_document_print_html(document, false, &bytes);
    else if (text_equal(order->to, TEXT("eml")))
        report_document_print_letter(document, config->admin, to,
                                     text_of(message_id_print(submission_next_id(service->submission), room)),
                                     &bytes);
    else
        report_document_print_text(document, &bytes);
    child_say(customer->channel, buffer_text(&bytes));
    say_last(customer, EX_OK, TEXT_NONE);
    buffer_free(&bytes);
}

static void report_order(struct service *service, struct customer *customer, struct text command)
{
    struct order order;
    if (!order_read(command, service->child.config, &order)) {
        say_last(customer, EX_USAGE, TEXT("report PERIOD LANGUAGE as html|txt|eml, or to ADDRESS"));
        return;
    }
    if (order.is_mail && !is_address(order.to)) {
        say_last(customer, EX_USAGE, TEXT("that is no address that mail can be sent to"));
        return;
    }
    if (order.period.from_day > calendar_of((time_t)(loop_wall_ms(service->child.loop) / 1000))) {
        say_last(customer, EX_USAGE, TEXT("that time is still to come"));
        return;
    }
    struct report_document *document = report_job_document(service, order.period, order.language);
    if (order.is_mail)
        mail_order(service, customer, &order, document);
    else
        file_order(service, customer, &order, document);
    report_document_free(document);
}

/* --- a test of the alarms --- */

struct trial {
    enum { TRIAL_MAGIC = 0x4c7be1a3 } magic;
    struct customer *customer;
    unsigned waits; /* answers that are to come */
    int code;
    struct buffer says;
};

static void trial_say(struct trial *trial, const char *what, struct text says, bool is_good)
{
    buffer_printf(&trial->says, "%s%s: %.*s", buffer_length(&trial->says) ? "\n" : "", what, TEXT_ARG(says));
    if (!is_good) trial->code = EX_TEMPFAIL;
    if (--trial->waits) return;
    trial->customer->waits = false;
    if (trial->customer->channel)
        say_last(trial->customer, trial->code, buffer_text(&trial->says));
    else
        free(trial->customer);
    buffer_free(&trial->says);
    free(trial);
}

static void trial_mail_done(void *context, uint64_t id, bool is_kept, struct text why)
{
    char room[MESSAGE_ID_SIZE];
    trial_say(CONTEXT(context, struct trial, TRIAL_MAGIC), "mail",
              is_kept ? text_of(message_id_print(id, room)) : why, is_kept);
}

static void trial_hook_done(void *context, const struct program_end *end)
{
    struct buffer says = { 0 };
    program_end_say(end, &says);
    trial_say(CONTEXT(context, struct trial, TRIAL_MAGIC), "hook", buffer_text(&says),
              program_end_is_good(end));
    buffer_free(&says);
}

static void trial_order(struct service *service, struct customer *customer)
{
    struct trial *trial = memory_alloc(sizeof *trial);
    *trial = (struct trial){ .magic = TRIAL_MAGIC, .customer = customer, .code = EX_OK };
    trial->waits = report_job_alarm_test(service, (struct submission_waiter){ trial_mail_done, trial },
                                         (struct hooks_waiter){ trial_hook_done, trial });
    customer->waits = trial->waits > 0;
    if (trial->waits) return;
    free(trial);
    say_last(customer, EX_CONFIG, TEXT("neither report to nor alarm hook is set: nobody would hear of it"));
}

static void missed_order(struct service *service, struct customer *customer)
{
    char said[32];
    snprintf(said, sizeof said, "%u", missed_spam_take(service));
    say_last(customer, EX_OK, text_of(said));
}

static void facts_order(struct service *service, struct customer *customer)
{
    struct buffer json = { 0 };
    report_job_facts(service, &json);
    say_last(customer, EX_OK, buffer_text(&json));
    buffer_free(&json);
}

static void digest_order(struct service *service, struct customer *customer)
{
    struct buffer says = { 0 };
    int code = digest_job_now(service, &says);
    say_last(customer, code, buffer_text(&says));
    buffer_free(&says);
}

/* --- questions of who may not read the ledger --- */

enum { TRACE_MOST = 1000 }; /* hits of an answer that goes over the socket */

/* NULL: it was said why not. */
static struct ledgerdb_reader *ledger_look(struct service *service, struct customer *customer)
{
    struct ledgerdb_reader *ledgerdb;
    struct buffer why = { 0 };
    enum ledgerdb_outcome outcome = ledgerdb_open(service->ledger_path, &ledgerdb, &why);
    if (outcome != LEDGERDB_DONE) say_last(customer, EX_UNAVAILABLE, buffer_text(&why));
    buffer_free(&why);
    return outcome == LEDGERDB_DONE ? ledgerdb : NULL;
}

static void trace_answer(struct customer *customer, struct ledgerdb_reader *ledgerdb,
                         const struct search_question *question, struct arena *arena)
{
    struct search_result result;
    struct buffer bytes = { 0 };
    if (search_run(ledgerdb, question, arena, &result) == LEDGERDB_DONE) {
        search_result_put(&result, &bytes);
        child_say(customer->channel, buffer_text(&bytes));
        say_last(customer, EX_OK, TEXT_NONE);
    } else {
        say_last(customer, EX_UNAVAILABLE,
                 TEXT("the ledger cannot be read now, or it takes too long: ask for less time"));
    }
    buffer_free(&bytes);
}

/* `bytes`: the question as ledgerdb/search_wire.h has it. */
static void trace_order(struct service *service, struct customer *customer, struct text bytes)
{
    struct search_question question;
    struct arena *arena = arena_new(0);
    struct ledgerdb_reader *ledgerdb = NULL;
    if (!search_question_get(bytes, arena, &question))
        say_last(customer, EX_PROTOCOL, TEXT("that is no question of this version"));
    else
        ledgerdb = ledger_look(service, customer);
    if (ledgerdb) {
        if (question.most > TRACE_MOST) question.most = TRACE_MOST;
        trace_answer(customer, ledgerdb, &question, arena);
    }
    ledgerdb_close(ledgerdb);
    arena_free(arena);
}

/* Tables as `sekimori stats` prints them: `form` is t (text), c (CSV) or j (JSON). */
static void sheets_say(struct customer *customer, struct sheet *const *sheets, size_t count, char form)
{
    struct buffer out = { 0 };
    for (size_t i = 0; i < count; i++) {
        if (form == 'j') buffer_add_char(&out, i ? ',' : '[');
        if (form == 't' && i) buffer_add_char(&out, '\n');
        if (form == 'c' && i) buffer_add_text(&out, TEXT("\r\n"));
        if (form == 't') sheet_print_text(sheets[i], NULL, &out);
        if (form == 'c') sheet_print_csv(sheets[i], &out);
        if (form == 'j') sheet_print_json(sheets[i], &out);
    }
    if (form == 'j') buffer_add_text(&out, TEXT("]\n"));
    child_say(customer->channel, buffer_text(&out));
    say_last(customer, EX_OK, TEXT_NONE);
    buffer_free(&out);
}

/* The form, then the wish as statistics_wish_put() has it. */
static void stats_order(struct service *service, struct customer *customer, struct text bytes)
{
    struct statistics_wish wish;
    struct sheet *sheets[STATISTICS_SHEETS];
    size_t count;
    struct arena *arena = arena_new(0);
    struct ledgerdb_reader *ledgerdb = NULL;
    if (bytes.length == 0 || !statistics_wish_get(text_slice(bytes, 1, bytes.length), &wish))
        say_last(customer, EX_PROTOCOL, TEXT("that is no question of this version"));
    else
        ledgerdb = ledger_look(service, customer);
    if (ledgerdb && statistics_make(ledgerdb, &wish, arena, sheets, &count) == LEDGERDB_DONE)
        sheets_say(customer, sheets, count, bytes.at[0]);
    else if (ledgerdb)
        say_last(customer, EX_UNAVAILABLE, TEXT("the ledger cannot be read now, or it takes too long"));
    ledgerdb_close(ledgerdb);
    arena_free(arena);
}

static bool on_frame(void *context, struct frame *frame)
{
    return false; /* one command a connection */
}

static void on_closed(void *context)
{
    customer_drop(CONTEXT(context, struct customer, CUSTOMER_MAGIC));
}

void report_command_serve(struct service *service, struct text command, int fd)
{
    static const struct channel_events events = { on_frame, on_closed };
    struct customer *customer = memory_alloc(sizeof *customer);
    customer->magic = CUSTOMER_MAGIC;
    struct text word, all = command;
    customer->channel = channel_open(service->child.loop, fd, &events, customer);
    if (text_starts(all, TEXT("trace ")))
        trace_order(service, customer, text_slice(all, 6, all.length));
    else if (text_starts(all, TEXT("stats ")))
        stats_order(service, customer, text_slice(all, 6, all.length));
    else if (text_next_word(&command, &word) && text_equal(word, TEXT("missed")))
        missed_order(service, customer);
    else if (text_equal(all, TEXT("digest now")))
        digest_order(service, customer);
    else if (text_equal(all, TEXT("facts")))
        facts_order(service, customer);
    else if (text_equal(all, TEXT("report test-alarm")))
        trial_order(service, customer);
    else
        report_order(service, customer, command);
}
