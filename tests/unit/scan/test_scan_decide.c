/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Verdicts, one a row: what was found and what the configuration says, to what each recipient gets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "auth/authentication.h"
#include "config/closed_kinds.h"
#include "config_text.h"
#include "ipc/fingerprint_page.h"
#include "judge/campaign.h"
#include "judge/list_answer.h"
#include "judge/sender_rate.h"
#include "rules/ruleset.h"
#include "scan/authenticate.h"
#include "scan/decide.h"
#include "scan/entry_match.h"
#include "scan/entry_patterns.h"
#include "scan/wording.h"

static const char base_config[] =
    "hostname mx.example.test\nadmin postmaster@example.test\nlisten 127.0.0.1:2525\n"
    "domains {\n  on.test 127.0.0.1\n  off.test 127.0.0.1 { virus off; spam off }\n"
    "  observe.test 127.0.0.1 { virus observe; spam observe }\n  novirus.test 127.0.0.1 { virus off }\n}\n";

struct row {
    const char *name, *config;
    enum scan_state virus;
    bool ambiguous;
    double points; /* of one signal, 0: none */
    enum answer_status client_name;
    const char *recipients; /* blanks between */
    unsigned code;
    const char *actions; /* action[/observed][+tag] each */
    const char *reason;
};

#define ONE "a@on.test"

static const struct row rows[] = {
    { "clean", "", SCAN_CLEAN, false, 0, ANSWER_FOUND, ONE, 250, "accept", "" },
    { "not asked", "", SCAN_NOT_ASKED, true, 0, ANSWER_FOUND, ONE, 250, "accept", "" },
    { "virus, default", "", SCAN_FOUND, false, 0, ANSWER_FOUND, ONE, 550, "reject", "virus found: Name" },
    { "virus, quarantine", "virus { found quarantine }", SCAN_FOUND, false, 0, ANSWER_FOUND, ONE, 250,
      "quarantine", "virus found: Name" },
    { "virus, discard", "virus { found discard }", SCAN_FOUND, false, 0, ANSWER_FOUND, ONE, 250, "discard",
      "virus found: Name" },
    { "virus, discard beats spam's reject", "virus { found discard }", SCAN_FOUND, false, 30, ANSWER_FOUND,
      ONE, 250, "discard", "virus found: Name" },
    { "limits", "", SCAN_LIMITS, false, 0, ANSWER_FOUND, ONE, 250, "quarantine",
      "the message could not be scanned whole: Name" },
    { "unscanned, default", "", SCAN_UNSCANNED, false, 0, ANSWER_FOUND, ONE, 451, "defer",
      "the message could not be scanned for viruses, try again later" },
    { "unscanned, accept", "virus { engine clamav { unavailable accept } }", SCAN_UNSCANNED, false, 0,
      ANSWER_FOUND, ONE, 250, "accept", "" },
    { "unscanned but surely spam", "", SCAN_UNSCANNED, false, 30, ANSWER_FOUND, ONE, 550, "reject",
      "the message looks like spam (30.0 points)" },
    { "unscanned and spam to quarantine", "", SCAN_UNSCANNED, false, 13, ANSWER_FOUND, ONE, 451, "defer",
      "the message could not be scanned for viruses, try again later" },
    { "ambiguous", "", SCAN_CLEAN, true, 0, ANSWER_FOUND, ONE, 250, "quarantine",
      "parts of the message can be read in more than one way" },
    { "ambiguous, accepted", "virus { ambiguous accept }", SCAN_CLEAN, true, 0, ANSWER_FOUND, ONE, 250,
      "accept", "" },
    { "below the tag", "", SCAN_CLEAN, false, 6.7, ANSWER_FOUND, ONE, 250, "accept", "" },
    { "at the tag", "", SCAN_CLEAN, false, 6.8, ANSWER_FOUND, ONE, 250, "tag+tag",
      "the message looks like spam (6.8 points)" },
    { "at quarantine", "", SCAN_CLEAN, false, 12, ANSWER_FOUND, ONE, 250, "quarantine",
      "the message looks like spam (12.0 points)" },
    { "a virus held that is tagged too", "virus { found quarantine }", SCAN_FOUND, false, 7, ANSWER_FOUND,
      ONE, 250, "quarantine+tag", "virus found: Name" },
    { "at reject", "", SCAN_CLEAN, false, 20, ANSWER_FOUND, ONE, 550, "reject",
      "the message looks like spam (20.0 points)" },
    { "own lines", "spam { tag above 3; quarantine above 4; reject above 5 }", SCAN_CLEAN, false, 4,
      ANSWER_FOUND, ONE, 250, "quarantine", "the message looks like spam (4.0 points)" },
    { "no name tips the scale", "", SCAN_CLEAN, false, 6, ANSWER_NONE, ONE, 250, "tag+tag",
      "the message looks like spam (6.8 points)" },
    { "a temporary error never does", "", SCAN_CLEAN, false, 6.7, ANSWER_TEMPERROR, ONE, 250, "accept", "" },
    { "off for all", "virus { mode off }\nspam { mode off }", SCAN_FOUND, true, 30, ANSWER_FOUND, ONE, 250,
      "accept", "" },
    { "observed for all", "virus { mode observe }\nspam { mode observe }", SCAN_FOUND, false, 30,
      ANSWER_FOUND, ONE, 250, "accept/reject", "" },
    { "virus observed, spam on", "virus { mode observe }", SCAN_FOUND, false, 7, ANSWER_FOUND, ONE, 250,
      "tag/reject+tag", "the message looks like spam (7.0 points)" },
    { "a domain's own mode", "", SCAN_FOUND, false, 0, ANSWER_FOUND, "a@observe.test", 250, "accept/reject",
      "" },
    { "all rejected", "", SCAN_FOUND, false, 0, ANSWER_FOUND, "a@on.test b@on.test", 550, "reject,reject",
      "virus found: Name" },
    { "reject for some is quarantine for them", "", SCAN_FOUND, false, 0, ANSWER_FOUND,
      "a@on.test b@novirus.test", 250, "quarantine,accept", "virus found: Name" },
    { "reject, off, observe", "", SCAN_CLEAN, false, 25, ANSWER_FOUND, "a@on.test b@off.test c@observe.test",
      250, "quarantine,accept,accept/reject", "the message looks like spam (25.0 points)" },
    { "a defer of one defers all", "", SCAN_UNSCANNED, false, 0, ANSWER_FOUND, "a@on.test b@off.test", 451,
      "defer,defer", "the message could not be scanned for viruses, try again later" },
    { "a subdomain nobody named", "", SCAN_FOUND, false, 0, ANSWER_FOUND, "a@elsewhere.test", 550, "reject",
      "virus found: Name" },
    { "no domain at all", "", SCAN_FOUND, false, 0, ANSWER_FOUND, "postmaster", 550, "reject",
      "virus found: Name" },
};

static struct config *config_of(const char *more)
{
    char all[4000];
    snprintf(all, sizeof all, "%s%s\n", base_config, more);
    return config_of_text(text_of(all), false);
}

/* Every recipient's recipe takes forged fields out and has our own on top. */
static bool is_tagged(const struct verdict *verdict, uint32_t recipient)
{
    struct edit_set kinds = verdict->recipes[verdict->recipients[recipient].recipe].kinds;
    if (!edit_set_has(kinds, EDIT_FORGED) || !edit_set_has(kinds, EDIT_STATUS))
        fail_msg("kinds %x", kinds.bits);
    return edit_set_has(kinds, EDIT_TAG);
}

static void actions_print(const struct verdict *verdict, char *out, size_t size)
{
    size_t used = 0;
    for (uint32_t i = 0; i < verdict->recipient_count; i++) {
        const struct recipient_verdict *one = &verdict->recipients[i];
        bool is_observed = one->observed != ACTION_ACCEPT;
        used += (size_t)snprintf(out + used, size - used, "%s%s%s%s%s", i ? "," : "",
                                 evidence_action_name(one->action), is_observed ? "/" : "",
                                 is_observed ? evidence_action_name(one->observed) : "",
                                 is_tagged(verdict, i) ? "+tag" : "");
    }
}

static void row_check(const struct row *row)
{
    struct arena *arena = arena_new(0);
    struct config *config = config_of(row->config);
    struct text recipients[8], rest = text_of(row->recipients);
    struct occasion occasion = { .recipients = recipients };
    while (text_next_word(&rest, &recipients[occasion.recipient_count])) occasion.recipient_count++;
    struct signal signal = { TEXT("SIGNAL"), row->points, TEXT_NONE };
    struct question answer = { QUESTION_CLIENT_NAME, TEXT("192.0.2.1"), row->client_name, TEXT_NONE };
    struct virus_finding finding = { row->virus == SCAN_LIMITS ? VIRUS_CLASS_LIMITS : VIRUS_CLASS_VIRUS,
                                     TEXT_NONE, TEXT("Name"), TEXT_NONE };
    struct facts facts = { .virus = row->virus,
                           .virus_findings = &finding,
                           .virus_finding_count = row->virus == SCAN_FOUND || row->virus == SCAN_LIMITS,
                           .engine = TEXT("clamav 1.4.6"),
                           .ambiguous = row->ambiguous,
                           .signals = &signal,
                           .signal_count = row->points != 0 };
    struct verdict verdict;
    char actions[200] = "";
    decide_verdict(arena, config, &occasion, &facts, &answer, 1, &verdict);
    actions_print(&verdict, actions, sizeof actions);
    bool is_right = strcmp(actions, row->actions) == 0 && verdict.code == row->code &&
                    text_equal(verdict.reason, text_of(row->reason));
    if (!is_right) fail_msg("%s: %u %s \"%.*s\"", row->name, verdict.code, actions, TEXT_ARG(verdict.reason));
    config_free(config);
    arena_free(arena);
}

/* What decided for each recipient. */
static void test_causes(void **state)
{
    static const struct cause_row {
        enum scan_state virus;
        double points;
        enum recipient_cause causes[4]; /* of on, off, observe and novirus */
    } cause_rows[] = {
        { SCAN_CLEAN,
          0,
          { RECIPIENT_BY_POINTS, RECIPIENT_BY_OFF, RECIPIENT_BY_POINTS, RECIPIENT_BY_POINTS } },
        { SCAN_CLEAN,
          13,
          { RECIPIENT_BY_POINTS, RECIPIENT_BY_OFF, RECIPIENT_BY_POINTS, RECIPIENT_BY_POINTS } },
        { SCAN_CLEAN,
          30,
          { RECIPIENT_BY_OTHERS, RECIPIENT_BY_OFF, RECIPIENT_BY_POINTS, RECIPIENT_BY_OTHERS } },
        { SCAN_FOUND, 0, { RECIPIENT_BY_OTHERS, RECIPIENT_BY_OFF, RECIPIENT_BY_VIRUS, RECIPIENT_BY_POINTS } },
        { SCAN_UNSCANNED,
          0,
          { RECIPIENT_BY_VIRUS, RECIPIENT_BY_OTHERS, RECIPIENT_BY_OTHERS, RECIPIENT_BY_OTHERS } },
    };
    static struct text recipients[] = {
        { "a@on.test", 9 }, { "a@off.test", 10 }, { "a@observe.test", 14 }, { "a@novirus.test", 14 }
    };
    struct config *config = config_of("");
    for (size_t i = 0; i < sizeof cause_rows / sizeof *cause_rows; i++) {
        struct arena *arena = arena_new(0);
        struct virus_finding finding = { .class = VIRUS_CLASS_VIRUS, .name = TEXT("Name") };
        struct signal signal = { TEXT("RULE"), cause_rows[i].points, TEXT("") };
        const struct occasion occasion = { .recipient_count = 4, .recipients = recipients };
        const struct facts facts = { .virus = cause_rows[i].virus,
                                     .virus_finding_count = cause_rows[i].virus == SCAN_FOUND,
                                     .virus_findings = &finding,
                                     .signals = &signal,
                                     .signal_count = 1 };
        struct verdict verdict;
        decide_verdict(arena, config, &occasion, &facts, NULL, 0, &verdict);
        for (int k = 0; k < 4; k++)
            if (verdict.recipients[k].cause != cause_rows[i].causes[k])
                fail_msg("row %zu, recipient %d: %d", i, k, verdict.recipients[k].cause);
        arena_free(arena);
    }
    config_free(config);
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) row_check(&rows[i]);
}

/* Findings of a class, by what the configuration says of it and of the direction. */
static const struct finding_row {
    const char *config;
    enum direction direction;
    unsigned classes[3]; /* each + 1, the worst first; 0: no more */
    double points;
    unsigned code;
    const char *actions, *reason;
} finding_rows[] = {
#define VIRUS (VIRUS_CLASS_VIRUS + 1)
#define PHISHING (VIRUS_CLASS_PHISHING + 1)
#define SPAM (VIRUS_CLASS_SPAM + 1)
#define PUA (VIRUS_CLASS_PUA + 1)
#define ENCRYPTED (VIRUS_CLASS_ENCRYPTED + 1)
#define NOT_OPENED (VIRUS_CLASS_NOT_OPENED + 1)
#define LIMITS (VIRUS_CLASS_LIMITS + 1)
    { "", DIRECTION_IN, { PHISHING }, 0, 550, "reject", "phishing found: Name1 (engine; in part)" },
    { "", DIRECTION_IN, { SPAM }, 0, 250, "quarantine", "known spam found: Name2 (engine; in part)" },
    { "",
      DIRECTION_IN,
      { PUA },
      0,
      250,
      "quarantine",
      "an unwanted program was found: Name3 (engine; in part)" },
    { "", DIRECTION_IN, { ENCRYPTED }, 0, 250, "accept", "" },
    { "", DIRECTION_OUT, { ENCRYPTED }, 0, 250, "accept", "" },
    { "",
      DIRECTION_IN,
      { NOT_OPENED },
      0,
      250,
      "quarantine",
      "a file could not be opened to be scanned: Name5 (engine; in part)" },
    { "virus { encrypted warn }",
      DIRECTION_IN,
      { ENCRYPTED },
      0,
      250,
      "tag+warning",
      "an encrypted file could not be scanned: Name4 (engine; in part)" },
    { "virus { encrypted warn }",
      DIRECTION_IN,
      { ENCRYPTED },
      7,
      250,
      "tag+tag-warning",
      "an encrypted file could not be scanned: Name4 (engine; in part)" },
    { "virus { encrypted warn }",
      DIRECTION_OUT,
      { ENCRYPTED },
      0,
      250,
      "tag+warning",
      "an encrypted file could not be scanned: Name4 (engine; in part)" },
    { "virus { encrypted reject; outbound { encrypted accept } }",
      DIRECTION_OUT,
      { ENCRYPTED },
      0,
      250,
      "accept",
      "" },
    { "virus { encrypted reject; outbound { encrypted accept } }",
      DIRECTION_IN,
      { ENCRYPTED },
      0,
      550,
      "reject",
      "an encrypted file could not be scanned: Name4 (engine; in part)" },
    { "virus { outbound { found quarantine } }",
      DIRECTION_OUT,
      { VIRUS },
      0,
      250,
      "quarantine",
      "virus found: Name0 (engine; in part)" },
    { "virus { outbound { found quarantine } }",
      DIRECTION_IN,
      { VIRUS },
      0,
      550,
      "reject",
      "virus found: Name0 (engine; in part)" },
    { "virus { phishing accept }", DIRECTION_IN, { PHISHING, ENCRYPTED }, 0, 250, "accept", "" },
    { "virus { phishing accept; limits reject }",
      DIRECTION_IN,
      { PHISHING, ENCRYPTED, LIMITS },
      0,
      550,
      "reject",
      "the message could not be scanned whole: Name6 (engine; in part)" },
    { "",
      DIRECTION_IN,
      { PUA, NOT_OPENED },
      0,
      250,
      "quarantine",
      "an unwanted program was found: Name3 (engine; in part)" },
    { "virus { found discard }",
      DIRECTION_IN,
      { VIRUS, LIMITS },
      0,
      250,
      "discard",
      "virus found: Name0 (engine; in part)" },
};

static void finding_row_check(const struct finding_row *row)
{
    static const char *const names[] = { "Name0", "Name1", "Name2", "Name3", "Name4", "Name5", "Name6" };
    struct arena *arena = arena_new(0);
    struct config *config = config_of(row->config);
    struct text recipient = TEXT("a@on.test");
    struct occasion occasion = { .direction = row->direction,
                                 .recipients = &recipient,
                                 .recipient_count = 1 };
    struct signal signal = { TEXT("SIGNAL"), row->points, TEXT_NONE };
    struct virus_finding findings[3];
    struct facts facts = {
        .virus = SCAN_FOUND, .virus_findings = findings, .signals = &signal, .signal_count = 1
    };
    for (int i = 0; i < 3 && row->classes[i]; i++)
        findings[facts.virus_finding_count++] =
            (struct virus_finding){ row->classes[i] - 1, TEXT("engine"), text_of(names[row->classes[i] - 1]),
                                    TEXT("part") };
    struct verdict verdict;
    char actions[200] = "";
    decide_verdict(arena, config, &occasion, &facts, NULL, 0, &verdict);
    actions_print(&verdict, actions, sizeof actions);
    if (edit_set_has(verdict.recipes[0].kinds, EDIT_WARNING)) strcat(actions, "+warning");
    if (edit_set_has(verdict.recipes[0].kinds, EDIT_TAG_WARNING)) strcat(actions, "+tag-warning");
    bool is_warned = verdict.recipients[0].action == ACTION_TAG;
    if (is_warned && edit_set_has(verdict.recipes[0].kinds, EDIT_WARNING))
        assert_true(text_starts(verdict.summary, TEXT("action=warn ")));
    if (is_warned && edit_set_has(verdict.recipes[0].kinds, EDIT_TAG_WARNING))
        assert_true(text_starts(verdict.summary, TEXT("action=tag+warn ")));
    bool is_right = strcmp(actions, row->actions) == 0 && verdict.code == row->code &&
                    text_equal(verdict.reason, text_of(row->reason));
    if (!is_right)
        fail_msg("%s, class %u: %u %s \"%.*s\"", row->config, row->classes[0] - 1, verdict.code, actions,
                 TEXT_ARG(verdict.reason));
    config_free(config);
    arena_free(arena);
}

static void test_findings(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof finding_rows / sizeof *finding_rows; i++)
        finding_row_check(&finding_rows[i]);
}

/* By kind, then by group, then by class; each also where its finding found no room. */
static void test_kinds(void **state)
{
    static const struct {
        const char *config;
        enum direction direction;
        const char *kinds[3], *actions, *reason;
    } kind_rows[] = {
#define BY_KIND "virus { not-opened quarantine { kinds { accept squashfs zip; reject ntfs-image } } }"
#define NO_OPEN "a file could not be opened to be scanned: "
        { BY_KIND, DIRECTION_IN, { "squashfs" }, "accept", "" },
        { BY_KIND, DIRECTION_IN, { "zip: damaged, or method 97 that is not read" }, "accept", "" },
        { BY_KIND, DIRECTION_IN, { "squashfs", "ace" }, "quarantine", NO_OPEN "ace" },
        { BY_KIND, DIRECTION_IN, { "ace", "squashfs", "ntfs-image" }, "reject", NO_OPEN "ntfs-image" },
        { BY_KIND, DIRECTION_IN, { "of a later version" }, "quarantine", NO_OPEN },
        { BY_KIND, DIRECTION_OUT, { "ntfs-image" }, "reject", NO_OPEN "ntfs-image" },
        { "virus { not-opened kinds { reject disk-images; warn vdi } }",
          DIRECTION_IN,
          { "vhd" },
          "reject",
          NO_OPEN "vhd" },
        { "virus { not-opened kinds { reject disk-images; warn vdi } }",
          DIRECTION_IN,
          { "vdi" },
          "tag",
          NO_OPEN "vdi" },
        { "virus { not-opened kinds reject vhd; outbound not-opened accept }",
          DIRECTION_OUT,
          { "vhd" },
          "accept",
          "" },
        { "virus { not-opened reject; outbound not-opened kinds accept file-systems }",
          DIRECTION_OUT,
          { "cramfs" },
          "accept",
          "" },
        { "virus { not-opened reject; outbound not-opened kinds accept file-systems }",
          DIRECTION_IN,
          { "cramfs" },
          "reject",
          NO_OPEN "cramfs" },
        { "virus { not-opened accept kinds defer rare-archives }",
          DIRECTION_IN,
          { "freearc" },
          "defer",
          NO_OPEN "freearc" },
    };
    (void)state;
    for (size_t i = 0; i < 2 * sizeof kind_rows / sizeof *kind_rows; i++) {
        bool has_findings = i % 2 == 0;
        struct arena *arena = arena_new(0);
        struct config *config = config_of(kind_rows[i / 2].config);
        struct text recipient = TEXT("a@on.test");
        struct occasion occasion = { .direction = kind_rows[i / 2].direction,
                                     .recipients = &recipient,
                                     .recipient_count = 1 };
        struct virus_finding findings[3];
        struct facts facts = { .virus = SCAN_CLOSED, .virus_findings = findings };
        for (int k = 0; k < 3 && kind_rows[i / 2].kinds[k]; k++) {
            struct text name = text_of(kind_rows[i / 2].kinds[k]);
            if (has_findings)
                findings[facts.virus_finding_count++] =
                    (struct virus_finding){ .class = VIRUS_CLASS_NOT_OPENED, .name = name };
            facts.not_opened |= UINT64_C(1) << closed_kinds_number(name);
        }
        struct verdict verdict;
        char actions[200] = "";
        decide_verdict(arena, config, &occasion, &facts, NULL, 0, &verdict);
        actions_print(&verdict, actions, sizeof actions);
        if (strcmp(actions, kind_rows[i / 2].actions) != 0 ||
            !text_starts(verdict.reason, text_of(kind_rows[i / 2].reason)))
            fail_msg("row %zu: %s \"%.*s\"", i / 2, actions, TEXT_ARG(verdict.reason));
        config_free(config);
        arena_free(arena);
    }
}

/* Lines of at most 78, ASCII, each name whole; X-Spam-Flag only where tagged. */
static void test_header(void **state)
{
    (void)state;
    struct arena *arena = arena_new(0);
    struct config *config = config_of("");
    struct text recipient = TEXT("a@on.test");
    struct occasion occasion = { .recipients = &recipient, .recipient_count = 1 };
    struct signal signals[6];
    for (int i = 0; i < 6; i++)
        signals[i] = (struct signal){ TEXT("A_RATHER_LONG_NAME_OF_A_SIGNAL"), 1.25, TEXT_NONE };
    struct facts facts = {
        .virus = SCAN_CLEAN, .engine = TEXT("clamav 1.4.6"), .signals = signals, .signal_count = 6
    };
    struct verdict verdict;
    decide_verdict(arena, config, &occasion, &facts, NULL, 0, &verdict);
    const struct status_wish no = { 6.8 }, yes = { 6.8, .is_tagged = true };
    struct text plain = wording_status(arena, config, &occasion, &facts, &verdict, &no);
    struct text tagged = wording_status(arena, config, &occasion, &facts, &verdict, &yes);
    assert_true(text_starts(plain, TEXT("X-Spam-Status: No, score=7.8 required=6.8 tests=")));
    assert_true(text_starts(tagged, TEXT("X-Spam-Status: Yes, score=7.8 required=6.8 tests=")));
    assert_true(text_find(plain, TEXT("X-Spam-Flag")) == plain.length);
    assert_true(text_find(tagged, TEXT("\r\nX-Spam-Flag: YES\r\n")) < tagged.length);
    assert_true(text_ends(plain, TEXT("\r\nX-Virus-Scanned: Sekimori (clamav 1.4.6)\r\n")));
    struct text rest = tagged, line;
    while (text_next_line(&rest, &line)) assert_in_range(line.length, 1, 80);
    struct virus_finding findings[] = {
        { VIRUS_CLASS_VIRUS, TEXT("clamav"), TEXT("Eicar\r\nX: y"), TEXT_NONE },
        { VIRUS_CLASS_ENCRYPTED, TEXT("open"), TEXT("zip"), TEXT("pay \"\xe7.zip") },
    };
    facts.virus = SCAN_FOUND; /* what is released, or only observed */
    facts.virus_findings = findings;
    facts.virus_finding_count = 1;
    plain = wording_status(arena, config, &occasion, &facts, &verdict, &no);
    assert_true(
        text_ends(plain, TEXT("\r\nX-Virus-Scanned: Sekimori (clamav 1.4.6;\r\n\tfound Eicar??X: y)\r\n")));
    facts.virus_finding_count = 2;
    plain = wording_status(arena, config, &occasion, &facts, &verdict, &no);
    assert_true(text_ends(
        plain,
        TEXT(";\r\n\tfound Eicar??X: y;\r\n\tencrypted zip\r\n\t in pay ??.zip;\r\n\tincomplete)\r\n")));
    facts.virus = SCAN_UNSCANNED;
    plain = wording_status(arena, config, &occasion, &facts, &verdict, &no);
    assert_true(text_ends(plain, TEXT("\r\nX-Virus-Scanned: unscanned\r\n")));
    config_free(config);
    arena_free(arena);
}

/* --- newsletters, and lines of recipients --- */

#define OWN                                                                                             \
    "domains { strict.test 127.0.0.1 { spam { tag above 3; quarantine above 5; reject above 7 } }\n"    \
    "  quiet.test 127.0.0.1 { spam { tag in header } } }\n"                                             \
    "recipient boss@on.test { spam off }\n"                                                             \
    "recipient watch@on.test { spam observe }\n"                                                        \
    "recipient Strict@on.test { spam tag above 2 }\n"                                                   \
    "recipient mild@strict.test { spam { tag above 8; quarantine above never; reject above never } }\n" \
    "recipient on@off.test { spam on }\n"

/* The list has the client of each message. */
#define LISTED "list own { names /n; points 0; action "

/* `letter`: L mail of a person, N a newsletter, F one that nobody proves, V and P a newsletter with a virus
   or phishing. Kinds: t the tag in the Subject, h in the header alone, n of a newsletter. */
static const struct line_row {
    char letter;
    const char *config;
    double points;
    const char *recipients, *approved; /* ADDRESS, or * */
    unsigned code;
    const char *actions, *class; /* in the log; "": none */
} line_rows[] = {
    { 'L', "", 6.7, "a@on.test", NULL, 250, "accept", "" },
    { 'L', "", 6.8, "a@on.test", NULL, 250, "tag:t", "" },
    { 'L', "", 6.8, "a@quiet.test", NULL, 250, "tag:h", "" },
    { 'L', "spam tag in header", 6.8, "a@on.test", NULL, 250, "tag:h", "" },
    { 'L', "spam tag above never", 11.9, "a@on.test", NULL, 250, "accept", "" },
    { 'L', "", 12, "a@on.test", NULL, 250, "quarantine", "" },
    { 'L', "", 19.9, "a@on.test a@quiet.test", NULL, 250, "quarantine,quarantine", "" },
    { 'L', "", 20, "a@on.test", NULL, 550, "reject", "" },
    { 'L', "", 30, "boss@on.test", NULL, 250, "accept", "" },
    { 'L', "", 30, "BOSS+x@ON.test", NULL, 250, "accept", "" },
    { 'L', "", 30, "boss2@on.test", NULL, 550, "reject", "" },
    { 'L', "", 30, "watch@on.test", NULL, 250, "accept/reject", "" },
    { 'L', "", 30, "a@on.test boss@on.test", NULL, 250, "quarantine,accept", "" },
    { 'L', "", 2, "strict@on.test a@on.test", NULL, 250, "tag:t,accept", "" },
    { 'L', "", 3, "a@strict.test", NULL, 250, "tag:t", "" },
    { 'L', "", 5, "a@strict.test a@on.test", NULL, 250, "quarantine,accept", "" },
    { 'L', "", 7, "a@strict.test", NULL, 550, "reject", "" },
    { 'L', "", 7, "a@strict.test a@on.test a@quiet.test", NULL, 250, "quarantine,tag:t,tag:h", "" },
    { 'L', "", 7, "a@strict.test b@strict.test", NULL, 550, "reject,reject", "" },
    { 'L', "", 100, "mild@strict.test", NULL, 250, "tag:t", "" },
    { 'L', LISTED "tag }", 0, "a@on.test boss@on.test watch@on.test", NULL, 250, "tag:t,accept,accept/tag",
      "" },
    { 'L', LISTED "quarantine }", 7, "a@on.test mild@strict.test", NULL, 250, "quarantine,quarantine", "" },
    { 'L', LISTED "quarantine }", 20, "a@on.test", NULL, 550, "reject", "" },
    { 'L', LISTED "reject }", 0, "a@on.test", NULL, 554, "reject", "" },
    { 'L', LISTED "reject }", 20, "a@on.test", NULL, 550, "reject", "" },
    { 'L', LISTED "reject }", 0, "a@on.test boss@on.test", NULL, 250, "quarantine,accept", "" },
    { 'N', LISTED "tag }", 0, "a@on.test", NULL, 250, "tag:t", "spam" },
    { 'N', LISTED "tag }", 0, "a@on.test", "*", 250, "accept", "newsletter" },
    { 'N', LISTED "reject }", 0, "a@on.test", "*", 554, "reject", "spam" },
    { 'L', "", 100, "mild@strict.test a@strict.test", NULL, 250, "tag:t,quarantine", "" },
    { 'L', "", 7, "on@off.test a@off.test", NULL, 250, "tag:t,accept", "" },

    { 'N', "", 0, "a@on.test", NULL, 250, "accept", "newsletter" },
    { 'N', "", 7.9, "a@on.test", NULL, 250, "accept", "newsletter" },
    { 'F', "", 7.9, "a@on.test", NULL, 250, "tag:t", "" },
    { 'N', "", 8, "a@on.test", NULL, 250, "tag:t", "spam" },
    { 'N', "", 12, "a@on.test", NULL, 250, "quarantine", "spam" },
    { 'N', "", 20, "a@on.test", NULL, 550, "reject", "spam" },
    { 'N', "newsletter tag above 0", 6.8, "a@on.test", NULL, 250, "tag:t", "spam" },
    { 'N', "newsletter tag above never", 11.9, "a@on.test", NULL, 250, "accept", "newsletter" },
    { 'N', "spam tag above 10", 9, "a@on.test", NULL, 250, "accept", "newsletter" },
    { 'N', "newsletter action tag", 0, "a@on.test", NULL, 250, "tag:n", "newsletter" },
    { 'N', "newsletter action tag", 8, "a@on.test", NULL, 250, "tag:t", "spam" },
    { 'N', "newsletter action quarantine", 0, "a@on.test", NULL, 250, "quarantine", "newsletter" },
    { 'N', "newsletter action reject", 0, "a@on.test", NULL, 550, "reject", "newsletter" },
    { 'F', "newsletter action reject", 0, "a@on.test", NULL, 250, "accept", "" },
    { 'N', "newsletter action reject", 0, "boss@on.test", NULL, 250, "accept", "newsletter" },
    { 'N', "newsletter action reject", 0, "watch@on.test", NULL, 250, "accept/reject", "newsletter" },
    { 'N', "", 8, "a@on.test b@on.test", "a@on.test", 250, "accept,tag:t", "spam" },
    { 'N', "", 8, "A@On.Test", "a@on.test", 250, "accept", "newsletter" },
    { 'N', "", 8, "a@on.test b@on.test", "*", 250, "accept,accept", "newsletter" },
    { 'N', "", 30, "a@on.test b@on.test", "a@on.test", 250, "accept,quarantine", "spam" },
    { 'N', "newsletter action tag", 0, "a@on.test b@on.test", "b@on.test", 250, "tag:n,accept",
      "newsletter" },
    { 'F', "", 8, "a@on.test", "*", 250, "tag:t", "" },
    { 'V', "", 0, "a@on.test", "*", 550, "reject", "virus" },
    { 'P', "", 0, "a@on.test", "*", 550, "reject", "phishing" },
    { 'P', "virus phishing accept", 7, "a@on.test", NULL, 250, "accept", "phishing" },
};

/* What read found of a magazine, with nothing but SPF to prove it. */
static struct text authentication_of(struct arena *arena, char letter)
{
    static struct text author = TEXT("shop.test");
    const struct auth_facts facts = {
        .from = { .domains = &author, .count = 1, .addresses = 1, .address = TEXT("news@shop.test") },
        .newsletter = { .list_id = letter == 'L' ? TEXT_NONE : TEXT("weekly.shop.test"),
                        .unsubscribe = letter == 'L' ? TEXT_NONE : TEXT("off.shop.test"),
                        .is_to_many = letter != 'L' }
    };
    struct buffer bytes = { 0 };
    auth_facts_put(&facts, &bytes);
    struct text text = arena_text(arena, buffer_text(&bytes));
    buffer_free(&bytes);
    return text;
}

static struct question spf_of(struct arena *arena, char letter)
{
    const struct spf_answer answer = { .sender = { .outcome = letter == 'F' ? SPF_SOFTFAIL : SPF_PASS,
                                                   .domain = TEXT("shop.test"),
                                                   .reason = "" },
                                       .helo = { .outcome = SPF_NONE, .reason = "" } };
    struct buffer bytes = { 0 };
    spf_answer_put(&answer, &bytes);
    struct question question = { QUESTION_SPF, TEXT("shop.test"), ANSWER_FOUND,
                                 arena_text(arena, buffer_text(&bytes)) };
    buffer_free(&bytes);
    return question;
}

static struct question listed_of(struct arena *arena)
{
    const struct list_answer answer = { .hit_count = 1, .hits = { { .list = TEXT("own"), .line = 1 } } };
    struct buffer bytes = { 0 };
    list_answer_put(&answer, &bytes);
    struct question question = { QUESTION_LIST, TEXT("client 192.0.2.1"), ANSWER_FOUND,
                                 arena_text(arena, buffer_text(&bytes)) };
    buffer_free(&bytes);
    return question;
}

static void lines_print(const struct verdict *verdict, char *out, size_t size)
{
    static const struct {
        enum edit_kind kind;
        char letter;
    } kinds[] = { { EDIT_TAG, 't' }, { EDIT_FLAG, 'h' }, { EDIT_NEWSLETTER, 'n' } };
    size_t used = 0;
    for (uint32_t i = 0; i < verdict->recipient_count; i++) {
        const struct recipient_verdict *one = &verdict->recipients[i];
        struct edit_set set = verdict->recipes[one->recipe].kinds;
        used += (size_t)snprintf(out + used, size - used, "%s%s", i ? "," : "",
                                 evidence_action_name(one->action));
        if (one->observed != ACTION_ACCEPT)
            used += (size_t)snprintf(out + used, size - used, "/%s", evidence_action_name(one->observed));
        for (size_t k = 0; k < 3 && one->action == ACTION_TAG; k++)
            if (edit_set_has(set, kinds[k].kind))
                used += (size_t)snprintf(out + used, size - used, ":%c", kinds[k].letter);
    }
}

static struct text class_of(const struct verdict *verdict)
{
    struct text rest = verdict->summary, word;
    while (text_next_word(&rest, &word))
        if (text_starts(word, TEXT("class="))) return text_slice(word, 6, word.length);
    return TEXT_NONE;
}

static bool line_row_check(const struct line_row *row, struct fingerprint_page *page)
{
    struct arena *arena = arena_new(0);
    char more[2000], actions[200] = "";
    snprintf(more, sizeof more, "%s%s", OWN, row->config);
    struct config *config = config_of(more);
    struct text recipients[8], rest = text_of(row->recipients);
    struct occasion occasion = { .recipients = recipients, .sender = TEXT("b@shop.test") };
    while (text_next_word(&rest, &recipients[occasion.recipient_count])) occasion.recipient_count++;
    struct signal signal = { TEXT("SIGNAL"), row->points, TEXT_NONE };
    struct virus_finding finding = { row->letter == 'P' ? VIRUS_CLASS_PHISHING : VIRUS_CLASS_VIRUS, TEXT_NONE,
                                     TEXT("Name"), TEXT_NONE };
    bool is_infected = row->letter == 'V' || row->letter == 'P';
    struct facts facts = { .virus = is_infected ? SCAN_FOUND : SCAN_CLEAN,
                           .virus_findings = &finding,
                           .virus_finding_count = is_infected,
                           .signals = &signal,
                           .signal_count = 1 },
                 merged;
    facts.authentication = authentication_of(arena, row->letter);
    const struct question answers[] = { spf_of(arena, row->letter), listed_of(arena) };
    struct auth_judgement authentication;
    struct verdict verdict;
    struct fingerprint approval =
        fingerprint_of_approval(TEXT("weekly.shop.test"), TEXT("shop.test"),
                                row->approved && *row->approved != '*' ? text_of(row->approved) : TEXT_NONE);
    fingerprint_page_write(page, &approval, row->approved != NULL);
    const struct decide_basis basis = { .config = config, .approved = page };
    const struct decide_case about = { &occasion, &facts, answers, 2 };
    decide_and_tell(arena, &basis, &about, &merged, &authentication, &verdict);
    lines_print(&verdict, actions, sizeof actions);
    bool is_right = strcmp(actions, row->actions) == 0 && verdict.code == row->code &&
                    text_equal(class_of(&verdict), text_of(row->class));
    if (!is_right)
        print_error("%c %s, %g points: %u %s %.*s; expected %u %s %s\n", row->letter, row->config,
                    row->points, verdict.code, actions, TEXT_ARG(verdict.summary), row->code, row->actions,
                    row->class);
    config_free(config);
    arena_free(arena);
    return is_right;
}

static void test_lines(void **state)
{
    (void)state;
    FILE *file = tmpfile();
    unsigned wrong = 0;
    assert_int_equal(ftruncate(fileno(file), FINGERPRINT_PAGE_BYTES), 0);
    struct fingerprint_page *page = fingerprint_page_map(fileno(file), true);
    for (size_t i = 0; i < sizeof line_rows / sizeof *line_rows; i++)
        wrong += !line_row_check(&line_rows[i], page);
    fingerprint_page_unmap(page);
    fclose(file);
    assert_int_equal(wrong, 0);
}

/* What is known of its like holds a message and refuses none, by each recipient's lines; what reaches the
   line of reject without it is refused. */
static void test_campaigns_hold(void **state)
{
    (void)state;
    static const struct {
        const char *config;
        double points;
        bool is_stopped;
        unsigned reporters, code;
        const char *actions;
    } cases[] = {
        { "spam { reject above 20 }", 12, true, 0, 250, "quarantine" },
        { "spam { reject above 20 }", 20, true, 0, 550, "reject" },
        { "spam { reject above 20 }", 19.9, true, 0, 250, "quarantine" },
        { "spam { reject above 20 }", 13, false, 3, 250, "quarantine" },
        { "spam { reject above 20 }", -5, true, 0, 250, "tag+tag" },
        { "spam { quarantine above never; reject above 10 }", 1, true, 0, 250, "quarantine" },
        { "spam { quarantine above never; reject above 10 }", 11, false, 3, 550, "reject" },
        { "spam { reject above never }", 90, true, 0, 250, "quarantine" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena *arena = arena_new(0);
        struct config *config = config_of(cases[i].config);
        struct text recipient = TEXT(ONE);
        struct occasion occasion = { .recipients = &recipient, .recipient_count = 1 };
        struct signal signal = { TEXT("SIGNAL"), cases[i].points, TEXT_NONE };
        const struct campaign_answer answer = {
            .id = 5, .count = 1, .reporters = cases[i].reporters, .is_stopped = cases[i].is_stopped
        };
        struct buffer campaign = { 0 };
        campaign_answer_put(&answer, &campaign);
        struct facts facts = { .virus = SCAN_CLEAN,
                               .engine = TEXT("clamav 1.4.6"),
                               .signals = &signal,
                               .signal_count = 1,
                               .campaign = buffer_text(&campaign) };
        struct verdict verdict;
        char actions[200] = "";
        decide_verdict(arena, config, &occasion, &facts, NULL, 0, &verdict);
        actions_print(&verdict, actions, sizeof actions);
        if (strcmp(actions, cases[i].actions) != 0 || verdict.code != cases[i].code)
            fail_msg("case %zu: %u %s, %g points", i, verdict.code, actions, verdict.score);
        buffer_free(&campaign);
        config_free(config);
        arena_free(arena);
    }
}

/* One rule that is not final moves no message over a line, and all of them together none to where it is held.
 */
static void test_rules_alone(void **state)
{
    (void)state;
    struct config *config = config_of("");
    assert_true(RULE_POINTS_MOST < config->spam.tag);
    assert_true(RULES_POINTS_MOST < config->spam.quarantine);
    config_free(config);
}

/* Precedence of allow and block entries: those of the configuration. */
static const struct entry_row {
    char letter; /* P: news@shop.test is proven by SPF; F: it is not; V: and has a virus; O: it is from inside
                  */
    const char *entries; /* of the configuration */
    double points;
    const char *recipients;
    unsigned code;
    const char *actions, *signals, *reason;
} entry_rows[] = {
    { 'P', "", 9, ONE, 250, "tag+tag", "", "the message looks like spam (9.0 points)" },
    { 'P', "allow senders shop.test", 9, ONE, 250, "accept", " ALLOWED_C1", "" },
    { 'P', "allow senders news@shop.test", 30, ONE, 250, "accept", " ALLOWED_C1", "" },
    { 'P', "allow senders test.test", 9, ONE, 250, "tag+tag", "",
      "the message looks like spam (9.0 points)" },
    { 'F', "allow senders shop.test", 9, ONE, 250, "tag+tag", " ALLOW_UNPROVEN_C1",
      "the message looks like spam (9.0 points)" },
    { 'F', "allow senders \"shop.test --unproven\"", 9, ONE, 250, "accept", " ALLOWED_C1", "" },
    { 'F', "allow senders 192.0.2.0/24", 30, ONE, 250, "accept", " ALLOWED_C1", "" },
    { 'F', "allow senders 198.51.100.0/24", 9, ONE, 250, "tag+tag", "",
      "the message looks like spam (9.0 points)" },
    { 'V', "allow senders 192.0.2.0/24", 0, ONE, 550, "reject", " ALLOWED_C1", "virus found: Name" },
    { 'V', "block senders \"shop.test --quarantine\"", 0, ONE, 550, "reject", " BLOCKED_C1",
      "virus found: Name" },
    { 'F', "block senders shop.test", 0, ONE, 550, "reject", " BLOCKED_C1",
      "mail from shop.test is blocked here (entry 1 of the configuration)" },
    { 'F', "block senders \"b@shop.test --envelope\"", 0, ONE, 550, "reject", " BLOCKED_C1",
      "mail from b@shop.test is blocked here (entry 1 of the configuration)" },
    { 'F', "block senders \"news@shop.test --envelope\"", 0, ONE, 250, "accept", " ENTRY_FROM_ALONE_C1", "" },
    { 'F', "block senders news@shop.test", 0, ONE, 550, "reject", " BLOCKED_C1",
      "mail from news@shop.test is blocked here (entry 1 of the configuration)" },
    { 'F', "block senders \"shop.test --tag\"", 0, ONE, 250, "tag+tag", " BLOCKED_C1",
      "mail from shop.test is blocked here (entry 1 of the configuration)" },
    { 'F', "block senders \"192.0.2.0/24 --quarantine\"", 0, ONE, 250, "quarantine", " BLOCKED_C1",
      "mail from 192.0.2.0/24 is blocked here (entry 1 of the configuration)" },
    { 'F', "block senders \"shop.test --to off.test\"", 0, "a@on.test a@off.test", 250, "accept,quarantine",
      " BLOCKED_C1", "mail from shop.test is blocked here (entry 1 of the configuration)" },
    /* Block before allow, of two that are as near. */
    { 'P', "allow senders news@shop.test\nblock senders shop.test", 0, ONE, 550, "reject",
      " ENTRY_OVERRULED_C1 BLOCKED_C2",
      "mail from shop.test is blocked here (entry 2 of the configuration)" },
    /* His own before his domain's, that before everybody's. */
    { 'P', "allow senders \"shop.test --to A@on.test\"\nblock senders shop.test \"shop.test --to on.test\"",
      9, ONE, 250, "accept", " ALLOWED_C1 ENTRY_OVERRULED_C2 ENTRY_OVERRULED_C3", "" },
    { 'P', "allow senders \"shop.test --to on.test\"\nblock senders shop.test", 9, "a@on.test b@off.test",
      250, "accept,quarantine", " ALLOWED_C1 BLOCKED_C2",
      "mail from shop.test is blocked here (entry 2 of the configuration)" },
    /* Without proof the next one decides. */
    { 'F', "allow senders \"shop.test --to a@on.test\"\nblock senders shop.test", 0, ONE, 550, "reject",
      " ALLOW_UNPROVEN_C1 BLOCKED_C2", "mail from shop.test is blocked here (entry 2 of the configuration)" },
    /* An address before a domain before a network; of networks the smaller one. */
    { 'F', "block senders 192.0.2.0/24 \"192.0.2.1 --quarantine\"", 0, ONE, 250, "quarantine",
      " BLOCKED_C2 ENTRY_OVERRULED_C1",
      "mail from 192.0.2.1/32 is blocked here (entry 2 of the configuration)" },
    { 'F', "block senders shop.test \"news@shop.test --tag\" 192.0.2.0/24", 0, ONE, 250, "tag+tag",
      " BLOCKED_C2 ENTRY_OVERRULED_C1 ENTRY_OVERRULED_C3",
      "mail from news@shop.test is blocked here (entry 2 of the configuration)" },
    /* Patterns: all of them must match, and the sender too; of as near ones more patterns go before fewer. */
    { 'F', "block senders \"* --subject '*your invoice*'\"", 0, ONE, 550, "reject", " BLOCKED_C1",
      "the message is blocked here (entry 1 of the configuration)" },
    { 'F', "block senders \"* --subject 'Your invoice'\"", 0, ONE, 250, "accept", "", "" },
    { 'F', "block senders \"* --link evil.test\" \"* --attachment *.exe --tag\"", 0, ONE, 550, "reject",
      " BLOCKED_C1 ENTRY_OVERRULED_C2", "the message is blocked here (entry 1 of the configuration)" },
    { 'F', "block senders \"* --link evil.test/login* --attachment *.exe --tag\" \"* --link evil.test\"", 0,
      ONE, 250, "tag+tag", " BLOCKED_C1 ENTRY_OVERRULED_C2",
      "the message is blocked here (entry 1 of the configuration)" },
    { 'F', "block senders \"* --link evil.test --attachment *.zip\"", 0, ONE, 250, "accept", "", "" },
    { 'F', "block senders \"shop.test --subject *invoice*\"", 0, ONE, 550, "reject", " BLOCKED_C1",
      "mail from shop.test is blocked here (entry 1 of the configuration)" },
    { 'F', "block senders \"shop.test --subject *lottery*\"", 0, ONE, 250, "accept", " ENTRY_UNMATCHED_C1",
      "" },
    { 'F', "block senders \"shop.test --tag\" \"shop.test --subject *invoice* --quarantine\"", 0, ONE, 250,
      "quarantine", " BLOCKED_C2 ENTRY_OVERRULED_C1",
      "mail from shop.test is blocked here (entry 2 of the configuration)" },
    { 'F', "block senders \"* --subject *invoice* --tag\" \"192.0.2.0/24 --quarantine\"", 0, ONE, 250,
      "quarantine", " BLOCKED_C2 ENTRY_OVERRULED_C1",
      "mail from 192.0.2.0/24 is blocked here (entry 2 of the configuration)" },
    { 'P', "allow senders \"shop.test --subject *invoice*\"", 9, ONE, 250, "accept", " ALLOWED_C1", "" },
    { 'F', "allow senders \"shop.test --subject *invoice*\"", 9, ONE, 250, "tag+tag", " ALLOW_UNPROVEN_C1",
      "the message looks like spam (9.0 points)" },
    { 'F', "allow senders \"192.0.2.1 --attachment application/x-msdownload\"", 9, ONE, 250, "accept",
      " ALLOWED_C1", "" },
    { 'F', "allow senders \"* --subject *invoice* --unproven\"", 9, ONE, 250, "accept", " ALLOWED_C1", "" },
    /* What a user allowed for himself goes behind all that administrators say; what he blocked does not. */
    { 'P', "allow senders \"shop.test --to a@on.test --users\"\nblock senders \"shop.test --quarantine\"", 9,
      ONE, 250, "quarantine+tag", " ENTRY_OVERRULED_C1 BLOCKED_C2",
      "mail from shop.test is blocked here (entry 2 of the configuration)" },
    { 'P', "allow senders \"shop.test --to a@on.test --users\"", 9, "a@on.test b@on.test", 250,
      "accept,tag+tag", " ALLOWED_C1", "the message looks like spam (9.0 points)" },
    { 'P', "allow senders shop.test\nblock senders \"shop.test --to a@on.test --users\"", 9, ONE, 550,
      "reject+tag", " ENTRY_OVERRULED_C1 BLOCKED_C2",
      "mail from shop.test is blocked here (entry 2 of the configuration)" },
    /* Why another one did not apply. */
    { 'F', "block senders \"shop.test --to c@on.test\"", 0, ONE, 250, "accept", " ENTRY_ELSEWHERE_C1", "" },
    { 'O', "block senders shop.test\nallow senders 192.0.2.0/24", 0, ONE, 250, "accept",
      " ENTRY_OUTBOUND_C1 ENTRY_OUTBOUND_C2", "" },
    /* Whatever the modes. */
    { 'F', "spam { mode off }\nblock senders shop.test", 0, ONE, 550, "reject", " BLOCKED_C1",
      "mail from shop.test is blocked here (entry 1 of the configuration)" },
};

/* In any order. */
static bool has_signals(const struct verdict *verdict, struct text wanted)
{
    size_t count = 0, told = 0;
    struct text word;
    for (uint32_t i = 0; i < verdict->signal_count; i++) {
        struct text name = verdict->signals[i].name;
        told += text_starts(name, TEXT("ALLOW")) || text_starts(name, TEXT("BLOCKED")) ||
                text_starts(name, TEXT("ENTRY"));
    }
    while (text_next_word(&wanted, &word)) {
        bool is_there = false;
        for (uint32_t i = 0; i < verdict->signal_count; i++)
            is_there = is_there || text_equal(verdict->signals[i].name, word);
        if (!is_there) return false;
        count++;
    }
    return count == told;
}

/* What the patterns of the configuration find in one mail. */
static struct text hits_of(struct arena *arena, const struct config *config)
{
    static const struct text mail =
        TEXT("Subject: =?UTF-8?Q?=EF=BC=B9our?= INVOICE of May\r\nMIME-Version: 1.0\r\n"
             "Content-Type: application/x-msdownload; name=\"bill.EXE\"\r\n\r\nx\r\n");
    const struct entry_texts texts = { TEXT("evil.test\n"), TEXT("http://evil.test/login?a\n"), TEXT_NONE };
    const struct mime *mime = mime_parse(arena, mail, &mime_limits_default, MIME_FIRST);
    struct entry_patterns *patterns = entry_patterns_new();
    entry_patterns_load(patterns, TEXT_NONE, config->entry_image);
    struct text hits = entry_patterns_find(patterns, arena, mime, &texts);
    entry_patterns_free(patterns);
    return hits;
}

static void entry_row_check(const struct entry_row *row)
{
    struct arena *arena = arena_new(0);
    struct config *config = config_of(row->entries);
    struct text recipients[8], rest = text_of(row->recipients);
    struct occasion occasion = { .recipients = recipients, .sender = TEXT("B@Shop.test") };
    address_parse(TEXT("192.0.2.1"), &occasion.client);
    while (text_next_word(&rest, &recipients[occasion.recipient_count])) occasion.recipient_count++;
    struct signal signal = { TEXT("SIGNAL"), row->points, TEXT_NONE };
    struct virus_finding finding = { VIRUS_CLASS_VIRUS, TEXT_NONE, TEXT("Name"), TEXT_NONE };
    bool is_infected = row->letter == 'V';
    struct facts facts = { .virus = is_infected ? SCAN_FOUND : SCAN_CLEAN,
                           .virus_findings = &finding,
                           .virus_finding_count = is_infected,
                           .signals = &signal,
                           .signal_count = row->points != 0,
                           .authentication = authentication_of(arena, 'L') };
    struct question answer = spf_of(arena, row->letter == 'P' ? 'P' : 'F');
    struct verdict verdict;
    char actions[200] = "";
    if (row->letter == 'O') occasion.direction = DIRECTION_OUT;
    facts.entry_hits = hits_of(arena, config);
    decide_verdict(arena, config, &occasion, &facts, &answer, 1, &verdict);
    actions_print(&verdict, actions, sizeof actions);
    bool is_right = strcmp(actions, row->actions) == 0 && verdict.code == row->code &&
                    text_equal(verdict.reason, text_of(row->reason)) &&
                    has_signals(&verdict, text_of(row->signals));
    if (!is_right)
        fail_msg("%c %s: %u %s \"%.*s\" %.*s", row->letter, row->entries, verdict.code, actions,
                 TEXT_ARG(verdict.reason), TEXT_ARG(verdict.summary));
    config_free(config);
    arena_free(arena);
}

static void test_entry_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof entry_rows / sizeof *entry_rows; i++) entry_row_check(&entry_rows[i]);
}

/* Whose proof is one for an entry: a domain below that of an address has to be its owner's. */
static const struct proof_row {
    const char *entry, *from, *proven;
    bool is_allowed;
} proof_rows[] = {
    { "news@shop.test", "news@shop.test", "shop.test", true },
    { "news@shop.test", "news@shop.test", "mail.shop.test", true },
    { "news@shop.test", "news@shop.test", "eshop.test", false },
    { "news@shop.test", "news@shop.test", "shop.test.evil.test", false },
    { "support@github.io", "support@github.io", "github.io", true },
    { "support@github.io", "support@github.io", "evil.github.io", false },
    { "office@u.ac.jp", "office@u.ac.jp", "mail.u.ac.jp", true },
    { "github.io", "x@evil.github.io", "evil.github.io", true },
};

static void proof_row_check(const struct proof_row *row)
{
    struct arena *arena = arena_new(0);
    struct config *config = config_of(arena_printf(arena, "allow senders %s", row->entry).at);
    struct text recipient = TEXT("a@on.test");
    const struct occasion occasion = { .recipients = &recipient,
                                       .recipient_count = 1,
                                       .sender = arena_printf(arena, "x@%s", row->proven) };
    struct auth_judgement judgement = { .is_made = true };
    struct facts facts = { 0 };
    struct score score = { .arena = arena };
    struct entry_ruling ruling;
    from_domains_add(arena, text_of(row->from), &judgement.facts.from);
    judgement.result.spf.sender.outcome = SPF_PASS;
    judgement.result.spf.sender.domain = text_of(row->proven);
    const struct entry_request request = {
        .config = config, .occasion = &occasion, .facts = &facts, .authentication = &judgement
    };
    if (entry_match(&request, &score, &ruling) != row->is_allowed)
        fail_msg("%s, proven by %s", row->entry, row->proven);
    config_free(config);
    arena_free(arena);
}

static void test_whose_proof(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof proof_rows / sizeof *proof_rows; i++) proof_row_check(&proof_rows[i]);
}

/* How much came within an hour: it holds, and nothing more; what is worse is done all the same. */
static const struct rate_row {
    const char *name, *config;
    enum direction direction;
    struct rate_answer answer;
    enum scan_state virus;
    double points;
    unsigned code;
    const char *actions, *reason;
} rate_rows[] = {
    { "held",
      "",
      DIRECTION_OUT,
      { .cause = RATE_RECIPIENTS, .count = 2001, .until_ms = 9 },
      SCAN_CLEAN,
      0,
      250,
      "quarantine,quarantine",
      "the mail of this sender is held: 2001 recipients in an hour" },
    { "held, whatever the modes",
      "spam { mode off }\nvirus { mode off }",
      DIRECTION_OUT,
      { .cause = RATE_SPAM, .count = 10, .until_ms = 9 },
      SCAN_NOT_ASKED,
      0,
      250,
      "quarantine,quarantine",
      "the mail of this sender is held: 10 messages like spam in an hour" },
    { "observed",
      "inside { mode observe }",
      DIRECTION_OUT,
      { .cause = RATE_RECIPIENTS, .count = 2001 },
      SCAN_CLEAN,
      0,
      250,
      "accept/quarantine,accept/quarantine",
      "" },
    { "a virus of one who is held",
      "",
      DIRECTION_OUT,
      { .cause = RATE_RECIPIENTS, .count = 2001, .until_ms = 9 },
      SCAN_FOUND,
      0,
      550,
      "reject,reject",
      "virus found: Name" },
    { "spam of one who is held",
      "",
      DIRECTION_OUT,
      { .cause = RATE_RECIPIENTS, .count = 2001, .until_ms = 9 },
      SCAN_CLEAN,
      30,
      550,
      "reject,reject",
      "the message looks like spam (30.0 points)" },
    { "a flood to one of two",
      "",
      DIRECTION_IN,
      { .cause = RATE_SIGNUPS, .count = 15, .recipients = 2 },
      SCAN_CLEAN,
      0,
      250,
      "accept,quarantine",
      "held in a flood of sign-ups: sign-up mail of 15 domains in an hour" },
    { "a flood, observed",
      "signups { mode observe }",
      DIRECTION_IN,
      { .cause = RATE_SIGNUPS, .count = 15, .recipients = 1 },
      SCAN_CLEAN,
      0,
      250,
      "accept/quarantine,accept",
      "" },
};

static void rate_row_check(const struct rate_row *row)
{
    struct arena *arena = arena_new(0);
    struct config *config = config_of(row->config);
    struct text recipients[] = { TEXT("a@on.test"), TEXT("b@on.test") };
    const struct occasion occasion = { .direction = row->direction,
                                       .recipients = recipients,
                                       .recipient_count = 2 };
    struct signal signal = { TEXT("SIGNAL"), row->points, TEXT_NONE };
    struct virus_finding finding = { VIRUS_CLASS_VIRUS, TEXT_NONE, TEXT("Name"), TEXT_NONE };
    const struct facts facts = { .virus = row->virus,
                                 .virus_findings = &finding,
                                 .virus_finding_count = row->virus == SCAN_FOUND,
                                 .signals = &signal,
                                 .signal_count = row->points != 0 };
    struct buffer bytes = { 0 };
    rate_answer_put(&row->answer, &bytes);
    const struct question answer = { QUESTION_RATE, TEXT_NONE, ANSWER_FOUND, buffer_text(&bytes) };
    struct verdict verdict;
    char actions[200] = "";
    decide_verdict(arena, config, &occasion, &facts, &answer, 1, &verdict);
    actions_print(&verdict, actions, sizeof actions);
    if (strcmp(actions, row->actions) != 0 || verdict.code != row->code ||
        !text_equal(verdict.reason, text_of(row->reason)))
        fail_msg("%s: %u %s \"%.*s\"", row->name, verdict.code, actions, TEXT_ARG(verdict.reason));
    buffer_free(&bytes);
    config_free(config);
    arena_free(arena);
}

static void test_rate_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rate_rows / sizeof *rate_rows; i++) rate_row_check(&rate_rows[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),           cmocka_unit_test(test_causes),
        cmocka_unit_test(test_entry_rows),     cmocka_unit_test(test_whose_proof),
        cmocka_unit_test(test_campaigns_hold), cmocka_unit_test(test_findings),
        cmocka_unit_test(test_kinds),          cmocka_unit_test(test_header),
        cmocka_unit_test(test_lines),          cmocka_unit_test(test_rules_alone),
        cmocka_unit_test(test_rate_rows)
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
