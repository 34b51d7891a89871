/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "ledger/people_command.h"

#include <sysexits.h>

#include "base/json_text.h"

enum { WHAT_MOST = 320 };

#define DAY_MS (UINT64_C(24) * 3600 * 1000)

static void colleague_print(const struct colleague *one, struct buffer *out)
{
    buffer_add_text(out, TEXT("{\"name\":"));
    json_text_add(out, one->name);
    buffer_add_text(out, TEXT(",\"address\":"));
    json_text_add(out, one->address);
    buffer_printf(out, ",\"mails\":%llu,\"days\":%u,\"first_ms\":%llu,\"last_ms\":%llu,\"state\":\"%s\"}\n",
                  (unsigned long long)one->mails, one->days, (unsigned long long)(one->first_day * DAY_MS),
                  (unsigned long long)(one->last_day * DAY_MS),
                  one->is_barred    ? N_("forgotten")
                  : one->is_settled ? N_("known")
                                    : N_("seen"));
}

static int list(const struct people_command *command, struct database *database, struct text *out_last)
{
    struct colleague *all;
    size_t count;
    if (database_colleagues(database, command->arena, &all, &count) != LEDGERDB_DONE) {
        *out_last = TEXT("the ledger cannot be read now");
        return EX_TEMPFAIL;
    }
    for (size_t i = 0; i < count; i++) {
        struct buffer line = { 0 };
        colleague_print(&all[i], &line);
        command->say(command->context, buffer_text(&line));
        buffer_free(&line);
    }
    return EX_OK;
}

static int forget(const struct people_command *command, struct database *database, struct text what,
                  struct text *out_last)
{
    unsigned rows = 0;
    struct text key = text_find_char(what, '@') < what.length ? arena_text_lower(command->arena, what) : what;
    if (what.length == 0 || what.length > WHAT_MOST) {
        *out_last = TEXT("a name or an address is wanted");
        return EX_USAGE;
    }
    struct text about = arena_printf(command->arena, "forget %.*s", TEXT_ARG(what));
    if (!quarantine_command_record(command->records, command->commander, "people", 0, "people", about)) {
        *out_last = TEXT("it cannot be recorded who asks, so nothing is done");
        return EX_IOERR;
    }
    if (database_bar_colleague(database, key, &rows) != LEDGERDB_DONE) {
        *out_last = TEXT("the ledger cannot be written now");
        return EX_IOERR;
    }
    list_page_hurry(command->from.page);
    if (rows > 0) return EX_OK;
    *out_last = TEXT("nobody is known by that name or address");
    return EX_DATAERR;
}

int people_command_run(const struct people_command *command, struct text rest, struct text *out_last)
{
    struct text what = TEXT_NONE;
    struct database *database = ingest_database(command->from.ingest);
    *out_last = TEXT_NONE;
    text_next_word(&rest, &what);
    if (!database) {
        *out_last = TEXT("the ledger's database is not there now");
        return EX_TEMPFAIL;
    }
    if (text_equal(what, TEXT("list"))) return list(command, database, out_last);
    if (text_equal(what, TEXT("forget"))) return forget(command, database, text_trim(rest), out_last);
    *out_last = TEXT("people knows: list, forget");
    return EX_USAGE;
}
