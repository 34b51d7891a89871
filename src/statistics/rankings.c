/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Rows of ledgerdb/ranking.h as tables. */
#include "statistics/rankings.h"

#include "ipc/ask_queue.h"
#include "ledgerdb/held.h"
#include "statistics/amount.h"
#include "statistics/calendar.h"
#include "statistics/held_words.h"

/* --- why it was refused --- */

/* By the enhanced status code without its class (RFC 3463), unless the content was judged. */
static const struct {
    const char *status, *words;
} reasons[] = {
    { ".1.1", N_("no such recipient") },
    { ".1.2", N_("no such domain") },
    { ".1.3", N_("not an address") },
    { ".2.2", N_("mailbox full") },
    { ".3.0", N_("not possible at that moment") },
    { ".3.1", N_("no room at that moment") },
    { ".3.2", N_("connections took too long") },
    { ".3.4", N_("larger than is taken") },
    { ".4.1", N_("the next server did not answer") },
    { ".4.2", N_("a connection was cut") },
    { ".4.6", N_("mail that goes round in a loop") },
    { ".5.3", N_("too many recipients in one message") },
    { ".6.0", N_("content that breaks the rules of SMTP") },
    { ".6.7", N_("an address in UTF-8 that the next server does not take") },
    { ".7.0", N_("encryption or a right was missing") },
    { ".7.1", N_("not allowed, or too much from one client") },
};

static const char *judged_reason(enum message_class found)
{
    static const char *const words[CLASS_COUNT] = {
        [CLASS_VIRUS] = N_("virus"),
        [CLASS_PHISHING] = N_("phishing"),
        [CLASS_SPAM] = N_("spam"),
        [CLASS_POLICY] = N_("policy"),
        [CLASS_ENCRYPTED] = N_("encrypted"),
        [CLASS_POISON] = N_("not readable"),
        [CLASS_UNSCANNED] = N_("could not be scanned"),
        [CLASS_LIMITS] = N_("could not be scanned whole"),
        [CLASS_AMBIGUOUS] = N_("can be read in different ways"),
        [CLASS_GREYLISTED] = N_("greylisted"),
        [CLASS_NEWSLETTER] = N_("newsletter"),
        [CLASS_NOT_OPENED] = N_("could not be opened"),
        [CLASS_PUA] = N_("unwanted program"),
    };
    return (unsigned)found < CLASS_COUNT ? words[found] : NULL;
}

static const char *reason_of(const struct ranking_row *row)
{
    const char *judged = judged_reason(row->found);
    struct text status = text_slice(row->name, 1, row->name.length);
    if (judged) return judged;
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (text_equal(status, text_of(reasons[i].status))) return reasons[i].words;
    if (text_starts(status, TEXT(".5."))) return N_("not the language of SMTP");
    return N_("something else");
}

/* "550 5.7.1"; a reply of the next server need not have the second. */
static struct text reply_of(struct arena *arena, const struct ranking_row *row)
{
    bool has_status = row->name.length > 1 && char_is_digit(row->name.at[0]) && row->name.at[1] == '.';
    return has_status ? arena_printf(arena, "%u %.*s", row->code, TEXT_ARG(text_slice(row->name, 0, 12)))
                      : arena_printf(arena, "%u", row->code);
}

static void refusal_put(struct sheet *sheet, const struct ranking_row *row)
{
    sheet_put_word(sheet, 0, reason_of(row));
    sheet_put_text(sheet, 1, reply_of(sheet->arena, row));
    sheet_put_number(sheet, 2, (double)row->count);
}

static void name_put(struct sheet *sheet, const struct ranking_row *row)
{
    sheet_put_text(sheet, 0, row->name.length ? row->name : TEXT("<>"));
    sheet_put_number(sheet, 1, (double)row->count);
}

/* --- tables of names --- */

static const struct sheet_column sender_columns[] = { { N_("Sender"), SHEET_TEXT },
                                                      { N_("Messages"), SHEET_COUNT },
                                                      { N_("Share"), SHEET_SHARE } };
static const struct sheet_column recipient_columns[] = { { N_("Recipient"), SHEET_TEXT },
                                                         { N_("Messages"), SHEET_COUNT },
                                                         { N_("Share"), SHEET_SHARE } };
static const struct sheet_column refusal_columns[] = { { N_("Reason"), SHEET_TEXT },
                                                       { N_("Reply"), SHEET_TEXT },
                                                       { N_("Refused"), SHEET_COUNT },
                                                       { N_("Share"), SHEET_SHARE } };

static const struct kind {
    const char *title, *unit, *note;
    const struct sheet_column *columns;
    size_t column_count;
    void (*put)(struct sheet *sheet, const struct ranking_row *row); /* all but the share */
} kinds[] = {
    [RANKING_SENDERS] = { N_("Who sent most"), N_("messages"),
                          N_("By envelope sender; <> are notices of servers."), sender_columns, 3, name_put },
    [RANKING_RECIPIENTS] = { N_("Who was sent most"), N_("messages"), NULL, recipient_columns, 3, name_put },
    [RANKING_REFUSALS] = { N_("Refused, by reason"), N_("recipients; clients that named none count once"),
                           NULL, refusal_columns, 4, refusal_put },
    [RANKING_INSIDE_HELD] = { N_("Senders inside whose mail was held for how they sent"), N_("messages"),
                              N_("As somebody sends who has a stolen password."), sender_columns, 3,
                              name_put },
};

static enum ledgerdb_outcome names_table(struct ledgerdb_reader *ledgerdb, enum ranking ranking,
                                         const struct rankings_wish *wish, struct arena *arena,
                                         struct sheet **out)
{
    const struct kind *kind = &kinds[ranking];
    struct ranking_row *rows;
    size_t count, last = kind->column_count - 1;
    uint64_t all, left;
    enum ledgerdb_outcome outcome =
        ranking_read(ledgerdb, ranking, (uint64_t)calendar_start(wish->from_day) * 1000,
                     (uint64_t)calendar_start(calendar_add(wish->until_day, 1)) * 1000, wish->top, arena,
                     &rows, &count, &all);
    if (outcome != LEDGERDB_DONE) return outcome;
    struct sheet *sheet = *out = sheet_new(arena, kind->title, kind->unit, kind->columns, kind->column_count);
    sheet->note = kind->note;
    left = all;
    for (size_t i = 0; i < count; i++) {
        sheet_add_row(sheet);
        kind->put(sheet, &rows[i]);
        sheet_put_number(sheet, last, amount_share(rows[i].count, all));
        left -= rows[i].count;
    }
    if (!left) return outcome;
    sheet_add_row(sheet);
    sheet_put_word(sheet, 0, N_("Etc."));
    sheet_put_number(sheet, last - 1, (double)left);
    sheet_put_number(sheet, last, amount_share(left, all));
    return outcome;
}

/* --- held mail --- */

struct held_line {
    const char *reason;
    enum held_class class;
    uint64_t here, released, gone; /* recipients: still held; let go; deleted or too old */
};

struct held_lines {
    struct held_line items[HELD_CLASSES * CLASS_COUNT];
    size_t count;
};

static struct held_line *line_of(struct held_lines *lines, enum held_class class, enum message_class found)
{
    const char *reason = held_words_reason(class, found);
    size_t i = 0;
    while (i < lines->count && lines->items[i].reason != reason) i++;
    if (i == lines->count) lines->items[lines->count++] = (struct held_line){ reason, class, 0, 0, 0 };
    return &lines->items[i];
}

static void quarantined_add(struct held_lines *lines, const struct ranking_row *row)
{
    struct held_line *line = line_of(lines, (enum held_class)row->held, row->found);
    if (row->code == HELD_RELEASED)
        line->released += row->count;
    else if (row->code > HELD_GONE)
        line->gone += row->count;
    else
        line->here += row->count;
}

/* Neither what an administrator holds nor what waits for the report process. */
static void held_add(struct held_lines *lines, const struct ranking_row *row)
{
    if (row->code == HOLD_ADMIN || row->code == HOLD_REPORT) return;
    line_of(lines, held_class_by((uint8_t)row->code, row->found), row->found)->here += row->count;
}

static enum ledgerdb_outcome lines_read(struct ledgerdb_reader *ledgerdb, enum ranking ranking,
                                        const struct rankings_wish *wish, struct arena *arena,
                                        void (*add)(struct held_lines *lines, const struct ranking_row *row),
                                        struct held_lines *lines)
{
    struct ranking_row *rows;
    size_t count;
    uint64_t all;
    enum ledgerdb_outcome outcome = ranking_read(
        ledgerdb, ranking, (uint64_t)calendar_start(wish->from_day) * 1000,
        (uint64_t)calendar_start(calendar_add(wish->until_day, 1)) * 1000, 0, arena, &rows, &count, &all);
    for (size_t i = 0; i < count && outcome == LEDGERDB_DONE; i++) add(lines, &rows[i]);
    return outcome;
}

static enum ledgerdb_outcome held_table(struct ledgerdb_reader *ledgerdb, const struct rankings_wish *wish,
                                        struct arena *arena, struct sheet **out)
{
    static const struct sheet_column columns[] = {
        { N_("Class"), SHEET_TEXT },       { N_("Reason"), SHEET_TEXT },    { N_("Held"), SHEET_COUNT },
        { N_("Still held"), SHEET_COUNT }, { N_("Released"), SHEET_COUNT }, { N_("Deleted"), SHEET_COUNT }
    };
    struct held_lines lines = { .count = 0 };
    enum ledgerdb_outcome outcome =
        lines_read(ledgerdb, RANKING_QUARANTINED, wish, arena, quarantined_add, &lines);
    if (outcome == LEDGERDB_DONE) outcome = lines_read(ledgerdb, RANKING_HELD, wish, arena, held_add, &lines);
    if (outcome != LEDGERDB_DONE) return outcome;
    struct sheet *sheet = *out = sheet_new(arena, N_("Held, by class"), N_("recipients"), columns, 6);
    sheet->note = N_("Of mail that came in this time. Deleted: by hand, or because its time was over.");
    for (size_t i = 0; i < lines.count; i++) {
        const struct held_line *line = &lines.items[i];
        sheet_add_row(sheet);
        sheet_put_word(sheet, 0, held_words_class(line->class));
        sheet_put_word(sheet, 1, line->reason);
        sheet_put_number(sheet, 2, (double)(line->here + line->released + line->gone));
        sheet_put_number(sheet, 3, (double)line->here);
        sheet_put_number(sheet, 4, (double)line->released);
        sheet_put_number(sheet, 5, (double)line->gone);
    }
    return outcome;
}

enum ledgerdb_outcome rankings_make(struct ledgerdb_reader *ledgerdb, enum ranking ranking,
                                    const struct rankings_wish *wish, struct arena *arena, struct sheet **out)
{
    return ranking == RANKING_QUARANTINED ? held_table(ledgerdb, wish, arena, out)
                                          : names_table(ledgerdb, ranking, wish, arena, out);
}
