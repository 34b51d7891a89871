/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "rules/fact_names.h"

#include "config/nearest.h"

static const char *const plain_names[] = {
    "answer-alone",
    "answer-in-thread",
    "author-unnamed",
    "date-odd",
    "diff",
    "entities",
    "form",
    "found-links",
    "found-text",
    "frames",
    "from-deep-domain",
    "from-digits-domain",
    "from-digits-local",
    "from-free-mail",
    "from-lends-brand",
    "from-long-local",
    "from-name-is-address",
    "from-no-name",
    "from-no-vowels",
    "from-role",
    "gaps",
    "gaps-many",
    "hidden-mostly",
    "hidden-much",
    "hidden-text",
    "html",
    "html-alone",
    "html-as-plain",
    "html-bare",
    "huge-fonts",
    "id-clock",
    "id-odd",
    "id-of-another",
    "id-of-author",
    "id-outlook",
    "link-address",
    "link-address-inside",
    "link-coded-address",
    "link-deep",
    "link-digits",
    "link-hyphens",
    "link-lends-brand",
    "link-long",
    "link-naked",
    "link-onward",
    "link-open-host",
    "link-plain-http",
    "link-port",
    "link-punycode",
    "link-short",
    "link-shows-another",
    "link-user",
    "links-all-own",
    "links-first-apart",
    "links-half-own",
    "links-none-own",
    "links-one-host",
    "links-one-target",
    "look-alikes",
    "name-claims-brand",
    "name-digits",
    "name-disguised",
    "name-marks",
    "name-unlike-address",
    "old-fonts",
    "password-field",
    "picture-alone",
    "pushed-down",
    "quotes",
    "reply-elsewhere",
    "reply-free-mail",
    "reply-free-other",
    "script",
    "shouts",
    "signature-dash",
    "split-words",
    "subject-brackets",
    "subject-claims-brand",
    "subject-emoji",
    "subject-gap",
    "subject-mark",
    "subject-marks",
    "subject-money",
    "subject-number",
    "subject-patch",
    "subject-shouts",
    "text-claims-brand",
    "tiny-pictures",
    "to-is-author",
    "to-nobody",
    "unlike-parts",
    "wide-forms",
};
static const char *const value_names[] = {
    "file",     "files", "finding",      "from",   "from-top", "length",
    "link-top", "links", "longest-line", "phrase", "pictures", "subject-phrase",
};
enum { PLAIN = sizeof plain_names / sizeof *plain_names, VALUED = sizeof value_names / sizeof *value_names };

const char *fact_names_at(unsigned position)
{
    if (position < PLAIN) return plain_names[position];
    return position < PLAIN + VALUED ? value_names[position - PLAIN] : NULL;
}

bool fact_names_check(struct text name, bool has_value, struct text *out_meant)
{
    size_t distance = SIZE_MAX;
    unsigned begin = has_value ? PLAIN : 0, end = has_value ? PLAIN + VALUED : PLAIN;
    *out_meant = TEXT_NONE;
    for (unsigned i = begin; i < end; i++)
        if (text_equal(name, text_of(fact_names_at(i)))) return true;
    for (unsigned i = begin; i < end; i++)
        nearest_offer(name, text_of(fact_names_at(i)), out_meant, &distance);
    return false;
}
