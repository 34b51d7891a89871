/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The order of servers for a domain, and the reasons why there is none. */
#include "deliver/mx_route.h"

#include "config/domains.h"

bool own_addresses_have(const struct own_addresses *own, const struct endpoint *endpoint)
{
    for (size_t i = 0; i < own->listener_count; i++) {
        const struct endpoint *listener = &own->listeners[i];
        if (listener->port != endpoint->port) continue;
        if (address_equal(&listener->address, &endpoint->address)) return true;
        if (!address_is_zero(&listener->address)) continue;
        if (address_is_loopback(&endpoint->address)) return true;
        for (size_t j = 0; j < own->address_count; j++)
            if (address_equal(&own->addresses[j], &endpoint->address)) return true;
    }
    return false;
}

void route_key(const struct domain *statement, struct text domain, struct buffer *out)
{
    buffer_printf(out, "tls=%d,%.*s utf8=%d limit=%u balance=%d", statement->tls,
                  TEXT_ARG(statement->tls_name), statement->smtputf8, statement->connections,
                  statement->balance);
    for (size_t i = 0; i < statement->target_count; i++) {
        const struct target *target = &statement->targets[i];
        char room[ADDRESS_TEXT_SIZE];
        if (target->use_mx)
            buffer_printf(out, " mx:%.*s", TEXT_ARG(domain));
        else if (target->is_address)
            buffer_printf(out, " [%s]:%u", address_print(&target->endpoint.address, room),
                          target->endpoint.port);
        else
            buffer_printf(out, " %.*s:%u", TEXT_ARG(target->host), target->endpoint.port);
    }
}

/* Where DNS sends mail for nobody: to no host at all, or to the machine that asks. A `deliver port` of its
   own is of a network of its own, whose servers may be on this machine. */
static bool is_nobodys(const struct route *route, const struct address *address)
{
    enum { SMTP_PORT = 25 };
    return address_is_no_host(address) || (address_is_loopback(address) && route->mx_port == SMTP_PORT);
}

/* Remembers why a target gave no hop. What may pass counts more than what will not. */
static void note(struct route *route, enum recipient_ending ending, const char *enhanced, struct text reason)
{
    if (route->enhanced && (route->ending == RECIPIENT_DEFERRED || ending == RECIPIENT_FAILED)) return;
    route->ending = ending;
    route->enhanced = enhanced;
    route->reason = reason;
}

static bool hop_is_known(const struct route *route, const struct endpoint *endpoint)
{
    for (uint32_t i = 0; i < route->hop_count; i++)
        if (route->hops[i].endpoint.port == endpoint->port &&
            address_equal(&route->hops[i].endpoint.address, &endpoint->address))
            return true;
    return false;
}

static void hop_add(struct route *route, const struct address *address, uint16_t port, struct text host,
                    bool is_outside)
{
    struct endpoint endpoint = { *address, port };
    if (route->hop_count == ROUTE_HOPS_MOST || hop_is_known(route, &endpoint)) return;
    char room[ADDRESS_TEXT_SIZE];
    if (host.length == 0) host = text_of(address_print(address, room));
    route->hops[route->hop_count++] =
        (struct hop){ endpoint, arena_text(route->arena, host), .is_outside = is_outside };
}

/* A static target that is this gateway is a mistake in the configuration: the mail waits until it is mended.
 */
static void static_add(struct route *route, const struct own_addresses *own, const struct address *address,
                       uint16_t port, struct text host, bool is_outside)
{
    struct endpoint endpoint = { *address, port };
    if (address_is_no_host(address))
        note(route, RECIPIENT_DEFERRED, "4.4.4",
             arena_printf(route->arena, "no server can be at the address of %.*s", TEXT_ARG(host)));
    else if (own_addresses_have(own, &endpoint))
        note(route, RECIPIENT_DEFERRED, "4.4.6", TEXT("the route leads back to this gateway"));
    else
        hop_add(route, address, port, host, is_outside);
}

/* --- by IPv6 --- */

static bool is_world_v6(const struct hop *hop)
{
    return hop->is_outside && !address_is_v4(&hop->endpoint.address);
}

static void sources_want(struct route *route)
{
    struct sources_question *question = &route->sources;
    *question = (struct sources_question){ .own = route->source6 };
    question->destinations =
        arena_alloc_array(route->arena, route->hop_count, sizeof *question->destinations);
    for (uint32_t i = 0; i < route->hop_count; i++)
        if (is_world_v6(&route->hops[i]))
            question->destinations[question->count++] = route->hops[i].endpoint.address;
}

static void end(struct route *route)
{
    route->status = route->hop_count > 0 ? ROUTE_READY : ROUTE_NONE;
    if (route->status == ROUTE_NONE && !route->enhanced)
        note(route, RECIPIENT_DEFERRED, "4.4.4", TEXT("no server for the domain"));
}

static struct text ipv6_hindrance(const struct route *route, const char **out_status)
{
    const struct outbound_source *source = &route->left_why;
    char room[ADDRESS_TEXT_SIZE] = "address";
    if (!address_is_zero(&source->address)) address_print(&source->address, room);
    *out_status = "4.4.4";
    if (route->ipv6 == IPV6_OFF) return TEXT("that is switched off (deliver ipv6)");
    if (source->status == CLIENT_NAME_NONE && address_is_zero(&source->address))
        return TEXT("this machine has no way there");
    *out_status = source->status == CLIENT_NAME_TEMPERROR ? "4.4.3" : "4.7.25";
    if (source->status == CLIENT_NAME_TEMPERROR)
        return arena_printf(route->arena, "the reverse name of our %s could not be looked up", room);
    return arena_printf(route->arena, "our %s has no confirmed reverse name (deliver ipv6)", room);
}

/* Where nothing but IPv6 is there the mail waits: the name can be made, and the setting changed. X.7.25, RFC
   7372 section 3.3: the reverse DNS of an address did not hold. */
static void note_ipv6(struct route *route)
{
    const char *status = "";
    struct text why = ipv6_hindrance(route, &status);
    note(route, RECIPIENT_DEFERRED, status,
         arena_printf(route->arena, "%.*s can be reached over IPv6 alone, and %.*s", TEXT_ARG(route->domain),
                      TEXT_ARG(why)));
}

static bool may_be_from(const struct outbound_source *source)
{
    return source->status == CLIENT_NAME_CONFIRMED && !address_is_zero(&source->address);
}

/* Takes out what is not to be reached over IPv6. The others connect from the very address that was asked
   about. */
static void hops_sift(struct route *route, const struct sources_answer *answer)
{
    static const struct outbound_source unknown = { .status = CLIENT_NAME_TEMPERROR };
    uint32_t kept = 0, asked = 0;
    for (uint32_t i = 0; i < route->hop_count; i++) {
        struct hop hop = route->hops[i];
        const struct outbound_source *source = &unknown;
        if (is_world_v6(&hop)) {
            if (asked < answer->count) source = &answer->sources[asked];
            asked++;
            if (!may_be_from(source)) {
                route->left_out++;
                route->left_why = *source;
                continue;
            }
            hop.source = source->address;
        }
        route->hops[kept++] = hop;
    }
    route->hop_count = kept;
    if (kept == 0 && route->left_out > 0) note_ipv6(route);
}

void route_sources_answer(struct route *route, const struct sources_answer *answer)
{
    hops_sift(route, answer);
    end(route);
}

static void ipv6_settle(struct route *route)
{
    static const struct sources_answer nothing;
    sources_want(route);
    if (route->sources.count == 0 || route->ipv6 == IPV6_ON)
        end(route);
    else if (route->ipv6 == IPV6_OFF)
        route_sources_answer(route, &nothing);
    else
        route->status = ROUTE_ASK_SOURCES;
}

/* --- from target to target --- */

static void go_on(struct route *route, const struct own_addresses *own)
{
    while (route->target_next < route->target_count) {
        const struct target *target = &route->targets[route->target_next++];
        if (!target->is_address) {
            route->status = target->use_mx ? ROUTE_ASK_MX : ROUTE_ASK_HOST;
            route->question = target->use_mx ? route->domain : target->host;
            return;
        }
        static_add(route, own, &target->endpoint.address, target->endpoint.port, TEXT_NONE, target->use_mx);
    }
    ipv6_settle(route);
}

/* As a null MX (RFC 7505) says it in the right way. */
static void note_nobody(struct route *route, struct text host, const struct address *address)
{
    char room[ADDRESS_TEXT_SIZE];
    note(route, RECIPIENT_FAILED, "5.1.10",
         arena_printf(route->arena, "%.*s accepts no mail: its server %.*s is at %s", TEXT_ARG(route->domain),
                      TEXT_ARG(host), address_print(address, room)));
}

/* An address literal as the domain of a mailbox (RFC 5321 section 4.1.3) names the server itself. */
static void literal_target(struct route *route)
{
    struct address address;
    if (route->domain.length == 0 || route->domain.at[0] != '[' || !address_parse(route->domain, &address))
        return;
    for (size_t i = 0; i < route->target_count; i++) {
        struct target *target = &route->targets[i];
        if (!target->use_mx) continue;
        if (is_nobodys(route, &address)) {
            note_nobody(route, route->domain, &address);
            route->target_count = i;
            break;
        }
        *target = (struct target){ true, .endpoint = { address, route->mx_port }, .use_mx = true };
    }
}

static void targets_copy(struct route *route, const struct domain *statement)
{
    route->targets = arena_alloc_array(route->arena, statement->target_count, sizeof *route->targets);
    route->target_count = statement->target_count;
    route->is_static = true;
    for (size_t i = 0; i < statement->target_count; i++) {
        route->targets[i] = statement->targets[i];
        route->targets[i].host = arena_text(route->arena, statement->targets[i].host);
        if (statement->targets[i].use_mx) route->is_static = false;
    }
}

struct route *route_new(const struct config *config, const struct domain *statement, struct text domain,
                        const struct own_addresses *own)
{
    struct arena *arena = arena_new(0);
    struct route *route = arena_alloc(arena, sizeof *route);
    route->arena = arena;
    route->domain = arena_text(arena, domain);
    route->tls = statement->tls;
    route->tls_name = arena_text(arena, statement->tls_name);
    route->smtputf8 = statement->smtputf8;
    route->balance = statement->balance;
    route->connections = statement->connections;
    route->mx_port = config->deliver.port;
    route->ipv6 = config_route_is_local(statement) ? IPV6_ON : config->deliver.ipv6;
    route->source6 = config->deliver.source6;
    route->hops = arena_alloc_array(arena, ROUTE_HOPS_MOST, sizeof *route->hops);
    targets_copy(route, statement);
    literal_target(route);
    go_on(route, own);
    return route;
}

void route_free(struct route *route)
{
    if (route) arena_free(route->arena);
}

static void lookup_note(struct route *route, enum dns_status status, struct text name)
{
    if (status == DNS_NONE)
        note(route, RECIPIENT_FAILED, "5.1.2",
             arena_printf(route->arena, "host %.*s not found", TEXT_ARG(name)));
    else
        note(
            route, RECIPIENT_DEFERRED, "4.4.3",
            arena_printf(route->arena, "lookup of %.*s failed: %s", TEXT_ARG(name), dns_status_name(status)));
}

void route_host_answer(struct route *route, const struct own_addresses *own, const struct host_answer *answer)
{
    const struct target *target = &route->targets[route->target_next - 1];
    for (uint32_t i = 0; i < answer->address_count; i++)
        static_add(route, own, &answer->addresses[i], target->endpoint.port, target->host, false);
    if (answer->address_count == 0) {
        /* A host that the administrator wrote down and that is not there is no reason to return mail. */
        enum dns_status status = answer->status == DNS_FOUND ? DNS_NONE : answer->status;
        note(route, RECIPIENT_DEFERRED, "4.4.4",
             arena_printf(route->arena, "address of %.*s: %s", TEXT_ARG(target->host),
                          dns_status_name(status)));
    }
    go_on(route, own);
}

static bool host_is_own(const struct route *route, const struct own_addresses *own,
                        const struct mx_host *host)
{
    struct text name = host->host;
    if (name.length > 0 && name.at[name.length - 1] == '.') name.length--;
    for (size_t i = 0; i < own->listener_count; i++)
        if (own->listeners[i].port == route->mx_port && text_equal_nocase(name, own->hostname)) return true;
    for (uint32_t i = 0; i < host->addresses.address_count; i++) {
        struct endpoint endpoint = { host->addresses.addresses[i], route->mx_port };
        if (!is_nobodys(route, &endpoint.address) && own_addresses_have(own, &endpoint)) return true;
    }
    return false;
}

/* RFC 5321 section 5.1: where we are in the list ourselves, only better preferences than ours are tried. */
static uint32_t preference_limit(const struct route *route, const struct own_addresses *own,
                                 const struct mx_answer *answer)
{
    uint32_t limit = UINT32_MAX;
    for (uint32_t i = 0; i < answer->host_count; i++)
        if (answer->hosts[i].preference < limit && host_is_own(route, own, &answer->hosts[i]))
            limit = answer->hosts[i].preference;
    return limit;
}

static void mx_hosts_add(struct route *route, const struct own_addresses *own, const struct mx_answer *answer)
{
    uint32_t limit = preference_limit(route, own, answer);
    for (uint32_t i = 0; i < answer->host_count; i++) {
        const struct mx_host *host = &answer->hosts[i];
        if (host->preference >= limit) {
            note(route, RECIPIENT_FAILED, "5.4.6",
                 arena_printf(route->arena, "mail for %.*s loops back to this gateway",
                              TEXT_ARG(route->domain)));
            continue;
        }
        for (uint32_t j = 0; j < host->addresses.address_count; j++) {
            const struct address *address = &host->addresses.addresses[j];
            if (is_nobodys(route, address))
                note_nobody(route, host->host, address);
            else
                hop_add(route, address, route->mx_port, host->host, true);
        }
        if (host->addresses.address_count == 0) lookup_note(route, host->addresses.status, host->host);
    }
}

void route_mx_answer(struct route *route, const struct own_addresses *own, const struct mx_answer *answer)
{
    if (answer->is_null)
        note(route, RECIPIENT_FAILED, "5.1.10",
             arena_printf(route->arena, "%.*s accepts no mail (null MX)", TEXT_ARG(route->domain)));
    else if (answer->host_count == 0)
        lookup_note(route, answer->status == DNS_FOUND ? DNS_NONE : answer->status, route->domain);
    else
        mx_hosts_add(route, own, answer);
    go_on(route, own);
}
