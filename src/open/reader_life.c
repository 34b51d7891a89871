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

#include "base/log.h"
#include "ipc/ask_open.h"
#include "ipc/channel.h"
#include "open/extract.h"
#include "open/unpack.h"

_Static_assert((int)UNPACK_PATH_MOST <= (int)READER_PATH_MOST, "the worker takes no longer path");
_Static_assert((int)UNPACK_WHAT_MOST <= (int)READER_WHAT_MOST, "the worker takes no longer word");

enum { CHANNEL_FD = 3, ROOM_BYTES = 512 << 20, CPU_MARGIN_S = 10 };

struct serving {
    uint64_t id; /* of the container, or of what is extracted from */
    uint64_t most;
    struct buffer frame;
    struct extract extract;
};

static const char *const public_tables[] = { "/usr/share/poppler", NULL };
const struct jail_paths reader_life_paths = { .readable = public_tables };

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

static void found_say(void *context, enum found_kind kind, struct text text)
{
    struct serving *serving = context;
    const struct open_found out = { kind, text };
    buffer_clear(&serving->frame);
    open_found_put(&out, &serving->frame);
    if (!say(serving, READER_FOUND)) _exit(EX_OK);
}

static void extract_notice_say(void *context, enum open_notice_kind kind, struct text what)
{
    struct serving *serving = context;
    const struct open_notice out = { kind, TEXT_NONE, what };
    buffer_clear(&serving->frame);
    open_notice_put(&out, &serving->frame);
    if (!say(serving, READER_NOTICE)) _exit(EX_OK);
}

static bool done_say(struct serving *serving, uint64_t total, uint32_t files)
{
    buffer_clear(&serving->frame);
    put_u64(&serving->frame, total);
    put_u32(&serving->frame, files);
    return say(serving, READER_DONE);
}

/* --- in --- */

#ifdef SEKIMORI_JAIL_PROBE
/* Test builds: what it is given can ask a reader to die or to hang. */
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

/* All that was announced: `out` is the caller's, whatever comes back. */
static bool ordered_take(const struct serving *serving, uint64_t bytes, struct buffer *out)
{
    if (bytes > serving->most || !bytes_take(bytes, out)) return false;
#ifdef SEKIMORI_JAIL_PROBE
    misbehave(buffer_text(out));
#endif
    return true;
}

static bool container_serve(struct serving *serving, struct text payload)
{
    static const struct unpack_events events = { member_say, notice_say };
    struct open_order order;
    struct unpack unpack;
    struct buffer container = { 0 };
    if (!open_order_get(payload, &order) || !ordered_take(serving, order.bytes, &container)) return false;
    const struct unpack_limits limits = { order.file_bytes, order.total_bytes, order.files, order.nesting,
                                          order.time_ms };
    unpack_run(&unpack, &limits, &events, serving, buffer_text(&container));
    buffer_free(&container);
    return done_say(serving, unpack.total, unpack.files);
}

static bool extract_serve(struct serving *serving, struct text payload)
{
    struct extract_order order;
    struct buffer bytes = { 0 };
    if (!extract_order_get(payload, &order) || !ordered_take(serving, order.bytes, &bytes)) return false;
    extract_run(&serving->extract, order.kind, buffer_text(&bytes), order.time_ms);
    buffer_free(&bytes);
    return done_say(serving, 0, 0);
}

static bool frame_serve(struct serving *serving, const struct frame *frame)
{
    serving->id = frame->id;
    if (frame->type == READER_OPEN) return container_serve(serving, frame->payload);
    return frame->type == READER_EXTRACT && extract_serve(serving, frame->payload);
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

bool reader_life_jail(struct jail *out)
{
    return jail_make("open reader", JAIL_READER, &reader_life_paths, out);
}

_Noreturn void reader_life_run(int channel, int nowhere, pid_t parent, const struct config *config,
                               const struct jail *jail)
{
    static const struct extract_events events = { found_say, extract_notice_say };
    struct serving serving = { .most = config->virus.max_scan_bytes };
    struct frame frame;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent) _exit(EX_OK);
    prctl(PR_SET_NAME, "open-reader");
    limits_set(config);
    bool is_jailed = !jail || jail_enter_made(jail);
    log_flush(); /* what the jail says of itself; it has no log from here on */
    if (!is_jailed) _exit(EX_OSERR);
    descriptors_keep(channel, nowhere);
    extract_begin(&serving.extract, &events, &serving);
    while (channel_wait(CHANNEL_FD, -1, &frame))
        if (!frame_serve(&serving, &frame)) break;
    _exit(EX_OK);
}
