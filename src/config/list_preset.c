/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The table of well-known lists. One that its owner closes is taken out. */
#include "config/list_preset.h"

#define BIT(about) (uint8_t)(1 << LIST_ABOUT_##about)

enum { ABOUT_NAMES = BIT(HELO) | BIT(SENDER) | BIT(FROM) | BIT(LINK) };

static const char LISTED_ADDRESS[] = "2.0.0.127", UNLISTED_ADDRESS[] = "1.0.0.127";

/* An address is as good as its list: what is known of it alone refuses nothing by default. */
static const struct list_code zen_codes[] = {
    { 0, 2, 2, false, 5.0, "SBL: a source of spam" },
    { 0, 3, 3, false, 5.0, "CSS: a source of spam, found by machines" },
    { 0, 4, 7, false, 6.0, "XBL: a machine that somebody has taken over" },
    { 0, 9, 9, false, 8.0, "DROP: a network of criminals" },
    { 0, 10, 11, false, 3.5, "PBL: an address that should not send mail itself" },
    { 0, 30, 30, false, 6.0, "BCL: it commands machines that were taken over" },
    { 0 },
};
static const struct list_code dbl_codes[] = {
    { 1, 2, 2, false, 5.0, "a domain of spammers" },
    { 1, 4, 4, false, 7.0, "a domain of phishing" },
    { 1, 5, 5, false, 7.0, "a domain of malware" },
    { 1, 6, 6, false, 7.0, "a domain that commands machines that were taken over" },
    { 1, 102, 103, false, 2.5, "a good domain that spammers use" },
    { 1, 104, 104, false, 4.0, "a good domain that phishing uses" },
    { 1, 105, 106, false, 4.0, "a good domain that malware uses" },
    { 0 },
};
static const struct list_code zrd_codes[] = {
    { 2, 2, 24, false, 3.0, "a domain that is a day old at most" },
    { 0 },
};
static const struct list_code surbl_codes[] = {
    { 0, 8, 0, true, 6.0, "PH: a site of phishing" },
    { 0, 16, 0, true, 6.0, "MW: a site of malware" },
    { 0, 64, 0, true, 4.5, "ABUSE: a site of spammers" },
    { 0, 128, 0, true, 3.5, "CR: a site that somebody has taken over" },
    { 0 },
};
static const struct list_code uribl_codes[] = {
    { 0, 2, 0, true, 4.5, "black: a domain of spammers" },
    { 0, 4, 0, true, 1.0, "grey: a domain of bulk mail" },
    { 0, 8, 0, true, 1.5, "red: a domain that is watched" },
    { 0 },
};
static const struct list_code mailspike_codes[] = {
    { 0, 2, 2, false, 4.5, "part of a wave of spam" },
    { 0, 10, 10, false, 4.0, "the worst reputation" },
    { 0, 11, 11, false, 3.0, "a very bad reputation" },
    { 0, 12, 12, false, 2.0, "a bad reputation" },
    { 0 },
};
static const struct list_code one_code[] = {
    { 0, 2, 2, false, 3.0, "a source of spam" },
    { 0 },
};
static const struct list_code one_name_code[] = {
    { 0, 2, 2, false, 3.0, "a domain of spammers" },
    { 0 },
};

static const struct list_code hbl_codes[] = {
    { 3, 2, 2, false, 5.0, "an address of spammers" },
    { 3, 10, 10, false, 8.0, "a malicious file" },
    { 3, 15, 15, false, 5.0, "a suspicious file" },
    { 3, 30, 30, false, 5.0, "a link of spammers" },
    { 0 },
};
static const struct list_code ebl_codes[] = {
    { 0, 2, 2, false, 4.0, "an address that answers to fraud go to" },
    { 0 },
};

static const struct list_preset presets[] = {
    { "spamhaus-zen", "zen.spamhaus.org", "zen.dq.spamhaus.net", BIT(CLIENT), LISTED_ADDRESS,
      UNLISTED_ADDRESS, false, 0, zen_codes },
    { "spamhaus-dbl", "dbl.spamhaus.org", "dbl.dq.spamhaus.net", ABOUT_NAMES, "dbltest.com", "invalid", false,
      0, dbl_codes },
    { "spamhaus-zrd", NULL, "zrd.dq.spamhaus.net", ABOUT_NAMES, "test", "invalid", false, 0, zrd_codes },
    { "spamcop", "bl.spamcop.net", NULL, BIT(CLIENT), LISTED_ADDRESS, UNLISTED_ADDRESS, false, 0, one_code },
    { "barracuda", "b.barracudacentral.org", NULL, BIT(CLIENT), LISTED_ADDRESS, UNLISTED_ADDRESS, true, 0,
      one_code },
    { "surbl", "multi.surbl.org", NULL, BIT(LINK), "surbl-org-permanent-test-point.com", "invalid", false, 1,
      surbl_codes },
    { "uribl", "multi.uribl.com", NULL, BIT(LINK), "test.uribl.com", "invalid", false, 1, uribl_codes },
    { "mailspike", "bl.mailspike.net", NULL, BIT(CLIENT), LISTED_ADDRESS, UNLISTED_ADDRESS, false, 0,
      mailspike_codes },
    { "nordspam", "bl.nordspam.com", NULL, BIT(CLIENT), LISTED_ADDRESS, UNLISTED_ADDRESS, false, 0,
      one_code },
    { "nordspam-dbl", "dbl.nordspam.com", NULL, ABOUT_NAMES, "test", "invalid", false, 0, one_name_code },
    { "psbl", "psbl.surriel.com", NULL, BIT(CLIENT), LISTED_ADDRESS, UNLISTED_ADDRESS, false, 0, one_code },
    /* What it is tried by is user@hbltest.com. */
    { "spamhaus-hbl", NULL, "hbl.dq.spamhaus.net", BIT(HASH) | BIT(LINK_HASH) | BIT(ADDRESS),
      "f3pdgtmwu6lfigdjc67yniwry5zrm7erletnfo36qaeqpmbpw2da._email", NULL, false, 0, hbl_codes,
      LIST_DIGEST_SHA256, true, true },
    { "msbl-ebl", "ebl.msbl.org", NULL, BIT(ADDRESS), NULL, NULL, false, 0, ebl_codes, LIST_DIGEST_SHA1,
      false, false },
};

const struct list_preset *list_preset_at(size_t number)
{
    return number < sizeof presets / sizeof *presets ? &presets[number] : NULL;
}

const struct list_preset *list_preset_find(struct text name)
{
    for (size_t i = 0; i < sizeof presets / sizeof *presets; i++)
        if (text_equal(name, text_of(presets[i].name))) return &presets[i];
    return NULL;
}

/* The four bytes of an IPv4 address. */
static const uint8_t *bytes_of(const struct address *answer)
{
    return answer->bytes + 12;
}

static bool code_has(const struct list_code *code, const uint8_t *bytes)
{
    if (bytes[0] != 127 || bytes[1] != 0 || bytes[2] != code->third) return false;
    return code->is_bit ? (bytes[3] & code->first) != 0 : bytes[3] >= code->first && bytes[3] <= code->last;
}

const struct list_code *list_preset_code(const struct list_preset *preset, const struct address *answer)
{
    const struct list_code *best = NULL;
    if (!address_is_v4(answer)) return NULL;
    for (const struct list_code *code = preset->codes; code->means; code++)
        if (code_has(code, bytes_of(answer)) && (!best || code->points > best->points)) best = code;
    return best;
}

bool list_preset_is_refusal(const struct list_preset *preset, const struct address *answer)
{
    const uint8_t *bytes = bytes_of(answer);
    if (!address_is_v4(answer) || bytes[0] != 127) return true;
    if (bytes[1] == 255 && bytes[2] == 255) return true;
    return preset && preset->refusal && bytes[1] == 0 && bytes[2] == 0 && bytes[3] == preset->refusal;
}
