/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "lookup/campaigns.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sysexits.h>

#include "base/codec.h"
#include "base/log.h"
#include "ipc/ask_master.h"
#include "ipc/message_id.h"
#include "lookup/command_reply.h"

enum { WAITING_MOST = 16 * 1024 /* bytes of what ledger is not told while it is away */ };
enum { LISTED_MOST = 200, NETWORKS_LISTED = 2 /* of fewer only where all are asked for */ };

struct campaigns {
    struct loop *loop;
    struct campaign_table *table;
    struct arena *arena;    /* of one frame */
    struct channel *ledger; /* NULL: gone */
    struct buffer waiting;  /* rulings for it, each as put_text writes it */
};

/* --- the file --- */

/* What the file had, or memory of ours. */
static void *room_take(int fd)
{
    void *room =
        fd < 0 ? MAP_FAILED : mmap(NULL, CAMPAIGN_FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (room != MAP_FAILED) return room;
    log_error("run/campaigns cannot be mapped: what is known of campaigns ends with this process");
    return memory_alloc(CAMPAIGN_FILE_BYTES);
}

struct campaigns *campaigns_new(struct loop *loop, int fd)
{
    struct campaigns *campaigns = memory_alloc(sizeof *campaigns);
    struct campaign_table_found found;
    campaigns->loop = loop;
    campaigns->arena = arena_new(0);
    campaigns->table = campaign_table_open(room_take(fd), &found);
    if (found.is_other)
        log_error("run/campaigns is damaged, or of another version: what it knew of campaigns is forgotten");
    if (found.damaged)
        log_error("run/campaigns: %u campaigns were damaged and are forgotten, %u are whole", found.damaged,
                  found.count);
    return campaigns;
}

uint32_t campaigns_count(const struct campaigns *campaigns)
{
    return campaign_table_count_all(campaigns->table);
}

/* --- other nodes --- */

static void ruling_send(struct campaigns *campaigns, struct text ruling)
{
    struct buffer *frame = channel_begin(campaigns->ledger, LOOKUP_CAMPAIGN_RULED, 0);
    buffer_add_text(frame, ruling);
    channel_end(campaigns->ledger);
}

void campaigns_set_ledger(struct campaigns *campaigns, struct channel *ledger)
{
    campaigns->ledger = ledger;
    if (!ledger) return;
    struct reader reader = reader_of(buffer_text(&campaigns->waiting));
    while (reader.rest.length && !reader.failed) ruling_send(campaigns, get_text(&reader));
    buffer_clear(&campaigns->waiting);
}

static void ruling_tell(struct campaigns *campaigns, const struct campaign_ruling *ruling)
{
    struct buffer bytes = { 0 };
    struct campaign_ruling read_back;
    campaign_ruling_put(ruling, &bytes);
    if (!campaign_ruling_get(buffer_text(&bytes), &read_back)) /* of a table that is damaged */
        log_error("a campaign is damaged: other nodes are not told of it");
    else if (campaigns->ledger)
        ruling_send(campaigns, buffer_text(&bytes));
    else if (buffer_length(&campaigns->waiting) < WAITING_MOST)
        put_text(&campaigns->waiting, buffer_text(&bytes));
    buffer_free(&bytes);
}

static bool ruled(struct campaigns *campaigns, const struct frame *frame)
{
    struct campaign_ruling ruling;
    if (!campaign_ruling_get(frame->payload, &ruling)) return false;
    uint64_t id = campaign_table_rule(campaigns->table, &ruling, loop_wall_ms(campaigns->loop));
    if (id)
        log_info("campaign %010" PRIx64 " is %s, as %.*s said on another node", id,
                 ruling.is_stopped ? "stopped" : "forgotten", TEXT_ARG(ruling.by));
    return true;
}

/* --- frames --- */

static bool seen_take(struct campaigns *campaigns, const struct frame *frame)
{
    struct campaign_seen seen;
    struct campaign_sketch sketch;
    if (!campaign_seen_get(campaigns->arena, frame->payload, &seen, &sketch)) return false;
    const struct campaign_message message = { .id = frame->id,
                                              .client = seen.client,
                                              .sender = seen.sender,
                                              .recipients = seen.recipients,
                                              .recipient_count = seen.recipient_count,
                                              .is_taken = seen.is_taken };
    campaign_table_count(campaigns->table, &sketch, &message, loop_wall_ms(campaigns->loop));
    return true;
}

static void report_log(uint64_t id, const struct campaign_report *report, uint64_t message)
{
    static const char *const words[CAMPAIGN_SAID_COUNT] = { [CAMPAIGN_SAID_SPAM] = "reported",
                                                            [CAMPAIGN_SAID_STOP] = "stopped",
                                                            [CAMPAIGN_SAID_HAM] = "said to be no spam",
                                                            [CAMPAIGN_SAID_GOOD] = "forgotten as ham" };
    char name[MESSAGE_ID_SIZE] = "";
    if (message) message_id_print(message, name);
    log_of(LOG_LEVEL_INFO, name, "campaign %010" PRIx64 " is %s by <%.*s>%s%s", id, words[report->said],
           TEXT_ARG(report->reporter), message ? ", message " : "", name);
}

/* Of each campaign that a report is about. */
struct reported {
    struct campaign_sketch sketches[CAMPAIGN_FILES_MOST];
    uint32_t count;
};

static void reported_add(const struct campaigns *campaigns, const struct campaign_sketch *piece,
                         struct reported *out)
{
    uint32_t number;
    if (campaign_table_seek(campaigns->table, piece, &number))
        campaign_table_sketch(campaigns->table, number, &out->sketches[out->count++]);
}

/* Of its text or line alone, where it has one. */
static struct reported reported_find(const struct campaigns *campaigns, const struct campaign_sketch *sketch)
{
    struct reported found = { .count = 0 };
    if (sketch->bands[0] || sketch->line) {
        reported_add(campaigns, sketch, &found);
        return found;
    }
    for (uint32_t i = 0; i < sketch->file_count; i++)
        reported_add(campaigns, &(struct campaign_sketch){ .file_count = 1, .files = { sketch->files[i] } },
                     &found);
    return found;
}

/* A stop that is in force now, and a campaign that he had stopped and is known no more. */
static void reported_tell(struct campaigns *campaigns, const struct reported *reported,
                          const struct campaign_report *report, uint64_t now_ms)
{
    bool is_stop = report->said == CAMPAIGN_SAID_STOP;
    for (uint32_t i = 0; i < reported->count; i++) {
        uint32_t number;
        bool is_known = campaign_table_seek(campaigns->table, &reported->sketches[i], &number);
        if (is_known == is_stop)
            ruling_tell(campaigns,
                        &(struct campaign_ruling){ .sketch = reported->sketches[i],
                                                   .is_stopped = is_stop,
                                                   .is_by_user = report->said != CAMPAIGN_SAID_GOOD,
                                                   .time_ms = now_ms,
                                                   .by = report->reporter });
    }
}

static uint64_t report_do(struct campaigns *campaigns, const struct campaign_report *report,
                          const struct campaign_sketch *sketch, uint64_t message, uint64_t now_ms)
{
    struct campaign_table *table = campaigns->table;
    switch (report->said) {
    case CAMPAIGN_SAID_HAM:
        return campaign_table_withdraw(table, sketch, report->reporter, now_ms);
    case CAMPAIGN_SAID_GOOD:
        return campaign_table_clear(table, sketch, now_ms);
    default:
        return campaign_table_report(table, sketch, report->reporter, message,
                                     report->said == CAMPAIGN_SAID_STOP, now_ms);
    }
}

/* What an administrator says comes from ledger, what users say from report. */
static bool report_take(struct campaigns *campaigns, enum process_kind from, const struct frame *frame)
{
    struct campaign_report report;
    struct campaign_sketch sketch;
    if (!campaign_report_get(frame->payload, &report, &sketch)) return false;
    if ((report.said == CAMPAIGN_SAID_GOOD) != (from == PROCESS_LEDGER)) return false;
    bool is_stop = report.said == CAMPAIGN_SAID_STOP;
    uint64_t now_ms = loop_wall_ms(campaigns->loop);
    struct reported reported = reported_find(campaigns, &sketch);
    uint64_t id = report_do(campaigns, &report, &sketch, frame->id, now_ms);
    if (id) report_log(id, &report, frame->id);
    if (is_stop) reported = reported_find(campaigns, &sketch);
    if (report.said != CAMPAIGN_SAID_SPAM) reported_tell(campaigns, &reported, &report, now_ms);
    return true;
}

bool campaigns_frame(struct campaigns *campaigns, enum process_kind from, const struct frame *frame)
{
    arena_reset(campaigns->arena);
    switch (frame->type) {
    case LOOKUP_CAMPAIGN_COUNT:
        return from == PROCESS_RECEIVE && seen_take(campaigns, frame);
    case LOOKUP_CAMPAIGN_REPORT:
        return (from == PROCESS_REPORT || from == PROCESS_LEDGER) && report_take(campaigns, from, frame);
    case LOOKUP_CAMPAIGN_RULED:
        return from == PROCESS_LEDGER && ruled(campaigns, frame);
    default:
        return false;
    }
}

/* --- commands --- */

static void view_print(const struct campaign_view *view, bool has_messages, struct buffer *out)
{
    const struct campaign_answer *about = &view->answer;
    char id[MESSAGE_ID_SIZE];
    buffer_printf(out,
                  "{\"id\":\"%010" PRIx64 "\",\"kind\":\"%s\",\"count\":%u,\"networks\":%u,\"senders\":%u,"
                  "\"recipients\":%u,\"since_ms\":%" PRIu64 ",\"last_ms\":%" PRIu64
                  ",\"reporters\":%u,\"stopped_ms\":%" PRIu64,
                  about->id, campaign_kind_name(about->kind), about->count, about->networks, about->senders,
                  about->recipients, about->since_ms, view->last_ms, about->reporters, view->stopped_ms);
    if (view->stopped_ms)
        buffer_printf(out, ",\"stopped_by\":\"%s\"", about->is_stopped_by_user ? "user" : "administrator");
    if (has_messages) buffer_add_text(out, TEXT(",\"messages\":["));
    for (uint32_t i = 0; has_messages && i < view->message_count; i++)
        buffer_printf(out, "%s\"%s\"", i ? "," : "", message_id_print(view->messages[i], id));
    buffer_add_text(out, has_messages ? TEXT("]}\n") : TEXT("}\n"));
}

/* Stopped and told of first, then by spread. */
static bool is_before(const struct campaign_answer *a, const struct campaign_answer *b)
{
    bool a_acts = a->is_stopped || a->reporters, b_acts = b->is_stopped || b->reporters;
    if (a_acts != b_acts) return a_acts;
    return a->networks != b->networks ? a->networks > b->networks : a->count > b->count;
}

static int by_weight(const void *left, const void *right)
{
    const struct campaign_view *a = left, *b = right;
    return is_before(&b->answer, &a->answer) - is_before(&a->answer, &b->answer);
}

static bool is_listed(const struct campaign_view *view, bool wants_all)
{
    const struct campaign_answer *about = &view->answer;
    return wants_all || about->is_stopped || about->reporters || about->networks >= NETWORKS_LISTED;
}

static void list_say(struct campaigns *campaigns, bool wants_all, int fd)
{
    struct buffer out = { 0 };
    struct campaign_view *views = memory_alloc(CAMPAIGN_MOST * sizeof *views);
    size_t count = 0;
    for (uint32_t i = 0; i < CAMPAIGN_MOST; i++)
        if (campaign_table_view(campaigns->table, i, loop_wall_ms(campaigns->loop), &views[count]) &&
            is_listed(&views[count], wants_all))
            count++;
    qsort(views, count, sizeof *views, by_weight);
    for (size_t i = 0; i < count && i < LISTED_MOST; i++) view_print(&views[i], false, &out);
    command_reply(fd, EX_OK, buffer_text(&out));
    free(views);
    buffer_free(&out);
}

/* "0123456789" of a campaign, or the id of a message. */
static bool id_find(const struct campaigns *campaigns, struct text word, uint32_t *out_number)
{
    uint64_t id = 0, message = 0;
    if (!message_id_parse(word, &message)) {
        for (size_t i = 0; i < word.length; i++) {
            int digit = char_hex_value(word.at[i]);
            if (digit < 0 || word.length > 10) return false;
            id = id << 4 | (unsigned)digit;
        }
    }
    return (id || message) && campaign_table_find(campaigns->table, id, message, out_number);
}

static void command_tell(struct campaigns *campaigns, uint32_t number, bool is_stop, struct text by)
{
    struct campaign_ruling ruling = { .is_stopped = is_stop,
                                      .time_ms = loop_wall_ms(campaigns->loop),
                                      .by = by };
    campaign_table_sketch(campaigns->table, number, &ruling.sketch);
    ruling_tell(campaigns, &ruling);
}

static void one_say(struct campaigns *campaigns, struct text by, struct text verb, struct text word, int fd)
{
    struct campaign_view view;
    struct buffer out = { 0 };
    uint32_t number;
    bool is_stop = text_equal(verb, TEXT("stop")), is_forget = text_equal(verb, TEXT("forget"));
    if (!id_find(campaigns, word, &number)) {
        command_reply(fd, EX_NOINPUT, TEXT("no campaign has that id, or names such a message"));
        return;
    }
    if (is_stop) campaign_table_stop(campaigns->table, number, loop_wall_ms(campaigns->loop));
    campaign_table_view(campaigns->table, number, loop_wall_ms(campaigns->loop), &view);
    if (is_stop || is_forget) command_tell(campaigns, number, is_stop, by);
    if (is_forget) campaign_table_forget(campaigns->table, number);
    if (is_stop || is_forget)
        log_info("campaign %010" PRIx64 " is %s by an administrator", view.answer.id,
                 is_stop ? "stopped" : "forgotten");
    view_print(&view, true, &out);
    command_reply(fd, EX_OK, buffer_text(&out));
    buffer_free(&out);
}

void campaigns_command(struct campaigns *campaigns, struct text by, struct text command, int fd)
{
    struct text word = TEXT_NONE, verb = TEXT_NONE, which = TEXT_NONE;
    text_next_word(&command, &word);
    text_next_word(&command, &verb);
    text_next_word(&command, &which);
    if (text_equal(verb, TEXT("list")))
        list_say(campaigns, text_equal(which, TEXT("all")), fd);
    else if (which.length && (text_equal(verb, TEXT("show")) || text_equal(verb, TEXT("stop")) ||
                              text_equal(verb, TEXT("forget"))))
        one_say(campaigns, by, verb, which, fd);
    else
        command_reply(fd, EX_USAGE, TEXT("unknown command"));
}
