/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* In English and Japanese, like notices to senders. */
#include "mail/alert.h"

#include "base/date.h"
#include "mail/base64.h"

/* ASCII in `subject`, UTF-8 in the others. %u: minutes. */
static const struct {
    const char *subject, *subject_ja, *said, *next, *said_ja, *next_ja;
} kinds[ALERT_KINDS] = {
    [ALERT_VIRUS] = { "A virus from inside was stopped", "内側からのウイルスメールを止めました",
                      "A host inside tried to send a virus. The message was stopped.",
                      "What more comes from this host in the next %u minutes is stopped and only logged.",
                      "内側のホストからウイルスを含むメールが送られたので、止めました。内容は上のとおりです"
                      "。",
                      "同じホストからのものは、これから %u 分間、止めて記録するだけとします。" },
    [ALERT_INSIDE_HELD] = { "The mail of a sender inside is held", "内側の差出人のメールを保留しています",
                            "A sender inside sends as somebody does with a stolen password. Its mail is held "
                            "in the quarantine from\n"
                            "now on; nothing is lost. Have the password changed, then: sekimori inside "
                            "release ADDRESS. What is good\n"
                            "among the held mail: sekimori quarantine list, sekimori quarantine release. A "
                            "sender that has to write to\n"
                            "many stands in `inside exempt`.",
                            "No further mail tells of this sender in the next %u minutes.",
                            "内側の差出人が、パスワードを盗まれたときのような送り方をしています。これ以降のメ"
                            "ールは隔離に保留し、\n"
                            "失われるものはありません。パスワードを変えてから sekimori inside release "
                            "アドレス で解除してください。\n"
                            "正常なメールは sekimori quarantine list で確かめ、sekimori quarantine release "
                            "で出せます。\n"
                            "多数に送る必要のある差出人は inside exempt に書いてください。",
                            "この差出人については、これから %u 分間、重ねて知らせません。" },
    [ALERT_INSIDE_OBSERVED] = { "A sender inside sends much", "内側の差出人が大量に送っています",
                                "A sender inside sends as somebody does with a stolen password. With `inside "
                                "mode on` its mail would be\n"
                                "held. A sender that has to write to many stands in `inside exempt`.",
                                "No further mail tells of this sender in the next %u minutes.",
                                "内側の差出人が、パスワードを盗まれたときのような送り方をしています。inside "
                                "mode on なら、そのメールを保留\n"
                                "します。多数に送る必要のある差出人は inside exempt に書いてください。",
                                "この差出人については、これから %u 分間、重ねて知らせません。" },
    [ALERT_HARVEST] = { "Somebody tries out our recipients", "存在する宛先を探られています",
                        "A client outside asks for many recipients that do not exist. What it is answered "
                        "from now on is what\n"
                        "`harvest` says, and does not tell which ones there are.",
                        "Further such clients of the next %u minutes are only logged.",
                        "外のクライアントが、存在しない宛先を数多く試しています。これ以降は harvest "
                        "の設定に従って応答し、宛先の有無は\n"
                        "知らせません。",
                        "ほかのクライアントによるものも、これから %u 分間は記録するだけとします。" },
    [ALERT_SIGNUPS_HELD] = { "A flood of sign-up mail to one recipient",
                             "一人の宛先に登録確認メールが大量に届いています",
                             "Many mails that welcome this recipient or ask to confirm a sign-up came within "
                             "an hour. Such a flood may\n"
                             "cover a fraud: somebody does not want a notice of a bank or a shop to be seen. "
                             "Ask the recipient to look\n"
                             "for one. Mail that is none of sign-ups goes on to be delivered; the flood is "
                             "held in the quarantine.",
                             "No further mail tells of this recipient in the next %u minutes.",
                             "会員登録の確認や歓迎のメールが、一時間のうちに大量に届きました。銀行や店からの"
                             "通知を埋もれさせる不正の手口の\n"
                             "ことがあります。そうした通知がないか、宛先の人に確かめてもらってください。登録"
                             "以外のメールは届けており、\n"
                             "大量のメールは隔離に保留しています。",
                             "この宛先については、これから %u 分間、重ねて知らせません。" },
    [ALERT_SIGNUPS_OBSERVED] = { "A flood of sign-up mail to one recipient",
                                 "一人の宛先に登録確認メールが大量に届いています",
                                 "Many mails that welcome this recipient or ask to confirm a sign-up came "
                                 "within an hour. Such a flood may\n"
                                 "cover a fraud: somebody does not want a notice of a bank or a shop to be "
                                 "seen. Ask the recipient to look\n"
                                 "for one. With `signups mode on` the flood would be held.",
                                 "No further mail tells of this recipient in the next %u minutes.",
                                 "会員登録の確認や歓迎のメールが、一時間のうちに大量に届きました。銀行や店か"
                                 "らの通知を埋もれさせる不正の手口の\n"
                                 "ことがあります。そうした通知がないか、宛先の人に確かめてもらってください。s"
                                 "ignups mode on なら保留します。",
                                 "この宛先については、これから %u 分間、重ねて知らせません。" },
};

const char *alert_word(enum alert_kind kind)
{
    static const char *const words[ALERT_KINDS] = {
        [ALERT_VIRUS] = "virus",     [ALERT_INSIDE_HELD] = "inside",    [ALERT_INSIDE_OBSERVED] = "inside",
        [ALERT_HARVEST] = "harvest", [ALERT_SIGNUPS_HELD] = "sign-ups", [ALERT_SIGNUPS_OBSERVED] = "sign-ups",
    };
    return words[kind];
}

const char *alert_subject(enum alert_kind kind, bool is_japanese)
{
    return is_japanese ? kinds[kind].subject_ja : kinds[kind].subject;
}

static void header_add(const struct alert *alert, struct buffer *out)
{
    char date[DATE_SIZE];
    buffer_printf(out, "From: Mail Gateway <MAILER-DAEMON@%.*s>\r\n", TEXT_ARG(alert->hostname));
    buffer_printf(out, "To: <%.*s>\r\n", TEXT_ARG(alert->admin));
    buffer_printf(out, "Subject: %s /\r\n =?UTF-8?B?", kinds[alert->kind].subject);
    base64_add(out, text_of(kinds[alert->kind].subject_ja));
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
    if (alert->message_id.length) buffer_printf(out, "  log:       %.*s\n", TEXT_ARG(alert->message_id));
    buffer_add_char(out, '\n');
}

/* The one %u of `words` becomes the number. */
static void next_add(const char *words, unsigned minutes, struct buffer *out)
{
    struct text rest = text_of(words);
    size_t at = text_find(rest, TEXT("%u"));
    buffer_printf(out, "%.*s%u%.*s\n", TEXT_ARG(text_slice(rest, 0, at)), minutes,
                  TEXT_ARG(text_slice(rest, at + 2, rest.length)));
}

void alert_compose(const struct alert *alert, struct buffer *out)
{
    struct buffer text = { 0 };
    unsigned minutes = (unsigned)(alert->quiet_ms / 60000);
    header_add(alert, out);
    buffer_printf(&text, "This is the mail gateway %.*s.\n\n%s\n\n", TEXT_ARG(alert->hostname),
                  kinds[alert->kind].said);
    facts_add(alert, &text);
    next_add(kinds[alert->kind].next, minutes, &text);
    buffer_printf(&text, "\n%.*s からのお知らせです。\n\n%s\n", TEXT_ARG(alert->hostname),
                  kinds[alert->kind].said_ja);
    next_add(kinds[alert->kind].next_ja, minutes, &text);
    base64_add_lines(out, buffer_text(&text), true);
    buffer_free(&text);
}
