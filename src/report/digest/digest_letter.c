/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What stands in a digest, as text and as HTML. Senders and Subjects are strangers' texts. */

#include "base/date.h"
#include "base/plain.h"
#include "ipc/message_id.h"
#include "report/digest/digest_recipients.h"
#include "report/notice.h"
#include "report/words.h"

enum { COLUMNS = 70 };

static const char *say(const struct digest_letter *letter, const char *english)
{
    return words_say(letter->language, english);
}

static void time_add(struct buffer *out, uint64_t ms)
{
    char room[DATE_SIZE];
    buffer_add_text(out, text_slice(text_of(date_print_clock(ms, room)), 0, 16));
}

static size_t shown(const struct digest_letter *letter)
{
    return letter->count < DIGEST_SHOWN_MOST ? letter->count : DIGEST_SHOWN_MOST;
}

static const char *class_words(const struct digest_letter *letter, const struct held_row *row)
{
    return row->class == HELD_VIRUS ? say(letter, N_("virus")) : say(letter, N_("phishing"));
}

/* --- links --- */

static const char *ticket_of(const struct digest_letter *letter, const struct held_row *row,
                             char room[TICKET_SIZE])
{
    uint64_t keep = letter->config->quarantine.keep_ms[row->class];
    uint64_t until = letter->now_ms + letter->config->digest.expire_ms;
    if (keep && row->stored_ms + keep < until) until = row->stored_ms + keep;
    return ticket_print(letter->key, &(struct ticket){ row->message, row->number, until / 1000 }, room);
}

/* Else the administrator is to be told its id. */
static bool has_ticket(const struct digest_letter *letter, const struct held_row *row)
{
    return letter->key && ticket_may_release(letter->config, row->class);
}

static size_t tickets(const struct digest_letter *letter)
{
    size_t count = 0;
    for (size_t i = 0; i < shown(letter); i++) count += has_ticket(letter, &letter->rows[i]);
    return count;
}

static bool has_page(const struct digest_letter *letter)
{
    return letter->key && letter->config->digest.page.length > 0;
}

static bool has_reply(const struct digest_letter *letter)
{
    return letter->key && letter->config->digest.reply.length > 0;
}

static void page_link_add(const struct digest_letter *letter, const char *ticket, struct buffer *out)
{
    buffer_printf(out, "%.*s/%s", TEXT_ARG(letter->config->digest.page), ticket);
}

/* RFC 6068: in the address everything is written by number that could mean something in a URL. */
static void mail_link_add(const struct digest_letter *letter, const char *ticket, struct buffer *out)
{
    struct text to = letter->config->digest.reply;
    buffer_add_text(out, TEXT("mailto:"));
    for (size_t i = 0; i < to.length; i++) {
        char c = to.at[i];
        if (char_is_alpha(c) || char_is_digit(c) || c == '.' || c == '-' || c == '_' || c == '@')
            buffer_add_char(out, c);
        else
            buffer_printf(out, "%%%02X", (unsigned char)c);
    }
    buffer_printf(out, "?subject=release%%20%s", ticket);
}

/* --- as text --- */

static void row_print(const struct digest_letter *letter, const struct held_row *row, struct buffer *out)
{
    char id[MESSAGE_ID_SIZE], ticket[TICKET_SIZE];
    bool is_open = has_ticket(letter, row);
    if (is_open) ticket_of(letter, row, ticket);
    time_add(out, message_id_time_ms(row->message));
    buffer_add_text(out, TEXT("  "));
    if (row->sender.length)
        plain_add(out, row->sender, COLUMNS);
    else
        buffer_add_text(out, TEXT("<>"));
    buffer_add_text(out, TEXT("\n    "));
    if (row->subject.length)
        plain_add(out, row->subject, COLUMNS);
    else
        buffer_add_text(out, text_of(say(letter, N_("(no subject)"))));
    if (row->class != HELD_SPAM)
        buffer_printf(out, "\n    %s: %s", say(letter, N_("Held as")), class_words(letter, row));
    if (!is_open) buffer_printf(out, "\n    %s", message_id_print(row->message, id));
    buffer_add_text(out, is_open && has_page(letter) ? TEXT("\n    ") : TEXT_NONE);
    if (is_open && has_page(letter)) page_link_add(letter, ticket, out);
    buffer_add_text(out, is_open && has_reply(letter) ? TEXT("\n    ") : TEXT_NONE);
    if (is_open && has_reply(letter)) mail_link_add(letter, ticket, out);
    buffer_add_text(out, TEXT("\n\n"));
}

/* What is to be done, a sentence a line; the same in both parts. */
static void advice_print(const struct digest_letter *letter, struct buffer *out)
{
    size_t open = tickets(letter);
    if (open && has_page(letter))
        buffer_printf(
            out, "%s\n",
            say(letter, N_("A link to the page shows what it would deliver to you, and does so when "
                           "you say yes there.")));
    if (open && has_reply(letter))
        buffer_printf(out, "%s\n",
                      say(letter, N_("A mail link writes a mail: send it as it is, and the message is "
                                     "delivered to you.")));
    if (open) {
        buffer_printf(out, "%s ", say(letter, N_("It works once, and not after")));
        time_add(out, letter->now_ms + letter->config->digest.expire_ms);
        buffer_add_char(out, '\n');
    }
    if (open < shown(letter)) {
        buffer_printf(out, say(letter, N_("To have one delivered, tell %.*s its id.")),
                      TEXT_ARG(letter->config->admin));
        buffer_add_char(out, '\n');
    }
    buffer_printf(out, "%s\n", say(letter, N_("What you do not want needs nothing: it goes by itself.")));
}

static void head_print(const struct digest_letter *letter, struct buffer *out)
{
    buffer_printf(out, say(letter, N_("Messages to <%.*s> that were held and not delivered:")),
                  TEXT_ARG(letter->to));
}

static void more_print(const struct digest_letter *letter, struct buffer *out)
{
    if (letter->count > DIGEST_SHOWN_MOST)
        buffer_printf(out, say(letter, N_("and %zu more.")), letter->count - DIGEST_SHOWN_MOST);
}

static void lines_print(const struct digest_letter *letter, struct buffer *out)
{
    head_print(letter, out);
    buffer_add_text(out, TEXT("\n\n"));
    for (size_t i = 0; i < shown(letter); i++) row_print(letter, &letter->rows[i], out);
    more_print(letter, out);
    if (letter->count > DIGEST_SHOWN_MOST) buffer_add_text(out, TEXT("\n\n"));
    advice_print(letter, out);
}

/* --- as HTML --- */

static void button_add(struct text link, const char *words, struct buffer *out)
{
    buffer_add_text(out, TEXT("<a style=\"margin-right:14px\" href=\""));
    html_add(out, link, link.length);
    buffer_printf(out, "\">%s</a>", words);
}

static void links_html(const struct digest_letter *letter, const struct held_row *row, struct buffer *out)
{
    char id[MESSAGE_ID_SIZE], ticket[TICKET_SIZE];
    struct buffer link = { 0 };
    if (!has_ticket(letter, row)) {
        buffer_add_text(out, text_of(message_id_print(row->message, id)));
        return;
    }
    ticket_of(letter, row, ticket);
    if (has_page(letter)) {
        page_link_add(letter, ticket, &link);
        button_add(buffer_text(&link), say(letter, N_("Look and release")), out);
    }
    buffer_clear(&link);
    if (has_reply(letter)) {
        mail_link_add(letter, ticket, &link);
        button_add(buffer_text(&link), say(letter, N_("Release by mail")), out);
    }
    buffer_free(&link);
}

static void row_html(const struct digest_letter *letter, const struct held_row *row, struct buffer *out)
{
    buffer_add_text(out, TEXT("<p style=\"margin:14px 0\"><span style=\"color:#66707d\">"));
    time_add(out, message_id_time_ms(row->message));
    buffer_add_text(out, TEXT("</span> "));
    html_add(out, row->sender.length ? row->sender : TEXT("<>"), COLUMNS);
    buffer_add_text(out, TEXT("<br>\n<b>"));
    html_add(out, row->subject.length ? row->subject : text_of(say(letter, N_("(no subject)"))), COLUMNS);
    buffer_add_text(out, TEXT("</b><br>\n"));
    if (row->class != HELD_SPAM)
        buffer_printf(out, "%s: %s<br>\n", say(letter, N_("Held as")), class_words(letter, row));
    links_html(letter, row, out);
    buffer_add_text(out, TEXT("</p>\n"));
}

static void html_print(const struct digest_letter *letter, struct buffer *out)
{
    struct buffer plain = { 0 };
    struct text rest, line;
    buffer_printf(out,
                  "<!DOCTYPE html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\"></head>\n"
                  "<body style=\"font-family:sans-serif;font-size:14px;color:#1f252d\">\n<p>",
                  letter->language == LANGUAGE_JA ? "ja" : "en");
    head_print(letter, &plain);
    html_add(out, buffer_text(&plain), 1000);
    buffer_add_text(out, TEXT("</p>\n"));
    for (size_t i = 0; i < shown(letter); i++) row_html(letter, &letter->rows[i], out);
    buffer_clear(&plain);
    more_print(letter, &plain);
    buffer_add_text(&plain, TEXT("\n"));
    advice_print(letter, &plain);
    for (rest = buffer_text(&plain); text_next_line(&rest, &line);) {
        buffer_add_text(out, line.length ? TEXT("<p style=\"margin:4px 0\">") : TEXT_NONE);
        html_add(out, line, 1000);
        buffer_add_text(out, line.length ? TEXT("</p>\n") : TEXT_NONE);
    }
    buffer_add_text(out, TEXT("</body></html>\n"));
    buffer_free(&plain);
}

void digest_mailing_print(const struct digest_letter *letter, struct buffer *out)
{
    struct buffer lines = { 0 }, html = { 0 }, subject = { 0 };
    lines_print(letter, &lines);
    html_print(letter, &html);
    buffer_printf(&subject, say(letter, N_("Held messages: %zu")), letter->count);
    struct notice notice = { .from = letter->config->admin,
                             .to = letter->to,
                             .hostname = letter->config->hostname,
                             .id = letter->id,
                             .subject = buffer_text(&subject),
                             .now_ms = letter->now_ms,
                             .reply_to = letter->key ? letter->config->digest.reply : TEXT_NONE };
    notice_print_both(&notice, buffer_text(&lines), buffer_text(&html), out);
    buffer_free(&lines);
    buffer_free(&html);
    buffer_free(&subject);
}
