/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Goal: digests are spelled as each list has them, and each list is tried by what it has and has not; those
 * of spamhaus-hbl are what its owner publishes. */
#include "lookup/list_token.h"

#include "config_text.h"
#include "lookup/list_trial.h"

static void test_tokens(void **state)
{
    static const struct {
        const char *list;
        enum list_about about;
        const char *value, *token;
    } rows[] = {
        { "list spamhaus-hbl { zone hbl.test }", LIST_ABOUT_ADDRESS, "user@hbltest.com",
          "f3pdgtmwu6lfigdjc67yniwry5zrm7erletnfo36qaeqpmbpw2da._email" },
        { "list spamhaus-hbl { zone hbl.test }", LIST_ABOUT_LINK_HASH, "www.hbltest.com/test",
          "jrbrnountqwklokrddx5dc65yhffj4zlj5exp7d6twhjtdr23psa._url" },
        { "list msbl-ebl", LIST_ABOUT_ADDRESS, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d" },
        { "list own { zone z.test; about address; digest md5 }", LIST_ABOUT_ADDRESS, "abc",
          "900150983cd24fb0d6963f7d28e17f72" },
        { "list own { zone z.test; about address; digest sha1; spelling base32 }", LIST_ABOUT_ADDRESS, "abc",
          "vgmt4nsha2awvor6evyxqugcnsonbwe5" },
        { "list own { zone z.test; about link-hash }", LIST_ABOUT_LINK_HASH, "abc",
          "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer text = { 0 }, token = { 0 };
        buffer_printf(&text, "hostname mx.test; listen 192.0.2.25:25; domains { a.test 10.0.0.7 }\n%s\n",
                      rows[i].list);
        struct config *config = config_of_text(buffer_text(&text), false);
        list_token(&config->lists[0], rows[i].about, text_of(rows[i].value), &token);
        if (!text_equal(buffer_text(&token), text_of(rows[i].token)))
            fail_msg("%s: %.*s", rows[i].list, TEXT_ARG(buffer_text(&token)));
        assert_in_range(buffer_length(&token), 1, LIST_TOKEN_MOST);
        buffer_free(&text);
        buffer_free(&token);
        config_free(config);
    }
}

static void test_files(void **state)
{
    struct config *config = config_of_text(TEXT("hostname mx.test; listen 192.0.2.25:25; domains { a.test "
                                                "10.0.0.7 }\nlist spamhaus-hbl { zone hbl.test }\n"),
                                           false);
    struct buffer token = { 0 };
    assert_true(list_token_of_file(
        &config->lists[0], TEXT("275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f"), &token));
    assert_true(
        text_equal(buffer_text(&token), TEXT("e5naeg57wzej4vguogez67nz2ftd7ruv5qx6fiwekofkx5sr7uhq._file")));
    assert_false(list_token_of_file(&config->lists[0], TEXT("275a021b"), &token));
    assert_false(list_token_of_file(
        &config->lists[0], TEXT("x75a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f"), &token));
    buffer_free(&token);
    config_free(config);
}

/* What is tried never is what was tried before; `chance` alone tells them apart. */
static void test_trials(void **state)
{
    static const struct {
        const char *list, *listed, *unlisted, *by_chance; /* NULL: some digest, another for another chance */
    } rows[] = {
        { "list spamhaus-zen", "2.0.0.127", "1.0.0.127", "1.8.1.127" },
        { "list own { zone z.test }", "2.0.0.127", "1.0.0.127", "1.8.1.127" },
        { "list own { zone z.test; about from }", "test", "invalid", "c00000007.invalid" },
        { "list uribl", "test.uribl.com", "invalid", "c00000007.invalid" },
        { "list msbl-ebl", "", NULL, NULL },
        { "list own { zone z.test; about hash }", "", NULL, NULL },
        { "list spamhaus-hbl { zone h.test }", "f3pdgtmwu6lfigdjc67yniwry5zrm7erletnfo36qaeqpmbpw2da._email",
          NULL, NULL },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer text = { 0 }, unlisted = { 0 }, one = { 0 }, other = { 0 };
        buffer_printf(&text, "hostname mx.test; listen 192.0.2.25:25; domains { a.test 10.0.0.7 }\n%s\n",
                      rows[i].list);
        struct config *config = config_of_text(buffer_text(&text), false);
        const struct list_setting *list = &config->lists[0];
        assert_true(text_equal(list_trial_listed(list), text_of(rows[i].listed)));
        list_trial_unlisted(list, 7, &unlisted);
        list_trial_by_chance(list, 7, &one);
        list_trial_by_chance(list, 8, &other);
        if (rows[i].unlisted) assert_true(text_equal(buffer_text(&unlisted), text_of(rows[i].unlisted)));
        if (rows[i].by_chance) assert_true(text_equal(buffer_text(&one), text_of(rows[i].by_chance)));
        assert_in_range(buffer_length(&one), 1, LIST_TOKEN_MOST);
        assert_false(text_equal(buffer_text(&one), buffer_text(&other)));
        buffer_free(&text);
        buffer_free(&unlisted);
        buffer_free(&one);
        buffer_free(&other);
        config_free(config);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_tokens), cmocka_unit_test(test_files),
                                        cmocka_unit_test(test_trials) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
