/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Looks at settings as strangers meet them. */
#include "config/unsafe.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/certificate.h"
#include "config/source.h"
#include "config/value.h"

enum { PAGE_WAIT_MS = 3000 };

static struct place place_of(const struct config *config, const char *words)
{
    return source_find(config->sources, schema_row_of(SCHEMA_GLOBAL, words), 0);
}

/* --- who and what the node is --- */

static void user_check(const struct config *config, struct problem_list *problems)
{
    if (config->user.length == 0 && geteuid() == 0)
        source_complain(
            config->sources, (struct place){ 0 }, problems, SEVERITY_WARNING,
            N_("user is not said: started by root, the processes that read strangers' mail run as root; "
               "say user NAME"));
}

/* RFC 5321 section 2.3.5: a fully-qualified name, which others resolve. */
static const char *hostname_trouble(struct text name)
{
    static const struct text private_ends[] = { TEXT(".localhost"), TEXT(".localdomain"), TEXT(".local"),
                                                TEXT(".lan"),       TEXT(".home"),        TEXT(".internal"),
                                                TEXT(".invalid") };
    if (text_find_char(name, '.') == name.length)
        return N_("has no dot: it is not a full host name, and servers that ask for one refuse our mail");
    for (size_t i = 0; i < sizeof private_ends / sizeof *private_ends; i++)
        if (text_ends_nocase(name, private_ends[i]))
            return N_("means nothing outside of this network, and servers that look it up refuse our mail");
    return NULL;
}

static void hostname_check(const struct config *config, struct problem_list *problems)
{
    const char *why = hostname_trouble(config->hostname);
    if (why)
        source_complain(config->sources, place_of(config, "hostname"), problems, SEVERITY_WARNING,
                        N_("hostname %.*s %s"), TEXT_ARG(config->hostname), problem_say(problems, why));
}

/* --- listeners --- */

static bool is_private(const struct address *address, uint8_t bits)
{
    static const struct {
        const char *text;
    } networks[] = { { "127.0.0.0/8" },   { "10.0.0.0/8" },     { "172.16.0.0/12" }, { "192.168.0.0/16" },
                     { "100.64.0.0/10" }, { "169.254.0.0/16" }, { "::1" },           { "fc00::/7" },
                     { "fe80::/10" } };
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++) {
        struct network network;
        if (network_parse(text_of(networks[i].text), &network) && bits >= network.bits &&
            network_has(&network, address))
            return true;
    }
    return false;
}

/* Anybody in the world may connect. */
static bool is_public(const struct listener *listener)
{
    bool is_private_only = listener->from.count > 0;
    for (size_t i = 0; i < listener->from.count; i++)
        is_private_only =
            is_private_only && is_private(&listener->from.items[i].address, listener->from.items[i].bits);
    return !is_private_only && !is_private(&listener->endpoint.address, 128);
}

static void listener_check(const struct config *config, struct problem_list *problems, size_t index)
{
    const struct listener *listener = &config->listeners[index];
    struct place self = config->sources->items[SCHEMA_LISTENER][index].self;
    struct buffer listen = { 0 };
    value_endpoint_print(&listener->endpoint, 0, &listen);
    if (listener->certificate.path.length == 0 && is_public(listener)) {
        source_complain(
            config->sources, self, problems, SEVERITY_WARNING,
            N_("listen %.*s is open to the world and has no certificate: mail comes in the clear; "
               "say tls certificate FILE"),
            TEXT_ARG(buffer_text(&listen)));
    } else if (listener->certificate.path.length > 0 && listener->tls != TLS_NODE &&
               !certificate_has_name(listener->certificate.content, config->hostname)) {
        struct place place =
            source_find(config->sources, schema_row_of(SCHEMA_LISTENER, "tls certificate"), index);
        source_complain(
            config->sources, place.line ? place : self, problems, SEVERITY_WARNING,
            N_("the certificate %.*s is not for the host name %.*s: servers that verify it refuse to "
               "send here"),
            TEXT_ARG(listener->certificate.path), TEXT_ARG(config->hostname));
    }
    buffer_free(&listen);
}

void unsafe_check(const struct config *config, struct problem_list *problems)
{
    user_check(config, problems);
    hostname_check(config, problems);
    for (size_t i = 0; i < config->listener_count; i++) listener_check(config, problems, i);
}

/* --- the page of the digest --- */

/* "https://mx.example.jp:8443/release" to a host and a port. False: it is no such address. */
static bool page_read(struct text url, char host[256], char port[8])
{
    bool is_tls = text_starts_nocase(url, TEXT("https://"));
    if (!is_tls && !text_starts_nocase(url, TEXT("http://"))) return false;
    url = text_slice(url, is_tls ? 8 : 7, url.length);
    size_t end = 0;
    while (end < url.length && url.at[end] != '/' && url.at[end] != '?' && url.at[end] != '#') end++;
    url = text_slice(url, 0, end);
    size_t closing = text_find_char(url, ']'), colon = text_find_last_char(url, ':');
    bool has_port = colon < url.length && (closing == url.length || colon > closing);
    struct text name = text_slice(url, 0, has_port ? colon : url.length);
    struct text number = has_port ? text_slice(url, colon + 1, url.length)
                         : is_tls ? TEXT("443")
                                  : TEXT("80");
    if (name.length > 2 && name.at[0] == '[') name = text_slice(name, 1, name.length - 1);
    if (name.length == 0 || name.length > 255 || number.length == 0 || number.length > 5) return false;
    snprintf(host, 256, "%.*s", TEXT_ARG(name));
    snprintf(port, 8, "%.*s", TEXT_ARG(number));
    return true;
}

/* 0, or why not. */
static int connect_try(const struct addrinfo *address)
{
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), error = 0;
    socklen_t size = sizeof error;
    if (fd < 0) return errno;
    if (connect(fd, address->ai_addr, address->ai_addrlen) != 0) {
        struct pollfd wait = { fd, POLLOUT, 0 };
        error = errno;
        if (error == EINPROGRESS && poll(&wait, 1, PAGE_WAIT_MS) == 1)
            getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
        else if (error == EINPROGRESS)
            error = ETIMEDOUT;
    }
    close(fd);
    return error;
}

/* NULL: something answers; else why not. */
static const char *page_trouble(struct text url)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    struct addrinfo *list = NULL;
    char host[256], port[8];
    if (!page_read(url, host, port)) return N_("is no http:// or https:// address");
    int failed = getaddrinfo(host, port, &hints, &list), error = 0;
    if (failed) return gai_strerror(failed);
    for (const struct addrinfo *one = list; one; one = one->ai_next)
        if ((error = connect_try(one)) == 0) break;
    freeaddrinfo(list);
    return error ? strerror(error) : NULL;
}

void unsafe_check_page(const struct config *config, struct problem_list *problems)
{
    if (!config->digest.send || config->digest.page.length == 0) return;
    const char *why = page_trouble(config->digest.page);
    if (why)
        source_complain(
            config->sources, place_of(config, "digest page"), problems, SEVERITY_WARNING,
            N_("digest page %.*s: nothing is there (%s), so the links in digests lead nowhere; digest reply "
               "lets users release by mail"),
            TEXT_ARG(config->digest.page), problem_say(problems, why));
}
