/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Byte forms of what report and helper say, and its words. */
#include "ipc/ask_helper.h"

#include <inttypes.h>

const char *alarm_state_name(enum alarm_state state)
{
    static const char *const names[ALARM_STATES] = { "raised", "lasts", "over" };
    return (unsigned)state < ALARM_STATES ? names[state] : "unknown";
}

void alarm_notice_put(const struct alarm_notice *notice, struct buffer *out)
{
    put_u64(out, notice->time_ms);
    put_u8(out, (uint8_t)notice->state);
    put_text(out, text_slice(notice->alarm, 0, ALARM_WORD_MOST));
    put_text(out, text_slice(notice->english, 0, ALARM_TEXT_MOST));
    put_text(out, text_slice(notice->local, 0, ALARM_TEXT_MOST));
}

bool alarm_notice_get(struct text payload, struct alarm_notice *out)
{
    struct reader reader = reader_of(payload);
    out->time_ms = get_u64(&reader);
    out->state = get_u8(&reader);
    out->alarm = get_text(&reader);
    out->english = get_text(&reader);
    out->local = get_text(&reader);
    return reader_done(&reader) && (unsigned)out->state < ALARM_STATES && out->time_ms <= INT64_MAX &&
           out->alarm.length > 0 && out->alarm.length <= ALARM_WORD_MOST &&
           out->english.length <= ALARM_TEXT_MOST && out->local.length <= ALARM_TEXT_MOST;
}

bool program_end_is_good(const struct program_end *end)
{
    return end->outcome == PROGRAM_EXITED && end->number == 0;
}

void program_end_say(const struct program_end *end, struct buffer *out)
{
    switch (end->outcome) {
    case PROGRAM_EXITED:
        buffer_printf(out, "ended with exit code %" PRIu32 " after %" PRIu64 " ms", end->number,
                      end->took_ms);
        return;
    case PROGRAM_KILLED:
        buffer_printf(out, "was killed by signal %" PRIu32 " after %" PRIu64 " ms", end->number,
                      end->took_ms);
        return;
    case PROGRAM_LATE:
        buffer_printf(out, "was killed: its time was over after %" PRIu64 " ms", end->took_ms);
        return;
    default:
        buffer_printf(out, "was not run");
    }
}

void program_end_put(const struct program_end *end, struct buffer *out)
{
    put_u8(out, (uint8_t)end->outcome);
    put_u32(out, end->number);
    put_u64(out, end->took_ms);
}

bool program_end_get(struct text payload, struct program_end *out)
{
    struct reader reader = reader_of(payload);
    out->outcome = get_u8(&reader);
    out->number = get_u32(&reader);
    out->took_ms = get_u64(&reader);
    return reader_done(&reader) && (unsigned)out->outcome < PROGRAM_OUTCOMES;
}
