/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The tables of `sekimori stats`: by month as the paper has them (paper.c), or by one thing. */
#include "statistics/statistics.h"
#include "statistics/amount.h"
#include "statistics/authenticity.h"

#include "base/codec.h"
#include "ledgerdb/nodes.h"
#include "statistics/calendar.h"
#include "statistics/lines.h"
#include "statistics/missed_words.h"
#include "statistics/rankings.h"
#include "statistics/signal_table.h"

enum ledgerdb_outcome statistics_figures(struct ledgerdb_reader *ledgerdb, uint32_t from_day,
                                         uint32_t until_day, unsigned by, struct arena *arena,
                                         struct figures_at **out, size_t *out_count)
{
    struct statistics_wish wish = { .from_day = from_day, .until_day = until_day, .direction = -1 };
    struct lines lines;
    enum ledgerdb_outcome outcome = lines_ask_figures(ledgerdb, &wish, by, arena, &lines);
    if (outcome != LEDGERDB_DONE) return outcome;
    *out_count = lines.count;
    *out = arena_alloc_array(arena, lines.count + 1, sizeof **out);
    for (size_t i = 0; i < lines.count; i++)
        (*out)[i] = (struct figures_at){ lines.items[i].number, lines.items[i].figures };
    return LEDGERDB_DONE;
}

static const struct by_word {
    const char *word, *title, *column;
    enum statistics_by by;
    unsigned sum_by;
    enum sum_kind kind; /* whose names are listed; 0: figures are */
} by_words[] = {
    { "virus", N_("Viruses"), N_("Virus"), STATISTICS_BY_VIRUS, 0, SUM_VIRUS },
    { "rule", N_("Rules that spoke"), N_("Rule"), STATISTICS_BY_RULE, 0, SUM_RULE },
    { "engine", N_("What engines looked at"), N_("Engine"), STATISTICS_BY_ENGINE, 0, SUM_ENGINE },
    { "not-opened", N_("Files that nobody could open"), N_("Kind of file"), STATISTICS_BY_NOT_OPENED, 0,
      SUM_NOT_OPENED },
    { "missed", N_("Told to us as missed"), N_("Kind"), STATISTICS_BY_MISSED, 0, SUM_MISSED },
    { "domain", N_("By domain"), N_("Domain"), STATISTICS_BY_DOMAIN, SUM_BY_DOMAIN, 0 },
    { "node", N_("By node"), N_("Node"), STATISTICS_BY_NODE, SUM_BY_NODE, 0 },
    { "hour", N_("By hour"), N_("Hour"), STATISTICS_BY_HOUR, SUM_BY_HOUR, 0 },
    { "day", N_("By day"), N_("Day"), STATISTICS_BY_DAY, SUM_BY_DAY, 0 },
    { "month", N_("By month"), N_("Month"), STATISTICS_BY_MONTH, SUM_BY_MONTH, 0 },
    { "auth", NULL, NULL, STATISTICS_BY_AUTH, 0, 0 },
    { "list", NULL, NULL, STATISTICS_BY_LIST, 0, 0 },
    { "impostor", NULL, NULL, STATISTICS_BY_IMPOSTOR, 0, 0 },
    { "behaviour", NULL, NULL, STATISTICS_BY_BEHAVIOUR, 0, 0 },
    { "sender", NULL, NULL, STATISTICS_BY_SENDER, 0, 0 },
    { "recipient", NULL, NULL, STATISTICS_BY_RECIPIENT, 0, 0 },
    { "refusal", NULL, NULL, STATISTICS_BY_REFUSAL, 0, 0 },
    { "held", NULL, NULL, STATISTICS_BY_HELD, 0, 0 },
};
enum { BY_WORDS = sizeof by_words / sizeof *by_words };

const char *statistics_by_word(size_t position)
{
    return position < BY_WORDS ? by_words[position].word : NULL;
}

bool statistics_by_from_word(struct text word, enum statistics_by *out)
{
    for (int i = 0; i < BY_WORDS; i++)
        if (text_equal(word, text_of(by_words[i].word))) {
            *out = by_words[i].by;
            return true;
        }
    return false;
}

bool statistics_is_ranking(enum statistics_by by)
{
    return by >= STATISTICS_BY_SENDER;
}

static const struct by_word *by_word_of(enum statistics_by by)
{
    for (int i = 0; i < BY_WORDS; i++)
        if (by_words[i].by == by) return &by_words[i];
    return NULL;
}

static struct sheet *names_table(struct arena *arena, const struct by_word *by, struct lines *lines,
                                 unsigned top)
{
    struct sheet_column *columns = arena_alloc_array(arena, 3, sizeof *columns);
    columns[0] = (struct sheet_column){ by->column, SHEET_TEXT };
    columns[1] = (struct sheet_column){ N_("Messages"), SHEET_COUNT };
    columns[2] = (struct sheet_column){ N_("Share"), SHEET_SHARE };
    struct sheet *sheet = sheet_new(arena, by->title, N_("messages"), columns, 3);
    struct lines names = lines_most(arena, lines);
    uint64_t all = lines_messages(&names, 0), left = all;
    for (size_t i = 0; i < names.count && (!top || i < top); i++) {
        sheet_add_row(sheet);
        if (by->kind == SUM_MISSED)
            missed_words_put(sheet, 0, names.items[i].name);
        else
            sheet_put_text(sheet, 0, names.items[i].name);
        sheet_put_number(sheet, 1, (double)names.items[i].messages);
        sheet_put_number(sheet, 2, amount_share(names.items[i].messages, all));
        left -= names.items[i].messages;
    }
    if (!top || names.count <= top) return sheet;
    sheet_add_row(sheet);
    sheet_put_word(sheet, 0, N_("Etc."));
    sheet_put_number(sheet, 1, (double)left);
    sheet_put_number(sheet, 2, amount_share(left, all));
    return sheet;
}

struct naming {
    struct node_row *rows;
    size_t count;
};

/* Empty: the ledger knows a number only. */
static struct text name_of(const struct naming *nodes, uint32_t number)
{
    for (size_t i = 0; i < nodes->count; i++)
        if (nodes->rows[i].number == number) return nodes->rows[i].name;
    return TEXT_NONE;
}

static void key_put(struct sheet *sheet, enum statistics_by by, const struct line *line)
{
    struct text key = line->name;
    if (by == STATISTICS_BY_DAY || by == STATISTICS_BY_MONTH)
        key = calendar_text(sheet->arena, line->number);
    else if (by == STATISTICS_BY_HOUR && line->number < SUM_WHOLE_DAY)
        key = arena_printf(sheet->arena, "%02u:00", line->number);
    else if (by == STATISTICS_BY_NODE && !key.length)
        key = arena_printf(sheet->arena, "%u", line->number);
    if (key.length)
        sheet_put_text(sheet, 0, key);
    else
        sheet_put_word(sheet, 0, by == STATISTICS_BY_HOUR ? N_("whole day") : N_("none of ours"));
}

static bool has_figures(const struct figures *figures)
{
    return figures->sent || figures->arrived || figures->spam || figures->viruses || figures->refused;
}

static void figures_put(struct sheet *sheet, const struct figures *figures)
{
    const uint64_t numbers[] = { figures->sent,    figures->arrived, figures->taken,  figures->spam,
                                 figures->removed, figures->viruses, figures->refused };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        sheet_put_number(sheet, i + 1, (double)numbers[i]);
}

static const char *kind_of_day(uint32_t day)
{
    const char *holiday = calendar_holiday(day);
    return holiday ? holiday : calendar_is_working(day) ? N_("working") : N_("off");
}

static struct sheet *figures_table(struct arena *arena, const struct by_word *by, const struct lines *lines)
{
    static const struct sheet_column rest[] = {
        { N_("Sent"), SHEET_COUNT },    { N_("Received"), SHEET_COUNT },     { N_("Taken"), SHEET_COUNT },
        { N_("Spam"), SHEET_COUNT },    { N_("Spam removed"), SHEET_COUNT }, { N_("Viruses"), SHEET_COUNT },
        { N_("Refused"), SHEET_COUNT }, { N_("Kind of day"), SHEET_TEXT },
    };
    enum { REST = sizeof rest / sizeof *rest };
    bool has_days = by->by == STATISTICS_BY_DAY;
    struct sheet_column *columns = arena_alloc_array(arena, REST + 1, sizeof *columns);
    columns[0] = (struct sheet_column){ by->column, SHEET_TEXT };
    memcpy(columns + 1, rest, sizeof rest);
    struct sheet *sheet =
        sheet_new(arena, by->title, N_("messages; refused: recipients"), columns, has_days ? REST + 1 : REST);
    for (size_t i = 0; i < lines->count; i++) {
        const struct line *line = &lines->items[i];
        if (!has_figures(&line->figures)) continue; /* nothing but deliveries of an earlier day's mail */
        sheet_add_row(sheet);
        key_put(sheet, by->by, line);
        figures_put(sheet, &line->figures);
        if (has_days && calendar_date(line->number)) sheet_put_word(sheet, REST, kind_of_day(line->number));
    }
    struct figures sum = lines_sum(lines);
    sheet_add_row(sheet)->is_sum = true;
    sheet_put_word(sheet, 0, N_("Total"));
    figures_put(sheet, &sum);
    return sheet;
}

/* evidence_action_name; any other is foreign. */
static void action_put(struct sheet *sheet, struct text name)
{
    static const char *const names[] = { N_("tag"), N_("quarantine"), N_("defer"), N_("reject"),
                                         N_("discard") };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (text_equal(name, text_of(names[i]))) {
            sheet_put_word(sheet, 1, names[i]);
            return;
        }
    sheet_put_text(sheet, 1, name);
}

/* What observing checks would have done: by action, and by what was wished as far as it has lines of its own.
 */
static enum ledgerdb_outcome would_make(struct ledgerdb_reader *ledgerdb, const struct statistics_wish *wish,
                                        const struct naming *nodes, struct arena *arena, struct sheet **out)
{
    const struct by_word *by = by_word_of(wish->by);
    bool has_key = by && !by->kind;
    struct sum_question question =
        lines_question(wish, sum_bit(SUM_OBSERVED), SUM_BY_NAME | (has_key ? by->sum_by : 0));
    struct sum_row *rows;
    size_t count;
    enum ledgerdb_outcome outcome = statistics_rows(ledgerdb, &question, arena, &rows, &count);
    if (outcome != LEDGERDB_DONE) return outcome;
    struct sheet_column *columns = arena_alloc_array(arena, 4, sizeof *columns);
    columns[0] = (struct sheet_column){ has_key ? by->column : N_("Period"), SHEET_TEXT };
    columns[1] = (struct sheet_column){ N_("Action"), SHEET_TEXT };
    columns[2] = (struct sheet_column){ N_("Messages"), SHEET_COUNT };
    columns[3] = (struct sheet_column){ N_("Recipients"), SHEET_COUNT };
    *out = sheet_new(arena, N_("What checks that only observe would have done"), NULL, columns, 4);
    for (size_t i = 0; i < count; i++) {
        struct line line = { .number = lines_number(&rows[i], question.by), .name = rows[i].domain };
        if (wish->by == STATISTICS_BY_NODE) line.name = name_of(nodes, line.number);
        sheet_add_row(*out);
        if (has_key)
            key_put(*out, wish->by, &line);
        else
            sheet_put_word(*out, 0, N_("all"));
        action_put(*out, rows[i].name);
        sheet_put_number(*out, 2, (double)rows[i].messages);
        sheet_put_number(*out, 3, (double)rows[i].recipients);
    }
    if (!count)
        (*out)->note =
            N_("Checks observe where their mode is observe: virus, spam, auth, greylist, inside, signups.");
    return LEDGERDB_DONE;
}

static enum signal_family family_of(enum statistics_by by)
{
    return by == STATISTICS_BY_LIST        ? SIGNAL_FAMILY_LIST
           : by == STATISTICS_BY_IMPOSTOR  ? SIGNAL_FAMILY_IMPOSTOR
           : by == STATISTICS_BY_BEHAVIOUR ? SIGNAL_FAMILY_BEHAVIOUR
                                           : SIGNAL_FAMILY_NONE;
}

static enum ledgerdb_outcome ranking_make(struct ledgerdb_reader *ledgerdb,
                                          const struct statistics_wish *wish, struct arena *arena,
                                          struct sheet **out)
{
    static const enum ranking rankings[] = { RANKING_SENDERS, RANKING_RECIPIENTS, RANKING_REFUSALS,
                                             RANKING_QUARANTINED };
    struct rankings_wish rows = { wish->from_day, wish->until_day, wish->top };
    return rankings_make(ledgerdb, rankings[wish->by - STATISTICS_BY_SENDER], &rows, arena, out);
}

enum ledgerdb_outcome statistics_make(struct ledgerdb_reader *ledgerdb, const struct statistics_wish *wish,
                                      struct arena *arena, struct sheet *out[STATISTICS_SHEETS],
                                      size_t *out_count)
{
    const struct by_word *by = by_word_of(wish->by);
    struct lines lines;
    struct naming nodes = { 0 };
    enum ledgerdb_outcome outcome = LEDGERDB_DONE;
    *out_count = 1;
    if (statistics_is_ranking(wish->by)) return ranking_make(ledgerdb, wish, arena, &out[0]);
    if (wish->by == STATISTICS_BY_NODE) outcome = nodes_read(ledgerdb, arena, &nodes.rows, &nodes.count);
    if (outcome != LEDGERDB_DONE) return outcome;
    if (wish->by == STATISTICS_BY_AUTH) return authenticity_make(ledgerdb, wish, arena, &out[0]);
    if (family_of(wish->by)) return signal_table_make(ledgerdb, wish, family_of(wish->by), arena, &out[0]);
    if (wish->would) return would_make(ledgerdb, wish, &nodes, arena, &out[0]);
    if (!by) return paper_make(ledgerdb, wish, arena, out, out_count);
    outcome = by->kind ? lines_ask_names(ledgerdb, wish, by->kind, 0, arena, &lines)
                       : lines_ask_figures(ledgerdb, wish, by->sum_by, arena, &lines);
    if (outcome != LEDGERDB_DONE) return outcome;
    for (size_t i = 0; i < lines.count && wish->by == STATISTICS_BY_NODE; i++)
        lines.items[i].name = name_of(&nodes, lines.items[i].number);
    out[0] = by->kind ? names_table(arena, by, &lines, wish->top) : figures_table(arena, by, &lines);
    return LEDGERDB_DONE;
}

void statistics_wish_put(const struct statistics_wish *wish, struct buffer *out)
{
    put_u32(out, wish->from_day);
    put_u32(out, wish->until_day);
    put_u8(out, (uint8_t)(wish->direction + 1));
    put_text(out, wish->domain);
    put_u8(out, wish->by);
    put_u8(out, wish->would);
    put_u32(out, wish->top);
}

static bool is_day(uint32_t day)
{
    return calendar_year(day) >= 1970 && calendar_year(day) < 2970 && calendar_month(day) - 1 < 12 &&
           calendar_date(day) - 1 < 31;
}

bool statistics_wish_get(struct text bytes, struct statistics_wish *out)
{
    struct reader reader = reader_of(bytes);
    *out = (struct statistics_wish){ .from_day = get_u32(&reader), .until_day = get_u32(&reader) };
    out->direction = get_u8(&reader) - 1;
    out->domain = get_text(&reader);
    out->by = (enum statistics_by)get_u8(&reader);
    out->would = get_u8(&reader) != 0;
    out->top = get_u32(&reader);
    return reader_done(&reader) && !statistics_is_ranking(out->by) && out->direction <= DIRECTION_OUT &&
           is_day(out->from_day) && is_day(out->until_day) && out->from_day <= out->until_day;
}
