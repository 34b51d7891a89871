/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What is wrong although every statement is well formed: settings that contradict each other, loops, open
   relays. Certificates are identity.c's. */
#include <ifaddrs.h>
#include <stdlib.h>

#include "base/tls.h"
#include "config/closed_kinds.h"
#include "config/domains.h"
#include "config/encoding.h"
#include "config/hosted.h"
#include "config/load_private.h"
#include "config/people.h"
#include "config/table.h"
#include "config/value.h"

static struct place global_place(const struct loader *loader, const char *words)
{
    return source_find(loader->sources, schema_row_of(SCHEMA_GLOBAL, words), 0);
}

static struct place listener_place(const struct loader *loader, const char *words, size_t index)
{
    return loader_place(loader, SCHEMA_LISTENER, words, index);
}

/* `lower` and `upper` are settings of numbers; the first must not exceed the second. */
static void order_check(struct loader *loader, const char *lower, const char *upper)
{
    const struct schema_row *below = schema_row_of(SCHEMA_GLOBAL, lower),
                            *above = schema_row_of(SCHEMA_GLOBAL, upper);
    if (value_number(below, loader->config) <= value_number(above, loader->config)) return;
    struct place place = global_place(loader, lower);
    if (place.line == 0) place = global_place(loader, upper);
    struct buffer low = { 0 }, high = { 0 };
    value_print(below, loader->config, &low);
    value_print(above, loader->config, &high);
    loader_complain(loader, SEVERITY_ERROR, place, N_("%s (%.*s) is above %s (%.*s)"), lower,
                    TEXT_ARG(buffer_text(&low)), upper, TEXT_ARG(buffer_text(&high)));
    buffer_free(&low);
    buffer_free(&high);
}

static void numbers_check(struct loader *loader)
{
    static const char *const orders[][2] = {
        { "limits header", "limits message" },
        { "limits message", "limits bodies" },
        { "limits bodies in frame", "limits bodies in memory" },
        { "limits connections per client", "limits connections" },
        { "queue retry first", "queue retry most" },
        { "queue retry first", "queue expire" },
        { "queue warn inside after", "queue expire" },
        { "virus most file", "virus most scanned" },
        { "virus most time", "limits time verdict" },
        { "deliver connections", "deliver connections all" },
        { "deliver connections static", "deliver connections all" },
    };
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++)
        order_check(loader, orders[i][0], orders[i][1]);
}

static struct text own_address_of(const struct config *config, int which)
{
    return which < MISSED_KINDS ? config->report.missed[which] : config->digest.reply;
}

static bool takes_from_inside(const struct config *config)
{
    for (size_t i = 0; i < config->listener_count; i++)
        if (config->listeners[i].direction == DIRECTION_OUT) return true;
    return false;
}

static bool is_printable_word(struct text text)
{
    return text_is_printable(text) && text_find_char(text, ' ') == text.length;
}

/* What is sent to an address of the node's own must mean one thing, and come in somewhere. */
static void own_addresses_check(struct loader *loader)
{
    static const char *const words[] = { "report missed spam",  "report missed phishing",
                                         "report missed virus", "report missed newsletter",
                                         "report missed ham",   "digest reply" };
    for (int i = 0; i <= MISSED_KINDS && !takes_from_inside(loader->config); i++)
        if (own_address_of(loader->config, i).length)
            loader_complain(loader, SEVERITY_WARNING, global_place(loader, words[i]),
                            N_("%s without a listener of direction out: nobody can write to it"), words[i]);
    for (int i = 1; i <= MISSED_KINDS; i++) {
        struct text address = own_address_of(loader->config, i);
        for (int j = 0; j < i && address.length; j++) {
            if (!text_equal_nocase(address, own_address_of(loader->config, j))) continue;
            loader_complain(loader, SEVERITY_ERROR, global_place(loader, words[i]),
                            N_("%s and %s are one address: %.*s"), words[j], words[i], TEXT_ARG(address));
            break;
        }
    }
}

/* Reports come from inside, and who sends from there is of ours. */
static void reporters_check(struct loader *loader)
{
    const struct text_list *trusted = &loader->config->report.trusted;
    for (size_t i = 0; i < trusted->count; i++) {
        struct text domain =
            text_slice(trusted->items[i], text_find_last_char(trusted->items[i], '@') + 1, SIZE_MAX);
        if (config_is_ours(loader->config, domain)) continue;
        loader_complain(loader, SEVERITY_ERROR, global_place(loader, "report trusted"),
                        N_("report trusted: %.*s is of no domain in `domains`: only users inside report"),
                        TEXT_ARG(trusted->items[i]));
    }
}

/* What stands in replies, which are ASCII where the client does not know better (RFC 5321 section 4.2). */
static void replies_check(struct loader *loader)
{
    static const char *const kinds[REFUSAL_KINDS] = { "",
                                                      "refusal virus english",
                                                      "refusal spam english",
                                                      "refusal attachment english",
                                                      "refusal policy english",
                                                      "refusal size english",
                                                      "refusal dmarc english" };
    const struct config *config = loader->config;
    for (int i = 1; i < REFUSAL_KINDS; i++)
        if (!text_is_printable(config->refusal.english[i]))
            loader_complain(loader, SEVERITY_ERROR, global_place(loader, kinds[i]),
                            N_("%s stands in replies of SMTP: printable ASCII"), kinds[i]);
    if (!is_printable_word(config->help.page))
        loader_complain(loader, SEVERITY_ERROR, global_place(loader, "help page"),
                        N_("help page stands in replies of SMTP: printable ASCII without blanks"));
    if (!is_printable_word(config->help.mailbox))
        loader_complain(loader, SEVERITY_ERROR, global_place(loader, "help mailbox"),
                        N_("help mailbox stands in replies of SMTP: an address in ASCII"));
}

/* The file of our people: the first line that is wrong. */
static void people_check_file(struct loader *loader)
{
    const struct file_content *people = &loader->config->people;
    uint32_t line;
    if (people->content.length == 0 || loader->origin != CONTENT_DISK) return;
    const char *why = people_check(people->content, &line);
    if (why)
        loader_complain(loader, SEVERITY_ERROR, global_place(loader, "people"), N_("people %.*s:%u: %s"),
                        TEXT_ARG(people->path), (unsigned)line, why);
}

static bool is_everybody(const struct network_list *list)
{
    static const struct address v4_zero = { { [10] = 0xFF, [11] = 0xFF } };
    for (size_t i = 0; i < list->count; i++) {
        bool is_v4_all = list->items[i].bits == 96 && address_equal(&list->items[i].address, &v4_zero);
        if (is_v4_all || list->items[i].bits == 0) return true;
    }
    return false;
}

static void relay_check(struct loader *loader, const struct listener *listener, size_t index)
{
    bool is_out = listener->direction == DIRECTION_OUT;
    if (is_out && listener->from.count == 0)
        loader_complain(
            loader, SEVERITY_ERROR, listener_place(loader, "direction", index),
            N_("direction out without from would relay for everybody; say who may connect: from NETWORK…"));
    if (is_out && is_everybody(&listener->from))
        loader_complain(loader, SEVERITY_WARNING, listener_place(loader, "from", index),
                        N_("direction out from everybody relays for the whole world"));
    if (!is_out && listener->senders.count > 0)
        loader_complain(loader, SEVERITY_WARNING, listener_place(loader, "senders", index),
                        N_("senders counts with direction out alone: here nobody looks at it"));
    if (is_everybody(&listener->xclient))
        loader_complain(loader, SEVERITY_WARNING, listener_place(loader, "xclient", index),
                        N_("xclient from everybody lets any client claim any address"));
}

static void twice_complain(struct loader *loader, enum schema_scope scope, const char *what, size_t second,
                           size_t first)
{
    const struct item_sources *items = loader->sources->items[scope];
    loader_complain(loader, SEVERITY_ERROR, items[second].self, N_("%s stood before, at %.*s:%u"),
                    problem_say(loader->problems, what),
                    TEXT_ARG(loader->sources->files[items[first].self.file]),
                    (unsigned)items[first].self.line);
}

static bool is_ours(const struct ifaddrs *interfaces, const struct address *address);

static bool is_shared(const struct config *config, const struct address *address)
{
    for (size_t i = 0; i < config->vrrp.addresses.count; i++) {
        struct network shared;
        if (network_parse_interface(config->vrrp.addresses.items[i], &shared) &&
            address_equal(&shared.address, address))
            return true;
    }
    return false;
}

/* It can be bound all the same, and takes connections when the address comes. */
static void place_check(struct loader *loader, const struct listener *listener, size_t index)
{
    const struct address *address = &listener->endpoint.address;
    char room[ADDRESS_TEXT_SIZE];
    if (loader->origin != CONTENT_DISK || !loader->interfaces) return;
    if (address_is_zero(address) || address_is_loopback(address)) return;
    if (is_ours(loader->interfaces, address) || is_shared(loader->config, address)) return;
    loader_complain(loader, SEVERITY_WARNING, loader->sources->items[SCHEMA_LISTENER][index].self,
                    N_("%s is on no interface of this machine and is no vrrp address: nothing arrives there"),
                    address_print(address, room));
}

static void vrrp_check(struct loader *loader)
{
    const struct config *config = loader->config;
    struct place place = global_place(loader, "vrrp address");
    bool has_address = config->vrrp.addresses.count > 0;
    if (has_address && config->vrrp.interface.length == 0)
        loader_complain(loader, SEVERITY_ERROR, place,
                        N_("vrrp address without vrrp interface; say vrrp interface INTERFACE"));
    if (config->vrrp.advertise_ms % 10 != 0)
        loader_complain(loader, SEVERITY_ERROR, global_place(loader, "vrrp advertise"),
                        N_("vrrp advertise goes in steps of 10ms"));
    bool is_v6 = false, is_v4 = false;
    for (size_t i = 0; i < config->vrrp.addresses.count; i++) {
        bool has_colon =
            text_find_char(config->vrrp.addresses.items[i], ':') < config->vrrp.addresses.items[i].length;
        is_v6 = is_v6 || has_colon;
        is_v4 = is_v4 || !has_colon;
    }
    if (is_v4 && is_v6)
        loader_complain(loader, SEVERITY_ERROR, place,
                        N_("vrrp address: IPv4 and IPv6 cannot move together"));
}

/* One socket would take what comes to the other: an address, and "all addresses" of its family. */
static bool overlaps(const struct endpoint *a, const struct endpoint *b)
{
    return a->port == b->port && address_is_v4(&a->address) == address_is_v4(&b->address) &&
           (address_is_zero(&a->address) || address_is_zero(&b->address) ||
            address_equal(&a->address, &b->address));
}

static void overlap_complain(struct loader *loader, struct place place, const char *what,
                             const struct endpoint *endpoint, size_t other)
{
    const struct endpoint *taken = &loader->config->listeners[other].endpoint;
    struct place before = loader->sources->items[SCHEMA_LISTENER][other].self;
    struct buffer one = { 0 }, another = { 0 };
    value_endpoint_print(endpoint, 0, &one);
    value_endpoint_print(taken, 0, &another);
    loader_complain(loader, SEVERITY_ERROR, place,
                    N_("%s %.*s overlaps with listen %.*s at %.*s:%u: only one of them can be bound"), what,
                    TEXT_ARG(buffer_text(&one)), TEXT_ARG(buffer_text(&another)),
                    TEXT_ARG(loader->sources->files[before.file]), (unsigned)before.line);
    buffer_free(&one);
    buffer_free(&another);
}

/* Where events of other nodes are taken is a listener, too. */
static void collector_check(struct loader *loader)
{
    const struct config *config = loader->config;
    struct endpoint collector;
    if (!value_endpoint_parse(config->ledger.listen, 0, &collector)) return;
    for (size_t i = 0; i < config->listener_count; i++) {
        if (!overlaps(&collector, &config->listeners[i].endpoint)) continue;
        overlap_complain(loader, global_place(loader, "ledger listen"), "ledger listen", &collector, i);
        return;
    }
}

/* HTTP without a password or TLS is nothing for a network. */
static void metrics_check(struct loader *loader)
{
    const struct config *config = loader->config;
    struct place place = global_place(loader, "metrics listen");
    struct endpoint monitors, collector;
    if (!value_endpoint_parse(config->metrics.listen, 0, &monitors)) return;
    if (!address_is_loopback(&monitors.address))
        loader_complain(
            loader, SEVERITY_ERROR, place,
            N_("metrics listen: it is read without a password, so it is for addresses of this machine "
               "alone, such as 127.0.0.1 or [::1]; for others put a web server with access rules "
               "before it"));
    if (value_endpoint_parse(config->ledger.listen, 0, &collector) && overlaps(&monitors, &collector))
        loader_complain(loader, SEVERITY_ERROR, place,
                        N_("metrics listen overlaps with ledger listen: only one of them can be bound"));
    for (size_t i = 0; i < config->listener_count; i++) {
        if (!overlaps(&monitors, &config->listeners[i].endpoint)) continue;
        overlap_complain(loader, place, "metrics listen", &monitors, i);
        return;
    }
}

static void listeners_check(struct loader *loader)
{
    const struct config *config = loader->config;
    for (size_t i = 0; i < config->listener_count; i++) {
        const struct listener *listener = &config->listeners[i];
        for (size_t j = 0; j < i; j++) {
            if (!overlaps(&listener->endpoint, &config->listeners[j].endpoint)) continue;
            if (endpoint_equal(&listener->endpoint, &config->listeners[j].endpoint))
                twice_complain(loader, SCHEMA_LISTENER, N_("this address and port"), i, j);
            else
                overlap_complain(loader, loader->sources->items[SCHEMA_LISTENER][i].self, "listen",
                                 &listener->endpoint, j);
            break;
        }
        if (loader->sources->items[SCHEMA_LISTENER][i].is_spoiled) continue;
        place_check(loader, listener, i);
        relay_check(loader, listener, i);
    }
    collector_check(loader);
    metrics_check(loader);
    if (config->listener_count == 0 && !loader->sources->is_spoiled)
        loader_complain(loader, SEVERITY_WARNING, (struct place){ 0 },
                        N_("no listen statement: nothing takes mail"));
}

/* One of this machine's own addresses. */
static bool is_ours(const struct ifaddrs *interfaces, const struct address *address)
{
    for (; interfaces; interfaces = interfaces->ifa_next) {
        struct endpoint own;
        if (endpoint_from_sockaddr(interfaces->ifa_addr, &own) && address_equal(&own.address, address))
            return true;
    }
    return false;
}

/* A connection to the target would arrive at this listener of ours. */
static bool leads_back(const struct loader *loader, const struct target *target,
                       const struct listener *listener)
{
    const struct config *config = loader->config;
    const struct address *here = &listener->endpoint.address, *there = &target->endpoint.address;
    if (target->use_mx || target->endpoint.port != listener->endpoint.port) return false;
    if (!target->is_address) return text_equal_nocase(target->host, config->hostname);
    if (address_equal(here, there) || address_is_zero(there)) return true;
    if (!address_is_zero(here)) return false;
    if (address_is_loopback(there)) return true;
    for (size_t i = 0; i < config->listener_count; i++)
        if (address_equal(&config->listeners[i].endpoint.address, there)) return true;
    return loader->origin == CONTENT_DISK && is_ours(loader->interfaces, there);
}

static void targets_check(struct loader *loader, const struct domain *domain, size_t index)
{
    const struct config *config = loader->config;
    for (size_t i = 0; i < domain->target_count; i++)
        for (size_t j = 0; j < config->listener_count; j++) {
            if (!leads_back(loader, &domain->targets[i], &config->listeners[j])) continue;
            loader_complain(loader, SEVERITY_ERROR, loader->sources->items[SCHEMA_DOMAIN][index].self,
                            N_("mail for %.*s would come back to our own listener: a loop"),
                            TEXT_ARG(domain->name));
            return;
        }
}

static void table_check(struct loader *loader, const struct domain *domain, size_t index)
{
    char why[256];
    struct content *content = content_find(loader, domain->recipients_table.path);
    size_t offset;
    if (!content || content->was_checked || loader->origin != CONTENT_DISK) return;
    content->was_checked = true;
    const struct encoding *encoding = encoding_guess(content->bytes, &offset);
    if (encoding) {
        loader_complain(
            loader, SEVERITY_ERROR, loader_place(loader, SCHEMA_DOMAIN, "recipients table", index),
            N_("table %.*s is not UTF-8; it looks like %s"), TEXT_ARG(content->path), encoding->name);
        return;
    }
    struct table *table = table_new(content->bytes, why, sizeof why);
    if (!table)
        loader_complain(loader, SEVERITY_ERROR,
                        loader_place(loader, SCHEMA_DOMAIN, "recipients table", index), N_("table %.*s:%s"),
                        TEXT_ARG(content->path), why);
    else if (table_count(table) == 0)
        loader_complain(loader, SEVERITY_WARNING,
                        loader_place(loader, SCHEMA_DOMAIN, "recipients table", index),
                        N_("table %.*s is empty: every recipient is refused"), TEXT_ARG(content->path));
    table_free(table);
}

static void domain_check(struct loader *loader, const struct domain *domain, size_t index)
{
    bool has_table = domain->recipients_table.path.length > 0;
    const struct domain *first = config_find_domain(loader->config, domain->name);
    if (first != domain)
        twice_complain(loader, SCHEMA_DOMAIN, domain->name.at, index,
                       (size_t)(first - loader->config->domains));
    if (has_table && source_find(loader->sources, schema_row_of(SCHEMA_DOMAIN, "recipients"), index).line > 0)
        loader_complain(loader, SEVERITY_ERROR, loader_place(loader, SCHEMA_DOMAIN, "recipients", index),
                        N_("recipients is said both with and without a table"));
    if (!config_route_is_local(domain) && domain->recipients != RECIPIENTS_ANY)
        loader_complain(loader, SEVERITY_ERROR, loader_place(loader, SCHEMA_DOMAIN, "recipients", index),
                        N_("recipients of * cannot be checked: it is the way out to the world"));
    if (has_table) table_check(loader, domain, index);
    targets_check(loader, domain, index);
}

static void domains_check(struct loader *loader)
{
    const struct config *config = loader->config;
    bool takes_in = false;
    for (size_t i = 0; i < config->domain_count; i++) domain_check(loader, &config->domains[i], i);
    for (size_t i = 0; i < config->listener_count; i++)
        takes_in = takes_in || config->listeners[i].direction == DIRECTION_IN;
    if (takes_in && config->domain_count == 1 && !loader->sources->is_spoiled)
        loader_complain(loader, SEVERITY_WARNING, (struct place){ 0 },
                        N_("no domains: every message from the world is refused"));
}

static void authorities_check(struct loader *loader)
{
    char why[256] = "the file is empty";
    const struct content *file = content_find(loader, loader->config->deliver.ca.path);
    if (loader->origin != CONTENT_DISK || !file || file->reason) return;
    struct tls_context *context =
        file->bytes.length ? tls_context_client(file->bytes, true, why, sizeof why) : NULL;
    if (!context)
        loader_complain(loader, SEVERITY_ERROR, global_place(loader, "deliver authorities"),
                        N_("authorities %.*s: %s"), TEXT_ARG(file->path), why);
    tls_context_free(context);
}

/* What a hook may write in never is ours. */
static void hook_check(struct loader *loader)
{
    const struct config *config = loader->config;
    const struct text_list *folders = &config->alarm.hook_writes;
    for (size_t i = 0; i < folders->count; i++) {
        struct text rest = text_slice(folders->items[i], config->state.length, folders->items[i].length);
        if (!text_starts(folders->items[i], config->state) || (rest.length && rest.at[0] != '/')) continue;
        loader_complain(loader, SEVERITY_ERROR, global_place(loader, "alarm hook writes"),
                        N_("alarm hook writes %.*s: no hook opens the state folder %.*s"),
                        TEXT_ARG(folders->items[i]), TEXT_ARG(config->state));
    }
}

/* What goes into freshclam's configuration is one word of a line of it. */
static void update_check(struct loader *loader)
{
    const struct config *config = loader->config;
    struct text from = config->virus.update_from;
    bool is_url = text_starts(from, TEXT("https://")) || text_starts(from, TEXT("http://"));
    for (size_t i = 0; i < from.length; i++) is_url = is_url && from.at[i] > ' ' && from.at[i] < 127;
    if (from.length && (!is_url || from.length > 1000))
        loader_complain(loader, SEVERITY_ERROR, global_place(loader, "virus engine clamav update from"),
                        N_("update from \"%.*s\" is no URL: https://NAME and perhaps a path"),
                        TEXT_ARG(from));
    if (config->virus.also_folder.length && config->virus.also_command.count)
        loader_complain(loader, SEVERITY_ERROR, global_place(loader, "virus engine clamav also folder"),
                        N_("also folder %.*s: also command fills a folder of its own; say one of them"),
                        TEXT_ARG(config->virus.also_folder));
}

/* The rows of `virus not-opened kinds`, or of the same for outbound mail: no kind has two actions. */
static void kinds_check(struct loader *loader, const char *words)
{
    uint64_t seen = 0;
    for (size_t i = 0; i < schema_row_count; i++) {
        const struct schema_row *row = &schema_rows[i];
        if (!text_starts(text_of(row->words), text_of(words))) continue;
        uint64_t twice = seen & value_number(row, loader->config);
        seen |= value_number(row, loader->config);
        for (const struct schema_choice *kind = row->choices; twice && kind->word; kind++)
            if (twice >> kind->value & 1)
                loader_complain(loader, SEVERITY_ERROR, global_place(loader, row->words),
                                N_("%s has two actions, one of them in %s"), kind->word, row->words);
    }
}

static void greylist_check(struct loader *loader)
{
    const struct config *config = loader->config;
    bool is_wanted = config->greylist.mode != MODE_OFF;
    for (size_t i = 0; i < config->domain_count; i++)
        is_wanted = is_wanted ||
                    (config->domains[i].has_greylist_mode && config->domains[i].greylist_mode != MODE_OFF);
    if (is_wanted && !config->senders.is_remembering)
        loader_complain(loader, SEVERITY_WARNING, global_place(loader, "senders remember"),
                        N_("with `senders remember off` nothing is greylisted"));
}

void crosscheck_config(struct loader *loader)
{
    if (!loader->sources->is_spoiled) numbers_check(loader);
    spam_lines_check(loader);
    own_addresses_check(loader);
    reporters_check(loader);
    replies_check(loader);
    people_check_file(loader);
    greylist_check(loader);
    authorities_check(loader);
    hook_check(loader);
    update_check(loader);
    kinds_check(loader, "virus not-opened kinds ");
    kinds_check(loader, "virus outbound not-opened kinds ");
    identity_check(loader);
    mail_keys_check(loader);
    hosted_check(loader);
    list_setting_check(loader);
    engines_check(loader);
    if (loader->origin == CONTENT_DISK && getifaddrs(&loader->interfaces) != 0) loader->interfaces = NULL;
    if (!loader->sources->is_spoiled) vrrp_check(loader);
    listeners_check(loader);
    domains_check(loader);
    if (loader->interfaces) freeifaddrs(loader->interfaces);
}
