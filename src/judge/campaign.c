/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The byte forms of a sketch and of what is known of its like. */
#include "judge/campaign.h"

#include "base/codec.h"

enum { HAS_TEXT = 1, HAS_LINE = 2 };
enum { IS_STOPPED = 1, IS_TOLD_BY_ALL = 2, IS_BY_USER = 4, FLAGS_ALL = 7 };

void campaign_sketch_put(const struct campaign_sketch *sketch, struct buffer *out)
{
    put_u8(out, CAMPAIGN_VERSION);
    put_u8(out, (sketch->bands[0] ? HAS_TEXT : 0) | (sketch->line ? HAS_LINE : 0));
    put_u8(out, (uint8_t)sketch->file_count);
    for (int i = 0; sketch->bands[0] && i < CAMPAIGN_BANDS; i++) put_u64(out, sketch->bands[i]);
    if (sketch->line) put_u64(out, sketch->line);
    for (uint32_t i = 0; i < sketch->file_count; i++) put_u64(out, sketch->files[i]);
}

/* A key; 0, which none is, fails the reader. */
static uint64_t get_key(struct reader *reader)
{
    uint64_t key = get_u64(reader);
    if (key == 0) reader->failed = true;
    return key;
}

bool campaign_sketch_get(struct text bytes, struct campaign_sketch *out)
{
    struct reader reader = reader_of(bytes);
    *out = (struct campaign_sketch){ 0 };
    unsigned version = get_u8(&reader), flags = get_u8(&reader), files = get_u8(&reader);
    if (version != CAMPAIGN_VERSION || flags > (HAS_TEXT | HAS_LINE) || files > CAMPAIGN_FILES_MOST)
        return false;
    for (int i = 0; (flags & HAS_TEXT) && i < CAMPAIGN_BANDS; i++) out->bands[i] = get_key(&reader);
    if (flags & HAS_LINE) out->line = get_key(&reader);
    out->file_count = files;
    for (unsigned i = 0; i < files; i++) out->files[i] = get_key(&reader);
    return reader_done(&reader) && !campaign_sketch_is_empty(out);
}

static bool has_key(const uint64_t *keys, uint32_t count, uint64_t key)
{
    for (uint32_t i = 0; i < count; i++)
        if (keys[i] == key) return true;
    return false;
}

static uint32_t shared(const uint64_t *a, uint32_t a_count, const uint64_t *b, uint32_t b_count)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < a_count; i++) count += a[i] && has_key(b, b_count, a[i]);
    return count;
}

bool campaign_sketch_is_alike(const struct campaign_sketch *a, const struct campaign_sketch *b)
{
    return shared(a->bands, CAMPAIGN_BANDS, b->bands, CAMPAIGN_BANDS) >= CAMPAIGN_BANDS_LEAST ||
           (a->line && a->line == b->line) || shared(a->files, a->file_count, b->files, b->file_count) > 0;
}

void campaign_answer_put(const struct campaign_answer *answer, struct buffer *out)
{
    put_u8(out, (uint8_t)answer->kind);
    put_u64(out, answer->id);
    put_u32(out, answer->count);
    put_u32(out, answer->networks);
    put_u32(out, answer->senders);
    put_u32(out, answer->recipients);
    put_u64(out, answer->since_ms);
    put_u32(out, answer->reporters);
    put_u8(out, (answer->is_stopped ? IS_STOPPED : 0) | (answer->is_told_by_all ? IS_TOLD_BY_ALL : 0) |
                    (answer->is_stopped_by_user ? IS_BY_USER : 0));
}

bool campaign_answer_get(struct text bytes, struct campaign_answer *out)
{
    struct reader reader = reader_of(bytes);
    unsigned kind = get_u8(&reader);
    *out = (struct campaign_answer){ .kind = kind < CAMPAIGN_KINDS ? kind : CAMPAIGN_TEXT };
    out->id = get_u64(&reader);
    out->count = get_u32(&reader);
    out->networks = get_u32(&reader);
    out->senders = get_u32(&reader);
    out->recipients = get_u32(&reader);
    out->since_ms = get_u64(&reader);
    out->reporters = get_u32(&reader);
    unsigned flags = get_u8(&reader);
    out->is_stopped = flags & IS_STOPPED;
    out->is_told_by_all = flags & IS_TOLD_BY_ALL;
    out->is_stopped_by_user = flags & IS_BY_USER;
    return reader_done(&reader) && kind < CAMPAIGN_KINDS && flags <= FLAGS_ALL;
}

const char *campaign_kind_name(enum campaign_kind kind)
{
    static const char *const names[CAMPAIGN_KINDS] = { "text", "line", "file" };
    return names[kind];
}
