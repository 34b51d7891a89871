/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Headers of our own mail, and the mail that has nothing but text. */
#include "report/notice.h"

#include "mail/base64.h"
#include "mail/date.h"
#include "mail/word.h"

/* Encoded words, one a line. */
static void subject_fold(struct text subject, struct buffer *out)
{
    struct buffer words = { 0 };
    word_encode(TEXT("UTF-8"), 'B', subject, &words);
    struct text rest = buffer_text(&words), word;
    for (bool is_first = true; text_next_word(&rest, &word); is_first = false) {
        if (!is_first) buffer_add_text(out, TEXT("\r\n "));
        buffer_add_text(out, word);
    }
    buffer_free(&words);
}

void notice_print_header(const struct notice *notice, struct buffer *out)
{
    char date[DATE_SIZE];
    buffer_printf(out, "From: Sekimori <%.*s>\r\nTo: <%.*s>\r\nSubject: ", TEXT_ARG(notice->from),
                  TEXT_ARG(notice->to));
    subject_fold(notice->subject, out);
    buffer_printf(out, "\r\nDate: %s\r\nMessage-ID: <%.*s@%.*s>\r\n", date_print(notice->now_ms, date),
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

void notice_print(const struct notice *notice, struct text lines, struct buffer *out)
{
    struct notice named = *notice;
    struct buffer subject = { 0 }, body = { 0 };
    buffer_printf(&subject, "%.*s: %.*s", TEXT_ARG(notice->hostname), TEXT_ARG(notice->subject));
    named.subject = buffer_text(&subject);
    notice_print_header(&named, out);
    buffer_add_text(
        out, TEXT("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"));
    notice_canonical(lines, &body);
    base64_add_lines(out, buffer_text(&body), true);
    buffer_free(&subject);
    buffer_free(&body);
}
