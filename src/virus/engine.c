/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Results of engines: how they are written and which of two counts. */
#include "virus/engine.h"

static int weight(enum scan_state state)
{
    switch (state) {
    case SCAN_FOUND:
        return 5;
    case SCAN_UNSCANNED:
        return 4;
    case SCAN_LIMITS:
        return 3;
    case SCAN_CLOSED:
        return 2;
    case SCAN_CLEAN:
        return 1;
    default:
        return 0;
    }
}

void engine_result_merge(struct engine_result *into, const struct engine_result *from)
{
    if (weight(from->state) > weight(into->state)) *into = *from;
}

void engine_result_set(struct engine_result *out, enum scan_state state, struct text name)
{
    out->state = state;
    text_copy_printable(name, out->name, sizeof out->name);
}
