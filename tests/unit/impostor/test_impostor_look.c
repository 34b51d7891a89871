/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Whole headers: each attack is found, and what is near to one is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "config_text.h"
#include "impostor/impostor_look.h"
#include "impostor/person_name.h"

static const char settings[] =
    "hostname mx1.example.ac.jp\nhelp { page \"https://help.example.ac.jp/mail\" }\n"
    "domains { example.ac.jp 127.0.0.1; .example.ac.jp 127.0.0.1 }\npartners partner-bank.co.jp\n";
static const char people[] =
    "Sato Taro <sato@example.ac.jp> <sato@private.test>\n佐藤 太郎 <sato@example.ac.jp>\n";

#define BIT(kind) (1u << IMPOSTOR_##kind)
#define REPORT                                                                                      \
    "From: MAILER-DAEMON@other.test\nContent-Type: multipart/report; report-type=delivery-status; " \
    "boundary=b\n"                                                                                  \
    "\n--b\n\nfailed\n--b\nContent-Type: message/rfc822\n\n"

static const struct row {
    const char *name, *mail, *sender, *hosts, *shown;
    unsigned kinds;
} rows[] = {
    { "nothing", "From: Other Body <x@other.test>\nSubject: hello\n\nhi\n", "x@other.test", "other.test\n",
      "", 0 },
    { "a name of ours", "From: \"Sato Taro\" <dean2026@gmail.com>\n\n", "dean2026@gmail.com", "", "",
      BIT(PERSON) },
    { "in an encoded word", "From: =?UTF-8?B?5L2Q6Jek5aSq6YOO?= <x@gmail.com>\n\n", "", "", "", BIT(PERSON) },
    { "behind its address", "From: x@gmail.com (Taro Sato)\n\n", "", "", "", BIT(PERSON) },
    { "as the second author", "From: A B <a@b.test>, Sato Taro <x@gmail.com>\n\n", "", "", "", BIT(PERSON) },
    { "in a second field", "From: A B <a@b.test>\nFrom: Sato Taro <x@gmail.com>\n\n", "", "", "",
      BIT(PERSON) },
    { "his own second address", "From: Sato Taro <SATO@private.test>\n\n", "", "", "", 0 },
    { "by way of a list", "From: Sato Taro via Tech <tech@lists.test>\n\n", "", "", "", 0 },
    { "a domain of ours", "From: Sato Taro <sato@example.ac.jp>\n\n", "", "", "", BIT(OWN_DOMAIN) },
    { "one below", "From: x@cs.example.ac.jp\n\n", "", "", "", BIT(OWN_DOMAIN) },
    { "a shown address", "From: \"sato@example.ac.jp\" <x@evil.test>\n\n", "", "", "", BIT(SHOWN_ADDRESS) },
    { "shown in a word", "From: =?UTF-8?Q?Dean_=3Cdean=40example=2Eac=2Ejp=3E?= <x@evil.test>\n\n", "", "",
      "", BIT(SHOWN_ADDRESS) },
    { "shown by a list", "From: \"sato@example.ac.jp via Tech\" <tech@lists.test>\n\n", "", "", "", 0 },
    { "its own address shown", "From: \"x@other.test\" <x@other.test>\n\n", "", "", "", 0 },
    { "a domain alike", "From: Dean <dean@exarnple.ac.jp>\n\n", "", "", "", BIT(FROM_ALIKE) },
    { "a shown one alike", "From: \"dean@exarnple.ac.jp\" <dean@evil.test>\n\n", "", "", "",
      BIT(FROM_ALIKE) },
    { "a partner alike", "From: x@partner-bamk.co.jp\n\n", "x@partner-bamk.co.jp", "", "", BIT(FROM_ALIKE) },
    { "a sender alike", "From: x@other.test\n\n", "x@partner-bamk.co.jp", "", "", BIT(SENDER_ALIKE) },
    { "ours in front", "From: x@example.ac.jp.login.test\n\n", "", "", "", BIT(FROM_ALIKE) },
    { "a partner", "From: x@mail.partner-bank.co.jp\n\n", "x@partner-bank.co.jp", "partner-bank.co.jp\n", "",
      0 },
    { "a link alike", "From: x@other.test\n\n", "", "other.test\nexample.ac.jp.evil.test\n", "",
      BIT(LINK_ALIKE) },
    { "answers to an alike one", "From: x@other.test\nReply-To: y@examp1e.ac.jp\n\n", "", "", "",
      BIT(REPLY_ALIKE) },
    { "ours, answers to a free mail", "From: x@example.ac.jp\nReply-To: x.y@yahoo.co.jp\n\n", "", "", "",
      BIT(OWN_DOMAIN) | BIT(REPLY_OF_OURS) },
    { "of our people, likewise", "From: Taro Sato <x@other.test>\nReply-To: <y@gmail.com>\n\n", "", "", "",
      BIT(PERSON) | BIT(REPLY_OF_OURS) },
    { "others, likewise", "From: x@other.test\nReply-To: y@gmail.com\n\n", "", "", "", BIT(REPLY_ELSEWHERE) },
    { "free mail both", "From: x@gmail.com\nReply-To: y@yahoo.com\n\n", "", "", "", 0 },
    { "answers to its own", "From: x@other.test\nReply-To: y@other.test\n\n", "", "", "", 0 },
    { "our digest", "From: Sekimori <gw@evil.test>\nSubject: mx1.example.ac.jp Held messages: 3\n\n", "", "",
      "", BIT(NOTICE) },
    { "our digest in Japanese", "From: Sekimori <gw@evil.test>\nSubject: 保留メール 3 通\n\n", "", "", "",
      BIT(NOTICE) },
    { "another site's digest", "From: Sekimori <gw@other.test>\nSubject: mx.other.test Held messages: 3\n\n",
      "", "", "", 0 },
    { "an answer to ours", "From: x@other.test\nSubject: Re: mx1.example.ac.jp Held messages: 3\n\n", "", "",
      "", 0 },
    { "our page, shown", "From: x@other.test\n\n", "", "evil.test\n", "https://help.example.ac.jp/mail\n",
      BIT(NOTICE) },
    { "our page, meant", "From: x@other.test\n\n", "", "help.example.ac.jp\n",
      "https://help.example.ac.jp/mail\n", 0 },
    { "what we never sent",
      REPORT "Received: from bot.test by evil.test for <z@example.ac.jp>\nMessage-ID: <1@bot.test>\n"
             "From: x@example.ac.jp\n\nbuy\n--b--\n",
      "", "", "", BIT(BOUNCE) },
    { "what we sent",
      REPORT
      "Received: from mx1.example.ac.jp by other.test\nMessage-ID: <1@pc.local>\nFrom: x@example.ac.jp\n\n"
      "hi\n--b--\n",
      "", "", "", 0 },
    { "by its Message-ID",
      REPORT "Received: from a by b.test\nMessage-ID: <1@example.ac.jp>\nFrom: x@example.ac.jp\n\n", "", "",
      "", 0 },
    { "of others", REPORT "Received: from a by b.test\nMessage-ID: <1@b.test>\nFrom: x@b.test\n\n", "", "",
      "", 0 },
    { "without a header", "From: MAILER-DAEMON@other.test\nSubject: failure notice\n\nsorry\n", "", "", "",
      0 },
    { "no From", "Subject: x\n\n", "", "", "", 0 },
    { "an empty one", "From:\n\n", "", "", "", 0 },
    { "marks alone", "From: <<>>(\",;:\"<@>\nReply-To: \"\\\n\n", "@", "\n\n\n", "@@\n", 0 },
};

struct scene {
    struct config *config;
    struct impostor_set *set;
    struct arena *arena;
    const struct fingerprint_page *learned;
};

static struct scene scene_make(void)
{
    struct scene scene = { .config = config_of_text(text_of(settings), false), .arena = arena_new(0) };
    scene.config->people.content = text_of(people);
    scene.set = impostor_set_new(scene.config);
    return scene;
}

static void scene_free(struct scene *scene)
{
    impostor_set_free(scene->set);
    arena_free(scene->arena);
    config_free(scene->config);
}

static unsigned look(const struct scene *scene, const struct row *row, struct impostor_findings *findings)
{
    const struct impostor_source source = {
        scene->config,
        scene->set,
        mime_parse(scene->arena, text_of(row->mail), &mime_limits_default, MIME_FIRST),
        text_of(row->sender),
        text_of(row->hosts),
        text_of(row->shown),
        scene->learned,
    };
    unsigned kinds = 0;
    impostor_look(scene->arena, &source, findings);
    for (unsigned kind = 0; kind < IMPOSTOR_KINDS; kind++)
        kinds |= (unsigned)findings->of[kind].is_found << kind;
    return kinds;
}

static void test_attacks_and_near_misses(void **state)
{
    struct scene scene = scene_make();
    struct impostor_findings findings, again;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unsigned kinds = look(&scene, &rows[i], &findings);
        if (kinds != rows[i].kinds) fail_msg("%s: %x, not %x", rows[i].name, kinds, rows[i].kinds);
        struct buffer bytes = { 0 };
        impostor_findings_put(&findings, &bytes);
        assert_true(impostor_findings_get(buffer_text(&bytes), &again));
        for (unsigned kind = 0; kind < IMPOSTOR_KINDS; kind++) {
            assert_int_equal(again.of[kind].is_found, findings.of[kind].is_found);
            assert_int_equal(again.of[kind].likeness, findings.of[kind].likeness);
            assert_true(text_equal(again.of[kind].about, findings.of[kind].about));
        }
        buffer_free(&bytes);
    }
    scene_free(&scene);
}

static void test_findings_of_others(void **state)
{
    static const struct text broken[] = { { "\0", 1 },
                                          { "\xff\0\0\0\0\0", 6 },
                                          { "\0\xff\0\0\0\0", 6 },
                                          { "\0\0\x05\0\0\0x", 7 },
                                          { "\0\0\0\0\0\0\0\0\0\0\0\0", 12 } };
    struct impostor_findings findings;
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
        if (impostor_findings_get(broken[i], &findings)) fail_msg("row %zu", i);
    assert_true(impostor_findings_get(TEXT_NONE, &findings));
}

/* --- names that were learned --- */

static void learn(struct fingerprint *items, size_t *count, const char *name, const char *address)
{
    struct buffer folded = { 0 };
    char room[PERSON_KEY_MOST];
    person_name_fold(text_of(name), &folded);
    struct text parts = buffer_text(&folded), part;
    while (person_name_part(&parts, &part))
        for (int way = 0; way < PERSON_WAYS; way++) {
            struct text key = text_from(room, person_name_key_in(part, way, room));
            if (key.length == 0) continue;
            items[(*count)++] = fingerprint_of_colleague(key);
            items[(*count)++] = fingerprint_of_bearer(key, text_of(address));
        }
    buffer_free(&folded);
}

static struct fingerprint_page *page_made(void)
{
    struct fingerprint items[64];
    size_t count = 0;
    int fd = memfd_create("page", MFD_CLOEXEC);
    assert_int_equal(ftruncate(fd, FINGERPRINT_PAGE_BYTES), 0);
    struct fingerprint_page *page = fingerprint_page_map(fd, true);
    close(fd);
    learn(items, &count, "Suzuki Ichiro", "suzuki@example.ac.jp");
    learn(items, &count, "鈴木 一朗", "suzuki@example.ac.jp");
    learn(items, &count, "Suzuki Ichiro", "ichiro@example.ac.jp"); /* another one of that name */
    learn(items, &count, "Sato Taro", "student@example.ac.jp");    /* the file has the name */
    learn(items, &count, "Dean", "dean@example.ac.jp");            /* no name that says who it is */
    fingerprint_page_write(page, items, count);
    return page;
}

static void test_names_that_were_learned(void **state)
{
    static const struct {
        const char *from;
        unsigned kinds;
    } learned[] = {
        { "Ichiro SUZUKI <x@gmail.com>", BIT(COLLEAGUE) },
        { "一朗鈴木 <x@gmail.com>", BIT(COLLEAGUE) },
        { "Suzuki Ichiro <x@gmail.com>\nReply-To: y@yahoo.co.jp", BIT(COLLEAGUE) | BIT(REPLY_OF_OURS) },
        { "Suzuki Ichiro <suzuki@example.ac.jp>", BIT(OWN_DOMAIN) },
        { "Suzuki Jiro <x@gmail.com>", 0 },
        { "Sato Taro <x@gmail.com>", BIT(PERSON) },
        { "Sato Taro <sato@private.test>", 0 },
        { "Dean <x@gmail.com>", 0 },
    };
    struct scene scene = scene_make();
    struct impostor_findings findings;
    struct fingerprint_page *page = page_made();
    for (size_t i = 0; i < sizeof learned / sizeof *learned; i++) {
        struct row row = {
            learned[i].from, arena_printf(scene.arena, "From: %s\n\n", learned[i].from).at, "", "", "",
            learned[i].kinds
        };
        scene.learned = page;
        unsigned kinds = look(&scene, &row, &findings);
        if (kinds != row.kinds) fail_msg("%s: %x, not %x", row.name, kinds, row.kinds);
        scene.learned = NULL;
        assert_int_equal(look(&scene, &row, &findings) & BIT(COLLEAGUE), 0);
    }
    assert_true(
        impostor_set_colleague(scene.set, page, scene.arena, TEXT("Suzuki Ichiro"), TEXT("x@gmail.com")));
    assert_false(impostor_set_colleague(scene.set, page, scene.arena, TEXT("Suzuki Ichiro"),
                                        TEXT("ICHIRO@example.ac.jp")));
    fingerprint_page_unmap(page);
    scene_free(&scene);
}

/* A thousand addresses, names of ten thousand characters. */
static void test_hostile_fields_are_read_as_far_as_they_mean_something(void **state)
{
    struct scene scene = scene_make();
    struct buffer mail = { 0 };
    struct impostor_findings findings;
    buffer_add_text(&mail, TEXT("From: "));
    for (int i = 0; i < 10000; i++) buffer_add_text(&mail, TEXT("=?"));
    for (int i = 0; i < 1000; i++) buffer_add_text(&mail, TEXT(" <x@exarnple.ac.jp>,"));
    buffer_add_text(&mail, TEXT("\n\n"));
    buffer_add_char(&mail, '\0');
    struct row row = { "", buffer_text(&mail).at, "", "", "", 0 };
    look(&scene, &row, &findings);
    buffer_free(&mail);
    scene_free(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_attacks_and_near_misses),
        cmocka_unit_test(test_findings_of_others),
        cmocka_unit_test(test_names_that_were_learned),
        cmocka_unit_test(test_hostile_fields_are_read_as_far_as_they_mean_something),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
