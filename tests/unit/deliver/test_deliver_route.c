/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Goal: for each domain the servers that RFC 5321 and the configuration name, in their order, never
   ourselves; or the reason why there is none. A row is a `domains` statement, DNS answers, and what comes
   out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "config/domains.h"
#include "config_text.h"
#include "deliver/mx_route.h"

/* "20 mail.a.test 192.0.2.1 192.0.2.2, 30 b.test ?": preference, host, addresses; "?" failed, "-" none. */
struct row {
    const char *name, *domains, *domain;
    const char *mx; /* "" none, "." null MX, "?" temperror, else as above; NULL: must not be asked */
    const char
        *host; /* addresses of any host that is asked, "?" temperror, "-" none; NULL: must not be asked */
    const char *hops; /* "host[address]:port …", behind it "<source" where one is to be bound; or the reason:
                         "4.4.3 lookup …" */
    const char
        *sources; /* of each server by IPv6 that is found by MX our address, with "+" confirmed, "!" not,
                     "-" without a name, "?" in doubt; "/" no way there. NULL: must not be asked */
    const char *deliver; /* settings */
};

#define BOTH "10 a.far.test 2001:db8::1 192.0.2.1"
#define SIX "10 a.far.test 2001:db8::1"

static const struct row rows[] = {
    { "address", "example.test 192.0.2.1", "example.test", NULL, NULL, "192.0.2.1[192.0.2.1]:25" },
    { "two addresses", "example.test 192.0.2.2 192.0.2.1:26", "example.test", NULL, NULL,
      "192.0.2.2[192.0.2.2]:25 192.0.2.1[192.0.2.1]:26" },
    { "IPv6", "example.test [2001:db8::1]:27", "example.test", NULL, NULL, "2001:db8::1[2001:db8::1]:27" },
    { "the same twice", "example.test 192.0.2.2 192.0.2.2", "example.test", NULL, NULL,
      "192.0.2.2[192.0.2.2]:25" },
    { "host name", "example.test mail.inside.test", "example.test", NULL, "192.0.2.3 2001:db8::3",
      "mail.inside.test[192.0.2.3]:25 mail.inside.test[2001:db8::3]:25" },
    { "host name gone", "example.test mail.inside.test", "example.test", NULL, "-",
      "deferred 4.4.4 address of mail.inside.test: none" },
    { "host name in doubt", "example.test mail.inside.test", "example.test", NULL, "?",
      "deferred 4.4.4 address of mail.inside.test: temperror" },
    { "host in doubt, address behind", "example.test mail.inside.test 192.0.2.9", "example.test", NULL, "?",
      "192.0.2.9[192.0.2.9]:25" },
    { "subdomain", ".example.test 192.0.2.1", "deep.sub.example.test", NULL, NULL,
      "192.0.2.1[192.0.2.1]:25" },
    { "mx", "", "far.test", "20 b.far.test 192.0.2.2, 10 a.far.test 192.0.2.1", NULL,
      "b.far.test[192.0.2.2]:25 a.far.test[192.0.2.1]:25" /* lookup has sorted them: the order is kept */ },
    { "null mx", "", "far.test", ".", NULL, "failed 5.1.10 far.test accepts no mail (null MX)" },
    { "no such domain", "", "far.test", "", NULL, "failed 5.1.2 host far.test not found" },
    { "mx in doubt", "", "far.test", "?", NULL, "deferred 4.4.3 lookup of far.test failed: temperror" },
    { "one host in doubt", "", "far.test", "10 a.far.test ?, 20 b.far.test 192.0.2.2", NULL,
      "b.far.test[192.0.2.2]:25" },
    { "all hosts in doubt", "", "far.test", "10 a.far.test ?, 20 b.far.test -", NULL,
      "deferred 4.4.3 lookup of a.far.test failed: temperror" },
    { "all hosts gone", "", "far.test", "10 a.far.test -", NULL, "failed 5.1.2 host a.far.test not found" },
    { "we are last", "", "far.test", "10 a.far.test 192.0.2.1, 20 mx.example.test 192.0.2.99", NULL,
      "a.far.test[192.0.2.1]:25" },
    { "we are in the middle", "", "far.test",
      "10 a.far.test 192.0.2.1, 20 mx.example.test 192.0.2.99, 20 b.far.test 192.0.2.2, 30 c.far.test "
      "192.0.2.3",
      NULL, "a.far.test[192.0.2.1]:25" },
    { "we are first", "", "far.test", "10 MX.example.test. 192.0.2.99, 20 b.far.test 192.0.2.2", NULL,
      "failed 5.4.6 mail for far.test loops back to this gateway" },
    { "we by another name", "", "far.test", "10 other.far.test 192.0.2.99", NULL,
      "failed 5.4.6 mail for far.test loops back to this gateway" },
    { "static to ourselves", "example.test 192.0.2.99", "example.test", NULL, NULL,
      "deferred 4.4.6 the route leads back to this gateway" },
    { "our address, another port", "example.test 192.0.2.99:2525", "example.test", NULL, NULL,
      "192.0.2.99[192.0.2.99]:2525" },
    { "the wildcard listener", "example.test 127.0.0.1:8025", "example.test", NULL, NULL,
      "deferred 4.4.6 the route leads back to this gateway" },
    { "host name of ourselves", "example.test mail.inside.test", "example.test", NULL, "192.0.2.99",
      "deferred 4.4.6 the route leads back to this gateway" },
    { "smarthost for the world", "* 192.0.2.5:587", "far.test", NULL, NULL, "192.0.2.5[192.0.2.5]:587" },
    { "address, then mx", "example.test 192.0.2.1 mx", "example.test", "10 a.test 192.0.2.7", NULL,
      "192.0.2.1[192.0.2.1]:25 a.test[192.0.2.7]:25" },
    { "nobody at 0.0.0.0", "", "far.test", "10 a.far.test 0.0.0.0", NULL,
      "failed 5.1.10 far.test accepts no mail: its server a.far.test is at 0.0.0.0" },
    { "nobody at ::", "", "far.test", "10 a.far.test ::", NULL,
      "failed 5.1.10 far.test accepts no mail: its server a.far.test is at ::" },
    { "nobody at the mapped 0.0.0.0", "", "far.test", "10 a.far.test ::ffff:0.0.0.0", NULL,
      "failed 5.1.10 far.test accepts no mail: its server a.far.test is at 0.0.0.0" },
    { "this network", "", "far.test", "10 a.far.test 0.1.2.3", NULL,
      "failed 5.1.10 far.test accepts no mail: its server a.far.test is at 0.1.2.3" },
    { "the broadcast address", "", "far.test", "10 a.far.test 255.255.255.255", NULL,
      "failed 5.1.10 far.test accepts no mail: its server a.far.test is at 255.255.255.255" },
    { "multicast", "", "far.test", "10 a.far.test 224.0.0.1 ff02::1", NULL,
      "failed 5.1.10 far.test accepts no mail: its server a.far.test is at 224.0.0.1" },
    { "localhost", "", "far.test", "10 localhost 127.0.0.1", NULL,
      "failed 5.1.10 far.test accepts no mail: its server localhost is at 127.0.0.1" },
    { "localhost by another number", "", "far.test", "10 a.far.test 127.9.9.9 ::1", NULL,
      "failed 5.1.10 far.test accepts no mail: its server a.far.test is at 127.9.9.9" },
    { "the domain's own address", "", "far.test", "0 far.test 0.0.0.0", NULL,
      "failed 5.1.10 far.test accepts no mail: its server far.test is at 0.0.0.0" },
    { "nobody first, somebody behind", "", "far.test", "10 a.far.test 0.0.0.0, 20 b.far.test 192.0.2.2", NULL,
      "b.far.test[192.0.2.2]:25" },
    { "localhost first, somebody behind", "", "far.test", "10 a.far.test 127.0.0.1, 20 b.far.test 192.0.2.2",
      NULL, "b.far.test[192.0.2.2]:25" },
    { "nobody and somebody by one name", "", "far.test", "10 a.far.test 0.0.0.0 192.0.2.1 ::", NULL,
      "a.far.test[192.0.2.1]:25" },
    { "nobody, and one in doubt", "", "far.test", "10 a.far.test 0.0.0.0, 20 b.far.test ?", NULL,
      "deferred 4.4.3 lookup of b.far.test failed: temperror" },
    { "a static host name at 0.0.0.0", "example.test mail.inside.test", "example.test", NULL, "0.0.0.0",
      "deferred 4.4.4 no server can be at the address of mail.inside.test" },
    { "a static host name on this machine", "example.test mail.inside.test:2525", "example.test", NULL,
      "127.0.0.1", "mail.inside.test[127.0.0.1]:2525" },
    { "a literal of nobody", "", "[0.0.0.0]", NULL, NULL,
      "failed 5.1.10 [0.0.0.0] accepts no mail: its server [0.0.0.0] is at 0.0.0.0" },
    { "a literal of ourselves", "", "[127.0.0.1]", NULL, NULL,
      "failed 5.1.10 [127.0.0.1] accepts no mail: its server [127.0.0.1] is at 127.0.0.1" },
    { "address literal", "", "[192.0.2.44]", NULL, NULL, "192.0.2.44[192.0.2.44]:25" },
    { "IPv6 literal", "", "[IPv6:2001:db8::44]", NULL, NULL, "2001:db8::44[2001:db8::44]:25<2001:db8::9",
      "2001:db8::9+" },

    /* from which address of ours, by IPv6 */
    { "our name is confirmed", "", "far.test", BOTH, NULL,
      "a.far.test[2001:db8::1]:25<2001:db8::9 a.far.test[192.0.2.1]:25", "2001:db8::9+" },
    { "it does not lead back", "", "far.test", BOTH, NULL, "a.far.test[192.0.2.1]:25", "2001:db8::9!" },
    { "there is none", "", "far.test", BOTH, NULL, "a.far.test[192.0.2.1]:25", "2001:db8::9-" },
    { "nobody could say", "", "far.test", BOTH, NULL, "a.far.test[192.0.2.1]:25", "2001:db8::9?" },
    { "no way by IPv6", "", "far.test", BOTH, NULL, "a.far.test[192.0.2.1]:25", "/" },
    { "half an answer", "", "far.test", BOTH, NULL, "a.far.test[192.0.2.1]:25", "" },
    { "a source for each server", "", "far.test",
      "10 a.far.test 2001:db8::1 192.0.2.1, 20 b.far.test 2001:db8::2 192.0.2.2, 30 c.far.test 2001:db8::3",
      NULL,
      "a.far.test[192.0.2.1]:25 b.far.test[2001:db8::2]:25<2001:db8::9 b.far.test[192.0.2.2]:25 "
      "c.far.test[2001:db8::3]:25<2001:db8::7",
      "2001:db8::8! 2001:db8::9+ 2001:db8::7+" },
    { "a worse server by IPv4 before the best by IPv6", "", "far.test",
      "10 a.far.test 2001:db8::1, 20 b.far.test 192.0.2.2", NULL, "b.far.test[192.0.2.2]:25",
      "2001:db8::9!" },
    { "IPv6 alone, confirmed", "", "far.test", SIX, NULL, "a.far.test[2001:db8::1]:25<2001:db8::9",
      "2001:db8::9+" },
    { "IPv6 alone, it does not lead back", "", "far.test", SIX, NULL,
      "deferred 4.7.25 far.test can be reached over IPv6 alone, and our 2001:db8::9 has no confirmed reverse "
      "name (deliver ipv6)",
      "2001:db8::9!" },
    { "IPv6 alone, there is none", "", "far.test", SIX, NULL,
      "deferred 4.7.25 far.test can be reached over IPv6 alone, and our 2001:db8::9 has no confirmed reverse "
      "name (deliver ipv6)",
      "2001:db8::9-" },
    { "IPv6 alone, nobody could say", "", "far.test", SIX, NULL,
      "deferred 4.4.3 far.test can be reached over IPv6 alone, and the reverse name of our 2001:db8::9 could "
      "not be looked up",
      "2001:db8::9?" },
    { "IPv6 alone, no answer", "", "far.test", SIX, NULL,
      "deferred 4.4.3 far.test can be reached over IPv6 alone, and the reverse name of our address could not "
      "be looked up",
      "" },
    { "IPv6 alone, no way", "", "far.test", SIX, NULL,
      "deferred 4.4.4 far.test can be reached over IPv6 alone, and this machine has no way there", "/" },
    { "IPv6 alone, and a server in doubt", "", "far.test", "10 a.far.test 2001:db8::1, 20 b.far.test ?", NULL,
      "deferred 4.4.3 lookup of b.far.test failed: temperror", "2001:db8::9!" },
    { "IPv6 alone, and a server that is gone", "", "far.test", "10 a.far.test 2001:db8::1, 20 b.far.test -",
      NULL,
      "deferred 4.7.25 far.test can be reached over IPv6 alone, and our 2001:db8::9 has no confirmed reverse "
      "name (deliver ipv6)",
      "2001:db8::9!" },
    { "switched on: nobody is asked", "", "far.test", BOTH, NULL,
      "a.far.test[2001:db8::1]:25 a.far.test[192.0.2.1]:25", NULL, "ipv6 on" },
    { "switched off", "", "far.test", BOTH, NULL, "a.far.test[192.0.2.1]:25", NULL, "ipv6 off" },
    { "switched off, IPv6 alone", "", "far.test", SIX, NULL,
      "deferred 4.4.4 far.test can be reached over IPv6 alone, and that is switched off (deliver ipv6)", NULL,
      "ipv6 off" },
    { "a static way is nobody's business", "* [2001:db8::5]:587 relay.test", "far.test", NULL,
      "2001:db8::6 192.0.2.6",
      "2001:db8::5[2001:db8::5]:587 relay.test[2001:db8::6]:25 relay.test[192.0.2.6]:25", NULL, "ipv6 off" },
    { "static, then mx", "* [2001:db8::5]:25 mx", "far.test", SIX, NULL, "2001:db8::5[2001:db8::5]:25",
      "2001:db8::9!" },
    { "a domain of ours by mx is inside", "example.test mx", "example.test", SIX, NULL,
      "a.far.test[2001:db8::1]:25", NULL, "ipv6 off" },
};

static void host_fill(struct arena *arena, struct text words, struct host_answer *out)
{
    struct text word;
    *out = (struct host_answer){ .status = DNS_FOUND };
    out->addresses = arena_alloc_array(arena, LOOKUP_ADDRESSES, sizeof *out->addresses);
    while (text_next_word(&words, &word)) {
        if (text_equal(word, TEXT("?")))
            out->status = DNS_TEMPERROR;
        else if (text_equal(word, TEXT("-")))
            out->status = DNS_NONE;
        else
            assert_true(address_parse(word, &out->addresses[out->address_count++]));
    }
}

static void mx_fill(struct arena *arena, struct text list, struct mx_answer *out)
{
    *out = (struct mx_answer){ .status = DNS_FOUND };
    out->hosts = arena_alloc_array(arena, LOOKUP_MX_HOSTS, sizeof *out->hosts);
    if (text_equal(list, TEXT("."))) out->is_null = true;
    if (list.length == 0) out->status = DNS_NONE;
    if (text_equal(list, TEXT("?"))) out->status = DNS_TEMPERROR;
    while (list.length > 2) {
        size_t comma = text_find_char(list, ',');
        struct text one = text_slice(list, 0, comma), word;
        struct mx_host *host = &out->hosts[out->host_count++];
        uint64_t preference = 0;
        list = text_slice(list, comma + 1, list.length);
        text_next_word(&one, &word);
        assert_true(text_to_number(word, 65535, &preference));
        host->preference = (uint16_t)preference;
        text_next_word(&one, &host->host);
        host_fill(arena, one, &host->addresses);
    }
}

static void sources_fill(struct arena *arena, struct text words, struct sources_answer *out)
{
    struct text word;
    *out = (struct sources_answer){ 0 };
    out->sources = arena_alloc_array(arena, LOOKUP_SOURCES_MOST, sizeof *out->sources);
    while (text_next_word(&words, &word)) {
        struct outbound_source *source = &out->sources[out->count++];
        char sign = word.at[word.length - 1];
        word.length--;
        source->status = sign == '+'   ? CLIENT_NAME_CONFIRMED
                         : sign == '!' ? CLIENT_NAME_UNCONFIRMED
                         : sign == '?' ? CLIENT_NAME_TEMPERROR
                                       : CLIENT_NAME_NONE;
        assert_true(sign == '/' || address_parse(word, &source->address));
    }
}

static void print(const struct route *route, struct buffer *out)
{
    char room[ADDRESS_TEXT_SIZE];
    for (uint32_t i = 0; i < route->hop_count; i++) {
        const struct hop *hop = &route->hops[i];
        buffer_printf(out, "%s%.*s[%s]:%u", i ? " " : "", TEXT_ARG(hop->host),
                      address_print(&hop->endpoint.address, room), hop->endpoint.port);
        if (!address_is_zero(&hop->source)) buffer_printf(out, "<%s", address_print(&hop->source, room));
    }
    if (route->status == ROUTE_NONE)
        buffer_printf(out, "%s %s %.*s", route->ending == RECIPIENT_FAILED ? "failed" : "deferred",
                      route->enhanced, TEXT_ARG(route->reason));
}

static struct config *config_of(const struct row *row)
{
    struct buffer text = { 0 };
    buffer_printf(&text,
                  "role single\nhostname mx.example.test\nadmin postmaster@example.test\n"
                  "listen 198.51.100.1:25 { direction in }\n"
                  "domains {\n%s\n}\ndeliver { %s }\n",
                  row->domains, row->deliver ? row->deliver : "");
    struct config *config = config_of_text(buffer_text(&text), false);
    buffer_free(&text);
    return config;
}

static void row_check(const struct row *row)
{
    struct arena *arena = arena_new(0);
    struct config *config = config_of(row);
    struct endpoint listeners[2] = { { .port = 25 }, { .port = 8025 } };
    assert_true(address_parse(TEXT("192.0.2.99"), &listeners[0].address));
    assert_true(address_parse(TEXT("0.0.0.0"), &listeners[1].address));
    struct own_addresses own = { .hostname = config->hostname, .listeners = listeners, .listener_count = 2 };
    struct text domain = text_of(row->domain);
    struct route *route = route_new(config, config_find_domain(config, domain), domain, &own);
    while (route->status == ROUTE_ASK_HOST || route->status == ROUTE_ASK_MX) {
        bool is_mx = route->status == ROUTE_ASK_MX;
        struct host_answer host;
        struct mx_answer mx;
        if (!(is_mx ? row->mx : row->host))
            fail_msg("%s: asked for %.*s", row->name, TEXT_ARG(route->question));
        mx_fill(arena, text_of(row->mx), &mx);
        host_fill(arena, text_of(row->host), &host);
        if (is_mx)
            route_mx_answer(route, &own, &mx);
        else
            route_host_answer(route, &own, &host);
    }
    if (route->status == ROUTE_ASK_SOURCES) {
        struct sources_answer sources;
        if (!row->sources) fail_msg("%s: asked for our source", row->name);
        sources_fill(arena, text_of(row->sources), &sources);
        route_sources_answer(route, &sources);
    } else if (row->sources) {
        fail_msg("%s: did not ask for our source", row->name);
    }
    struct buffer out = { 0 };
    print(route, &out);
    if (!text_equal(buffer_text(&out), text_of(row->hops)))
        fail_msg("%s: %.*s", row->name, TEXT_ARG(buffer_text(&out)));
    buffer_free(&out);
    route_free(route);
    config_free(config);
    arena_free(arena);
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) row_check(&rows[i]);
}

/* Domains behind the same servers share their connections; domains found by MX do not. */
static void test_keys(void **state)
{
    (void)state;
    const struct row row = { .name = "keys",
                             .domains =
                                 "a.test 192.0.2.1\nb.test 192.0.2.1\nc.test 192.0.2.1 { tls required }\n" };
    static const struct {
        const char *a, *b;
        bool same;
    } pairs[] = {
        { "a.test", "b.test", true }, { "a.test", "c.test", false }, { "x.test", "y.test", false },
        { "x.test", "x.test", true }, { "a.test", "x.test", false },
    };
    struct config *config = config_of(&row);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct buffer a = { 0 }, b = { 0 };
        route_key(config_find_domain(config, text_of(pairs[i].a)), text_of(pairs[i].a), &a);
        route_key(config_find_domain(config, text_of(pairs[i].b)), text_of(pairs[i].b), &b);
        assert_int_equal(text_equal(buffer_text(&a), buffer_text(&b)), pairs[i].same);
        buffer_free(&a);
        buffer_free(&b);
    }
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows), cmocka_unit_test(test_keys) };
    return cmocka_run_group_tests_name("deliver route", tests, NULL, NULL);
}
