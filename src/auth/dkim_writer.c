/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Word by word with the column in mind. */
#include "auth/dkim_writer.h"

#include <stdio.h>

#include "mail/base64.h"

/* Folded lines begin with a blank, not a tab: python3-dkim looks for " i=1;" in a field as it came. */
enum { COLUMNS = 78, INDENT = 1 };

const char *dkim_writer_algorithm(enum key_kind kind)
{
    return kind == KEY_ED25519 ? "ed25519-sha256" : "rsa-sha256";
}

void dkim_writer_begin(struct dkim_writer *writer, const char *field_name)
{
    buffer_printf(&writer->out, "%s:", field_name);
    writer->column = strlen(field_name) + 1;
}

/* Begins a tag that takes so many columns at least. */
static void tag_begin(struct dkim_writer *writer, size_t length)
{
    bool is_behind_signature = writer->mark == buffer_length(&writer->out);
    if (writer->has_tag) buffer_add_char(&writer->out, ';');
    if (writer->has_tag && (is_behind_signature || writer->column + 3 + length > COLUMNS)) {
        buffer_printf(&writer->out, "\r\n ");
        writer->column = INDENT;
    } else {
        buffer_add_char(&writer->out, ' ');
        writer->column += 2;
    }
    writer->has_tag = true;
    writer->column += length;
}

void dkim_writer_tag(struct dkim_writer *writer, const char *name, struct text value)
{
    tag_begin(writer, strlen(name) + 1 + value.length);
    buffer_printf(&writer->out, "%s=", name);
    buffer_add_text(&writer->out, value);
}

void dkim_writer_number(struct dkim_writer *writer, const char *name, uint64_t number)
{
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)number);
    dkim_writer_tag(writer, name, text_from(digits, (size_t)length));
}

void dkim_writer_digest(struct dkim_writer *writer, const char *name, const uint8_t digest[KEY_DIGEST_BYTES])
{
    struct buffer value = { 0 };
    base64_add(&value, text_from((const char *)digest, KEY_DIGEST_BYTES));
    dkim_writer_tag(writer, name, buffer_text(&value));
    buffer_free(&value);
}

void dkim_writer_names(struct dkim_writer *writer, struct text names)
{
    tag_begin(writer, names.length + 2 < COLUMNS - INDENT - 1 ? names.length + 2 : 32);
    buffer_printf(&writer->out, "h=");
    if (names.length + 2 < COLUMNS - INDENT - 1) {
        buffer_add_text(&writer->out, names);
        return;
    }
    writer->column -= 30;
    while (names.length > 0) {
        size_t length = text_find_char(names, ':');
        if (length < names.length) length++;
        if (writer->column + length >= COLUMNS && writer->column > INDENT) {
            buffer_printf(&writer->out, "\r\n ");
            writer->column = INDENT;
        }
        buffer_add_text(&writer->out, text_slice(names, 0, length));
        writer->column += length;
        names = text_slice(names, length, names.length);
    }
}

void dkim_writer_signature(struct dkim_writer *writer)
{
    tag_begin(writer, COLUMNS);
    buffer_printf(&writer->out, "b=");
    writer->mark = buffer_length(&writer->out);
}

void dkim_writer_end(struct dkim_writer *writer, struct arena *arena, struct dkim_signing *out)
{
    struct text all = arena_text(arena, buffer_text(&writer->out));
    *out = (struct dkim_signing){ .before = text_slice(all, 0, writer->mark) };
    out->after = text_slice(all, writer->mark, all.length);
    buffer_free(&writer->out);
}

struct text dkim_writer_unsigned(struct arena *arena, const struct dkim_signing *signing)
{
    return arena_printf(arena, "%.*s%.*s", TEXT_ARG(signing->before), TEXT_ARG(signing->after));
}
