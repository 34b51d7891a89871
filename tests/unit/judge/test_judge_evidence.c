/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Facts, questions and verdicts as bytes: there and back, cut at every place, with every enum out of range.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/codec.h"
#include "judge/evidence.h"

static struct text addresses[] = { { "a@b.test", 8 }, { "c@d.test", 8 } };
static struct question question = {
    QUESTION_CLIENT_NAME, { "192.0.2.1", 9 }, ANSWER_FOUND, { "mx.test", 7 }
};
static struct signal signals[] = { { { "GTUBE", 5 }, 1000, { "test", 4 } },
                                   { { "OTHER", 5 }, -0.5, { "", 0 } } };
static struct possible_edit edits[] = { { EDIT_FORGED, 0, 9, { "", 0 } },
                                        { EDIT_FORGED, 9, 4, { "new", 3 } },
                                        { EDIT_TAG, 5, 0, { "[SPAM]", 6 } } };
static struct recipe recipes[] = { { { 1 << EDIT_FORGED | 1 << EDIT_STATUS }, { "1234", 4 } },
                                   { { 1 << EDIT_TAG }, { "56789", 5 } } };
static struct recipient_verdict results[] = { { ACTION_TAG, ACTION_REJECT, 1 },
                                              { ACTION_ACCEPT, ACTION_ACCEPT, 0 } };

enum form { OCCASION, QUESTIONS, FACTS, VERDICT, FORMS };

static void form_put(enum form form, struct buffer *out)
{
    struct occasion occasion = { 7,
                                 3,
                                 DIRECTION_OUT,
                                 { { 1, 2 } },
                                 TEXT("helo"),
                                 TEXT("s@x.test"),
                                 true,
                                 false,
                                 false,
                                 TEXT("cloud"),
                                 2,
                                 addresses };
    struct virus_finding finding = { VIRUS_CLASS_LIMITS, TEXT("clamav"), TEXT("Name"), TEXT("part") };
    static struct part_digest parts[2] = { { .bytes = { 1 }, .is_infected = true }, { .bytes = { 2 } } };
    struct facts facts = { .virus = SCAN_FOUND,
                           .virus_name = TEXT("Name"),
                           .virus_finding_count = 1,
                           .virus_findings = &finding,
                           .not_opened = 1u << 5 | UINT64_C(1) << 40,
                           .engine = TEXT("clamav"),
                           .ambiguous = true,
                           .findings = TEXT("base64-junk"),
                           .content = 5,
                           .lacks_header = true,
                           .received_count = 3,
                           .part_count = 4,
                           .part_digest_count = 2,
                           .part_digests = parts,
                           .subject = TEXT("subject"),
                           .message_id = TEXT("<x>"),
                           .from = TEXT("from"),
                           .authentication = TEXT("who sent "),
                           .signal_count = 2,
                           .signals = signals,
                           .question_count = 1,
                           .questions = &question,
                           .edit_count = 3,
                           .edits = edits };
    struct verdict verdict = { .score = 7.5,
                               .signal_count = 2,
                               .signals = signals,
                               .recipient_count = 2,
                               .recipients = results,
                               .code = 250,
                               .enhanced = TEXT("2.0.0"),
                               .reason = TEXT("reason"),
                               .recipe_count = 2,
                               .recipes = recipes,
                               .summary = TEXT("summary"),
                               .is_counted = true,
                               .teaches = TEACHES_SPAM,
                               .taught_of = TEXT("o.test"),
                               .proof = { .is_made = true,
                                          .spf = PROOF_SOFTFAIL,
                                          .dkim = PROOF_PASS,
                                          .dmarc = PROOF_FAIL,
                                          .arc = PROOF_PERMERROR,
                                          .demand = PROOF_ASKS_REJECT,
                                          .excuse = PROOF_SEALER,
                                          .fate = FATE_EXCUSED,
                                          .author = TEXT("a.test"),
                                          .spf_domain = TEXT("b.test"),
                                          .dkim_domain = TEXT("c.test"),
                                          .excuse_of = TEXT("d.test"),
                                          .list = TEXT("e.f.test"),
                                          .list_domain = TEXT("f.test") },
                               .is_spam = true,
                               .newsletter = TEXT("n.test"),
                               .newsletter_of = TEXT("g.test") };
    if (form == OCCASION) occasion_put(&occasion, out);
    if (form == QUESTIONS) questions_put(&question, 1, out);
    if (form == FACTS) facts_put(&facts, out);
    if (form == VERDICT) verdict_put(&verdict, out);
}

/* Reads and writes again; false when it is malformed. */
static bool form_again(enum form form, struct text bytes, struct buffer *out)
{
    struct arena *arena = arena_new(0);
    struct reader reader = reader_of(bytes);
    struct occasion occasion;
    struct question *list;
    uint32_t count;
    struct facts facts;
    struct verdict verdict;
    bool is_good = false;
    if (form == OCCASION && (is_good = occasion_get(arena, &reader, &occasion))) occasion_put(&occasion, out);
    if (form == QUESTIONS && (is_good = questions_get(arena, &reader, &list, &count)))
        questions_put(list, count, out);
    if (form == FACTS && (is_good = facts_get(arena, &reader, &facts))) facts_put(&facts, out);
    if (form == VERDICT && (is_good = verdict_get(arena, &reader, &verdict))) verdict_put(&verdict, out);
    is_good = is_good && reader_done(&reader);
    arena_free(arena);
    return is_good;
}

static void test_there_and_back(void **state)
{
    (void)state;
    for (enum form form = 0; form < FORMS; form++) {
        struct buffer first = { 0 }, again = { 0 };
        form_put(form, &first);
        assert_true(form_again(form, buffer_text(&first), &again));
        assert_true(text_equal(buffer_text(&first), buffer_text(&again)));
        buffer_free(&first);
        buffer_free(&again);
    }
}

static void test_cut_anywhere(void **state)
{
    (void)state;
    for (enum form form = 0; form < FORMS; form++) {
        struct buffer whole = { 0 }, again = { 0 };
        form_put(form, &whole);
        for (size_t length = 0; length < buffer_length(&whole); length++)
            if (form_again(form, text_slice(buffer_text(&whole), 0, length), &again))
                fail_msg("form %d cut to %zu bytes is taken", (int)form, length);
        buffer_free(&whole);
        buffer_free(&again);
    }
}

/* Where numbers stand that must be in range. */
enum {
    EDIT = 21,                 /* bytes of one that inserts nothing */
    FINDING = 1 + (4 + 4) + 4, /* the class of the first */
    FINDINGS_LENGTH = 4 + 1 + (4 + 6) + (4 + 4) + (4 + 4),
    PARTS = 4 + 2 * 17,
    EDITS = 184 + PARTS + 1 + (4 + 9) + 4 + FINDINGS_LENGTH,
    TENANCY = 80 + PARTS + FINDINGS_LENGTH,
    RECIPES = 8 + 4 + (4 + 5 + 8 + 4 + 4) + (4 + 5 + 8 + 4),
    RECIPIENTS = RECIPES + 4 + (2 + 4 + 4) + (2 + 4 + 5),
    PROOF = RECIPIENTS + 4 + 2 * 4 + 2 + (4 + 5) + (4 + 6) + 1 + (4 + 7),
    FOUND = PROOF + 1 + 7 + 4 * (4 + 6),                         /* the direction, and how it was proven */
    TEACHES_AT = FOUND + (4 + 8) + (4 + 6) + 3 + 2 * (4 + 6) + 1 /* behind the list and the newsletter */
};

static void test_numbers_out_of_range(void **state)
{
    (void)state;
    static const struct {
        enum form form;
        size_t offset;
        uint8_t value;
    } rows[] = {
        { OCCASION, 10, DIRECTION_OUT + 1 },
        { OCCASION, 49, 1 }, /* undecided, and from inside */
        { OCCASION, 59, 2 },
        { QUESTIONS, 4, QUESTION_KIND_COUNT },
        { QUESTIONS, 4 + 1 + 4 + 9, ANSWER_TEMPERROR + 1 },
        { FACTS, 0, SCAN_STATE_COUNT },
        { FACTS, FINDING, VIRUS_CLASS_COUNT },
        { FACTS, FINDING - 4, 0 }, /* found, and nothing is */
        { FACTS, TENANCY, TENANCY_COUNT },
        { FACTS, EDITS + 4 + EDIT + EDIT + 3, EDIT_KIND_COUNT },
        { FACTS, EDITS + 4 + EDIT + EDIT + 3, EDIT_FORGED }, /* not behind the one before */
        { FACTS, EDITS + 4, EDIT_TAG },                      /* kinds out of order */
        { FACTS, EDITS + 4 + EDIT + 1, 8 },                  /* over the end of the one before */
        { FACTS, EDITS + 4 + 1 + 8 + 7, 255 },               /* the next one is not behind it */
        { VERDICT, 7, 0x7F },                                /* a score of 1e304 */
        { VERDICT, RECIPES + 4 + 1, 2 },                     /* a kind that is none */
        { VERDICT, RECIPIENTS + 4, ACTION_DEFER + 1 },
        { VERDICT, RECIPIENTS + 5, ACTION_DEFER + 1 },
        { VERDICT, RECIPIENTS + 6, 2 },
        { VERDICT, RECIPIENTS + 7, RECIPIENT_CAUSE_COUNT },
        { VERDICT, FOUND + 2, 2 },
        { VERDICT, PROOF, 3 },
        { VERDICT, PROOF + 1, PROOF_RESULT_COUNT },
        { VERDICT, PROOF + 4, PROOF_RESULT_COUNT },
        { VERDICT, PROOF + 5, PROOF_DEMAND_COUNT },
        { VERDICT, PROOF + 6, PROOF_EXCUSE_COUNT },
        { VERDICT, PROOF + 7, FATE_COUNT },
        { VERDICT, FOUND, DIRECTION_OUT + 1 },
        { VERDICT, FOUND + 1, TENANCY_COUNT },
        { VERDICT, FOUND + 2, 2 },
        { VERDICT, TEACHES_AT - 1, 2 },
        { VERDICT, TEACHES_AT, TEACHES_COUNT },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer bytes = { 0 }, again = { 0 };
        form_put(rows[i].form, &bytes);
        bytes.memory[bytes.start + rows[i].offset] = (char)rows[i].value;
        if (form_again(rows[i].form, buffer_text(&bytes), &again)) fail_msg("row %zu is taken", i);
        buffer_free(&bytes);
        buffer_free(&again);
    }
}

/* An edit's end must be a number, too. */
static void test_edit_too_long(void **state)
{
    (void)state;
    for (uint64_t offset = 2; offset <= 3; offset++) {
        struct possible_edit edit = { EDIT_TAG, offset, UINT64_MAX - 2, TEXT_NONE };
        struct facts facts = { .edit_count = 1, .edits = &edit };
        struct buffer bytes = { 0 }, again = { 0 };
        facts_put(&facts, &bytes);
        assert_int_equal(form_again(FACTS, buffer_text(&bytes), &again), offset == 2);
        buffer_free(&bytes);
        buffer_free(&again);
    }
}

/* A message may not raise more questions than a set has room for beside its session's, nor may recipes be too
   long for the frame that takes them to queue. */
static void test_bounds(void **state)
{
    (void)state;
    static struct question raised[QUESTIONS_RAISED_MOST + 1];
    static char bytes[RECIPES_BYTES_MOST + 1];
    for (size_t more = 0; more <= 1; more++) {
        struct facts facts = { .question_count = QUESTIONS_RAISED_MOST + (uint32_t)more,
                               .questions = raised };
        struct recipe two[] = { { { 0 }, { bytes, RECIPES_BYTES_MOST / 2 } },
                                { { 1 }, { bytes, RECIPES_BYTES_MOST / 2 + more } } };
        struct verdict verdict = { .code = 250, .recipe_count = 2, .recipes = two };
        struct buffer first = { 0 }, second = { 0 }, again = { 0 };
        facts_put(&facts, &first);
        verdict_put(&verdict, &second);
        assert_int_equal(form_again(FACTS, buffer_text(&first), &again), more == 0);
        assert_int_equal(form_again(VERDICT, buffer_text(&second), &again), more == 0);
        buffer_free(&first);
        buffer_free(&second);
        buffer_free(&again);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_there_and_back),
                                        cmocka_unit_test(test_cut_anywhere),
                                        cmocka_unit_test(test_numbers_out_of_range),
                                        cmocka_unit_test(test_edit_too_long), cmocka_unit_test(test_bounds) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
