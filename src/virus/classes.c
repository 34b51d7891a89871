/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A table of the parts between the dots. The first row that matches counts, so exceptions stand above what
   they are taken from. */
#include "virus/classes.h"

enum position { AT_START, ANYWHERE };

static const struct row {
    enum position position;
    const char *words; /* whole parts of the name, in any case: "pua" is in "PUA.Win.Packer" */
    enum virus_class class;
} rows[] = {
    /* The engine's own findings without a signature. */
    { AT_START, "heuristics.phishing", VIRUS_CLASS_PHISHING },
    { AT_START, "heuristics.safebrowsing", VIRUS_CLASS_PHISHING },
    { AT_START, "heuristics.encrypted", VIRUS_CLASS_ENCRYPTED },
    { AT_START, "heuristics.limits", VIRUS_CLASS_LIMITS },
    { AT_START, "heuristics.ole2.containsmacros", VIRUS_CLASS_PUA },
    { AT_START, "heuristics.structured", VIRUS_CLASS_PUA },
    { AT_START, "heuristics.broken", VIRUS_CLASS_PUA },
    { AT_START, "pua", VIRUS_CLASS_PUA },
    /* Third-party sets: some say what kind of harm, whoever made them. */
    { ANYWHERE, "malware", VIRUS_CLASS_VIRUS },
    { ANYWHERE, "trojan", VIRUS_CLASS_VIRUS },
    { ANYWHERE, "rogue", VIRUS_CLASS_VIRUS },
    { AT_START, "sanesecurity.testsig", VIRUS_CLASS_SPAM },
    { AT_START, "sanesecurity.foxhole", VIRUS_CLASS_PUA },
    { AT_START, "sanesecurity.badmacro", VIRUS_CLASS_PUA },
    { ANYWHERE, "phishing", VIRUS_CLASS_PHISHING },
    { ANYWHERE, "phish", VIRUS_CLASS_PHISHING },
    { ANYWHERE, "scamnailer", VIRUS_CLASS_PHISHING },
    { ANYWHERE, "spam", VIRUS_CLASS_SPAM },
    { ANYWHERE, "spammail", VIRUS_CLASS_SPAM },
    { ANYWHERE, "spamdomain", VIRUS_CLASS_SPAM },
    { ANYWHERE, "spamimg", VIRUS_CLASS_SPAM },
    { ANYWHERE, "scam", VIRUS_CLASS_SPAM },
    { ANYWHERE, "scam4", VIRUS_CLASS_SPAM },
    { ANYWHERE, "junk", VIRUS_CLASS_SPAM },
    { ANYWHERE, "jurlbl", VIRUS_CLASS_SPAM },
    { ANYWHERE, "jurlbla", VIRUS_CLASS_SPAM },
    { AT_START, "sanesecurity.blurl", VIRUS_CLASS_SPAM },
    { AT_START, "sanesecurity.lott", VIRUS_CLASS_SPAM },
    { AT_START, "sanesecurity.loan", VIRUS_CLASS_SPAM },
    { AT_START, "sanesecurity.casino", VIRUS_CLASS_SPAM },
    { AT_START, "sanesecurity.job", VIRUS_CLASS_SPAM },
    { AT_START, "sanesecurity.hdr", VIRUS_CLASS_SPAM },
    { ANYWHERE, "joke", VIRUS_CLASS_PUA },
    { ANYWHERE, "adware", VIRUS_CLASS_PUA },
    { ANYWHERE, "riskware", VIRUS_CLASS_PUA },
    { ANYWHERE, "not-a-virus", VIRUS_CLASS_PUA },
};

/* Parts end at these; a version behind them ("Phishing-2") belongs to no part. */
static bool is_end(struct text name, size_t at)
{
    return at >= name.length || name.at[at] == '.' || name.at[at] == '-' || name.at[at] == '_' ||
           name.at[at] == ':' || name.at[at] == '/';
}

static bool matches(struct text name, const struct row *row)
{
    struct text words = text_of(row->words);
    for (size_t at = 0; at + words.length <= name.length; at++) {
        bool begins = at == 0 || is_end(name, at - 1);
        if (begins && text_equal_nocase(text_slice(name, at, at + words.length), words) &&
            is_end(name, at + words.length))
            return true;
        if (row->position == AT_START) return false;
    }
    return false;
}

enum virus_class classes_of_name(struct text name)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (matches(name, &rows[i])) return rows[i].class;
    return VIRUS_CLASS_VIRUS;
}
