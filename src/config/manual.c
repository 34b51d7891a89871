/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* mdoc from the schema: one list a block, one item a setting. */
#include "config/manual.h"

#include <stdio.h>

#include "config/schema.h"

static bool in_section(const struct schema_row *row, const char *section)
{
    struct text words = text_of(row->words), first = text_of(section);
    if (!section) return text_find_char(words, ' ') == words.length;
    return text_starts(words, first) && words.length > first.length && words.at[first.length] == ' ';
}

/* A sentence a line, as mdoc wants it; backslashes and backquotes escaped. */
static void prose_print(struct buffer *out, const char *prose)
{
    for (const char *at = prose; *at; at++) {
        if (*at == '\\')
            buffer_printf(out, "\\e");
        else if (*at == '`')
            buffer_printf(out, "\\(oq");
        else if (*at == ' ' && at > prose && at[-1] == '.')
            buffer_add_char(out, '\n');
        else
            buffer_add_char(out, *at);
    }
    buffer_add_char(out, '\n');
}

static void default_print(struct buffer *out, const struct schema_row *row)
{
    if (row->type >= SCHEMA_LISTEN) return; /* a block */
    buffer_printf(out, "Default: ");
    prose_print(out, row->fallback ? row->fallback : row->fallback_help);
}

static void range_print(struct buffer *out, const struct schema_row *row)
{
    struct buffer allowed = { 0 };
    if (row->most == 0) return;
    schema_allowed(row, &allowed);
    struct text text = buffer_text(&allowed);
    size_t from = text_find(text, TEXT(", from "));
    buffer_printf(out, "F%.*s.\n", TEXT_ARG(text_slice(text, from + 3, text.length)));
    buffer_free(&allowed);
}

/* Once, at the first setting that takes the same. */
static void set_print(struct buffer *out, const struct schema_row *row)
{
    const char *separator = "";
    for (const struct schema_row *before = schema_rows; before < row; before++)
        if (before->type == SCHEMA_SET && before->choices == row->choices) return;
    if (row->type != SCHEMA_SET) return;
    buffer_printf(out, "Any of ");
    for (const struct schema_choice *choice = row->choices; choice->word; choice++) {
        buffer_printf(out, "%s%s", separator, choice->word);
        separator = ", ";
    }
    buffer_printf(out, ".\n");
}

static void row_print(struct buffer *out, const struct schema_row *row, const char *section)
{
    buffer_printf(out, ".It Ic %s %s ", row->words + (section ? strlen(section) + 1 : 0),
                  row->type == SCHEMA_CHOICE ? "Cm" : "Ar");
    schema_shape(row, out);
    buffer_add_char(out, '\n');
    prose_print(out, row->help);
    set_print(out, row);
    range_print(out, row);
    default_print(out, row);
}

static void list_print(struct buffer *out, enum schema_scope scope, const char *section)
{
    buffer_printf(out, ".Bl -tag -width Ds\n");
    for (size_t i = 0; i < schema_row_count; i++) {
        const struct schema_row *row = &schema_rows[i];
        bool is_in = scope != SCHEMA_GLOBAL || in_section(row, section);
        if (row->scope == scope && is_in) row_print(out, row, section);
    }
    buffer_printf(out, ".El\n");
}

void manual_print(struct buffer *out)
{
    buffer_printf(out, ".Ss Top level\n");
    list_print(out, SCHEMA_GLOBAL, NULL);
    buffer_printf(out, ".Ss In a listen block\n");
    list_print(out, SCHEMA_LISTENER, NULL);
    buffer_printf(out, ".Ss In a hosted block\n");
    list_print(out, SCHEMA_HOSTED, NULL);
    buffer_printf(out, ".Ss In the block of an engine outside\n");
    list_print(out, SCHEMA_ENGINE, NULL);
    buffer_printf(out, ".Ss In the block of a second opinion\n");
    list_print(out, SCHEMA_OPINION, NULL);
    buffer_printf(out, ".Ss In the block of a list\n");
    list_print(out, SCHEMA_LIST, NULL);
    buffer_printf(out, ".Ss In the block of one domain\n");
    list_print(out, SCHEMA_DOMAIN, NULL);
    buffer_printf(out, ".Ss In a recipient block\n");
    list_print(out, SCHEMA_WISH, NULL);
    for (size_t i = 0; i < schema_section_count; i++) {
        buffer_printf(out, ".Ss %s\n", schema_sections[i].word);
        prose_print(out, schema_sections[i].help);
        list_print(out, SCHEMA_GLOBAL, schema_sections[i].word);
    }
}
