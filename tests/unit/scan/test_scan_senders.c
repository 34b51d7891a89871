/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What a sender's past weighs: bounded either way, the domain before the network where it is proven, first
   contact more beside an impostor; and who is greylisted. */
#include "scan/sender_weight.h"

#include "config_text.h"
#include "judge/sender_history.h"

static const char text[] = "role single; hostname mx.test; listen 192.0.2.25:25\n"
                           "domains { a.test 10.0.0.7; open.test 10.0.0.7 { greylist off }; see.test "
                           "10.0.0.7 { greylist observe } }\n"
                           "greylist { mode on }; auth { trust networks 203.0.113.0/24 }\n";

struct trial {
    struct arena *arena;
    struct config *config;
    struct occasion occasion;
    struct auth_judgement authentication;
    struct score score;
    struct sender_demand demand;
};

static void trial_begin(struct trial *trial)
{
    *trial = (struct trial){ .arena = arena_new(0), .config = config_of_text(text_of(text), false) };
    trial->score.arena = trial->arena;
    trial->authentication.is_made = true;
    assert_true(address_parse(TEXT("192.0.2.1"), &trial->occasion.client));
}

static void trial_end(struct trial *trial)
{
    arena_free(trial->arena);
    config_free(trial->config);
}

static void weigh(struct trial *trial, const struct sender_finding *findings, uint32_t count)
{
    struct sender_history history = { .count = 0 };
    struct buffer bytes = { 0 };
    for (uint32_t i = 0; i < count; i++) sender_history_add(&history, &findings[i]);
    sender_history_put(&history, &bytes);
    const struct question answer = { QUESTION_HISTORY, TEXT_NONE, ANSWER_FOUND, buffer_text(&bytes) };
    sender_history_weigh(trial->config, &trial->occasion, &trial->authentication, &answer, 1, &trial->score,
                         &trial->demand);
    buffer_free(&bytes);
}

static double points_of(const struct trial *trial, const char *name)
{
    for (uint32_t i = 0; i < trial->score.count; i++)
        if (text_equal(trial->score.signals[i].name, text_of(name))) return trial->score.signals[i].points;
    return -1000;
}

static double reputation(double spam, double all, bool is_proven, bool of_domain)
{
    struct trial trial;
    trial_begin(&trial);
    if (is_proven) trial.authentication.result.dmarc.outcome = DMARC_PASS;
    const struct sender_finding findings[] = {
        { .kind = SENDER_REPUTATION_NETWORK, .weight = spam, .weight_of = all, .count = 9, .of = 9 },
        { .kind = SENDER_REPUTATION_DOMAIN, .weight = spam, .weight_of = all, .count = 9, .of = 9 },
    };
    weigh(&trial, findings, of_domain ? 2 : 1);
    double points = points_of(&trial, is_proven && of_domain ? "REPUTATION_DOMAIN" : "REPUTATION_NETWORK");
    if (is_proven && of_domain) assert_true(points_of(&trial, "REPUTATION_NETWORK") == 0);
    if (!is_proven) assert_true(points_of(&trial, "REPUTATION_DOMAIN") == -1000);
    assert_true(trial.demand.points - points < 0.06 && points - trial.demand.points < 0.06);
    trial_end(&trial);
    return points;
}

static void test_reputation(void **state)
{
    assert_true(reputation(1e9, 1e9, false, false) <= 3);
    assert_true(reputation(1e9, 1, false, false) <= 3); /* a lie */
    assert_true(reputation(40, 41, false, false) > 2.3);
    assert_true(reputation(3, 5, false, false) > 0);
    assert_true(reputation(3, 10, false, true) == 0);
    assert_true(reputation(0, 1e9, true, true) >= -1.5 && reputation(0, 1e9, true, true) < -1.4);
    assert_true(reputation(0, 5, false, false) == -0.75);
    assert_true(reputation(0, 0, false, false) == 0);
}

static void test_first_contact(void **state)
{
    const struct sender_finding new = { .kind = SENDER_IS_NEW, .of = 1 },
                                to_all = { .kind = SENDER_IS_NEW_TO, .count = 2, .of = 2 },
                                to_some = { .kind = SENDER_IS_NEW_TO, .count = 1, .of = 2 };
    const struct {
        const struct sender_finding *finding;
        const char *impostor, *name;
        double points;
    } rows[] = {
        { &new, NULL, "SENDER_NEW", 0.5 },
        { &new, "IMPOSTOR_PERSON", "SENDER_NEW", 1.5 },
        { &new, "GTUBE", "SENDER_NEW", 0.5 },
        { &to_all, NULL, "SENDER_NEW_TO", 0.25 },
        { &to_all, "IMPOSTOR_PERSON", "SENDER_NEW_TO", 0.75 },
        { &to_some, "IMPOSTOR_PERSON", "SENDER_NEW_TO", 0 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct trial trial;
        trial_begin(&trial);
        if (rows[i].impostor) score_add(&trial.score, rows[i].impostor, 3, TEXT_NONE);
        weigh(&trial, rows[i].finding, 1);
        assert_true(points_of(&trial, rows[i].name) == rows[i].points);
        trial_end(&trial);
    }
}

static void test_greylisting(void **state)
{
    const struct sender_finding unknown = { .kind = SENDER_IS_UNKNOWN, .count = 300, .recipients = 5 };
    const struct {
        bool is_made, is_undecided;
        enum dmarc_outcome dmarc;
        enum proof_excuse excuse;
        const char *client;
        bool waits;
    } rows[] = {
        { true, false, DMARC_NONE, PROOF_NO_EXCUSE, "192.0.2.1", true },
        { true, false, DMARC_FAIL, PROOF_NO_EXCUSE, "192.0.2.1", true },
        { false, false, DMARC_NONE, PROOF_NO_EXCUSE, "192.0.2.1", true },
        { true, false, DMARC_PASS, PROOF_NO_EXCUSE, "192.0.2.1", false },
        { true, false, DMARC_TEMPERROR, PROOF_NO_EXCUSE, "192.0.2.1", false },
        { true, false, DMARC_FAIL, PROOF_LIST, "192.0.2.1", false },
        { true, true, DMARC_NONE, PROOF_NO_EXCUSE, "192.0.2.1", false },
        { true, false, DMARC_NONE, PROOF_NO_EXCUSE, "203.0.113.1", false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct trial trial;
        enum mode mode;
        trial_begin(&trial);
        trial.authentication.is_made = rows[i].is_made;
        trial.authentication.result.dmarc.outcome = rows[i].dmarc;
        trial.authentication.excuse = rows[i].excuse;
        trial.occasion.is_undecided = rows[i].is_undecided;
        assert_true(address_parse(text_of(rows[i].client), &trial.occasion.client));
        weigh(&trial, &unknown, 1);
        assert_int_equal(trial.demand.is_unknown, rows[i].waits);
        enum action action = sender_greylist_action(trial.config, &trial.demand, TEXT("u@a.test"), 0, &mode);
        assert_int_equal(action, rows[i].waits ? ACTION_DEFER : ACTION_ACCEPT);
        assert_int_equal(mode, MODE_ON);
        action = sender_greylist_action(trial.config, &trial.demand, TEXT("u@a.test"), 1, &mode);
        assert_int_equal(action, ACTION_ACCEPT); /* he is not unknown to that one */
        action = sender_greylist_action(trial.config, &trial.demand, TEXT("u@open.test"), 0, &mode);
        assert_int_equal(action, ACTION_ACCEPT);
        sender_greylist_action(trial.config, &trial.demand, TEXT("u@see.test"), 0, &mode);
        assert_int_equal(mode, MODE_OBSERVE);
        assert_int_equal(sender_greylist_action(trial.config, &trial.demand, TEXT("u@a.test"), 64, &mode),
                         ACTION_ACCEPT);
        trial_end(&trial);
    }
}

static void test_nothing_known(void **state)
{
    struct trial trial;
    trial_begin(&trial);
    const struct question late = { QUESTION_HISTORY, TEXT_NONE, ANSWER_TEMPERROR, TEXT_NONE },
                          odd = { QUESTION_HISTORY, TEXT_NONE, ANSWER_FOUND, TEXT("odd") };
    sender_history_weigh(trial.config, &trial.occasion, &trial.authentication, &late, 1, &trial.score,
                         &trial.demand);
    sender_history_weigh(trial.config, &trial.occasion, &trial.authentication, &odd, 1, &trial.score,
                         &trial.demand);
    assert_true(trial.score.count == 0 && !trial.demand.is_unknown && trial.demand.points == 0);
    trial_end(&trial);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reputation),
        cmocka_unit_test(test_first_contact),
        cmocka_unit_test(test_greylisting),
        cmocka_unit_test(test_nothing_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
