/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "judge/sender_history.h"

#include "base/codec.h"

enum { TEXT_OVERHEAD = 4 };

/* --- subject --- */

static struct text address_within(struct text address)
{
    return address.length <= SENDER_ADDRESS_MOST ? address : TEXT_NONE;
}

static uint32_t recipients_that_fit(const struct sender_subject *subject, size_t used)
{
    uint32_t count = 0;
    while (count < subject->recipient_count && count < SENDER_RECIPIENTS_MOST) {
        used += TEXT_OVERHEAD + address_within(subject->recipients[count]).length;
        if (used > SENDER_SUBJECT_MOST) break;
        count++;
    }
    return count;
}

void sender_subject_put(const struct sender_subject *subject, struct buffer *out)
{
    size_t start = buffer_length(out);
    put_u8(out, (uint8_t)subject->direction);
    buffer_add(out, subject->client.bytes, sizeof subject->client.bytes);
    put_text(out, address_within(subject->sender));
    put_text(out, address_within(subject->from));
    uint32_t count = recipients_that_fit(subject, buffer_length(out) - start + sizeof count);
    put_u32(out, count);
    for (uint32_t i = 0; i < count; i++) put_text(out, address_within(subject->recipients[i]));
}

static struct text address_get(struct reader *reader)
{
    struct text address = get_text(reader);
    if (address.length > SENDER_ADDRESS_MOST) reader->failed = true;
    return address;
}

bool sender_subject_get(struct arena *arena, struct text bytes, struct sender_subject *out)
{
    struct reader reader = reader_of(bytes);
    unsigned direction = get_u8(&reader);
    *out = (struct sender_subject){ .direction = direction == DIRECTION_OUT ? DIRECTION_OUT : DIRECTION_IN };
    get_bytes(&reader, out->client.bytes, sizeof out->client.bytes);
    out->sender = address_get(&reader);
    out->from = address_get(&reader);
    out->recipient_count = get_count(&reader, SENDER_RECIPIENTS_MOST, TEXT_OVERHEAD);
    struct text *list = arena_alloc_array(arena, out->recipient_count, sizeof *list);
    for (uint32_t i = 0; i < out->recipient_count; i++) list[i] = address_get(&reader);
    out->recipients = list;
    return reader_done(&reader) && direction <= DIRECTION_OUT;
}

/* --- of a recipient --- */

void sender_rcpt_answer_put(const struct sender_rcpt_answer *answer, struct buffer *out)
{
    put_u8(out, (uint8_t)answer->delay);
    put_u32(out, answer->wait_s);
    put_u8(out, answer->is_for_all);
}

bool sender_rcpt_answer_get(struct text bytes, struct sender_rcpt_answer *out)
{
    struct reader reader = reader_of(bytes);
    unsigned delay = get_u8(&reader);
    *out = (struct sender_rcpt_answer){ .delay = delay < SENDER_DELAYS ? delay : SENDER_GO_ON };
    out->wait_s = get_u32(&reader);
    unsigned is_for_all = get_u8(&reader);
    out->is_for_all = is_for_all == 1;
    return reader_done(&reader) && delay < SENDER_DELAYS && is_for_all <= 1;
}

/* --- of a message --- */

void sender_history_add(struct sender_history *history, const struct sender_finding *finding)
{
    if (history->count < SENDER_FINDINGS_MOST) history->findings[history->count++] = *finding;
}

const struct sender_finding *sender_history_find(const struct sender_history *history,
                                                 enum sender_finding_kind kind)
{
    for (uint32_t i = 0; i < history->count; i++)
        if (history->findings[i].kind == kind) return &history->findings[i];
    return NULL;
}

static void reputation_say(bool is_japanese, const struct sender_finding *finding, struct buffer *out)
{
    bool is_network = finding->kind == SENDER_REPUTATION_NETWORK;
    unsigned days = (unsigned)(finding->span_ms / (24 * 3600 * 1000));
    if (is_japanese)
        buffer_printf(out, "%s %.*s: 過去 %u 日の %u 通中 %u 通が迷惑メール",
                      is_network ? "ネットワーク" : "ドメイン", TEXT_ARG(finding->about), days, finding->of,
                      finding->count);
    else
        buffer_printf(out, "%s %.*s: %u of %u messages were spam in %u days", is_network ? "net" : "domain",
                      TEXT_ARG(finding->about), finding->count, finding->of, days);
}

void sender_finding_say(enum language language, const struct sender_finding *finding, struct buffer *out)
{
    bool is_japanese = language == LANGUAGE_JA;
    unsigned waited = (unsigned)(finding->span_ms / 1000);
    switch (finding->kind) {
    case SENDER_IS_UNKNOWN:
        buffer_printf(out,
                      is_japanese ? "見知らぬ送信元（%u 秒待たせる）"
                                  : "nobody here knows this sender; to come back in %u seconds",
                      finding->count);
        break;
    case SENDER_IS_BACK:
        buffer_printf(out,
                      is_japanese ? "後回しにされ、%u 秒後に再送された"
                                  : "it was greylisted, and came back after %u seconds",
                      waited);
        break;
    case SENDER_IS_NEW:
        buffer_add_text(out, is_japanese ? TEXT("ここの誰とも連絡のなかった相手")
                                         : TEXT("nobody here had mail from it, or wrote to it"));
        break;
    case SENDER_IS_NEW_TO:
        buffer_printf(out, is_japanese ? "宛先 %2$u 人中 %1$u 人とは初めて" : "new to %u of %u recipients",
                      finding->count, finding->of);
        break;
    default:
        reputation_say(is_japanese, finding, out);
    }
}

void sender_history_put(const struct sender_history *history, struct buffer *out)
{
    put_u32(out, history->count);
    for (uint32_t i = 0; i < history->count; i++) {
        const struct sender_finding *finding = &history->findings[i];
        put_u8(out, (uint8_t)finding->kind);
        put_u64(out, finding->recipients);
        put_u32(out, finding->count);
        put_u32(out, finding->of);
        put_double(out, finding->weight);
        put_double(out, finding->weight_of);
        put_u64(out, finding->span_ms);
        put_text(out, text_slice(finding->about, 0, SENDER_ABOUT_MOST));
    }
}

/* Of a peer: NaN fails too. */
static double weight_get(struct reader *reader)
{
    double weight = get_double(reader);
    if (!(weight >= 0 && weight <= UINT32_MAX)) reader->failed = true;
    return reader->failed ? 0 : weight;
}

static bool is_printable(struct text text)
{
    for (size_t i = 0; i < text.length; i++)
        if (text.at[i] < ' ' || text.at[i] > '~') return false;
    return true;
}

static void finding_get(struct reader *reader, struct sender_finding *out)
{
    unsigned kind = get_u8(reader);
    out->kind = kind < SENDER_FINDING_KINDS ? kind : 0;
    out->recipients = get_u64(reader);
    out->count = get_u32(reader);
    out->of = get_u32(reader);
    out->weight = weight_get(reader);
    out->weight_of = weight_get(reader);
    out->span_ms = get_u64(reader);
    out->about = get_text(reader);
    if (kind >= SENDER_FINDING_KINDS || out->about.length > SENDER_ABOUT_MOST || !is_printable(out->about))
        reader->failed = true;
}

bool sender_history_get(struct text bytes, struct sender_history *out)
{
    struct reader reader = reader_of(bytes);
    *out = (struct sender_history){ .count = 0 };
    uint32_t count = get_count(&reader, SENDER_FINDINGS_MOST, 1 + 3 * 8 + 2 * 8);
    for (; out->count < count && !reader.failed; out->count++)
        finding_get(&reader, &out->findings[out->count]);
    return reader_done(&reader);
}
