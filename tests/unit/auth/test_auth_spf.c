/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* SPF: rows of our own for each rule, then bounds, then the suite of RFC 7208 where SEKIMORI_SUITES is set.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "../../../src/base/json.h"
#include "../mail/suite.h"
#include "auth/spf.h"
#include "zone.h"

enum { ROUNDS_MOST = 32 };

struct asked {
    struct spf_result result;
    uint32_t rounds;
    uint32_t questions;
};

static struct asked ask(struct arena *arena, struct zone *zone, const struct spf_request *request)
{
    struct asked asked = { 0 };
    struct dns_answers answers = { .arena = arena };
    while (!spf_evaluate(arena, &answers, request, &asked.result)) {
        assert_true(++asked.rounds < ROUNDS_MOST);
        assert_true(zone_fill(zone, &answers));
    }
    asked.questions = answers.count;
    return asked;
}

static struct spf_request request_of(const char *client, const char *helo, const char *sender)
{
    struct spf_request request = {
        .helo = text_of(helo), .sender = text_of(sender), .host = TEXT("mx.us.test"), .now = 1700000000
    };
    assert_true(address_parse(text_of(client), &request.client));
    return request;
}

/* --- Rows */

struct row {
    const char *zone, *client, *sender, *outcome, *mechanism, *explanation;
};

#define LABEL63 "a23456789012345678901234567890123456789012345678901234567890123"

static const struct row rows[] = {
    /* which record: sections 4.3 to 4.5 */
    { "", "192.0.2.1", "a@b.test", "none", "", "" },
    { "b.test TXT other\n", "192.0.2.1", "a@b.test", "none", "", "" },
    { "b.test TIMEOUT\n", "192.0.2.1", "a@b.test", "temperror", "", "" },
    { "b.test TXT v=spf1\n", "192.0.2.1", "a@b.test", "neutral", "", "" },
    { "b.test TXT v=spf10 -all\n", "192.0.2.1", "a@b.test", "none", "", "" },
    { "b.test TXT V=SPF1 -ALL\n", "192.0.2.1", "a@B.Test.", "fail", "-ALL", "" },
    { "b.test TXT v=spf1 -all\nb.test TXT v=spf1 +all\n", "192.0.2.1", "a@b.test", "permerror", "", "" },
    { "b.test TXT v=spf1 -all\nb.test TXT v=spf2.0/pra +all\n", "192.0.2.1", "a@b.test", "fail", "-all", "" },
    { "test TXT v=spf1 -all\n", "192.0.2.1", "a@test", "none", "", "" },
    { "", "192.0.2.1", "a@" LABEL63 "4.test", "none", "", "" },
    { "", "192.0.2.1", "a@[192.0.2.1]", "none", "", "" },
    { "", "192.0.2.1", "a@192.0.2.1", "none", "", "" },
    { "", "192.0.2.1", "a@b..test", "none", "", "" },
    { "xn--bcher-kva.test TXT v=spf1 -all\n", "192.0.2.1", "a@b\303\274cher.test", "fail", "-all", "" },
    { "helo.test TXT v=spf1 ip4:192.0.2.1 -all\n", "192.0.2.1", "", "pass", "ip4:192.0.2.1", "" },
    /* mechanisms: section 5 */
    { "b.test TXT v=spf1 ?all\n", "192.0.2.1", "a@b.test", "neutral", "?all", "" },
    { "b.test TXT v=spf1 ~all\n", "192.0.2.1", "a@b.test", "softfail", "~all", "" },
    { "b.test TXT v=spf1 ip4:192.0.2.0/24 -all\n", "192.0.2.9", "a@b.test", "pass", "ip4:192.0.2.0/24", "" },
    { "b.test TXT v=spf1 ip4:192.0.2.0/25 -all\n", "192.0.2.129", "a@b.test", "fail", "-all", "" },
    { "b.test TXT v=spf1 ip4:0.0.0.0/0 -all\n", "2001:db8::1", "a@b.test", "fail", "-all", "" },
    { "b.test TXT v=spf1 ip4:192.0.2.1 -all\n", "::ffff:192.0.2.1", "a@b.test", "pass", "ip4:192.0.2.1", "" },
    { "b.test TXT v=spf1 ip6:::ffff:192.0.2.1 -all\n", "192.0.2.1", "a@b.test", "fail", "-all", "" },
    { "b.test TXT v=spf1 ip6:2001:db8::/32 -all\n", "2001:db8:9::1", "a@b.test", "pass", "ip6:2001:db8::/32",
      "" },
    { "b.test TXT v=spf1 a -all\nb.test A 192.0.2.1\n", "192.0.2.1", "a@b.test", "pass", "a", "" },
    { "b.test TXT v=spf1 a/24//32 -all\nb.test A 192.0.2.1\n", "192.0.2.77", "a@b.test", "pass", "a/24//32",
      "" },
    { "b.test TXT v=spf1 a//32 -all\nb.test AAAA 2001:db8::1\n", "2001:db8:f::1", "a@b.test", "pass", "a//32",
      "" },
    { "b.test TXT v=spf1 a:c.test/31 -all\nc.test A 192.0.2.0\n", "192.0.2.1", "a@b.test", "pass",
      "a:c.test/31", "" },
    { "b.test TXT v=spf1 mx -all\nb.test MX 5 m.test\nb.test MX 6 n.test\nn.test A 192.0.2.1\n", "192.0.2.1",
      "a@b.test", "pass", "mx", "" },
    { "b.test TXT v=spf1 mx -all\nb.test MX 5 m.test\nm.test TIMEOUT\n", "192.0.2.1", "a@b.test", "temperror",
      "mx", "" },
    { "b.test TXT v=spf1 a -all\nb.test TIMEOUT\n", "192.0.2.1", "a@b.test", "temperror", "a", "" },
    { "b.test TXT v=spf1 exists:%{ir}.l.test -all\n1.2.0.192.l.test A 127.0.0.2\n", "192.0.2.1", "a@b.test",
      "pass", "exists:%{ir}.l.test", "" },
    { "b.test TXT v=spf1 ptr -all\n1.2.0.192.in-addr.arpa PTR m.b.test\nm.b.test A 192.0.2.1\n", "192.0.2.1",
      "a@b.test", "pass", "ptr", "" },
    { "b.test TXT v=spf1 ptr -all\n1.2.0.192.in-addr.arpa PTR m.xb.test\nm.xb.test A 192.0.2.1\n",
      "192.0.2.1", "a@b.test", "fail", "-all", "" },
    { "b.test TXT v=spf1 ptr -all\n1.2.0.192.in-addr.arpa TIMEOUT\n", "192.0.2.1", "a@b.test", "fail", "-all",
      "" },
    { "b.test TXT v=spf1 ptr -all\n1.2.0.192.in-addr.arpa PTR x.test\n1.2.0.192.in-addr.arpa PTR "
      "m.b.test\nx.test TIMEOUT\n"
      "m.b.test A 192.0.2.1\n",
      "192.0.2.1", "a@b.test", "pass", "ptr", "" },
    /* include and redirect: sections 5.2 and 6.1 */
    { "b.test TXT v=spf1 include:c.test -all\nc.test TXT v=spf1 ip4:192.0.2.1 -all\n", "192.0.2.1",
      "a@b.test", "pass", "include:c.test", "" },
    { "b.test TXT v=spf1 include:c.test ~all\nc.test TXT v=spf1 -all\n", "192.0.2.1", "a@b.test", "softfail",
      "~all", "" },
    { "b.test TXT v=spf1 include:c.test -all\n", "192.0.2.1", "a@b.test", "permerror", "include:c.test", "" },
    { "b.test TXT v=spf1 include:c.test -all\nc.test TXT v=spf1 foo\n", "192.0.2.1", "a@b.test", "permerror",
      "foo", "" },
    { "b.test TXT v=spf1 include:c.test -all\nc.test TIMEOUT\n", "192.0.2.1", "a@b.test", "temperror",
      "include:c.test", "" },
    { "b.test TXT v=spf1 redirect=c.test\nc.test TXT v=spf1 -all exp=%{d}.1\n", "192.0.2.1", "a@b.test",
      "permerror", "exp=%{d}.1", "" },
    { "b.test TXT v=spf1 redirect=c.test\nc.test TXT v=spf1 -all exp=%{d}.exp.test\nc.test.exp.test TXT from "
      "%{d}\n",
      "192.0.2.1", "a@b.test", "fail", "-all", "from c.test" },
    { "b.test TXT v=spf1 redirect=c.test ?all\nc.test TXT v=spf1 -all\n", "192.0.2.1", "a@b.test", "neutral",
      "?all", "" },
    { "b.test TXT v=spf1 redirect=c.test\n", "192.0.2.1", "a@b.test", "permerror", "redirect=c.test", "" },
    { "b.test TXT v=spf1 redirect=b.test\n", "192.0.2.1", "a@b.test", "permerror", "redirect=b.test", "" },
    { "b.test TXT v=spf1 include:b.test\n", "192.0.2.1", "a@b.test", "permerror", "include:b.test", "" },
    /* the explanation: section 6.2 */
    { "b.test TXT v=spf1 -all exp=e.b.test\ne.b.test TXT %{s} from %{c} at %{t}: see %{r}%_%%%-\n",
      "192.0.2.1", "a@b.test", "fail", "-all", "a@b.test from 192.0.2.1 at 1700000000: see mx.us.test %%20" },
    { "b.test TXT v=spf1 -all exp=e.b.test\ne.b.test TXT one\ne.b.test TXT two\n", "192.0.2.1", "a@b.test",
      "fail", "-all", "" },
    { "b.test TXT v=spf1 -all exp=e.b.test\ne.b.test TIMEOUT\n", "192.0.2.1", "a@b.test", "fail", "-all",
      "" },
    { "b.test TXT v=spf1 -all exp=e.b.test\ne.b.test TXT %{z}\n", "192.0.2.1", "a@b.test", "fail", "-all",
      "" },
    { "b.test TXT v=spf1 -all exp=e.b.test\ne.b.test TXT b\303\274\n", "192.0.2.1", "a@b.test", "fail",
      "-all", "" },
    { "b.test TXT v=spf1 -all exp=e.b.test\ne.b.test TXT for %{L}\n", "192.0.2.1", "b\303\274@b.test", "fail",
      "-all", "for b%C3%BC" },
    { "b.test TXT v=spf1 -all exp=e.b.test\ne.b.test TXT for %{l}\n", "192.0.2.1", "b\303\274@b.test", "fail",
      "-all", "" },
    { "b.test TXT v=spf1 include:c.test -all\nc.test TXT v=spf1 -all exp=e.test\ne.test TXT no\n",
      "192.0.2.1", "a@b.test", "fail", "-all", "" },
    /* syntax, found before anything matches: section 4.6 */
    { "b.test TXT v=spf1 +all foo\n", "192.0.2.1", "a@b.test", "permerror", "foo", "" },
    { "b.test TXT v=spf1 +all all:x.test\n", "192.0.2.1", "a@b.test", "permerror", "all:x.test", "" },
    { "b.test TXT v=spf1 +all ip4:1.2.3\n", "192.0.2.1", "a@b.test", "permerror", "ip4:1.2.3", "" },
    { "b.test TXT v=spf1 +all ip4:1.2.3.04\n", "192.0.2.1", "a@b.test", "permerror", "ip4:1.2.3.04", "" },
    { "b.test TXT v=spf1 +all ip4:1.2.3.4/33\n", "192.0.2.1", "a@b.test", "permerror", "ip4:1.2.3.4/33", "" },
    { "b.test TXT v=spf1 +all ip4:1.2.3.4/03\n", "192.0.2.1", "a@b.test", "permerror", "ip4:1.2.3.4/03", "" },
    { "b.test TXT v=spf1 +all ip6:[::1]\n", "192.0.2.1", "a@b.test", "permerror", "ip6:[::1]", "" },
    { "b.test TXT v=spf1 +all ip6:::1/129\n", "192.0.2.1", "a@b.test", "permerror", "ip6:::1/129", "" },
    { "b.test TXT v=spf1 +all ip6:1.2.3.4\n", "192.0.2.1", "a@b.test", "permerror", "ip6:1.2.3.4", "" },
    { "b.test TXT v=spf1 +all a:b\n", "192.0.2.1", "a@b.test", "permerror", "a:b", "" },
    { "b.test TXT v=spf1 +all a:b.9\n", "192.0.2.1", "a@b.test", "permerror", "a:b.9", "" },
    { "b.test TXT v=spf1 +all a:b.-c\n", "192.0.2.1", "a@b.test", "permerror", "a:b.-c", "" },
    { "b.test TXT v=spf1 +all a/24/64\n", "192.0.2.1", "a@b.test", "permerror", "a/24/64", "" },
    { "b.test TXT v=spf1 +all include:\n", "192.0.2.1", "a@b.test", "permerror", "include:", "" },
    { "b.test TXT v=spf1 +all -x=y\n", "192.0.2.1", "a@b.test", "permerror", "-x=y", "" },
    { "b.test TXT v=spf1 +all x=%{i0}\n", "192.0.2.1", "a@b.test", "permerror", "x=%{i0}", "" },
    { "b.test TXT v=spf1 +all x=%\n", "192.0.2.1", "a@b.test", "permerror", "x=%", "" },
    { "b.test TXT v=spf1 +all exp=e.test exp=f.test\n", "192.0.2.1", "a@b.test", "permerror", "exp=f.test",
      "" },
    { "b.test TXT v=spf1 a=b x.y-z_1=%{d}/: +all\n", "192.0.2.1", "a@b.test", "pass", "+all", "" },
    { "b.test TXT v=spf1 +all\tx\n", "192.0.2.1", "a@b.test", "permerror", "+all\tx", "" },
    /* macros: section 7 */
    { "b.test TXT v=spf1 exists:%{l1r-}.%{lr+}.%{o1}.%{v}.t.test -all\nx.z.y-x.test.in-addr.t.test A "
      "127.0.0.1\n",
      "192.0.2.1", "x-y+z@b.test", "fail", "-all", "" },
    { "b.test TXT v=spf1 exists:%{l1r-}.%{lr+}.%{o1}.%{v}.t.test -all\nx.z.x-y.test.in-addr.t.test A "
      "127.0.0.1\n",
      "192.0.2.1", "x-y+z@b.test", "pass", "exists:%{l1r-}.%{lr+}.%{o1}.%{v}.t.test", "" },
    { "b.test TXT v=spf1 exists:%{l}.t.test -all\na\\032b.t.test A 127.0.0.1\n", "192.0.2.1", "a b@b.test",
      "pass", "exists:%{l}.t.test", "" },
    { "b.test TXT v=spf1 exists:%{l}.t.test -all\n", "192.0.2.1", "b\303\274@b.test", "fail", "-all", "" },
    { "b.test TXT v=spf1 include:%{l}.t.test -all\n", "192.0.2.1", "b\303\274@b.test", "fail", "-all", "" },
    { "b.test TXT v=spf1 include:%{l}.t.test -all\n", "192.0.2.1", "b..c@b.test", "permerror",
      "include:%{l}.t.test", "" },
    { "b.test TXT v=spf1 exists:%{p}.t.test -all\nunknown.t.test A 127.0.0.1\n", "192.0.2.1", "a@b.test",
      "pass", "exists:%{p}.t.test", "" },
};

static void test_rows(void **state)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        struct arena *arena = arena_new(0);
        struct zone *zone = zone_new(arena);
        struct spf_request request = request_of(row->client, "helo.test", row->sender);
        zone_read(zone, row->zone);
        struct spf_result result = ask(arena, zone, &request).result;
        if (strcmp(spf_outcome_name(result.outcome), row->outcome) != 0 ||
            !text_equal(result.mechanism, text_of(row->mechanism)) ||
            !text_equal(result.explanation, text_of(row->explanation)))
            fail_msg("%s\n gives %s by \"%.*s\" (%s) \"%.*s\", not %s by \"%s\"", row->zone,
                     spf_outcome_name(result.outcome), TEXT_ARG(result.mechanism), result.reason,
                     TEXT_ARG(result.explanation), row->outcome, row->mechanism);
        arena_free(arena);
    }
}

/* --- Limits: section 4.6.4 */

static void test_counts(void **state)
{
    struct arena *arena = arena_new(0);
    struct zone *zone = zone_new(arena);
    zone_read(zone,
              "b.test TXT v=spf1 a:c.test mx:c.test include:d.test -all\nd.test TXT v=spf1 exists:e.test\n"
              "e.test EMPTY\nc.test A 192.0.2.2\n");
    struct spf_request request = request_of("192.0.2.1", "helo.test", "a@b.test");
    struct spf_result result = ask(arena, zone, &request).result;
    assert_int_equal(result.outcome, SPF_FAIL);
    assert_int_equal(result.lookups, 4);
    assert_int_equal(result.voids, 2);
    zone_read(zone, "f.test TXT v=spf1 a:x.test a:y.test mx:z.test +all\n");
    request.sender = TEXT("a@f.test");
    result = ask(arena, zone, &request).result;
    assert_int_equal(result.outcome, SPF_PERMERROR);
    assert_string_equal(result.reason, "more than 2 look-ups without an answer");
    arena_free(arena);
}

static void test_questions_go_out_together(void **state)
{
    struct arena *arena = arena_new(0);
    struct zone *zone = zone_new(arena);
    zone_read(
        zone,
        "b.test TXT v=spf1 include:c.test include:d.test a:e.test mx:f.test redirect=g.test\n"
        "c.test TXT v=spf1 include:h.test\nd.test TXT v=spf1 mx ip4:192.0.2.1 a:never.test\n"
        "h.test TXT v=spf1\nd.test MX 0 i.test\ne.test A 192.0.2.7\nf.test MX 0 i.test\nf.test MX 0 j.test\n"
        "i.test A 192.0.2.8\nj.test A 192.0.2.9\ng.test TXT v=spf1 -all\n");
    struct spf_request request = request_of("192.0.2.3", "helo.test", "a@b.test");
    struct asked asked = ask(arena, zone, &request);
    assert_int_equal(asked.result.outcome, SPF_FAIL);
    assert_int_equal(asked.rounds, 3);
    request.client.bytes[15] = 1;
    asked = ask(arena, zone, &request);
    assert_int_equal(asked.result.outcome, SPF_PASS);
    assert_int_equal(asked.rounds, 3);
    arena_free(arena);
}

static void test_trace(void **state)
{
    struct arena *arena = arena_new(0);
    struct zone *zone = zone_new(arena);
    zone_read(zone, "b.test TXT v=spf1 ip4:192.0.2.9 include:c.test redirect=d.test\nc.test TXT v=spf1 -all\n"
                    "d.test TXT v=spf1 ~all\n");
    struct spf_request request = request_of("192.0.2.1", "helo.test", "a@b.test");
    request.is_traced = true;
    struct spf_result result = ask(arena, zone, &request).result;
    static const struct {
        uint32_t depth;
        const char *domain, *term, *gave;
    } due[] = { { 0, "b.test", "ip4:192.0.2.9", "no match" },
                { 1, "c.test", "-all", "match" },
                { 0, "b.test", "include:c.test", "no match" },
                { 0, "b.test", "redirect=d.test", "followed" },
                { 1, "d.test", "~all", "match" } };
    assert_int_equal(result.step_count, sizeof due / sizeof *due);
    for (size_t i = 0; i < result.step_count; i++) {
        assert_int_equal(result.steps[i].depth, due[i].depth);
        assert_true(text_equal(result.steps[i].domain, text_of(due[i].domain)));
        assert_true(text_equal(result.steps[i].term, text_of(due[i].term)));
        assert_string_equal(result.steps[i].gave, due[i].gave);
    }
    arena_free(arena);
}

/* --- Work is bounded */

static struct text repeated(struct arena *arena, const char *head, const char *piece, size_t bytes)
{
    size_t length = strlen(head), one = strlen(piece);
    char *text = arena_alloc(arena, bytes + one + 1);
    memcpy(text, head, length);
    for (; length + one <= bytes; length += one) memcpy(text + length, piece, one);
    return text_from(text, length);
}

static void test_large_records(void **state)
{
    static const char *const pieces[] = { " ip4:192.0.2.9",  " a",
                                          " include:b.test", " exists:%{l}.test",
                                          " x=%{l}%{l}%{l}", " ?a:b.c",
                                          " mx:%{p}.test",   " " };
    struct arena *arena = arena_new(0);
    struct text sender = repeated(arena, "", "local-part.", 4000);
    sender = arena_printf(arena, "%.*s@b.test", TEXT_ARG(sender));
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        struct zone *zone = zone_new(arena);
        zone_add(zone, TEXT("b.test"), TEXT("TXT"), repeated(arena, "v=spf1", pieces[i], 65536));
        struct spf_request request = request_of("192.0.2.1", "helo.test", "");
        request.sender = sender;
        request.is_traced = true;
        struct spf_result result = ask(arena, zone, &request).result;
        assert_true(result.outcome == SPF_NEUTRAL || result.outcome == SPF_PERMERROR);
        assert_true(result.lookups <= SPF_LOOKUPS_MOST && result.step_count <= SPF_STEPS_MOST);
    }
    arena_free(arena);
}

static void test_macro_bombs(void **state)
{
    struct arena *arena = arena_new(0);
    struct zone *zone = zone_new(arena);
    struct text sender = repeated(arena, "", "a.", 4000);
    sender = arena_printf(arena, "%.*s@b.test", TEXT_ARG(sender));
    struct text bomb = repeated(arena, "v=spf1 exists:", "%{Sr-}%{l}%{lr}", 65000);
    zone_add(zone, TEXT("b.test"), TEXT("TXT"), arena_printf(arena, "%.*s.test -all", TEXT_ARG(bomb)));
    struct spf_request request = request_of("192.0.2.1", "helo.test", "");
    request.sender = sender;
    struct spf_result result = ask(arena, zone, &request).result;
    assert_int_equal(result.outcome, SPF_PERMERROR);
    assert_string_equal(result.reason, "macros make too long a text");
    arena_free(arena);
}

/* --- The suite */

static struct text joined(struct arena *arena, const struct json *value)
{
    struct text text = json_as_text(value);
    for (size_t i = 0; i < json_count(value); i++) {
        struct text piece = json_as_text(json_at(value, i));
        text = arena_printf(arena, "%.*s%.*s", TEXT_ARG(text), TEXT_ARG(piece));
    }
    return text;
}

static bool has_txt(const struct json *records)
{
    for (size_t i = 0; i < json_count(records); i++)
        if (text_equal(json_as_text(json_at(json_at(records, i), 0)), TEXT("TXT"))) return true;
    return false;
}

/* Records of type SPF are gone (RFC 7208 section 3.1): the suite means them as TXT where there is no TXT. */
static void add_suite_record(struct zone *zone, struct text name, const struct json *record, bool txt)
{
    struct arena *arena = zone->arena;
    struct text type = json_as_text(json_at(record, 0));
    const struct json *value = json_at(record, 1);
    if (text_equal(type, TEXT("SPF"))) {
        if (!txt) zone_add(zone, name, TEXT("TXT"), joined(arena, value));
    } else if (text_equal(type, TEXT("MX"))) {
        struct text host = json_as_text(json_at(value, 1));
        zone_add(zone, name, type, arena_printf(arena, "0 %.*s", TEXT_ARG(host)));
    } else if (text_equal(json_as_text(value), TEXT("NONE"))) {
        zone_add(zone, name, TEXT("EMPTY"), TEXT_NONE);
    } else {
        zone_add(zone, name, type, joined(arena, value));
    }
}

static struct zone *suite_zone(struct arena *arena, const struct json *data)
{
    struct zone *zone = zone_new(arena);
    for (size_t i = 0; i < json_count(data); i++) {
        struct text name = json_as_text(json_at(json_at(data, i), 0));
        const struct json *records = json_at(json_at(data, i), 1);
        for (size_t k = 0; k < json_count(records); k++)
            add_suite_record(zone, name, json_at(records, k), has_txt(records));
    }
    return zone;
}

static bool suite_result(const struct json *test, const struct spf_result *result)
{
    const struct json *allowed = json_get(test, "result");
    struct text explanation = json_as_text(json_get(test, "explanation"));
    bool equal = false;
    for (size_t i = 0; i < json_count(allowed); i++)
        equal |= text_equal(json_as_text(json_at(allowed, i)), text_of(spf_outcome_name(result->outcome)));
    if (!json_get(test, "explanation")) return equal;
    if (text_equal(explanation, TEXT("DEFAULT"))) explanation = TEXT_NONE; /* the caller's words */
    return equal && text_equal(explanation, result->explanation);
}

static void suite_test(struct suite *suite, struct zone *zone, const char *name, const struct json *test)
{
    struct arena *arena = arena_new(0);
    struct spf_request request = request_of(json_get_string(test, "host"), json_get_string(test, "helo"),
                                            json_get_string(test, "mailfrom"));
    struct spf_result result = ask(arena, zone, &request).result;
    struct text got = arena_printf(arena, "%s by \"%.*s\": %s, \"%.*s\"", spf_outcome_name(result.outcome),
                                   TEXT_ARG(result.mechanism), result.reason, TEXT_ARG(result.explanation));
    struct text due = arena_printf(arena, "%s, \"%s\"", json_get_string(test, "description"),
                                   json_get_string(test, "explanation"));
    suite_case(suite, name, suite_result(test, &result), got, due);
    arena_free(arena);
}

static void test_suite(void **state)
{
    const char *folder = getenv("SEKIMORI_SUITES");
    struct suite suite = { .name = "spf" };
    struct buffer content = { 0 };
    char path[4096];
    if (!folder) skip();
    snprintf(path, sizeof path, "%s/spf/rfc7208-tests.json", folder);
    assert_true(suite_read(path, &content));
    struct json *scenarios = json_parse(buffer_text(&content));
    for (size_t i = 0; i < json_count(scenarios); i++) {
        struct arena *arena = arena_new(0);
        struct zone *zone = suite_zone(arena, json_get(json_at(scenarios, i), "zonedata"));
        const char *name;
        const struct json *test, *tests = json_get(json_at(scenarios, i), "tests");
        for (void *at = json_first(tests, &name, &test); at; at = json_next(tests, at, &name, &test))
            suite_test(&suite, zone, name, test);
        arena_free(arena);
    }
    json_free(scenarios);
    buffer_free(&content);
    printf("suite spf: %zu of %zu\n", suite.as_expected, suite.cases);
    assert_int_equal(suite.unexpected, 0);
    assert_int_equal(suite.cases, 203);
}

/* Work is bounded: who needs more than this is killed. */
static const struct rlimit cpu_seconds = { 20, 20 };

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_questions_go_out_together),
        cmocka_unit_test(test_trace),
        cmocka_unit_test(test_large_records),
        cmocka_unit_test(test_macro_bombs),
        cmocka_unit_test(test_suite),
    };
    setrlimit(RLIMIT_CPU, &cpu_seconds);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
