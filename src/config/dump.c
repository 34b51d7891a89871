/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The events of a walk as lines. */
#include "config/dump.h"

#include <inttypes.h>

#include "config/engines.h"
#include "config/value.h"
#include "config/visit.h"

enum { COMMENT_COLUMN = 56 };

struct dump {
    const struct config *config;
    struct buffer *out;
    unsigned depth;
    size_t line_start; /* where this line began, counted from the buffer's start */
    bool with_sources, with_help;
    enum language language;
};

static void line_begin(struct dump *dump)
{
    dump->line_start = buffer_length(dump->out);
    buffer_printf(dump->out, "%*s", 4 * (int)dump->depth, "");
}

static void line_end(struct dump *dump, bool is_default, struct place place)
{
    const struct config_sources *sources = dump->config->sources;
    size_t width = buffer_length(dump->out) - dump->line_start;
    if (dump->with_sources && (is_default || place.line > 0)) {
        buffer_printf(dump->out, "%*s# ", width < COMMENT_COLUMN ? (int)(COMMENT_COLUMN - width) : 1, "");
        if (is_default)
            buffer_printf(dump->out, "default");
        else
            buffer_printf(dump->out, "%.*s:%" PRIu32, TEXT_ARG(sources->files[place.file]), place.line);
    }
    buffer_add_char(dump->out, '\n');
}

static void target_print(const struct target *target, uint16_t port, struct buffer *out)
{
    if (target->use_mx) {
        buffer_printf(out, "mx");
    } else if (target->is_address) {
        value_endpoint_print(&target->endpoint, port, out);
    } else {
        buffer_add_text(out, target->host);
        if (target->endpoint.port != port) buffer_printf(out, ":%u", target->endpoint.port);
    }
}

void dump_targets(const struct config *config, const struct domain *domain, struct buffer *out)
{
    for (size_t i = 0; i < domain->target_count; i++) {
        if (i > 0) buffer_add_char(out, ' ');
        target_print(&domain->targets[i], config->deliver.port, out);
    }
}

static void dump_open(void *context, const struct visit_opening *opening)
{
    struct dump *dump = context;
    line_begin(dump);
    buffer_add_text(dump->out, opening->title);
    if (visit_is_item(opening)) buffer_add_char(dump->out, ' ');
    if (opening->listener) value_endpoint_print(&opening->listener->endpoint, 0, dump->out);
    if (opening->hosted) value_word_print(opening->hosted->name, dump->out);
    if (opening->wish) value_word_print(opening->wish->address, dump->out);
    if (opening->engine) engines_print(opening->engine, dump->out);
    if (opening->list) value_word_print(opening->list->name, dump->out);
    if (opening->domain) dump_targets(dump->config, opening->domain, dump->out);
    if (!opening->is_empty) buffer_printf(dump->out, " {");
    line_end(dump, opening->is_default, opening->place);
    dump->depth++;
}

static void dump_close(void *context, const struct visit_opening *opening)
{
    struct dump *dump = context;
    dump->depth--;
    if (opening->is_empty) return;
    line_begin(dump);
    buffer_printf(dump->out, "}\n");
}

static void dump_value(void *context, const struct visit_value *value)
{
    struct dump *dump = context;
    if (dump->with_help) {
        const char *help = dump->language == LANGUAGE_JA ? value->row->help_ja : value->row->help;
        line_begin(dump);
        buffer_printf(dump->out, "# %s\n", help);
    }
    line_begin(dump);
    buffer_printf(dump->out, "%s ", value->words);
    buffer_add_text(dump->out, value->value);
    line_end(dump, value->is_default, value->place);
}

static const struct visit_events dump_events = { dump_open, dump_value, dump_close };

void config_dump(const struct config *config, struct buffer *out, bool with_sources)
{
    struct dump dump = { .config = config, .out = out, .with_sources = with_sources };
    visit_config(config, VISIT_ALL, &dump_events, &dump);
}

void config_dump_said(const struct config *config, struct buffer *out)
{
    struct dump dump = { .config = config, .out = out };
    visit_config(config, VISIT_SAID, &dump_events, &dump);
}

void config_dump_explained(const struct config *config, struct buffer *out, enum language language)
{
    struct dump dump = { .config = config, .out = out, .with_help = true, .language = language };
    visit_config(config, VISIT_ALL, &dump_events, &dump);
}
