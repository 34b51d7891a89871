/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A range of code points a row. Called by lexer.c. */
#include "config/lookalike.h"

#include <inttypes.h>

#include "base/printable.h"
#include "base/utf8.h"

enum { SAME_ORDER = 1 }; /* as ASCII has them: the first is "!" */

static const struct {
    uint32_t first, last;
    char ascii;
    const char *kind;
} ranges[] = {
    { 0xFF01, 0xFF5E, SAME_ORDER, "full-width" }, { 0x3000, 0x3000, ' ', "full-width" },
    { 0x3001, 0x3001, ',', "full-width" },        { 0x3002, 0x3002, '.', "full-width" },
    { 0x300C, 0x300F, '"', "full-width" },        { 0x301D, 0x301F, '"', "full-width" },
    { 0xFF61, 0xFF61, '.', "half-width" },        { 0xFF62, 0xFF63, '"', "half-width" },
    { 0xFF64, 0xFF64, ',', "half-width" },        { 0x00A0, 0x00A0, ' ', "no-break" },
    { 0x00AB, 0x00AB, '"', "typographic" },       { 0x00BB, 0x00BB, '"', "typographic" },
    { 0x2000, 0x200A, ' ', "typographic" },       { 0x200B, 0x200F, 0, "invisible" },
    { 0x2010, 0x2015, '-', "typographic" },       { 0x2018, 0x201F, '"', "typographic" },
    { 0x202F, 0x202F, ' ', "no-break" },          { 0x205F, 0x205F, ' ', "typographic" },
    { 0x2060, 0x2060, 0, "invisible" },           { 0x2212, 0x2212, '-', "typographic" },
    { 0xFEFF, 0xFEFF, 0, "invisible" },
};
enum { RANGES = sizeof ranges / sizeof *ranges };

static int range_of(uint32_t code)
{
    for (int i = 0; i < RANGES; i++)
        if (code >= ranges[i].first && code <= ranges[i].last) return i;
    return -1;
}

bool lookalike_find(struct text text, struct lookalike *out)
{
    size_t length = text.length && (unsigned char)text.at[0] >= 0xC2 ? utf8_sequence(text) : 0;
    uint32_t code = length ? printable_code(text, length) : 0;
    int range = code ? range_of(code) : -1;
    *out = (struct lookalike){ 0 };
    if (range < 0) return false;
    char ascii = ranges[range].ascii;
    *out = (struct lookalike){ .character = text_slice(text, 0, length),
                               .code = code,
                               .ascii = ascii == SAME_ORDER ? (char)('!' + code - 0xFF01) : ascii };
    return true;
}

void lookalike_print(const struct lookalike *lookalike, struct buffer *out)
{
    const char *kind = ranges[range_of(lookalike->code)].kind;
    if (!lookalike->ascii)
        buffer_printf(out, "an %s character (U+%04" PRIX32 ") stands here; delete it", kind, lookalike->code);
    else if (lookalike->ascii == ' ')
        buffer_printf(out, "a %s blank \"%.*s\" (U+%04" PRIX32 ") stands where an ASCII blank belongs", kind,
                      TEXT_ARG(lookalike->character), lookalike->code);
    else
        buffer_printf(out, "a %s \"%.*s\" (U+%04" PRIX32 ") stands where an ASCII %s%c%s belongs", kind,
                      TEXT_ARG(lookalike->character), lookalike->code, lookalike->ascii == '"' ? "" : "\"",
                      lookalike->ascii, lookalike->ascii == '"' ? "" : "\"");
}
