/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Commands and replies end with a NUL ("z" before the command asks for that). A reply that is to no open
   question, or has none of clamd's forms, is nonsense: nothing that such a peer says is believed. */
#include "consult/clamd_dialogue.h"

static const struct text names[] = {
    [CLAMD_VERSION] = TEXT("zVERSION"), [CLAMD_INSTREAM] = TEXT("zINSTREAM"), [CLAMD_FILDES] = TEXT("zFILDES")
};

void clamd_begin(struct buffer *out)
{
    buffer_add(out, "zIDSESSION", sizeof "zIDSESSION");
}

bool clamd_ask(struct clamd_dialogue *dialogue, enum clamd_command command, void *asker, struct buffer *out)
{
    if (dialogue->count == CLAMD_OPEN_MOST) return false;
    dialogue->open[dialogue->count++] = (struct clamd_open){ ++dialogue->last, command, asker };
    buffer_add_text(out, names[command]);
    buffer_add_char(out, '\0');
    return true;
}

void clamd_chunk_put(uint32_t length, struct buffer *out)
{
    const uint8_t bytes[] = { (uint8_t)(length >> 24), (uint8_t)(length >> 16), (uint8_t)(length >> 8),
                              (uint8_t)length };
    buffer_add(out, bytes, sizeof bytes);
}

/* --- replies --- */

/* "NUMBER: " goes off; the place of the question, or -1. */
static int open_find(const struct clamd_dialogue *dialogue, struct text *reply)
{
    size_t colon = text_find(*reply, TEXT(": "));
    uint64_t number;
    if (!text_to_number(text_slice(*reply, 0, colon), UINT32_MAX, &number)) return -1;
    *reply = text_slice(*reply, colon + 2, reply->length);
    for (uint32_t i = 0; i < dialogue->count; i++)
        if (dialogue->open[i].number == number) return (int)i;
    return -1;
}

/* What it calls what it looked at goes off: "stream: ", "fd[12]: ". */
static bool subject_cut(enum clamd_command command, struct text *reply)
{
    struct text subject = command == CLAMD_FILDES ? TEXT("fd[") : TEXT("stream: ");
    size_t end = subject.length;
    uint64_t number;
    if (!text_starts(*reply, subject)) return false;
    if (command == CLAMD_FILDES) {
        end = text_find(*reply, TEXT("]: "));
        if (!text_to_number(text_slice(*reply, subject.length, end), UINT32_MAX, &number)) return false;
        end += 3;
    }
    *reply = text_slice(*reply, end, reply->length);
    return true;
}

/* Without the digest and size that `ExtendedDetectionInfo` puts behind a name: "Eicar(44d8…:68)". */
static struct text name_of(struct text found)
{
    size_t open = text_find_last_char(found, '('), colon = text_find_last_char(found, ':');
    bool is_extended = open > 0 && open < colon && colon < found.length && text_ends(found, TEXT(")"));
    return is_extended ? text_slice(found, 0, open) : found;
}

static bool error_read(struct text reply, struct clamd_reply *out)
{
    if (!text_ends(reply, TEXT(" ERROR"))) return false;
    out->words = text_slice(reply, 0, reply.length - 6);
    out->state = text_starts(reply, TEXT("INSTREAM size limit exceeded")) ? SCAN_LIMITS : SCAN_UNSCANNED;
    return true;
}

static bool result_read(struct text reply, struct clamd_reply *out)
{
    if (!subject_cut(out->command, &reply)) return false;
    out->state = SCAN_CLEAN;
    if (text_equal(reply, TEXT("OK"))) return true;
    out->state = SCAN_FOUND;
    out->words = name_of(text_slice(reply, 0, reply.length < 6 ? 0 : reply.length - 6));
    return text_ends(reply, TEXT(" FOUND")) && out->words.length > 0;
}

static bool version_read(struct text reply, struct clamd_reply *out)
{
    out->state = SCAN_CLEAN;
    out->words = reply;
    return reply.length > 0;
}

static bool reply_read(struct clamd_dialogue *dialogue, struct text reply, struct clamd_reply *out)
{
    int at = open_find(dialogue, &reply);
    if (at < 0) return false;
    *out = (struct clamd_reply){ .command = dialogue->open[at].command, .asker = dialogue->open[at].asker };
    dialogue->open[at] = dialogue->open[--dialogue->count];
    if (error_read(reply, out)) return true;
    return out->command == CLAMD_VERSION ? version_read(reply, out) : result_read(reply, out);
}

size_t clamd_read(struct clamd_dialogue *dialogue, struct text bytes, enum clamd_event *out_event,
                  struct clamd_reply *out)
{
    size_t end = text_find_char(text_slice(bytes, 0, CLAMD_REPLY_MOST), '\0');
    *out = (struct clamd_reply){ 0 };
    *out_event = CLAMD_MORE;
    if (end == bytes.length && end < CLAMD_REPLY_MOST) return 0;
    bool is_whole = end < CLAMD_REPLY_MOST;
    bool is_good = is_whole && reply_read(dialogue, text_slice(bytes, 0, end), out);
    *out_event = is_good ? CLAMD_REPLY : CLAMD_NONSENSE;
    return end + is_whole;
}
