/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Which messages are offered as lessons though nobody said what they are: a row each. The models' points may
   keep one from it and bring none to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config_text.h"
#include "scan/lesson_choice.h"

enum {
    FORGED = 1,     /* DMARC does not pass */
    NEWSLETTER = 2, /* it is one */
    REPORTED = 4,   /* its like was told of */
    ALLOWED = 8,    /* by an entry */
    OUTBOUND = 16,
    UNREAD = 32, /* nothing was made of it */
    HOSTED = 64, /* of a cloud that strangers use */
};

static const struct row {
    const char *name;
    double rules, model; /* points of them */
    enum action action;
    enum scan_state virus;
    const char *recipient;
    int more;
    enum teaches teaches;
} rows[] = {
    { "ham", 0.3, -2, ACTION_ACCEPT, SCAN_CLEAN, "a@on.test", 0, TEACHES_HAM },
    { "spam that is tagged", 9, 2, ACTION_TAG, SCAN_CLEAN, "a@on.test", FORGED, TEACHES_SPAM },
    { "spam that is refused", 11, 12, ACTION_REJECT, SCAN_NOT_ASKED, "a@on.test", 0, TEACHES_SPAM },
    { "spam that is discarded", 11, 12, ACTION_DISCARD, SCAN_CLEAN, "a@on.test", 0, TEACHES_SPAM },
    { "held", 11, 4, ACTION_QUARANTINE, SCAN_CLEAN, "a@on.test", 0, TEACHES_NOTHING },
    { "deferred", 11, 4, ACTION_DEFER, SCAN_CLEAN, "a@on.test", 0, TEACHES_NOTHING },
    { "spam by the models alone", 3, 12, ACTION_TAG, SCAN_CLEAN, "a@on.test", 0, TEACHES_NOTHING },
    { "the models say otherwise", 9, -3, ACTION_ACCEPT, SCAN_CLEAN, "a@on.test", 0, TEACHES_NOTHING },
    { "ham that the models doubt", 0.3, 4, ACTION_ACCEPT, SCAN_CLEAN, "a@on.test", 0, TEACHES_NOTHING },
    { "ham by the models alone", 1, -3, ACTION_ACCEPT, SCAN_CLEAN, "a@on.test", 0, TEACHES_NOTHING },
    { "ham of anybody", 0.3, -2, ACTION_ACCEPT, SCAN_CLEAN, "a@on.test", FORGED, TEACHES_NOTHING },
    { "ham whose like was told of", 0, 0, ACTION_ACCEPT, SCAN_CLEAN, "a@on.test", REPORTED, TEACHES_NOTHING },
    { "spam whose like was told of", 9, 0, ACTION_TAG, SCAN_CLEAN, "a@on.test", REPORTED, TEACHES_SPAM },
    { "a newsletter", 0, 0, ACTION_ACCEPT, SCAN_CLEAN, "a@on.test", NEWSLETTER, TEACHES_NOTHING },
    { "who is allowed", 9, 3, ACTION_ACCEPT, SCAN_CLEAN, "a@on.test", ALLOWED, TEACHES_NOTHING },
    { "not all was looked at", 0, 0, ACTION_ACCEPT, SCAN_UNSCANNED, "a@on.test", 0, TEACHES_NOTHING },
    { "a virus", 12, 0, ACTION_REJECT, SCAN_FOUND, "a@on.test", 0, TEACHES_NOTHING },
    { "unjudged", 0, 0, ACTION_ACCEPT, SCAN_CLEAN, "a@off.test", 0, TEACHES_NOTHING },
    { "observed", 9, 3, ACTION_ACCEPT, SCAN_CLEAN, "a@observe.test", 0, TEACHES_NOTHING },
    { "our own", 0, 0, ACTION_ACCEPT, SCAN_CLEAN, "a@on.test", OUTBOUND, TEACHES_NOTHING },
    { "a cloud's", 0, 0, ACTION_ACCEPT, SCAN_CLEAN, "a@on.test", HOSTED, TEACHES_NOTHING },
    { "not read", 0, 0, ACTION_ACCEPT, SCAN_CLEAN, "a@on.test", UNREAD, TEACHES_NOTHING },
};

static const char base_config[] =
    "hostname mx.example.test\nadmin postmaster@example.test\nlisten 127.0.0.1:2525\ndomains {\n"
    "  on.test 127.0.0.1\n  off.test 127.0.0.1 { spam off }\n  observe.test 127.0.0.1 { spam observe }\n}\n";

static struct verdict choice(struct arena *arena, const struct config *config, const struct row *row)
{
    static struct signal signals[4];
    static struct recipient_verdict recipient;
    struct buffer campaign = { 0 };
    struct text address = text_of(row->recipient);
    const struct occasion occasion = { .sender = TEXT("x@bounce.shop.example"),
                                       .recipient_count = 1,
                                       .recipients = &address };
    signals[0] = (struct signal){ TEXT("RULE"), row->rules, TEXT("") };
    signals[1] = (struct signal){ TEXT("BASE_MODEL"), row->model / 2, TEXT("") };
    signals[2] = (struct signal){ TEXT("LOCAL_MODEL"), row->model / 2, TEXT("") };
    signals[3] = (struct signal){ row->more & ALLOWED ? TEXT("ALLOWED_3") : TEXT("OTHER"), 0, TEXT("") };
    recipient = (struct recipient_verdict){ .action = row->action };
    struct verdict verdict = { .signals = signals,
                               .signal_count = 4,
                               .score = score_sum(signals, 4),
                               .recipients = &recipient,
                               .recipient_count = 1,
                               .direction = row->more & OUTBOUND ? DIRECTION_OUT : DIRECTION_IN,
                               .tenancy = row->more & HOSTED ? TENANCY_UNPROVEN : TENANCY_NOT_ASKED,
                               .newsletter = row->more & NEWSLETTER ? TEXT("n") : TEXT("") };
    verdict.is_spam = verdict.score >= 6.8;
    verdict.proof = (struct proof){ .is_made = true,
                                    .dmarc = row->more & FORGED ? PROOF_NONE : PROOF_PASS,
                                    .fate = row->more & FORGED ? FATE_NONE : FATE_PASSED,
                                    .author = row->more & FORGED ? TEXT("") : TEXT("mail.shop.example") };
    campaign_answer_put(&(struct campaign_answer){ .id = 1, .count = 1, .reporters = row->more & REPORTED },
                        &campaign);
    const struct facts facts = { .virus = row->virus,
                                 .lesson = row->more & UNREAD ? TEXT("") : TEXT("numbers"),
                                 .campaign = arena_text(arena, buffer_text(&campaign)) };
    lesson_choice_make(config, &occasion, &facts, &verdict);
    buffer_free(&campaign);
    return verdict;
}

static void test_rows(void **state)
{
    struct arena *arena = arena_new(0);
    struct config *off = config_of_text(text_of(base_config), false);
    struct config *on = config_of_text(arena_printf(arena, "%slearn { automatic on }\n", base_config), false);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct verdict verdict = choice(arena, on, &rows[i]);
        if (verdict.teaches != rows[i].teaches) fail_msg("%s: %d", rows[i].name, verdict.teaches);
        /* subdomains are no other senders */
        assert_true(text_equal(verdict.taught_of,
                               rows[i].teaches == TEACHES_NOTHING ? TEXT("") : TEXT("shop.example")));
        assert_int_equal(choice(arena, off, &rows[i]).teaches, TEACHES_NOTHING);
    }
    config_free(on);
    config_free(off);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
