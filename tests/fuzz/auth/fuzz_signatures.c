/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Whole messages with DKIM and ARC: read, carried in their byte form, judged against one key for every name.
   No signature can be good, since nobody has the private key. The relaxed body is hashed as the RFC says it,
   too. The list that says it sent it is read, and carried.
 */
#include <stdlib.h>

#include "auth/canonical.h"
#include "auth/mailing_list.h"
#include "auth/message_signatures.h"
#include "mail/digest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool at_hand(void *context, struct text name, enum dns_record_type type, struct dns_answer *out)
{
    static struct dns_record record = { .text = { "k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
                                                  57 } };
    *out = (struct dns_answer){ .status = DNS_FOUND, .count = 1, .records = &record };
    return true;
}

/* RFC 6376 section 3.4.4, byte by byte. */
static struct text slow_relaxed(struct arena *arena, struct text body)
{
    char *out = arena_alloc(arena, body.length + 2);
    size_t length = 0;
    for (size_t i = 0; i < body.length;) {
        size_t behind = i;
        while (behind < body.length && char_is_blank(body.at[behind])) behind++;
        bool is_line_end = behind + 1 < body.length && memcmp(body.at + behind, "\r\n", 2) == 0;
        if (behind > i && !is_line_end) out[length++] = ' ';
        if (behind == i)
            out[length++] = body.at[i++];
        else
            i = behind;
    }
    while (length >= 2 && memcmp(out + length - 2, "\r\n", 2) == 0) length -= 2;
    if (length > 0) memcpy(out + length, "\r\n", 2);
    return text_from(out, length ? length + 2 : 0);
}

static void compare_body(struct arena *arena, struct text body)
{
    uint8_t due[DIGEST_BYTES];
    struct canonical_want want = { .form = CANONICAL_RELAXED, .limit = CANONICAL_WHOLE };
    canonical_body_hash(body, (struct canonical_want *[]){ &want }, 1);
    digest_sha256(slow_relaxed(arena, body), due);
    if (!digest_equal(due, want.digest)) abort();
}

static void list_try(struct arena *arena, const struct header *header)
{
    struct mailing_list list, back;
    struct buffer form = { 0 };
    mailing_list_read(arena, header, &list);
    mailing_list_put(&list, &form);
    struct reader reader = reader_of(buffer_text(&form));
    mailing_list_get(&reader, &back);
    if (!reader_done(&reader) || !text_equal(list.id, back.id) || list.id.length > MAILING_LIST_ID_MOST)
        abort();
    if (list.is_in_to != back.is_in_to || list.is_in_cc != back.is_in_cc) abort();
    if (list.id.length == 0 && (list.is_in_to || list.is_in_cc)) abort();
    buffer_free(&form);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct header_limits limits = { .bytes = 1 << 20, .fields = 10000 };
    struct header header;
    struct message_signatures read, back;
    struct dkim_verdict dkim[DKIM_SIGNATURES_MOST];
    struct arc_verdict arc;
    struct buffer form = { 0 };
    struct arena *arena = arena_new(0);
    struct text message = text_from((const char *)data, size);
    struct dns_answers answers = { .arena = arena, .at_hand = at_hand };
    header_parse(arena, message, &limits, &header);
    list_try(arena, &header);
    message_signatures_read(arena, message, &header, &read);
    message_signatures_put(&read, &form);
    struct reader reader = reader_of(buffer_text(&form));
    if (!message_signatures_get(arena, &reader, &back) || !reader_done(&reader)) abort();
    if (!message_signatures_judge(arena, &back, &answers, 1700000000, dkim, &arc)) abort();
    for (uint32_t i = 0; i < back.dkim.count; i++)
        if (dkim[i].result == AUTH_PASS) abort();
    if (arc.result == AUTH_PASS) abort();
    compare_body(arena, text_slice(message, header.body_offset, message.length));
    reader = reader_of(message);
    message_signatures_get(arena, &reader, &back);
    buffer_free(&form);
    arena_free(arena);
    return 0;
}
