/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A message goes as the body of an HTTP response that somebody fetched. What comes back is clean only where
   the server says 204, or sends the very bytes that it got; anything else in their place means that something
   was found. */
#include "consult/icap_dialogue.h"

#include <inttypes.h>
#include <stdio.h>

enum { CHUNK_LINE_MOST = 1024, OPTIONS_TTL_MOST = 24 * 3600 };

static const char HTTP_REQUEST[] = "GET http://sekimori.invalid/message.eml HTTP/1.1\r\n"
                                   "Host: sekimori.invalid\r\n\r\n";

/* --- requests --- */

void icap_options_ask(struct icap_dialogue *dialogue, struct icap_output *out)
{
    *out = (struct icap_output){ 0 };
    buffer_printf(&out->head,
                  "OPTIONS icap://%.*s/%.*s ICAP/1.0\r\nHost: %.*s\r\nUser-Agent: Sekimori\r\n"
                  "Encapsulated: null-body=0\r\n\r\n",
                  TEXT_ARG(dialogue->host), TEXT_ARG(dialogue->service), TEXT_ARG(dialogue->host));
    dialogue->state = ICAP_ASKED_OPTIONS;
}

/* Bytes [from, to) of the message as one chunk, and what ends the part or the whole (RFC 3507 section 4.5).
 */
static void chunk_put(const struct icap_dialogue *dialogue, size_t from, size_t to, struct icap_output *out)
{
    bool is_preview = dialogue->state == ICAP_SHOWN_PREVIEW;
    bool is_all = is_preview && to == dialogue->message.length;
    out->from = from;
    out->to = to;
    if (to > from) buffer_printf(&out->head, "%zx\r\n", to - from);
    if (to > from)
        out->tail = is_all ? TEXT("\r\n0; ieof\r\n\r\n") : TEXT("\r\n0\r\n\r\n");
    else
        out->tail = is_all ? TEXT("0; ieof\r\n\r\n") : TEXT("0\r\n\r\n");
}

void icap_look(struct icap_dialogue *dialogue, const struct icap_options *options, struct text message,
               struct icap_output *out)
{
    char response[128];
    size_t request_length = sizeof HTTP_REQUEST - 1, preview = options->preview;
    int response_length = snprintf(
        response, sizeof response,
        "HTTP/1.1 200 OK\r\nContent-Type: message/rfc822\r\nContent-Length: %zu\r\n\r\n", message.length);
    *out = (struct icap_output){ 0 };
    if (preview > ICAP_PREVIEW_MOST) preview = ICAP_PREVIEW_MOST;
    dialogue->message = message;
    dialogue->compared = 0;
    dialogue->closes = dialogue->has_body = false;
    dialogue->state = options->has_preview ? ICAP_SHOWN_PREVIEW : ICAP_SENT;
    dialogue->shown = preview < message.length ? preview : message.length;
    buffer_printf(&out->head,
                  "RESPMOD icap://%.*s/%.*s ICAP/1.0\r\nHost: %.*s\r\nUser-Agent: Sekimori\r\nAllow: 204\r\n",
                  TEXT_ARG(dialogue->host), TEXT_ARG(dialogue->service), TEXT_ARG(dialogue->host));
    if (options->has_preview) buffer_printf(&out->head, "Preview: %zu\r\n", preview);
    buffer_printf(&out->head, "Encapsulated: req-hdr=0, res-hdr=%zu, res-body=%zu\r\n\r\n%s%s",
                  request_length, request_length + (size_t)response_length, HTTP_REQUEST, response);
    chunk_put(dialogue, 0, options->has_preview ? dialogue->shown : message.length, out);
}

void icap_rest(struct icap_dialogue *dialogue, struct icap_output *out)
{
    *out = (struct icap_output){ 0 };
    dialogue->state = ICAP_SENT;
    chunk_put(dialogue, dialogue->shown, dialogue->message.length, out);
}

/* --- the header of a reply --- */

struct reply_header {
    uint64_t status;
    struct text reason, encapsulated, connection, methods, preview, connections, ttl, tag, service, complete;
    struct text infection, virus_id, violations;
};

/* The next field with its continuation lines, which stay in the value. */
static bool field_next(struct text *rest, struct text *out_name, struct text *out_value)
{
    struct text line, whole = *rest;
    if (!text_next_line(rest, &line) || line.length == 0) return false;
    while (rest->length > 0 && char_is_blank(rest->at[0])) {
        struct text more;
        text_next_line(rest, &more);
    }
    struct text field = text_trim(text_slice(whole, 0, whole.length - rest->length));
    size_t colon = text_find_char(field, ':');
    *out_name = text_slice(field, 0, colon);
    *out_value = text_trim(text_slice(field, colon + 1, field.length));
    return true;
}

/* "ICAP/1.0 204 No Content": false when it is none. */
static bool status_read(struct text line, struct text protocol, uint64_t *out_status, struct text *out_reason)
{
    struct text word;
    if (!text_next_word(&line, &word) || !text_starts_nocase(word, protocol)) return false;
    if (!text_next_word(&line, &word) || word.length != 3 || !text_to_number(word, 999, out_status))
        return false;
    *out_reason = text_trim(line);
    return *out_status >= 100;
}

static bool header_read(struct text text, struct reply_header *out)
{
    struct text line, name, value;
    *out = (struct reply_header){ 0 };
    const struct {
        struct text name;
        struct text *value;
    } known[] = {
        { TEXT("Encapsulated"), &out->encapsulated },
        { TEXT("Connection"), &out->connection },
        { TEXT("Methods"), &out->methods },
        { TEXT("Preview"), &out->preview },
        { TEXT("Max-Connections"), &out->connections },
        { TEXT("Options-TTL"), &out->ttl },
        { TEXT("ISTag"), &out->tag },
        { TEXT("Service"), &out->service },
        { TEXT("Transfer-Complete"), &out->complete },
        { TEXT("X-Infection-Found"), &out->infection },
        { TEXT("X-Virus-ID"), &out->virus_id },
        { TEXT("X-Violations-Found"), &out->violations },
    };
    if (!text_next_line(&text, &line) || !status_read(line, TEXT("ICAP/1."), &out->status, &out->reason))
        return false;
    while (field_next(&text, &name, &value))
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            if (text_equal_nocase(name, known[i].name)) *known[i].value = value;
    return true;
}

/* A word of a list that commas part. */
static bool list_has(struct text list, struct text wanted)
{
    while (list.length > 0) {
        size_t comma = text_find_char(list, ',');
        if (text_equal_nocase(text_trim(text_slice(list, 0, comma)), wanted)) return true;
        list = text_slice(list, comma + 1, list.length);
    }
    return false;
}

/* The offset that Encapsulated gives for a part; false: there is no such part. */
static bool part_find(struct text encapsulated, const char *part, uint64_t *out)
{
    size_t length = strlen(part);
    while (encapsulated.length > 0) {
        size_t comma = text_find_char(encapsulated, ',');
        struct text item = text_trim(text_slice(encapsulated, 0, comma));
        encapsulated = text_slice(encapsulated, comma + 1, encapsulated.length);
        if (text_starts_nocase(item, text_from(part, length)) && item.length > length &&
            item.at[length] == '=')
            return text_to_number(text_slice(item, length + 1, item.length), ICAP_HEADER_MOST, out);
    }
    return false;
}

/* --- words --- */

static void answer_set(struct icap_answer *out, enum scan_state state, struct text name)
{
    out->state = state;
    text_copy_printable(name, out->name, sizeof out->name);
}

/* "Type=0; Resolution=2; Threat=NAME;": the name, else all of it. */
static struct text threat_of(struct text infection)
{
    size_t at = text_find_nocase(infection, TEXT("Threat="));
    if (at == infection.length) return infection;
    struct text name = text_slice(infection, at + 7, infection.length);
    name = text_trim(text_slice(name, 0, text_find_char(name, ';')));
    return name.length > 0 ? name : infection;
}

/* Behind the count, lines of file, threat, number and resolution. Empty: the count is 0. */
static struct text violation_of(struct text violations)
{
    struct text line, name = TEXT("a violation");
    uint64_t count;
    if (!text_next_line(&violations, &line)) return TEXT_NONE;
    if (text_to_number(text_trim(line), UINT32_MAX, &count) && count == 0) return TEXT_NONE;
    for (int i = 0; i < 2 && text_next_line(&violations, &line); i++)
        if (i == 1 && text_trim(line).length > 0) name = text_trim(line);
    return name;
}

static struct text virus_of(const struct reply_header *header)
{
    static const struct text none[] = { TEXT("none"), TEXT("no threats"), TEXT("-") };
    if (header->infection.length > 0) return threat_of(header->infection);
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        if (text_equal_nocase(header->virus_id, none[i])) return violation_of(header->violations);
    return header->virus_id.length > 0 ? header->virus_id : violation_of(header->violations);
}

/* --- replies --- */

static enum icap_event nonsense(struct icap_dialogue *dialogue, struct icap_answer *out, const char *what)
{
    dialogue->state = ICAP_OVER;
    answer_set(out, SCAN_UNSCANNED, text_of(what));
    return ICAP_NONSENSE;
}

static enum icap_event answered(struct icap_dialogue *dialogue, struct icap_answer *out,
                                enum scan_state state, struct text name, bool is_read)
{
    dialogue->state = is_read && !dialogue->closes ? ICAP_IDLE : ICAP_OVER;
    dialogue->message = TEXT_NONE;
    answer_set(out, state, name);
    return ICAP_ANSWER;
}

static uint32_t number_of(struct text text, uint64_t most)
{
    uint64_t number = 0;
    if (!text_to_number(text, UINT32_MAX, &number)) return 0;
    return (uint32_t)(number < most ? number : most);
}

static bool is_complete_wanted(struct text list)
{
    return list_has(list, TEXT("*")) || list_has(list, TEXT("eml"));
}

static enum icap_event options_take(struct icap_dialogue *dialogue, const struct reply_header *header,
                                    struct icap_options *options, struct icap_answer *out)
{
    uint64_t at;
    if (header->status != 200) return nonsense(dialogue, out, "the service has no OPTIONS");
    if (!list_has(header->methods, TEXT("RESPMOD")))
        return nonsense(dialogue, out, "the service has no RESPMOD");
    *options = (struct icap_options){ .preview = number_of(header->preview, ICAP_PREVIEW_MOST),
                                      .connections = number_of(header->connections, UINT32_MAX),
                                      .ttl_s = number_of(header->ttl, OPTIONS_TTL_MOST) };
    options->has_preview = header->preview.length > 0 && !is_complete_wanted(header->complete);
    text_copy_printable(header->tag, options->tag, sizeof options->tag);
    text_copy_printable(header->service, options->service, sizeof options->service);
    bool has_body = part_find(header->encapsulated, "opt-body", &at);
    dialogue->state = has_body || dialogue->closes ? ICAP_OVER : ICAP_IDLE;
    return ICAP_OPTIONS;
}

/* 200: where its own HTTP header and body are; what they are is read next. */
static enum icap_event modified_begin(struct icap_dialogue *dialogue, const struct reply_header *header,
                                      struct icap_answer *out)
{
    uint64_t start = 0, body = 0;
    bool has_header = part_find(header->encapsulated, "res-hdr", &start);
    dialogue->has_body = part_find(header->encapsulated, "res-body", &body);
    if (!dialogue->has_body && !part_find(header->encapsulated, "null-body", &body))
        return nonsense(dialogue, out, "an answer without a body's place");
    if (!has_header || start != 0 || body == 0)
        return nonsense(dialogue, out, "an answer without an HTTP header");
    dialogue->http_length = (size_t)body;
    dialogue->state = ICAP_IN_HTTP;
    return ICAP_MORE;
}

static enum icap_event message_take(struct icap_dialogue *dialogue, const struct reply_header *header,
                                    struct icap_answer *out)
{
    struct text virus = virus_of(header);
    char words[ICAP_NAME_SIZE];
    bool may_continue = dialogue->state == ICAP_SHOWN_PREVIEW && dialogue->shown < dialogue->message.length;
    if (header->status == 100) {
        if (!may_continue) return nonsense(dialogue, out, "it wants more than there is");
        return ICAP_CONTINUE;
    }
    if (virus.length > 0) return answered(dialogue, out, SCAN_FOUND, virus, header->status == 204);
    if (header->status == 204) return answered(dialogue, out, SCAN_CLEAN, TEXT_NONE, true);
    if (header->status == 200) return modified_begin(dialogue, header, out);
    snprintf(words, sizeof words, "ICAP %" PRIu64 " %.*s", header->status,
             (int)(header->reason.length < 100 ? header->reason.length : 100), header->reason.at);
    return answered(dialogue, out, SCAN_UNSCANNED, text_of(words), false);
}

static size_t header_step(struct icap_dialogue *dialogue, struct text bytes, enum icap_event *event,
                          struct icap_options *options, struct icap_answer *out)
{
    struct text shown = text_slice(bytes, 0, ICAP_HEADER_MOST);
    size_t end = text_find(shown, TEXT("\r\n\r\n"));
    struct reply_header header;
    if (end == shown.length) {
        if (shown.length == ICAP_HEADER_MOST) *event = nonsense(dialogue, out, "a header without an end");
        return 0;
    }
    end += 4;
    if (!header_read(text_slice(bytes, 0, end), &header)) {
        *event = nonsense(dialogue, out, "no ICAP");
        return end;
    }
    dialogue->closes = text_equal_nocase(header.connection, TEXT("close"));
    text_copy_printable(header.tag, out->tag, sizeof out->tag);
    if (dialogue->state == ICAP_ASKED_OPTIONS)
        *event = options_take(dialogue, &header, options, out);
    else
        *event = message_take(dialogue, &header, out);
    return end;
}

static size_t http_step(struct icap_dialogue *dialogue, struct text bytes, enum icap_event *event,
                        struct icap_answer *out)
{
    struct text head = text_slice(bytes, 0, dialogue->http_length), line, reason;
    uint64_t status;
    char words[64];
    if (bytes.length < dialogue->http_length) return 0;
    if (!text_next_line(&head, &line) || !status_read(line, TEXT("HTTP/1."), &status, &reason)) {
        *event = nonsense(dialogue, out, "an answer without an HTTP status");
    } else if (status != 200) {
        snprintf(words, sizeof words, "replaced by a page (HTTP %" PRIu64 ")", status);
        *event = answered(dialogue, out, SCAN_FOUND, text_of(words), !dialogue->has_body);
    } else if (!dialogue->has_body) {
        bool is_same = dialogue->message.length == 0;
        *event = answered(dialogue, out, is_same ? SCAN_CLEAN : SCAN_FOUND,
                          is_same ? TEXT_NONE : TEXT("content removed"), true);
    } else {
        dialogue->state = ICAP_IN_CHUNK_SIZE;
    }
    return dialogue->http_length;
}

/* Of a chunk, or a trailer: up to the end of the line, "\r\n" included; 0: it is not there yet. */
static size_t line_end(struct icap_dialogue *dialogue, struct text bytes, enum icap_event *event,
                       struct icap_answer *out)
{
    struct text shown = text_slice(bytes, 0, CHUNK_LINE_MOST);
    size_t end = text_find(shown, TEXT("\r\n"));
    if (end < shown.length) return end + 2;
    if (shown.length == CHUNK_LINE_MOST) *event = nonsense(dialogue, out, "a chunk without an end");
    return 0;
}

static bool chunk_size_read(struct text line, uint64_t *out)
{
    struct text digits = text_trim(text_slice(line, 0, text_find_char(line, ';')));
    *out = 0;
    for (size_t i = 0; i < digits.length; i++) {
        int digit = char_hex_value(digits.at[i]);
        if (digit < 0 || *out > UINT32_MAX) return false;
        *out = *out * 16 + (unsigned)digit;
    }
    return digits.length > 0;
}

static size_t chunk_size_step(struct icap_dialogue *dialogue, struct text bytes, enum icap_event *event,
                              struct icap_answer *out)
{
    size_t end = line_end(dialogue, bytes, event, out);
    if (end == 0) return 0;
    if (!chunk_size_read(text_slice(bytes, 0, end - 2), &dialogue->chunk))
        *event = nonsense(dialogue, out, "a chunk without a size");
    else
        dialogue->state = dialogue->chunk ? ICAP_IN_CHUNK : ICAP_IN_TRAILER;
    if (*event == ICAP_MORE && dialogue->chunk) dialogue->chunk += 2; /* the line's end behind it */
    return end;
}

static size_t chunk_step(struct icap_dialogue *dialogue, struct text bytes, enum icap_event *event,
                         struct icap_answer *out)
{
    size_t length = bytes.length < dialogue->chunk ? bytes.length : (size_t)dialogue->chunk;
    uint64_t data = dialogue->chunk > 2 ? dialogue->chunk - 2 : 0;
    size_t of_data = length < data ? length : (size_t)data;
    struct text sent = text_slice(dialogue->message, dialogue->compared, dialogue->compared + of_data);
    if (!text_equal(sent, text_slice(bytes, 0, of_data))) {
        *event = answered(dialogue, out, SCAN_FOUND, TEXT("content replaced"), false);
        return length;
    }
    dialogue->compared += of_data;
    dialogue->chunk -= length;
    if (dialogue->chunk == 0) dialogue->state = ICAP_IN_CHUNK_SIZE;
    return length;
}

static size_t trailer_step(struct icap_dialogue *dialogue, struct text bytes, enum icap_event *event,
                           struct icap_answer *out)
{
    size_t end = line_end(dialogue, bytes, event, out);
    bool is_same = dialogue->compared == dialogue->message.length;
    if (end == 2)
        *event = answered(dialogue, out, is_same ? SCAN_CLEAN : SCAN_FOUND,
                          is_same ? TEXT_NONE : TEXT("content shortened"), true);
    return end;
}

size_t icap_read(struct icap_dialogue *dialogue, struct text bytes, enum icap_event *out_event,
                 struct icap_options *out_options, struct icap_answer *out_answer)
{
    *out_event = ICAP_MORE;
    *out_answer = (struct icap_answer){ .state = SCAN_UNSCANNED };
    if (bytes.length == 0 || dialogue->state == ICAP_OVER) return bytes.length;
    switch (dialogue->state) {
    case ICAP_IN_HTTP:
        return http_step(dialogue, bytes, out_event, out_answer);
    case ICAP_IN_CHUNK_SIZE:
        return chunk_size_step(dialogue, bytes, out_event, out_answer);
    case ICAP_IN_CHUNK:
        return chunk_step(dialogue, bytes, out_event, out_answer);
    case ICAP_IN_TRAILER:
        return trailer_step(dialogue, bytes, out_event, out_answer);
    case ICAP_IDLE:
        *out_event = nonsense(dialogue, out_answer, "an answer to nothing");
        return bytes.length;
    default:
        return header_step(dialogue, bytes, out_event, out_options, out_answer);
    }
}
