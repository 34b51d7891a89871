/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "ledger/declaration.h"

#include "base/printable.h"

static bool word_take(struct text *line, struct text *out)
{
    return text_next_word(line, out) && out->length <= DECLARATION_BY_MOST;
}

static bool number_take(struct text *line, uint64_t most, uint64_t *out)
{
    struct text word;
    return word_take(line, &word) && text_to_number(word, most, out);
}

static bool end_take(struct text *rest, struct declaration *out)
{
    uint64_t node;
    if (!number_take(rest, UINT8_MAX, &node) || node == 0) return false;
    out->node = (uint16_t)node;
    return number_take(rest, UINT64_MAX, &out->ended_ms);
}

bool declaration_read(struct text line, struct declaration *out)
{
    struct text verb, rest = line;
    uint64_t number;
    *out = (struct declaration){ 0 };
    if (line.length > DECLARATION_MOST || !printable_is_whole(line) || !word_take(&rest, &verb)) return false;
    out->is_end = text_equal(verb, TEXT("end"));
    if (!out->is_end && !text_equal(verb, TEXT("say"))) return false;
    if (!number_take(&rest, UINT32_MAX - DECLARATION_NODES, &number) || number < DECLARATION_NODES)
        return false;
    out->number = (uint32_t)number;
    out->node = declaration_node(out->number);
    if (out->node == 0 || out->node > UINT8_MAX || !word_take(&rest, &out->kind) ||
        out->kind.length > DECLARATION_KIND_MOST || !number_take(&rest, UINT64_MAX, &out->expires_ms) ||
        !number_take(&rest, UINT64_MAX, &out->made_ms) || !word_take(&rest, &out->by))
        return false;
    if (out->is_end && !end_take(&rest, out)) return false;
    out->body = text_trim(rest);
    return out->body.length > 0 && out->body.length <= DECLARATION_BODY_MOST;
}

void declaration_write(const struct declaration *declaration, struct buffer *out)
{
    buffer_printf(out, "%s %u %.*s %llu %llu %.*s ", declaration->is_end ? "end" : "say", declaration->number,
                  TEXT_ARG(declaration->kind), (unsigned long long)declaration->expires_ms,
                  (unsigned long long)declaration->made_ms, TEXT_ARG(declaration->by));
    if (declaration->is_end)
        buffer_printf(out, "%u %llu ", declaration->node, (unsigned long long)declaration->ended_ms);
    buffer_add_text(out, declaration->body);
}

bool declaration_beats(struct text line, struct text other)
{
    struct declaration a, b;
    declaration_read(line, &a);
    declaration_read(other, &b);
    if (a.made_ms != b.made_ms) return a.made_ms > b.made_ms;
    if (a.is_end != b.is_end) return a.is_end;
    return text_compare(line, other) < 0;
}

uint16_t declaration_node(uint32_t number)
{
    return number < DECLARATION_NODES ? 0 : (uint16_t)(number % DECLARATION_NODES);
}
