/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* In English and Japanese, like notices to senders. */
#include "mail/alert.h"

#include "base/date.h"
#include "mail/base64.h"

static void header_add(const struct alert *alert, struct buffer *out)
{
    char date[DATE_SIZE];
    buffer_printf(out, "From: Mail Gateway <MAILER-DAEMON@%.*s>\r\n", TEXT_ARG(alert->hostname));
    buffer_printf(out, "To: <%.*s>\r\n", TEXT_ARG(alert->admin));
    buffer_add_text(out, TEXT("Subject: A virus from inside was stopped /\r\n =?UTF-8?B?"));
    base64_add(out, TEXT("内側からのウイルスメールを止めました"));
    buffer_printf(out, "?=\r\nDate: %s\r\n", date_print(alert->now_ms, date));
    buffer_printf(out, "Message-ID: <%.*s@%.*s>\r\n", TEXT_ARG(alert->alert_id), TEXT_ARG(alert->hostname));
    buffer_add_text(out, TEXT("Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
                              "Content-Type: text/plain; charset=UTF-8\r\n"
                              "Content-Transfer-Encoding: base64\r\n\r\n"));
}

static void facts_add(const struct alert *alert, struct buffer *out)
{
    static const struct text nobody = { "<>", 2 };
    struct text sender = alert->sender.length ? alert->sender : nobody;
    buffer_printf(out, "  %.*s\n", TEXT_ARG(alert->reason));
    buffer_printf(out, "  client:    %.*s\n", TEXT_ARG(alert->client));
    buffer_printf(out, "  sender:    %.*s\n", TEXT_ARG(sender));
    buffer_printf(out, "  recipient: %.*s\n", TEXT_ARG(alert->recipient));
    buffer_printf(out, "  log:       %.*s\n\n", TEXT_ARG(alert->message_id));
}

void alert_compose(const struct alert *alert, struct buffer *out)
{
    struct buffer text = { 0 };
    unsigned minutes = (unsigned)(alert->quiet_ms / 60000);
    header_add(alert, out);
    buffer_printf(
        &text,
        "This is the mail gateway %.*s.\n\nA host inside tried to send a virus. The message was stopped.\n\n",
        TEXT_ARG(alert->hostname));
    facts_add(alert, &text);
    buffer_printf(&text,
                  "What more comes from this host in the next %u minutes is stopped and only logged.\n\n",
                  minutes);
    buffer_printf(&text,
                  "%.*s からのお知らせです。\n\n"
                  "内側のホストからウイルスを含むメールが送られたので、止めました。内容は上のとおりです。\n"
                  "同じホストからのものは、これから %u 分間、止めて記録するだけとします。\n",
                  TEXT_ARG(alert->hostname), minutes);
    base64_add_lines(out, buffer_text(&text), true);
    buffer_free(&text);
}
