/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A report as a mail: text for those who want text, HTML with its pictures for the others. */
#include "mail/base64.h"
#include "report/daily/report_document.h"
#include "report/notice.h"

static void part_open(struct buffer *out, const char *kind, struct text id, const char *type)
{
    buffer_printf(out, "--%s_%.*s\r\nContent-Type: %s\r\n", kind, TEXT_ARG(id), type);
}

static void part_text(struct buffer *out, const char *kind, struct text id, const char *type,
                      struct text utf8)
{
    part_open(out, kind, id, type);
    buffer_add_text(out, TEXT("Content-Transfer-Encoding: base64\r\n\r\n"));
    base64_add_lines(out, utf8, true);
}

static void header_add(const struct report_document *document, struct text from, struct text to,
                       struct text id, struct buffer *out)
{
    struct buffer subject = { 0 };
    report_document_print_subject(document, &subject);
    notice_print_header(
        &(struct notice){ from, to, document->hostname, id, buffer_text(&subject), document->made_ms }, out);
    buffer_printf(out, "Content-Type: multipart/alternative; boundary=\"alternative_%.*s\"\r\n\r\n",
                  TEXT_ARG(id));
    buffer_free(&subject);
}

static void pictures_add(const struct report_document *document, struct text id, struct buffer *out)
{
    for (const struct document_block *block = document->blocks; block; block = block->next) {
        if (block->kind != BLOCK_PICTURE) continue;
        part_open(out, "related", id, "image/png");
        buffer_printf(out,
                      "Content-Transfer-Encoding: base64\r\nContent-ID: <%s@sekimori>\r\n"
                      "Content-Disposition: inline; filename=\"%s.png\"\r\n\r\n",
                      block->picture_name, block->picture_name);
        base64_add_lines(out, block->png, true);
    }
}

void report_document_print_letter(const struct report_document *document, struct text from, struct text to,
                                  struct text id, struct buffer *out)
{
    struct buffer plain = { 0 }, text = { 0 }, html = { 0 };
    report_document_print_text(document, &plain);
    notice_canonical(buffer_text(&plain), &text);
    buffer_clear(&plain);
    report_document_print_html(document, true, &plain);
    notice_canonical(buffer_text(&plain), &html);
    header_add(document, from, to, id, out);
    part_text(out, "alternative", id, "text/plain; charset=utf-8", buffer_text(&text));
    buffer_printf(out,
                  "--alternative_%.*s\r\nContent-Type: multipart/related; type=\"text/html\";\r\n"
                  "\tboundary=\"related_%.*s\"\r\n\r\n",
                  TEXT_ARG(id), TEXT_ARG(id));
    part_text(out, "related", id, "text/html; charset=utf-8", buffer_text(&html));
    pictures_add(document, id, out);
    buffer_printf(out, "--related_%.*s--\r\n--alternative_%.*s--\r\n", TEXT_ARG(id), TEXT_ARG(id));
    buffer_free(&plain);
    buffer_free(&text);
    buffer_free(&html);
}
