/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "report/missed/campaign_report.h"

#include "spam/campaign_sketch.h"

enum { MESSAGE_MOST = 32 << 20 }; /* bytes: a larger one begins no campaign */

static bool sketch_read(struct arena *arena, struct text message, struct campaign_sketch *out)
{
    if (message.length > MESSAGE_MOST) return false;
    campaign_sketch_message(arena, mime_parse(arena, message, &mime_limits_default, MIME_FIRST), out);
    return !campaign_sketch_is_empty(out);
}

bool campaign_report_says(enum missed_kind kind, enum campaign_said *out)
{
    *out = kind == MISSED_HAM ? CAMPAIGN_SAID_HAM : CAMPAIGN_SAID_SPAM;
    return kind == MISSED_SPAM || kind == MISSED_PHISHING || kind == MISSED_HAM;
}

bool campaign_report_mail(struct channel *lookup, enum campaign_said said, struct text reporter,
                          struct text mail, uint64_t message)
{
    if (!lookup) return false;
    struct arena *arena = arena_new(0);
    struct campaign_sketch sketch;
    if (sketch_read(arena, mail, &sketch)) {
        struct buffer bytes = { 0 };
        campaign_sketch_put(&sketch, &bytes);
        campaign_report_tell(lookup, &(struct campaign_report){ .sketch = buffer_text(&bytes),
                                                                .reporter = text_slice(reporter, 0, 1000),
                                                                .said = said,
                                                                .message = message });
        buffer_free(&bytes);
    }
    arena_free(arena);
    return true;
}

void campaign_report_prepare(void)
{
    static const char sample[] =
        "Content-Type: text/html; charset=iso-2022-jp\r\n\r\n<p>\x1b$B$\"\x1b(B</p>\r\n";
    struct arena *arena = arena_new(0);
    struct campaign_sketch sketch;
    sketch_read(arena, text_of(sample), &sketch);
    arena_free(arena);
}
