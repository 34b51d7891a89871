/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* lookup: answers its peers' questions to the DNS and to lists, and keeps the table of campaigns. Here frames
   become questions and answers frames; a peer that goes takes its questions along. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/context.h"
#include "base/die.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "ipc/child.h"
#include "lookup/campaigns.h"
#include "lookup/dns_command.h"
#include "lookup/dns_probe.h"
#include "lookup/dns_question.h"
#include "lookup/list_watch.h"
#include "lookup/lists_command.h"
#include "lookup/own_source.h"
#include "lookup/sender_rates.h"
#include "lookup/senders.h"
#include "mail/digest.h"

/* Of what the DNS said, to one question of receive: all of a message have to fit a frame. */
enum { KEY_BYTES = 4096, POLICY_BYTES = 16 * 1024 };

struct service {
    enum { SERVICE_MAGIC = 0x557e2ca9 } magic;
    struct child child;
    struct resolver *resolver;
    struct dns_question_table *questions;
    struct dns_probe *probe;
    struct list_sources lists;
    struct lists_commands *list_commands;
    struct list_watch *list_watch;
    struct campaigns *campaigns;
    struct peer *ledger; /* NULL: gone */
    struct senders *senders;
    struct sender_rates *rates;
    struct peer *consult; /* NULL: it is not there */
};

struct peer {
    enum { PEER_MAGIC = 0x4cca0887 } magic;
    struct service *service;
    struct channel *channel;
    enum process_kind kind;
    LIST_HEAD(ask_list, ask) asks;
    LIST_HEAD(offer_list, offer) offers;
};

/* One frame's question while it waits. */
struct ask {
    struct asker asker; /* first: answered gets it back by this */
    struct peer *peer;
    LIST_ENTRY(ask) others; /* of the same peer */
    uint64_t id;
    struct own_sources *sources;  /* of LOOKUP_SOURCES, in place of the asker; else NULL */
    struct list_inquiry *inquiry; /* of LOOKUP_LIST, likewise */
};

static void ask_free(struct ask *ask)
{
    LIST_REMOVE(ask, others);
    free(ask->sources);
    free(ask);
}

/* Appends the text of such a frame. */
static void bytes_put(const struct dns_question_answer *answer, struct buffer *frame)
{
    struct buffer bytes = { 0 };
    if (answer->spf)
        spf_answer_put(answer->spf, &bytes);
    else
        dns_answers_write(answer->answers, answer->kind == DNS_QUESTION_KEY ? KEY_BYTES : POLICY_BYTES,
                          &bytes);
    put_text(frame, buffer_text(&bytes));
    buffer_free(&bytes);
}

static void ask_answered(struct asker *asker, const struct dns_question_answer *answer)
{
    static const enum lookup_frame types[] = {
        [DNS_QUESTION_HOST] = LOOKUP_HOST_IS,
        [DNS_QUESTION_MX] = LOOKUP_MX_IS,
        [DNS_QUESTION_CLIENT_NAME] = LOOKUP_CLIENT_NAME_IS,
        [DNS_QUESTION_SPF] = LOOKUP_SPF_IS,
        [DNS_QUESTION_KEY] = LOOKUP_KEY_IS,
        [DNS_QUESTION_POLICY] = LOOKUP_POLICY_IS,
    };
    struct ask *ask = (struct ask *)asker;
    struct channel *channel = ask->peer->channel;
    struct buffer *frame = channel_begin(channel, (uint16_t)types[answer->kind], ask->id);
    if (answer->host)
        host_answer_put(answer->host, frame);
    else if (answer->mx)
        mx_answer_put(answer->mx, frame);
    else if (answer->client_name)
        client_name_put(answer->client_name, frame);
    else
        bytes_put(answer, frame);
    channel_end(channel);
    ask_free(ask);
}

static void sources_answered(void *context, const struct sources_answer *answer)
{
    struct ask *ask = context;
    struct channel *channel = ask->peer->channel;
    sources_answer_put(answer, channel_begin(channel, LOOKUP_SOURCES_IS, ask->id));
    channel_end(channel);
    ask_free(ask);
}

static bool sources_begin(struct peer *peer, struct frame *frame)
{
    struct arena *arena = arena_new(0);
    struct sources_question question;
    uint32_t deadline_ms = 0;
    bool is_good = lookup_sources_get(arena, frame, &deadline_ms, &question);
    if (is_good) {
        struct ask *ask = memory_alloc(sizeof *ask);
        *ask = (struct ask){ .peer = peer, .id = frame->id, .sources = memory_alloc(sizeof *ask->sources) };
        LIST_INSERT_HEAD(&peer->asks, ask, others);
        own_sources_begin(ask->sources, peer->service->questions, &question, deadline_ms, sources_answered,
                          ask);
    }
    arena_free(arena);
    return is_good;
}

static void list_answered(void *context, const struct list_answer *answer)
{
    struct ask *ask = context;
    struct buffer bytes = { 0 };
    list_answer_put(answer, &bytes);
    put_text(channel_begin(ask->peer->channel, LOOKUP_LIST_IS, ask->id), buffer_text(&bytes));
    channel_end(ask->peer->channel);
    buffer_free(&bytes);
    ask_free(ask);
}

static bool list_begin(struct peer *peer, struct frame *frame)
{
    struct text subject;
    uint32_t deadline_ms;
    if (!lookup_name_get(frame, &deadline_ms, &subject)) return false;
    struct ask *ask = memory_alloc(sizeof *ask);
    *ask = (struct ask){ .peer = peer, .id = frame->id };
    LIST_INSERT_HEAD(&peer->asks, ask, others);
    struct list_inquiry *inquiry =
        list_inquiry_begin(&peer->service->lists, subject, false, deadline_ms, list_answered, ask);
    if (inquiry) ask->inquiry = inquiry; /* else it was answered, and is gone */
    return true;
}

/* --- files that consult fetched --- */

/* One that waits to be taken; without `peer`, consult is gone. */
struct offer {
    struct peer *peer;
    LIST_ENTRY(offer) others;
    uint64_t id;
};

static void offer_taken(void *context, const char *why)
{
    struct offer *offer = context;
    if (offer->peer) {
        LIST_REMOVE(offer, others);
        put_text(channel_begin(offer->peer->channel, LOOKUP_LIST_FILE_IS, offer->id), text_of(why));
        channel_end(offer->peer->channel);
    }
    free(offer);
}

static bool is_unchanging(int fd)
{
    const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
    struct stat facts;
    int has = fcntl(fd, F_GET_SEALS);
    if (fstat(fd, &facts) != 0 || !S_ISREG(facts.st_mode)) return false;
    return has < 0 || (has & seals) == seals; /* a file on disk has none; what is read of it is copied */
}

static bool file_take(struct peer *peer, struct frame *frame, const struct list_fetched *fetched)
{
    int fd = frame_take_fd(frame, 0);
    struct offer *offer = memory_alloc(sizeof *offer);
    *offer = (struct offer){ .peer = peer, .id = frame->id };
    LIST_INSERT_HEAD(&peer->offers, offer, others);
    if (fd < 0 || !is_unchanging(fd)) {
        if (fd >= 0) close(fd);
        offer_taken(offer, "no file came with it");
        return true;
    }
    local_lists_offer(peer->service->lists.local, fetched->list, fetched->fetched_ms, fd,
                      &(struct local_list_offer){ offer_taken, offer });
    return true;
}

static bool consult_on_frame(struct peer *peer, struct frame *frame)
{
    struct list_fetched fetched;
    if (!lookup_list_get(frame, &fetched)) return false;
    if (frame->type == LOOKUP_LIST_FILE) return file_take(peer, frame, &fetched);
    local_lists_fetched(peer->service->lists.local, fetched.list, fetched.fetched_ms, fetched.trouble);
    return true;
}

static void files_want(struct service *service)
{
    if (!service->consult) return;
    channel_send(service->consult->channel, LOOKUP_LISTS_WANTED, 0, TEXT_NONE);
}

static void ask_begin(struct peer *peer, uint64_t id, const struct dns_question_subject *subject,
                      uint32_t deadline_ms)
{
    struct ask *ask = memory_alloc(sizeof *ask);
    *ask = (struct ask){ .asker.answered = ask_answered, .peer = peer, .id = id };
    LIST_INSERT_HEAD(&peer->asks, ask, others);
    dns_question_ask(peer->service->questions, subject, deadline_ms, &ask->asker);
}

static bool is_campaign(const struct frame *frame)
{
    return frame->type == LOOKUP_CAMPAIGN_COUNT || frame->type == LOOKUP_CAMPAIGN_REPORT ||
           frame->type == LOOKUP_CAMPAIGN_RULED;
}

static bool peer_on_frame(void *context, struct frame *frame)
{
    struct peer *peer = CONTEXT(context, struct peer, PEER_MAGIC);
    struct dns_question_subject subject = { .kind = DNS_QUESTION_HOST };
    uint32_t deadline_ms;
    if (is_campaign(frame)) return campaigns_frame(peer->service->campaigns, peer->kind, frame);
    if (peer->kind == PROCESS_REPORT || peer->kind == PROCESS_LEDGER) return false;
    if (sender_rates_is_frame(frame))
        return sender_rates_frame(peer->service->rates, peer->kind, peer->channel, frame);
    if (senders_is_frame(frame))
        return peer->kind == PROCESS_RECEIVE && senders_frame(peer->service->senders, peer->channel, frame);
    if (frame->type == LOOKUP_LIST_FILE || frame->type == LOOKUP_LIST_FETCHED)
        return peer->kind == PROCESS_CONSULT && consult_on_frame(peer, frame);
    if (peer->kind == PROCESS_CONSULT && frame->type != LOOKUP_HOST) return false;
    if (frame->type == LOOKUP_SOURCES) return sources_begin(peer, frame);
    if (frame->type == LOOKUP_LIST) return list_begin(peer, frame);
    switch (frame->type) {
    case LOOKUP_HOST:
    case LOOKUP_MX:
        if (frame->type == LOOKUP_MX) subject.kind = DNS_QUESTION_MX;
        if (!lookup_name_get(frame, &deadline_ms, &subject.name)) return false;
        break;
    case LOOKUP_CLIENT_NAME:
        subject.kind = DNS_QUESTION_CLIENT_NAME;
        if (!lookup_client_get(frame, &deadline_ms, &subject.client)) return false;
        break;
    case LOOKUP_SPF:
    case LOOKUP_KEY:
    case LOOKUP_POLICY:
        subject.kind = frame->type == LOOKUP_SPF   ? DNS_QUESTION_SPF
                       : frame->type == LOOKUP_KEY ? DNS_QUESTION_KEY
                                                   : DNS_QUESTION_POLICY;
        if (!lookup_name_get(frame, &deadline_ms, &subject.name)) return false;
        break;
    default:
        return false;
    }
    ask_begin(peer, frame->id, &subject, deadline_ms);
    return true;
}

static void peer_on_closed(void *context)
{
    struct peer *peer = CONTEXT(context, struct peer, PEER_MAGIC);
    for (struct ask *next, *ask = LIST_FIRST(&peer->asks); ask; ask = next) {
        next = LIST_NEXT(ask, others);
        if (ask->sources)
            own_sources_leave(ask->sources);
        else if (ask->inquiry)
            list_inquiry_leave(ask->inquiry);
        else
            dns_question_leave(&ask->asker);
        ask_free(ask);
    }
    if (peer->kind == PROCESS_LEDGER && peer->service->ledger == peer) {
        campaigns_set_ledger(peer->service->campaigns, NULL);
        peer->service->ledger = NULL;
    }
    struct offer *offer;
    while ((offer = LIST_FIRST(&peer->offers))) {
        LIST_REMOVE(offer, others);
        offer->peer = NULL;
    }
    if (peer->service->consult == peer) peer->service->consult = NULL;
    channel_close(peer->channel);
    free(peer);
}

static const struct channel_events peer_events = { peer_on_frame, peer_on_closed };

static void on_peer(void *context, enum process_kind kind, uint16_t index, int fd)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    struct peer *peer = memory_alloc(sizeof *peer);
    peer->magic = PEER_MAGIC;
    peer->service = service;
    peer->kind = kind;
    peer->channel = channel_open(service->child.loop, fd, &peer_events, peer);
    if (kind == PROCESS_LEDGER) {
        service->ledger = peer;
        campaigns_set_ledger(service->campaigns, peer->channel);
    }
    if (kind == PROCESS_CONSULT) {
        service->consult = peer;
        files_want(service);
    }
}

static bool dns_is_same(const struct config *a, const struct config *b)
{
    if (a->dns.dnssec != b->dns.dnssec || a->dns.cache_bytes != b->dns.cache_bytes ||
        a->dns.servers.count != b->dns.servers.count)
        return false;
    for (size_t i = 0; i < a->dns.servers.count; i++)
        if (!text_equal(a->dns.servers.items[i], b->dns.servers.items[i])) return false;
    return true;
}

static struct dns_question_manner manner_of(const struct config *config)
{
    return (struct dns_question_manner){ .timeout_ms = config->dns.timeout_ms,
                                         .hostname = config->hostname,
                                         .suffixes = config->auth.suffixes ? public_suffix_builtin() : NULL };
}

/* Master has opened the files of the lists: it gives those that it could. One a list, -1 for none; the caller
   frees them. */
static int *list_files_take(struct service *service)
{
    size_t count = service->child.config->list_count;
    int *fds = memory_alloc((count + 1) * sizeof *fds), fd;
    uint16_t number;
    for (size_t i = 0; i < count; i++) fds[i] = -1;
    while ((fd = child_map_take_next(&service->child, "list-file", &number)) >= 0) {
        if (number < count && fds[number] < 0)
            fds[number] = fd;
        else
            close(fd);
    }
    return fds;
}

static void lists_configure(struct service *service, int *fds)
{
    service->lists.config = service->child.config;
    local_lists_configure(service->lists.local, service->child.config, fds);
    dns_lists_configure(service->lists.dns, service->child.config);
    free(fds);
}

static void lists_settled(void *context)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    if (service->list_commands) lists_commands_settled(service->list_commands);
}

static void on_config(void *context, const struct config *old)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    const struct config *config = service->child.config;
    const struct dns_question_manner manner = manner_of(config);
    dns_question_table_set_manner(service->questions, &manner);
    dns_probe_configure(service->probe, config);
    senders_configure(service->senders, config);
    sender_rates_configure(service->rates, config);
    lists_configure(service, list_files_take(service));
    files_want(service);
    if (dns_is_same(config, old)) return;
    if (!resolver_configure(service->resolver, config))
        log_error("the resolver goes on with the servers it had");
}

/* Bits by their place in the configuration. */
/* Or in force, but older than it may be. */
static bool list_is_aside(const struct list_sources *lists, struct text name)
{
    struct text why;
    struct local_list_state file;
    if (local_lists_state(lists->local, name, &file) && file.is_stale) return true;
    return list_watch_is_aside(lists, name, &why);
}

static uint64_t lists_aside(const struct service *service)
{
    const struct config *config = service->child.config;
    uint64_t bits = 0;
    for (size_t i = 0; i < config->list_count && i < 64; i++)
        bits |= (uint64_t)list_is_aside(&service->lists, config->lists[i].name) << i;
    return bits;
}

static void on_status(void *context, struct buffer *out)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    const struct dns_question_counts *questions = dns_question_counts(service->questions);
    const struct resolver_counts *dns = resolver_counts(service->resolver);
    child_status_add(out, "campaigns", "%u", campaigns_count(service->campaigns));
    child_status_add(out, "senders inside held", "%u", sender_rates_held(service->rates));
    struct senderdb_facts senders;
    senders_facts(service->senders, &senders);
    child_status_add(out, "senders", "%llu", (unsigned long long)senders.entries);
    child_status_add(out, "senders bytes", "%llu", (unsigned long long)senders.bytes);
    child_status_add(out, "senders evicted", "%llu", (unsigned long long)senders.evicted);
    child_status_add(out, "senders refused", "%llu", (unsigned long long)senders.refused);
    child_status_add(out, "questions", "%llu", (unsigned long long)questions->asked);
    child_status_add(out, "merged", "%llu", (unsigned long long)questions->merged);
    child_status_add(out, "in flight", "%u", questions->in_flight);
    child_status_add(out, "waiting", "%u", questions->waiting);
    child_status_add(out, "temperrors", "%llu", (unsigned long long)questions->temperrors);
    child_status_add(out, "late", "%llu", (unsigned long long)questions->late);
    child_status_add(out, "over limit", "%llu", (unsigned long long)questions->over_limit);
    child_status_add(out, "lists", "%zu", service->child.config->list_count);
    child_status_add(out, "lists aside", "%d", __builtin_popcountll(lists_aside(service)));
    child_status_add(out, "dns questions", "%llu", (unsigned long long)dns->asked);
    child_status_add(out, "dns from cache", "%llu", (unsigned long long)dns->from_cache);
    child_status_add(out, "dns in flight", "%u", dns->in_flight);
    child_status_add(out, "dns temperrors", "%llu", (unsigned long long)dns->temperrors);
    child_status_add(out, "dns bogus", "%llu", (unsigned long long)dns->bogus);
}

static void on_health(void *context, struct health_facts *out)
{
    const struct service *service = CONTEXT(context, const struct service, SERVICE_MAGIC);
    dns_probe_tell(service->probe, out);
    health_know(out, HEALTH_LISTS, service->child.config->list_count);
    health_know(out, HEALTH_LISTS_ASIDE, lists_aside(service));
    health_know(out, HEALTH_INSIDE_HELD, sender_rates_held(service->rates));
}

static void on_client(void *context, const struct commander *commander, struct text command, int fd)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    struct text word, rest = command;
    if (!text_next_word(&rest, &word)) word = TEXT_NONE;
    if (text_equal(word, TEXT("campaign")))
        campaigns_command(service->campaigns, commander->user, command, fd);
    else if (text_equal(word, TEXT("inside")))
        sender_rates_command(service->rates, command, fd);
    else if (text_equal(word, TEXT("sender")))
        senders_command(service->senders, command, fd);
    else if (text_starts(command, TEXT("lists")))
        lists_command_begin(service->list_commands, command, fd);
    else
        dns_command_begin(service->questions, command, fd);
}

static const struct child_events events = { .on_peer = on_peer,
                                            .on_config = on_config,
                                            .on_status = on_status,
                                            .on_health = on_health,
                                            .on_client = on_client };

static void chance_seed(void)
{
    long seed;
    if (getrandom(&seed, sizeof seed, 0) != sizeof seed) die_errno("no random numbers");
    srand48(seed);
}

int main(int argc, char **argv)
{
    static struct service service = { .magic = SERVICE_MAGIC };
    child_start(&service.child, PROCESS_LOOKUP, argc, argv);
    const struct config *config = service.child.config;
    chance_seed();
    service.senders = senders_new(service.child.loop, config, child_folder_fd(&service.child, "senders"));
    digest_by(DIGEST_SHA1, TEXT_NONE, (uint8_t[DIGEST_BYTES]){ 0 }); /* OpenSSL opens its files now */
    service.resolver = resolver_new(service.child.loop);
    if (!resolver_configure(service.resolver, config)) return EX_CONFIG;
    const struct dns_question_manner manner = manner_of(config);
    service.questions = dns_question_table_new(service.child.loop, service.resolver, &manner);
    service.probe = dns_probe_new(service.child.loop, service.resolver, config);
    service.campaigns = campaigns_new(service.child.loop, child_map_fd(&service.child, "campaigns", NULL));
    service.rates =
        sender_rates_new(service.child.loop, service.senders, child_map_fd(&service.child, "inside", NULL));
    sender_rates_configure(service.rates, config);
    service.lists = (struct list_sources){ service.child.loop, config,
                                           local_lists_new(service.child.loop, lists_settled, &service),
                                           dns_lists_new(service.child.loop, service.resolver) };
    service.list_commands = lists_commands_new(&service.lists);
    int events_fd = child_map_fd(&service.child, "events", NULL);
    service.list_watch = list_watch_new(&service.lists, events_fd < 0 ? NULL : ring_map(events_fd));
    int *list_files = list_files_take(&service);
    if (!child_jail(&service.child, JAIL_CONNECT | JAIL_DATAGRAMS, NULL, NULL)) return EX_OSERR;
    lists_configure(&service, list_files);
    local_lists_finish(service.lists.local);
    int code = child_run(&service.child, &events, &service);
    senders_close(service.senders);
    return code;
}
