/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The questions of a walk are all asked at once, since most walks end at the root; then they are read from
   the longest name to the shortest. */
#include "auth/organization.h"

enum { LABELS_MOST = 8 }; /* questions of a walk: RFC 9989 section 4.10 */

enum organization_state organization_own_record(struct arena *arena, struct dns_answers *answers,
                                                struct text domain, struct organization_record *out)
{
    static const struct text prefix = { "_dmarc.", 7 };
    uint32_t found = 0;
    *out = (struct organization_record){ 0 };
    char *name = arena_alloc(arena, prefix.length + domain.length);
    memcpy(name, prefix.at, prefix.length);
    memcpy(name + prefix.length, domain.at, domain.length);
    const struct dns_answer *answer =
        dns_answers_find(answers, text_from(name, prefix.length + domain.length), RECORD_TXT);
    if (!answer) return ORGANIZATION_WAITS;
    if (answer->status == DNS_TEMPERROR || answer->status == DNS_BOGUS) return ORGANIZATION_FAILED;
    for (uint32_t i = 0; answer->status == DNS_FOUND && i < answer->count; i++)
        if (dmarc_record_is_one(answer->records[i].text) && found++ == 0)
            dmarc_record_parse(answer->records[i].text, &out->record);
    if (found == 1) out->domain = domain;
    return ORGANIZATION_KNOWN;
}

bool organization_has(struct text organization, struct text domain)
{
    if (!text_ends(domain, organization)) return false;
    return domain.length == organization.length || domain.at[domain.length - organization.length - 1] == '.';
}

/* --- The walk */

static size_t count_labels(struct text domain)
{
    size_t labels = 1;
    for (size_t i = 0; i < domain.length; i++) labels += domain.at[i] == '.';
    return labels;
}

/* The last `labels` labels. */
static struct text end_of(struct text domain, size_t labels)
{
    size_t at = domain.length;
    while (at > 0 && (domain.at[at - 1] != '.' || --labels > 0)) at--;
    return text_slice(domain, at, domain.length);
}

struct walk {
    struct arena *arena;
    struct dns_answers *answers;
    struct text start;
    struct organization_record last; /* the one with the fewest labels so far */
    bool waits, failed;
};

/* A psd=y record at `labels` labels: the organization is one label below, and its own record, met just
   before, comes first (section 4.10.1). */
static void end_below(struct walk *walk, const struct organization_record *suffix, size_t labels,
                      struct organization *out)
{
    out->domain = end_of(walk->start, labels + 1);
    out->record = text_equal(walk->last.domain, out->domain) ? walk->last : *suffix;
}

/* True: the walk ends here, *out is set unless something before is not known. */
static bool visit(struct walk *walk, size_t labels, bool is_start, struct organization *out)
{
    struct organization_record here;
    switch (organization_own_record(walk->arena, walk->answers, end_of(walk->start, labels), &here)) {
    case ORGANIZATION_WAITS:
        walk->waits = true;
        return false;
    case ORGANIZATION_FAILED:
        walk->failed = true;
        return false;
    default:
        break;
    }
    if (here.domain.length == 0) return false;
    if (here.record.psd == DMARC_PSD_YES && !is_start) {
        end_below(walk, &here, labels, out);
        return true;
    }
    walk->last = here;
    *out = (struct organization){ here.domain, here };
    return here.record.psd != DMARC_PSD_UNKNOWN;
}

static enum organization_state walk_tree(struct arena *arena, struct dns_answers *answers, struct text domain,
                                         struct organization *out)
{
    struct walk walk = { .arena = arena, .answers = answers, .start = domain };
    size_t labels = count_labels(domain);
    *out = (struct organization){ .domain = domain };
    bool is_over = visit(&walk, labels, true, out);
    if (labels > LABELS_MOST) labels = LABELS_MOST;
    while (!is_over && --labels > 0) is_over = visit(&walk, labels, false, out);
    if (walk.waits) return ORGANIZATION_WAITS;
    return walk.failed ? ORGANIZATION_FAILED : ORGANIZATION_KNOWN;
}

/* --- The list */

struct text organization_listed(const struct public_suffix_list *suffixes, struct text domain)
{
    struct text found = public_suffix_organization(suffixes, domain);
    return found.length ? found : domain;
}

static enum organization_state by_list(struct arena *arena, struct dns_answers *answers,
                                       const struct public_suffix_list *suffixes, struct text domain,
                                       struct organization *out)
{
    *out = (struct organization){ .domain = organization_listed(suffixes, domain) };
    return organization_own_record(arena, answers, out->domain, &out->record);
}

enum organization_state organization_find(struct arena *arena, struct dns_answers *answers,
                                          const struct public_suffix_list *suffixes, struct text domain,
                                          struct organization *out)
{
    if (suffixes) return by_list(arena, answers, suffixes, domain, out);
    return walk_tree(arena, answers, domain, out);
}
