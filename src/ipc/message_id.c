/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Message ids: time, process, node and counter in 64 bits, written in Crockford's base 32. */
#include "ipc/message_id.h"

enum {
    COUNTER_BITS = 8,
    NODE_BITS = 8,
    PROCESS_BITS = 6,
    PROCESS_SHIFT = COUNTER_BITS + NODE_BITS,
    TIME_SHIFT = PROCESS_SHIFT + PROCESS_BITS
};

static const char DIGITS[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* `last` holds time and counter of the last id: what runs over a millisecond's counter goes to the next. */
uint64_t message_id_next(struct message_id_source *source, uint64_t wall_ms)
{
    uint64_t fresh = wall_ms << COUNTER_BITS;
    source->last = fresh > source->last ? fresh : source->last + 1;
    uint64_t time = source->last >> COUNTER_BITS, counter = source->last & ((1u << COUNTER_BITS) - 1);
    return time << TIME_SHIFT | (uint64_t)(source->process & 63) << PROCESS_SHIFT |
           (uint64_t)source->node << COUNTER_BITS | counter;
}

void message_id_resume(struct message_id_source *source, uint64_t last)
{
    if (last < UINT64_MAX >> (PROCESS_BITS + NODE_BITS)) source->last = last;
}

void message_id_resume_behind(struct message_id_source *source, uint64_t id)
{
    source->last = message_id_time_ms(id) << COUNTER_BITS | (id & ((1u << COUNTER_BITS) - 1));
}

void message_id_not_before(struct message_id_source *source, uint64_t ms)
{
    if (source->last < ms << COUNTER_BITS) source->last = ms << COUNTER_BITS;
}

uint64_t message_id_time_ms(uint64_t id)
{
    return id >> TIME_SHIFT;
}

uint8_t message_id_node(uint64_t id)
{
    return (uint8_t)(id >> COUNTER_BITS);
}

char *message_id_print(uint64_t id, char room[MESSAGE_ID_SIZE])
{
    for (int i = MESSAGE_ID_SIZE - 2; i >= 0; i--, id >>= 5) room[i] = DIGITS[id & 31];
    room[MESSAGE_ID_SIZE - 1] = '\0';
    return room;
}

bool message_id_parse(struct text text, uint64_t *out_id)
{
    uint64_t id = 0;
    if (text.length != MESSAGE_ID_SIZE - 1) return false;
    for (size_t i = 0; i < text.length; i++) {
        char upper = char_is_alpha(text.at[i]) ? (char)(text.at[i] & ~32) : text.at[i];
        const char *digit = upper ? strchr(DIGITS, upper) : NULL;
        if (!digit || (i == 0 && digit - DIGITS > 15)) return false;
        id = id << 5 | (uint64_t)(digit - DIGITS);
    }
    *out_id = id;
    return true;
}
