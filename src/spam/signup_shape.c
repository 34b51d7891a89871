/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Words in folded form, looked for in the Subject and in the first bytes of the text. */
#include "spam/signup_shape.h"

#include "rules/literal_table.h"

enum { VISIBLE_MOST = 4096 };

/* In the Subject each of these is enough; in the text two of them are. */
static const char *const signup_words[] = {
    "welcome to", "welcome,", "thank you for registering", "thanks for registering",
    "thank you for signing up", "thanks for signing up", "thanks for joining", "thank you for joining",
    "thank you for subscribing", "thanks for subscribing", "confirm your email", "confirm your e-mail",
    "confirm your subscription", "confirm subscription", "confirm your registration", "confirm your account",
    "verify your email", "verify your e-mail", "email verification", "email confirmation",
    "activate your account", "account activation", "please confirm", "complete your registration",
    "subscription confirmation", "confirmation required", "your new account", "account has been created",
    "newsletter sign", "subscribed to", "request to join", "invited to", "get started with", "one more step",
    "opt-in",
    /* other languages that such floods come in */
    "bestätig", "willkommen", "registrierung", "confirmez", "bienvenue", "inscription", "confirma tu",
    "confirme su", "bienvenid", "suscripción", "conferma", "benvenut", "iscrizione", "confirme seu",
    "bem-vind", "bevestig", "welkom", "подтвердите", "добро пожаловать", "регистрац", "potwierd", "witamy",
    "确认您的", "欢迎", "註冊", "驗證您的", "가입", "환영",
    /* Japanese */
    "ようこそ", "仮登録", "本登録", "会員登録", "ご登録ありがとう", "登録ありがとう", "登録いただき",
    "登録完了", "登録が完了", "登録のご案内", "登録のお知らせ", "登録手続き", "登録確認", "登録のご確認",
    "メールアドレスの確認", "メールアドレス確認", "メールアドレスのご確認", "メール認証", "認証用url",
    "アカウントの有効化", "アカウントを有効", "アカウント登録", "アカウント作成", "新規登録", "購読の確認",
    "購読登録", "購読ありがとう", "メルマガ登録", "メールマガジン登録", "メールマガジンの登録", "ご入会",
    "入会手続き", "アドレスを確認してください", NULL
};

/* What a fraud would be told of by: such a Subject is none of a sign-up. */
static const char *const other_words[] = {
    "order",      "purchase",   "payment",      "invoice",     "receipt",     "transfer",   "withdraw",
    "deposit",    "bank",       "card",         "balance",     "transaction", "shipped",    "shipping",
    "delivery",   "delivered",  "booking",      "reservation", "refund",      "password",   "passcode",
    "one-time",   "security",   "sign-in",      "signin",      "sign in",     "login",      "log-in",
    "suspicious", "alert",      "code",         "two-factor",  "2fa",         "ご注文",     "注文",
    "ご購入",     "購入",       "お支払",       "支払",        "ご請求",      "請求",       "領収",
    "振込",       "振替",       "送金",         "入金",        "出金",        "引き落とし", "銀行",
    "口座",       "カード",     "残高",         "取引",        "ご利用",      "発送",       "配送",
    "配達",       "お届け",     "予約",         "返金",        "パスワード",  "暗証",       "認証コード",
    "確認コード", "ワンタイム", "セキュリティ", "ログイン",    "サインイン",  "不正",       "警告",
    NULL
};

enum { OTHER = 1000 }; /* the value of words that stand for something else; below: the number of the word */

/* Made at the first use. */
static const struct literal_table *word_table(void)
{
    static struct literal_table *table;
    if (table) return table;
    table = literal_table_new();
    for (uint32_t i = 0; signup_words[i]; i++) literal_table_add(table, text_of(signup_words[i]), i);
    for (uint32_t i = 0; other_words[i]; i++) literal_table_add(table, text_of(other_words[i]), OTHER);
    return table;
}

struct words_found {
    bool has_signup, has_two, has_other; /* two: different ones */
};

static struct words_found words_find(struct text text)
{
    struct words_found found = { 0 };
    struct literal_walk walk = { .table = word_table(), .text = text };
    for (uint32_t first = OTHER; literal_table_next(&walk);) {
        bool is_other = walk.value == OTHER;
        found.has_other |= is_other;
        found.has_two |= !is_other && found.has_signup && walk.value != first;
        if (!is_other && !found.has_signup) first = walk.value;
        found.has_signup |= !is_other;
    }
    return found;
}

static bool has_field(const struct header *header, struct text name)
{
    return header_find_name(header, name) != NULL;
}

/* Programs say so, or write in a name that nobody answers. */
static bool is_by_program(const struct header *header)
{
    static const char *const names[] = { "noreply",      "no-reply",   "no_reply",     "donotreply",
                                         "do-not-reply", "newsletter", "notification", "-bounces@",
                                         "-request@",    "mailer@" };
    const struct header_field *automatic = header_find_name(header, TEXT("Auto-Submitted"));
    const struct header_field *from = header_find(header, HEADER_FROM);
    if (automatic && !text_starts_nocase(text_trim(automatic->value), TEXT("no"))) return true;
    if (has_field(header, TEXT("List-Unsubscribe")) || has_field(header, TEXT("List-Id")) ||
        has_field(header, TEXT("Precedence")) || has_field(header, TEXT("Feedback-ID")) ||
        has_field(header, TEXT("X-Auto-Response-Suppress")))
        return true;
    for (size_t i = 0; from && i < sizeof names / sizeof *names; i++)
        if (text_find_nocase(from->value, text_of(names[i])) < from->value.length) return true;
    return false;
}

bool signup_shape_has(const struct header *header, struct text subject, struct text visible)
{
    if (!is_by_program(header)) return false;
    struct words_found found = words_find(subject);
    if (found.has_other || found.has_signup) return !found.has_other;
    return words_find(text_slice(visible, 0, VISIBLE_MOST)).has_two;
}
