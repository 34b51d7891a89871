/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Foreign suites for DMARC: mailauth-node, opendmarc and the public suffix list. Where we differ, the row of
   a table names the case and the sentence that decides it. Nothing to do without SEKIMORI_SUITES. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../../src/base/json.h"
#include "../mail/suite.h"
#include "auth/dmarc.h"
#include "auth/from_domains.h"
#include "mail/idna.h"
#include "zone.h"

enum { DOMAINS_MOST = 8, CALLS_MOST = 4, ROUNDS_MOST = 8 };

#define NO_TAG \
    "RFC 9989 section 4.8: dmarc-tag = 1*ALPHA equals 1*dmarc-value; what is none is ignored outright"
#define PARTIAL                                                                                        \
    "RFC 9989 section 5.3.3: of a signature DMARC keeps the result, d and s; how much of the body is " \
    "signed "                                                                                          \
    "is told with the signature (RFC 6376 section 8.2)"
#define DEFAULTS                                                                                        \
    "RFC 9989 section 4.8: syntax errors in the remainder of the record MUST be discarded in favor of " \
    "default values (if any) or ignored outright"
#define UNKNOWN "RFC 9989 section 4.8: unknown tags MUST be ignored; appendix C.5.2 removes this one"
#define EMPTY_LABEL "RFC 5322 section 3.2.3: dot-atom-text = 1*atext *(\".\" 1*atext), so no empty label"

static const struct suite_difference record_differences[] = {
    { "Should throw on DNS server errors",
      "RFC 9989 section 4.10.1 leaves DNS errors to the receiver; here it is temperror (its section 9.2)" },
    { "Should parse all standard tags", UNKNOWN },
    { "Should convert ri to integer", UNKNOWN },
    { "Should handle invalid pct value as 0", DEFAULTS },
    { "Should handle tags with no value", NO_TAG },
    { "Should handle tags starting with equals", NO_TAG },
};

static const struct suite_difference verify_differences[] = {
    { "Should return false for headerFrom array with multiple elements",
      "RFC 9989 section 5.3.1: DMARC ends where zero or more than one domain is extracted; this is one" },
    { "Should include ARC result in comment when provided",
      "RFC 8617 section 10.1: arc is a method with a result of its own" },
    { "Should track undersized DKIM signatures", PARTIAL },
    { "Should report an undersized DKIM signature even when strict alignment rejects it", PARTIAL },
};

static const struct suite_difference opendmarc_differences[] = {
    { "alignment .mac.com. mac.com", EMPTY_LABEL },
    { "alignment ....mac.com.... mac.com", EMPTY_LABEL },
    { "parse v=DMARC1; p=n;",
      "RFC 9989 section 4.8: dmarc-request = \"none\" / \"quarantine\" / \"reject\"" },
    { "parse v=DMARC1; p=none; adkim=bob;", DEFAULTS },
    { "parse v=DMARC1; p=none; aspf=bob;", DEFAULTS },
    { "parse v=DMARC1; p=none; rf=bob;", UNKNOWN },
    { "parse v=DMARC1; p=none; ri=bob;", UNKNOWN },
    { "parse v=DMARC1; p=none; pct=500;", UNKNOWN },
    { "parse v=DMARC1; p=none; rf=000000000000000000000000000000000", UNKNOWN },
    { "tld 3",
      "the row's domain has NUL bytes, its author's escapes went wrong; RFC 5321 section 4.1.2: a domain is "
      "of letters, digits and hyphens" },
};

static struct json *read_json(struct text folder, const char *name)
{
    char path[4096];
    struct buffer content = { 0 };
    snprintf(path, sizeof path, "%.*s/%s", TEXT_ARG(folder), name);
    assert_true(suite_read(path, &content));
    struct json *json = json_parse(buffer_text(&content));
    assert_non_null(json);
    buffer_free(&content);
    return json;
}

static struct dmarc_result ask(struct arena *arena, struct zone *zone, const struct dmarc_request *request)
{
    struct dmarc_result result;
    struct dns_answers answers = { .arena = arena };
    for (int round = 0; !dmarc_evaluate(arena, &answers, request, &result); round++) {
        assert_true(round < ROUNDS_MOST);
        assert_true(zone_fill(zone, &answers));
    }
    return result;
}

/* --- mailauth-node */

static void add_texts(struct zone *zone, struct text name, const struct json *texts)
{
    if (json_get(texts, "error")) zone_add(zone, name, TEXT("TIMEOUT"), TEXT_NONE);
    for (size_t i = 0; i < json_count(texts); i++) {
        struct text text = TEXT_NONE;
        const struct json *pieces = json_at(texts, i);
        for (size_t k = 0; k < json_count(pieces); k++) {
            struct text piece = json_as_text(json_at(pieces, k));
            text = arena_printf(zone->arena, "%.*s%.*s", TEXT_ARG(text), TEXT_ARG(piece));
        }
        zone_add(zone, name, TEXT("TXT"), text);
    }
}

static struct zone *zone_of(struct arena *arena, const struct json *data)
{
    const char *name;
    const struct json *types;
    struct zone *zone = zone_new(arena);
    for (void *at = json_first(data, &name, &types); at; at = json_next(data, at, &name, &types))
        add_texts(zone, text_of(name), json_get(types, "TXT"));
    return zone;
}

static struct text domain_of(struct text address)
{
    size_t at = text_find_last_char(address, '@');
    return at < address.length ? text_slice(address, at + 1, address.length) : address;
}

static uint32_t authors_of(const struct json *from, struct text out[DOMAINS_MOST])
{
    size_t count = json_count(from);
    out[0] = domain_of(json_as_text(from));
    for (size_t i = 0; i < count && i < DOMAINS_MOST; i++) out[i] = domain_of(json_as_text(json_at(from, i)));
    return count ? (uint32_t)count : 1;
}

static uint32_t proven(const struct json *domains, struct dmarc_identifier out[DOMAINS_MOST])
{
    size_t count = json_count(domains);
    for (size_t i = 0; i < count && i < DOMAINS_MOST; i++) {
        const struct json *domain = json_at(domains, i);
        const struct json *inner = json_get(domain, "domain");
        out[i] = (struct dmarc_identifier){ json_as_text(inner ? inner : domain), DMARC_PROVEN };
    }
    return (uint32_t)count;
}

static struct dmarc_result call(struct arena *arena, const struct json *call)
{
    struct text authors[DOMAINS_MOST];
    struct dmarc_identifier spf[DOMAINS_MOST] = { 0 }, dkim[DOMAINS_MOST] = { 0 };
    const struct json *argument = json_at(json_get(call, "args"), 0);
    bool is_verify = text_equal(json_as_text(json_get(call, "fn")), TEXT("verify"));
    struct dmarc_request request = { .authors = authors, .dkim = dkim };
    request.author_count = authors_of(is_verify ? json_get(argument, "headerFrom") : argument, authors);
    proven(json_get(argument, "spfDomains"), spf);
    request.spf = spf[0];
    request.dkim_count = proven(json_get(argument, "dkimDomains"), dkim);
    return ask(arena, zone_of(arena, json_get(call, "zone")), &request);
}

static struct text yes_or_no(bool yes)
{
    return yes ? TEXT("true") : TEXT("false");
}

/* What our result has for a field of theirs; "?" where it has nothing. */
static struct text field_of(struct arena *arena, const struct dmarc_result *result, struct text field)
{
    const struct dmarc_record *record = &result->record;
    bool has_record = result->record_at.length > 0;
    const struct {
        const char *name;
        struct text value;
    } fields[] = {
        { "", has_record ? TEXT("object") : TEXT("false") },
        { "v", has_record ? TEXT("DMARC1") : TEXT("?") },
        { "p", text_of(dmarc_policy_name(record->p)) },
        { "sp", text_of(dmarc_policy_name(record->sp)) },
        { "pct", arena_printf(arena, "%u", record->percent) },
        { "adkim", record->is_strict_dkim ? TEXT("s") : TEXT("r") },
        { "aspf", record->is_strict_spf ? TEXT("s") : TEXT("r") },
        { "rr", record->text },
        { "rua", record->rua },
        { "ruf", record->ruf },
        { "fo", record->fo },
        { "isOrgRecord", yes_or_no(!text_equal(result->record_at, result->author)) },
        { "status.result", text_of(dmarc_outcome_name(result->outcome)) },
        { "status.header.from", result->author },
        { "status.header.d", result->record_at },
        { "domain", result->record_at },
        { "policy", text_of(dmarc_policy_name(result->policy)) },
        { "error", result->outcome == DMARC_TEMPERROR ? TEXT("DNS timeout") : TEXT("?") },
        { "info", arena_printf(arena, "dmarc=%s", dmarc_outcome_name(result->outcome)) },
        { "alignment.dkim.strict", yes_or_no(record->is_strict_dkim) },
        { "alignment.spf.strict", yes_or_no(record->is_strict_spf) },
        { "alignment.dkim.result", result->has_dkim_aligned ? result->dkim_domain : TEXT("false") },
        { "alignment.spf.result", result->has_spf_aligned ? result->record_at : TEXT("false") },
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (text_equal(field, text_of(fields[i].name))) return fields[i].value;
    return TEXT("?");
}

static bool holds(struct arena *arena, const struct json *expectation, struct text got)
{
    struct text verb = json_as_text(json_get(expectation, "assert"));
    struct buffer wanted = { 0 };
    json_value_print(json_at(json_get(expectation, "args"), 0), &wanted);
    struct text due = arena_text(arena, buffer_text(&wanted));
    buffer_free(&wanted);
    if (text_equal(verb, TEXT("to.equal"))) return text_equal(got, due);
    if (text_equal(verb, TEXT("to.include"))) return text_find(got, due) < got.length;
    if (text_equal(verb, TEXT("to.be.an"))) return text_equal(got, due);
    if (text_equal(verb, TEXT("to.be.a"))) return got.length > 0;
    if (text_equal(verb, TEXT("to.be.true"))) return text_equal(got, TEXT("true"));
    return text_equal(got, TEXT("false")); /* to.be.false, to.be.undefined, to.not.be.ok */
}

/* "r1.status.result": the field of a call. "function" asks for the type of a value in JavaScript. */
static bool expectation_holds(struct arena *arena, const struct json *row, const struct dmarc_result *results,
                              const struct json *expectation, struct text *out_got)
{
    struct text path = json_as_text(json_get(expectation, "path"));
    const struct json *calls = json_get(row, "calls");
    size_t dot = text_find_char(path, '.');
    *out_got = path;
    if (text_equal(path, TEXT("function"))) return true;
    for (size_t i = 0; i < json_count(calls) && i < CALLS_MOST; i++) {
        if (!text_equal(json_as_text(json_get(json_at(calls, i), "id")), text_slice(path, 0, dot))) continue;
        struct text got = field_of(arena, &results[i], text_slice(path, dot + 1, path.length));
        *out_got = arena_printf(arena, "%.*s: %.*s", TEXT_ARG(path), TEXT_ARG(got));
        return holds(arena, expectation, got);
    }
    return false;
}

static void mailauth_row(struct suite *suite, const struct json *row)
{
    struct arena *arena = arena_new(0);
    struct dmarc_result results[CALLS_MOST];
    struct text got = TEXT_NONE, bad = TEXT_NONE;
    const struct json *calls = json_get(row, "calls"), *due = json_get(row, "expect");
    bool equal = true;
    assert_true(json_count(calls) <= CALLS_MOST);
    for (size_t i = 0; i < json_count(calls); i++) results[i] = call(arena, json_at(calls, i));
    for (size_t i = 0; i < json_count(due); i++) {
        if (expectation_holds(arena, row, results, json_at(due, i), &got)) continue;
        equal = false;
        bad = got;
    }
    suite_case(suite, json_get_string(row, "name"), equal, bad, TEXT("what the row says"));
    arena_free(arena);
}

static void mailauth(const char *file, struct suite *suite)
{
    char path[4096];
    struct buffer content = { 0 };
    snprintf(path, sizeof path, "%s/dmarc/mailauth-node/%s.jsonl", getenv("SEKIMORI_SUITES"), file);
    assert_true(suite_read(path, &content));
    struct text rest = buffer_text(&content), line;
    while (text_next_line(&rest, &line)) {
        struct json *row = json_parse(line);
        mailauth_row(suite, row);
        json_free(row);
    }
    buffer_free(&content);
    assert_true(suite_end(suite));
}

#define DIFFERENCES(table) .expected = (table), .expected_count = sizeof(table) / sizeof *(table)

static void test_mailauth_records(void **state)
{
    if (!getenv("SEKIMORI_SUITES")) skip();
    struct suite suite = { .name = "dmarc/mailauth-node records", DIFFERENCES(record_differences) };
    mailauth("get-dmarc-record", &suite);
}

static void test_mailauth_verify(void **state)
{
    if (!getenv("SEKIMORI_SUITES")) skip();
    struct suite suite = { .name = "dmarc/mailauth-node verify", DIFFERENCES(verify_differences) };
    mailauth("dmarc-verify", &suite);
}

/* --- opendmarc */

static struct public_suffix_list *suite_suffixes(struct text folder)
{
    char path[4096];
    snprintf(path, sizeof path, "%.*s/psl/public_suffix_list.dat", TEXT_ARG(folder));
    struct public_suffix_list *suffixes = public_suffix_open(path);
    assert_non_null(suffixes);
    return suffixes;
}

static struct text cell(const struct json *row, size_t column)
{
    return json_as_text(json_at(row, column));
}

static void find_domain_row(struct arena *arena, struct suite *suite, const struct json *row)
{
    struct from_domains from = { 0 };
    from_domains_add(arena, cell(row, 0), &from);
    struct text got = from.count ? from.domains[0] : TEXT_NONE;
    suite_case(suite, arena_printf(arena, "find %.*s", TEXT_ARG(cell(row, 0))).at,
               text_equal(got, cell(row, 1)), got, cell(row, 1));
}

static struct dmarc_result with_record(struct arena *arena, const struct public_suffix_list *suffixes,
                                       struct text author, struct text record, struct text signer)
{
    struct zone *zone = zone_new(arena);
    struct dmarc_identifier dkim = { signer, DMARC_PROVEN };
    struct dmarc_request request = {
        .authors = &author, .author_count = 1, .dkim = &dkim, .dkim_count = 1, .suffixes = suffixes
    };
    zone_add(zone, arena_printf(arena, "_dmarc.%.*s", TEXT_ARG(author)), TEXT("TXT"), record);
    return ask(arena, zone, &request);
}

static void alignment_row(struct arena *arena, struct suite *suite, const struct json *row,
                          const struct public_suffix_list *suffixes)
{
    bool is_strict = text_equal(cell(row, 2), TEXT("DMARC_RECORD_A_STRICT"));
    struct buffer number = { 0 };
    json_value_print(json_at(row, 3), &number);
    bool due = text_equal(buffer_text(&number), TEXT("0"));
    buffer_free(&number);
    struct text record = is_strict ? TEXT("v=DMARC1; p=none; adkim=s") : TEXT("v=DMARC1; p=none");
    struct dmarc_result result = with_record(arena, suffixes, cell(row, 0), record, cell(row, 1));
    suite_case(suite,
               arena_printf(arena, "alignment %.*s %.*s", TEXT_ARG(cell(row, 0)), TEXT_ARG(cell(row, 1))).at,
               result.has_dkim_aligned == due, text_of(result.reason), due ? TEXT("aligned") : TEXT("apart"));
}

static void parse_row(struct arena *arena, struct suite *suite, const struct json *row)
{
    bool due = text_equal(cell(row, 1), TEXT("DMARC_PARSE_OKAY"));
    struct dmarc_result result = with_record(arena, NULL, TEXT("b.test"), cell(row, 0), TEXT("b.test"));
    suite_case(suite, arena_printf(arena, "parse %.*s", TEXT_ARG(cell(row, 0))).at,
               (result.outcome == DMARC_PASS) == due, text_of(result.reason), cell(row, 1));
}

static void tld_row(struct arena *arena, struct suite *suite, const struct json *row, size_t number,
                    const struct public_suffix_list *suffixes)
{
    struct text in = cell(row, 0);
    idna_to_ascii(arena, in, &in);
    struct text got = public_suffix_organization(suffixes, in);
    suite_case(suite, arena_printf(arena, "tld %zu", number).at, text_equal(got, cell(row, 1)), got,
               cell(row, 1));
}

static void test_opendmarc(void **state)
{
    if (!getenv("SEKIMORI_SUITES")) skip();
    struct arena *arena = arena_new(0);
    struct text dmarc = arena_printf(arena, "%s/dmarc", getenv("SEKIMORI_SUITES"));
    struct text folder = arena_printf(arena, "%.*s/opendmarc", TEXT_ARG(dmarc));
    struct public_suffix_list *suffixes = suite_suffixes(dmarc);
    struct suite suite = { .name = "dmarc/opendmarc", DIFFERENCES(opendmarc_differences) };
    static const char *const files[] = { "test_finddomain.json", "test_alignment.json",
                                         "test_dmarc_parse.json", "test_tld.json" };
    for (size_t file = 0; file < sizeof files / sizeof *files; file++) {
        struct json *json = read_json(folder, files[file]);
        const struct json *table = json_get(json, "rows");
        for (size_t i = 0; i < json_count(table); i++) {
            const struct json *row = json_at(table, i);
            if (file == 0) find_domain_row(arena, &suite, row);
            if (file == 1) alignment_row(arena, &suite, row, suffixes);
            if (file == 2) parse_row(arena, &suite, row);
            if (file == 3) tld_row(arena, &suite, row, i, suffixes);
        }
        json_free(json);
    }
    public_suffix_close(suffixes);
    arena_free(arena);
    assert_true(suite_end(&suite));
}

/* --- publicsuffix.org: "in out" */

static struct text label_of(struct arena *arena, struct text domain)
{
    struct text out;
    if (text_equal(domain, TEXT("null")) || !idna_to_ascii(arena, domain, &out)) return TEXT_NONE;
    return out;
}

static void test_public_suffixes(void **state)
{
    if (!getenv("SEKIMORI_SUITES")) skip();
    struct arena *arena = arena_new(0);
    struct buffer content = { 0 };
    struct text dmarc = arena_printf(arena, "%s/dmarc", getenv("SEKIMORI_SUITES"));
    struct public_suffix_list *suffixes = suite_suffixes(dmarc);
    struct suite suite = { .name = "dmarc/psl" };
    assert_true(suite_read(arena_printf(arena, "%.*s/psl/tests.txt", TEXT_ARG(dmarc)).at, &content));
    struct text rest = buffer_text(&content), line, in, out;
    while (text_next_line(&rest, &line)) {
        if (text_starts(line, TEXT("//")) || !text_next_word(&line, &in) || !text_next_word(&line, &out))
            continue;
        struct text got = public_suffix_organization(suffixes, label_of(arena, in)),
                    due = label_of(arena, out);
        suite_case(&suite, arena_text(arena, in).at, text_equal(got, due), got, due);
    }
    buffer_free(&content);
    public_suffix_close(suffixes);
    arena_free(arena);
    assert_true(suite_end(&suite));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mailauth_records),
        cmocka_unit_test(test_mailauth_verify),
        cmocka_unit_test(test_opendmarc),
        cmocka_unit_test(test_public_suffixes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
