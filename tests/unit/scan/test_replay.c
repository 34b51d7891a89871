/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What ledger keeps of a judged message, given to decide again, makes the same verdict; and under another
   configuration that one's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "auth/spf_answer.h"
#include "config_text.h"
#include "dns/answers.h"
#include "dns/dns_record.h"
#include "ipc/message_id.h"
#include "ledgerdb/explained_file.h"
#include "rules/rule_folders.h"
#include "scan/authenticate.h"
#include "scan/decide.h"
#include "scan/read.h"

static const char *base_path, *rules_path;

struct scene {
    struct arena *arena;
    struct config *config;
    struct ruleset *rules;
    struct base_model *base;
    struct occasion occasion;
};

static struct config *config_make(const char *more)
{
    struct buffer all = { 0 };
    buffer_printf(&all,
                  "hostname mx.test\nadmin a@mx.test\nlisten 127.0.0.1:2525\nvirus mode off\n"
                  "domains {\n on.test 127.0.0.1\n observe.test 127.0.0.1 { spam observe }\n}\n"
                  "spam rules \"%s\"\n%s\n",
                  rules_path, more);
    struct config *config = config_of_text(buffer_text(&all), true);
    buffer_free(&all);
    return config;
}

static struct ruleset *rules_of(const struct config *config)
{
    struct problem_list problems;
    problem_list_start(&problems);
    struct ruleset *rules = rule_folders_read(config, &problems);
    assert_non_null(rules);
    problem_list_free(&problems);
    return rules;
}

static void scene_open(struct scene *scene)
{
    static struct text recipients[] = { { "a@on.test", 9 }, { "b@observe.test", 14 } };
    struct message_id_source source = { 0 };
    char why[300];
    *scene = (struct scene){ .arena = arena_new(0), .config = config_make("auth mode on") };
    scene->rules = rules_of(scene->config);
    scene->base = base_model_open(base_path, why, sizeof why);
    assert_non_null(scene->base);
    scene->occasion = (struct occasion){ .id = message_id_next(&source, UINT64_C(1790000000000)),
                                         .direction = DIRECTION_IN,
                                         .helo = TEXT("mx.bank.test"),
                                         .sender = TEXT("info@bank.test"),
                                         .recipients = recipients,
                                         .recipient_count = 2 };
    address_parse(TEXT("192.0.2.7"), &scene->occasion.client);
}

static void scene_close(struct scene *scene)
{
    base_model_close(scene->base);
    ruleset_free(scene->rules);
    config_free(scene->config);
    arena_free(scene->arena);
}

/* Of a name, SPF and the policy of who is in From; what else is asked is not answered. */
static struct question *answers_make(struct scene *scene, const struct facts *facts, const char *policy,
                                     uint32_t *out_count)
{
    struct question *answers = arena_alloc_array(scene->arena, facts->question_count + 2, sizeof *answers);
    struct dns_record record = { .text = text_of(policy) };
    struct dns_answers known = { .arena = scene->arena };
    struct buffer bytes = { 0 };
    dns_answers_put(&known, TEXT("_dmarc.bank.test"), RECORD_TXT,
                    &(struct dns_answer){ .count = 1, .records = &record });
    dns_answers_write(&known, 4000, &bytes);
    struct text value = arena_text(scene->arena, buffer_text(&bytes));
    uint32_t count = 0;
    answers[count++] = (struct question){ QUESTION_CLIENT_NAME, TEXT("192.0.2.7"), ANSWER_NONE, TEXT_NONE };
    buffer_clear(&bytes);
    const struct spf_answer spf = { { .outcome = SPF_FAIL, .domain = TEXT("bank.test"), .reason = "" },
                                    { .outcome = SPF_NONE, .reason = "" } };
    spf_answer_put(&spf, &bytes);
    answers[count++] = (struct question){ QUESTION_SPF, TEXT("x"), ANSWER_FOUND,
                                          arena_text(scene->arena, buffer_text(&bytes)) };
    for (uint32_t i = 0; i < facts->question_count; i++) {
        answers[count] = facts->questions[i];
        answers[count].status = ANSWER_TEMPERROR;
        if (answers[count].kind == QUESTION_POLICY) {
            answers[count].status = ANSWER_FOUND;
            answers[count].value = value;
        }
        count++;
    }
    buffer_free(&bytes);
    *out_count = count;
    return answers;
}

static void decide(struct scene *scene, const struct config *config, const struct explanation_evidence *given,
                   struct verdict *out)
{
    struct facts merged;
    struct auth_judgement authentication;
    const struct decide_basis basis = { .config = config, .rules = scene->rules };
    const struct decide_case about = { &given->occasion, &given->facts, given->answers, given->answer_count };
    decide_and_tell(scene->arena, &basis, &about, &merged, &authentication, out);
}

static void verdicts_compare(const struct verdict *one, const struct verdict *other)
{
    assert_true(one->score == other->score);
    assert_int_equal(one->signal_count, other->signal_count);
    for (uint32_t i = 0; i < one->signal_count; i++) {
        assert_true(text_equal(one->signals[i].name, other->signals[i].name));
        assert_true(one->signals[i].points == other->signals[i].points);
    }
    assert_int_equal(one->recipient_count, other->recipient_count);
    for (uint32_t i = 0; i < one->recipient_count; i++) {
        assert_int_equal(one->recipients[i].action, other->recipients[i].action);
        assert_int_equal(one->recipients[i].observed, other->recipients[i].observed);
    }
    assert_int_equal(one->code, other->code);
    assert_true(text_equal(one->enhanced, other->enhanced));
    assert_true(text_equal(one->reason, other->reason));
    assert_true(text_equal(one->summary, other->summary));
    assert_int_equal(one->kind, other->kind);
    assert_int_equal(one->direction, other->direction);
    assert_int_equal(one->proof.dmarc, other->proof.dmarc);
    assert_int_equal(one->proof.demand, other->proof.demand);
    assert_true(text_equal(one->proof.author, other->proof.author));
}

/* By the way of a real one: record, frame, file, and back. */
static void keep_and_read(struct scene *scene, const struct explanation_evidence *given,
                          const struct verdict *verdict, struct explanation_evidence *out)
{
    struct buffer evidence = { 0 }, record = { 0 }, file = { 0 };
    struct explained_frame frame = { 0 };
    struct explained_walk walk;
    struct explanation explanation = { .id = given->occasion.id }, back;
    explanation_verdict(&explanation, verdict);
    assert_true(explanation_evidence_put(given, &evidence));
    explanation.evidence_version = EVIDENCE_VERSION;
    explanation.evidence = buffer_text(&evidence);
    explanation_put(&explanation, &record);
    print_message("a record of %zu bytes, %zu packed\n", buffer_length(&record),
                  explained_packed_bytes(&frame, buffer_text(&record)));
    assert_true(explained_packed_bytes(&frame, buffer_text(&record)) <= EXPLANATION_STORED_MOST);
    assert_true(explained_frame_add(&frame, explanation.id, buffer_text(&record)));
    explained_frame_pack(&frame, &file);
    explained_walk_begin(&walk, arena_text(scene->arena, buffer_text(&file)), explanation.id);
    assert_true(explained_walk_next(&walk, &back));
    back.evidence = arena_text(scene->arena, back.evidence);
    assert_true(explanation_evidence_get(scene->arena, &back, out));
    explained_walk_end(&walk);
    explained_frame_free(&frame);
    buffer_free(&file);
    buffer_free(&record);
    buffer_free(&evidence);
}

#define HEAD                                                                                  \
    "Date: Tue, 1 Jan 2030 00:00:00 +0000\r\nMessage-ID: <x@b.test>\r\nMIME-Version: 1.0\r\n" \
    "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"

static const struct row {
    const char *name, *mail, *policy;
    enum action least; /* that somebody gets */
} rows[] = {
    { "a note", HEAD "From: Mori <mori@bank.test>\r\nSubject: Thursday\r\n\r\nShall we meet on Thursday?\r\n",
      "v=DMARC1; p=none", ACTION_ACCEPT },
    { "phishing",
      HEAD
      "From: =?UTF-8?B?44G/44Ga44G76YqA6KGM?= <info@bank.test>\r\nSubject: 【重要】口座の利用制限\r\n\r\n"
      "お客様の口座で不審なお取引が検出されたため、ご利用を一時的に制限いたしました。\r\n"
      "24時間以内に下記のリンクより本人確認のお手続きをお願いいたします。\r\n"
      "https://bank.test.example/verify?id=1\r\n",
      "v=DMARC1; p=quarantine", ACTION_TAG },
    { "its owner asks to refuse it", HEAD "From: Mori <mori@bank.test>\r\nSubject: hello\r\n\r\nHello.\r\n",
      "v=DMARC1; p=reject", ACTION_QUARANTINE },
};

static void row_check(const struct row *row)
{
    struct scene scene;
    scene_open(&scene);
    struct explanation_evidence given = { .occasion = scene.occasion }, kept;
    const struct scanner scanner = { .config = scene.config, .base = scene.base, .rules = scene.rules };
    struct verdict now, then, elsewhere, replayed;
    read_facts(scene.arena, &scanner, &scene.occasion, text_of(row->mail), NULL, &given.facts);
    given.answers = answers_make(&scene, &given.facts, row->policy, &given.answer_count);
    decide(&scene, scene.config, &given, &then);
    print_message("%s: %.*s\n", row->name, TEXT_ARG(then.summary));
    assert_true(then.recipients[0].action >= row->least || then.recipients[0].observed >= row->least);
    keep_and_read(&scene, &given, &then, &kept);
    decide(&scene, scene.config, &kept, &now);
    verdicts_compare(&then, &now);
    struct config *other =
        config_make("spam { tag above 0.1; quarantine above 0.2; reject above 0.3 }\nauth mode observe");
    decide(&scene, other, &given, &elsewhere);
    decide(&scene, other, &kept, &replayed);
    verdicts_compare(&elsewhere, &replayed);
    assert_true(row->least == ACTION_ACCEPT || elsewhere.code != then.code || elsewhere.score != then.score);
    config_free(other);
    scene_close(&scene);
}

static void test_rows(void **state)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) row_check(&rows[i]);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows) };
    base_path = argv[1];
    rules_path = argv[2];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
