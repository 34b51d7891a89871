/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Takes the two counts, and keeps what lies between them. */
#include "report/daily/accounts.h"

#include <inttypes.h>

#include "ipc/event.h"
#include "report/state_file.h"
#include "statistics/statistics.h"

enum { FIRST_DAY = 19700101, LAST_DAY = 99991231 };

static const struct {
    const char *name;
    enum sum_kind sum;
    enum ending ending; /* NONE: it is none */
} accounts_table[ACCOUNT_COUNT] = {
    [ACCOUNT_ACCEPTED] = { N_("Accepted"), SUM_ACCEPTED, ENDING_NONE },
    [ACCOUNT_OWN] = { N_("Own mail"), SUM_OWN, ENDING_NONE },
    [ACCOUNT_AGAIN] = { N_("Released from quarantine"), SUM_AGAIN, ENDING_NONE },
    [ACCOUNT_DELIVERED] = { N_("Delivered"), SUM_DELIVERED, ENDING_DELIVERED },
    [ACCOUNT_RETURNED] = { N_("Returned"), SUM_RETURNED, ENDING_RETURNED },
    [ACCOUNT_REMOVED] = { N_("Removed"), SUM_REMOVED, ENDING_REMOVED },
    [ACCOUNT_QUARANTINED] = { N_("Put into quarantine"), SUM_QUARANTINED, ENDING_QUARANTINED },
};

const char *account_name(enum account account)
{
    return accounts_table[account].name;
}

void accounts_of(const struct queue_counters *queue, int64_t out[ACCOUNT_COUNT])
{
    uint64_t again = queue->ended[COUNTERS_AGAIN];
    for (int i = 0; i < ACCOUNT_COUNT; i++) out[i] = (int64_t)queue->ended[accounts_table[i].ending];
    out[ACCOUNT_ACCEPTED] = (int64_t)(queue->accepted - queue->own - again);
    out[ACCOUNT_OWN] = (int64_t)queue->own;
    out[ACCOUNT_AGAIN] = (int64_t)again;
}

enum ledgerdb_outcome accounts_of_ledger(struct ledgerdb_reader *ledgerdb, int node,
                                         int64_t out[ACCOUNT_COUNT])
{
    struct sum_question question = {
        .from_day = FIRST_DAY, .until_day = LAST_DAY, .node = node, .direction = -1, .by = SUM_BY_KIND
    };
    struct sum_row *rows;
    size_t count;
    struct arena *arena = arena_new(0);
    for (int i = 0; i < ACCOUNT_COUNT; i++) {
        question.kinds |= sum_bit(accounts_table[i].sum);
        out[i] = 0;
    }
    enum ledgerdb_outcome outcome = statistics_rows(ledgerdb, &question, arena, &rows, &count);
    for (size_t row = 0; outcome == LEDGERDB_DONE && row < count; row++)
        for (int i = 0; i < ACCOUNT_COUNT; i++)
            if (rows[row].kind == accounts_table[i].sum) out[i] += (int64_t)rows[row].recipients;
    arena_free(arena);
    return outcome;
}

/* How far [least, most] is beside what was known; 0: they touch, and what they share is known from now on. */
static int64_t narrow(int64_t *known_least, int64_t *known_most, int64_t least, int64_t most)
{
    int64_t apart = least > *known_most ? least - *known_most : most < *known_least ? most - *known_least : 0;
    if (apart || least > *known_least) *known_least = least;
    if (apart || most < *known_most) *known_most = most;
    return apart;
}

void accounts_close(struct accounts *accounts, int64_t node, uint64_t now_ms,
                    const int64_t before[ACCOUNT_COUNT], const int64_t ledger[ACCOUNT_COUNT],
                    const int64_t after[ACCOUNT_COUNT], struct account_line out[ACCOUNT_COUNT])
{
    bool is_first = accounts->time_ms == 0 || accounts->node != node;
    for (int i = 0; i < ACCOUNT_COUNT; i++) {
        int64_t least = before[i] - ledger[i], most = after[i] - ledger[i];
        if (is_first) {
            accounts->least[i] = least;
            accounts->most[i] = most;
        }
        out[i] =
            (struct account_line){ .journal = is_first ? 0 : after[i] - accounts->journal[i],
                                   .ledger = is_first ? 0 : ledger[i] - accounts->ledger[i],
                                   .apart = narrow(&accounts->least[i], &accounts->most[i], least, most) };
        accounts->journal[i] = after[i];
        accounts->ledger[i] = ledger[i];
    }
    accounts->time_ms = now_ms;
    accounts->node = node;
}

/* --- the file: time, node, then four numbers an account --- */

static bool number_next(struct text *rest, int64_t *out)
{
    struct text word;
    uint64_t number;
    if (!text_next_word(rest, &word)) return false;
    bool is_below = word.length && word.at[0] == '-';
    if (is_below) word = text_slice(word, 1, word.length);
    if (!text_to_number(word, INT64_MAX, &number)) return false;
    *out = is_below ? -(int64_t)number : (int64_t)number;
    return true;
}

void accounts_read(int folder, struct accounts *out)
{
    struct buffer file = { 0 };
    int64_t time = 0;
    *out = (struct accounts){ 0 };
    state_file_read(folder, "accounts", &file);
    struct text rest = text_trim(buffer_text(&file));
    bool is_whole = number_next(&rest, &time) && number_next(&rest, &out->node);
    for (int i = 0; i < ACCOUNT_COUNT && is_whole; i++)
        is_whole = number_next(&rest, &out->journal[i]) && number_next(&rest, &out->ledger[i]) &&
                   number_next(&rest, &out->least[i]) && number_next(&rest, &out->most[i]);
    if (is_whole) out->time_ms = (uint64_t)time;
    buffer_free(&file);
}

bool accounts_write(int folder, const struct accounts *accounts)
{
    struct buffer file = { 0 };
    buffer_printf(&file, "%" PRIu64 " %" PRId64, accounts->time_ms, accounts->node);
    for (int i = 0; i < ACCOUNT_COUNT; i++)
        buffer_printf(&file, " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64, accounts->journal[i],
                      accounts->ledger[i], accounts->least[i], accounts->most[i]);
    buffer_add_char(&file, '\n');
    bool is_written = state_file_write(folder, "accounts", buffer_text(&file));
    buffer_free(&file);
    return is_written;
}
