/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "scan/entry_match.h"

#include "auth/from_domains.h"
#include "config/entry_image.h"
#include "mail/envelope.h"
#include "mail/idna.h"
#include "mail/mailbox.h"

enum { NAMED_MOST = 200, BITS_MOST = 128, V4_BEFORE = 96 };

/* An entry that names the client or a sender of the message. */
struct named_entry {
    struct sender_entry entry;
    bool is_proven;
    bool is_decisive; /* for some recipient */
};

/* The message as entries see it. */
struct matching {
    const struct entry_request *request;
    struct arena *arena;
    struct named_entry items[NAMED_MOST];
    uint32_t count;
};

/* --- proof --- */

static bool is_at_or_below(struct text domain, struct text above)
{
    if (!text_ends_nocase(domain, above)) return false;
    return domain.length == above.length || domain.at[domain.length - above.length - 1] == '.';
}

/* A signature of the whole body holds that is by the domain or one below it. */
static bool is_signed(const struct auth_judgement *judgement, struct text named)
{
    const struct dkim_facts *dkim = &judgement->facts.signatures.dkim;
    for (uint32_t i = 0; i < dkim->count; i++) {
        const struct dkim_signature *signature = &dkim->signatures[i];
        const struct dkim_verdict *verdict = &judgement->result.dkim[i];
        bool holds = verdict->result == AUTH_PASS && !verdict->is_testing && !signature->is_partial;
        if (holds && is_at_or_below(signature->domain, named)) return true;
    }
    return false;
}

/* That somebody sent it who may speak for the entry's domain, or one below it. */
static bool is_proven(const struct auth_judgement *judgement, const struct sender_entry *entry)
{
    const struct authentication *result = &judgement->result;
    struct text named = sender_entry_domain(entry);
    if (!judgement->is_made) return false;
    if (result->dmarc.outcome == DMARC_PASS && is_at_or_below(result->dmarc.author, named)) return true;
    if (result->spf.sender.outcome == SPF_PASS && is_at_or_below(result->spf.sender.domain, named))
        return true;
    return is_signed(judgement, named);
}

/* --- for whom --- */

/* 0: it is not for him; 1 for everybody, 2 his domain, 3 himself. */
static unsigned nearness(const struct sender_entry *entry, struct text recipient)
{
    if (entry->to.length == 0) return 1;
    if (text_find_char(entry->to, '@') < entry->to.length)
        return text_equal_nocase(entry->to, recipient) ? 3 : 0;
    return text_equal_nocase(entry->to, envelope_domain_of(recipient)) ? 2 : 0;
}

static bool is_for_somebody(const struct sender_entry *entry, const struct occasion *occasion)
{
    for (uint32_t i = 0; i < occasion->recipient_count; i++)
        if (nearness(entry, occasion->recipients[i]) > 0) return true;
    return false;
}

/* --- entries that name the client or a sender --- */

static bool is_over(const struct matching *matching, const struct sender_entry *entry)
{
    return entry->expires_ms && entry->expires_ms <= matching->request->now_ms;
}

static bool is_same(const struct sender_entry *a, const struct sender_entry *b)
{
    return a->number == b->number && a->is_configured == b->is_configured;
}

/* Once, though envelope and From may both name it. */
static void named_add(struct matching *matching, const struct sender_entry *entry, bool is_proof)
{
    for (uint32_t i = 0; i < matching->count; i++)
        if (is_same(&matching->items[i].entry, entry)) return;
    if (matching->count < NAMED_MOST && is_for_somebody(entry, matching->request->occasion))
        matching->items[matching->count++] = (struct named_entry){ .entry = *entry, .is_proven = is_proof };
}

static void sender_look(struct matching *matching, struct text image, enum entry_kind kind, struct text what,
                        bool is_envelope)
{
    struct entry_cursor cursor;
    struct sender_entry entry;
    entry_image_seek(image, kind, what, &cursor);
    while (entry_image_next(&cursor, &entry)) {
        if ((entry.is_envelope && !is_envelope) || is_over(matching, &entry)) continue;
        named_add(matching, &entry, is_proven(matching->request->authentication, &entry));
    }
}

/* The domain and those above it. */
static void domain_look(struct matching *matching, struct text image, struct text domain, bool is_envelope)
{
    for (struct text above = domain; above.length > 0;) {
        sender_look(matching, image, ENTRY_DOMAIN, above, is_envelope);
        above = text_slice(above, text_find_char(above, '.') + 1, above.length);
    }
}

/* "User@EXAMPLE.com" as entries have it; empty: it has no domain. */
static struct text address_form(struct arena *arena, struct text address)
{
    struct mailbox mailbox;
    if (mailbox_parse(address, false, &mailbox) != MAILBOX_GOOD || mailbox.domain.length == 0)
        return TEXT_NONE;
    return arena_text_lower(arena, mailbox_canonical(arena, &mailbox));
}

static void address_look(struct matching *matching, struct text image, struct text address, bool is_envelope)
{
    if (address.length == 0) return;
    sender_look(matching, image, ENTRY_ADDRESS, address, is_envelope);
    domain_look(matching, image, envelope_domain_of(address), is_envelope);
}

static void client_look(struct matching *matching, struct text image)
{
    struct entry_cursor cursor;
    struct sender_entry entry;
    const struct address *client = &matching->request->occasion->client;
    for (unsigned bits = address_is_v4(client) ? V4_BEFORE : 0; bits <= BITS_MOST; bits++) {
        if (!entry_image_has_bits(image, bits)) continue;
        entry_image_seek_network(image, client, bits, &cursor);
        while (entry_image_next(&cursor, &entry))
            if (!is_over(matching, &entry)) named_add(matching, &entry, true);
    }
}

/* As authentication read it; where nobody asks who sent it, as the log has it. */
static const struct from_domains *from_of(struct matching *matching, struct from_domains *room)
{
    const struct auth_judgement *judgement = matching->request->authentication;
    if (judgement->is_made) return &judgement->facts.from;
    *room = (struct from_domains){ 0 };
    if (matching->request->facts->from.length)
        from_domains_add(matching->arena, matching->request->facts->from, room);
    return room;
}

static void image_look(struct matching *matching, struct text image)
{
    struct from_domains room;
    if (image.length == 0) return;
    const struct from_domains *from = from_of(matching, &room);
    client_look(matching, image);
    address_look(matching, image, address_form(matching->arena, matching->request->occasion->sender), true);
    address_look(matching, image, address_form(matching->arena, from->address), false);
    for (uint32_t i = 0; i < from->count; i++) domain_look(matching, image, from->domains[i], false);
}

/* --- who goes before whom --- */

static unsigned exactness(const struct sender_entry *entry)
{
    if (entry->kind == ENTRY_NETWORK) return entry->network.bits;
    return entry->kind == ENTRY_ADDRESS ? 2000 : 200 + (unsigned)entry->what.length;
}

static bool goes_before(const struct sender_entry *a, const struct sender_entry *b, struct text recipient)
{
    unsigned near_a = nearness(a, recipient), near_b = nearness(b, recipient);
    if (near_a != near_b) return near_a > near_b;
    if (a->verb != b->verb) return a->verb == ENTRY_BLOCK;
    return exactness(a) > exactness(b);
}

static bool may_apply(const struct named_entry *named_entry)
{
    return named_entry->entry.verb == ENTRY_BLOCK || named_entry->entry.is_unproven || named_entry->is_proven;
}

static void recipient_rule(struct matching *matching, struct text recipient, struct entry_ruling *out)
{
    struct named_entry *best = NULL;
    *out = (struct entry_ruling){ .blocked = ACTION_ACCEPT };
    for (uint32_t i = 0; i < matching->count; i++) {
        struct named_entry *one = &matching->items[i];
        if (nearness(&one->entry, recipient) == 0) continue;
        if (may_apply(one) && (!best || goes_before(&one->entry, &best->entry, recipient))) best = one;
    }
    if (!best) return;
    best->is_decisive = true;
    out->entry = best->entry;
    out->is_allowed = best->entry.verb == ENTRY_ALLOW;
    if (!out->is_allowed) out->blocked = best->entry.action;
}

/* --- words --- */

struct text entry_match_number(struct arena *arena, const struct sender_entry *entry)
{
    return arena_printf(arena, entry->is_configured ? "%u of the configuration" : "%u", entry->number);
}

static void tell(struct score *score, const struct named_entry *named_entry)
{
    static const char *const decisive[ENTRY_VERBS] = { "ALLOWED", "BLOCKED" };
    const struct sender_entry *entry = &named_entry->entry;
    const char *name = named_entry->is_decisive ? decisive[entry->verb]
                       : may_apply(named_entry) ? "ENTRY_OVERRULED"
                                                : "ALLOW_UNPROVEN";
    const char *became = named_entry->is_decisive ? "decided"
                         : may_apply(named_entry) ? "did not apply: another one goes before it"
                                                  : "did not apply: not proven";
    struct arena *arena = score->arena;
    struct text number = entry_match_number(arena, entry);
    struct text signal = arena_printf(arena, entry->is_configured ? "%s_C%u" : "%s_%u", name, entry->number);
    struct buffer what = { 0 };
    sender_entry_print_what(entry, &what);
    if (entry->to.length) buffer_printf(&what, " to %.*s", TEXT_ARG(entry->to));
    score_add(score, signal.at, 0,
              arena_printf(arena, "%s %s entry for %.*s (%.*s) %s", entry->verb == ENTRY_ALLOW ? "an" : "a",
                           sender_entry_verb_name(entry->verb), TEXT_ARG(buffer_text(&what)),
                           TEXT_ARG(number), became));
    buffer_free(&what);
}

bool entry_match(const struct entry_request *request, struct score *score, struct entry_ruling *out)
{
    struct matching matching = { .request = request, .arena = score->arena };
    const struct occasion *occasion = request->occasion;
    bool are_all_allowed = occasion->recipient_count > 0;
    image_look(&matching, request->entries);
    image_look(&matching, request->config->entry_image);
    for (uint32_t i = 0; i < occasion->recipient_count; i++) {
        recipient_rule(&matching, occasion->recipients[i], &out[i]);
        are_all_allowed = are_all_allowed && out[i].is_allowed;
    }
    for (uint32_t i = 0; i < matching.count; i++) tell(score, &matching.items[i]);
    return are_all_allowed;
}
