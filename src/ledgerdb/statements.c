/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The statements that store events. */
#include "ledgerdb/database_private.h"

const char *const statements_texts[STATEMENTS] = {
    [STORE_MESSAGE] =
        "INSERT OR IGNORE INTO message(id, time, direction, client, helo, sender, size, own, node,"
        " class, score, virus, engine, signals, subject, message_id, author)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
    [JUDGE_MESSAGE] = "UPDATE message SET class = ?10, score = ?11, virus = ?12, engine = ?13, signals = ?14,"
                      " subject = ?15, message_id = ?16, author = ?17, client = ?4, helo = ?5"
                      " WHERE id = ?1 AND score IS NULL",
    /* Not one statement with RETURNING: that costs a table of its own each time. */
    [STORE_RECIPIENT] =
        "INSERT OR IGNORE INTO recipient(message, number, address, accepted_ms, action, observed,"
        " hold) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [ACCEPT_RECIPIENT] = "UPDATE recipient SET address = ?3, accepted_ms = ?4, action = ?5, observed = ?6"
                         " WHERE message = ?1 AND number = ?2 AND accepted_ms IS NULL",
    [JUDGE_RECIPIENT] = "UPDATE recipient SET action = ?3, observed = ?4 WHERE message = ?1 AND number = ?2",
    [END_RECIPIENT] = "UPDATE recipient SET ending = ?3, ended_ms = ?4, dsn = ?5, relay = ?6, reply = ?7"
                      " WHERE message = ?1 AND number = ?2 AND ending = 0",
    [STORE_ENDING] = "INSERT OR IGNORE INTO recipient(message, number, ending, ended_ms, dsn, relay, reply)"
                     " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [STORE_STEP] = "INSERT OR IGNORE INTO step(message, recipient, time, kind, hold, due, dsn, relay, reply)"
                   " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    [HOLD_RECIPIENT] = "INSERT INTO recipient(message, number, hold) VALUES(?1, ?2, ?3)"
                       " ON CONFLICT DO UPDATE SET hold = excluded.hold",
    [STORE_REFUSAL] =
        "INSERT OR IGNORE INTO refusal(id, node, direction, stage, code, message, number, client, helo, "
        "sender,"
        " recipient, reply, size, class, score, virus, engine, signals, subject, message_id, author, count)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, "
        "?21, ?22)",
    [STORE_AUDIT] = "INSERT OR IGNORE INTO audit(id, node, uid, user, process, act, message, about)"
                    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    [STORE_MISSED] = "INSERT OR IGNORE INTO missed(digest, time, kind) VALUES(?1, ?2, ?3)",
    [STORE_RELAYED] =
        "INSERT OR IGNORE INTO recipient(message, number, address, accepted_ms, ending, ended_ms,"
        " dsn, relay, reply) VALUES(?1, ?2, ?3, ?4, ?5, ?4, ?6, ?7, ?8)",
    [STORE_HOP] = "INSERT OR IGNORE INTO hop(message, next) VALUES(?1, ?2)",
    [STORE_PROOF] = "INSERT OR IGNORE INTO proof(id, spf, dkim, dmarc, arc, demand, excuse, fate,"
                    " author_domain, spf_domain, dkim_domain, excuse_of)"
                    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    [FIND_LATE] = "UPDATE message SET class = ?2, virus = ?3 WHERE id = ?1 AND class NOT IN (1, 2)",
    [FIND_ENDING] = "SELECT ending, ended_ms FROM recipient WHERE message = ?1 AND number = ?2",
    [FIND_MESSAGE] =
        "SELECT m.direction, m.size, m.sender, r.address FROM recipient r JOIN message m"
        " ON m.id = r.message WHERE r.message = ?1 AND r.number = ?2 AND r.accepted_ms IS NOT NULL",
};
