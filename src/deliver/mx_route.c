/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The order of servers for a domain, and the reasons why there is none. */
#include "deliver/mx_route.h"

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

static void hop_add(struct route *route, const struct address *address, uint16_t port, struct text host)
{
    struct endpoint endpoint = { *address, port };
    if (route->hop_count == ROUTE_HOPS_MOST || hop_is_known(route, &endpoint)) return;
    char room[ADDRESS_TEXT_SIZE];
    if (host.length == 0) host = text_of(address_print(address, room));
    route->hops[route->hop_count++] = (struct hop){ endpoint, arena_text(route->arena, host) };
}

/* A static target that is this gateway is a mistake in the configuration: the mail waits until it is mended.
 */
static void static_add(struct route *route, const struct own_addresses *own, const struct address *address,
                       uint16_t port, struct text host)
{
    struct endpoint endpoint = { *address, port };
    if (address_is_no_host(address))
        note(route, RECIPIENT_DEFERRED, "4.4.4",
             arena_printf(route->arena, "no server can be at the address of %.*s", TEXT_ARG(host)));
    else if (own_addresses_have(own, &endpoint))
        note(route, RECIPIENT_DEFERRED, "4.4.6", TEXT("the route leads back to this gateway"));
    else
        hop_add(route, address, port, host);
}

static void go_on(struct route *route, const struct own_addresses *own)
{
    while (route->target_next < route->target_count) {
        const struct target *target = &route->targets[route->target_next++];
        if (target->use_mx || !target->is_address) {
            route->status = target->use_mx ? ROUTE_ASK_MX : ROUTE_ASK_HOST;
            route->question = target->use_mx ? route->domain : target->host;
            return;
        }
        static_add(route, own, &target->endpoint.address, target->endpoint.port, TEXT_NONE);
    }
    route->status = route->hop_count > 0 ? ROUTE_READY : ROUTE_NONE;
    if (route->status == ROUTE_NONE && !route->enhanced)
        note(route, RECIPIENT_DEFERRED, "4.4.4", TEXT("no server for the domain"));
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
        *target = (struct target){ .is_address = true, .endpoint = { address, route->mx_port } };
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
        static_add(route, own, &answer->addresses[i], target->endpoint.port, target->host);
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
                hop_add(route, address, route->mx_port, host->host);
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
