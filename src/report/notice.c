/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Headers of our own mail, and the mail that has nothing but text. */
#include "report/notice.h"

#include "base/date.h"
#include "mail/base64.h"
#include "mail/encoded_word.h"

/* Encoded words on lines of their own behind the first, which has the host's name. */
static void subject_add(const struct notice *notice, struct buffer *out)
{
    buffer_printf(out, "Subject: %.*s\r\n ", TEXT_ARG(notice->hostname));
    word_encode(TEXT("UTF-8"), 'B', notice->subject, 1, out);
    buffer_add_text(out, TEXT("\r\n"));
}

void notice_print_header(const struct notice *notice, struct buffer *out)
{
    char date[DATE_SIZE];
    buffer_printf(out, "From: Sekimori <%.*s>\r\nTo: <%.*s>\r\n", TEXT_ARG(notice->from),
                  TEXT_ARG(notice->to));
    if (notice->reply_to.length) buffer_printf(out, "Reply-To: <%.*s>\r\n", TEXT_ARG(notice->reply_to));
    subject_add(notice, out);
    buffer_printf(out, "Date: %s\r\nMessage-ID: <%.*s@%.*s>\r\n", date_print(notice->now_ms, date),
                  TEXT_ARG(notice->id), TEXT_ARG(notice->hostname));
    buffer_add_text(out, TEXT("Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"));
}

void notice_canonical(struct text text, struct buffer *out)
{
    for (size_t i = 0; i < text.length; i++) {
        if (text.at[i] == '\n') buffer_add_char(out, '\r');
        buffer_add_char(out, text.at[i]);
    }
}

static void text_add(const char *type, struct text lines, struct buffer *out)
{
    struct buffer body = { 0 };
    buffer_printf(out,
                  "Content-Type: text/%s; charset=utf-8\r\n"
                  "Content-Transfer-Encoding: base64\r\n\r\n",
                  type);
    notice_canonical(lines, &body);
    base64_add_lines(out, buffer_text(&body), true);
    buffer_free(&body);
}

void notice_print(const struct notice *notice, struct text lines, struct buffer *out)
{
    notice_print_header(notice, out);
    text_add("plain", lines, out);
}

void notice_print_both(const struct notice *notice, struct text lines, struct text html, struct buffer *out)
{
    struct text id = notice->id;
    notice_print_header(notice, out);
    buffer_printf(out, "Content-Type: multipart/alternative; boundary=\"both_%.*s\"\r\n\r\n--both_%.*s\r\n",
                  TEXT_ARG(id), TEXT_ARG(id));
    text_add("plain", lines, out);
    buffer_printf(out, "--both_%.*s\r\n", TEXT_ARG(id));
    text_add("html", html, out);
    buffer_printf(out, "--both_%.*s--\r\n", TEXT_ARG(id));
}
