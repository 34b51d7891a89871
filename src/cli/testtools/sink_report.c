/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Header fields, files and lines of the sink. */
#include "cli/testtools/sink_report.h"

#include <stdio.h>

#include "base/buffer.h"
#include "base/json.h"
#include "base/log.h"

enum { SHOWN_SIZE = 1200 };

static const char *body_name(enum envelope_body body)
{
    return body == BODY_8BITMIME ? "8BITMIME" : body == BODY_7BIT ? "7BIT" : "";
}

static const char *return_name(enum envelope_return ret)
{
    return ret == RETURN_FULL ? "FULL" : ret == RETURN_HEADERS ? "HDRS" : "";
}

static const char *notify_names(uint8_t notify, char room[64])
{
    static const char *const names[] = { "NEVER", "SUCCESS", "FAILURE", "DELAY" };
    size_t length = 0;
    room[0] = '\0';
    for (int i = 0; i < 4; i++)
        if (notify & 1 << i)
            length += (size_t)snprintf(room + length, 64 - length, "%s%s", length ? "," : "", names[i]);
    return room;
}

static void notes_add(const struct sink_message *message, struct buffer *out)
{
    if (message->has_bare) buffer_printf(out, " bare-line-end");
    if (message->has_nul) buffer_printf(out, " nul");
    if (message->has_long_line) buffer_printf(out, " long-line");
    if (message->has_8bit && message->envelope.body != BODY_8BITMIME) buffer_printf(out, " 8bit-unannounced");
}

/* RFC 5321 section 4.4 for Return-Path; the X-Sink fields say what has no place in a message. */
static void fields_add(const struct sink_message *message, struct buffer *out)
{
    const struct envelope *envelope = &message->envelope;
    struct buffer notes = { 0 };
    char names[64];
    buffer_printf(out, "Return-Path: <%.*s>\r\n", TEXT_ARG(envelope->sender));
    for (uint32_t i = 0; i < envelope->recipient_count; i++) {
        const struct recipient *recipient = &envelope->recipients[i];
        struct text orcpt = recipient->orcpt;
        struct text original = text_slice(orcpt, text_find_char(orcpt, ';') + 1, orcpt.length);
        bool is_clean = original.length > 0 && !memchr(original.at, '\n', original.length) &&
                        !memchr(original.at, '\r', original.length);
        if (!is_clean) original = recipient->address;
        buffer_printf(out, "Delivered-To: %.*s\r\nX-Original-To: %.*s\r\n", TEXT_ARG(recipient->address),
                      TEXT_ARG(original));
        if (recipient->notify)
            buffer_printf(out, "X-Sink-Notify: %s %.*s\r\n", notify_names(recipient->notify, names),
                          TEXT_ARG(recipient->address));
    }
    buffer_printf(out, "X-Sink-Session: helo=%.*s proto=%s tls=%s\r\n", TEXT_ARG(message->helo),
                  message->is_esmtp ? "ESMTP" : "SMTP", message->tls);
    buffer_printf(
        out, "X-Sink-Envelope: body=%s smtputf8=%s size=%llu ret=%s envid=", body_name(envelope->body),
        envelope->smtputf8 ? "yes" : "no", (unsigned long long)envelope->size, return_name(envelope->ret));
    for (size_t i = 0; i < envelope->envid.length; i++)
        buffer_add_char(out, (uint8_t)envelope->envid.at[i] < ' ' ? '?' : envelope->envid.at[i]);
    buffer_add_text(out, TEXT("\r\n"));
    if (message->xclient.length) {
        char room[SHOWN_SIZE];
        buffer_printf(out, "X-Sink-Client: %s\r\n", log_escape(message->xclient, room, sizeof room));
    }
    notes_add(message, &notes);
    if (buffer_length(&notes)) buffer_printf(out, "X-Sink-Notes:%.*s\r\n", TEXT_ARG(buffer_text(&notes)));
    buffer_free(&notes);
}

/* CRLF becomes LF; nothing else changes. */
static void add_as_lf(struct text from, struct buffer *out)
{
    while (from.length > 0) {
        size_t end = text_find(from, TEXT("\r\n"));
        buffer_add_text(out, text_slice(from, 0, end));
        if (end < from.length) buffer_add_char(out, '\n');
        from = text_slice(from, end + 2, from.length);
    }
}

static bool write_file(struct sink *sink, const struct sink_message *message, struct text content,
                       char name[SINK_NAME_SIZE])
{
    struct buffer fields = { 0 }, head = { 0 }, body = { 0 };
    fields_add(message, &fields);
    bool good;
    if (sink->keep_lf) {
        add_as_lf(buffer_text(&fields), &head);
        add_as_lf(content, &body);
        good = sink_store_keep(&sink->store, buffer_text(&head), buffer_text(&body), name);
    } else {
        good = sink_store_keep(&sink->store, buffer_text(&fields), content, name);
    }
    if (!good) fprintf(stderr, "sekimori sink: the message cannot be written: %m\n");
    buffer_free(&fields);
    buffer_free(&head);
    buffer_free(&body);
    return good;
}

static struct json *message_json(const struct sink_message *message, const char *what, const char *name)
{
    const struct envelope *envelope = &message->envelope;
    struct json *object = json_new_object(), *to = json_new_array();
    struct buffer notes = { 0 };
    for (uint32_t i = 0; i < envelope->recipient_count; i++)
        json_add_text(to, envelope->recipients[i].address);
    notes_add(message, &notes);
    json_set_string(object, "message", what);
    json_set_text(object, "from", envelope->sender);
    json_set(object, "to", to);
    json_set_number(object, "size", (int64_t)message->size);
    json_set_text(object, "helo", message->helo);
    json_set_string(object, "tls", message->tls);
    json_set_text(object, "notes", text_trim(buffer_text(&notes)));
    if (name[0]) json_set_string(object, "file", name);
    buffer_free(&notes);
    return object;
}

static void print_message(const struct sink *sink, const struct sink_message *message, const char *what,
                          const char *name)
{
    const struct envelope *envelope = &message->envelope;
    char room[SHOWN_SIZE];
    if (sink->is_quiet || sink->counts_only) return;
    if (sink->as_json) {
        json_print(message_json(message, what, name), stdout, false);
        return;
    }
    printf("%s from=<%s>", what, log_escape(envelope->sender, room, sizeof room));
    for (uint32_t i = 0; i < envelope->recipient_count; i++)
        printf(" to=<%s>", log_escape(envelope->recipients[i].address, room, sizeof room));
    printf(" size=%llu%s%s\n", (unsigned long long)message->size, name[0] ? " file=new/" : "", name);
}

bool sink_report_keep(struct sink *sink, const struct sink_message *message, struct text content,
                      char name[SINK_NAME_SIZE])
{
    if (sink->store.folder >= 0 && !write_file(sink, message, content, name)) return false;
    sink->counts.messages++;
    sink->counts.recipients += message->envelope.recipient_count;
    sink->counts.bytes += message->size;
    print_message(sink, message, "kept", name);
    return true;
}

void sink_report_refused(const struct sink *sink, const struct sink_message *message)
{
    print_message(sink, message, "not kept", "");
}

void sink_report_sums(const struct sink *sink)
{
    const struct {
        const char *name;
        uint64_t count;
    } rows[] = {
        { "messages", sink->counts.messages }, { "recipients", sink->counts.recipients },
        { "bytes", sink->counts.bytes },       { "connections", sink->counts.connections },
        { "deferred", sink->counts.deferred }, { "refused", sink->counts.refused },
        { "dropped", sink->counts.dropped },   { "bare", sink->counts.bare },
    };
    struct json *object = sink->as_json ? json_new_object() : NULL;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (object)
            json_set_number(object, rows[i].name, (int64_t)rows[i].count);
        else
            printf("%s%llu %s", i ? ", " : "", (unsigned long long)rows[i].count, rows[i].name);
    }
    if (object)
        json_print(object, stdout, false);
    else
        putchar('\n');
}
