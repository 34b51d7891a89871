/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The table is small: it is walked from its newest row. */
#include "ledgerdb/access_log.h"

enum { ID_SHIFT = 22 };

const char *look_act(size_t position)
{
    static const char *const acts[] = {
        "cat",                               /* of what waits in the queue: its content */
        "content",                           /* the same of the quarantine */
        "release",                           /* of both */
        "delete",                            /* of the quarantine */
        "found",                             /* there, by new signatures: a virus */
        "retry",    "hold",       "remove",  /* of the queue */
        "reload",   "drain",      "undrain", /* of the node */
        "stop",     "balance",               /* balance: its counts began anew */
        "learn",    "decline",    "unlearn", /* of the local model, and of what users propose */
        "campaign", "newsletter",            /* stop and forget; approve and forget */
        "sender",                            /* what is remembered of one: forget */
        "list",                              /* put aside, and in force again: by lookup */
        "people",                            /* a learned name of a sender: forgotten */
        "inside",                            /* a sender inside who was held: release */
        "allow",    "block",                 /* entries: added, removed, by whatever command */
        NULL,
    };
    return acts[position];
}

static struct look row_read(struct sql_statement *row, struct arena *arena)
{
    return (struct look){ .time_ms = sql_get(row, 0) >> ID_SHIFT,
                          .node = (uint16_t)sql_get(row, 1),
                          .uid = (uint32_t)sql_get(row, 2),
                          .user = arena_text(arena, sql_get_text(row, 3)),
                          .process = arena_text(arena, sql_get_text(row, 4)),
                          .act = arena_text(arena, sql_get_text(row, 5)),
                          .message = sql_get(row, 6),
                          .about = arena_text(arena, sql_get_text(row, 7)) };
}

enum ledgerdb_outcome looks_read(struct ledgerdb_reader *ledgerdb, const struct look_question *question,
                                 struct arena *arena, struct look **out, size_t *out_count, bool *out_is_cut)
{
    enum ledgerdb_outcome outcome = LEDGERDB_ROW;
    struct sql_statement *row = sql_prepare(
        ledgerdb_sql(ledgerdb), "SELECT id, node, uid, user, process, act, message, about FROM audit"
                                " WHERE id >= ?1 AND id < ?2 AND (?3 = 0 OR message = ?3)"
                                " AND (?4 IS NULL OR user = ?4) AND (?6 IS NULL OR act = ?6"
                                " OR (?6 IN ('allow', 'block') AND process = ?6))"
                                " ORDER BY id DESC LIMIT ?5");
    *out = arena_alloc_array(arena, question->most, sizeof **out);
    *out_count = 0;
    *out_is_cut = false;
    if (!row) return sql_failure(ledgerdb_sql(ledgerdb));
    sql_bind(row, 1, question->from_ms << ID_SHIFT);
    sql_bind(row, 2, question->until_ms ? question->until_ms << ID_SHIFT : INT64_MAX);
    sql_bind(row, 3, question->message);
    sql_bind_text(row, 4, question->user);
    sql_bind(row, 5, question->most + 1);
    sql_bind_text(row, 6, question->act);
    sql_time_limit(ledgerdb_sql(ledgerdb), READER_STEP_MS);
    while (!*out_is_cut && (outcome = sql_step(row)) == LEDGERDB_ROW) {
        *out_is_cut = *out_count == question->most;
        if (!*out_is_cut) (*out)[(*out_count)++] = row_read(row, arena);
    }
    sql_drop(row);
    return *out_is_cut ? LEDGERDB_DONE : outcome;
}
