/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The damping of alarms, and what is remembered of them: a line a raised or lately told one. */
#include "report/alarm.h"

#include <inttypes.h>

#include "report/state_file.h"

static uint8_t one_more(uint8_t looks)
{
    return looks < UINT8_MAX ? (uint8_t)(looks + 1) : looks;
}

static enum alarm_news told(struct alarm *alarm, enum alarm_news news, uint64_t now_ms)
{
    alarm->told_ms = now_ms;
    alarm->is_raised = news != ALARM_OVER;
    return news;
}

enum alarm_news alarm_look(struct alarm *alarm, enum fact_state state, uint64_t now_ms)
{
    bool may_tell = alarm->told_ms == 0 || now_ms >= alarm->told_ms + ALARM_QUIET_MS;
    if (state == FACT_UNKNOWN) return ALARM_NOTHING;
    alarm->bad_looks = state == FACT_BAD ? one_more(alarm->bad_looks) : 0;
    alarm->good_looks = state == FACT_BAD ? 0 : one_more(alarm->good_looks);
    if (!alarm->is_raised && alarm->bad_looks >= ALARM_BAD_LOOKS && may_tell)
        return told(alarm, ALARM_RAISED, now_ms);
    if (alarm->is_raised && state == FACT_BAD && now_ms >= alarm->told_ms + ALARM_AGAIN_MS)
        return told(alarm, ALARM_LASTS, now_ms);
    if (alarm->is_raised && alarm->good_looks >= ALARM_GOOD_LOOKS) return told(alarm, ALARM_OVER, now_ms);
    return ALARM_NOTHING;
}

void alarms_read(int folder, struct alarm alarms[FACT_COUNT])
{
    struct buffer file = { 0 };
    state_file_read(folder, "alarms", &file);
    struct text rest = buffer_text(&file), line;
    while (text_next_line(&rest, &line)) {
        struct text name, raised, when;
        uint64_t told_ms;
        bool is_whole = text_next_word(&line, &name) && text_next_word(&line, &raised) &&
                        text_next_word(&line, &when) && text_to_number(when, UINT64_MAX / 2, &told_ms);
        for (int i = 0; is_whole && i < FACT_COUNT; i++)
            if (text_equal_nocase(text_of(fact_word((enum fact_kind)i)), name))
                alarms[i] =
                    (struct alarm){ .is_raised = text_equal(raised, TEXT("raised")), .told_ms = told_ms };
    }
    buffer_free(&file);
}

void alarms_write(int folder, const struct alarm alarms[FACT_COUNT])
{
    struct buffer file = { 0 };
    for (int i = 0; i < FACT_COUNT; i++) {
        if (!alarms[i].told_ms) continue;
        buffer_printf(&file, "%s %s %" PRIu64 "\n", fact_word((enum fact_kind)i),
                      alarms[i].is_raised ? "raised" : "over", alarms[i].told_ms);
    }
    state_file_write(folder, "alarms", buffer_text(&file));
    buffer_free(&file);
}
