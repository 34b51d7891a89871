/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The only style sheet there is. Inline styles are overruled by it, hence each !important. */
#include "report/mail_page.h"

#include "statistics/sheet.h"

#define FONTS \
    "'Noto Sans CJK JP','Noto Sans JP','Hiragino Sans','Yu Gothic',Meiryo,'Helvetica Neue',Arial,sans-serif"

static const char style[] =
    ":root{color-scheme:light dark;supported-color-schemes:light dark}\n"
    "@media (max-width:640px){\n"
    ".wide,.wide tbody{display:block!important}\n"
    ".wide tr{display:flex!important;flex-wrap:wrap;padding:6px 0!important;border-bottom:1px solid "
    "#d5dae1!important}\n"
    ".wide .heads,.wide .none{display:none!important}\n"
    ".wide td{flex:1 1 42%;max-width:50%;box-sizing:border-box;padding:1px 16px 1px "
    "0!important;border:0!important;"
    "text-align:right!important}\n"
    ".wide "
    "td:first-child{flex-basis:100%;max-width:100%;font-weight:600!important;text-align:left!important}\n"
    ".wide .label{display:inline!important;float:left;padding-right:8px}\n"
    ".wide td:first-child .label{display:none!important}\n"
    "}\n"
    "@media (prefers-color-scheme:dark){\n"
    "body{background:#0d1117!important;color:#e6e9ed!important}\n"
    ".faint{color:#9aa5b3!important}\n"
    ".bad{color:#ff8d85!important}\n"
    ".good{color:#6fcf97!important}\n"
    ".line,.card,.wide tr{border-color:#3a444f!important}\n"
    ".card{background:#161c24!important}\n"
    ".button{background:#8ab8f0!important;color:#0d1117!important}\n"
    "a{color:#8ab8f0}\n"
    "}\n";

void mail_page_open(enum language language, struct text title, struct buffer *out)
{
    buffer_printf(out,
                  "<!DOCTYPE html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\">"
                  "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
                  "<meta name=\"color-scheme\" content=\"light dark\"><title>",
                  language == LANGUAGE_JA ? "ja" : "en");
    html_add(out, title, 1000);
    buffer_printf(out,
                  "</title>\n<style>\n%s</style></head>\n"
                  "<body style=\"margin:0;background:#ffffff;color:#1f252d;font-size:15px;line-height:1.5;"
                  "font-family:" FONTS "\">\n"
                  "<div style=\"max-width:760px;margin:0 auto;padding:16px\">\n",
                  style);
}

void mail_page_close(struct buffer *out)
{
    buffer_add_text(out, TEXT("</div></body></html>\n"));
}
