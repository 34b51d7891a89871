/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* It logs nothing and answers nobody but its worker. Its end is by the channel's, by a signal, or by a limit.
 */
#include "open/reader_life.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/sandbox.h"
#include "ipc/ask_open.h"
#include "ipc/channel.h"
#include "open/unpack.h"

_Static_assert((int)UNPACK_PATH_MOST <= (int)READER_PATH_MOST, "the worker takes no longer path");
_Static_assert((int)UNPACK_WHAT_MOST <= (int)READER_WHAT_MOST, "the worker takes no longer word");

enum { CHANNEL_FD = 3, ROOM_BYTES = 512 << 20, CPU_MARGIN_S = 10 };

struct serving {
    uint64_t id; /* of the container */
    struct buffer frame;
};

/* --- out --- */

static bool say(struct serving *serving, uint16_t type)
{
    return channel_send_now(CHANNEL_FD, type, serving->id, buffer_text(&serving->frame), NULL, 0);
}

static bool member_say(void *context, struct text path, struct text bytes)
{
    struct serving *serving = context;
    const struct open_member member = { path, bytes.length };
    buffer_clear(&serving->frame);
    open_member_put(&member, &serving->frame);
    bool is_good = say(serving, READER_MEMBER);
    for (size_t at = 0; is_good && at < bytes.length; at += READER_PIECE)
        is_good = channel_send_now(CHANNEL_FD, READER_BYTES, serving->id,
                                   text_slice(bytes, at, at + READER_PIECE), NULL, 0);
    if (!is_good) _exit(EX_OK); /* nobody listens any more */
    return true;
}

static void notice_say(void *context, enum unpack_notice notice, struct text path, struct text what)
{
    static const enum open_notice_kind kinds[] = { [UNPACK_LIMITS] = OPEN_LIMITS,
                                                   [UNPACK_NOT_OPENED] = OPEN_NOT_OPENED,
                                                   [UNPACK_ENCRYPTED] = OPEN_ENCRYPTED };
    struct serving *serving = context;
    const struct open_notice out = { kinds[notice], path, what };
    buffer_clear(&serving->frame);
    open_notice_put(&out, &serving->frame);
    if (!say(serving, READER_NOTICE)) _exit(EX_OK);
}

/* --- in --- */

#ifdef SEKIMORI_JAIL_PROBE
/* Test builds: a container can ask its reader to die or to hang. */
static void misbehave(struct text bytes)
{
    static const struct text die = { "X-Test-Reader: die", 18 }, hang = { "X-Test-Reader: hang", 19 };
    if (text_find(bytes, die) < bytes.length) abort();
    while (text_find(bytes, hang) < bytes.length) sleep(1);
}
#endif

static bool bytes_take(uint64_t wanted, struct buffer *out)
{
    struct frame frame;
    while (buffer_length(out) < wanted) {
        if (!channel_wait(CHANNEL_FD, -1, &frame) || frame.type != READER_BYTES) return false;
        if (frame.payload.length == 0 || frame.payload.length > wanted - buffer_length(out)) return false;
        buffer_add_text(out, frame.payload);
    }
    return true;
}

static bool container_serve(struct serving *serving, const struct frame *frame, uint64_t most)
{
    static const struct unpack_events events = { member_say, notice_say };
    struct open_order order;
    struct unpack unpack;
    struct buffer container = { 0 };
    if (frame->type != READER_OPEN || !open_order_get(frame->payload, &order) || order.bytes > most)
        return false;
    const struct unpack_limits limits = { order.file_bytes, order.total_bytes, order.files, order.nesting,
                                          order.time_ms };
    serving->id = frame->id;
    if (!bytes_take(order.bytes, &container)) return false;
#ifdef SEKIMORI_JAIL_PROBE
    misbehave(buffer_text(&container));
#endif
    unpack_run(&unpack, &limits, &events, serving, buffer_text(&container));
    buffer_free(&container);
    buffer_clear(&serving->frame);
    put_u64(&serving->frame, unpack.total);
    put_u32(&serving->frame, unpack.files);
    return say(serving, READER_DONE);
}

/* --- life --- */

static void descriptors_keep(int channel, int nowhere)
{
    for (int standard = 0; standard < CHANNEL_FD; standard++)
        if (dup3(nowhere, standard, 0) != standard) _exit(EX_OSERR);
    if (dup3(channel, CHANNEL_FD, 0) != CHANNEL_FD) _exit(EX_OSERR);
    close_range(CHANNEL_FD + 1, ~0U, 0);
}

/* All that may be unpacked at once, twice since buffers grow by doubling; dictionaries and the libraries. */
static void limits_set(const struct config *config)
{
    rlim_t memory = 2 * (rlim_t)config->virus.max_scan_bytes + ROOM_BYTES;
    rlim_t seconds = config->virus.max_time_ms / 1000 + CPU_MARGIN_S;
    const struct rlimit none = { 0, 0 }, space = { memory, memory }, time = { seconds, seconds };
    setrlimit(RLIMIT_CORE, &none);
    setrlimit(RLIMIT_CPU, &time);
#if !defined(__SANITIZE_ADDRESS__)
    setrlimit(RLIMIT_AS, &space);
#else
    (void)space;
#endif
}

_Noreturn void reader_life_run(int channel, int nowhere, pid_t parent, const struct config *config)
{
    struct serving serving = { 0 };
    struct frame frame;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent) _exit(EX_OK);
    prctl(PR_SET_NAME, "open-reader");
    limits_set(config);
    if (config->processes.jail && !jail_enter("open reader", JAIL_READER, NULL)) _exit(EX_OSERR);
    descriptors_keep(channel, nowhere);
    uint64_t most = config->virus.max_scan_bytes;
    while (channel_wait(CHANNEL_FD, -1, &frame))
        if (!container_serve(&serving, &frame, most)) break;
    _exit(EX_OK);
}
