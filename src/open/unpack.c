/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Which reader a true type has. */
#include "open/unpack.h"

#include "base/monotonic.h"
#include "open/archive_reader.h"
#include "open/cms_reader.h"
#include "open/lzop_reader.h"
#include "open/zip_reader.h"

static void container_open(struct unpack *unpack, enum true_type type, struct text bytes)
{
    switch (type) {
    case TYPE_ZIP:
        zip_read(unpack, bytes);
        return;
    case TYPE_LZOP:
        lzop_read(unpack, bytes);
        return;
    case TYPE_CMS:
    case TYPE_CMS_PEM:
        cms_read(unpack, bytes, type == TYPE_CMS_PEM);
        return;
    default:
        archive_read(unpack, type, text_slice(bytes, true_type_start(type, bytes), bytes.length));
    }
}

void unpack_run(struct unpack *unpack, const struct unpack_limits *limits, const struct unpack_events *events,
                void *context, struct text bytes)
{
    *unpack =
        (struct unpack){ .limits = limits, .events = events, .context = context, .read = container_open };
    unpack->until_ms = monotonic_ms() + limits->time_ms;
    unpack->in_bytes = bytes.length;
    members_look_into(unpack, true_type_of(bytes), bytes);
    buffer_free(&unpack->path);
}
