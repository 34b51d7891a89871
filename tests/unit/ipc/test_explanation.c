/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Explanations as bytes: there and back, cut at every place, within their bounds whatever is in them, and
   without any text of the mail. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ipc/explanation.h"

#define SECRET "secret-words"

static struct text addresses[] = { { "a@b.test", 8 }, { "c@d.test", 8 } };
static struct signal signals[] = { { { "GTUBE", 5 }, 1000, { SECRET, 12 } },
                                   { { "PDF_LINK", 8 }, -0.5, { SECRET, 12 } } };
static struct question questions[] = {
    { QUESTION_CLIENT_NAME, { "192.0.2.1", 9 }, ANSWER_FOUND, { "mx.test", 7 } },
};
static struct possible_edit edits[] = { { EDIT_TAG, 5, 0, { SECRET, 12 } } };
static struct recipient_verdict recipients[] = { { ACTION_TAG, ACTION_REJECT, 0 },
                                                 { ACTION_TAG, ACTION_REJECT, 0 },
                                                 { ACTION_ACCEPT, ACTION_ACCEPT, 0 } };

static struct explanation_evidence evidence_of(void)
{
    static struct virus_finding finding = {
        VIRUS_CLASS_LIMITS, { "clamav", 6 }, { "Name", 4 }, { SECRET, 12 }
    };
    static struct part_digest parts[1] = { { .bytes = { 1 } } };
    return (struct explanation_evidence){ .occasion = { .id = 7,
                                                        .listener = 1,
                                                        .direction = DIRECTION_OUT,
                                                        .client = { { 1, 2 } },
                                                        .helo = TEXT("helo"),
                                                        .sender = TEXT("s@x.test"),
                                                        .secure = true,
                                                        .recipient_count = 2,
                                                        .recipients = addresses },
                                          .facts = { .virus = SCAN_LIMITS,
                                                     .virus_name = TEXT("Name"),
                                                     .virus_finding_count = 1,
                                                     .virus_findings = &finding,
                                                     .engine = TEXT("clamav"),
                                                     .findings = TEXT("base64-junk"),
                                                     .part_digest_count = 1,
                                                     .part_digests = parts,
                                                     .subject = TEXT(SECRET),
                                                     .message_id = TEXT(SECRET),
                                                     .from = TEXT(SECRET),
                                                     .seal_basis = TEXT(SECRET),
                                                     .authentication = TEXT("who sent"),
                                                     .rule_marks = TEXT("marks"),
                                                     .signal_count = 2,
                                                     .signals = signals,
                                                     .question_count = 1,
                                                     .questions = questions,
                                                     .edit_count = 1,
                                                     .edits = edits },
                                          .answers = questions,
                                          .answer_count = 1 };
}

static struct explanation explanation_of(struct buffer *evidence)
{
    const struct verdict verdict = {
        .score = 7.5,
        .signal_count = 2,
        .signals = signals,
        .recipient_count = 3,
        .recipients = recipients,
        .code = 250,
        .proof = { .is_made = true, .spf = PROOF_SOFTFAIL, .dmarc = PROOF_FAIL, .author = TEXT("a.test") },
        .direction = DIRECTION_IN
    };
    struct explanation explanation = { .id = 7,
                                       .time_ms = 99,
                                       .class = CLASS_SPAM,
                                       .tag = 6.8,
                                       .quarantine = 12,
                                       .reject = INFINITY,
                                       .virus = SCAN_CLEAN,
                                       .virus_name = TEXT("Name"),
                                       .engine = TEXT("clamav 1.4.6"),
                                       .findings = TEXT("base64-junk") };
    struct explanation_evidence given = evidence_of();
    explanation_verdict(&explanation, &verdict);
    assert_true(explanation_evidence_put(&given, evidence));
    explanation.evidence = buffer_text(evidence);
    explanation.evidence_version = EVIDENCE_VERSION;
    return explanation;
}

static void test_there_and_back(void **state)
{
    struct buffer evidence = { 0 }, record = { 0 }, again = { 0 };
    struct explanation explanation = explanation_of(&evidence), back;
    explanation_put(&explanation, &record);
    assert_true(explanation_get(buffer_text(&record), &back));
    explanation_put(&back, &again);
    assert_true(text_equal(buffer_text(&record), buffer_text(&again)));
    assert_int_equal(back.action_count, 2);
    assert_int_equal(back.actions[0].count, 2);
    assert_true(back.reject == INFINITY && back.signals[1].points == -0.5);
    assert_int_equal(text_find(buffer_text(&record), TEXT(SECRET)), buffer_length(&record));
    for (size_t length = 0; length < buffer_length(&record); length++)
        if (explanation_get(text_slice(buffer_text(&record), 0, length), &back))
            fail_msg("cut at %zu", length);
    buffer_add_char(&record, 0);
    assert_false(explanation_get(buffer_text(&record), &back));
    buffer_free(&evidence);
    buffer_free(&record);
    buffer_free(&again);
}

static void test_every_byte_wrong(void **state)
{
    struct buffer evidence = { 0 }, record = { 0 };
    struct explanation explanation = explanation_of(&evidence), back;
    explanation_put(&explanation, &record);
    for (size_t i = 0; i < buffer_length(&record); i++) {
        struct explanation_evidence read;
        struct arena *arena = arena_new(0);
        record.memory[record.start + i] ^= 0x55;
        if (explanation_get(buffer_text(&record), &back)) explanation_evidence_get(arena, &back, &read);
        record.memory[record.start + i] ^= 0x55;
        arena_free(arena);
    }
    buffer_free(&evidence);
    buffer_free(&record);
}

static void test_evidence_is_what_decide_reads(void **state)
{
    struct arena *arena = arena_new(0);
    struct buffer evidence = { 0 };
    struct explanation explanation = explanation_of(&evidence);
    struct explanation_evidence back;
    assert_true(explanation_evidence_get(arena, &explanation, &back));
    assert_int_equal(back.occasion.recipient_count, 2);
    assert_int_equal(back.answer_count, 1);
    assert_int_equal(back.facts.signal_count, 2);
    assert_true(text_equal(back.facts.rule_marks, TEXT("marks")));
    assert_true(text_equal(back.facts.virus_findings[0].name, TEXT("Name")));
    explanation.evidence_version = EVIDENCE_VERSION + 1;
    assert_false(explanation_evidence_get(arena, &explanation, &back));
    buffer_free(&evidence);
    arena_free(arena);
}

/* Records of other versions lie in ledger's files: they have to be known as such. */
static void test_the_version_is_of_this_form(void **state)
{
    static const struct {
        unsigned version;
        uint64_t checksum;
    } form = { 5, UINT64_C(0xb7a5e0320587cc04) };
    struct buffer evidence = { 0 };
    explanation_of(&evidence);
    if (EVIDENCE_VERSION != form.version || text_checksum(buffer_text(&evidence)) != form.checksum)
        fail_msg("the byte form of occasion, facts or questions is another than that of version %u: count "
                 "EVIDENCE_VERSION on, and write it here with %#llx",
                 form.version, (unsigned long long)text_checksum(buffer_text(&evidence)));
    buffer_free(&evidence);
}

/* The first form has no recipients, and lies in files of the days before. */
static void test_the_first_form(void **state)
{
    struct explanation explanation = { .id = 7, .score = 3 }, back;
    struct buffer record = { 0 }, first = { 0 };
    enum { EVIDENCE_NONE = 2 + 4 };
    explanation_put(&explanation, &record);
    struct text whole = buffer_text(&record);
    put_u8(&first, 1);
    buffer_add_text(&first, text_slice(whole, 1, whole.length - EVIDENCE_NONE - 1));
    buffer_add_text(&first, text_slice(whole, whole.length - EVIDENCE_NONE, whole.length));
    assert_true(explanation_get(buffer_text(&first), &back));
    assert_true(back.id == 7 && back.score == 3 && back.recipient_count == 0);
    first.memory[first.start] = 3;
    assert_false(explanation_get(buffer_text(&first), &back));
    buffer_free(&first);
    buffer_free(&record);
}

static void test_bounds(void **state)
{
    static struct signal many[500];
    static char name[300], evidence[EXPLANATION_MOST];
    struct text long_text = { name, sizeof name };
    memset(name, 'N', sizeof name);
    for (int i = 0; i < 500; i++)
        many[i] = (struct signal){ long_text, i == 77 ? (double)NAN : (double)i, TEXT_NONE };
    struct verdict verdict = { .signal_count = 500,
                               .signals = many,
                               .proof = { .is_made = true,
                                          .author = long_text,
                                          .spf_domain = long_text,
                                          .dkim_domain = long_text,
                                          .excuse = PROOF_LIST,
                                          .excuse_of = long_text,
                                          .list = long_text,
                                          .list_domain = long_text } };
    struct explanation explanation = { .virus_name = long_text, .engine = long_text, .findings = long_text },
                       back;
    struct buffer record = { 0 };
    explanation_verdict(&explanation, &verdict);
    assert_int_equal(explanation.signal_count, EXPLANATION_SIGNALS_MOST);
    assert_int_equal(explanation.signals_left_out, 500 - EXPLANATION_SIGNALS_MOST);
    assert_true(explanation.signals[0].points == 500 - EXPLANATION_SIGNALS_MOST);
    explanation.recipient_count = EXPLANATION_RECIPIENTS_MOST;
    for (uint32_t i = 0; i < EXPLANATION_RECIPIENTS_MOST; i++)
        explanation.recipients[i] =
            (struct explanation_recipient){ ACTION_TAG, ACTION_REJECT, RECIPIENT_BY_OFF,
                                            5.1f,       (float)i,      INFINITY };
    explanation_put(&explanation, &record);
    if (buffer_length(&record) > EXPLANATION_HEAD_MOST) fail_msg("%zu bytes", buffer_length(&record));
    assert_true(explanation_get(buffer_text(&record), &back));
    assert_int_equal(back.recipient_count, EXPLANATION_RECIPIENTS_MOST);
    assert_true(back.recipients[49].action == ACTION_TAG && back.recipients[49].observed == ACTION_REJECT);
    assert_true(back.recipients[49].cause == RECIPIENT_BY_OFF && back.recipients[49].tag == 5.1f);
    assert_true(back.recipients[49].quarantine == 49 && isinf(back.recipients[49].reject));
    buffer_clear(&record);
    explanation.evidence_version = EVIDENCE_VERSION;
    explanation.evidence = text_from(evidence, sizeof evidence);
    explanation_put(&explanation, &record);
    assert_true(buffer_length(&record) <= EXPLANATION_HEAD_MOST);
    assert_true(explanation_get(buffer_text(&record), &back));
    assert_int_equal(back.evidence_version, 0);
    buffer_free(&record);
}

static void test_evidence_that_is_too_much(void **state)
{
    static struct text recipients_many[EXPLANATION_RECIPIENTS_MOST + 1];
    static char marks[EXPLANATION_MOST];
    struct explanation_evidence evidence = evidence_of();
    struct buffer out = { 0 };
    buffer_add_char(&out, 'x');
    evidence.occasion.recipients = recipients_many;
    evidence.occasion.recipient_count = EXPLANATION_RECIPIENTS_MOST + 1;
    assert_false(explanation_evidence_put(&evidence, &out));
    evidence = evidence_of();
    evidence.facts.rule_marks = text_from(marks, sizeof marks);
    assert_false(explanation_evidence_put(&evidence, &out));
    assert_int_equal(buffer_length(&out), 1);
    buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_every_byte_wrong),
        cmocka_unit_test(test_evidence_is_what_decide_reads),
        cmocka_unit_test(test_the_version_is_of_this_form),
        cmocka_unit_test(test_the_first_form),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_evidence_that_is_too_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
