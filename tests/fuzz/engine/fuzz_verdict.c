/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Any bytes that a command may say: the first is its exit status, the second chooses the pattern. What
   follows from them is bounded, and the status alone decides what it is. */
#include <stdlib.h>

#include "config/engines.h"
#include "engine/verdict.h"
#include "judge/engine_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const patterns[] = { "FOUND (.+)$", "^([^:]*: )*(.+) FOUND$", "(a*)*b|(c|d)+", ".*" };
    static struct text clean[] = { TEXT("0") }, found[] = { TEXT("1"), TEXT("10") };
    struct outside_engine engine = { .clean = { clean, 1 }, .found = { found, 2 } };
    struct buffer name = { 0 };
    regex_t pattern;
    char why[100];
    if (size < 2) return 0;
    engine.pattern = text_of(patterns[data[1] % 4]);
    if (!config_engine_pattern(&engine, &pattern, why, sizeof why)) abort();
    enum scan_state state =
        verdict_of(&engine, &pattern, data[0], text_from((const char *)data + 2, size - 2), &name);
    bool is_found = data[0] == 1 || data[0] == 10;
    if (state != (data[0] == 0 ? SCAN_CLEAN : is_found ? SCAN_FOUND : SCAN_UNSCANNED)) abort();
    if (buffer_length(&name) > ENGINE_WORDS_MOST || (state == SCAN_CLEAN) != (buffer_length(&name) == 0))
        abort();
    regfree(&pattern);
    buffer_free(&name);
    return 0;
}
