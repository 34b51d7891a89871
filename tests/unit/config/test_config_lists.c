/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Goal: a list is what its statement and its preset say: where it is asked, about what, and what an answer
 * means. */
#include "config/list_setting.h"

#include <unistd.h>

#include "config/bundle.h"
#include "config/dump.h"
#include "config_text.h"

static struct config *config_of(const char *lists)
{
    struct buffer text = { 0 };
    buffer_printf(&text,
                  "role single; hostname mx.test; listen 192.0.2.25:25; domains { a.test 10.0.0.7 }\n%s\n",
                  lists);
    struct config *config = config_of_text(buffer_text(&text), false);
    buffer_free(&text);
    return config;
}

static void test_presets(void **state)
{
    static const struct {
        const char *list, *zone;
        uint64_t about;
    } rows[] = {
        { "list spamhaus-zen", "zen.spamhaus.org", 1 << LIST_ABOUT_CLIENT },
        { "list SPAMHAUS-ZEN", "zen.spamhaus.org", 1 << LIST_ABOUT_CLIENT },
        { "list surbl", "multi.surbl.org", 1 << LIST_ABOUT_LINK },
        { "list spamcop { zone copy.test }", "copy.test", 1 << LIST_ABOUT_CLIENT },
        { "list own { zone own.test }", "own.test", 1 << LIST_ABOUT_CLIENT },
        { "list own { zone own.test; about from link }", "own.test",
          1 << LIST_ABOUT_FROM | 1 << LIST_ABOUT_LINK },
        { "list own { names /names }", "",
          1 << LIST_ABOUT_HELO | 1 << LIST_ABOUT_SENDER | 1 << LIST_ABOUT_FROM | 1 << LIST_ABOUT_LINK },
        { "list own { hashes /hashes }", "", 1 << LIST_ABOUT_HASH },
        { "list own { hashes https://a.test/x; about link-hash }", "", 1 << LIST_ABOUT_LINK_HASH },
        { "list msbl-ebl", "ebl.msbl.org", 1 << LIST_ABOUT_ADDRESS },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct config *config = config_of(rows[i].list);
        struct buffer zone = { 0 };
        list_setting_zone(&config->lists[0], &zone);
        if (!text_equal(buffer_text(&zone), text_of(rows[i].zone)))
            fail_msg("%s: zone %.*s", rows[i].list, TEXT_ARG(buffer_text(&zone)));
        assert_int_equal(list_setting_about(&config->lists[0]), rows[i].about);
        buffer_free(&zone);
        config_free(config);
    }
}

static void test_a_key_stands_before_its_zone(void **state)
{
    struct config *config = config_of("list spamhaus-zen");
    struct buffer zone = { 0 };
    config->lists[0].key.content = TEXT("abc123 the key\n");
    list_setting_zone(&config->lists[0], &zone);
    assert_true(text_equal(buffer_text(&zone), TEXT("abc123.zen.dq.spamhaus.net")));
    buffer_free(&zone);
    config_free(config);
}

/* Only who asks lists has their keys. */
static void test_who_has_the_key(void **state)
{
    static const enum bundle_keys parts[] = { BUNDLE_NO_KEYS, BUNDLE_NODE_KEY, BUNDLE_TLS_KEYS,
                                              BUNDLE_SIGNING_KEYS, BUNDLE_LIST_KEYS };
    struct config *config = config_of("list spamhaus-zen { key /key }");
    char room[4096];
    config->lists[0].key.content = TEXT("qwertykey\n");
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        int fd = config_bundle_memory(config, parts[i]);
        ssize_t length = pread(fd, room, sizeof room, 0);
        assert_in_range(length, 1, sizeof room - 1);
        struct text bundle = text_from(room, (size_t)length);
        assert_int_equal(text_find(bundle, TEXT("qwertykey")) < bundle.length, parts[i] == BUNDLE_LIST_KEYS);
        close(fd);
    }
    config_free(config);
}

static void test_answers(void **state)
{
    static const struct {
        const char *list, *answer;
        bool is_listing, is_refusal;
        double points;
        const char *means;
    } rows[] = {
        { "list spamhaus-zen", "127.0.0.2", true, false, 5, "SBL: a source of spam" },
        { "list spamhaus-zen", "127.0.0.11", true, false, 3.5,
          "PBL: an address that should not send mail itself" },
        { "list spamhaus-zen", "127.0.0.99", false, false, 4, NULL },
        { "list spamhaus-zen", "127.255.255.254", false, true, 4, NULL },
        { "list spamhaus-zen", "203.0.113.5", false, true, 4, NULL },
        { "list spamhaus-zen { points 1 }", "127.0.0.2", true, false, 1, "SBL: a source of spam" },
        { "list spamhaus-zen { answers 127.0.0.4/30 }", "127.0.0.2", false, false, 5,
          "SBL: a source of spam" },
        { "list surbl", "127.0.0.80", true, false, 6, "MW: a site of malware" },
        { "list surbl", "127.0.0.1", false, true, 4, NULL },
        { "list own { zone own.test }", "127.9.9.9", true, false, 4, NULL },
        { "list own { zone own.test }", "2001:db8::1", true, true, 4, NULL },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct config *config = config_of(rows[i].list);
        const struct list_setting *list = &config->lists[0];
        struct address answer;
        assert_true(address_parse(text_of(rows[i].answer), &answer));
        const char *means = list_setting_means(list, &answer);
        bool is_same = list_setting_is_listing(list, &answer) == rows[i].is_listing &&
                       list_preset_is_refusal(list_preset_find(list->name), &answer) == rows[i].is_refusal &&
                       list_setting_points(list, &answer) == rows[i].points &&
                       (means ? rows[i].means && strcmp(means, rows[i].means) == 0 : !rows[i].means);
        if (!is_same) fail_msg("row %zu: %s %s", i, rows[i].list, rows[i].answer);
        config_free(config);
    }
}

/* The table itself: each preset can be tried, and names its answers. */
static void test_every_preset_is_whole(void **state)
{
    const struct list_preset *preset;
    for (size_t i = 0; (preset = list_preset_at(i)); i++) {
        assert_true(list_setting_is_name(text_of(preset->name)));
        assert_ptr_equal(list_preset_find(text_of(preset->name)), preset);
        assert_true(preset->zone || preset->keyed);
        assert_true(preset->about != 0 && preset->codes->means);
        bool is_hashed = preset->about >> LIST_ABOUT_HASH;
        assert_true(is_hashed || (preset->listed && preset->unlisted));
    }
}

static void test_what_is_said_comes_back(void **state)
{
    const char said[] =
        "list own {\n    zone own.test\n    about from link\n    answers 127.0.0.2\n    points 2.5\n"
        "    action reject\n}\n";
    struct config *config = config_of(said);
    struct buffer dump = { 0 };
    config_dump_said(config, &dump);
    if (text_find(buffer_text(&dump), text_of(said)) == buffer_length(&dump))
        fail_msg("%.*s", TEXT_ARG(buffer_text(&dump)));
    buffer_free(&dump);
    config_free(config);
}

static void test_own_addresses(void **state)
{
    struct config *config = config_of("drain { to 192.0.2.77 }");
    struct arena *arena = arena_new(0);
    struct address *ours, wanted;
    size_t count = config_own_addresses(config, arena, &ours);
    static const char *const all[] = { "127.0.0.1", "::1", "192.0.2.25", "10.0.0.7", "192.0.2.77" };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        bool has = false;
        assert_true(address_parse(text_of(all[i]), &wanted));
        for (size_t k = 0; k < count; k++) has = has || address_equal(&ours[k], &wanted);
        if (!has) fail_msg("%s", all[i]);
    }
    arena_free(arena);
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_presets),
        cmocka_unit_test(test_a_key_stands_before_its_zone),
        cmocka_unit_test(test_who_has_the_key),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_every_preset_is_whole),
        cmocka_unit_test(test_what_is_said_comes_back),
        cmocka_unit_test(test_own_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
