/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A line a node, and their sum. What a node has relayed to another one of these is accepted there, so the sum
   counts those twice: once as relayed, once as accepted. */
#include "cli/balance_nodes.h"

#include <stdio.h>
#include <sysexits.h>

#include "base/json.h"
#include "base/plain.h"
#include "cli/balance_state.h"
#include "cli/ledger_files.h"
#include "cli/time_words.h"
#include "ledgerdb/day.h"
#include "ledgerdb/nodes.h"

enum { NAME_COLUMNS = 20 };

static const char *const keys[] = { "accepted", "own",  "relayed", "delivered", "returned",
                                    "removed",  "held", "queued",  "refused",   "refused_after_data" };
enum { COLUMNS = sizeof keys / sizeof *keys };
static const char *const heads[COLUMNS] = { "accepted", "own",  "relayed", "delivered", "returned",
                                            "removed",  "held", "queued",  "refused",   "after data" };

/* Where those accepted on that day stand, and what was refused on it. */
static void columns_fill(const struct day_balance *day, uint64_t out[COLUMNS])
{
    const uint64_t all[COLUMNS] = { day->accepted,
                                    day->own,
                                    day->relayed,
                                    day->ended[ENDING_DELIVERED],
                                    day->ended[ENDING_RETURNED],
                                    day->ended[ENDING_REMOVED],
                                    day->held,
                                    day->queued,
                                    day->sums[SUM_REFUSED],
                                    day->sums[SUM_REFUSED_AFTER] };
    for (int i = 0; i < COLUMNS; i++) out[i] = all[i];
}

struct node_line {
    const struct node_row *node; /* NULL: the sum */
    struct day_balance day;
    uint64_t columns[COLUMNS];
};

static void line_print(const struct node_line *line)
{
    struct buffer name = { 0 };
    if (line->node)
        plain_add(&name, line->node->name, NAME_COLUMNS);
    else
        buffer_printf(&name, "all");
    printf("%-20.*s", TEXT_ARG(buffer_text(&name)));
    for (int i = 0; i < COLUMNS; i++) printf(" %10llu", (unsigned long long)line->columns[i]);
    puts(line->day.is_balanced ? "" : "  DIFFERS");
    buffer_free(&name);
}

static void told_print(const struct node_row *node)
{
    char when[WHEN_SIZE];
    if (node->is_here) return;
    printf("%.*s has told %llu %s", TEXT_ARG(node->name), (unsigned long long)node->events,
           text_word_for(node->events, "event", "events"));
    if (node->told_ms) printf(", the last at %s", when_print(node->told_ms, false, when));
    if (node->refused) printf("; %llu were not taken", (unsigned long long)node->refused);
    if (node->given_up) printf("; it gave up telling %llu", (unsigned long long)node->given_up);
    putchar('\n');
}

struct node_table {
    uint32_t day;
    struct node_line *lines; /* one for each node and one for all */
    size_t count;
    uint64_t missing;   /* messages handed from node to node that the second does not know */
    struct losses lost; /* on their way to a node's ledger, or from there to this one */
    bool is_balanced;
};

static enum balance_state state_of(const struct node_table *table)
{
    return balance_state_of(!table->is_balanced, table->lost);
}

static void table_print(const struct node_table *table)
{
    uint32_t day = table->day;
    printf("recipients accepted or refused on %04u-%02u-%02u\n%-20s", day / 10000, day / 100 % 100, day % 100,
           "");
    for (int i = 0; i < COLUMNS; i++) printf(" %10s", heads[i]);
    putchar('\n');
    for (size_t i = 0; i < table->count; i++) line_print(&table->lines[i]);
    for (size_t i = 0; i < table->count; i++)
        if (table->lines[i].node) told_print(table->lines[i].node);
    if (table->missing)
        printf("%llu %s handed from one node to another that does not know %s (yet)\n",
               (unsigned long long)table->missing,
               text_word_for(table->missing, "message was", "messages were"),
               text_word_for(table->missing, "it", "them"));
    balance_state_print(state_of(table), table->lost);
}

static struct json *line_json(const struct node_line *line)
{
    struct json *one = json_new_object();
    if (line->node) {
        json_set_number(one, "node", line->node->number);
        json_set_text(one, "name", line->node->name);
        json_set_bool(one, "here", line->node->is_here);
        json_set_number(one, "events", (int64_t)line->node->events);
        json_set_number(one, "not_taken", (int64_t)line->node->refused);
        json_set_number(one, "given_up", (int64_t)line->node->given_up);
        json_set_number(one, "told_ms", (int64_t)line->node->told_ms);
    }
    for (int i = 0; i < COLUMNS; i++) json_set_number(one, keys[i], (int64_t)line->columns[i]);
    json_set_bool(one, "balanced", line->day.is_balanced);
    json_set_number(one, "lost", (int64_t)line->day.lost.events);
    json_set_number(one, "lost_refusals", (int64_t)line->day.lost.refusals);
    return one;
}

static void json_table_print(const struct node_table *table)
{
    struct json *all = json_new_object(), *list = json_new_array();
    for (size_t i = 0; i + 1 < table->count; i++) json_add(list, line_json(&table->lines[i]));
    json_set_number(all, "day", table->day);
    json_set_string(all, "unit", "recipients");
    balance_state_set(all, state_of(table), table->lost);
    json_set_number(all, "missing", (int64_t)table->missing);
    json_set(all, "nodes", list);
    json_set(all, "all", line_json(&table->lines[table->count - 1]));
    json_print(all, stdout, true);
}

static enum ledgerdb_outcome table_make(struct ledgerdb_reader *ledgerdb, struct arena *arena,
                                        struct node_table *out)
{
    struct node_row *nodes;
    size_t count;
    enum ledgerdb_outcome outcome = nodes_read(ledgerdb, arena, &nodes, &count);
    if (outcome == LEDGERDB_DONE && count == 0) return LEDGERDB_MISSING;
    out->count = count + 1;
    out->lines = arena_alloc_array(arena, out->count, sizeof *out->lines);
    for (size_t i = 0; i <= count && outcome == LEDGERDB_DONE; i++) {
        struct node_line *line = &out->lines[i];
        line->node = i < count ? &nodes[i] : NULL;
        outcome = day_count_node(ledgerdb, out->day, i < count ? nodes[i].number : -1, &line->day);
        columns_fill(&line->day, line->columns);
        if (!line->node) out->lost = line->day.lost;
    }
    if (outcome == LEDGERDB_DONE)
        outcome =
            nodes_missing(ledgerdb, out->lines[0].day.start_ms, out->lines[0].day.end_ms, &out->missing);
    out->is_balanced = out->missing == 0;
    for (size_t i = 0; i <= count && outcome == LEDGERDB_DONE; i++)
        out->is_balanced = out->is_balanced && out->lines[i].day.is_balanced;
    return outcome;
}

int balance_nodes(const struct control_target *target, uint32_t day, bool is_json)
{
    int code;
    struct node_table table = { .day = day };
    struct ledgerdb_reader *ledgerdb = ledger_open(target, "balance", &code);
    if (!ledgerdb) return code;
    struct arena *arena = arena_new(0);
    enum ledgerdb_outcome outcome = table_make(ledgerdb, arena, &table);
    if (outcome == LEDGERDB_MISSING) fputs("sekimori balance: this ledger has one node only\n", stderr);
    code = outcome == LEDGERDB_MISSING ? EX_NOINPUT : ledger_outcome(outcome, "balance");
    if (code == EX_OK && is_json)
        json_table_print(&table);
    else if (code == EX_OK)
        table_print(&table);
    ledgerdb_close(ledgerdb);
    arena_free(arena);
    return code == EX_OK ? (int)state_of(&table) : code;
}
