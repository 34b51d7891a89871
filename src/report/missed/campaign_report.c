/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "report/missed/campaign_report.h"

#include "config/own_address.h"
#include "ipc/ask_campaign.h"
#include "spam/campaign_sketch.h"

enum { MESSAGE_MOST = 32 << 20 }; /* bytes: a larger one begins no campaign */

static bool sketch_read(struct arena *arena, struct text message, struct campaign_sketch *out)
{
    if (message.length > MESSAGE_MOST) return false;
    campaign_sketch_message(arena, mime_parse(arena, message, &mime_limits_default, MIME_FIRST), out);
    return !campaign_sketch_is_empty(out);
}

static void message_tell(struct channel *lookup, bool is_trusted, struct text reporter, struct text message)
{
    struct arena *arena = arena_new(0);
    struct campaign_sketch sketch;
    if (sketch_read(arena, message, &sketch)) {
        struct buffer bytes = { 0 };
        campaign_sketch_put(&sketch, &bytes);
        campaign_report_tell(lookup, &(struct campaign_report){ buffer_text(&bytes),
                                                                text_slice(reporter, 0, 1000), is_trusted });
        buffer_free(&bytes);
    }
    arena_free(arena);
}

bool campaign_report_messages(struct channel *lookup, const struct config *config, enum missed_kind kind,
                              struct text reporter, const struct text *messages, size_t count)
{
    bool is_trusted = config_reporter_is_trusted(config, reporter);
    if ((kind != MISSED_SPAM && kind != MISSED_PHISHING) || reporter.length == 0) return true;
    if (!lookup) return false;
    for (size_t i = 0; i < count; i++) message_tell(lookup, is_trusted, reporter, messages[i]);
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
