/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A message is brought into a form that the server takes. */
#include "deliver/errand.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "ipc/ask_queue.h"
#include "mail/convert.h"

static void unreadable(struct handover *handover)
{
    log_error("message cannot be read from the journal: %s", strerror(errno));
    handover_end_rest_by_us(handover, RECIPIENT_DEFERRED, "4.3.0", TEXT("the message cannot be read"));
}

/* 8-bit content for a server that takes only 7 bits (RFC 6152 section 3). False: no recipient is left. */
static bool convert(struct errand *errand)
{
    struct handover *handover = &errand->handover;
    struct buffer original = { 0 }, converted = { 0 };
    if (!payload_read(&errand->payload, &original)) {
        unreadable(handover);
        buffer_free(&original);
        return false;
    }
    enum convert_outcome outcome = convert_to_7bit(buffer_text(&original), &converted);
    buffer_free(&original);
    if (outcome != CONVERT_DONE) {
        buffer_free(&converted);
        handover_end_rest_by_us(handover, RECIPIENT_FAILED, "5.6.3", text_of(convert_reason(outcome)));
        return false;
    }
    bool ends_line = text_ends(buffer_text(&converted), TEXT("\r\n"));
    payload_convert(&errand->payload, &converted, ends_line ? 0 : CONTENT_NO_END_OF_LINE);
    handover->length = payload_length(&errand->payload);
    handover->content = errand->payload.content;
    return true;
}

/* False: the message cannot be read. */
static bool content_look(struct errand *errand)
{
    struct handover *handover = &errand->handover;
    bool is_lines;
    payload_rewind(&errand->payload);
    handover->length = payload_length(&errand->payload);
    handover->content = errand->payload.content;
    if (!payload_look(&errand->payload, &is_lines)) return false;
    handover->is_binary = !is_lines;
    return true;
}

enum handover_need errand_prepare(struct errand *errand, const struct smtp_capabilities *offered,
                                  bool smtputf8_allowed, bool *out_converted)
{
    struct handover *handover = &errand->handover;
    *out_converted = false;
    if (errand->has_content && !content_look(errand)) {
        unreadable(handover);
        return HANDOVER_OVER;
    }
    enum handover_need need = handover_prepare(handover, offered, smtputf8_allowed);
    if (need != HANDOVER_CONVERT) return need;
    *out_converted = convert(errand);
    if (!*out_converted) return HANDOVER_OVER;
    return handover_prepare(handover, offered, smtputf8_allowed);
}
