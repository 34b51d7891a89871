/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The report process, shared by its files: main.c starts it and keeps the clock, report_job.c makes reports
   and alarms, report_command.c answers `sekimori report`, inbox.c does what mail to the node itself wants. */
#ifndef SEKIMORI_REPORT_SERVICE_H
#define SEKIMORI_REPORT_SERVICE_H

#include "config/settings.h"
#include "ipc/child.h"
#include "ipc/ring.h"
#include "report/alarm.h"
#include "report/daily/accounts.h"
#include "report/daily/nightly.h"
#include "report/daily/report_document.h"
#include "report/digest/digest_recipients.h"
#include "report/hooks.h"
#include "report/missed/inbox.h"
#include "report/submission.h"
#include "statistics/country.h"

struct service {
    enum { SERVICE_MAGIC = 0x325a6d19 } magic;
    struct child child;
    struct submission *submission;
    struct inbox *inbox;
    struct hooks *hooks;
    struct ring *events;
    int folder, learn_folder; /* descriptors of report/ and learn/ */
    int counters_fd;
    struct health_page *health; /* NULL: none */
    char ledger_path[4000];
    struct country_file *countries;
    struct timer *clock, *night; /* the next look; the next nightly report of several */
    struct nightly nightly;
    struct alarm alarms[FACT_COUNT];
    int64_t balance_difference;
    struct accounts accounts, accounts_next; /* next: of the report that is with queue */
    int64_t journal_before[ACCOUNT_COUNT];   /* at the last look, if `has_journal` */
    bool has_journal;
    int64_t ledger_apart;
    bool is_sending; /* a nightly report is with queue */
    uint64_t reports, alarm_mails;
    struct timer *mail; /* the next digest of several */
    struct digest_mailing mailing;
    struct held_rows digest_mailing_rows; /* of the day under way, in digest_mailing_arena */
    struct arena *digest_mailing_arena;   /* NULL: not gathered */
    bool is_mailing, is_repeating;        /* a digest is with queue; the last one goes again */
    uint64_t digests;
    uint64_t missed_bytes; /* about what learn/missed/kept takes */
    bool missed_counted;
};

/* digest_sending.c: the next digest, if one is due and none is under way. */
void digest_job_look(struct service *service);
/* Begins a mailing of what is newly held, whatever the time; goes on with one that is under way. A code of
   sysexits.h, and one sentence. The next daily digest comes as if there had been none. */
int digest_job_now(struct service *service, struct buffer *says);

/* report_job.c */
/* The caller's, by report_document_free. The ledger need not be open. */
struct report_document *report_job_document(struct service *service, struct period period,
                                            enum language language);
/* The nightly report, if one is due and none is under way. */
void report_job_nightly(struct service *service);
/* At each look: what the journal counts now, to hold the ledger against at the next. */
void report_job_accounts(struct service *service);
/* Looks at the facts, and writes a mail when there is news. */
void report_job_alarms(struct service *service);
/* {"facts":[{"fact":…,"state":"good"|"bad"|"unknown","says":…}…]}, in English, as they are now. */
void report_job_facts(struct service *service, struct buffer *out);
/* The hook of what queue told the administrator of by mail: it has no end, so it is only ever raised. */
void report_job_alert(struct service *service, const struct alert *alert);
/* A mail and a hook of an alarm that is none, as far as they are configured. How many of the two will answer.
 */
unsigned report_job_alarm_test(struct service *service, struct submission_waiter mail,
                               struct hooks_waiter hook);

/* report_command.c: "report PERIOD LANGUAGE as html|txt|eml" or "report PERIOD LANGUAGE to ADDRESS"
   (period_parse); "report test-alarm"; "missed"; "digest now"; "facts"; "trace " and "stats " with a question
   in bytes. */
void report_command_serve(struct service *service, struct text command, int fd);

/* missed_spam.c: tells the ledger of what was put into learn/missed, and keeps it for learning. How many
 * there were. */
unsigned missed_spam_take(struct service *service);
/* Puts messages there, all on disk when true. The same message is the same file. */
bool missed_spam_put(struct service *service, enum missed_kind kind, const struct text *messages,
                     size_t count);

#endif
