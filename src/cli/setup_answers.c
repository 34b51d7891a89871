/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Checks answers as the configuration's parser would, in words for whoever meets the program for the first
   time. Called by setup.c. */
#include "cli/setup_answers.h"

#include <inttypes.h>

#include "config/encoding.h"
#include "config/lookalike.h"
#include "config/value.h"
#include "dns/dns_name.h"
#include "statistics/words.h"

/* --- what every answer may be wrong in --- */

static bool complain(const struct setup_answers *answers, struct buffer *out, const char *english)
{
    buffer_add_text(out, text_of(words_say(answers->language, english)));
    return false;
}

/* `english` has one %.*s for the word. */
static bool complain_of(const struct setup_answers *answers, struct buffer *out, const char *english,
                        struct text word)
{
    buffer_printf(out, words_say(answers->language, english), TEXT_ARG(word));
    return false;
}

static bool complain_lookalike(const struct setup_answers *answers, const struct lookalike *alike,
                               struct buffer *out)
{
    if (answers->language == LANGUAGE_JA && alike->ascii)
        buffer_printf(out, "全角などの「%.*s」(U+%04" PRIX32 ") は使えません。半角の「%c」にしてください",
                      TEXT_ARG(alike->character), alike->code, alike->ascii);
    else if (answers->language == LANGUAGE_JA)
        buffer_printf(out, "見えない文字 (U+%04" PRIX32 ") が入っています。消してください", alike->code);
    else
        lookalike_print(alike, out);
    return false;
}

static bool has_control(struct text word)
{
    for (size_t i = 0; i < word.length; i++)
        if (((unsigned char)word.at[i] < ' ' && word.at[i] != '\t') || word.at[i] == 0x7f) return true;
    return false;
}

/* ASCII, all of which can be seen. */
static bool is_plain(const struct setup_answers *answers, struct text word, struct buffer *out)
{
    size_t offset;
    struct lookalike alike;
    const struct encoding *encoding = encoding_guess(word, &offset);
    if (encoding)
        return complain_of(answers, out, N_("it is written in %.*s, not in UTF-8"), text_of(encoding->name));
    if (has_control(word)) return complain(answers, out, N_("a control character stands in it"));
    for (size_t i = 0; i < word.length; i++) {
        if (lookalike_find(text_slice(word, i, word.length), &alike))
            return complain_lookalike(answers, &alike, out);
        if ((unsigned char)word.at[i] >= 0x80)
            return complain_of(answers, out,
                               N_("%.*s is not in ASCII; of a name in another script write the xn-- form"),
                               word);
    }
    return true;
}

/* A name in the DNS with at least two labels. */
static bool is_full_name(const struct setup_answers *answers, struct text name, struct buffer *out)
{
    struct address address;
    const char *wrong = NULL;
    if (text_find_char(name, '@') < name.length)
        wrong = N_("%.*s is a mail address; what is wanted is a name such as example.jp");
    else if (address_parse(name, &address))
        wrong = N_("%.*s is an address; what is wanted is a name");
    else if (!value_is_host_name(name))
        wrong = N_("%.*s is no name: it is made of letters, digits and hyphens, with dots between");
    else if (text_find_char(name, '.') == name.length)
        wrong = N_("%.*s has no dot: the full name is wanted, as mx.example.jp");
    return wrong ? complain_of(answers, out, wrong, name) : true;
}

/* --- one question each --- */

static bool language_take(struct setup_answers *answers, struct text word, struct buffer *out)
{
    static const struct {
        const char *word;
        enum language language;
    } words[] = { { "ja", LANGUAGE_JA },      { "en", LANGUAGE_EN },       { "日本語", LANGUAGE_JA },
                  { "english", LANGUAGE_EN }, { "japanese", LANGUAGE_JA }, { "英語", LANGUAGE_EN } };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (text_equal_nocase(word, text_of(words[i].word))) {
            answers->language = words[i].language;
            return true;
        }
    return is_plain(answers, word, out) &&
           complain_of(answers, out, N_("en or ja is wanted, not %.*s"), word);
}

static bool hostname_take(struct setup_answers *answers, struct text word, struct buffer *out)
{
    word = dns_name_without_root(word);
    if (!is_plain(answers, word, out) || !is_full_name(answers, word, out)) return false;
    answers->hostname = arena_text(answers->arena, word);
    return true;
}

static bool has_domain(const struct setup_answers *answers, size_t count, struct text name)
{
    for (size_t i = 0; i < count; i++)
        if (text_equal(answers->domains[i], name)) return true;
    return false;
}

static bool is_between(char c)
{
    return char_is_blank(c) || c == ',';
}

static struct text next_name(struct text *rest)
{
    size_t start = 0, end;
    while (start < rest->length && is_between(rest->at[start])) start++;
    for (end = start; end < rest->length && !is_between(rest->at[end]);) end++;
    struct text name = text_slice(*rest, start, end);
    *rest = text_slice(*rest, end, rest->length);
    return name;
}

static bool domains_take(struct setup_answers *answers, struct text word, struct buffer *out)
{
    size_t count = answers->domain_count, named = 0;
    if (!is_plain(answers, word, out)) return false;
    for (struct text name; (name = dns_name_without_root(next_name(&word))).length > 0; named++) {
        if (!is_full_name(answers, name, out)) return false;
        name = arena_text_lower(answers->arena, name);
        if (has_domain(answers, count, name)) continue;
        if (count == SETUP_DOMAINS_MOST)
            return complain_of(answers, out, N_("%.*s is one domain too many; the file may have more"), name);
        answers->domains[count++] = name;
    }
    if (named == 0) return complain(answers, out, N_("a domain is wanted, as example.jp"));
    answers->domain_count = count;
    return true;
}

/* An address or a name, with or without a port, as a domain's servers are written. */
static bool is_server(struct text word)
{
    struct endpoint endpoint;
    uint64_t port;
    size_t colon = text_find_char(word, ':');
    if (value_endpoint_parse(word, 25, &endpoint)) return !address_is_no_host(&endpoint.address);
    if (colon < word.length &&
        (!text_to_number(text_slice(word, colon + 1, word.length), 65535, &port) || port == 0))
        return false;
    return value_is_host_name(text_slice(word, 0, colon)) && !text_equal(word, TEXT("mx"));
}

static bool inside_take(struct setup_answers *answers, struct text word, struct buffer *out)
{
    if (!is_plain(answers, word, out)) return false;
    if (!is_server(word))
        return complain_of(answers, out,
                           N_("%.*s is no server; what is wanted is one such as 10.1.0.25, 10.1.0.25:2525 or "
                              "mail.example.jp"),
                           word);
    answers->inside = arena_text(answers->arena, word);
    return true;
}

static bool admin_take(struct setup_answers *answers, struct text word, struct buffer *out)
{
    size_t at = text_find_last_char(word, '@');
    if (!is_plain(answers, word, out)) return false;
    if (at < word.length && !is_full_name(answers, text_slice(word, at + 1, word.length), out)) return false;
    if (!value_is_mailbox(word))
        return complain_of(answers, out, N_("%.*s is no mail address, as postmaster@example.jp is"), word);
    answers->admin = arena_text(answers->arena, word);
    return true;
}

static const struct {
    const char *option;
    bool (*take)(struct setup_answers *answers, struct text word, struct buffer *out);
} questions[SETUP_QUESTIONS] = {
    [SETUP_LANGUAGE] = { "language", language_take }, [SETUP_HOSTNAME] = { "hostname", hostname_take },
    [SETUP_DOMAINS] = { "domain", domains_take },     [SETUP_INSIDE] = { "inside", inside_take },
    [SETUP_ADMIN] = { "admin", admin_take },
};

const char *setup_question_option(enum setup_question question)
{
    return questions[question].option;
}

bool setup_answer_take(struct setup_answers *answers, enum setup_question question, struct text word,
                       struct buffer *complaint)
{
    word = text_trim(word);
    if (word.length == 0) return complain(answers, complaint, N_("an answer is wanted"));
    if (word.length > SETUP_ANSWER_MOST) return complain(answers, complaint, N_("it is too long"));
    if (!questions[question].take(answers, word, complaint)) return false;
    return answers->has[question] = true;
}

/* Of mx.example.jp; example.jp itself is a domain as it is. */
static struct text domain_of(struct text hostname)
{
    struct text parent = text_slice(hostname, text_find_char(hostname, '.') + 1, hostname.length);
    return text_find_char(parent, '.') < parent.length ? parent : hostname;
}

struct text setup_answer_offer(const struct setup_answers *answers, enum setup_question question,
                               struct text hostname)
{
    switch (question) {
    case SETUP_LANGUAGE:
        return answers->language == LANGUAGE_JA ? TEXT("ja") : TEXT("en");
    case SETUP_HOSTNAME:
        return hostname;
    case SETUP_DOMAINS:
        return domain_of(answers->hostname);
    case SETUP_ADMIN:
        if (answers->domain_count == 0) return TEXT_NONE;
        return arena_printf(answers->arena, "postmaster@%.*s", TEXT_ARG(answers->domains[0]));
    default:
        return TEXT_NONE;
    }
}
