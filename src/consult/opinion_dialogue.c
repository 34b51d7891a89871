/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Both peers answer with a status line, header fields and a body whose length one of them tells. A reply that
   does not tell it is nonsense: only so half an answer is known from a whole one. */
#include "consult/opinion_dialogue.h"

#include <math.h>
#include <stdio.h>

#include "config/units.h"
#include "consult/rspamd_reply.h"

/* --- requests --- */

static bool has_control(struct text text)
{
    for (size_t i = 0; i < text.length; i++)
        if ((unsigned char)text.at[i] < ' ' || text.at[i] == 0x7F) return true;
    return false;
}

static void field_put(struct buffer *out, const char *name, struct text value)
{
    if (value.length > 0 && !has_control(value)) buffer_printf(out, "%s: %.*s\r\n", name, TEXT_ARG(value));
}

/* What SpamAssassin takes envelope and client from. Without an id there is no envelope: it is a trial. */
static void spamd_fields_put(const struct consult_envelope *envelope, struct buffer *out)
{
    if (envelope->id.length == 0) return;
    if (!has_control(envelope->sender))
        buffer_printf(out, "Return-Path: <%.*s>\r\n", TEXT_ARG(envelope->sender));
    buffer_add_text(out, envelope->trace);
}

static void spamd_ask(const struct opinion_question *question, struct buffer *out)
{
    struct buffer fields = { 0 };
    spamd_fields_put(question->envelope, &fields);
    buffer_printf(out, "SYMBOLS SPAMC/1.5\r\nContent-length: %llu\r\n",
                  (unsigned long long)(question->size + buffer_length(&fields)));
    field_put(out, "User", question->user);
    buffer_add_text(out, TEXT("\r\n"));
    buffer_add_text(out, buffer_text(&fields));
    buffer_free(&fields);
}

static void address_put(struct buffer *out, const char *name, struct text address)
{
    if (!has_control(address)) buffer_printf(out, "%s: <%.*s>\r\n", name, TEXT_ARG(address));
}

/* HTTP/1.0: an answer in chunks is none that we asked for. */
static void rspamd_ask(const struct opinion_question *question, struct buffer *out)
{
    const struct consult_envelope *envelope = question->envelope;
    buffer_printf(out, "POST /checkv2 HTTP/1.0\r\nContent-Length: %llu\r\nUser-Agent: Sekimori\r\n",
                  (unsigned long long)question->size);
    field_put(out, "Queue-Id", envelope->id);
    field_put(out, "IP", envelope->client);
    field_put(out, "Hostname", envelope->client_name);
    field_put(out, "Helo", envelope->helo);
    if (envelope->id.length > 0) address_put(out, "From", envelope->sender);
    for (uint32_t i = 0; i < envelope->recipient_count; i++)
        address_put(out, "Rcpt", envelope->recipients[i]);
    field_put(out, "User", question->user);
    field_put(out, "Settings-ID", question->settings);
    buffer_add_text(out, TEXT("\r\n"));
}

void opinion_ask(const struct opinion_question *question, struct buffer *out)
{
    if (question->kind == ENGINE_SPAMD)
        spamd_ask(question, out);
    else
        rspamd_ask(question, out);
}

/* --- a reply's header --- */

static const struct text SPAMD = TEXT("SPAMD/1."), HTTP = TEXT("HTTP/1.");

struct reply_header {
    uint64_t status;
    struct text reason, length, spam;
};

static enum opinion_event say(enum opinion_event event, struct opinion *out, const char *what)
{
    snprintf(out->names, sizeof out->names, "%s", what);
    return event;
}

/* "SPAMD/1.1 0 EX_OK", "HTTP/1.1 200 OK": a word that begins with `protocol`, a number, and why. */
static bool status_read(struct text line, struct text protocol, struct reply_header *out)
{
    struct text word;
    if (!text_next_word(&line, &word) || !text_starts(word, protocol)) return false;
    if (!text_next_word(&line, &word) || !text_to_number(word, 999, &out->status)) return false;
    out->reason = text_trim(line);
    return true;
}

/* A field that stands twice with another value says nothing that can be believed. */
static bool value_take(struct text value, struct text *out)
{
    bool is_same = out->length == 0 || text_equal(*out, value);
    *out = value;
    return is_same;
}

static bool header_read(struct text text, struct text protocol, struct reply_header *out)
{
    struct text line;
    *out = (struct reply_header){ 0 };
    if (!text_next_line(&text, &line) || !status_read(line, protocol, out)) return false;
    while (text_next_line(&text, &line) && line.length > 0) {
        size_t colon = text_find_char(line, ':');
        struct text name = text_slice(line, 0, colon),
                    value = text_trim(text_slice(line, colon + 1, line.length));
        if (colon == line.length) return false;
        if (text_equal_nocase(name, TEXT("Content-Length")) && !value_take(value, &out->length)) return false;
        if (text_equal_nocase(name, TEXT("Spam")) && !value_take(value, &out->spam)) return false;
        if (text_equal_nocase(name, TEXT("Transfer-Encoding"))) return false;
    }
    return true;
}

/* "-2.3" */
static bool points_read(struct text word, double *out)
{
    bool is_negative = text_starts(word, TEXT("-"));
    if (!units_points_parse(text_slice(word, is_negative, word.length), out)) return false;
    if (is_negative) *out = -*out;
    return fabs(*out) <= ENGINE_SCORE_MOST;
}

/* "True ; 15.0 / 5.0" */
static bool spam_read(struct text value, struct opinion_dialogue *out)
{
    size_t semicolon = text_find_char(value, ';'), slash = text_find_char(value, '/');
    if (semicolon == value.length || slash == value.length || slash < semicolon) return false;
    struct text word = text_trim(text_slice(value, 0, semicolon));
    out->is_spam = text_equal(word, TEXT("True")) || text_equal(word, TEXT("Yes"));
    if (!out->is_spam && !text_equal(word, TEXT("False")) && !text_equal(word, TEXT("No"))) return false;
    return points_read(text_trim(text_slice(value, semicolon + 1, slash)), &out->score) &&
           points_read(text_trim(text_slice(value, slash + 1, value.length)), &out->line);
}

static enum opinion_event refused(const char *protocol, const struct reply_header *header,
                                  struct opinion *out)
{
    struct text reason = text_slice(header->reason, 0, 100);
    char words[sizeof out->names];
    snprintf(words, sizeof words, "%s %u %.*s", protocol, (unsigned)header->status, TEXT_ARG(reason));
    text_copy_printable(text_of(words), out->names, sizeof out->names);
    return OPINION_REFUSED;
}

static enum opinion_event header_take(struct opinion_dialogue *dialogue, struct text text,
                                      struct opinion *out)
{
    bool is_spamd = dialogue->kind == ENGINE_SPAMD;
    struct reply_header header;
    uint64_t length;
    if (!header_read(text, is_spamd ? SPAMD : HTTP, &header))
        return say(OPINION_NONSENSE, out, "an answer that makes no sense");
    if (header.status != (is_spamd ? 0 : 200)) return refused(is_spamd ? "SPAMD" : "HTTP", &header, out);
    if (is_spamd && !spam_read(header.spam, dialogue))
        return say(OPINION_NONSENSE, out, "an answer without a score");
    if (!text_to_number(header.length, UINT32_MAX, &length))
        return say(OPINION_NONSENSE, out, "an answer that does not say its length");
    if (length > OPINION_REPLY_MOST) return say(OPINION_NONSENSE, out, "an answer that is too long");
    dialogue->length = (size_t)length;
    dialogue->is_in_body = true;
    return OPINION_MORE;
}

/* spamd ends what it refuses behind the first line: "SPAMD/1.0 76 Bad header line: …". */
static bool spamd_refuses(struct text shown, struct opinion *out)
{
    struct reply_header header = { 0 };
    size_t end = text_find(shown, TEXT("\r\n"));
    if (end == shown.length || !status_read(text_slice(shown, 0, end), SPAMD, &header)) return false;
    if (header.status == 0) return false;
    refused("SPAMD", &header, out);
    return true;
}

static size_t header_step(struct opinion_dialogue *dialogue, struct text bytes, enum opinion_event *event,
                          struct opinion *out)
{
    struct text shown = text_slice(bytes, 0, OPINION_HEADER_MOST);
    size_t end = text_find(shown, TEXT("\r\n\r\n"));
    if (dialogue->kind == ENGINE_SPAMD && spamd_refuses(shown, out)) {
        *event = OPINION_REFUSED;
        return shown.length;
    }
    if (end < shown.length) {
        *event = header_take(dialogue, text_slice(bytes, 0, end + 4), out);
        return end + 4;
    }
    if (shown.length == OPINION_HEADER_MOST) *event = say(OPINION_NONSENSE, out, "a header without an end");
    return 0;
}

/* --- spamd's body --- */

static bool is_of_name(char c)
{
    return char_is_alpha(c) || char_is_digit(c) || c == '_' || c == '-' || c == '.' || c == ':';
}

/* The first symbols, as they are; what is none is not told. */
static void spamd_take(const struct opinion_dialogue *dialogue, struct text body, struct opinion *out)
{
    size_t used = 0;
    *out = (struct opinion){ .is_spam = dialogue->is_spam, .score = dialogue->score, .line = dialogue->line };
    for (int i = 0; i < OPINION_NAMES_MOST && body.length > 0; i++) {
        size_t comma = text_find_char(body, ','), from = 0;
        struct text name = text_trim(text_slice(body, 0, comma));
        body = text_slice(body, comma + 1, body.length);
        while (from < name.length && is_of_name(name.at[from])) from++;
        if (name.length == 0 || from < name.length || used + name.length + 1 >= sizeof out->names) continue;
        used += (size_t)snprintf(out->names + used, sizeof out->names - used, "%s%.*s", used ? "," : "",
                                 TEXT_ARG(name));
    }
}

static size_t body_step(struct opinion_dialogue *dialogue, struct text bytes, enum opinion_event *event,
                        struct opinion *out)
{
    struct text body = text_slice(bytes, 0, dialogue->length);
    if (body.length < dialogue->length) return 0;
    *event = OPINION_ANSWER;
    if (dialogue->kind == ENGINE_SPAMD)
        spamd_take(dialogue, body, out);
    else if (!rspamd_reply_read(body, out))
        *event = say(OPINION_NONSENSE, out, "an answer that makes no sense");
    return body.length;
}

size_t opinion_read(struct opinion_dialogue *dialogue, struct text bytes, enum opinion_event *out_event,
                    struct opinion *out)
{
    size_t read = 0;
    *out_event = OPINION_MORE;
    *out = (struct opinion){ 0 };
    if (dialogue->is_over) return bytes.length;
    if (!dialogue->is_in_body) read = header_step(dialogue, bytes, out_event, out);
    if (dialogue->is_in_body) /* an empty one is there with its header: no byte comes behind it */
        read += body_step(dialogue, text_slice(bytes, read, bytes.length), out_event, out);
    dialogue->is_over = *out_event != OPINION_MORE;
    return read;
}
