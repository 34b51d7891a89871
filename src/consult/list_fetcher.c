/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One job at a time: a name to addresses, a transfer (perhaps another, where it has moved), lookup's word,
   the copy. A file that is kept is offered as a job of its own. */
#include "consult/list_fetcher.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/context.h"
#include "base/log.h"
#include "base/tls.h"
#include "config/list_setting.h"
#include "consult/list_store.h"
#include "ipc/ask_lookup.h"
#include "ipc/child.h"

enum {
    MOVES_MOST = 3,
    HOST_MS = 15000,
    SOON_MS = 1000,
    BYTES_MOST = 256 << 20,
    TROUBLE_SIZE = LOOKUP_TROUBLE_MOST
};

struct fetched {
    const struct list_setting *setting;
    char *kept; /* its name in the folder */
    struct list_record record;
    uint64_t due_ms; /* by loop_now_ms */
    uint32_t failures;
    char trouble[TROUBLE_SIZE];
    bool is_wanted; /* lookup has not got what is kept */
};

enum stage { STAGE_IDLE, STAGE_ADDRESSES, STAGE_TRANSFER, STAGE_OFFER, STAGE_OFFER_KEPT };

struct job {
    enum stage stage;
    struct fetched *list;
    char url[WEB_ADDRESS_MOST + 1]; /* of this step */
    struct web_address where;
    unsigned moves;
    struct list_transfer *transfer;
    struct list_record record; /* of what came */
    int fd;                    /* what came, while lookup looks; else -1 */
};

struct list_fetcher {
    enum { LIST_FETCHER_MAGIC = 0x39fa07c4 } magic;
    struct loop *loop;
    int folder;
    struct list_transfers *transfers;
    struct channel *lookup; /* NULL: it is being restarted */
    struct timer *timer;
    struct fetched *items;
    size_t count;
    struct job job;
    uint64_t question; /* the id of what was asked last */
};

/* --- what comes of a job --- */

static void look_soon(struct list_fetcher *fetcher)
{
    timer_set(fetcher->timer, 0);
}

static void job_end(struct list_fetcher *fetcher)
{
    if (fetcher->job.fd >= 0) close(fetcher->job.fd);
    fetcher->job = (struct job){ .fd = -1 };
    look_soon(fetcher);
}

/* Nothing is known by it: `list` is as before. */
static void job_drop(struct list_fetcher *fetcher)
{
    if (fetcher->job.stage == STAGE_TRANSFER) list_transfer_cancel(fetcher->job.transfer);
    fetcher->question++;
    job_end(fetcher);
}

static void lookup_tell(struct list_fetcher *fetcher, const struct fetched *list)
{
    const struct list_fetched told = { list->setting->name, list->record.fetched_ms, text_of(list->trouble) };
    if (fetcher->lookup) lookup_list_tell(fetcher->lookup, 0, &told, -1);
}

static void again_later(struct list_fetcher *fetcher, struct fetched *list)
{
    uint64_t every_ms = list->setting->every_ms;
    uint64_t chance_ms = (uint64_t)lrand48() % (every_ms / 10 + 1); /* nodes come one after the other */
    uint64_t after_ms = list->failures ? list_reply_retry_ms(list->failures, every_ms) : every_ms + chance_ms;
    list->due_ms = loop_now_ms(fetcher->loop) + after_ms;
    lookup_tell(fetcher, list);
    job_end(fetcher);
}

/* The alarm comes once for each reason. */
static void failed(struct list_fetcher *fetcher, const char *why)
{
    struct fetched *list = fetcher->job.list;
    char says[TROUBLE_SIZE];
    size_t length = text_copy_printable(text_of(fetcher->job.url), says, 150);
    snprintf(says + length, sizeof says - length, ": %s", why);
    list->failures++;
    if (strcmp(list->trouble, says) != 0)
        log_error("ALARM: list %.*s is not fetched: %s; what there is of it stays in force",
                  TEXT_ARG(list->setting->name), says);
    memcpy(list->trouble, says, sizeof says);
    again_later(fetcher, list);
}

static void is_newest(struct list_fetcher *fetcher, struct fetched *list)
{
    if (list->failures > 0) log_info("list %.*s is fetched again", TEXT_ARG(list->setting->name));
    list->record.fetched_ms = loop_wall_ms(fetcher->loop);
    list->failures = 0;
    list->trouble[0] = '\0';
}

/* --- lookup's word --- */

static void offer(struct list_fetcher *fetcher, int fd, enum stage stage)
{
    struct job *job = &fetcher->job;
    const struct list_fetched told = { job->list->setting->name, job->record.came_ms, TEXT_NONE };
    job->stage = stage;
    lookup_list_tell(fetcher->lookup, ++fetcher->question, &told, fd);
}

static void keep(struct list_fetcher *fetcher, struct fetched *list)
{
    struct job *job = &fetcher->job;
    list->record = job->record;
    is_newest(fetcher, list);
    if (!list_store_write(fetcher->folder, list->kept, job->fd, &list->record))
        log_error("list %.*s cannot be kept for the next start: %m", TEXT_ARG(list->setting->name));
}

/* lookup has told of a file that is wrong. */
static void offer_answered(struct list_fetcher *fetcher, struct text why)
{
    struct fetched *list = fetcher->job.list;
    if (fetcher->job.stage == STAGE_OFFER_KEPT) {
        job_end(fetcher);
        return;
    }
    if (why.length > 0)
        list->failures++;
    else
        keep(fetcher, list);
    again_later(fetcher, list);
}

/* --- the transfer --- */

static void addresses_ask(struct list_fetcher *fetcher);

static void moved(struct list_fetcher *fetcher, struct text location)
{
    struct job *job = &fetcher->job;
    char words[TROUBLE_SIZE];
    text_copy_printable(location, words, 120);
    job->stage = STAGE_ADDRESSES;
    if (++job->moves > MOVES_MOST) {
        failed(fetcher, N_("it leads elsewhere more than three times"));
    } else if (!web_address_read(location, &job->where)) {
        char says[TROUBLE_SIZE];
        snprintf(says, sizeof says, "it leads to %s, which is no https:// address", words);
        failed(fetcher, says);
    } else {
        text_copy_printable(location, job->url, sizeof job->url);
        addresses_ask(fetcher);
    }
}

static void came(struct list_fetcher *fetcher, const struct list_result *result)
{
    struct job *job = &fetcher->job;
    struct stat facts = { 0 };
    job->fd = result->fd;
    if (!fetcher->lookup || fstat(job->fd, &facts) != 0) {
        job->list->due_ms = loop_now_ms(fetcher->loop) + SOON_MS;
        job_end(fetcher);
        return;
    }
    job->record =
        (struct list_record){ .bytes = (uint64_t)facts.st_size, .came_ms = loop_wall_ms(fetcher->loop) };
    text_copy_printable(list_setting_path(job->list->setting), job->record.url, sizeof job->record.url);
    text_copy_printable(result->etag, job->record.validators.etag, LIST_VALIDATOR_SIZE);
    text_copy_printable(result->modified, job->record.validators.modified, LIST_VALIDATOR_SIZE);
    offer(fetcher, dup(job->fd), STAGE_OFFER);
}

static void unchanged(struct list_fetcher *fetcher)
{
    struct fetched *list = fetcher->job.list;
    is_newest(fetcher, list);
    list_store_note(fetcher->folder, list->kept, &list->record);
    again_later(fetcher, list);
}

static void transfer_ended(void *context, const struct list_result *result)
{
    struct list_fetcher *fetcher = CONTEXT(context, struct list_fetcher, LIST_FETCHER_MAGIC);
    fetcher->job.transfer = NULL;
    switch (result->outcome) {
    case LIST_CAME:
        came(fetcher, result);
        break;
    case LIST_UNCHANGED:
        unchanged(fetcher);
        break;
    case LIST_MOVED:
        moved(fetcher, result->location);
        break;
    case LIST_FAILED:
        failed(fetcher, result->why);
        break;
    }
}

/* What is kept and whole is named to the server, at whatever address it is. */
static void validators_set(const struct list_fetcher *fetcher, struct list_request *request)
{
    const struct fetched *list = fetcher->job.list;
    int fd = list_store_open(fetcher->folder, list->kept, &list->record);
    if (fd < 0 || list->record.fetched_ms == 0) return;
    close(fd);
    request->etag = text_of(list->record.validators.etag);
    request->modified = text_of(list->record.validators.modified);
}

static void transfer(struct list_fetcher *fetcher, const struct address *addresses, size_t count)
{
    struct job *job = &fetcher->job;
    const struct list_setting *setting = job->list->setting;
    struct list_request request = {
        .url = text_of(job->url),
        .where = job->where,
        .addresses = addresses,
        .address_count = count < LIST_TRANSFER_ADDRESSES ? count : LIST_TRANSFER_ADDRESSES,
        .ca = setting->ca.content.length > 0 ? setting->ca.content : tls_system_roots(),
        .most_bytes = BYTES_MOST,
        .limit_ms = (uint32_t)setting->within_ms,
    };
    validators_set(fetcher, &request);
    job->stage = STAGE_TRANSFER;
    job->transfer = list_transfer_begin(fetcher->transfers, &request, transfer_ended, fetcher);
}

/* Where the administrator sends us we go; where a server sends us, only into the world. */
static bool may_reach(const struct job *job, const struct address *addresses, size_t count)
{
    for (size_t i = 0; i < count && job->moves > 0; i++)
        if (web_address_is_inside(&addresses[i])) return false;
    return true;
}

static void addresses_known(struct list_fetcher *fetcher, const struct address *addresses, size_t count)
{
    if (count == 0)
        failed(fetcher, N_("its host has no address, or the DNS does not answer"));
    else if (!may_reach(&fetcher->job, addresses, count))
        failed(fetcher, N_("it was led there, and the address is none of the world"));
    else
        transfer(fetcher, addresses, count);
}

static void addresses_ask(struct list_fetcher *fetcher)
{
    struct job *job = &fetcher->job;
    job->stage = STAGE_ADDRESSES;
    web_address_read(text_of(job->url), &job->where); /* it lies in the job now */
    if (job->where.is_address)
        addresses_known(fetcher, &job->where.address, 1);
    else
        lookup_host_ask(fetcher->lookup, ++fetcher->question, HOST_MS, job->where.host);
}

static bool addresses_answered(struct list_fetcher *fetcher, struct frame *frame)
{
    struct arena *arena = arena_new(0);
    struct host_answer answer;
    bool is_good = host_answer_get(arena, frame, &answer);
    if (is_good) addresses_known(fetcher, answer.addresses, answer.address_count);
    arena_free(arena);
    return is_good;
}

/* --- what is next --- */

static void fetch(struct list_fetcher *fetcher, struct fetched *list)
{
    struct job *job = &fetcher->job;
    *job = (struct job){ .stage = STAGE_ADDRESSES, .list = list, .fd = -1 };
    text_copy_printable(list_setting_path(list->setting), job->url, sizeof job->url);
    addresses_ask(fetcher);
}

static bool offer_kept(struct list_fetcher *fetcher, struct fetched *list)
{
    list->is_wanted = false;
    int fd = list->record.fetched_ms ? list_store_open(fetcher->folder, list->kept, &list->record) : -1;
    if (fd < 0) return false;
    fetcher->job = (struct job){ .list = list, .record = list->record, .fd = -1 };
    offer(fetcher, fd, STAGE_OFFER_KEPT);
    return true;
}

static void timer_aim(struct list_fetcher *fetcher)
{
    uint64_t now_ms = loop_now_ms(fetcher->loop), due_ms = UINT64_MAX;
    for (size_t i = 0; i < fetcher->count; i++)
        if (fetcher->items[i].due_ms < due_ms) due_ms = fetcher->items[i].due_ms;
    if (due_ms != UINT64_MAX) timer_set(fetcher->timer, due_ms > now_ms ? due_ms - now_ms : 0);
}

static void look(void *context)
{
    struct list_fetcher *fetcher = CONTEXT(context, struct list_fetcher, LIST_FETCHER_MAGIC);
    if (fetcher->job.stage != STAGE_IDLE || !fetcher->lookup) return;
    for (size_t i = 0; i < fetcher->count; i++)
        if (fetcher->items[i].is_wanted && offer_kept(fetcher, &fetcher->items[i])) return;
    for (size_t i = 0; i < fetcher->count; i++)
        if (fetcher->items[i].due_ms <= loop_now_ms(fetcher->loop)) {
            fetch(fetcher, &fetcher->items[i]);
            return;
        }
    timer_aim(fetcher);
}

/* --- lookup --- */

static void all_tell(struct list_fetcher *fetcher)
{
    for (size_t i = 0; i < fetcher->count; i++) {
        fetcher->items[i].is_wanted = true;
        lookup_tell(fetcher, &fetcher->items[i]);
    }
    look_soon(fetcher);
}

static bool on_frame(void *context, struct frame *frame)
{
    struct list_fetcher *fetcher = CONTEXT(context, struct list_fetcher, LIST_FETCHER_MAGIC);
    enum stage stage = fetcher->job.stage;
    bool is_offer = stage == STAGE_OFFER || stage == STAGE_OFFER_KEPT;
    struct text why;
    if (frame->type == LOOKUP_LISTS_WANTED) {
        all_tell(fetcher);
        return true;
    }
    if (frame->type != LOOKUP_HOST_IS && frame->type != LOOKUP_LIST_FILE_IS) return false;
    if (frame->id != fetcher->question) return true; /* of a job that was dropped */
    if (frame->type == LOOKUP_HOST_IS) return stage == STAGE_ADDRESSES && addresses_answered(fetcher, frame);
    if (!is_offer || !lookup_text_get(frame, &why)) return false;
    offer_answered(fetcher, why);
    return true;
}

static void on_closed(void *context)
{
    struct list_fetcher *fetcher = CONTEXT(context, struct list_fetcher, LIST_FETCHER_MAGIC);
    channel_close(fetcher->lookup);
    fetcher->lookup = NULL;
    if (fetcher->job.stage != STAGE_IDLE) job_drop(fetcher);
}

void list_fetcher_connect(struct list_fetcher *fetcher, int fd)
{
    static const struct channel_events events = { on_frame, on_closed };
    if (fetcher->lookup) on_closed(fetcher);
    fetcher->lookup = channel_open(fetcher->loop, fd, &events, fetcher);
    look_soon(fetcher);
}

/* --- the configuration --- */

struct list_fetcher *list_fetcher_new(struct loop *loop, int folder)
{
    struct list_fetcher *fetcher = memory_alloc(sizeof *fetcher);
    *fetcher = (struct list_fetcher){ .magic = LIST_FETCHER_MAGIC,
                                      .loop = loop,
                                      .folder = folder,
                                      .transfers = list_transfers_new(loop),
                                      .job.fd = -1 };
    fetcher->timer = timer_new(loop, look, fetcher);
    return fetcher;
}

static void item_make(struct list_fetcher *fetcher, const struct list_setting *setting, bool is_start,
                      struct fetched *out)
{
    struct buffer name = { 0 };
    uint64_t wall_ms = loop_wall_ms(fetcher->loop), now_ms = loop_now_ms(fetcher->loop);
    list_setting_kept_name(setting, "", &name);
    *out =
        (struct fetched){ .setting = setting, .kept = memory_string(buffer_text(&name)), .due_ms = now_ms };
    buffer_free(&name);
    list_store_read(fetcher->folder, out->kept, &out->record);
    if (!text_equal(list_setting_path(setting), text_of(out->record.url)))
        out->record = (struct list_record){ 0 };
    uint64_t then_ms = out->record.fetched_ms, age_ms = wall_ms > then_ms ? wall_ms - then_ms : 0;
    if (is_start && age_ms < setting->every_ms) out->due_ms = now_ms + setting->every_ms - age_ms;
}

/* What is told of the last try goes on. */
static void item_inherit(struct fetched *item, const struct list_fetcher *before)
{
    for (size_t i = 0; i < before->count; i++) {
        const struct fetched *old = &before->items[i];
        if (strcmp(old->kept, item->kept) != 0) continue;
        item->failures = old->failures;
        memcpy(item->trouble, old->trouble, sizeof item->trouble);
    }
}

static bool is_kept(void *context, struct text name)
{
    const struct list_fetcher *fetcher = CONTEXT(context, struct list_fetcher, LIST_FETCHER_MAGIC);
    for (size_t i = 0; i < fetcher->count; i++)
        if (text_equal(name, text_of(fetcher->items[i].kept))) return true;
    return false;
}

void list_fetcher_configure(struct list_fetcher *fetcher, const struct config *config, bool is_start)
{
    struct fetched *items = memory_alloc((config->list_count + 1) * sizeof *items);
    size_t count = 0;
    if (fetcher->job.stage != STAGE_IDLE) job_drop(fetcher);
    for (size_t i = 0; i < config->list_count; i++) {
        if (!list_setting_is_fetched(&config->lists[i])) continue;
        item_make(fetcher, &config->lists[i], is_start, &items[count]);
        item_inherit(&items[count++], fetcher);
    }
    for (size_t i = 0; i < fetcher->count; i++) free(fetcher->items[i].kept);
    free(fetcher->items);
    fetcher->items = items;
    fetcher->count = count;
    list_store_sweep(fetcher->folder, is_kept, fetcher);
    look_soon(fetcher);
}

void list_fetcher_status(const struct list_fetcher *fetcher, struct buffer *out)
{
    for (size_t i = 0; i < fetcher->count; i++) {
        const struct fetched *list = &fetcher->items[i];
        char name[LIST_NAME_MOST + 8];
        snprintf(name, sizeof name, "list %.*s", TEXT_ARG(list->setting->name));
        child_status_add(out, name, "%s",
                         list->trouble[0] ? list->trouble
                         : list->failures ? "refused"
                                          : "fetched");
    }
}
