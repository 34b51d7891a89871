/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Names of signatures and their classes; findings of one message in their order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "config/closed_kinds.h"
#include "virus/classes.h"
#include "virus/inspect.h"

static void names(void **state)
{
    static const struct {
        const char *name;
        enum virus_class class;
    } rows[] = {
        { "Eicar-Test-Signature", VIRUS_CLASS_VIRUS },
        { "Win.Trojan.Agent-36387", VIRUS_CLASS_VIRUS },
        { "", VIRUS_CLASS_VIRUS },
        { "unnamed", VIRUS_CLASS_VIRUS },
        { "Win.Spammer.Bot-1", VIRUS_CLASS_VIRUS },
        { "Puadora", VIRUS_CLASS_VIRUS },
        { "Doc.Dropper.PUA-1", VIRUS_CLASS_VIRUS }, /* only where it begins so */
        { "PUA.Win.Packer.Upx-1", VIRUS_CLASS_PUA },
        { "pua.Html.Trojan.Miner-1", VIRUS_CLASS_PUA },
        { "Heuristics.OLE2.ContainsMacros.VBA", VIRUS_CLASS_PUA },
        { "Heuristics.Broken.Executable", VIRUS_CLASS_PUA },
        { "Heuristics.Structured.CreditCardNumber", VIRUS_CLASS_PUA },
        { "Heuristics.Encrypted.Zip", VIRUS_CLASS_ENCRYPTED },
        { "Heuristics.Limits.Exceeded.MaxFileSize", VIRUS_CLASS_LIMITS },
        { "Heuristics.LimitsAreFine", VIRUS_CLASS_VIRUS },
        { "Heuristics.Phishing.Email.SpoofedDomain", VIRUS_CLASS_PHISHING },
        { "Html.Phishing.Bank-1", VIRUS_CLASS_PHISHING },
        { "Email.Phishing.VOF2-6", VIRUS_CLASS_PHISHING },
        { "winnow.phish.ts.1234", VIRUS_CLASS_PHISHING },
        { "winnow.spam.ts.1234", VIRUS_CLASS_SPAM },
        { "winnow.malware.wz.1234", VIRUS_CLASS_VIRUS },
        { "Sanesecurity.Malware.28832.XmlHeur", VIRUS_CLASS_VIRUS },
        { "Sanesecurity.Rogue.0hr.1", VIRUS_CLASS_VIRUS },
        { "Sanesecurity.Phishing.Cur.1", VIRUS_CLASS_PHISHING },
        { "Sanesecurity.TestSig_Type3_Bdy_1", VIRUS_CLASS_SPAM },
        { "Sanesecurity.Scam4.5678", VIRUS_CLASS_SPAM },
        { "Sanesecurity.Jurlbl.abc", VIRUS_CLASS_SPAM },
        { "Sanesecurity.Foxhole.Zip_exe", VIRUS_CLASS_PUA },
        { "SecuriteInfo.com.Spam-1", VIRUS_CLASS_SPAM },
        { "SecuriteInfo.com.Trojan.Spam-1", VIRUS_CLASS_VIRUS },
        { "not-a-virus:RiskTool.Win32", VIRUS_CLASS_PUA },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (classes_of_name(text_of(rows[i].name)) != rows[i].class)
            fail_msg("%s: %s", rows[i].name,
                     evidence_virus_class_name(classes_of_name(text_of(rows[i].name))));
}

/* The worst stands first, equals in the order they came; the worst gives state and name. */
static void order(void **state)
{
    struct inspection inspection = { .arena = arena_new(0), .result = { .state = SCAN_CLEAN } };
    (void)state;
    inspection.part = TEXT("a \"\xe3\x81\x82\".zip");
    inspect_add(&inspection, VIRUS_CLASS_ENCRYPTED, TEXT("open"), TEXT("zip"));
    assert_int_equal(inspection.result.state, SCAN_CLOSED);
    assert_string_equal(inspection.findings[0].part.at, "a \"???\".zip");
    inspect_add(&inspection, VIRUS_CLASS_LIMITS, TEXT("clamav"), TEXT("files"));
    assert_int_equal(inspection.result.state, SCAN_LIMITS);
    inspect_add(&inspection, VIRUS_CLASS_PUA, TEXT("clamav"), TEXT("PUA.A"));
    inspect_add(&inspection, VIRUS_CLASS_PUA, TEXT("clamav"), TEXT("PUA.A"));
    inspect_add(&inspection, VIRUS_CLASS_PUA, TEXT("clamd"), TEXT("PUA.A"));
    assert_int_equal(inspection.result.state, SCAN_FOUND);
    assert_string_equal(inspection.result.name, "PUA.A");
    inspect_add(&inspection, VIRUS_CLASS_VIRUS, TEXT("clamav"), TEXT("Worm\x01"));
    assert_string_equal(inspection.result.name, "Worm?");
    static const char *const names[] = { "Worm?", "PUA.A", "PUA.A", "zip", "files" };
    assert_int_equal(inspection.finding_count, 5);
    for (int i = 0; i < 5; i++) assert_string_equal(inspection.findings[i].name.at, names[i]);
    assert_string_equal(inspection.findings[2].engine.at, "clamd");
    arena_free(inspection.arena);
}

/* An engine that failed is worse than what stayed closed, and no worse than what was found. */
static void unscanned(void **state)
{
    struct inspection inspection = { .arena = arena_new(0),
                                     .result = { .state = SCAN_UNSCANNED, .name = "why" } };
    (void)state;
    inspect_add(&inspection, VIRUS_CLASS_NOT_OPENED, TEXT("open"), TEXT("rar"));
    assert_int_equal(inspection.result.state, SCAN_UNSCANNED);
    assert_string_equal(inspection.result.name, "why");
    inspect_add(&inspection, VIRUS_CLASS_SPAM, TEXT("clamav"), TEXT("Spam.A"));
    assert_int_equal(inspection.result.state, SCAN_FOUND);
    assert_string_equal(inspection.result.name, "Spam.A");
    arena_free(inspection.arena);
}

/* Where there is no room the mildest go, but the last of a class stays. */
static void too_many(void **state)
{
    struct inspection inspection = { .arena = arena_new(0), .result = { .state = SCAN_CLEAN } };
    char name[20];
    (void)state;
    for (int i = 0; i < 3 * VIRUS_FINDINGS_MOST; i++) {
        snprintf(name, sizeof name, "type %d", i);
        inspect_add(&inspection, VIRUS_CLASS_ENCRYPTED, TEXT_NONE, text_of(name));
    }
    assert_int_equal(inspection.finding_count, VIRUS_FINDINGS_MOST);
    assert_string_equal(inspection.findings[VIRUS_FINDINGS_MOST - 1].name.at, "type 15");
    inspect_add(&inspection, VIRUS_CLASS_LIMITS, TEXT_NONE, TEXT("nesting"));
    inspect_add(&inspection, VIRUS_CLASS_LIMITS, TEXT_NONE, TEXT("one more"));
    assert_string_equal(inspection.findings[VIRUS_FINDINGS_MOST - 1].name.at, "nesting");
    assert_string_equal(inspection.findings[VIRUS_FINDINGS_MOST - 2].name.at, "type 14");
    inspect_add(&inspection, VIRUS_CLASS_ENCRYPTED, TEXT_NONE, TEXT("late"));
    assert_string_equal(inspection.findings[VIRUS_FINDINGS_MOST - 2].name.at, "type 14");
    assert_true(inspection.not_opened == 0);
    inspect_add(&inspection, VIRUS_CLASS_NOT_OPENED, TEXT("open"), TEXT("zip: damaged"));
    inspect_add(&inspection, VIRUS_CLASS_NOT_OPENED, TEXT("open"), TEXT("squashfs"));
    assert_string_equal(inspection.findings[VIRUS_FINDINGS_MOST - 2].name.at, "zip: damaged");
    assert_string_equal(inspection.findings[VIRUS_FINDINGS_MOST - 3].name.at, "type 13");
    assert_true(inspection.not_opened == (UINT64_C(1) << closed_kinds_number(TEXT("zip")) |
                                          UINT64_C(1) << closed_kinds_number(TEXT("squashfs"))));
    inspect_add(&inspection, VIRUS_CLASS_VIRUS, TEXT_NONE, TEXT("Worm"));
    assert_int_equal(inspection.finding_count, VIRUS_FINDINGS_MOST);
    assert_string_equal(inspection.findings[0].name.at, "Worm");
    assert_string_equal(inspection.findings[VIRUS_FINDINGS_MOST - 1].name.at, "nesting");
    assert_string_equal(inspection.findings[VIRUS_FINDINGS_MOST - 3].name.at, "type 12");
    arena_free(inspection.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(names), cmocka_unit_test(order),
                                        cmocka_unit_test(unscanned), cmocka_unit_test(too_many) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
