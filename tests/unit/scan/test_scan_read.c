/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Small mails to facts, with an engine that knows one word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "config/closed_kinds.h"
#include "config_text.h"
#include "ipc/ask_queue.h"
#include "mail/true_type.h"
#include "scan/content.h"
#include "scan/read.h"
#include "spam/score.h"

/* --- an engine --- */

struct fake {
    struct engine engine;
    unsigned parts, messages; /* how often it was asked */
    enum scan_state otherwise;
    unsigned takes_ms;
};

static void look(struct fake *fake, struct text bytes, struct engine_result *out)
{
    usleep(fake->takes_ms * 1000);
    bool has = memmem(bytes.at, bytes.length, "EVILWORD", 8) != NULL;
    engine_result_set(out, has ? SCAN_FOUND : fake->otherwise, has ? TEXT("Evil\x01") : TEXT("why"));
}

static void fake_scan(struct engine *engine, struct text bytes, struct engine_result *out)
{
    ((struct fake *)engine)->parts++;
    look((struct fake *)engine, bytes, out);
}

static void fake_scan_message(struct engine *engine, struct text bytes, struct engine_result *out)
{
    ((struct fake *)engine)->messages++;
    look((struct fake *)engine, bytes, out);
}

static const struct engine_calls fake_calls = { fake_scan, fake_scan_message, NULL };

struct scene {
    struct fake fake;
    struct scanner scanner;
    struct arena *arena;
    struct config *config;
};

static void scene_open(struct scene *scene, const char *more)
{
    char all[2000];
    snprintf(all, sizeof all,
             "hostname mx.test\nadmin a@mx.test\nlisten 127.0.0.1:2525\n"
             "domains {\n on.test 127.0.0.1\n off.test 127.0.0.1 { virus off }\n}\n%s\n",
             more);
    *scene = (struct scene){ .fake = { .engine = { .calls = &fake_calls, .version = "fake 1" },
                                       .otherwise = SCAN_CLEAN } };
    scene->config = config_of_text(text_of(all), false);
    scene->arena = arena_new(0);
    scene->scanner =
        (struct scanner){ scene->config, &scene->fake.engine, verdict_cache_new(64), TEXT_NONE, NULL };
}

static void scene_close(struct scene *scene)
{
    verdict_cache_free(scene->scanner.cache);
    config_free(scene->config);
    arena_free(scene->arena);
}

static struct facts read_one(struct scene *scene, const char *mail, const char *recipient, bool is_out)
{
    struct text address = text_of(recipient);
    struct occasion occasion = { .direction = is_out ? DIRECTION_OUT : DIRECTION_IN,
                                 .recipients = &address,
                                 .recipient_count = 1 };
    struct facts facts;
    read_facts(scene->arena, &scene->scanner, &occasion, text_of(mail), NULL, &facts);
    return facts;
}

/* --- rows --- */

#define HEADER "From: a@b.test\r\nDate: Tue, 1 Jan 2030 00:00:00 +0000\r\nMessage-ID: <x@b.test>\r\n"
#define GTUBE                      \
    "XJS*C4JDBQADN1.NSBN3*2IDNEN*" \
    "GTUBE-STANDARD-ANTI-"         \
    "UBE-TEST-EMAIL*C.34X"

static const struct row {
    const char *name, *mail;
    enum scan_state virus;
    bool ambiguous;
    const char *signals; /* names, blanks between */
} rows[] = {
    { "plain", HEADER "Subject: hello\r\n\r\nhi\r\n", SCAN_CLEAN, false, "" },
    { "a blank Subject adds nothing", HEADER "Subject:\r\n\r\nhi\r\n", SCAN_CLEAN, false, "" },
    { "no Subject adds nothing", HEADER "\r\nhi\r\n", SCAN_CLEAN, false, "" },
    { "empty message", "", SCAN_CLEAN, false, "MISSING_FROM MISSING_DATE MISSING_MESSAGE_ID" },
    { "no Date", "From: a@b.test\r\nMessage-ID: <x@b.test>\r\n\r\nhi\r\n", SCAN_CLEAN, false,
      "MISSING_DATE" },
    { "virus in the open", HEADER "\r\nEVILWORD\r\n", SCAN_FOUND, false, "" },
    { "virus in base64",
      HEADER "MIME-Version: 1.0\r\nContent-Type: application/x\r\nContent-Transfer-Encoding: base64\r\n\r\n"
             "RVZJTFdPUkQ=\r\n",
      SCAN_FOUND, false, "" },
    { "virus under the second Content-Transfer-Encoding",
      HEADER "MIME-Version: 1.0\r\nContent-Type: application/x\r\nContent-Transfer-Encoding: 7bit\r\n"
             "Content-Transfer-Encoding: base64\r\n\r\nRVZJTFdPUkQ=\r\n",
      SCAN_FOUND, true, "MIME_DUPLICATE_TRANSFER_ENCODING" },
    { "GTUBE", HEADER "\r\n" GTUBE "\r\n", SCAN_CLEAN, false, "GTUBE" },
    { "GTUBE in quoted-printable",
      HEADER "MIME-Version: 1.0\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
             "XJS=2AC4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI=\r\n-UBE-TEST-EMAIL*C.34X\r\n",
      SCAN_CLEAN, false, "GTUBE" },
    { "GTUBE behind a boundary that is never met",
      HEADER "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n" GTUBE "\r\n",
      SCAN_CLEAN, false, "GTUBE" },
    { "GTUBE in quoted-printable that is misspelt",
      HEADER "MIME-Version: 1.0\r\nContent-Transfer-Encoding: quoted_printable\r\n\r\n"
             "XJS=2AC4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI=\r\n-UBE-TEST-EMAIL*C.34X\r\n",
      SCAN_CLEAN, false, "GTUBE MIME_UNKNOWN_TRANSFER_ENCODING" },
    { "virus behind a boundary that is never met",
      HEADER "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\nEVILWORD\r\n", SCAN_FOUND,
      false, "" },
    { "GTUBE's beginning only", HEADER "\r\nXJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE\r\n", SCAN_CLEAN, false, "" },
    { "the same type twice",
      HEADER "MIME-Version: 1.0\r\nContent-Type: text/plain\r\nContent-Type: text/plain\r\n\r\nhi\r\n",
      SCAN_CLEAN, false, "DUPLICATE_FIELD" },
    { "doubled type, more inside",
      HEADER "MIME-Version: 1.0\r\nContent-Type: application/zip\r\nContent-Type: text/plain\r\n\r\nPK\r\n",
      SCAN_CLEAN, true, "MIME_DUPLICATE_CONTENT_TYPE" },
};

static void row_check(const struct row *row)
{
    struct scene scene;
    char names[400] = "";
    scene_open(&scene, "");
    struct facts facts = read_one(&scene, row->mail, "a@on.test", false);
    for (uint32_t i = 0; i < facts.signal_count; i++)
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%.*s", i ? " " : "",
                 TEXT_ARG(facts.signals[i].name));
    if (facts.virus != row->virus || facts.ambiguous != row->ambiguous || strcmp(names, row->signals) != 0)
        fail_msg("%s: virus %d ambiguous %d signals \"%s\"", row->name, (int)facts.virus, facts.ambiguous,
                 names);
    scene_close(&scene);
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) row_check(&rows[i]);
}

/* --- engine and memory --- */

static void test_virus(void **state)
{
    (void)state;
    struct scene scene;
    static const char clean[] = HEADER "\r\nhi\r\n";
    scene_open(&scene, "");
    struct facts facts = read_one(&scene, clean, "a@off.test", false);
    assert_int_equal(facts.virus, SCAN_NOT_ASKED);
    assert_int_equal(scene.fake.parts + scene.fake.messages, 0);
    facts = read_one(&scene, clean, "a@on.test", false);
    assert_int_equal(facts.virus, SCAN_CLEAN);
    assert_true(text_equal(facts.engine, TEXT("fake 1")));
    assert_int_equal(scene.fake.parts, 1);
    assert_int_equal(scene.fake.messages, 1);
    facts = read_one(&scene, clean, "a@on.test", false); /* remembered as clean, whole */
    assert_int_equal(facts.virus, SCAN_CLEAN);
    assert_int_equal(scene.fake.parts + scene.fake.messages, 2);
    facts =
        read_one(&scene, HEADER "Subject: 1\r\n\r\nhi\r\n", "a@on.test", false); /* the part alone is not */
    assert_int_equal(scene.fake.parts, 2);
    facts = read_one(&scene, HEADER "\r\nEVILWORD\r\n", "a@on.test", false);
    assert_int_equal(facts.virus, SCAN_FOUND);
    assert_true(text_equal(facts.virus_name, TEXT("Evil?")));
    assert_int_equal(scene.fake.parts, 3);
    facts = read_one(&scene, HEADER "Subject: 2\r\n\r\nEVILWORD\r\n", "a@on.test", false);
    assert_int_equal(facts.virus, SCAN_FOUND); /* remembered by its part */
    assert_int_equal(scene.fake.parts, 3);
    scene.fake.otherwise = SCAN_UNSCANNED;
    facts = read_one(&scene, HEADER "Subject: 3\r\n\r\nhi\r\n", "a@on.test", false);
    assert_int_equal(facts.virus, SCAN_UNSCANNED);
    scene.fake.otherwise = SCAN_CLEAN; /* what could not be scanned is not remembered as clean */
    facts = read_one(&scene, HEADER "Subject: 3\r\n\r\nEVILWORD\r\n", "a@on.test", false);
    assert_int_equal(facts.virus, SCAN_FOUND);
    scene.scanner.engine = NULL;
    scene.scanner.missing = TEXT("no signatures");
    facts = read_one(&scene, clean, "a@on.test", false);
    assert_int_equal(facts.virus, SCAN_UNSCANNED);
    assert_true(text_equal(facts.virus_name, TEXT("no signatures")));
    scene_close(&scene);
}

/* An engine that has used up its time is asked no more, and what was not seen is not clean. */
static void test_time(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, "");
    scene.fake.engine.time_ms = 10;
    scene.fake.takes_ms = 20;
    struct facts facts = read_one(&scene, HEADER "\r\nhi\r\n", "a@on.test", false);
    assert_int_equal(facts.virus, SCAN_LIMITS);
    assert_true(text_equal(facts.virus_name, TEXT("out of time")));
    assert_int_equal(scene.fake.messages, 1);
    assert_int_equal(scene.fake.parts, 0);
    facts = read_one(&scene, HEADER "\r\nEVILWORD\r\n", "a@on.test", false);
    assert_int_equal(facts.virus, SCAN_FOUND);
    scene_close(&scene);
}

static void test_limits(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, "limits { mime parts 2 }");
    struct facts facts =
        read_one(&scene,
                 HEADER "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
                        "--x\r\n\r\na\r\n--x\r\n\r\nb\r\n--x\r\n\r\nc\r\n--x--\r\n",
                 "a@on.test", false);
    assert_int_equal(facts.virus, SCAN_LIMITS);
    scene_close(&scene);
}

/* --- edits --- */

/* What a message gives occasion for; outbound mail is never tagged. */
static void test_edits(void **state)
{
    (void)state;
    struct scene scene;
    static const char mail[] = "X-Spam-Flag: NO\r\nSubject: hello\r\nX-SEKIMORI-Id: 0\r\n 1\r\n\r\nhi\r\n";
    scene_open(&scene, "");
    struct facts facts = read_one(&scene, mail, "a@on.test", false);
    assert_int_equal(facts.edit_count, 3);
    assert_int_equal(facts.edits[0].kind, EDIT_FORGED);
    assert_int_equal(facts.edits[1].kind, EDIT_FORGED);
    assert_int_equal(facts.edits[2].kind, EDIT_TAG);
    facts = read_one(&scene, mail, "a@on.test", true);
    assert_int_equal(facts.edit_count, 2);
    scene_close(&scene);
}

static void test_many_forged(void **state)
{
    (void)state;
    struct scene scene;
    struct buffer mail = { 0 };
    scene_open(&scene, "");
    for (int i = 0; i < 5000; i++) buffer_add_text(&mail, TEXT("X-Spam-Flag: NO\r\nA: b\r\n"));
    buffer_add_text(&mail, TEXT("\r\nhi\r\n"));
    char *whole = memory_string(buffer_text(&mail));
    struct facts facts = read_one(&scene, whole, "a@on.test", false);
    assert_int_equal(facts.edit_count, 1); /* the tag is there */
    assert_int_equal(facts.edits[0].kind, EDIT_TAG);
    assert_true(text_equal(facts.signals[facts.signal_count - 1].name, TEXT("FORGED_FIELDS")));
    free(whole);
    buffer_free(&mail);
    scene_close(&scene);
}

/* --- content --- */

enum { HAS_BARE = CONTENT_IS_LINES }; /* in the rows that bit is turned round: most are lines */

static void test_content(void **state)
{
    (void)state;
    static char long_line[1200];
    memset(long_line, 'a', 999);
    memcpy(long_line + 999, "\r\n", 3);
    static const struct {
        const char *message;
        size_t body;
        unsigned flags;
    } content_rows[] = {
        { "", 0, 0 },
        { "A: b\r\n\r\nhi\r\n", 8, 0 },
        { "A: b\r\n\r\nh\ri\r\n", 8, HAS_BARE },
        { "A: b\r\n\r\nh\r\r\n", 8, HAS_BARE },
        { "A: b\n\r\nhi\r\n", 7, HAS_BARE },
        { "\nA: b\r\n", 1, HAS_BARE },
        { "A: \xC3\xA9\r\n\r\nhi\r\n", 9, CONTENT_HEADER_8BIT },
        { "A: b\r\n\r\n\xC3\xA9 and so on\r\n", 8, CONTENT_BODY_8BIT },
        { "A: b\r\n\r\n.\r\n", 8, CONTENT_LEADING_DOT },
        { ".A: b\r\n\r\n", 9, CONTENT_LEADING_DOT },
        { "A: b\r\n\r\nhi", 8, CONTENT_NO_END_OF_LINE },
        { "A: b\r\n\r\nhi\n", 8, CONTENT_NO_END_OF_LINE | HAS_BARE },
        { "A: b\r\n\r\nhi\r", 8, CONTENT_NO_END_OF_LINE | HAS_BARE },
        { long_line, 0, CONTENT_LONG_LINE },
        { long_line + 1, 0, 0 },
    };
    for (size_t i = 0; i < sizeof content_rows / sizeof *content_rows; i++) {
        unsigned flags = content_flags(text_of(content_rows[i].message), content_rows[i].body);
        if ((flags ^ CONTENT_IS_LINES) != content_rows[i].flags) fail_msg("row %zu: %u", i, flags);
    }
    assert_int_equal(content_flags(text_from("a\0b\r\n", 5), 0), 0);
}

/* The words of the configuration are the names that findings have. */
static void test_kinds(void **state)
{
    (void)state;
    for (enum true_type type = TYPE_NONE; type < TYPE_COUNT; type++) {
        enum type_opener opener = true_type_opener(type);
        bool may_stay_closed = opener == OPENED_BY_READER || opener == OPENED_BY_NOBODY;
        const char *name = true_type_name(type);
        if (may_stay_closed) assert_string_equal(closed_kinds_name(closed_kinds_number(text_of(name))), name);
    }
    for (const struct schema_choice *kind = closed_kinds; kind->word; kind++) {
        enum true_type type = TYPE_NONE;
        while (type < TYPE_COUNT && strcmp(true_type_name(type), kind->word) != 0) type++;
        if ((type == TYPE_COUNT) != (closed_kinds_of_group((unsigned)kind->value) != 0))
            fail_msg("%s", kind->word);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows),    cmocka_unit_test(test_virus),
                                        cmocka_unit_test(test_limits),  cmocka_unit_test(test_time),
                                        cmocka_unit_test(test_edits),   cmocka_unit_test(test_many_forged),
                                        cmocka_unit_test(test_content), cmocka_unit_test(test_kinds) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
