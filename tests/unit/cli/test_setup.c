/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* `sekimori setup` without a socket: each answer that may not be, the file out of answers, and what is found
   of the world's answers. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cli/setup_file.h"
#include "cli/setup_finding.h"
#include "config_text.h"

static struct setup_answers answers_new(enum language language)
{
    return (struct setup_answers){ .arena = arena_new(0), .language = language };
}

/* --- answers --- */

static const struct {
    enum setup_question question;
    const char *word, *stored; /* NULL: it is refused */
    const char *complaint;     /* a part of it */
} rows[] = {
    { SETUP_HOSTNAME, "mx.example.jp", "mx.example.jp", "" },
    { SETUP_HOSTNAME, " MX.Example.jp. \n", "MX.Example.jp", "" },
    { SETUP_HOSTNAME, "", NULL, "an answer is wanted" },
    { SETUP_HOSTNAME, "mx", NULL, "mx has no dot" },
    { SETUP_HOSTNAME, "192.0.2.1", NULL, "192.0.2.1 is an address" },
    { SETUP_HOSTNAME, "2001:db8::1", NULL, "is an address" },
    { SETUP_HOSTNAME, "mx..example.jp", NULL, "is no name" },
    { SETUP_HOSTNAME, "-mx.example.jp", NULL, "is no name" },
    { SETUP_HOSTNAME, "mx example.jp", NULL, "is no name" },
    { SETUP_HOSTNAME, "mx\texample.jp", NULL, "is no name" },
    { SETUP_HOSTNAME, "mx.example.jp { }", NULL, "is no name" },
    { SETUP_HOSTNAME, "mx.example.12", NULL, "is no name" },
    { SETUP_HOSTNAME, "postmaster@example.jp", NULL, "is a mail address" },
    { SETUP_HOSTNAME, "ｍｘ.example.jp", NULL,
      "a full-width \"ｍ\" (U+FF4D) stands where an ASCII \"m\" belongs" },
    { SETUP_HOSTNAME, "mx．example.jp", NULL, "(U+FF0E)" },
    { SETUP_HOSTNAME, "mx\u200b.example.jp", NULL, "invisible character (U+200B)" },
    { SETUP_HOSTNAME, "日本語.jp", NULL, "xn-- form" },
    { SETUP_HOSTNAME, "\x93\xfa\x96{\x8c\xea.jp", NULL, "Shift_JIS, not in UTF-8" },
    { SETUP_HOSTNAME, "mx\x1b[31m.example.jp", NULL, "a control character" },
    { SETUP_DOMAINS, "Example.JP", "example.jp", "" },
    { SETUP_DOMAINS, "example.jp, example.com\texample.jp.", "example.jp example.com", "" },
    { SETUP_DOMAINS, "domains.example", "domains.example", "" },
    { SETUP_DOMAINS, ",", NULL, "a domain is wanted" },
    { SETUP_DOMAINS, "example.jp *", NULL, "* is no name" },
    { SETUP_DOMAINS, "example.jp taro@example.jp", NULL, "taro@example.jp is a mail address" },
    { SETUP_DOMAINS, "example.jp、example.com", NULL, "(U+3001)" },
    { SETUP_DOMAINS, "example.jp　example.com", NULL, "full-width blank" },
    { SETUP_INSIDE, "10.1.0.25", "10.1.0.25", "" },
    { SETUP_INSIDE, "10.1.0.25:2525", "10.1.0.25:2525", "" },
    { SETUP_INSIDE, "[2001:db8::1]:25", "[2001:db8::1]:25", "" },
    { SETUP_INSIDE, "2001:db8::1", "2001:db8::1", "" },
    { SETUP_INSIDE, "mail", "mail", "" },
    { SETUP_INSIDE, "mail.example.jp:25", "mail.example.jp:25", "" },
    { SETUP_INSIDE, "mx", NULL, "mx is no server" },
    { SETUP_INSIDE, "0.0.0.0", NULL, "0.0.0.0 is no server" },
    { SETUP_INSIDE, "10.1.0.25:0", NULL, "is no server" },
    { SETUP_INSIDE, "10.1.0.25:65536", NULL, "is no server" },
    { SETUP_INSIDE, "10.1.0.256", NULL, "is no server" },
    { SETUP_INSIDE, "10.1.0.25 10.1.0.26", NULL, "is no server" },
    { SETUP_INSIDE, "10.1.0.25 }", NULL, "is no server" },
    { SETUP_INSIDE, "１０.1.0.25", NULL, "(U+FF11)" },
    { SETUP_ADMIN, "postmaster@example.jp", "postmaster@example.jp", "" },
    { SETUP_ADMIN, "a#b@example.jp", "a#b@example.jp", "" },
    { SETUP_ADMIN, "postmaster", NULL, "is no mail address" },
    { SETUP_ADMIN, "@example.jp", NULL, "is no mail address" },
    { SETUP_ADMIN, "a b@example.jp", NULL, "is no mail address" },
    { SETUP_ADMIN, "root@localhost", NULL, "localhost has no dot" },
    { SETUP_ADMIN, "postmaster＠example.jp", NULL, "(U+FF20)" },
    { SETUP_LANGUAGE, "ja", "ja", "" },
    { SETUP_LANGUAGE, "EN", "en", "" },
    { SETUP_LANGUAGE, "日本語", "ja", "" },
    { SETUP_LANGUAGE, "de", NULL, "en or ja is wanted, not de" },
    { SETUP_LANGUAGE, "ｊａ", NULL, "(U+FF4A)" },
};

static struct text stored(const struct setup_answers *answers, enum setup_question question)
{
    struct buffer out = { 0 };
    if (question == SETUP_HOSTNAME) return answers->hostname;
    if (question == SETUP_INSIDE) return answers->inside;
    if (question == SETUP_ADMIN) return answers->admin;
    if (question == SETUP_LANGUAGE) return answers->language == LANGUAGE_JA ? TEXT("ja") : TEXT("en");
    for (size_t i = 0; i < answers->domain_count; i++)
        buffer_printf(&out, "%s%.*s", i ? " " : "", TEXT_ARG(answers->domains[i]));
    struct text all = arena_text(answers->arena, buffer_text(&out));
    buffer_free(&out);
    return all;
}

static bool has(const struct buffer *buffer, const char *part)
{
    return *part == '\0' || text_find(buffer_text(buffer), text_of(part)) < buffer_length(buffer);
}

static void each_answer(void **state)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct setup_answers answers = answers_new(LANGUAGE_EN);
        struct buffer said = { 0 };
        enum setup_question question = rows[i].question;
        bool is_taken = setup_answer_take(&answers, question, text_of(rows[i].word), &said);
        bool is_right = is_taken == (rows[i].stored != NULL) && answers.has[question] == is_taken &&
                        (!is_taken || text_equal(stored(&answers, question), text_of(rows[i].stored))) &&
                        has(&said, rows[i].complaint) && is_taken == (buffer_length(&said) == 0);
        if (!is_right) fail_msg("%s: %d \"%.*s\"", rows[i].word, is_taken, TEXT_ARG(buffer_text(&said)));
        if (!is_taken && stored(&answers, question).length && question != SETUP_LANGUAGE)
            fail_msg("%s: refused, and something is stored", rows[i].word);
        buffer_free(&said);
        arena_free(answers.arena);
    }
}

static void a_long_answer(void **state)
{
    static char word[SETUP_ANSWER_MOST + 2];
    struct setup_answers answers = answers_new(LANGUAGE_EN);
    struct buffer said = { 0 };
    memset(word, 'a', sizeof word - 1);
    assert_false(setup_answer_take(&answers, SETUP_HOSTNAME, text_of(word), &said));
    assert_true(text_equal(buffer_text(&said), TEXT("it is too long")));
    buffer_free(&said);
    arena_free(answers.arena);
}

static void too_many_domains(void **state)
{
    struct setup_answers answers = answers_new(LANGUAGE_EN);
    struct buffer said = { 0 };
    for (int i = 0; i < SETUP_DOMAINS_MOST; i++) {
        struct text name = arena_printf(answers.arena, "d%d.example", i);
        assert_true(setup_answer_take(&answers, SETUP_DOMAINS, name, &said));
    }
    assert_true(setup_answer_take(&answers, SETUP_DOMAINS, TEXT("d0.example"), &said));
    assert_false(setup_answer_take(&answers, SETUP_DOMAINS, TEXT("more.example"), &said));
    assert_int_equal(answers.domain_count, SETUP_DOMAINS_MOST);
    buffer_free(&said);
    arena_free(answers.arena);
}

static void japanese_complaints(void **state)
{
    static const char *const words[][2] = { { "ｍｘ.example.jp", "半角の「m」" },
                                            { "mx", "ドットがありません" } };
    for (size_t i = 0; i < 2; i++) {
        struct setup_answers answers = answers_new(LANGUAGE_JA);
        struct buffer said = { 0 };
        assert_false(setup_answer_take(&answers, SETUP_HOSTNAME, text_of(words[i][0]), &said));
        assert_true(has(&said, words[i][1]));
        buffer_free(&said);
        arena_free(answers.arena);
    }
}

static void answer(struct setup_answers *answers, enum setup_question question, struct text word)
{
    struct buffer said = { 0 };
    if (!setup_answer_take(answers, question, word, &said))
        fail_msg("%.*s: %.*s", TEXT_ARG(word), TEXT_ARG(buffer_text(&said)));
    buffer_free(&said);
}

static void offers(void **state)
{
    static const struct {
        const char *hostname, *domain;
    } names[] = { { "mx.example.jp", "example.jp" },
                  { "example.jp", "example.jp" },
                  { "a.b.example.co.jp", "b.example.co.jp" } };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct setup_answers answers = answers_new(LANGUAGE_EN);
        struct text hostname = text_of(names[i].hostname);
        assert_true(text_equal(setup_answer_offer(&answers, SETUP_HOSTNAME, hostname), hostname));
        assert_int_equal(setup_answer_offer(&answers, SETUP_ADMIN, TEXT_NONE).length, 0);
        assert_int_equal(setup_answer_offer(&answers, SETUP_INSIDE, TEXT_NONE).length, 0);
        answer(&answers, SETUP_HOSTNAME, hostname);
        struct text domain = setup_answer_offer(&answers, SETUP_DOMAINS, TEXT_NONE);
        assert_true(text_equal(domain, text_of(names[i].domain)));
        answer(&answers, SETUP_DOMAINS, domain);
        struct text admin = setup_answer_offer(&answers, SETUP_ADMIN, TEXT_NONE);
        assert_true(text_starts(admin, TEXT("postmaster@")) && text_ends(admin, domain));
        arena_free(answers.arena);
    }
}

/* --- the file --- */

/* In each language, with a user and without: read back it says what was answered, and both checks observe. */
static void the_file(void **state)
{
    for (int way = 0; way < 4; way++) {
        bool is_japanese = way & 1, has_more = way & 2;
        enum language language = is_japanese ? LANGUAGE_JA : LANGUAGE_EN;
        struct setup_answers answers = answers_new(LANGUAGE_EN);
        struct text resolver = TEXT("192.0.2.53@5353");
        struct text_list dns = { &resolver, has_more ? 1 : 0 };
        struct setup_surroundings surroundings = { .has_user = has_more, .dns = &dns };
        struct buffer file = { 0 };
        answer(&answers, SETUP_LANGUAGE, is_japanese ? TEXT("ja") : TEXT("en"));
        answer(&answers, SETUP_HOSTNAME, TEXT("mx.example.jp"));
        answer(&answers, SETUP_DOMAINS, TEXT("example.jp recipients.example"));
        answer(&answers, SETUP_INSIDE, TEXT("10.1.0.25:2525"));
        answer(&answers, SETUP_ADMIN, TEXT("a#b@example.jp"));
        setup_file_print(&answers, &surroundings, &file);
        struct config *config = config_of_text(buffer_text(&file), true);
        assert_true(text_equal(config->hostname, TEXT("mx.example.jp")));
        assert_true(text_equal(config->admin, TEXT("a#b@example.jp")));
        assert_true(text_equal(config->user, has_more ? TEXT("sekimori") : TEXT_NONE));
        assert_true(text_equal(config->report.to, config->admin) && config->report.language == language);
        assert_int_equal(config->virus.mode, MODE_OBSERVE);
        assert_int_equal(config->spam.mode, MODE_OBSERVE);
        assert_int_equal(config->harvest.action, HARVEST_OBSERVE);
        assert_int_equal(config->inside.mode, MODE_OBSERVE);
        assert_int_equal(config->signups.mode, MODE_OBSERVE);
        assert_int_equal(config->dns.servers.count, dns.count);
        assert_int_equal(config->listener_count, 1);
        assert_int_equal(config->listeners[0].endpoint.port, 25);
        assert_int_equal(config->listeners[0].direction, DIRECTION_IN);
        assert_int_equal(config->domain_count, 3); /* "*" too */
        assert_int_equal(config->domains[0].targets[0].endpoint.port, 2525);
        assert_true(has(&file, is_japanese ? "検査は二つとも記録だけ" : "Both checks only observe"));
        config_free(config);
        buffer_free(&file);
        arena_free(answers.arena);
    }
}

/* --- findings --- */

static struct address address_of(const char *text)
{
    struct address address;
    assert_true(address_parse(text_of(text), &address));
    return address;
}

/* What was found is as wanted; the finding is empty then. `advice` "": there is none. */
static void finding_check(struct setup_finding *finding, enum setup_result result, const char *said,
                          const char *advice)
{
    static const char *const heads[] = { "ok ", "warning ", "failed " };
    struct buffer shown = { 0 };
    setup_finding_print(finding, &shown);
    bool is_right = finding->result == result && has(&finding->said, said) && has(&finding->advice, advice) &&
                    (*advice == '\0') == (buffer_length(&finding->advice) == 0) &&
                    text_starts(buffer_text(&shown), text_of(heads[result]));
    if (!is_right)
        fail_msg("wanted %d %s %s, have:\n%.*s", result, said, advice, TEXT_ARG(buffer_text(&shown)));
    buffer_free(&shown);
    setup_finding_free(finding);
    *finding = (struct setup_finding){ 0 };
}

static void inside_findings(void **state)
{
    static const struct {
        enum recipient_outcome outcome;
        const char *answer;
        enum setup_result result;
        const char *said, *advice;
    } given[] = {
        { RECIPIENT_TAKEN, "250 ok", SETUP_OK, "10.1.0.25:25 takes mail for p@a.jp", "" },
        { RECIPIENT_DEFERRED, "451 later", SETUP_WARNING, "puts off mail for p@a.jp: 451 later",
          "greylisting" },
        { RECIPIENT_REFUSED, "550 no\x1b[31m", SETUP_FAILED, "refuses mail for p@a.jp: 550 no\\x1B",
          "make the address" },
        { RECIPIENT_NO_ANSWER, "Connection refused", SETUP_FAILED, "does not answer: Connection refused",
          "start it" },
        { RECIPIENT_NO_SMTP, "no code", SETUP_FAILED, "not as a mail server does", "port" },
    };
    for (size_t i = 0; i < sizeof given / sizeof *given; i++) {
        struct setup_finding finding = { 0 };
        struct recipient_answer answered = { .outcome = given[i].outcome };
        snprintf(answered.said, sizeof answered.said, "%s", given[i].answer);
        setup_find_inside(&finding, TEXT("10.1.0.25:25"), TEXT("p@a.jp"), &answered);
        finding_check(&finding, given[i].result, given[i].said, given[i].advice);
    }
}

static struct mx_host host_of(uint16_t preference, const char *name, struct address *address)
{
    struct host_answer addresses = { .status = address ? DNS_FOUND : DNS_NONE,
                                     .address_count = address ? 1 : 0,
                                     .addresses = address };
    return (struct mx_host){ preference, text_of(name), addresses };
}

static void mx_findings(void **state)
{
    struct address ours = address_of("192.0.2.1"), other = address_of("192.0.2.9");
    struct machine_addresses own = { &ours, 1 };
    const struct {
        enum dns_status status;
        bool is_null, is_implicit;
        struct mx_host hosts[2];
        uint32_t count;
        enum setup_result result;
        const char *said, *advice;
    } given[] = {
        { DNS_FOUND,
          false,
          false,
          { host_of(10, "MX.a.jp", &ours) },
          1,
          SETUP_OK,
          "is MX.a.jp, this machine",
          "" },
        { DNS_FOUND,
          false,
          false,
          { host_of(10, "in.a.jp", &ours) },
          1,
          SETUP_OK,
          "is in.a.jp, this machine",
          "" },
        { DNS_FOUND,
          false,
          false,
          { host_of(10, "mx.a.jp", &ours), host_of(20, "x.jp", &other) },
          2,
          SETUP_OK,
          "this machine",
          "" },
        { DNS_FOUND,
          false,
          false,
          { host_of(10, "x.jp", &other), host_of(10, "mx.a.jp", &ours) },
          2,
          SETUP_OK,
          "is mx.a.jp, this machine",
          "" },
        { DNS_FOUND,
          false,
          false,
          { host_of(10, "mx.a.jp", &other) },
          1,
          SETUP_WARNING,
          "whose address 192.0.2.9 is none of this machine's",
          "router" },
        { DNS_FOUND,
          false,
          false,
          { host_of(10, "mx.a.jp", NULL) },
          1,
          SETUP_WARNING,
          "which has no address",
          "A record" },
        { DNS_FOUND,
          false,
          false,
          { host_of(10, "x.jp", &other) },
          1,
          SETUP_WARNING,
          "is x.jp, not this machine",
          "a.jp. IN MX 10 mx.a.jp." },
        { DNS_FOUND,
          false,
          false,
          { host_of(10, "x.jp", &other), host_of(20, "mx.a.jp", &ours) },
          2,
          SETUP_WARNING,
          "goes to x.jp first (MX 10), then to mx.a.jp (MX 20)",
          "lowest number" },
        { DNS_FOUND,
          false,
          true,
          { host_of(0, "a.jp", &ours) },
          1,
          SETUP_WARNING,
          "a.jp has no MX",
          "IN MX 10" },
        { DNS_NONE, false, false, { { 0 } }, 0, SETUP_WARNING, "a.jp has no MX", "IN MX 10" },
        { DNS_NONE, true, false, { { 0 } }, 0, SETUP_WARNING, "takes no mail (MX 0 .)", "IN MX 10" },
        { DNS_TEMPERROR, false, false, { { 0 } }, 0, SETUP_WARNING, "gives no answer (temperror)", "--dns" },
        { DNS_BOGUS, false, false, { { 0 } }, 0, SETUP_WARNING, "gives no answer (bogus)", "--dns" },
    };
    for (size_t i = 0; i < sizeof given / sizeof *given; i++) {
        struct setup_finding finding = { 0 };
        struct mx_host hosts[2] = { given[i].hosts[0], given[i].hosts[1] };
        struct mx_answer answered = { .status = given[i].status,
                                      .is_null = given[i].is_null,
                                      .is_implicit = given[i].is_implicit,
                                      .host_count = given[i].count,
                                      .hosts = hosts };
        setup_find_mx(&finding, TEXT("a.jp"), TEXT("mx.a.jp"), &answered, &own);
        finding_check(&finding, given[i].result, given[i].said, given[i].advice);
    }
}

static void name_findings(void **state)
{
    static const struct {
        enum client_name_status status;
        const char *name;
        enum setup_result result;
        const char *said, *advice;
    } given[] = {
        { CLIENT_NAME_CONFIRMED, "mx.a.jp", SETUP_OK, "192.0.2.1 is named mx.a.jp", "" },
        { CLIENT_NAME_CONFIRMED, "host.isp.example", SETUP_WARNING, "host.isp.example (PTR), not mx.a.jp",
          "mx.a.jp" },
        { CLIENT_NAME_UNCONFIRMED, "mx.a.jp", SETUP_WARNING, "does not lead back", "PTR" },
        { CLIENT_NAME_NONE, "", SETUP_WARNING, "has no name (PTR)", "PTR" },
        { CLIENT_NAME_TEMPERROR, "", SETUP_WARNING, "no answer", "--dns" },
    };
    struct address address = address_of("192.0.2.1");
    struct setup_finding finding = { 0 };
    for (size_t i = 0; i < sizeof given / sizeof *given; i++) {
        struct client_name answered = { given[i].status, text_of(given[i].name) };
        setup_find_name(&finding, TEXT("mx.a.jp"), &address, &answered);
        finding_check(&finding, given[i].result, given[i].said, given[i].advice);
    }
    struct host_answer host = { .status = DNS_NONE };
    assert_false(setup_find_address(&finding, TEXT("mx.a.jp"), &host));
    finding_check(&finding, SETUP_WARNING, "has no address in the DNS", "A record");
    host.status = DNS_TEMPERROR;
    assert_false(setup_find_address(&finding, TEXT("mx.a.jp"), &host));
    finding_check(&finding, SETUP_WARNING, "no answer", "--dns");
    host = (struct host_answer){ .status = DNS_FOUND, .address_count = 1, .addresses = &address };
    assert_true(setup_find_address(&finding, TEXT("mx.a.jp"), &host));
    setup_finding_free(&finding);
}

static void machine_findings(void **state)
{
    static const struct {
        int why;
        struct listening_holder holder;
        enum setup_result result;
        const char *said, *advice;
    } given[] = {
        { 0, { 0 }, SETUP_OK, "port 25 is free", "" },
        { EADDRINUSE,
          { true, 12, 0, "exim4" },
          SETUP_FAILED,
          "taken by exim4 (pid 12)",
          "disable --now exim4" },
        { EADDRINUSE,
          { true, 0, 0, "" },
          SETUP_FAILED,
          "port 25 is taken by a process of user 0",
          "ss -tlnp" },
        { EADDRINUSE, { 0 }, SETUP_FAILED, "port 25 is taken", "ss -tlnp" },
        { EADDRINUSE, { true, 12, 0, "sekimorid" }, SETUP_OK, "this gateway's already", "" },
        { EACCES, { 0 }, SETUP_WARNING, "only root can try", "root" },
        { ENODEV, { 0 }, SETUP_FAILED, "cannot be had", "" },
    };
    struct setup_finding finding = { 0 };
    for (size_t i = 0; i < sizeof given / sizeof *given; i++) {
        setup_find_port(&finding, 25, given[i].why, &given[i].holder);
        finding_check(&finding, given[i].result, given[i].said, given[i].advice);
    }
    setup_find_signatures(&finding, TEXT("/var/lib/clamav"), 0);
    finding_check(&finding, SETUP_WARNING, "no virus signatures in /var/lib/clamav", "clamav-freshclam");
    setup_find_signatures(&finding, TEXT("/var/lib/clamav"), 1764374400);
    finding_check(&finding, SETUP_OK, "virus signatures of 2025-11-29", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_answer),      cmocka_unit_test(a_long_answer),
        cmocka_unit_test(too_many_domains), cmocka_unit_test(japanese_complaints),
        cmocka_unit_test(offers),           cmocka_unit_test(the_file),
        cmocka_unit_test(inside_findings),  cmocka_unit_test(mx_findings),
        cmocka_unit_test(name_findings),    cmocka_unit_test(machine_findings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
