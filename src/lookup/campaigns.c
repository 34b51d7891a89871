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

enum { LISTED_MOST = 200, NETWORKS_LISTED = 2 /* of fewer only where all are asked for */ };

struct campaigns {
    struct loop *loop;
    struct campaign_table *table;
    struct arena *arena; /* of one frame */
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
                                                            [CAMPAIGN_SAID_HAM] = "said to be no spam" };
    char name[MESSAGE_ID_SIZE] = "";
    if (message) message_id_print(message, name);
    log_of(LOG_LEVEL_INFO, name, "campaign %010" PRIx64 " is %s by <%.*s>%s%s", id, words[report->said],
           TEXT_ARG(report->reporter), message ? ", message " : "", name);
}

static bool report_take(struct campaigns *campaigns, const struct frame *frame)
{
    struct campaign_report report;
    struct campaign_sketch sketch;
    if (!campaign_report_get(frame->payload, &report, &sketch)) return false;
    bool is_stop = report.said == CAMPAIGN_SAID_STOP;
    uint64_t now_ms = loop_wall_ms(campaigns->loop);
    uint64_t id =
        report.said == CAMPAIGN_SAID_HAM
            ? campaign_table_withdraw(campaigns->table, &sketch, report.reporter, now_ms)
            : campaign_table_report(campaigns->table, &sketch, report.reporter, frame->id, is_stop, now_ms);
    if (id) report_log(id, &report, frame->id);
    return true;
}

bool campaigns_frame(struct campaigns *campaigns, bool is_report, const struct frame *frame)
{
    arena_reset(campaigns->arena);
    if (frame->type == LOOKUP_CAMPAIGN_REPORT) return is_report && report_take(campaigns, frame);
    return !is_report && seen_take(campaigns, frame);
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

static void one_say(struct campaigns *campaigns, struct text verb, struct text word, int fd)
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
    if (is_forget) campaign_table_forget(campaigns->table, number);
    if (is_stop || is_forget)
        log_info("campaign %010" PRIx64 " is %s by an administrator", view.answer.id,
                 is_stop ? "stopped" : "forgotten");
    view_print(&view, true, &out);
    command_reply(fd, EX_OK, buffer_text(&out));
    buffer_free(&out);
}

void campaigns_command(struct campaigns *campaigns, struct text command, int fd)
{
    struct text word = TEXT_NONE, verb = TEXT_NONE, which = TEXT_NONE;
    text_next_word(&command, &word);
    text_next_word(&command, &verb);
    text_next_word(&command, &which);
    if (text_equal(verb, TEXT("list")))
        list_say(campaigns, text_equal(which, TEXT("all")), fd);
    else if (which.length && (text_equal(verb, TEXT("show")) || text_equal(verb, TEXT("stop")) ||
                              text_equal(verb, TEXT("forget"))))
        one_say(campaigns, verb, which, fd);
    else
        command_reply(fd, EX_USAGE, TEXT("unknown command"));
}
