/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Makes what goes out: the nightly report and alarms. */
#include <stdlib.h>

#include "base/context.h"
#include "base/json_text.h"
#include "base/log.h"
#include "base/plain.h"
#include "ipc/message_id.h"
#include "report/daily/compose.h"
#include "report/notice.h"
#include "report/service.h"
#include "statistics/calendar.h"

enum { NEXT_MS = 50, LEDGER_FRESH_MS = 5000 };

static uint64_t now_of(const struct service *service)
{
    return loop_wall_ms(service->child.loop);
}

/* The ledger is opened for each report and each look, so that nothing of it is held while nobody asks. */
static struct ledgerdb_reader *ledgerdb_reach(const struct service *service, struct buffer *why)
{
    struct ledgerdb_reader *ledgerdb;
    ledgerdb_open(service->ledger_path, &ledgerdb, why);
    return ledgerdb;
}

static void facts_look(struct service *service, struct ledgerdb_reader *ledgerdb, struct text why,
                       enum language language, int64_t *difference, struct arena *arena,
                       struct fact facts[FACT_COUNT])
{
    struct facts_source source = { .config = service->child.config,
                                   .ledgerdb = ledgerdb,
                                   .ledgerdb_why = why,
                                   .health = service->health,
                                   .ledger_apart = service->ledger_apart,
                                   .counters_fd = service->counters_fd,
                                   .state_fd = service->folder,
                                   .now_ms = now_of(service) };
    facts_gather(&source, language, difference, arena, facts);
}

static struct report_document *report_document_make(struct service *service, struct period period,
                                                    enum language language,
                                                    const struct account_line *accounts)
{
    struct arena *arena = arena_new(0);
    struct buffer why = { 0 };
    struct fact facts[FACT_COUNT];
    struct ledgerdb_reader *ledgerdb = ledgerdb_reach(service, &why);
    int64_t difference = service->balance_difference; /* the alarm's, not ours to change */
    facts_look(service, ledgerdb, buffer_text(&why), language, &difference, arena, facts);
    struct compose_source source = { .config = service->child.config,
                                     .ledgerdb = ledgerdb,
                                     .countries = service->countries,
                                     .facts = facts,
                                     .accounts = accounts,
                                     .ledger_path = service->ledger_path,
                                     .folder = service->folder,
                                     .now_ms = now_of(service) };
    struct report_document *document = compose_report(&source, period, language);
    ledgerdb_close(ledgerdb);
    buffer_free(&why);
    arena_free(arena);
    return document;
}

struct report_document *report_job_document(struct service *service, struct period period,
                                            enum language language)
{
    return report_document_make(service, period, language, NULL);
}

/* --- the journal against the ledger --- */

/* False: queue has not yet counted. */
static bool journal_look(const struct service *service, int64_t out[ACCOUNT_COUNT])
{
    struct counters_slot *queue = counters_map(service->counters_fd, COUNTERS_SLOT_QUEUE, false);
    struct counters_slot *base = counters_map(service->counters_fd, COUNTERS_SLOT_BASELINE, false);
    bool has_counted = queue && base && base->baseline.is_set;
    if (has_counted) accounts_of(&queue->queue, out);
    if (queue) counters_unmap(queue);
    if (base) counters_unmap(base);
    return has_counted;
}

/* Nothing waits that was told before the last look, and a ledger that hangs does not say so. */
static bool is_ledger_up_to_date(const struct service *service)
{
    struct counters_slot *page = counters_map(service->counters_fd, COUNTERS_SLOT_LEDGER, false);
    if (!page) return false;
    struct ledger_counters ledger = page->ledger;
    counters_unmap(page);
    bool is_fresh = ledger.time_ms + LEDGER_FRESH_MS > now_of(service);
    return is_fresh && !ledger.is_failing && !ledger.waiting_bytes;
}

/* False: not tonight. */
static bool night_close(struct service *service, struct account_line lines[ACCOUNT_COUNT])
{
    int64_t ledger[ACCOUNT_COUNT], after[ACCOUNT_COUNT];
    struct buffer why = { 0 };
    struct ledgerdb_reader *ledgerdb = ledgerdb_reach(service, &why);
    bool is_good =
        ledgerdb && service->has_journal && is_ledger_up_to_date(service) &&
        accounts_of_ledger(ledgerdb, service->child.config->node.number, ledger) == LEDGERDB_DONE &&
        journal_look(service, after);
    ledgerdb_close(ledgerdb);
    buffer_free(&why);
    if (!is_good) return false;
    service->accounts_next = service->accounts;
    accounts_close(&service->accounts_next, service->child.config->node.number, now_of(service),
                   service->journal_before, ledger, after, lines);
    service->ledger_apart = 0;
    for (int i = 0; i < ACCOUNT_COUNT; i++)
        if (!service->ledger_apart) service->ledger_apart = lines[i].apart;
    return true;
}

static void night_keep(struct service *service)
{
    if (service->accounts_next.time_ms <= service->accounts.time_ms) return;
    service->accounts = service->accounts_next;
    accounts_write(service->folder, &service->accounts);
}

void report_job_accounts(struct service *service)
{
    struct account_line lines[ACCOUNT_COUNT];
    bool is_first = service->accounts.time_ms == 0;
    if (is_first && night_close(service, lines)) night_keep(service);
    service->has_journal = journal_look(service, service->journal_before);
}

/* --- the nightly report --- */

static void nightly_done(void *context, uint64_t id, bool is_kept, struct text why)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    char room[MESSAGE_ID_SIZE];
    service->is_sending = false;
    if (is_kept) {
        log_of(LOG_LEVEL_INFO, message_id_print(id, room), "%s: the report of %u", room,
               service->nightly.offered_day);
        service->nightly.done_day = service->nightly.offered_day;
        service->reports++;
        night_keep(service);
        timer_set(service->night, NEXT_MS); /* there may be more to make up for */
    } else {
        log_warning("the report of %u is not kept yet: %.*s", service->nightly.offered_day, TEXT_ARG(why));
    }
    service->nightly.offered_day = 0;
    service->nightly.offered_id = 0;
    nightly_write(service->folder, &service->nightly);
}

static void nightly_send(struct service *service, uint32_t day)
{
    const struct config *config = service->child.config;
    char id[MESSAGE_ID_SIZE];
    service->nightly.offered_day = day;
    service->nightly.offered_id = submission_next_id(service->submission);
    if (!nightly_write(service->folder, &service->nightly)) return; /* else it might go out at every look */
    struct buffer letter = { 0 };
    struct account_line lines[ACCOUNT_COUNT];
    bool is_closed = service->accounts.time_ms && night_close(service, lines);
    struct report_document *document = report_document_make(
        service, period_of(PERIOD_DAY, day), config->report.language, is_closed ? lines : NULL);
    message_id_print(service->nightly.offered_id, id);
    report_document_print_letter(document, config->admin, config->report.to, text_of(id), &letter);
    service->is_sending = true;
    submission_send(service->submission, service->nightly.offered_id, config->report.to, buffer_text(&letter),
                    (struct submission_waiter){ nightly_done, service });
    report_document_free(document);
    buffer_free(&letter);
}

void report_job_nightly(struct service *service)
{
    const struct config *config = service->child.config;
    uint32_t due = nightly_due((time_t)(now_of(service) / 1000), config->report.at_minutes);
    if (service->is_sending || !submission_is_open(service->submission)) return;
    if (service->nightly.offered_day) { /* an earlier life of ours handed it over and heard no answer */
        service->is_sending = true;
        submission_ask(service->submission, service->nightly.offered_id,
                       (struct submission_waiter){ nightly_done, service });
        return;
    }
    if (!service->nightly.done_day ||
        !config->report.to.length) { /* what is past when it is configured stays so */
        bool is_new = service->nightly.done_day != due;
        service->nightly.done_day = due;
        if (is_new) nightly_write(service->folder, &service->nightly);
        return;
    }
    uint32_t day = nightly_next(&service->nightly, due);
    if (day) nightly_send(service, day);
}

/* --- alarms --- */

static void alarm_done(void *context, uint64_t id, bool is_kept, struct text why)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    char room[MESSAGE_ID_SIZE];
    service->alarm_mails += is_kept;
    if (is_kept)
        log_of(LOG_LEVEL_INFO, message_id_print(id, room), "%s: an alarm mail", room);
    else
        log_error("an alarm mail is not kept: %.*s", TEXT_ARG(why));
}

static void alarm_send(struct service *service, struct text lines, struct text subject,
                       struct submission_waiter waiter)
{
    const struct config *config = service->child.config;
    struct buffer letter = { 0 };
    char room[MESSAGE_ID_SIZE];
    uint64_t id = submission_next_id(service->submission);
    struct notice notice = { .from = config->admin,
                             .to = config->report.to,
                             .hostname = config->hostname,
                             .id = text_of(message_id_print(id, room)),
                             .subject = subject,
                             .now_ms = now_of(service) };
    notice_print(&notice, lines, &letter);
    submission_send(service->submission, id, config->report.to, buffer_text(&letter), waiter);
    buffer_free(&letter);
}

/* One look: the news of all facts go into one mail, and each to the hook. */
struct news {
    struct service *service;
    struct fact facts[FACT_COUNT], english[FACT_COUNT];
    struct buffer lines, subject;
};

static const char *const news_words[] = {
    [ALARM_RAISED] = N_("Alarm"), [ALARM_LASTS] = N_("Alarm lasts"), [ALARM_OVER] = N_("Alarm over")
};

static void news_hook(struct news *news, enum fact_kind kind, enum alarm_news what)
{
    static const enum alarm_state states[] = { [ALARM_RAISED] = ALARM_STATE_RAISED,
                                               [ALARM_LASTS] = ALARM_STATE_LASTS,
                                               [ALARM_OVER] = ALARM_STATE_OVER };
    if (!news->service->child.config->alarm.hook.count) return;
    hooks_tell(news->service->hooks,
               &(struct alarm_notice){ .time_ms = now_of(news->service),
                                       .state = states[what],
                                       .alarm = text_of(fact_word(kind)),
                                       .english = news->english[kind].says,
                                       .local = news->facts[kind].says },
               (struct hooks_waiter){ 0 });
}

static void news_add(struct news *news, enum fact_kind kind, enum alarm_news what)
{
    enum language language = news->service->child.config->report.language;
    const char *name = words_say(language, fact_name(kind));
    log_warning("ALARM: %s: %s: %.*s", news_words[what], fact_name(kind), TEXT_ARG(news->english[kind].says));
    if (!buffer_length(&news->subject))
        buffer_printf(&news->subject, "%s: %s", words_say(language, news_words[what]), name);
    else
        buffer_printf(&news->subject, "%s%s", words_say(language, N_(", ")), name);
    buffer_printf(&news->lines, "%s: %s: ", words_say(language, news_words[what]), name);
    plain_add(&news->lines, news->facts[kind].says, REPORT_DOCUMENT_LINE_MOST);
    buffer_add_char(&news->lines, '\n');
    news_hook(news, kind, what);
}

/* In the report's language, and in English for the log and the hook. */
static void news_look(struct news *news, struct arena *arena)
{
    struct service *service = news->service;
    struct buffer why = { 0 };
    enum language language = service->child.config->report.language;
    int64_t difference = service->balance_difference;
    struct ledgerdb_reader *ledgerdb = ledgerdb_reach(service, &why);
    struct text no_ledgerdb = arena_text(arena, buffer_text(&why));
    facts_look(service, ledgerdb, no_ledgerdb, LANGUAGE_EN, &difference, arena, news->english);
    facts_look(service, ledgerdb, no_ledgerdb, language, &service->balance_difference, arena, news->facts);
    ledgerdb_close(ledgerdb);
    buffer_free(&why);
}

void report_job_facts(struct service *service, struct buffer *out)
{
    static const char *const states[] = { "unknown", "good", "bad" };
    struct arena *arena = arena_new(0);
    struct buffer why = { 0 };
    struct fact facts[FACT_COUNT];
    int64_t difference = service->balance_difference; /* the alarm's, not ours to change */
    struct ledgerdb_reader *ledgerdb = ledgerdb_reach(service, &why);
    facts_look(service, ledgerdb, buffer_text(&why), LANGUAGE_EN, &difference, arena, facts);
    buffer_add_text(out, TEXT("{\"facts\":["));
    for (int i = 0; i < FACT_COUNT; i++) {
        buffer_printf(out, "%s{\"fact\":\"%s\",\"state\":\"%s\",\"says\":", i ? "," : "",
                      fact_word((enum fact_kind)i), states[facts[i].state]);
        json_text_add(out, facts[i].says);
        buffer_add_char(out, '}');
    }
    buffer_add_text(out, TEXT("]}"));
    ledgerdb_close(ledgerdb);
    buffer_free(&why);
    arena_free(arena);
}

void report_job_alarms(struct service *service)
{
    struct arena *arena = arena_new(0);
    struct news news = { .service = service };
    news_look(&news, arena);
    for (int i = 0; i < FACT_COUNT; i++) {
        enum alarm_news what = alarm_look(&service->alarms[i], news.facts[i].state, now_of(service));
        if (what != ALARM_NOTHING) news_add(&news, (enum fact_kind)i, what);
    }
    if (buffer_length(&news.lines) > 0) {
        if (service->child.config->report.to.length)
            alarm_send(service, buffer_text(&news.lines), buffer_text(&news.subject),
                       (struct submission_waiter){ alarm_done, service });
        alarms_write(service->folder, service->alarms);
    }
    buffer_free(&news.lines);
    buffer_free(&news.subject);
    arena_free(arena);
}

static struct text alert_line(struct arena *arena, const struct alert *alert, bool is_japanese)
{
    return arena_printf(arena, "%s: %.*s, %.*s <%.*s> -> <%.*s>", alert_subject(alert->kind, is_japanese),
                        TEXT_ARG(alert->reason), TEXT_ARG(alert->client), TEXT_ARG(alert->sender),
                        TEXT_ARG(alert->recipient));
}

void report_job_alert(struct service *service, const struct alert *alert)
{
    const struct config *config = service->child.config;
    if (!config->alarm.hook.count) return;
    struct arena *arena = arena_new(1024);
    hooks_tell(
        service->hooks,
        &(struct alarm_notice){ .time_ms = now_of(service),
                                .state = ALARM_STATE_RAISED,
                                .alarm = text_of(alert_word(alert->kind)),
                                .english = alert_line(arena, alert, false),
                                .local = alert_line(arena, alert, config->report.language == LANGUAGE_JA) },
        (struct hooks_waiter){ 0 });
    arena_free(arena);
}

unsigned report_job_alarm_test(struct service *service, struct submission_waiter mail,
                               struct hooks_waiter hook)
{
    static const char subject[] = N_("Test alarm"), says[] = N_("This is a test. Nothing is wrong.");
    const struct config *config = service->child.config;
    enum language language = config->report.language;
    bool has_mail = config->report.to.length > 0, has_hook = config->alarm.hook.count > 0;
    struct text local = text_of(words_say(language, says));
    struct buffer lines = { 0 };
    buffer_printf(&lines, "%.*s\n", TEXT_ARG(local));
    if (has_mail) alarm_send(service, buffer_text(&lines), text_of(words_say(language, subject)), mail);
    if (has_hook)
        hooks_tell(service->hooks,
                   &(struct alarm_notice){ .time_ms = now_of(service),
                                           .state = ALARM_STATE_RAISED,
                                           .alarm = TEXT("test"),
                                           .english = text_of(says),
                                           .local = local },
                   hook);
    buffer_free(&lines);
    return (unsigned)has_mail + has_hook;
}
