/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The ARC test suite in the folder that SEKIMORI_SUITES names: each case's chain judged, or sealed and
   compared. Without the variable there is nothing to do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "auth/arc_seal.h"
#include "auth/private_key.h"
#include "judged.h"

static json_t *suite_load(const char *file)
{
    char path[4096];
    const char *suites = getenv("SEKIMORI_SUITES");
    if (!suites) return NULL;
    snprintf(path, sizeof path, "%s/arc/%s", suites, file);
    return json_load_file(path, 0, NULL);
}

static struct text text_get(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_string(value) ? text_from(json_string_value(value), json_string_length(value)) : TEXT_NONE;
}

static void zone_load(struct zone *zone, json_t *scenario)
{
    const char *name;
    json_t *value;
    json_object_foreach(json_object_get(scenario, "txt-records"), name, value)
        zone_add_txt(zone, text_of(name), text_of(json_string_value(value)));
}

/* --- validation --- */

static bool case_holds(json_t *scenario, const char *name, json_t *test)
{
    struct judged judged;
    struct zone zone = { .arena = arena_new(0) };
    zone_load(&zone, scenario);
    judged_make(&zone, judged_crlf(zone.arena, text_get(test, "message")), 12345, &judged);
    struct text wanted = text_get(test, "cv");
    struct text word = text_of(authentication_results_word(judged.arc.result));
    bool holds = wanted.length == 0 || text_equal_nocase(wanted, word);
    if (!holds)
        printf("suite arc: %s: %.*s is due, %.*s (%s, set %u) came: %s\n", name, TEXT_ARG(wanted),
               TEXT_ARG(word), arc_reason_name(judged.arc.reason), judged.arc.failed_set,
               judged.arc.by_set ? dkim_reason_name(judged.arc.by_set[judged.arc.sets - 1].message.reason)
                                 : "");
    arena_free(zone.arena);
    return holds;
}

static void test_validation(void **state)
{
    size_t index, cases = 0, right = 0;
    json_t *scenario, *test, *suite = suite_load("arc-draft-validation-tests.json");
    const char *name;
    if (!suite) return;
    json_array_foreach(suite, index, scenario)
    {
        json_object_foreach(json_object_get(scenario, "tests"), name, test)
        {
            cases++;
            right += case_holds(scenario, name, test);
        }
    }
    printf("suite arc validation: %zu of %zu\n", right, cases);
    json_decref(suite);
    assert_int_equal(cases, 111);
    assert_int_equal(right, cases);
}

/* --- signing --- */

/* Without any white space. */
static struct text squeezed(struct arena *arena, struct text text)
{
    char *out = arena_alloc(arena, text.length + 1);
    size_t length = 0;
    for (size_t i = 0; i < text.length; i++)
        if (!strchr(" \t\r\n", text.at[i])) out[length++] = text.at[i];
    return text_from(out, length);
}

/* What the suite expects for a chain is made of all Authentication-Results with our name, in their order. */
static struct text payload_of(struct arena *arena, const struct header *header, struct text authserv_id)
{
    struct buffer payload = { 0 };
    for (size_t i = 0; i < header->count; i++) {
        const struct header_field *field = &header->fields[i];
        if (!text_equal_nocase(field->name, TEXT("Authentication-Results"))) continue;
        if (!authentication_results_is_of(field->value, authserv_id)) continue;
        struct text value = header_unfold(arena, field->value);
        size_t semicolon = text_find_char(value, ';');
        buffer_add_text(&payload, text_slice(value, semicolon, value.length));
    }
    struct text all = arena_text(arena, buffer_text(&payload));
    buffer_free(&payload);
    return all;
}

static struct text sign(struct arena *arena, const struct private_key *key, const uint8_t *digest)
{
    struct buffer out = { 0 };
    assert_true(private_key_sign(key, digest, &out));
    struct text signature = arena_text(arena, buffer_text(&out));
    buffer_free(&out);
    return signature;
}

/* The three fields, or nothing where none are to be added. */
static struct text seal(struct zone *zone, json_t *scenario, json_t *test, struct text message)
{
    char error[128];
    struct judged judged;
    struct arc_sealing sealing;
    uint8_t body[KEY_DIGEST_BYTES];
    struct private_key *key = private_key_load(text_get(scenario, "privatekey"), error, sizeof error);
    assert_non_null(key);
    judged_make(zone, message, 12345, &judged);
    struct arc_seal_wish wish = {
        .signer = { text_get(scenario, "domain"), text_get(scenario, "sel"), private_key_kind(key) },
        .authserv_id = text_get(test, "srv-id"),
        .payload = payload_of(zone->arena, &judged.header, text_get(test, "srv-id")),
        .names = text_get(test, "sig-headers"),
        .now_s = (uint64_t)json_integer_value(json_object_get(test, "t")),
    };
    struct text fields = TEXT_NONE;
    dkim_signing_body(text_slice(message, judged.header.body_offset, message.length), body);
    if (arc_seal_begin(zone->arena, &judged.header, body, &judged.signatures.arc, &judged.arc, &wish,
                       &sealing)) {
        arc_seal_message(zone->arena, &sealing, sign(zone->arena, key, sealing.message.digest));
        fields = arc_seal_end(zone->arena, &sealing, sign(zone->arena, key, sealing.seal.digest));
    }
    private_key_free(key);
    return fields;
}

static bool is_sealed_as_due(json_t *scenario, const char *name, json_t *test)
{
    struct zone zone = { .arena = arena_new(0) };
    struct header made;
    static const struct {
        const char *key, *field;
    } fields[] = { { "AS", "ARC-Seal" },
                   { "AMS", "ARC-Message-Signature" },
                   { "AAR", "ARC-Authentication-Results" } };
    bool holds = true;
    zone_load(&zone, scenario);
    struct text message = judged_crlf(zone.arena, text_get(test, "message"));
    struct text set = seal(&zone, scenario, test, message);
    judged_header(zone.arena, set, &made);
    for (size_t i = 0; i < 3; i++) {
        struct text due = squeezed(zone.arena, text_get(test, fields[i].key));
        const struct header_field *field = header_find_name(&made, text_of(fields[i].field));
        struct text got = field ? squeezed(zone.arena, field->value) : TEXT_NONE;
        if (text_equal(due, got)) continue;
        holds = false;
        printf("suite arc: %s: %s\n  due  %.*s\n  came %.*s\n", name, fields[i].key, TEXT_ARG(due),
               TEXT_ARG(got));
    }
    arena_free(zone.arena);
    return holds;
}

static void test_signing(void **state)
{
    size_t index, cases = 0, right = 0;
    json_t *scenario, *test, *suite = suite_load("arc-draft-sign-tests.json");
    const char *name;
    if (!suite) return;
    json_array_foreach(suite, index, scenario)
    {
        json_object_foreach(json_object_get(scenario, "tests"), name, test)
        {
            cases++;
            right += is_sealed_as_due(scenario, name, test);
        }
    }
    printf("suite arc signing: %zu of %zu\n", right, cases);
    json_decref(suite);
    assert_int_equal(cases, 17);
    assert_int_equal(right, cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_validation), cmocka_unit_test(test_signing) };
    return cmocka_run_group_tests_name("arc suite", tests, NULL, NULL);
}
