/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "spam/message_facts.h"

#include <stdio.h>

#include "auth/from_domains.h"
#include "auth/public_suffix.h"
#include "mail/encoded_word.h"
#include "spam/brands.h"
#include "spam/free_mail.h"
#include "spam/header_facts.h"
#include "spam/link_host.h"
#include "spam/link_shape.h"
#include "spam/phrases.h"
#include "spam/text_fold.h"

struct look {
    struct features *features;
    const struct mime *mime;
    const struct message_text *text;
    struct from_domains from;
    struct text own; /* the organisation's domain that From names; empty: none */
    bool is_free_mail;
};

static void fact(struct look *look, const char *name, bool is_so)
{
    if (is_so) features_add_fact(look->features, name, TEXT_NONE);
}

/* No model learns it. */
static void rule_fact(struct look *look, const char *name, bool is_so)
{
    if (is_so) features_note_fact(look->features, name, TEXT_NONE);
}

static void fact_of(struct look *look, const char *name, struct text value)
{
    features_add_fact(look->features, name, value);
}

/* By powers of two: 0, 1, 2, 4, 8 … */
static void fact_count(struct look *look, const char *name, uint64_t count)
{
    char room[24];
    uint64_t step = 1;
    while (step * 2 <= count) step *= 2;
    fact_of(
        look, name,
        text_from(room, (size_t)snprintf(room, sizeof room, "%llu", (unsigned long long)(count ? step : 0))));
}

static struct text organization(struct text host)
{
    struct text found = public_suffix_organization(public_suffix_builtin(), host);
    return found.length ? found : host;
}

static struct text top_of(struct text host)
{
    size_t dot = text_find_last_char(host, '.');
    return dot < host.length ? text_slice(host, dot + 1, host.length) : TEXT_NONE;
}

static unsigned digits_in(struct text text)
{
    unsigned count = 0;
    for (size_t i = 0; i < text.length; i++) count += char_is_digit(text.at[i]);
    return count;
}

static bool is_among(struct text word, const char *const *words)
{
    if (word.length == 0) return false;
    while (*words && (**words != word.at[0] || !text_equal(word, text_of(*words)))) words++;
    return *words != NULL;
}

/* --- who wrote --- */

/* A word of the name, or how it begins, stands in the address: "Mori Hanako <h.mori@…>". */
static bool is_like_address(struct text name, struct text address)
{
    enum { WORD_LEAST = 3, WORD_SEEN = 4 };
    bool has_word = false;
    for (size_t at = 0; at < name.length;) {
        size_t from = at;
        while (at < name.length && char_is_alpha(name.at[at])) at++;
        struct text word = text_slice(name, from, at - from > WORD_SEEN ? from + WORD_SEEN : at);
        has_word |= word.length >= WORD_LEAST;
        if (word.length >= WORD_LEAST && text_find_nocase(address, word) < address.length) return true;
        at += at == from;
    }
    return !has_word;
}

/* One of the list, or a large provider's name in another country: "outlook.fr". */
static bool is_free(struct text domain)
{
    static const char *const providers[] = { "yahoo", "hotmail", "outlook", "live", "gmx", "yandex", NULL };
    return free_mail_is_of_model(domain) ||
           (text_equal(organization(domain), domain) &&
            is_among(text_slice(domain, 0, text_find_char(domain, '.')), providers));
}

/* "info@", "no-reply@": nobody's own address. */
static bool is_role(struct text local)
{
    static const char *const roles[] = {
        "noreply",      "no-reply",  "no_reply",   "donotreply",    "do-not-reply", "info",
        "support",      "admin",     "contact",    "service",       "news",         "mail",
        "team",         "sales",     "hello",      "notif",         "alert",        "security",
        "account",      "help",      "billing",    "office",        "update",       "customer",
        "market",       "webmaster", "postmaster", "nao-respond",   "naorespond",   "noresponder",
        "no-responder", "ne-pas",    "nepas",      "atendimento",   "contato",      "contacto",
        "suporte",      "soporte",   "servicio",   "servico",       "aviso",        "comunicado",
        "financeiro",   "cliente",   "kontakt",    "kundenservice", "welcome",      "promo",
        "order",        "invoice",   "reward",     "verif",         "confirm",      NULL
    };
    for (const char *const *role = roles; *role; role++)
        if (text_starts_nocase(local, text_of(*role))) return true;
    return false;
}

/* What the display name says it is: a brand, and with marks that no person has in his name. */
static void name_look(struct look *look, struct text from)
{
    struct fold_counts counts = { 0 };
    struct arena *arena = look->features->arena;
    struct text shown =
        word_decode_in(arena, text_slice(text_trim(from), 0, 2000), look->mime->declared, NULL);
    shown = text_slice(shown, 0, text_find_last_char(shown, '<'));
    struct buffer folded = { 0 };
    text_fold(text_slice(shown, 0, 400), &folded, &counts);
    struct text name = buffer_text(&folded);
    unsigned marks = 0;
    for (size_t i = 0; i < name.length; i++) marks += strchr("_#=|*~^!", name.at[i]) != NULL;
    fact(look, "name-claims-brand", brands_are_claimed(name, look->own));
    fact(look, "name-marks", marks > 0);
    fact(look, "name-digits", digits_in(name) >= 4);
    rule_fact(look, "name-disguised", counts.gaps + counts.look_alikes > 0);
    rule_fact(look, "name-unlike-address", !is_like_address(name, look->from.address));
    buffer_free(&folded);
    fact(look, "subject-claims-brand", brands_are_claimed(look->text->subject_folded, look->own));
    fact(look, "text-claims-brand", brands_are_claimed(text_slice(look->text->visible, 0, 200), look->own));
}

/* The longest run of consonants in a name, as random ones have it. */
static unsigned consonants_of(struct text name)
{
    unsigned run = 0, longest = 0;
    for (size_t i = 0; i < name.length && name.at[i] != '.'; i++) {
        bool is_vowel = strchr("aeiouy-", name.at[i]) != NULL;
        run = is_vowel ? 0 : run + 1;
        if (run > longest) longest = run;
    }
    return longest;
}

static void author_look(struct look *look, const struct header *header)
{
    const struct header_field *from = header_find(header, HEADER_FROM),
                              *reply = header_find(header, HEADER_REPLY_TO);
    struct from_domains answers = { 0 };
    struct text domain = look->from.count ? look->from.domains[0] : TEXT_NONE;
    struct text local = text_slice(look->from.address, 0, text_find_last_char(look->from.address, '@'));
    look->own = organization(domain);
    for (int oddity = 0; oddity < FROM_ODDITY_COUNT; oddity++)
        if (from_has(&look->from, (enum from_oddity)oddity))
            fact_of(look, "from", text_of(from_oddity_name(oddity)));
    fact_of(look, "from-top", top_of(domain));
    look->is_free_mail = free_mail_is_of_model(domain);
    fact(look, "from-free-mail", look->is_free_mail);
    fact(look, "from-no-name",
         from && text_find_char(text_trim(from->value), ' ') >= text_trim(from->value).length);
    fact(look, "from-name-is-address",
         from && text_find(from->value, TEXT("@")) < text_find(from->value, TEXT("<")) &&
             text_find(from->value, TEXT("<")) < from->value.length);
    fact(look, "from-digits-local", digits_in(local) >= 4);
    fact(look, "from-digits-domain", digits_in(domain) >= 2);
    fact(look, "from-long-local", local.length > 24);
    fact(look, "from-deep-domain", domain.length > look->own.length + 12);
    if (from) name_look(look, from->value);
    rule_fact(look, "from-role", is_role(local));
    rule_fact(look, "from-lends-brand", brands_are_lent(domain, look->own));
    fact(look, "from-no-vowels", consonants_of(look->own) >= 5);
    if (!reply) return;
    from_domains_add(look->features->arena, reply->value, &answers);
    struct text other = answers.count ? answers.domains[0] : TEXT_NONE;
    fact(look, "reply-elsewhere", other.length > 0 && !text_equal(organization(other), look->own));
    fact(look, "reply-free-mail", free_mail_is_of_model(other) && !free_mail_is_of_model(domain));
    rule_fact(look, "reply-free-other",
              is_free(other) && !text_equal_nocase(answers.address, look->from.address));
}

/* --- header --- */

static void header_look(struct look *look, const struct header *header)
{
    const struct header_field *id = header_find(header, HEADER_MESSAGE_ID),
                              *to = header_find(header, HEADER_TO);
    bool is_thread = header_find(header, HEADER_IN_REPLY_TO) || header_find(header, HEADER_REFERENCES);
    struct text folded = look->text->subject_folded;
    bool is_answer = text_starts(folded, TEXT("re:")) || text_starts(folded, TEXT("re :"));
    fact(look, "answer-in-thread", is_answer && is_thread);
    fact(look, "answer-alone", is_answer && !is_thread);
    fact(look, "id-of-author",
         id && look->own.length && text_find_nocase(id->value, look->own) < id->value.length);
    fact(look, "to-nobody",
         !to || text_trim(to->value).length == 0 ||
             text_find_nocase(to->value, TEXT("undisclosed")) < to->value.length);
    fact(look, "to-is-author",
         to && look->from.address.length &&
             text_find_nocase(to->value, look->from.address) < to->value.length);
}

static void subject_look(struct look *look)
{
    struct text subject = look->text->subject;
    unsigned letters = 0, capitals = 0, marks = 0, wide = 0, money = 0;
    for (size_t i = 0; i < subject.length; i++) {
        char c = subject.at[i];
        letters += char_is_alpha(c);
        capitals += c >= 'A' && c <= 'Z';
        marks += c == '!' || c == '?';
        money += c == '$' || c == '%';
        wide += (unsigned char)c == 0xF0; /* a picture, as a character */
    }
    fact(look, "subject-shouts", letters > 8 && capitals * 10 > letters * 8);
    fact(look, "subject-mark", marks == 1);
    fact(look, "subject-marks", marks > 1);
    fact(look, "subject-money", money > 0);
    fact(look, "subject-emoji", wide > 0);
    fact(look, "subject-number", digits_in(subject) >= 5);
    fact(look, "subject-brackets", text_starts(subject, TEXT("[")) || text_starts(subject, TEXT("【")));
    fact(look, "subject-patch", text_starts(look->text->subject_folded, TEXT("[patch")));
}

/* --- body --- */

/* How lines of a plain text begin, but for the first. */
struct line_starts {
    bool is_signed, is_quoting, is_diff;
};

static struct line_starts line_starts_read(struct text plain)
{
    struct line_starts found = { 0 };
    for (size_t at; (at = text_find_char(plain, '\n')) < plain.length;) {
        plain = text_slice(plain, at + 1, plain.length);
        found.is_signed = found.is_signed || text_starts(plain, TEXT("-- "));
        found.is_quoting = found.is_quoting || text_starts(plain, TEXT("> "));
        found.is_diff =
            found.is_diff || text_starts(plain, TEXT("@@ -")) || text_starts(plain, TEXT("diff -"));
    }
    return found;
}

static void body_look(struct look *look)
{
    const struct message_text *text = look->text;
    const struct markup *markup = &text->markup;
    struct text visible = text->visible, plain = buffer_text(&text->plain);
    const struct line_starts starts = line_starts_read(plain);
    size_t hidden = buffer_length(&markup->hidden);
    unsigned marks = 0;
    for (size_t i = 0; i < visible.length; i++) marks += visible.at[i] == '!';
    fact(look, "html-alone", text->html_parts && !text->plain_parts);
    fact(look, "html", text->html_parts > 0);
    fact(look, "html-bare", text->html_parts > 0 && !markup->is_whole);
    fact(look, "html-as-plain", text->html_as_plain);
    fact(look, "huge-fonts", markup->huge_fonts > 0);
    fact(look, "old-fonts", markup->fonts > 2);
    fact(look, "frames", markup->frames > 0);
    fact_count(look, "length", visible.length);
    fact_count(look, "longest-line", text->longest_line);
    fact_count(look, "links", markup->link_count);
    fact_count(look, "pictures", markup->pictures);
    fact(look, "tiny-pictures", markup->tiny_pictures > 0);
    fact(look, "picture-alone", markup->pictures > 0 && visible.length < 200);
    fact(look, "hidden-text", hidden > 40);
    fact(look, "hidden-mostly", hidden > visible.length / 2 && hidden > 40);
    fact(look, "hidden-much", markup->hidden_elements > 3);
    fact(look, "split-words", markup->split_words > 2);
    rule_fact(look, "pushed-down", markup->pushes > 0);
    fact(look, "gaps", text->counts.gaps > 2);
    fact(look, "gaps-many", text->counts.gaps > 30);
    fact(look, "wide-forms", text->counts.wide_forms > 5);
    fact(look, "look-alikes", text->counts.look_alikes > 0);
    fact(look, "form", markup->link_count && markup->links[0].kind == MARKUP_FORM);
    fact(look, "password-field", markup->passwords > 0);
    fact(look, "script", markup->scripts > 0);
    fact(look, "entities", markup->entities > 40 && markup->entities * 8 > visible.length);
    fact(look, "shouts", marks > 3 && marks * 150 > visible.length);
    fact(look, "signature-dash", starts.is_signed);
    fact(look, "quotes", starts.is_quoting);
    fact(look, "diff", starts.is_diff);
    fact(look, "unlike-parts", plain.length > 20 && buffer_length(&markup->text) > plain.length * 6);
}

static void parts_look(struct look *look)
{
    unsigned files = 0;
    for (size_t i = 0; i < look->mime->count; i++) {
        const struct mime_part *part = &look->mime->parts[i];
        if (!mime_part_is_file(part)) continue;
        files++;
        size_t dot = text_find_last_char(part->name, '.');
        if (dot < part->name.length && part->name.length - dot <= 6)
            fact_of(
                look, "file",
                arena_text_lower(look->features->arena, text_slice(part->name, dot + 1, part->name.length)));
    }
    fact_count(look, "files", files);
}

/* --- links --- */

static const char *const shorteners[] = { "bit.ly",     "t.co",    "tinyurl.com", "goo.gl",      "is.gd",
                                          "ow.ly",      "cutt.ly", "rb.gy",       "s.id",        "t.ly",
                                          "buff.ly",    "x.gd",    "v.gd",        "qr.ae",       "lnkd.in",
                                          "rebrand.ly", "t.me",    "wa.me",       "shorturl.at", "urlz.fr",
                                          NULL };
static const char *const open_hosts[] = {
    "weebly.com",      "wixsite.com",   "blogspot.com",      "github.io",   "web.app",
    "firebaseapp.com", "pages.dev",     "workers.dev",       "r2.dev",      "netlify.app",
    "vercel.app",      "herokuapp.com", "azurewebsites.net", "windows.net", "amazonaws.com",
    "googleapis.com",  "duckdns.org",   "glitch.me",         "repl.co",     "webflow.io",
    "myshopify.com",   "ipfs.io",       "dweb.link",         "framer.app",  NULL
};

enum { HOMES = 4 };

/* A host, and how much of its end is its organisation's domain. */
struct link_home {
    char host[LINK_HOST_MOST];
    size_t length, home_length;
};

struct link_counts {
    unsigned all, own, foreign_shown, others; /* others: of another organisation than the first */
    unsigned seconds, other_targets;          /* of the second link's organisation; than the first link's */
    char first[LINK_HOST_MOST + 1], second[LINK_HOST_MOST + 1];
    struct text target;            /* the first link's */
    bool names_own;                /* a link has the name of the author's domain in its host or path */
    char last[LINK_HOST_MOST + 1]; /* whose words were looked at last */
    struct link_home homes[HOMES]; /* those that were asked for last, in a ring */
    unsigned asked;                /* how many were */
};

/* The host's organisation: many links lead to few hosts. */
static struct text home_of(struct link_counts *counts, struct text host)
{
    for (unsigned i = 0; i < HOMES; i++)
        if (text_equal(host, text_from(counts->homes[i].host, counts->homes[i].length)))
            return text_slice(host, host.length - counts->homes[i].home_length, host.length);
    struct text home = organization(host);
    struct link_home *asked = &counts->homes[counts->asked++ % HOMES];
    *asked = (struct link_home){ .length = host.length, .home_length = home.length };
    memcpy(asked->host, host.at, host.length);
    return home;
}

/* Of links that can be clicked: how they stand to the first and the second. */
static void order_look(struct link_counts *counts, struct text home, struct text target)
{
    if (counts->all == 1) snprintf(counts->first, sizeof counts->first, "%.*s", TEXT_ARG(home));
    if (counts->all == 1) counts->target = target;
    if (counts->all == 2) snprintf(counts->second, sizeof counts->second, "%.*s", TEXT_ARG(home));
    counts->others += !text_equal(home, text_of(counts->first));
    counts->seconds += counts->all > 1 && text_equal(home, text_of(counts->second));
    counts->other_targets += !text_equal(target, counts->target);
}

/* The first link leads alone where it leads, and most of the others to one other place: as in somebody's
   newsletter of which one link was changed. */
static bool is_first_apart(const struct link_counts *counts)
{
    enum { LINKS_LEAST = 5 };
    return counts->all >= LINKS_LEAST && counts->others == counts->all - 1 &&
           counts->seconds * 5 >= counts->others * 3;
}

static void shown_look(struct look *look, const struct markup_link *link, struct text home,
                       struct link_counts *counts)
{
    struct link_host shown;
    size_t blank = text_find_char(link->shown, ' ');
    link_host_read(text_slice(link->shown, 0, blank), true, &shown);
    if (!shown.host[0] || blank < link->shown.length) return;
    bool is_same = text_equal(home_of(counts, text_of(shown.host)), home);
    fact(look, "link-shows-another", !is_same);
    counts->foreign_shown += !is_same;
}

/* The name of the author's domain stands there in small letters: "harbour" of harbour.example. */
static bool is_naming(const struct look *look, struct text text)
{
    enum { NAME_LEAST = 3 };
    struct text name = text_slice(look->own, 0, text_find_char(look->own, '.'));
    return name.length >= NAME_LEAST && text_find(text, name) < text.length;
}

static void link_look(struct look *look, const struct markup_link *link, struct link_counts *counts)
{
    struct link_host target;
    link_host_read(link->target, false, &target);
    struct text host = text_of(target.host), home = home_of(counts, host);
    bool is_letter = link->kind == MARKUP_LINK && text_starts_nocase(link->target, TEXT("mailto:"));
    if (is_letter) features_add_link(look->features, TEXT_NONE, link->target, link->shown);
    if (host.length == 0) return;
    if (link->kind != MARKUP_PICTURE) features_add_link(look->features, host, link->target, link->shown);
    bool is_own = look->own.length > 0 && text_equal(home, look->own);
    counts->all += link->kind != MARKUP_PICTURE;
    counts->own += is_own && link->kind != MARKUP_PICTURE;
    if (link->kind == MARKUP_PICTURE)
        return; /* whence they are loaded tells nothing: newsletters do as junk does */
    order_look(counts, home, link->target);
    counts->names_own = counts->names_own || is_own || is_naming(look, link->target);
    unsigned dots = 0, hyphens = 0;
    for (size_t i = 0; i < host.length; i++) dots += host.at[i] == '.', hyphens += host.at[i] == '-';
    fact_of(look, "link-top", target.is_address ? TEXT("address") : top_of(host));
    fact(look, "link-address", target.is_address);
    fact(look, "link-punycode", target.is_punycode);
    fact(look, "link-port", target.has_port);
    fact(look, "link-user", target.has_user);
    fact(look, "link-plain-http", !target.is_https && link->kind == MARKUP_LINK);
    fact(look, "link-digits", !target.is_address && digits_in(host) >= 3);
    fact(look, "link-hyphens", hyphens >= 2);
    fact(look, "link-deep", dots >= 3 && !target.is_address);
    fact(look, "link-short", is_among(host, shorteners));
    fact(look, "link-open-host", is_among(home, open_hosts) || is_among(host, open_hosts));
    fact(look, "link-long", link->target.length > 200);
    fact(look, "link-address-inside",
         text_find_char(target.path, '@') < target.path.length ||
             text_find_nocase(target.path, TEXT("%40")) < target.path.length);
    fact(look, "link-onward", text_find(target.path, TEXT("http")) < target.path.length);
    fact(look, "link-naked", target.path.length <= 1);
    if (!text_equal(host, text_of(counts->last))) {
        rule_fact(look, "link-lends-brand", !is_own && brands_are_lent(host, home));
        snprintf(counts->last, sizeof counts->last, "%.*s", TEXT_ARG(host));
    }
    rule_fact(look, "link-coded-address", !is_own && link_has_coded_address(target.path));
    if (link->kind == MARKUP_LINK) shown_look(look, link, home, counts);
}

/* Links in a plain text, as programs make them clickable. */
static void plain_links_look(struct look *look, struct link_counts *counts)
{
    struct text rest = buffer_text(&look->text->plain);
    for (unsigned found = 0; found < MARKUP_LINKS_MOST; found++) {
        size_t at = text_find(rest, TEXT("://"));
        if (at == rest.length) return;
        size_t from = at, end = at;
        while (from > 0 && char_is_alpha(rest.at[from - 1])) from--;
        while (end < rest.length && (unsigned char)rest.at[end] > ' ' && !strchr("<>\")", rest.at[end]))
            end++;
        link_look(look, &(struct markup_link){ MARKUP_LINK, text_slice(rest, from, end), TEXT_NONE }, counts);
        rest = text_slice(rest, end > at + 3 ? end : at + 3, rest.length);
    }
    look->features->has_more_links = true;
}

static void links_look(struct look *look)
{
    struct link_counts counts = { 0 };
    const struct markup *markup = &look->text->markup;
    for (uint32_t i = 0; i < markup->link_count; i++) link_look(look, &markup->links[i], &counts);
    if (markup->link_count == look->text->found_links) plain_links_look(look, &counts);
    rule_fact(look, "links-one-host", counts.all > 0 && counts.others == 0);
    rule_fact(look, "links-one-target", counts.all > 1 && counts.other_targets == 0);
    rule_fact(look, "links-first-apart", is_first_apart(&counts));
    rule_fact(look, "author-unnamed",
              look->own.length > 0 && !counts.names_own && !is_naming(look, look->text->visible) &&
                  !is_naming(look, look->text->subject_folded));
    fact(look, "links-none-own", counts.all > 0 && counts.own == 0);
    fact(look, "links-all-own", counts.all > 0 && counts.own == counts.all);
    fact(look, "links-half-own", counts.all > 1 && counts.own * 2 >= counts.all && counts.own < counts.all);
}

void message_facts_add(struct features *features, const struct mime *mime, const struct message_text *text)
{
    const struct header *header = mime->parts[0].header;
    struct look look = { .features = features, .mime = mime, .text = text };
    from_domains_find(features->arena, header, &look.from);
    author_look(&look, header);
    header_look(&look, header);
    subject_look(&look);
    header_facts_add(features, &(struct header_look){ header, text->subject, look.own, look.is_free_mail });
    body_look(&look);
    parts_look(&look);
    links_look(&look);
    rule_fact(&look, "found-text", buffer_length(&text->found) > 0);
    rule_fact(&look, "found-links", text->found_links > 0);
    phrases_add(features, text->subject_folded, text->visible);
}

void message_features_add(struct features *features, const struct mime *mime, const struct message_text *text)
{
    features_add_text(features, FEATURE_BODY, text->visible);
    features_add_text(features, FEATURE_SUBJECT, text->subject_folded);
    message_facts_add(features, mime, text);
}
