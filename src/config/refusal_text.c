/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The texts of refusals. A new kind is a member of enum refusal_kind, a row here and two in the schema. */
#include "config/refusal_text.h"

static const char *const own_texts[REFUSAL_KINDS][2] = {
    [REFUSAL_VIRUS] = { "Your message was not delivered because a virus was found in it. Have your computer "
                        "checked "
                        "and send the message without it.",
                        "ウイルスが見つかったため、このメールは届いていません。端末を検査し、取り除いて送り直"
                        "してください。" },
    [REFUSAL_SPAM] = { "Your message was not delivered because it looks like spam. If it is none, tell us.",
                       "迷惑メールと判断したため、このメールは届いていません。心当たりがなければお知らせくだ"
                       "さい。" },
    [REFUSAL_ATTACHMENT] = { "Your message was not delivered because an attachment could not be checked. "
                             "Send it in "
                             "another form, or another way.",
                             "添付ファイルを検査できないため、このメールは届いていません。形式を変えるか、別"
                             "の方法で送ってください。" },
    [REFUSAL_POLICY] = { "Your message was not delivered because this organisation does not take it from "
                         "where it was "
                         "sent.",
                         "この組織では受け取らない送り方のため、このメールは届いていません。" },
    [REFUSAL_SIZE] = { "Your message was not delivered because it is too large. Make it smaller, or send "
                       "large files "
                       "another way.",
                       "大きすぎるため、このメールは届いていません。小さくするか、大きなファイルは別の方法で"
                       "送ってください。" },
    [REFUSAL_DMARC] = { "Your message was not delivered because it does not prove to come from the domain of "
                        "its sender's address. Send it through that organisation's mail servers.",
                        "差出人アドレスのドメインから送られたと確かめられないため、このメールは届いていません"
                        "。"
                        "その組織のメールサーバーから送ってください。" },
};

static bool has_help(const struct config *config)
{
    return config->help.mailbox.length > 0 || config->help.page.length > 0;
}

struct text refusal_text(const struct config *config, enum refusal_kind kind, enum language language)
{
    struct text set =
        language == LANGUAGE_JA ? config->refusal.japanese[kind] : config->refusal.english[kind];
    if (set.length || kind == REFUSAL_NONE || !has_help(config)) return set;
    return text_of(own_texts[kind][language]);
}

struct text refusal_text_help(struct arena *arena, const struct config *config)
{
    struct text mailbox = config->help.mailbox, page = config->help.page;
    return arena_printf(arena, "%.*s%s%.*s", TEXT_ARG(mailbox), mailbox.length && page.length ? " " : "",
                        TEXT_ARG(page));
}

static void line_add(const char *before, struct text text, struct buffer *out)
{
    if (text.length) buffer_printf(out, "%s%s%.*s", buffer_length(out) ? "\n" : "", before, TEXT_ARG(text));
}

void refusal_text_add(const struct config *config, enum refusal_kind kind, bool is_utf8, struct buffer *out)
{
    struct arena *arena = arena_new(0);
    if (kind != REFUSAL_NONE) {
        line_add("", refusal_text(config, kind, LANGUAGE_EN), out);
        if (is_utf8) line_add("", refusal_text(config, kind, LANGUAGE_JA), out);
        line_add("Help: ", refusal_text_help(arena, config), out);
    }
    arena_free(arena);
}
