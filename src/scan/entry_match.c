/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "scan/entry_match.h"

#include "auth/from_domains.h"
#include "auth/organization.h"
#include "config/entry_image.h"
#include "mail/envelope.h"
#include "mail/idna.h"
#include "mail/mailbox.h"
#include "scan/entry_patterns.h"

/* Of those that do not apply TOLD_MOST are told: there may be one for each of our users. */
enum { NAMED_MOST = 200, TOLD_MOST = 5, BITS_MOST = 128, V4_BEFORE = 96 };

/* What became of an entry that names the client or a sender of the message. */
enum entry_fate {
    ENTRY_DECIDED,    /* for some recipient */
    ENTRY_OVERRULED,  /* another one goes before it, of all recipients it is for */
    ENTRY_UNPROVEN,   /* an allow entry */
    ENTRY_EXPIRED,    /* its time is over */
    ENTRY_ELSEWHERE,  /* it is for none of the recipients */
    ENTRY_FROM_ALONE, /* it looks at the envelope, and only From names it */
    ENTRY_UNMATCHED,  /* a pattern of it does not match */
    ENTRY_OUTBOUND,   /* the message is from inside */
    ENTRY_FATES
};

struct named_entry {
    struct sender_entry entry;
    enum entry_fate fate;              /* up to ENTRY_UNPROVEN: it matches */
    const struct sender_entry *before; /* of OVERRULED: the one that goes before it */
};

/* The message as entries see it. */
struct matching {
    const struct entry_request *request;
    struct arena *arena;
    struct named_entry items[NAMED_MOST];
    uint32_t count, untold; /* untold: of these, that do not match */
    bool is_outbound;
};

/* --- proof --- */

static bool is_at_or_below(struct text domain, struct text above)
{
    if (!text_ends_nocase(domain, above)) return false;
    return domain.length == above.length || domain.at[domain.length - above.length - 1] == '.';
}

/* A domain below that of an address speaks for it only where both have one owner: of github.io they have not.
 */
static bool speaks_for(struct text domain, const struct sender_entry *entry)
{
    struct text named = sender_entry_domain(entry);
    if (!is_at_or_below(domain, named)) return false;
    if (entry->kind != ENTRY_ADDRESS || domain.length == named.length) return true;
    const struct public_suffix_list *suffixes = public_suffix_builtin();
    return text_equal_nocase(organization_listed(suffixes, domain), organization_listed(suffixes, named));
}

/* A signature of the whole body holds that is by who may speak for the entry. */
static bool is_signed(const struct auth_judgement *judgement, const struct sender_entry *entry)
{
    const struct dkim_facts *dkim = &judgement->facts.signatures.dkim;
    for (uint32_t i = 0; i < dkim->count; i++) {
        const struct dkim_signature *signature = &dkim->signatures[i];
        const struct dkim_verdict *verdict = &judgement->result.dkim[i];
        bool holds = verdict->result == AUTH_PASS && !verdict->is_testing && !signature->is_partial;
        if (holds && speaks_for(signature->domain, entry)) return true;
    }
    return false;
}

/* That somebody sent it who may speak for the entry's domain, or one below it. */
static bool is_proven(const struct auth_judgement *judgement, const struct sender_entry *entry)
{
    const struct authentication *result = &judgement->result;
    if (!judgement->is_made || sender_entry_domain(entry).length == 0) return false;
    if (result->dmarc.outcome == DMARC_PASS && speaks_for(result->dmarc.author, entry)) return true;
    if (result->spf.sender.outcome == SPF_PASS && speaks_for(result->spf.sender.domain, entry)) return true;
    return is_signed(judgement, entry);
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

/* Once, though envelope and From may both name it: where one of them matches, that counts. */
static void named_add(struct matching *matching, const struct sender_entry *entry, enum entry_fate fate)
{
    bool is_match = fate <= ENTRY_UNPROVEN;
    if (fate == ENTRY_ELSEWHERE && entry->is_users) return; /* what others want is theirs */
    for (uint32_t i = 0; i < matching->count; i++) {
        if (!is_same(&matching->items[i].entry, entry)) continue;
        if (is_match) matching->items[i].fate = fate;
        return;
    }
    if (matching->count == NAMED_MOST || (!is_match && matching->untold == TOLD_MOST)) return;
    matching->untold += !is_match;
    matching->items[matching->count++] = (struct named_entry){ .entry = *entry, .fate = fate };
}

/* As long as no other one is looked at. */
static enum entry_fate fate_of(const struct matching *matching, const struct sender_entry *entry,
                               bool is_envelope, bool is_proof)
{
    const struct entry_request *request = matching->request;
    if (matching->is_outbound) return ENTRY_OUTBOUND;
    if (is_over(matching, entry)) return ENTRY_EXPIRED;
    if (entry->is_envelope && !is_envelope) return ENTRY_FROM_ALONE;
    if (!is_for_somebody(entry, request->occasion)) return ENTRY_ELSEWHERE;
    if (!entry_hits_have(request->facts->entry_hits, entry)) return ENTRY_UNMATCHED;
    return entry->verb == ENTRY_BLOCK || entry->is_unproven || is_proof ? ENTRY_OVERRULED : ENTRY_UNPROVEN;
}

static void sender_look(struct matching *matching, struct text image, enum entry_kind kind, struct text what,
                        bool is_envelope)
{
    struct entry_cursor cursor;
    struct sender_entry entry;
    entry_image_seek(image, kind, what, &cursor);
    while (entry_image_next(&cursor, &entry))
        named_add(
            matching, &entry,
            fate_of(matching, &entry, is_envelope, is_proven(matching->request->authentication, &entry)));
}

/* The domain and those above it. */
static void domain_look(struct matching *matching, struct text image, struct text domain, bool is_envelope)
{
    for (struct text above = domain; above.length > 0;) {
        sender_look(matching, image, ENTRY_DOMAIN, above, is_envelope);
        above = text_slice(above, text_find_char(above, '.') + 1, above.length);
    }
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
            named_add(matching, &entry, fate_of(matching, &entry, true, true));
    }
}

/* Those that have patterns alone are found by what matched. */
static void patterned_look(struct matching *matching, struct text image)
{
    struct text rest = matching->request->facts->entry_hits;
    struct entry_hit hit;
    while (entry_hits_next(&rest, &hit)) {
        struct entry_cursor cursor;
        struct sender_entry entry;
        entry_image_seek_number(image, hit.number, &cursor);
        if (!entry_image_next(&cursor, &entry) || entry.is_configured != hit.is_configured) continue;
        enum entry_fate fate = fate_of(matching, &entry, true, false);
        if (fate != ENTRY_UNMATCHED) named_add(matching, &entry, fate);
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
    patterned_look(matching, image);
    address_look(matching, image, mailbox_lower(matching->arena, matching->request->occasion->sender), true);
    address_look(matching, image, mailbox_lower(matching->arena, from->address), false);
    for (uint32_t i = 0; i < from->count; i++) domain_look(matching, image, from->domains[i], false);
}

/* --- who goes before whom --- */

static unsigned exactness(const struct sender_entry *entry)
{
    if (entry->kind == ENTRY_ANYBODY) return 0;
    if (entry->kind == ENTRY_NETWORK) return 1U + entry->network.bits;
    return entry->kind == ENTRY_ADDRESS ? 2000 : 200 + (unsigned)entry->what.length;
}

/* More patterns before fewer, then longer before shorter. */
static size_t narrowness(const struct sender_entry *entry)
{
    size_t sum = 0;
    for (int i = 0; i < ENTRY_FEATURES; i++)
        sum += entry->patterns[i].length ? 1000 + entry->patterns[i].length : 0;
    return sum;
}

static bool goes_before(const struct sender_entry *a, const struct sender_entry *b, struct text recipient)
{
    bool is_last_a = a->is_users && a->verb == ENTRY_ALLOW, is_last_b = b->is_users && b->verb == ENTRY_ALLOW;
    if (is_last_a != is_last_b) return is_last_b;
    unsigned near_a = nearness(a, recipient), near_b = nearness(b, recipient);
    if (near_a != near_b) return near_a > near_b;
    if (a->verb != b->verb) return a->verb == ENTRY_BLOCK;
    if (exactness(a) != exactness(b)) return exactness(a) > exactness(b);
    return narrowness(a) > narrowness(b);
}

static bool may_apply(const struct named_entry *named_entry, struct text recipient)
{
    return named_entry->fate <= ENTRY_OVERRULED && nearness(&named_entry->entry, recipient) > 0;
}

static void recipient_rule(struct matching *matching, struct text recipient, struct entry_ruling *out)
{
    struct named_entry *best = NULL;
    *out = (struct entry_ruling){ .blocked = ACTION_ACCEPT };
    for (uint32_t i = 0; i < matching->count; i++) {
        struct named_entry *one = &matching->items[i];
        if (may_apply(one, recipient) && (!best || goes_before(&one->entry, &best->entry, recipient)))
            best = one;
    }
    if (!best) return;
    best->fate = ENTRY_DECIDED;
    for (uint32_t i = 0; i < matching->count; i++)
        if (may_apply(&matching->items[i], recipient)) matching->items[i].before = &best->entry;
    out->entry = best->entry;
    out->is_allowed = best->entry.verb == ENTRY_ALLOW;
    if (!out->is_allowed) out->blocked = best->entry.action;
}

/* --- words --- */

struct text entry_match_number(struct arena *arena, const struct sender_entry *entry)
{
    return arena_printf(arena, entry->is_configured ? "%u of the configuration" : "%u", entry->number);
}

static const char *signal_of(const struct named_entry *named_entry)
{
    static const char *const names[ENTRY_FATES] = {
        [ENTRY_OVERRULED] = "ENTRY_OVERRULED",   [ENTRY_UNPROVEN] = "ALLOW_UNPROVEN",
        [ENTRY_EXPIRED] = "ENTRY_EXPIRED",       [ENTRY_ELSEWHERE] = "ENTRY_ELSEWHERE",
        [ENTRY_FROM_ALONE] = "ENTRY_FROM_ALONE", [ENTRY_UNMATCHED] = "ENTRY_UNMATCHED",
        [ENTRY_OUTBOUND] = "ENTRY_OUTBOUND"
    };
    if (named_entry->fate != ENTRY_DECIDED) return names[named_entry->fate];
    return named_entry->entry.verb == ENTRY_ALLOW ? "ALLOWED" : "BLOCKED";
}

static struct text became(const struct matching *matching, const struct named_entry *named_entry)
{
    static const char *const words[ENTRY_FATES] = {
        [ENTRY_DECIDED] = "decided",
        [ENTRY_OVERRULED] = "did not apply: another one goes before it",
        [ENTRY_UNPROVEN] = "did not apply: not proven",
        [ENTRY_EXPIRED] = "did not apply: its time is over",
        [ENTRY_ELSEWHERE] = "did not apply: it is for another recipient",
        [ENTRY_FROM_ALONE] = "did not apply: it looks at the envelope, not at From",
        [ENTRY_UNMATCHED] = "did not apply: a pattern of it does not match",
        [ENTRY_OUTBOUND] = "did not apply: the message is from inside"
    };
    if (named_entry->fate == ENTRY_OVERRULED && named_entry->before)
        return arena_printf(matching->arena, "did not apply: entry %.*s goes before it",
                            TEXT_ARG(entry_match_number(matching->arena, named_entry->before)));
    if (named_entry->fate == ENTRY_UNPROVEN && !matching->request->authentication->is_made)
        return TEXT("did not apply: not proven, since nobody is asked who sent it (auth mode off)");
    return text_of(words[named_entry->fate]);
}

static void tell(const struct matching *matching, struct score *score, const struct named_entry *named_entry)
{
    const struct sender_entry *entry = &named_entry->entry;
    struct arena *arena = score->arena;
    struct text number = entry_match_number(arena, entry);
    struct text signal =
        arena_printf(arena, entry->is_configured ? "%s_C%u" : "%s_%u", signal_of(named_entry), entry->number);
    struct buffer what = { 0 };
    sender_entry_print_named(entry, &what);
    if (entry->to.length) buffer_printf(&what, " to %.*s", TEXT_ARG(entry->to));
    score_add(score, signal.at, 0,
              arena_printf(arena, "%s %s entry for %.*s (%.*s) %.*s", entry->verb == ENTRY_ALLOW ? "an" : "a",
                           sender_entry_verb_name(entry->verb), TEXT_ARG(buffer_text(&what)),
                           TEXT_ARG(number), TEXT_ARG(became(matching, named_entry))));
    buffer_free(&what);
}

/* Items are not cleared: hardly any mail has one. */
static void matching_begin(struct matching *matching, const struct entry_request *request,
                           struct arena *arena, bool is_outbound)
{
    matching->request = request;
    matching->arena = arena;
    matching->count = matching->untold = 0;
    matching->is_outbound = is_outbound;
}

void entry_match_outbound(const struct entry_request *request, struct score *score)
{
    struct matching matching;
    matching_begin(&matching, request, score->arena, true);
    image_look(&matching, request->entries);
    image_look(&matching, request->config->entry_image);
    for (uint32_t i = 0; i < matching.count; i++) tell(&matching, score, &matching.items[i]);
}

bool entry_match(const struct entry_request *request, struct score *score, struct entry_ruling *out)
{
    struct matching matching;
    const struct occasion *occasion = request->occasion;
    bool are_all_allowed = occasion->recipient_count > 0;
    matching_begin(&matching, request, score->arena, false);
    image_look(&matching, request->entries);
    image_look(&matching, request->config->entry_image);
    for (uint32_t i = 0; i < occasion->recipient_count; i++) {
        recipient_rule(&matching, occasion->recipients[i], &out[i]);
        are_all_allowed = are_all_allowed && out[i].is_allowed;
    }
    for (uint32_t i = 0; i < matching.count; i++) tell(&matching, score, &matching.items[i]);
    return are_all_allowed;
}
