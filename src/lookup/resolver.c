/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The only file that knows libunbound. Its callbacks may fire inside the call and share one packet buffer, so
   an answer is parsed at once and told at the end of the turn. */
#include "lookup/resolver.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unbound-event.h>
#include <unbound.h>

#include "base/allowance.h"
#include "base/context.h"
#include "base/die.h"
#include "base/log.h"
#include "config/value.h"
#include "lookup/answer_cache.h"

enum {
    SERVERS = 16,
    SERVER_SIZE = 64,
    SYSTEM_FILE_LIMIT = 64 * 1024,
    PORTS = 8192,
    LIST_PORTS = 1024,
    LIST_CACHE = 8 << 20,
    TCP_CONNECTIONS = 64,
    CLASS_IN = 1,
    SEC_BOGUS = 1,
    SEC_SECURE = 2,
    LINES_AT_ONCE = 100, /* of the log, about names that strangers choose */
    LINES_A_SECOND = 5
};

struct lookup {
    enum { LOOKUP_MAGIC = 0x2532a2b9 } magic;
    struct lookup *next, *previous; /* among those in flight, or next among those answered */
    struct resolver *resolver;
    struct arena *arena;
    char *name;
    enum dns_record_type type;
    struct dns_answer *out;
    void (*done)(void *context);
    void *context;
    bool *answered_now; /* set, and nothing is told, when the answer comes inside the call; or NULL */
};

struct server_list {
    char items[SERVERS][SERVER_SIZE];
    size_t count;
};

struct resolver {
    enum { RESOLVER_MAGIC = 0x26633bd7 } magic;
    struct loop *loop;
    struct allowance lines; /* of the log: see LINES_AT_ONCE */
    struct ub_ctx *unbound;
    FILE *complaints;
    struct server_list system_servers;
    struct answer_cache *recent; /* NULL: of a list, which is tried by asking */
    bool is_for_list;
    char *anchors; /* lines of the root's trust anchor, NULL when there is none */
    struct lookup *in_flight;
    struct lookup *answered, **answered_last;
    struct deferred telling;
    const struct lookup *asking; /* whose ub_resolve_event we are inside */
    bool is_closing;             /* inside ub_ctx_delete, which answers all with failure */
    struct resolver_counts counts;
};

/* The content of a small system file, NUL-ended; NULL when it cannot be read. */
static char *system_file_read(const char *path)
{
    FILE *file = fopen(path, "re");
    if (!file) return NULL;
    char *content = memory_alloc(SYSTEM_FILE_LIMIT + 1);
    content[fread(content, 1, SYSTEM_FILE_LIMIT, file)] = '\0';
    fclose(file);
    return content;
}

static bool server_is_good(struct text server)
{
    return server.length < SERVER_SIZE && value_is_server(server);
}

static void servers_from_resolv_conf(struct server_list *servers)
{
    char *content = system_file_read("/etc/resolv.conf");
    struct text rest = text_of(content), line, word;
    while (text_next_line(&rest, &line)) {
        if (!text_next_word(&line, &word) || !text_equal(word, TEXT("nameserver"))) continue;
        if (!text_next_word(&line, &word) || servers->count == SERVERS) continue;
        if (!server_is_good(word)) {
            log_warning("/etc/resolv.conf: nameserver %.*s is passed over: no plain address", TEXT_ARG(word));
            continue;
        }
        snprintf(servers->items[servers->count++], SERVER_SIZE, "%.*s", TEXT_ARG(word));
    }
    free(content);
}

static bool servers_from_config(struct server_list *servers, const struct text_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        struct text server = list->items[i];
        if (servers->count == SERVERS || !server_is_good(server)) {
            log_error("dns server %.*s: %s", TEXT_ARG(server),
                      servers->count == SERVERS ? "more than 16 of them" : "not IP or IP@PORT");
            return false;
        }
        snprintf(servers->items[servers->count++], SERVER_SIZE, "%.*s", TEXT_ARG(server));
    }
    return true;
}

static bool server_is_loopback(const char *server)
{
    struct address address;
    struct text text = text_of(server);
    return address_parse(text_slice(text, 0, text_find_char(text, '@')), &address) &&
           address_is_loopback(&address);
}

static bool may_note(struct resolver *resolver)
{
    return log_has_room(&resolver->lines, LINES_AT_ONCE, LINES_A_SECOND, loop_now_ms(resolver->loop),
                        LOG_LEVEL_INFO, "dns: %llu lines about other names are left out");
}

/* libunbound complains to a stream; its lines become lines of our log. */
static ssize_t complaint_write(void *cookie, const char *bytes, size_t size)
{
    struct resolver *resolver = CONTEXT(cookie, struct resolver, RESOLVER_MAGIC);
    struct text line = text_trim(text_from(bytes, size));
    if (line.length > 0 && may_note(resolver)) log_warning("libunbound: %.*s", TEXT_ARG(line));
    return (ssize_t)size;
}

static struct resolver *resolver_make(struct loop *loop)
{
    struct resolver *resolver = memory_alloc(sizeof *resolver);
    resolver->magic = RESOLVER_MAGIC;
    resolver->loop = loop;
    resolver->answered_last = &resolver->answered;
    resolver->complaints = fopencookie(resolver, "w", (cookie_io_functions_t){ .write = complaint_write });
    if (!resolver->complaints) die_errno("no stream for the resolver's messages");
    setvbuf(resolver->complaints, NULL, _IOLBF, 1024);
    return resolver;
}

struct resolver *resolver_new(struct loop *loop)
{
    struct resolver *resolver = resolver_make(loop);
    resolver->recent = answer_cache_new();
    servers_from_resolv_conf(&resolver->system_servers);
    resolver->anchors = system_file_read("/usr/share/dns/root.key");
    return resolver;
}

struct resolver *resolver_new_for_list(const struct resolver *first)
{
    struct resolver *resolver = resolver_make(first->loop);
    resolver->is_for_list = true;
    if (first->anchors) resolver->anchors = memory_string(text_of(first->anchors));
    return resolver;
}

static void unbound_close(struct resolver *resolver)
{
    resolver->is_closing = true;
    if (resolver->unbound) ub_ctx_delete(resolver->unbound);
    resolver->is_closing = false;
    resolver->unbound = NULL;
}

void resolver_free(struct resolver *resolver)
{
    unbound_close(resolver);
    for (struct lookup *next, *at = resolver->in_flight; at; at = next) {
        next = at->next;
        free(at->name);
        free(at);
    }
    fclose(resolver->complaints);
    answer_cache_free(resolver->recent);
    free(resolver->anchors);
    free(resolver);
}

struct option {
    const char *name, *value;
};

/* libunbound comes with defaults for a program that asks now and then. */
static const struct option fixed_options[] = {
    { "num-queries-per-thread:", "8192" }, { "infra-cache-numhosts:", "20000" },
    { "infra-host-ttl:", "10" }, /* a server that was down is tried again so soon: a cut line may be all
                                    resolvers */
    { "infra-keep-probing:", "yes" },      { "infra-cache-max-rtt:", "15000" },
    { "infra-cache-min-rtt:", "400" }, /* a server that has most at hand may have to ask far away for the rest
                                        */
    { "do-not-query-localhost:", "no" },   { "prefetch:", "yes" },
    { "unblock-lan-zones:", "yes" },       { "insecure-lan-zones:", "yes" },
    { "domain-insecure:", "test." },       { "domain-insecure:", "invalid." },
    { "domain-insecure:", "home.arpa." },  { "domain-insecure:", "internal." },
    { "domain-insecure:", "local." },
};

static const struct option loopback_options[] = {
    { "domain-insecure:", "127.in-addr.arpa." },
    { "domain-insecure:", "localhost." },
};

/* Zones that libunbound answers by itself; "local-zone: … nodefault" does not reach it through this
 * interface.
 */
static const char *const builtin_zones[] = { "test.", "invalid.", "home.arpa." };
static const char *const loopback_zones[] = {
    "localhost.",
    "127.in-addr.arpa.",
    "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa.",
};

static bool option_set(struct ub_ctx *unbound, const char *name, const char *value)
{
    int error = ub_ctx_set_option(unbound, name, value);
    if (error) log_error("the resolver refuses %s %s: %s", name, value, ub_strerror(error));
    return error == 0;
}

static bool options_set(struct ub_ctx *unbound, const struct option *options, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!option_set(unbound, options[i].name, options[i].value)) return false;
    return true;
}

static bool number_set(struct ub_ctx *unbound, const char *name, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    return option_set(unbound, name, text);
}

/* Sizes that hang on the configuration and on how many descriptors there may be. */
static bool sizes_set(struct ub_ctx *unbound, const struct config *config, bool is_for_list)
{
    struct rlimit files = { 1024, 1024 };
    getrlimit(RLIMIT_NOFILE, &files);
    uint64_t most = is_for_list ? LIST_PORTS : PORTS;
    uint64_t ports = files.rlim_cur / 2 < most ? files.rlim_cur / 2 : most;
    uint64_t tcp = ports / 4 < TCP_CONNECTIONS ? ports / 4 : TCP_CONNECTIONS;
    uint64_t cache = config->dns.cache_bytes; /* the manual's own rule: twice as much for RRsets */
    if (is_for_list && cache > LIST_CACHE) cache = LIST_CACHE;
    return number_set(unbound, "outgoing-range:", ports) && number_set(unbound, "outgoing-num-tcp:", tcp) &&
           number_set(unbound, "msg-cache-size:", cache / 4) &&
           number_set(unbound, "rrset-cache-size:", cache / 2) &&
           number_set(unbound, "key-cache-size:", cache / 8) &&
           number_set(unbound, "neg-cache-size:", cache / 8);
}

static bool servers_are_loopback(const struct server_list *servers)
{
    for (size_t i = 0; i < servers->count; i++)
        if (!server_is_loopback(servers->items[i])) return false;
    return servers->count > 0;
}

static bool servers_set(struct ub_ctx *unbound, const struct server_list *servers)
{
    for (size_t i = 0; i < servers->count; i++) {
        int error = ub_ctx_set_fwd(unbound, servers->items[i]);
        if (!error) continue;
        log_error("dns server %s: %s", servers->items[i], ub_strerror(error));
        return false;
    }
    return !servers_are_loopback(servers) ||
           options_set(unbound, loopback_options, sizeof loopback_options / sizeof *loopback_options);
}

static bool anchors_set(struct ub_ctx *unbound, const char *anchors)
{
    struct text rest = text_of(anchors), line;
    unsigned count = 0;
    while (text_next_line(&rest, &line)) {
        line = text_trim(line);
        if (line.length == 0 || line.at[0] == ';') continue;
        char *anchor = memory_string(line);
        int error = ub_ctx_add_ta(unbound, anchor);
        free(anchor);
        if (error) log_error("a trust anchor is refused: %s", ub_strerror(error));
        count += error == 0;
    }
    if (count == 0)
        log_error("dnssec is on, but /usr/share/dns/root.key has no trust anchor (dns-root-data)");
    return count > 0;
}

static void nothing_done(void *context, int rcode, void *packet, int length, int sec, char *why, int limited)
{
}

static bool zones_remove(struct ub_ctx *unbound, const char *const *zones, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int error = ub_ctx_zone_remove(unbound, zones[i]);
        if (!error) continue;
        log_error("the resolver keeps its own %s: %s", zones[i], ub_strerror(error));
        return false;
    }
    return true;
}

/* The first question makes libunbound open what it needs, while that is still allowed. */
static bool finalize(struct ub_ctx *unbound, const struct server_list *servers)
{
    int error = ub_resolve_event(unbound, "localhost", RECORD_A, CLASS_IN, NULL, nothing_done, NULL);
    if (error) log_error("the resolver does not start: %s", ub_strerror(error));
    return error == 0 && zones_remove(unbound, builtin_zones, sizeof builtin_zones / sizeof *builtin_zones) &&
           (!servers_are_loopback(servers) ||
            zones_remove(unbound, loopback_zones, sizeof loopback_zones / sizeof *loopback_zones));
}

/* Servers that drop signatures make every signed name bogus: said once, at the start, with the way out. */
static void root_keys_answered(void *context, int rcode, void *packet, int length, int sec, char *why,
                               int limited)
{
    struct resolver *resolver = CONTEXT(context, struct resolver, RESOLVER_MAGIC);
    if (resolver->is_closing || sec != SEC_BOGUS) return;
    log_error("ALARM: dnssec is on, but the keys of the root do not hold here (%s): the dns servers drop "
              "signatures or tamper with answers; name other servers, or say `dnssec off`",
              why ? why : "no reason given");
}

static void root_keys_ask(struct resolver *resolver)
{
    enum { DNSKEY = 48 };
    ub_resolve_event(resolver->unbound, ".", DNSKEY, CLASS_IN, resolver, root_keys_answered, NULL);
}

static void unbound_ask(struct resolver *resolver, struct lookup *lookup);

static bool configure(struct resolver *resolver, const struct config *config,
                      const struct server_list *servers)
{
    struct ub_ctx *unbound = ub_ctx_create_event(loop_base(resolver->loop));
    if (!unbound) die("out of memory (resolver)");
    ub_ctx_debugout(unbound, resolver->complaints);
    bool is_made = options_set(unbound, fixed_options, sizeof fixed_options / sizeof *fixed_options) &&
                   sizes_set(unbound, config, resolver->is_for_list) && servers_set(unbound, servers) &&
                   (!config->dns.dnssec || anchors_set(unbound, resolver->anchors)) &&
                   finalize(unbound, servers);
    if (!is_made) {
        ub_ctx_delete(unbound);
        return false;
    }
    unbound_close(resolver);
    resolver->unbound = unbound;
    if (resolver->recent) answer_cache_forget(resolver->recent);
    if (config->dns.dnssec && !resolver->is_for_list) root_keys_ask(resolver);
    struct lookup *again = resolver->in_flight;
    resolver->in_flight = NULL;
    for (struct lookup *next; again; again = next) {
        next = again->next;
        unbound_ask(resolver, again);
    }
    return true;
}

bool resolver_configure(struct resolver *resolver, const struct config *config)
{
    struct server_list servers = { .count = 0 };
    if (!servers_from_config(&servers, &config->dns.servers)) return false;
    if (config->dns.servers.count == 0) servers = resolver->system_servers;
    return configure(resolver, config, &servers);
}

bool resolver_configure_list(struct resolver *resolver, const struct config *config,
                             const struct text_list *list)
{
    struct server_list servers = { .count = 0 };
    return servers_from_config(&servers, list) && configure(resolver, config, &servers);
}

/* Tells what was answered; runs at the end of the turn. What the callees ask in turn joins the next round. */
static void tell(void *context)
{
    struct resolver *resolver = CONTEXT(context, struct resolver, RESOLVER_MAGIC);
    struct lookup *lookup = resolver->answered;
    resolver->answered = NULL;
    resolver->answered_last = &resolver->answered;
    for (struct lookup *next; lookup; lookup = next) {
        next = lookup->next;
        lookup->done(lookup->context);
        free(lookup->name);
        free(lookup);
    }
}

static void answered_add(struct resolver *resolver, struct lookup *lookup)
{
    resolver->counts.in_flight--;
    resolver->counts.temperrors += lookup->out->status == DNS_TEMPERROR;
    resolver->counts.bogus += lookup->out->status == DNS_BOGUS;
    if (lookup->answered_now && resolver->asking == lookup) {
        *lookup->answered_now = true;
        free(lookup->name);
        free(lookup);
        return;
    }
    lookup->next = NULL;
    *resolver->answered_last = lookup;
    resolver->answered_last = &lookup->next;
    loop_defer(resolver->loop, &resolver->telling);
}

static void in_flight_remove(struct resolver *resolver, struct lookup *lookup)
{
    if (lookup->next) lookup->next->previous = lookup->previous;
    if (lookup->previous)
        lookup->previous->next = lookup->next;
    else
        resolver->in_flight = lookup->next;
}

static void unbound_answered(void *context, int rcode, void *packet, int length, int sec, char *why,
                             int limited)
{
    struct lookup *lookup = CONTEXT(context, struct lookup, LOOKUP_MAGIC);
    struct resolver *resolver = lookup->resolver;
    if (resolver->is_closing) return;
    bool is_cached = resolver->asking == lookup;
    resolver->counts.from_cache += is_cached;
    if (sec == SEC_BOGUS) {
        *lookup->out = (struct dns_answer){ .status = DNS_BOGUS };
        if (may_note(resolver))
            log_info("dnssec: name=%s, type=%d, bogus: %s", lookup->name, lookup->type,
                     why ? why : "no reason given");
    } else if (rcode == 0 && packet && length > 0) {
        packet_parse(lookup->arena, text_from(packet, (size_t)length), text_of(lookup->name), lookup->type,
                     lookup->out);
        lookup->out->secure = sec == SEC_SECURE;
        if (resolver->recent)
            answer_cache_put(resolver->recent, text_of(lookup->name), lookup->type,
                             loop_now_ms(resolver->loop), lookup->out);
    }
    lookup->out->was_cached = is_cached;
    bool is_told = lookup->out->status != DNS_TEMPERROR || sec == SEC_BOGUS;
    resolver->counts.answered += is_told && !is_cached;
    in_flight_remove(resolver, lookup);
    answered_add(resolver, lookup);
}

/* Joins those in flight before the call: the callback may fire inside it. */
static void unbound_ask(struct resolver *resolver, struct lookup *lookup)
{
    lookup->previous = NULL;
    lookup->next = resolver->in_flight;
    if (lookup->next) lookup->next->previous = lookup;
    resolver->in_flight = lookup;
    resolver->asking = lookup;
    int error = ub_resolve_event(resolver->unbound, lookup->name[0] ? lookup->name : ".", lookup->type,
                                 CLASS_IN, lookup, unbound_answered, NULL);
    resolver->asking = NULL;
    if (error == 0) return;
    if (error != UB_SYNTAX && may_note(resolver))
        log_warning("dns: name=%s, not asked: %s", lookup->name, ub_strerror(error));
    /* A name that cannot be put into a question is a name that nobody has. */
    if (error == UB_SYNTAX) *lookup->out = (struct dns_answer){ .status = DNS_NONE, .is_nxdomain = true };
    in_flight_remove(resolver, lookup);
    answered_add(resolver, lookup);
}

static struct lookup *lookup_new(struct resolver *resolver, const struct lookup *asked, struct text name)
{
    struct lookup *lookup = memory_alloc(sizeof *lookup);
    *lookup = *asked;
    lookup->magic = LOOKUP_MAGIC;
    lookup->resolver = resolver;
    lookup->name = memory_string(name);
    resolver->telling.run = tell;
    resolver->telling.context = resolver;
    resolver->counts.in_flight++;
    return lookup;
}

static void lookup_begin(struct resolver *resolver, const struct lookup *asked, struct text name)
{
    bool has_room = resolver->counts.in_flight < RESOLVER_QUESTIONS;
    struct lookup *lookup = lookup_new(resolver, asked, name);
    *lookup->out = (struct dns_answer){ .status = DNS_TEMPERROR };
    if (has_room)
        unbound_ask(resolver, lookup);
    else
        answered_add(resolver, lookup);
    bool is_gone = asked->answered_now && *asked->answered_now;
    if (!is_gone) lookup->answered_now = NULL; /* it is asked anew on a reload */
}

static bool is_recent(struct resolver *resolver, const struct lookup *asked, struct text name)
{
    resolver->counts.asked++;
    bool is_known =
        resolver->recent && answer_cache_get(resolver->recent, name, asked->type, loop_now_ms(resolver->loop),
                                             asked->arena, asked->out);
    resolver->counts.from_cache += is_known;
    return is_known;
}

void resolver_ask(struct resolver *resolver, struct arena *arena, struct text name, enum dns_record_type type,
                  struct dns_answer *out, void (*done)(void *context), void *context)
{
    const struct lookup asked = {
        .arena = arena, .type = type, .out = out, .done = done, .context = context
    };
    if (is_recent(resolver, &asked, name))
        answered_add(resolver, lookup_new(resolver, &asked, name));
    else
        lookup_begin(resolver, &asked, name);
}

bool resolver_ask_now(struct resolver *resolver, struct arena *arena, struct text name,
                      enum dns_record_type type, struct dns_answer *out, void (*done)(void *context),
                      void *context)
{
    bool is_answered = false;
    const struct lookup asked = { .arena = arena,
                                  .type = type,
                                  .out = out,
                                  .done = done,
                                  .context = context,
                                  .answered_now = &is_answered };
    if (is_recent(resolver, &asked, name)) return true;
    lookup_begin(resolver, &asked, name);
    return is_answered;
}

const struct resolver_counts *resolver_counts(const struct resolver *resolver)
{
    return &resolver->counts;
}
