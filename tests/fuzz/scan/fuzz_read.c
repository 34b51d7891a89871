/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A message through both halves of judging, with an engine that looks at every byte: any bytes get a verdict,
   its byte form is whole, its words are ASCII, and its edits fit the message. */
#include <stdlib.h>

#include "base/codec.h"
#include "config/load.h"
#include "mail/edits.h"
#include "scan/decide.h"
#include "scan/read.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void scan_bytes(struct engine *engine, struct text bytes, struct engine_result *out)
{
    (void)engine;
    uint64_t sum = text_checksum(bytes);
    engine_result_set(out, sum % 64 == 0 ? SCAN_FOUND : SCAN_CLEAN, TEXT_NONE);
}

static const struct engine_calls calls = { scan_bytes, scan_bytes, NULL };

static struct config *config_once(void)
{
    static struct config *config;
    struct problem_list problems;
    if (config) return config;
    problem_list_start(&problems);
    config = config_load_text(TEXT("hostname mx.test\nadmin a@mx.test\nlisten 127.0.0.1:2525\n"
                                   "domains { on.test 127.0.0.1; off.test 127.0.0.1 { spam off } }\nlimits { "
                                   "mime parts 50; mime depth 8 }\n"),
                              "fuzz.conf", false, &problems);
    if (!config) abort();
    problem_list_free(&problems);
    return config;
}

static void must_be_ascii(struct text text)
{
    for (size_t i = 0; i < text.length; i++)
        if ((unsigned char)text.at[i] > 0x7E) abort();
}

static void verdict_check(struct arena *arena, const struct facts *facts, const struct verdict *verdict,
                          size_t size)
{
    struct buffer whole = { 0 };
    struct edits edits;
    struct facts again;
    facts_put(facts, &whole);
    struct reader reader = reader_of(buffer_text(&whole));
    if (!facts_get(arena, &reader, &again) || !reader_done(&reader)) abort();
    verdict_put(verdict, &whole);
    if (buffer_length(&whole) > 100 * 1024) abort(); /* it has to fit a frame */
    for (uint32_t i = 0; i < verdict->recipe_count; i++) {
        if (!edits_decode(arena, verdict->recipes[i].edits, size, &edits)) abort();
        must_be_ascii(edits.items[0].insert); /* at least what stands on top */
    }
    must_be_ascii(verdict->reason);
    must_be_ascii(verdict->summary);
    buffer_free(&whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct engine engine = { .calls = &calls, .version = "fuzz" };
    struct scanner scanner = { config_once(), &engine, verdict_cache_new(4), TEXT_NONE, NULL };
    struct text recipients[] = { TEXT("a@on.test"), TEXT("a@off.test") };
    struct occasion occasion = { .recipients = recipients, .recipient_count = 2 };
    struct arena *arena = arena_new(0);
    struct facts facts;
    struct verdict verdict;
    read_facts(arena, &scanner, &occasion, text_from((const char *)bytes, size), NULL, &facts);
    decide_verdict(arena, scanner.config, &occasion, &facts, NULL, 0, &verdict);
    verdict_check(arena, &facts, &verdict, size);
    arena_free(arena);
    verdict_cache_free(scanner.cache);
    return 0;
}
