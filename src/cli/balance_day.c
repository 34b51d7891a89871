/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Two columns: where those accepted on that day stand now, counted from their rows; and what happened on that
   day, from the sums that were kept with each event. */
#include "cli/balance_day.h"

#include <stdio.h>
#include <sysexits.h>

#include "base/json.h"
#include "cli/balance_state.h"
#include "cli/ledger_files.h"
#include "ledgerdb/day.h"

enum { NOTHING = -1 };

struct day_line {
    const char *name, *key;
    int64_t of_that_day, on_that_day; /* NOTHING: no such count */
};

enum { LINES_MOST = 24 };

static unsigned lines_make(const struct day_balance *day, struct day_line lines[LINES_MOST])
{
    const uint64_t *sums = day->sums;
    const struct day_line all[] = {
        { "accepted", "accepted", (int64_t)day->accepted, (int64_t)sums[SUM_ACCEPTED] },
        { "own", "own", (int64_t)day->own, (int64_t)sums[SUM_OWN] },
        { "relayed through", "relayed", (int64_t)day->relayed, (int64_t)sums[SUM_RELAYED] },
        { "delivered", "delivered", (int64_t)day->ended[ENDING_DELIVERED], (int64_t)sums[SUM_DELIVERED] },
        { "returned", "returned", (int64_t)day->ended[ENDING_RETURNED], (int64_t)sums[SUM_RETURNED] },
        { "again", "again", (int64_t)day->again, (int64_t)sums[SUM_AGAIN] },
        { "quarantined", "quarantined", (int64_t)day->ended[ENDING_QUARANTINED],
          (int64_t)sums[SUM_QUARANTINED] },
        { "  deleted there", "deleted", NOTHING, (int64_t)sums[SUM_DELETED] },
        { "  aged there", "aged", NOTHING, (int64_t)sums[SUM_AGED] },
        { "removed", "removed", (int64_t)day->ended[ENDING_REMOVED], (int64_t)sums[SUM_REMOVED] },
        { "queued", "queued", (int64_t)day->queued, NOTHING },
        { "held", "held", (int64_t)day->held, (int64_t)sums[SUM_HELD] },
        { "expired to hold", "expired_to_hold", NOTHING, (int64_t)sums[SUM_EXPIRED_HELD] },
        { "released", "released", NOTHING, (int64_t)sums[SUM_RELEASED] },
        { "discarded", "discarded", (int64_t)day->ended[ENDING_DISCARDED], (int64_t)sums[SUM_DISCARDED] },
        { "refused", "refused", NOTHING, (int64_t)sums[SUM_REFUSED] },
        { "refused after data", "refused_after_data", NOTHING, (int64_t)sums[SUM_REFUSED_AFTER] },
        { "aborted", "aborted", NOTHING, (int64_t)sums[SUM_ABORTED] },
    };
    unsigned count = sizeof all / sizeof *all;
    for (unsigned i = 0; i < count; i++) lines[i] = all[i];
    return count;
}

static enum balance_state state_of(const struct day_balance *day)
{
    return balance_state_of(!day->is_balanced, day->lost);
}

static void number_print(int64_t number, bool is_known)
{
    if (number == NOTHING || !is_known)
        printf(" %14s", "-");
    else
        printf(" %14lld", (long long)number);
}

static void table_print(const struct day_balance *day, const struct day_line *lines, unsigned count)
{
    printf("recipients of %04u-%02u-%02u\n%-20s %14s %14s\n", day->day / 10000, day->day / 100 % 100,
           day->day % 100, "", "accepted then", "on that day");
    for (unsigned i = 0; i < count; i++) {
        printf("%-20s", lines[i].name);
        number_print(lines[i].of_that_day, !day->is_forgotten);
        number_print(lines[i].on_that_day, true);
        putchar('\n');
    }
    if (day->is_forgotten) puts("its rows are no longer kept, only the sums");
    if (!day->is_balanced) puts("rows and sums differ");
    balance_state_print(state_of(day), day->lost);
}

static void json_table_print(const struct day_balance *day, const struct day_line *lines, unsigned count)
{
    struct json *all = json_new_object(), *then = json_new_object(), *on = json_new_object();
    for (unsigned i = 0; i < count; i++) {
        if (lines[i].of_that_day != NOTHING && !day->is_forgotten)
            json_set_number(then, lines[i].key, lines[i].of_that_day);
        if (lines[i].on_that_day != NOTHING) json_set_number(on, lines[i].key, lines[i].on_that_day);
    }
    balance_state_set(all, state_of(day), day->lost);
    json_set_bool(all, "forgotten", day->is_forgotten);
    json_set_number(all, "day", day->day);
    json_set_string(all, "unit", "recipients");
    json_set(all, "accepted_then", then);
    json_set(all, "on_that_day", on);
    json_print(all, stdout, true);
}

int balance_day(const struct control_target *target, uint32_t day, bool is_json)
{
    int code;
    struct day_balance balance;
    struct day_line lines[LINES_MOST];
    struct ledgerdb_reader *ledgerdb = ledger_open(target, "balance", &code);
    if (!ledgerdb) return code;
    code = ledger_outcome(day_count(ledgerdb, day, &balance), "balance");
    ledgerdb_close(ledgerdb);
    if (code != EX_OK) return code;
    unsigned count = lines_make(&balance, lines);
    if (is_json)
        json_table_print(&balance, lines, count);
    else
        table_print(&balance, lines, count);
    return (int)state_of(&balance);
}
