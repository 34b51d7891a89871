/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A notice in three parts: for people (English and Japanese), for machines, and the message it is about. */
#include "mail/dsn.h"

#include "base/date.h"
#include "base/utf8.h"
#include "mail/base64.h"
#include "mail/charset.h"
#include "mail/mailbox.h"
#include "mail/orcpt.h"

/* The fields of a status report are ASCII. What is not is escaped, as RFC 6533 section 3 does it in
   addresses: \x{3042} for a character of UTF-8, \x82 for a byte that is in none. */
static void field_text_add(struct buffer *out, struct text text)
{
    while (text.length) {
        size_t length = utf8_sequence(text);
        unsigned char c = (unsigned char)text.at[0];
        if (length > 1)
            orcpt_put_utf8(text_slice(text, 0, length), out);
        else if (c > 0x7f)
            buffer_printf(out, "\\x%02X", c);
        else
            buffer_add_char(out, c >= 0x20 && c < 0x7f                 ? (char)c
                                 : c == '\r' || c == '\n' || c == '\t' ? ' '
                                                                       : '?');
        text = text_slice(text, length ? length : 1, text.length);
    }
}

/* In the people's part all is UTF-8. A reply in another charset is read as the likeliest one. */
static void people_text_add(struct buffer *out, struct text text)
{
    struct buffer read = { 0 };
    charset_to_utf8(TEXT_NONE, text, &read, NULL);
    text = buffer_text(&read);
    for (size_t i = 0; i < text.length; i++)
        buffer_add_char(out, (unsigned char)text.at[i] < ' ' || text.at[i] == 127 ? ' ' : text.at[i]);
    buffer_free(&read);
}

/* One field, folded at blanks so that no line is longer than 998 octets (RFC 5322 section 2.1.1). */
static void field_add(struct buffer *out, const char *name, const char *type, struct text value)
{
    enum { COLUMN_MOST = 78, COLUMN_HARD = 900 };
    buffer_printf(out, "%s: %s", name, type);
    size_t column = strlen(name) + 2 + strlen(type);
    while (value.length) {
        size_t word = text_find_char(value, ' ');
        size_t take = word < value.length ? word + 1 : value.length;
        if (take > COLUMN_HARD) take = COLUMN_HARD;
        if (column > 1 && column + take > COLUMN_MOST && column > strlen(name) + 2) {
            buffer_add_text(out, TEXT("\r\n "));
            column = 1;
        }
        field_text_add(out, text_slice(value, 0, take));
        column += take;
        value = text_slice(value, take, value.length);
    }
    buffer_add_text(out, TEXT("\r\n"));
}

static void address_field(struct buffer *out, const char *name, struct text address)
{
    if (text_is_ascii(address)) {
        field_add(out, name, "rfc822;", address);
        return;
    }
    buffer_printf(out, "%s: utf-8;", name);
    orcpt_put_utf8(address, out);
    buffer_add_text(out, TEXT("\r\n"));
}

static void original_recipient_field(struct buffer *out, struct text orcpt)
{
    struct arena *arena = arena_new(0);
    if (orcpt.length) field_add(out, "Original-Recipient", "", orcpt_to_ascii(arena, orcpt));
    arena_free(arena);
}

/* No NUL, and no line over 998 octets: fit for a message part without an encoding. */
static bool is_lines(struct text original)
{
    size_t column = 0;
    for (size_t i = 0; i < original.length; i++) {
        unsigned char c = (unsigned char)original.at[i];
        if (c == 0) return false;
        column = c == '\n' ? 0 : column + 1;
        if (column > 999) return false;
    }
    return true;
}

static struct text header_of(struct text original)
{
    size_t end = text_find(original, TEXT("\r\n\r\n"));
    return text_slice(original, 0, end < original.length ? end + 2 : original.length);
}

/* RFC 3461 section 6.2: the whole message only with a failure. */
static bool wants_full(const struct dsn *dsn)
{
    if (dsn->action != DSN_FAILED || dsn->ret == RETURN_HEADERS) return false;
    size_t most = dsn->ret == RETURN_FULL ? DSN_FULL_MOST : DSN_FULL_UNSTATED_MOST;
    return dsn->original.length <= most && is_lines(dsn->original);
}

static bool is_8bit(const struct dsn *dsn)
{
    return wants_full(dsn) && !text_is_ascii(dsn->original);
}

/* An address that no line of a header has room for stands in the envelope alone. */
static void to_field(struct buffer *out, struct text sender)
{
    enum { ADDRESS_MOST = 900 };
    struct arena *arena = arena_new(0);
    mailbox_to_ascii(arena, sender, &sender);
    if (sender.length <= ADDRESS_MOST)
        buffer_printf(out, "To: <%.*s>\r\n", TEXT_ARG(sender));
    else
        buffer_add_text(out, TEXT("To: undisclosed-recipients:;\r\n"));
    arena_free(arena);
}

static void header_add(const struct dsn *dsn, struct buffer *out)
{
    static const char *const subjects[][2] = {
        [DSN_FAILED] = { "Undelivered mail returned to sender /", "配送できませんでした" },
        [DSN_DELAYED] = { "Delayed mail, still being tried /", "配送が遅れています" },
        [DSN_RELAYED] = { "Mail was passed on /", "配送しました" },
    };
    char date[DATE_SIZE];
    buffer_printf(out, "From: Mail Delivery System <MAILER-DAEMON@%.*s>\r\n", TEXT_ARG(dsn->hostname));
    to_field(out, dsn->sender);
    buffer_printf(out, "Subject: %s\r\n =?UTF-8?B?", subjects[dsn->action][0]);
    base64_add(out, text_of(subjects[dsn->action][1]));
    buffer_printf(out, "?=\r\nDate: %s\r\n", date_print(dsn->now_ms, date));
    buffer_printf(out, "Message-ID: <%.*s@%.*s>\r\n", TEXT_ARG(dsn->notice_id), TEXT_ARG(dsn->hostname));
    buffer_printf(out, "Auto-Submitted: auto-%s\r\nMIME-Version: 1.0\r\n",
                  dsn->action == DSN_FAILED ? "replied" : "generated");
    buffer_printf(out,
                  "Content-Type: multipart/report; report-type=delivery-status;\r\n"
                  "\tboundary=\"=_%.*s\"\r\n%s\r\n",
                  TEXT_ARG(dsn->notice_id), is_8bit(dsn) ? "Content-Transfer-Encoding: 8bit\r\n" : "");
}

static void english_add(const struct dsn *dsn, struct buffer *out)
{
    char date[DATE_SIZE];
    static const char *const openings[] = {
        [DSN_FAILED] = "Your message could not be delivered to the recipients below.\n"
                       "It is not tried again.",
        [DSN_DELAYED] = "Your message has not been delivered yet to the recipients below.\n"
                        "You need not send it again",
        [DSN_RELAYED] = "Your message was passed on to the server of the recipients below.\n"
                        "That server sends no notices of its own.",
    };
    buffer_printf(out, "This is the mail system at %.*s.\n\n%s", TEXT_ARG(dsn->hostname),
                  openings[dsn->action]);
    if (dsn->action == DSN_DELAYED)
        buffer_printf(out, ": it is tried until\n%s.", date_print(dsn->until_ms, date));
    buffer_add_text(out, TEXT("\n\n"));
}

static void japanese_add(const struct dsn *dsn, struct buffer *out)
{
    char date[DATE_SIZE];
    buffer_printf(out, "%.*s のメールシステムからのお知らせです。\n\n", TEXT_ARG(dsn->hostname));
    if (dsn->action == DSN_FAILED)
        buffer_add_text(out, TEXT("お送りになったメールは、次の宛先に配送できませんでした。\n"
                                  "再送は行われません。\n\n"));
    if (dsn->action == DSN_DELAYED)
        buffer_printf(out,
                      "お送りになったメールは、次の宛先にまだ配送できていません。\n"
                      "%s まで配送を試みますので、送り直す必要はありません。\n\n",
                      date_print(dsn->until_ms, date));
    if (dsn->action == DSN_RELAYED)
        buffer_add_text(out, TEXT("お送りになったメールは、次の宛先のサーバーに渡されました。\n"
                                  "そのサーバーからの配送通知はありません。\n\n"));
}

static void recipients_add(const struct dsn *dsn, struct buffer *out)
{
    for (uint32_t i = 0; i < dsn->recipient_count; i++) {
        const struct dsn_recipient *recipient = &dsn->recipients[i];
        buffer_printf(out, "  <%.*s>\n", TEXT_ARG(recipient->address));
        if (recipient->remote.length && recipient->is_smtp_reply)
            buffer_printf(out, "    %.*s: ", TEXT_ARG(recipient->remote));
        else
            buffer_add_text(out, TEXT("    "));
        people_text_add(out, recipient->diagnostic);
        buffer_add_char(out, '\n');
    }
    buffer_add_char(out, '\n');
}

static void people_part(const struct dsn *dsn, struct buffer *out)
{
    struct buffer text = { 0 };
    english_add(dsn, &text);
    recipients_add(dsn, &text);
    if (dsn->help.length) buffer_printf(&text, "Questions? %.*s\n\n", TEXT_ARG(dsn->help));
    japanese_add(dsn, &text);
    recipients_add(dsn, &text);
    if (dsn->help.length) buffer_printf(&text, "お問い合わせ：%.*s\n\n", TEXT_ARG(dsn->help));
    buffer_printf(&text, "ID: %.*s\n", TEXT_ARG(dsn->message_id));
    buffer_add_text(out, TEXT("Content-Type: text/plain; charset=UTF-8\r\n"
                              "Content-Transfer-Encoding: base64\r\n\r\n"));
    struct buffer lines = { 0 }; /* text has CRLF inside base64 too: RFC 2046 section 4.1.1 */
    struct text rest = buffer_text(&text), line;
    while (text_next_line(&rest, &line)) {
        buffer_add_text(&lines, line);
        buffer_add_text(&lines, TEXT("\r\n"));
    }
    base64_add_lines(out, buffer_text(&lines), true);
    buffer_free(&lines);
    buffer_free(&text);
}

/* The host name alone, of "mail.example.jp[192.0.2.7]:25". */
static struct text remote_host(struct text remote)
{
    return text_slice(remote, 0, text_find_char(remote, '['));
}

static void machine_recipient(const struct dsn *dsn, const struct dsn_recipient *recipient,
                              struct buffer *out)
{
    static const char *const actions[] = {
        [DSN_FAILED] = "failed", [DSN_DELAYED] = "delayed", [DSN_RELAYED] = "relayed"
    };
    char date[DATE_SIZE];
    buffer_add_text(out, TEXT("\r\n"));
    original_recipient_field(out, recipient->orcpt);
    address_field(out, "Final-Recipient", recipient->address);
    buffer_printf(out, "Action: %s\r\nStatus: %.*s\r\n", actions[dsn->action], TEXT_ARG(recipient->status));
    struct text host = remote_host(recipient->remote);
    if (host.length && !text_equal(host, TEXT("none"))) field_add(out, "Remote-MTA", "dns; ", host);
    field_add(out, "Diagnostic-Code", recipient->is_smtp_reply ? "smtp; " : "x-sekimori; ",
              recipient->diagnostic);
    buffer_printf(out, "Last-Attempt-Date: %s\r\n", date_print(dsn->now_ms, date));
    if (dsn->action == DSN_DELAYED)
        buffer_printf(out, "Will-Retry-Until: %s\r\n", date_print(dsn->until_ms, date));
}

static void machine_part(const struct dsn *dsn, struct buffer *out)
{
    char date[DATE_SIZE];
    buffer_add_text(out, TEXT("Content-Type: message/delivery-status\r\n\r\n"));
    if (dsn->envid.length) field_add(out, "Original-Envelope-Id", "", dsn->envid);
    field_add(out, "Reporting-MTA", "dns; ", dsn->hostname);
    field_add(out, "X-Sekimori-Id", "", dsn->message_id);
    buffer_printf(out, "Arrival-Date: %s\r\n", date_print(dsn->arrived_ms, date));
    for (uint32_t i = 0; i < dsn->recipient_count; i++) machine_recipient(dsn, &dsn->recipients[i], out);
}

/* RFC 2046 section 5.2.1 lets message/rfc822 be 8-bit; with a header in UTF-8 it is message/global (RFC 6532
   section 3.7). A server that takes 7 bits only gets both converted (mail/convert.h). */
static void full_part(const struct dsn *dsn, struct buffer *out)
{
    struct text header = header_of(dsn->original);
    bool is_global = !text_is_ascii(header) && utf8_is_valid(header);
    buffer_printf(out, "Content-Type: message/%s\r\n%s\r\n", is_global ? "global" : "rfc822",
                  is_8bit(dsn) ? "Content-Transfer-Encoding: 8bit\r\n" : "");
    buffer_add_text(out, dsn->original);
}

static void original_part(const struct dsn *dsn, struct buffer *out)
{
    struct text header = text_slice(header_of(dsn->original), 0, DSN_HEADER_MOST);
    if (wants_full(dsn)) {
        full_part(dsn, out);
    } else if (text_is_ascii(header) && is_lines(header)) {
        buffer_add_text(out, TEXT("Content-Type: text/rfc822-headers\r\n\r\n"));
        buffer_add_text(out, header);
    } else {
        buffer_printf(out,
                      "Content-Type: text/rfc822-headers; charset=%s\r\n"
                      "Content-Transfer-Encoding: base64\r\n\r\n",
                      utf8_is_valid(header) ? "UTF-8" : "unknown-8bit"); /* RFC 1428 section 3 */
        base64_add_lines(out, header, true);
    }
}

void dsn_compose(const struct dsn *dsn, struct buffer *out)
{
    static void (*const parts[])(const struct dsn *, struct buffer *) = { people_part, machine_part,
                                                                          original_part };
    header_add(dsn, out);
    for (int i = 0; i < 3; i++) {
        buffer_printf(out, "--=_%.*s\r\n", TEXT_ARG(dsn->notice_id));
        parts[i](dsn, out);
        buffer_add_text(out, TEXT("\r\n"));
    }
    buffer_printf(out, "--=_%.*s--\r\n", TEXT_ARG(dsn->notice_id));
}
