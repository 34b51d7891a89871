/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "impostor/impostor_look.h"

#include "auth/public_suffix.h"
#include "config/hosted.h"
#include "impostor/returned_mail.h"
#include "impostor/shown_mailbox.h"
#include "mail/encoded_word.h"
#include "mail/envelope.h"
#include "spam/free_mail.h"
#include "spam/link_host.h"
#include "spam/text_fold.h"

struct looking {
    struct arena *arena;
    const struct impostor_source *source;
    const struct header *header;
    struct impostor_findings *out;
    struct shown_mailbox authors[SHOWN_MAILBOXES_MOST];
    uint32_t author_count;
};

static void found(struct looking *looking, enum impostor_kind kind, struct text about)
{
    struct impostor_finding *finding = &looking->out->of[kind];
    if (!finding->is_found) *finding = (struct impostor_finding){ .is_found = true, .about = about };
}

static bool is_ours(const struct looking *looking, struct text domain)
{
    return domain.length > 0 && config_is_ours(looking->source->config, domain);
}

/* The worst that is met stands. */
static void domain_look(struct looking *looking, enum impostor_kind kind, struct text domain)
{
    struct impostor_finding *finding = &looking->out->of[kind];
    struct text like;
    enum domain_likeness likeness = impostor_set_domain(looking->source->set, looking->arena, domain, &like);
    if (likeness <= finding->likeness) return;
    *finding = (struct impostor_finding){
        true, likeness, arena_printf(looking->arena, "%.*s: %.*s", TEXT_ARG(like), TEXT_ARG(domain))
    };
}

/* What From says counts once. */
static bool is_author_domain(const struct looking *looking, struct text domain)
{
    for (uint32_t i = 0; i < looking->author_count; i++)
        if (text_equal(looking->authors[i].domain, domain)) return true;
    return false;
}

static void sender_look(struct looking *looking)
{
    struct text domain = text_slice(envelope_domain_of(looking->source->sender), 0, 253);
    domain = arena_text_lower(looking->arena, domain);
    if (!is_author_domain(looking, domain)) domain_look(looking, IMPOSTOR_SENDER_ALIKE, domain);
}

/* --- From --- */

/* An address that the name spells: "boss@example.ac.jp" <x@evil.example>. Lists that write in the name of
   others say "via". */
static void spelled_look(struct looking *looking, const struct shown_mailbox *author)
{
    struct text name = text_slice(author->name, 0, 400);
    size_t at = text_find_char(name, '@'), end = at + 1;
    if (at == name.length || text_find_nocase(name, TEXT(" via ")) < name.length) return;
    while (end < name.length && (char_is_alpha(name.at[end]) || char_is_digit(name.at[end]) ||
                                 name.at[end] == '-' || name.at[end] == '.'))
        end++;
    struct text domain = arena_text_lower(looking->arena, text_slice(name, at + 1, end));
    while (text_ends(domain, TEXT("."))) domain.length--;
    if (is_ours(looking, domain))
        found(looking, IMPOSTOR_SHOWN_ADDRESS, name);
    else
        domain_look(looking, IMPOSTOR_FROM_ALIKE, domain);
}

static void author_look(struct looking *looking, const struct shown_mailbox *author)
{
    struct text name;
    if (is_ours(looking, author->domain)) {
        found(looking, IMPOSTOR_OWN_DOMAIN, author->domain);
        return;
    }
    if (impostor_set_person(looking->source->set, author->name, author->address, &name))
        found(looking, IMPOSTOR_PERSON, name);
    if (impostor_set_colleague(looking->source->set, looking->source->learned, looking->arena, author->name,
                               author->address))
        found(looking, IMPOSTOR_COLLEAGUE, author->name);
    domain_look(looking, IMPOSTOR_FROM_ALIKE, author->domain);
    spelled_look(looking, author);
}

/* Programs show the first From field or the last. */
static void authors_look(struct looking *looking, const struct header_field *from)
{
    const struct header_field *last = header_find_last(looking->header, HEADER_FROM);
    struct text declared = looking->source->mime->declared;
    struct shown_mailbox others[SHOWN_MAILBOXES_MOST];
    looking->author_count = shown_mailboxes_read(looking->arena, from->value, declared, looking->authors);
    for (uint32_t i = 0; i < looking->author_count; i++) author_look(looking, &looking->authors[i]);
    if (last == from) return;
    uint32_t count = shown_mailboxes_read(looking->arena, last->value, declared, others);
    for (uint32_t i = 0; i < count; i++) author_look(looking, &others[i]);
}

/* --- Reply-To --- */

static struct text organization_of(struct text host)
{
    struct text organization = public_suffix_organization(public_suffix_builtin(), host);
    return organization.length ? organization : host;
}

static void reply_look(struct looking *looking, const struct shown_mailbox *reply)
{
    const struct impostor_findings *out = looking->out;
    const struct shown_mailbox *author = &looking->authors[0];
    bool is_of_ours = out->of[IMPOSTOR_OWN_DOMAIN].is_found || out->of[IMPOSTOR_PERSON].is_found ||
                      out->of[IMPOSTOR_COLLEAGUE].is_found || out->of[IMPOSTOR_SHOWN_ADDRESS].is_found;
    if (!is_author_domain(looking, reply->domain)) domain_look(looking, IMPOSTOR_REPLY_ALIKE, reply->domain);
    if (looking->author_count == 0 || !free_mail_has(reply->domain)) return;
    if (text_equal_nocase(reply->address, author->address)) return;
    /* Our people may have answers sent to where the file says that they are. */
    if (is_of_ours && !impostor_set_has_address(looking->source->set, looking->arena, reply->address))
        found(looking, IMPOSTOR_REPLY_OF_OURS, reply->domain);
    else if (!is_of_ours && !free_mail_has(author->domain) &&
             !text_equal(organization_of(author->domain), organization_of(reply->domain)))
        found(looking, IMPOSTOR_REPLY_ELSEWHERE, reply->domain);
}

/* --- links --- */

static void links_look(struct looking *looking)
{
    struct text rest = looking->source->link_hosts, host, before = TEXT_NONE;
    for (int i = 0; i < IMPOSTOR_LINKS_MOST && text_next_line(&rest, &host); i++) {
        if (!text_equal(host, before)) domain_look(looking, IMPOSTOR_LINK_ALIKE, host);
        before = host;
    }
}

/* --- what this gateway writes itself --- */

static struct text page_host(struct looking *looking, struct text page)
{
    struct link_host *host = arena_alloc(looking->arena, sizeof *host);
    link_host_read(page, false, host);
    return text_of(host->host);
}

static bool has_line(struct text lines, struct text wanted)
{
    struct text line;
    while (text_next_line(&lines, &line))
        if (text_equal(line, wanted)) return true;
    return false;
}

/* A link shows the host of our page, and no link leads there. */
static bool shows_page(struct looking *looking, struct text page)
{
    const struct impostor_source *source = looking->source;
    struct text host = page_host(looking, page);
    if (host.length == 0 || text_find(source->link_texts, host) == source->link_texts.length) return false;
    return !has_line(source->link_hosts, host);
}

/* As report/notice.c and report/digest write it: "HOSTNAME Held messages: 3". */
static unsigned subject_marks(struct looking *looking)
{
    static const struct text words[] = { { "held messages: ", 15 }, { "保留メール ", 16 } };
    const struct header_field *field = header_find(looking->header, HEADER_SUBJECT);
    struct buffer folded = { 0 };
    unsigned marks = 0;
    if (!field) return 0;
    struct text raw = text_slice(text_trim(field->value), 0, 2000);
    text_fold(word_decode_in(looking->arena, raw, looking->source->mime->declared, NULL), &folded, NULL);
    struct text subject = buffer_text(&folded), host = looking->source->config->hostname;
    if (host.length > 0 && text_starts_nocase(subject, host)) {
        marks += 2;
        subject = text_slice(subject, host.length + 1, subject.length);
    }
    for (size_t i = 0; i < 2; i++) marks += text_starts(subject, words[i]);
    buffer_free(&folded);
    return marks;
}

static void notice_look(struct looking *looking)
{
    const struct config *config = looking->source->config;
    unsigned marks = subject_marks(looking);
    if (looking->author_count > 0) {
        marks += text_equal_nocase(looking->authors[0].name, TEXT("Sekimori"));
        marks += text_equal_nocase(looking->authors[0].name, TEXT("Mail Gateway"));
        marks += looking->out->of[IMPOSTOR_OWN_DOMAIN].is_found && marks > 0;
    }
    if (shows_page(looking, config->help.page) || shows_page(looking, config->digest.page)) marks += 2;
    if (marks >= 2) found(looking, IMPOSTOR_NOTICE, TEXT("like a digest, notice or page of this gateway"));
}

/* --- the message --- */

void impostor_look(struct arena *arena, const struct impostor_source *source, struct impostor_findings *out)
{
    struct looking looking = { .arena = arena, .source = source, .out = out };
    struct shown_mailbox replies[SHOWN_MAILBOXES_MOST];
    const struct header *header = looking.header = source->mime->parts[0].header;
    const struct header_field *from = header_find(header, HEADER_FROM),
                              *reply = header_find(header, HEADER_REPLY_TO);
    struct text declared = source->mime->declared, returned;
    *out = (struct impostor_findings){ 0 };
    if (from) authors_look(&looking, from);
    uint32_t count = reply ? shown_mailboxes_read(arena, reply->value, declared, replies) : 0;
    for (uint32_t i = 0; i < count; i++) reply_look(&looking, &replies[i]);
    if (source->sender.length > 0) sender_look(&looking);
    links_look(&looking);
    notice_look(&looking);
    if (source->sender.length == 0 &&
        returned_mail_is_foreign(arena, source->config, source->mime, &returned))
        found(&looking, IMPOSTOR_BOUNCE, returned);
}
