/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One check after another, so that each line stands before the next one is waited for; setup_finding.c judges
   what comes back. Called by setup.c. */
#include "cli/setup_checks.h"

#include <errno.h>
#include <ifaddrs.h>
#include <stdio.h>
#include <unistd.h>

#include "base/context.h"
#include "base/log.h"
#include "cli/recipient_probe.h"
#include "cli/root_probe.h"
#include "cli/setup_finding.h"
#include "config/signatures.h"
#include "config/value.h"
#include "lookup/dns_question.h"
#include "statistics/words.h"

enum {
    PATIENCE_MS = 2000, /* from then on it is said what is waited for */
    OWN_MOST = 64,      /* addresses of this machine */
    ADDRESSES_MOST = 4  /* of a name */
};

struct checks {
    enum { CHECKS_MAGIC = 0x3a90c1f7 } magic;
    struct config *config;
    enum language language;
    uint32_t limit_ms;
    const char *root;
    struct loop *loop;
    struct resolver *resolver;
    struct dns_question_table *questions; /* NULL: no resolver can be made */
    struct timer *patience;
    char waits_for[300];
    struct address own[OWN_MOST];
    struct machine_addresses addresses;
    struct setup_counts *counts;
};

/* --- telling --- */

static void patience_over(void *context)
{
    const struct checks *checks = CONTEXT(context, struct checks, CHECKS_MAGIC);
    fprintf(stderr, words_say(checks->language, N_("… waiting for %s\n")), checks->waits_for);
}

static void wait_begin(struct checks *checks, struct text what)
{
    snprintf(checks->waits_for, sizeof checks->waits_for, "%.*s", TEXT_ARG(what));
    timer_set(checks->patience, PATIENCE_MS);
}

static void tell(struct checks *checks, struct setup_finding *finding)
{
    struct buffer line = { 0 };
    timer_clear(checks->patience);
    setup_finding_print(finding, &line);
    printf("%.*s", TEXT_ARG(buffer_text(&line)));
    fflush(stdout);
    checks->counts->warnings += finding->result == SETUP_WARNING;
    checks->counts->failures += finding->result == SETUP_FAILED;
    buffer_free(&line);
    setup_finding_free(finding);
}

/* --- the DNS --- */

/* Why none can be made stands in the log. */
static void resolver_make(struct checks *checks)
{
    checks->config->dns.dnssec = false;
    checks->resolver = resolver_new(checks->loop);
    if (resolver_configure(checks->resolver, checks->config))
        checks->questions = dns_question_table_new(
            checks->loop, checks->resolver, &(struct dns_question_manner){ .timeout_ms = checks->limit_ms });
}

static void no_resolver_tell(struct checks *checks)
{
    struct setup_finding finding = { .language = checks->language, .result = SETUP_WARNING };
    buffer_add_text(&finding.said, text_of(words_say(checks->language, N_("the DNS cannot be asked"))));
    tell(checks, &finding);
}

/* A question and what to do with its answer, which is borrowed for that. */
struct inquiry {
    struct asker asker; /* first */
    struct checks *checks;
    void (*take)(struct inquiry *inquiry, const struct dns_question_answer *answer);
    struct text name;
    const struct address *address;
    struct endpoint *endpoints; /* room for ADDRESSES_MOST, where hosts are asked for */
    size_t count;
    struct setup_finding finding;
    bool is_over;
};

static void inquiry_answered(struct asker *asker, const struct dns_question_answer *answer)
{
    struct inquiry *inquiry = (struct inquiry *)asker;
    inquiry->take(inquiry, answer);
    inquiry->is_over = true;
    loop_stop(inquiry->checks->loop);
}

static void ask(struct inquiry *inquiry, enum dns_question_kind kind)
{
    struct checks *checks = inquiry->checks;
    inquiry->asker.answered = inquiry_answered;
    inquiry->finding.language = checks->language;
    wait_begin(checks, TEXT("DNS"));
    struct dns_question_subject subject = { .kind = kind, .name = inquiry->name };
    if (inquiry->address) subject.client = *inquiry->address;
    dns_question_ask(checks->questions, &subject, checks->limit_ms, &inquiry->asker);
    while (!inquiry->is_over) loop_run(checks->loop);
    timer_clear(checks->patience);
}

static void mx_take(struct inquiry *inquiry, const struct dns_question_answer *answer)
{
    struct checks *checks = inquiry->checks;
    setup_find_mx(&inquiry->finding, inquiry->name, checks->config->hostname, answer->mx, &checks->addresses);
}

static void mx_check(struct checks *checks, const struct domain *domain)
{
    struct inquiry inquiry = { .checks = checks, .take = mx_take, .name = domain->name };
    ask(&inquiry, DNS_QUESTION_MX);
    tell(checks, &inquiry.finding);
}

static void name_take(struct inquiry *inquiry, const struct dns_question_answer *answer)
{
    setup_find_name(&inquiry->finding, inquiry->checks->config->hostname, inquiry->address,
                    answer->client_name);
}

static void addresses_take(struct inquiry *inquiry, const struct dns_question_answer *answer)
{
    const struct host_answer *host = answer->host;
    setup_find_address(&inquiry->finding, inquiry->name, host);
    for (uint32_t i = 0; i < host->address_count && inquiry->count < ADDRESSES_MOST; i++)
        inquiry->endpoints[inquiry->count++] = (struct endpoint){ host->addresses[i], 0 };
}

static void names_check(struct checks *checks)
{
    struct endpoint found[ADDRESSES_MOST];
    struct inquiry host = {
        .checks = checks, .take = addresses_take, .name = checks->config->hostname, .endpoints = found
    };
    ask(&host, DNS_QUESTION_HOST);
    if (host.count == 0) tell(checks, &host.finding);
    for (size_t i = 0; i < host.count; i++) {
        struct inquiry name = { .checks = checks, .take = name_take, .address = &found[i].address };
        ask(&name, DNS_QUESTION_CLIENT_NAME);
        tell(checks, &name.finding);
    }
}

static void root_check(struct checks *checks)
{
    struct setup_finding finding = { .language = checks->language };
    wait_begin(checks, TEXT("DNS"));
    setup_find_root(&finding, root_probe(checks->loop, checks->resolver, checks->config, checks->root));
    tell(checks, &finding);
}

/* --- the server inside --- */

static bool is_our_address(const struct checks *checks, const struct address *address)
{
    for (size_t i = 0; i < checks->addresses.count; i++)
        if (address_equal(&checks->addresses.items[i], address)) return true;
    return address_is_loopback(address);
}

/* Where it is written as an address the configuration is refused before; a name may lead here as well. */
static bool is_ourselves(const struct checks *checks, const struct endpoint *server)
{
    for (size_t i = 0; i < checks->config->listener_count; i++)
        if (checks->config->listeners[i].endpoint.port == server->port)
            return is_our_address(checks, &server->address);
    return false;
}

/* The administrator where that is an address of the domain, else postmaster (RFC 5321 section 4.5.1). */
static void recipient_make(const struct config *config, struct text domain, struct buffer *out)
{
    size_t at = text_find_last_char(config->admin, '@');
    bool is_there = text_equal_nocase(text_slice(config->admin, at + 1, config->admin.length), domain);
    buffer_printf(out, is_there ? "%.*s" : "postmaster@%.*s", TEXT_ARG(is_there ? config->admin : domain));
}

/* The addresses of the server, one where it is written as one. */
static size_t endpoints_find(struct checks *checks, const struct target *target,
                             struct endpoint found[ADDRESSES_MOST])
{
    struct inquiry host = {
        .checks = checks, .take = addresses_take, .name = target->host, .endpoints = found
    };
    if (target->is_address) {
        found[0] = target->endpoint;
        return 1;
    }
    if (checks->questions) ask(&host, DNS_QUESTION_HOST);
    setup_finding_free(&host.finding);
    for (size_t i = 0; i < host.count; i++) found[i].port = target->endpoint.port;
    return host.count;
}

static void server_ask(struct checks *checks, const struct endpoint *servers, size_t count,
                       struct text recipient, struct recipient_answer *answer)
{
    *answer = (struct recipient_answer){ .outcome = RECIPIENT_NO_ANSWER, .said = "the name has no address" };
    for (size_t i = 0; i < count && answer->outcome == RECIPIENT_NO_ANSWER; i++) {
        if (is_ourselves(checks, &servers[i]))
            snprintf(answer->said, sizeof answer->said, "%s",
                     words_say(checks->language, N_("it is this gateway itself: mail would go in circles")));
        else
            recipient_probe(checks->loop, &servers[i], checks->config->hostname, recipient,
                            checks->limit_ms / (uint32_t)count, answer);
    }
}

static void target_print(const struct target *target, struct buffer *out)
{
    if (target->is_address)
        value_endpoint_print(&target->endpoint, 0, out);
    else
        buffer_printf(out, "%.*s:%u", TEXT_ARG(target->host), target->endpoint.port);
}

static void inside_check(struct checks *checks, const struct domain *domain)
{
    struct endpoint servers[ADDRESSES_MOST];
    struct recipient_answer answer;
    struct buffer recipient = { 0 }, server = { 0 };
    struct setup_finding finding = { .language = checks->language };
    recipient_make(checks->config, domain->name, &recipient);
    target_print(&domain->targets[0], &server);
    size_t count = endpoints_find(checks, &domain->targets[0], servers);
    wait_begin(checks, buffer_text(&server));
    server_ask(checks, servers, count, buffer_text(&recipient), &answer);
    setup_find_inside(&finding, buffer_text(&server), buffer_text(&recipient), &answer);
    tell(checks, &finding);
    buffer_free(&recipient);
    buffer_free(&server);
}

/* --- this machine --- */

static void own_find(struct checks *checks)
{
    struct ifaddrs *list = NULL;
    struct endpoint endpoint;
    checks->addresses.items = checks->own;
    if (getifaddrs(&list) != 0) return;
    for (const struct ifaddrs *one = list; one && checks->addresses.count < OWN_MOST; one = one->ifa_next)
        if (endpoint_from_sockaddr(one->ifa_addr, &endpoint))
            checks->own[checks->addresses.count++] = endpoint.address;
    freeifaddrs(list);
}

static void port_check(struct checks *checks, const struct listener *listener)
{
    struct setup_finding finding = { .language = checks->language };
    struct listening_holder holder = { 0 };
    int fd = listening_bind(&listener->endpoint), why = fd < 0 ? errno : 0;
    if (fd >= 0) close(fd);
    if (why == EADDRINUSE) listening_find_holder(&listener->endpoint, &holder);
    setup_find_port(&finding, listener->endpoint.port, why, &holder);
    tell(checks, &finding);
}

static void signatures_say(struct checks *checks)
{
    struct setup_finding finding = { .language = checks->language };
    struct text folder = checks->config->virus.fetched;
    setup_find_signatures(&finding, folder, signatures_newest(folder));
    tell(checks, &finding);
}

static bool is_ours(const struct domain *domain)
{
    return !text_equal(domain->name, TEXT("*"));
}

static void all_check(struct checks *checks)
{
    const struct config *config = checks->config;
    for (size_t i = 0; i < config->domain_count; i++)
        if (is_ours(&config->domains[i])) inside_check(checks, &config->domains[i]);
    for (size_t i = 0; i < config->domain_count && checks->questions; i++)
        if (is_ours(&config->domains[i])) mx_check(checks, &config->domains[i]);
    if (checks->questions)
        names_check(checks);
    else
        no_resolver_tell(checks);
    if (checks->questions) root_check(checks);
    for (size_t i = 0; i < config->listener_count; i++) port_check(checks, &config->listeners[i]);
    signatures_say(checks);
}

void setup_checks_run(struct config *config, enum language language, uint32_t limit_ms, const char *root,
                      struct setup_counts *out)
{
    struct checks checks = { .magic = CHECKS_MAGIC,
                             .config = config,
                             .language = language,
                             .limit_ms = limit_ms,
                             .root = root,
                             .loop = loop_new(),
                             .counts = out };
    log_set_level(LOG_LEVEL_ERROR);
    checks.patience = timer_new(checks.loop, patience_over, &checks);
    own_find(&checks);
    resolver_make(&checks);
    all_check(&checks);
    if (checks.questions) dns_question_table_free(checks.questions);
    resolver_free(checks.resolver);
    timer_free(checks.patience);
}
