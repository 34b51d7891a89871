/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Any bytes as a container: nothing comes out beyond the limits, and what comes lies where it says. */
#include <stdlib.h>

#include "open/unpack.h"

enum { FILE_MOST = 1 << 20, TOTAL_MOST = 4 << 20, FILES_MOST = 200 };

struct seen {
    uint32_t members;
    unsigned sum; /* of all bytes: each is read */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool member(void *context, struct text path, struct text bytes)
{
    struct seen *seen = context;
    if (path.length > UNPACK_PATH_MOST || bytes.length == 0 || bytes.length > FILE_MOST) abort();
    for (size_t i = 0; i < bytes.length; i++) seen->sum += (unsigned char)bytes.at[i];
    for (size_t i = 0; i < path.length; i++) seen->sum += (unsigned char)path.at[i];
    return ++seen->members < FILES_MOST;
}

static void notice(void *context, enum unpack_notice notice, struct text path, struct text what)
{
    if (notice > UNPACK_ENCRYPTED || path.length > UNPACK_PATH_MOST || what.length == 0) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct unpack_events events = { member, notice };
    static const struct unpack_limits limits = { FILE_MOST, TOTAL_MOST, FILES_MOST, 5, 2000 };
    struct unpack unpack;
    struct seen seen = { 0 };
    unpack_run(&unpack, &limits, &events, &seen, text_from((const char *)data, size));
    if (seen.members > FILES_MOST || unpack.depth != 0 || unpack.hidden != 0) abort();
    return 0;
}
