/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Writes the ring of slot PROCESS_MASTER. Called by commands.c and main.c. */
#include "master/acts.h"

#include <unistd.h>

#include "base/arena.h"
#include "base/log.h"
#include "ipc/event.h"
#include "ipc/message_id.h"
#include "ipc/ring.h"

enum { OWN_PROCESS = 60 }; /* in serials: receive has 0 to 59, ledger 61, report 62, queue 63 */

struct acts {
    struct ring *ring; /* NULL: it cannot be mapped, and the log has all there is */
    struct message_id_source ids;
};

struct acts *acts_open(const struct state *state, uint8_t node_number)
{
    struct acts *acts = memory_alloc(sizeof *acts);
    uint16_t slot;
    int fd = state_events(state, PROCESS_MASTER, 0, &slot);
    *acts = (struct acts){ .ring = fd < 0 ? NULL : ring_map(fd),
                           .ids = { .process = OWN_PROCESS, .node = node_number } };
    if (!acts->ring)
        log_warning("run/events/master.0 cannot be mapped: acts on the node are in the log alone");
    if (fd >= 0) close(fd);
    return acts;
}

void acts_record(struct acts *acts, uint64_t wall_ms, const struct commander *who, struct text act,
                 struct text about)
{
    struct buffer record = { 0 };
    struct event_audit event = { .time_ms = wall_ms,
                                 .serial = message_id_next(&acts->ids, wall_ms),
                                 .uid = who->uid,
                                 .user = who->user,
                                 .process = TEXT("node"),
                                 .act = act,
                                 .about = about };
    event_audit_put(&event, &record);
    bool is_told = acts->ring && ring_append(acts->ring, buffer_text(&record));
    log_info("%.*s by %.*s (uid %d): %.*s%s", TEXT_ARG(act), TEXT_ARG(who->user), (int)who->uid,
             TEXT_ARG(about), is_told ? "" : "; only this log has it");
    buffer_free(&record);
}
