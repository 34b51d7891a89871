/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Whose mail it is that a shared cloud sends, one try a row: header and certificate; signatures; and what
   follows for recipients. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config_text.h"
#include "mail/mime.h"
#include "scan/decide.h"
#include "scan/tenancy.h"

#define ID "72f988bf-86f1-41af-91ab-2d7cd011db47"
#define FIELD "X-MS-Exchange-CrossTenant-Id: "

static const char config_text[] =
    "hostname mx.test\nadmin boss@elsewhere.test\nlisten 127.0.0.1:2525\n"
    "domains {\n  ours.test 127.0.0.1:9 { dkim rsa gate:/gate.pem }\n  .deep.test 127.0.0.1:9\n"
    "  both.test 127.0.0.1:9\n  .both.test 127.0.0.1:9 { dkim rsa below:/below.pem }\n}\n"
    "hosted both { networks 10.1.0.0/16; certificate a.cloud.test b.cloud.test; tenant " ID " second.test }\n"
    "hosted certain { networks 10.2.0.0/16; certificate a.cloud.test; tenant " ID "; signatures off }\n"
    "hosted signed { networks 10.3.0.0/16 }\n";

static struct config *config;
static struct arena *arena;

static int open_all(void **state)
{
    config = config_of_text(text_of(config_text), false);
    arena = arena_new(0);
    return config ? 0 : -1;
}

static int close_all(void **state)
{
    config_free(config);
    arena_free(arena);
    return 0;
}

static struct occasion occasion_of(const char *client)
{
    struct occasion occasion = { .is_undecided = true, .sender = TEXT("a@ours.test") };
    assert_true(address_parse(text_of(client), &occasion.client));
    return occasion;
}

static void header_and_certificate(void **state)
{
    static const struct {
        const char *client, *certificate, *header;
        enum tenancy tenancy;
    } rows[] = {
        { "10.1.0.1", "a.cloud.test", FIELD ID "\r\n", TENANCY_CERTIFICATE },
        { "10.1.0.1", "B.CLOUD.test", "x-ms-exchange-crosstenant-id:\r\n " ID " \r\n", TENANCY_CERTIFICATE },
        { "10.1.0.1", "b.cloud.test", FIELD "Second.Test\r\n", TENANCY_CERTIFICATE },
        { "10.2.0.1", "a.cloud.test", FIELD ID "\r\n", TENANCY_CERTIFICATE },
        { "10.2.0.1", "b.cloud.test", FIELD ID "\r\n", TENANCY_UNPROVEN },
        { "10.2.0.1", "", FIELD ID "\r\n", TENANCY_UNPROVEN },
        { "10.2.0.1", "a.cloud.test", "", TENANCY_UNPROVEN },
        { "10.2.0.1", "a.cloud.test", FIELD "\r\n", TENANCY_UNPROVEN },
        { "10.2.0.1", "a.cloud.test", FIELD "second.test\r\n", TENANCY_UNPROVEN },
        { "10.2.0.1", "a.cloud.test", FIELD ID "\r\n" FIELD ID "\r\n", TENANCY_UNPROVEN },
        { "10.2.0.1", "a.cloud.test", FIELD ID ", x\r\n", TENANCY_UNPROVEN },
        { "10.2.0.1", "a.cloud.test", FIELD ID "\r\nno field\r\n", TENANCY_UNPROVEN },
        { "10.2.0.1", "a.cloud.test", "X: y\r\n \r\n" FIELD ID "\r\n", TENANCY_UNPROVEN },
        { "10.2.0.1", "a.cloud.test", FIELD ID "\n", TENANCY_UNPROVEN },
        { "10.2.0.1", "a.cloud.test", ": y\r\n" FIELD ID "\r\n", TENANCY_UNPROVEN },
        { "10.1.0.1", "a.cloud.test", FIELD "third.test\r\n", TENANCY_OPEN },
        { "10.1.0.1", "", FIELD ID "\r\n", TENANCY_OPEN },
        { "10.3.0.1", "a.cloud.test", FIELD ID "\r\n", TENANCY_OPEN },
        { "10.3.0.1", "", "X: y\r\n \r\nother text\r\n", TENANCY_UNPROVEN },
        { "10.3.0.1", "", ">From x\r\n", TENANCY_UNPROVEN },
        { "10.4.0.1", "a.cloud.test", FIELD ID "\r\n", TENANCY_UNPROVEN },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct occasion occasion = occasion_of(rows[i].client);
        struct text message = arena_printf(arena, "Subject: x\r\n%s\r\nbody\r\n", rows[i].header);
        const struct mime *mime = mime_parse(arena, message, &mime_limits_default, MIME_FIRST);
        occasion.certificate = text_of(rows[i].certificate);
        if (tenancy_read(config, &occasion, mime->parts[0].header) != rows[i].tenancy) fail_msg("row %zu", i);
        occasion.is_undecided = false;
        assert_int_equal(tenancy_read(config, &occasion, mime->parts[0].header), TENANCY_NOT_ASKED);
    }
}

/* One signature, as it was read and as it was judged. */
struct
try {
    const char *author, *domain, *selector, *sender;
    enum auth_result result;
    bool is_partial, is_testing;
    uint32_t addresses, oddities;
    enum tenancy tenancy;
};

static void signatures(void **state)
{
    static const struct try rows[] = {
        { "ours.test", "ours.test", "s", "a@ours.test", AUTH_PASS, .tenancy = TENANCY_SIGNATURE },
        { "ours.test", "ours.test", "s", "", AUTH_PASS, .tenancy = TENANCY_SIGNATURE },
        { "x.deep.test", "x.deep.test", "s", "a@y.deep.test", AUTH_PASS, .tenancy = TENANCY_SIGNATURE },
        { "z.x.deep.test", "x.deep.test", "s", "", AUTH_PASS, .tenancy = TENANCY_SIGNATURE },
        { "ours.test", "ours.test", "s", "", AUTH_PASS, .oddities = 1U << FROM_ADDRESS_IN_NAME,
          .tenancy = TENANCY_SIGNATURE },
        { "ours.test", "ours.test", "s", "", AUTH_TEMPERROR, .tenancy = TENANCY_UNREACHABLE },
        { "ours.test", "ours.test", "s", "n@neighbour.test", AUTH_PASS, .tenancy = TENANCY_UNPROVEN },
        { "ours.test", "ours.test", "s", "nobody", AUTH_PASS, .tenancy = TENANCY_UNPROVEN },
        { "ours.test", "ours.test", "s", "", AUTH_FAIL, .tenancy = TENANCY_UNPROVEN },
        { "ours.test", "ours.test", "s", "", AUTH_PERMERROR, .tenancy = TENANCY_UNPROVEN },
        { "ours.test", "ours.test", "s", "", AUTH_PASS, .is_partial = true, .tenancy = TENANCY_UNPROVEN },
        { "ours.test", "ours.test", "s", "", AUTH_PASS, .is_testing = true, .tenancy = TENANCY_UNPROVEN },
        { "ours.test", "ours.test", "GATE", "", AUTH_PASS, .tenancy = TENANCY_UNPROVEN },
        { "both.test", "both.test", "s", "", AUTH_PASS, .tenancy = TENANCY_SIGNATURE },
        { "both.test", "both.test", "below", "", AUTH_PASS, .tenancy = TENANCY_UNPROVEN },
        { "ours.test", "neighbour.test", "s", "", AUTH_PASS, .tenancy = TENANCY_UNPROVEN },
        { "neighbour.test", "ours.test", "s", "", AUTH_PASS, .tenancy = TENANCY_UNPROVEN },
        { "x.ours.test", "ours.test", "s", "", AUTH_PASS, .tenancy = TENANCY_UNPROVEN },
        { "ours.test", "x.ours.test", "s", "", AUTH_PASS, .tenancy = TENANCY_UNPROVEN },
        { "x.deep.test", "y.deep.test", "s", "", AUTH_PASS, .tenancy = TENANCY_UNPROVEN },
        { "x.deep.test", "deep.test", "s", "", AUTH_PASS, .tenancy = TENANCY_UNPROVEN },
        { "ours.test", "test", "s", "", AUTH_PASS, .tenancy = TENANCY_UNPROVEN },
        { "ours.test", "", "s", "", AUTH_PASS, .tenancy = TENANCY_UNPROVEN },
        { "ours.test", "ours.test", "s", "", AUTH_PASS, .addresses = 2, .tenancy = TENANCY_UNPROVEN },
        { "ours.test", "ours.test", "s", "", AUTH_PASS, .oddities = 1U << FROM_SEVERAL_FIELDS,
          .tenancy = TENANCY_UNPROVEN },
        { "ours.test", "ours.test", "s", "", AUTH_PASS, .oddities = 1U << FROM_GROUP,
          .tenancy = TENANCY_UNPROVEN },
        { "", "ours.test", "s", "", AUTH_PASS, .tenancy = TENANCY_UNPROVEN },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct try *row = &rows[i];
        struct occasion occasion = occasion_of("10.3.0.1");
        struct text author = text_of(row->author);
        struct dkim_signature signature = { .domain = text_of(row->domain),
                                            .selector = text_of(row->selector),
                                            .is_partial = row->is_partial };
        struct dkim_verdict verdict = { .result = row->result, .is_testing = row->is_testing };
        struct auth_judgement judgement = { .is_made = true,
                                            .facts = { .signatures = { .dkim = { &signature, 1, 0 } },
                                                       .from = { &author, author.length > 0,
                                                                 row->addresses ? row->addresses : 1,
                                                                 TEXT_NONE, row->oddities } },
                                            .result = { .dkim = &verdict } };
        struct facts facts = { .tenancy = TENANCY_OPEN };
        occasion.sender = text_of(row->sender);
        enum tenancy found = tenancy_decide(config, &occasion, &facts, &judgement);
        if (found != row->tenancy) fail_msg("row %zu: %s", i, evidence_tenancy_name(found));
        bool may = tenancy_may_be_proven(config, &occasion, &judgement.facts);
        if (row->tenancy != TENANCY_UNPROVEN && !may) fail_msg("row %zu: nobody asks for its key", i);
    }
}

/* Nothing but a proof makes it outbound, and each of these is the dispatcher's, receive's and queue's to see.
 */
static void nothing_proves_it_twice(void **state)
{
    struct occasion occasion = occasion_of("10.2.0.1"), gone = occasion_of("10.9.0.1");
    struct auth_judgement judgement = { .is_made = false };
    struct facts open = { .tenancy = TENANCY_OPEN }, certain = { .tenancy = TENANCY_CERTIFICATE };
    assert_int_equal(tenancy_decide(config, &occasion, &open, &judgement), TENANCY_UNPROVEN);
    assert_int_equal(tenancy_decide(config, &gone, &certain, &judgement), TENANCY_UNREACHABLE);
    for (enum tenancy tenancy = 0; tenancy < TENANCY_COUNT; tenancy++) {
        bool is_out = tenancy == TENANCY_CERTIFICATE || tenancy == TENANCY_SIGNATURE;
        occasion.is_undecided = true;
        assert_int_equal(tenancy_direction(&occasion, tenancy), is_out ? DIRECTION_OUT : DIRECTION_IN);
        occasion.is_undecided = false;
        assert_int_equal(tenancy_direction(&occasion, tenancy), DIRECTION_IN);
    }
}

static void what_follows(void **state)
{
    static const struct {
        enum tenancy read;
        const char *client, *recipients[2];
        enum scan_state virus;
        unsigned code;
        const char *enhanced;
        enum refusal_kind kind;
    } rows[] = {
        { TENANCY_CERTIFICATE, "10.1.0.1", { "x@far.test" }, SCAN_CLEAN, 250, "2.0.0", REFUSAL_NONE },
        { TENANCY_UNPROVEN, "10.1.0.1", { "x@far.test" }, SCAN_CLEAN, 550, "5.7.1", REFUSAL_POLICY },
        { TENANCY_UNPROVEN,
          "10.1.0.1",
          { "a@ours.test", "x@far.test" },
          SCAN_CLEAN,
          550,
          "5.7.1",
          REFUSAL_POLICY },
        { TENANCY_UNPROVEN,
          "10.1.0.1",
          { "a@ours.test", "b@x.deep.test" },
          SCAN_CLEAN,
          250,
          "2.0.0",
          REFUSAL_NONE },
        { TENANCY_UNPROVEN, "10.1.0.1", { "a@deep.test" }, SCAN_CLEAN, 550, "5.7.1", REFUSAL_POLICY },
        { TENANCY_UNPROVEN, "10.1.0.1", { "boss@elsewhere.test" }, SCAN_CLEAN, 250, "2.0.0", REFUSAL_NONE },
        { TENANCY_UNPROVEN, "10.1.0.1", { "b@elsewhere.test" }, SCAN_CLEAN, 550, "5.7.1", REFUSAL_POLICY },
        { TENANCY_UNPROVEN, "10.1.0.1", { "x@far.test" }, SCAN_FOUND, 550, "5.7.1", REFUSAL_VIRUS },
        { TENANCY_UNPROVEN, "10.1.0.1", { "x@far.test" }, SCAN_UNSCANNED, 550, "5.7.1", REFUSAL_POLICY },
        { TENANCY_UNPROVEN, "10.1.0.1", { "x@far.test" }, SCAN_LIMITS, 550, "5.7.1", REFUSAL_POLICY },
        { TENANCY_OPEN, "10.1.0.1", { "x@far.test" }, SCAN_CLEAN, 550, "5.7.1", REFUSAL_POLICY },
        { TENANCY_CERTIFICATE, "10.9.0.1", { "x@far.test" }, SCAN_CLEAN, 451, "4.7.1", REFUSAL_NONE },
        { TENANCY_CERTIFICATE, "10.9.0.1", { "x@far.test" }, SCAN_FOUND, 550, "5.7.1", REFUSAL_VIRUS },
        { TENANCY_CERTIFICATE, "10.9.0.1", { "a@ours.test" }, SCAN_CLEAN, 250, "2.0.0", REFUSAL_NONE },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct occasion occasion = occasion_of(rows[i].client);
        struct text recipients[2] = { text_of(rows[i].recipients[0]) };
        struct virus_finding finding = { rows[i].virus == SCAN_LIMITS ? VIRUS_CLASS_LIMITS
                                                                      : VIRUS_CLASS_VIRUS,
                                         TEXT_NONE, TEXT("x"), TEXT_NONE };
        bool has = rows[i].virus == SCAN_FOUND || rows[i].virus == SCAN_LIMITS;
        struct facts facts = { .tenancy = rows[i].read,
                               .virus = rows[i].virus,
                               .virus_findings = &finding,
                               .virus_finding_count = has };
        struct verdict verdict;
        if (rows[i].recipients[1]) recipients[1] = text_of(rows[i].recipients[1]);
        occasion.recipients = recipients;
        occasion.recipient_count = rows[i].recipients[1] ? 2 : 1;
        decide_verdict(arena, config, &occasion, &facts, NULL, 0, &verdict);
        bool is_right = verdict.code == rows[i].code && verdict.kind == rows[i].kind &&
                        text_equal(verdict.enhanced, text_of(rows[i].enhanced));
        if (!is_right) fail_msg("row %zu: %u %.*s", i, verdict.code, TEXT_ARG(verdict.reason));
        for (uint32_t k = 0; verdict.code != 250 && k < occasion.recipient_count; k++)
            assert_true(verdict.recipients[k].action == ACTION_REJECT ||
                        verdict.recipients[k].action == ACTION_DEFER);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(header_and_certificate),
                                        cmocka_unit_test(signatures),
                                        cmocka_unit_test(nothing_proves_it_twice),
                                        cmocka_unit_test(what_follows) };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
