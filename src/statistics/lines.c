/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Sums of the ledger as lines of tables to be. Rows with one key may come in several parts: they are sorted
   and added, never counted on to be one. */
#include "statistics/lines.h"

#include <stdlib.h>

#include "config/settings.h"
#include "ipc/event.h"
#include "statistics/calendar.h"

enum { TRIES_MOST = 5 };

/* --- asking --- */

static uint32_t middle_of(uint32_t from, uint32_t until)
{
    return calendar_add(from, calendar_between(from, until) / 2);
}

static enum ledgerdb_outcome rows_ask(struct ledgerdb_reader *ledgerdb, struct sum_question question,
                                      struct arena *arena, struct sum_row **out, size_t *out_count)
{
    enum ledgerdb_outcome outcome = ledgerdb_sums(ledgerdb, &question, arena, out, out_count);
    bool is_one_day = question.from_day >= question.until_day;
    for (int i = 1; outcome == LEDGERDB_LATER && is_one_day && i < TRIES_MOST; i++)
        outcome = ledgerdb_sums(ledgerdb, &question, arena, out, out_count);
    if (outcome != LEDGERDB_LATER || is_one_day) return outcome;
    struct sum_question late = question;
    question.until_day = middle_of(question.from_day, question.until_day);
    late.from_day = calendar_add(question.until_day, 1);
    struct sum_row *first, *second;
    size_t first_count, second_count;
    outcome = rows_ask(ledgerdb, question, arena, &first, &first_count);
    if (outcome == LEDGERDB_DONE) outcome = rows_ask(ledgerdb, late, arena, &second, &second_count);
    if (outcome != LEDGERDB_DONE) return outcome;
    *out_count = first_count + second_count;
    *out = arena_alloc_array(arena, *out_count + 1, sizeof **out);
    memcpy(*out, first, first_count * sizeof **out);
    memcpy(*out + first_count, second, second_count * sizeof **out);
    return LEDGERDB_DONE;
}

enum ledgerdb_outcome statistics_rows(struct ledgerdb_reader *ledgerdb, const struct sum_question *question,
                                      struct arena *arena, struct sum_row **out, size_t *out_count)
{
    *out_count = 0;
    return rows_ask(ledgerdb, *question, arena, out, out_count);
}

/* --- adding --- */

void figures_add(struct figures *figures, const struct sum_row *row)
{
    bool is_in = row->direction == DIRECTION_IN;
    switch (row->kind) {
    case SUM_ACCEPTED:
        *(is_in ? &figures->taken : &figures->sent) += row->messages;
        if (is_in) figures->arrived += row->messages;
        break;
    case SUM_REFUSED_AFTER:
    case SUM_DISCARDED:
        if (is_in) figures->arrived += row->messages;
        break;
    case SUM_CLASS:
        figures->spam += row->messages;
        break;
    case SUM_SPAM_HELD:
    case SUM_SPAM_REFUSED:
    case SUM_SPAM_DISCARDED:
        figures->removed += row->messages;
        break;
    case SUM_VIRUS:
        figures->viruses += row->messages;
        break;
    case SUM_REFUSED:
        figures->refused += row->recipients;
        break;
    case SUM_DELIVERED:
        figures->delivered += row->recipients;
        break;
    case SUM_RETURNED:
        figures->returned += row->recipients;
        break;
    case SUM_HELD:
        figures->held += row->recipients;
        break;
    default:
        break;
    }
}

static const uint64_t figure_kinds = 1u << SUM_ACCEPTED | 1u << SUM_REFUSED_AFTER | 1u << SUM_DISCARDED |
                                     1u << SUM_SPAM_HELD | 1u << SUM_SPAM_REFUSED | 1u << SUM_SPAM_DISCARDED |
                                     1u << SUM_VIRUS | 1u << SUM_REFUSED | 1u << SUM_DELIVERED |
                                     1u << SUM_RETURNED | 1u << SUM_HELD | 1u << SUM_CLASS;

int lines_order(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    if (x->number != y->number) return x->number < y->number ? -1 : 1;
    return text_compare(x->name, y->name);
}

static int by_messages(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    bool x_is_rest = text_equal(x->name, TEXT("Etc.")), y_is_rest = text_equal(y->name, TEXT("Etc."));
    if (x_is_rest != y_is_rest) return x_is_rest ? 1 : -1;
    if (x->messages != y->messages) return x->messages > y->messages ? -1 : 1;
    return lines_order(a, b);
}

void figures_join(struct figures *figures, const struct figures *more)
{
    uint64_t *to = (uint64_t *)figures;
    const uint64_t *from = (const uint64_t *)more;
    for (size_t i = 0; i < sizeof *figures / sizeof *to; i++) to[i] += from[i];
}

/* Sorts by key and makes one line of those that have the same. */
static void lines_join(struct lines *lines)
{
    size_t kept = 0;
    qsort(lines->items, lines->count, sizeof *lines->items, lines_order);
    for (size_t i = 0; i < lines->count; i++) {
        struct line *line = &lines->items[i];
        if (kept > 0 && lines_order(&lines->items[kept - 1], line) == 0) {
            struct line *to = &lines->items[kept - 1];
            figures_join(&to->figures, &line->figures);
            to->messages += line->messages;
            to->recipients += line->recipients;
        } else {
            lines->items[kept++] = *line;
        }
    }
    lines->count = kept;
}

uint32_t lines_number(const struct sum_row *row, unsigned by)
{
    return by & SUM_BY_HOUR ? row->hour : by & SUM_BY_NODE ? row->node : row->day;
}

struct sum_question lines_question(const struct statistics_wish *wish, uint64_t kinds, unsigned by)
{
    return (struct sum_question){ .from_day = wish->from_day,
                                  .until_day = wish->until_day,
                                  .node = -1,
                                  .direction = wish->direction,
                                  .domain = wish->domain,
                                  .kinds = kinds,
                                  .by = by };
}

static enum ledgerdb_outcome lines_ask(struct ledgerdb_reader *ledgerdb, const struct sum_question *question,
                                       struct arena *arena, struct lines *out)
{
    struct sum_row *rows;
    size_t count;
    enum ledgerdb_outcome outcome = statistics_rows(ledgerdb, question, arena, &rows, &count);
    if (outcome != LEDGERDB_DONE) return outcome;
    bool is_named = !(question->by & SUM_BY_KIND);
    *out = (struct lines){ arena_alloc_array(arena, count + 1, sizeof *out->items), count };
    for (size_t i = 0; i < count; i++) {
        struct line *line = &out->items[i];
        *line = (struct line){ .number = lines_number(&rows[i], question->by),
                               .name = is_named ? rows[i].name : rows[i].domain,
                               .messages = rows[i].messages,
                               .recipients = rows[i].recipients };
        figures_add(&line->figures, &rows[i]);
    }
    lines_join(out);
    return LEDGERDB_DONE;
}

/* Of the classes only spam is wanted. */
enum ledgerdb_outcome lines_ask_figures(struct ledgerdb_reader *ledgerdb, const struct statistics_wish *wish,
                                        unsigned by, struct arena *arena, struct lines *out)
{
    struct sum_question question = lines_question(wish, figure_kinds, by | SUM_BY_KIND | SUM_BY_DIRECTION);
    question.class = text_of(class_name(CLASS_SPAM));
    return lines_ask(ledgerdb, &question, arena, out);
}

struct lines lines_by_month(struct arena *arena, const struct lines *days)
{
    struct lines months = { arena_alloc_array(arena, days->count + 1, sizeof *months.items), days->count };
    memcpy(months.items, days->items, days->count * sizeof *months.items);
    for (size_t i = 0; i < months.count; i++) months.items[i].number = months.items[i].number / 100 * 100;
    lines_join(&months);
    return months;
}

enum ledgerdb_outcome lines_ask_names(struct ledgerdb_reader *ledgerdb, const struct statistics_wish *wish,
                                      enum sum_kind kind, unsigned by, struct arena *arena, struct lines *out)
{
    struct sum_question question = lines_question(wish, sum_bit(kind), by | SUM_BY_NAME);
    return lines_ask(ledgerdb, &question, arena, out);
}

struct figures lines_sum(const struct lines *lines)
{
    struct figures sum = { 0 };
    for (size_t i = 0; i < lines->count; i++) figures_join(&sum, &lines->items[i].figures);
    return sum;
}

struct lines lines_most(struct arena *arena, const struct lines *lines)
{
    struct lines names = { arena_alloc_array(arena, lines->count + 1, sizeof *names.items), lines->count };
    memcpy(names.items, lines->items, lines->count * sizeof *names.items);
    for (size_t i = 0; i < names.count; i++) names.items[i].number = 0;
    lines_join(&names);
    qsort(names.items, names.count, sizeof *names.items, by_messages);
    return names;
}

uint64_t lines_messages(const struct lines *lines, uint32_t month)
{
    uint64_t count = 0;
    for (size_t i = 0; i < lines->count; i++)
        if (month == 0 || lines->items[i].number == month) count += lines->items[i].messages;
    return count;
}
