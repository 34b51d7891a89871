/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "spam/brands.h"

struct brand {
    const char *name;   /* folded */
    const char *labels; /* what the first label of its domain may be, blanks between them */
};

static const struct brand brands[] = {
    { "amazon", "amazon amazonses aboutamazon amazonaws" },
    { "アマゾン", "amazon" },
    { "apple", "apple icloud" },
    { "icloud", "apple icloud" },
    { "microsoft", "microsoft outlook office live microsoftonline office365 hotmail" },
    { "office 365", "microsoft office office365 microsoftonline" },
    { "outlook", "microsoft outlook live hotmail" },
    { "onedrive", "microsoft onedrive live" },
    { "sharepoint", "microsoft sharepoint sharepointonline" },
    { "google", "google gmail googlemail youtube" },
    { "facebook", "facebook facebookmail meta fb" },
    { "instagram", "instagram facebook meta facebookmail" },
    { "whatsapp", "whatsapp facebook meta" },
    { "linkedin", "linkedin" },
    { "netflix", "netflix" },
    { "spotify", "spotify" },
    { "disney", "disney disneyplus go" },
    { "paypal", "paypal" },
    { "ebay", "ebay" },
    { "docusign", "docusign" },
    { "dropbox", "dropbox dropboxmail" },
    { "adobe", "adobe adobesign" },
    { "wetransfer", "wetransfer" },
    { "norton", "norton nortonlifelock gendigital" },
    { "mcafee", "mcafee" },
    { "geek squad", "bestbuy geeksquad" },
    { "walmart", "walmart" },
    { "costco", "costco" },
    { "lowe's", "lowes" },
    { "home depot", "homedepot" },
    { "dhl", "dhl deutschepost" },
    { "fedex", "fedex" },
    { "ups", "ups" },
    { "usps", "usps" },
    { "royal mail", "royalmail" },
    { "dpd", "dpd" },
    { "deutsche post", "deutschepost dhl" },
    { "correos", "correos" },
    { "correios", "correios" },
    { "la poste", "laposte" },
    { "poste italiane", "poste posteitaliane" },
    { "chase", "chase jpmorgan" },
    { "wells fargo", "wellsfargo" },
    { "bank of america", "bankofamerica bofa" },
    { "citibank", "citi citibank" },
    { "hsbc", "hsbc" },
    { "barclays", "barclays" },
    { "santander", "santander" },
    { "bradesco", "bradesco" },
    { "itaú", "itau" },
    { "itau", "itau" },
    { "nubank", "nubank" },
    { "banco do brasil", "bb" },
    { "serasa", "serasa serasaexperian" },
    { "mercado livre", "mercadolivre mercadolibre" },
    { "bbva", "bbva" },
    { "caixabank", "caixabank" },
    { "sparkasse", "sparkasse" },
    { "volksbank", "volksbank vr" },
    { "commerzbank", "commerzbank" },
    { "postbank", "postbank" },
    { "telekom", "telekom t-online" },
    { "american express", "americanexpress aexp" },
    { "mastercard", "mastercard" },
    { "western union", "westernunion" },
    { "moneygram", "moneygram" },
    { "coinbase", "coinbase" },
    { "binance", "binance" },
    { "kraken", "kraken" },
    { "metamask", "metamask consensys" },
    { "trust wallet", "trustwallet" },
    { "ledger", "ledger" },
    { "trezor", "trezor satoshilabs" },
    { "opensea", "opensea" },
    { "blockchain.com", "blockchain" },
    { "crypto.com", "crypto" },
    { "robinhood", "robinhood" },
    { "irs", "irs" },
    { "social security", "ssa" },
    { "hmrc", "hmrc" },
    { "rakuten", "rakuten rakuten-card rakuten-bank rakuten-sec" },
    { "楽天", "rakuten rakuten-card rakuten-bank rakuten-sec" },
    { "メルカリ", "mercari" },
    { "mercari", "mercari" },
    { "paypay", "paypay paypay-bank paypay-card" },
    { "三井住友", "smbc smbc-card vpass smbcnikko smtb" },
    { "smbc", "smbc smbc-card vpass" },
    { "三菱ufj", "mufg mufgcard cr mun" },
    { "みずほ", "mizuhobank mizuho mizuho-fg" },
    { "ゆうちょ", "jp-bank" },
    { "りそな", "resonabank resona-gr" },
    { "イオンカード", "aeon aeoncard" },
    { "イオン銀行", "aeonbank aeon" },
    { "エポスカード", "eposcard epos" },
    { "セゾン", "saisoncard creditsaison saison-card" },
    { "jcb", "jcb myjcb" },
    { "ビューカード", "jreast viewcard" },
    { "えきねっと", "eki-net jreast" },
    { "jr東日本", "jreast eki-net" },
    { "etc利用照会", "etc-meisai etc" },
    { "国税庁", "nta e-tax" },
    { "ヤマト運輸", "kuronekoyamato kuronekoymt" },
    { "クロネコ", "kuronekoyamato kuronekoymt" },
    { "佐川急便", "sagawa-exp" },
    { "日本郵便", "japanpost post" },
    { "ソフトバンク", "softbank" },
    { "ドコモ", "docomo nttdocomo" },
    { "sbi証券", "sbisec" },
    { "野村證券", "nomura" },
    { "マイナポイント", "soumu go digital" },
};

static bool is_letter(char c)
{
    return char_is_alpha(c) || char_is_digit(c);
}

/* The name as a word: "ups" is not in "upside". Characters beyond ASCII need no edge. */
static bool has_word(struct text text, struct text name)
{
    for (struct text rest = text;;) {
        size_t at = text_find(rest, name), end = at + name.length;
        if (at == rest.length) return false;
        bool is_edge = (unsigned char)name.at[0] >= 0x80 || at == 0 || !is_letter(rest.at[at - 1]);
        bool is_end =
            (unsigned char)name.at[name.length - 1] >= 0x80 || end == rest.length || !is_letter(rest.at[end]);
        if (is_edge && is_end) return true;
        rest = text_slice(rest, at + 1, rest.length);
    }
}

static size_t next_char(struct text text, size_t from, char wanted)
{
    return from + text_find_char(text_slice(text, from, text.length), wanted);
}

/* The name with something between its letters, from edge to edge: "p.a-y p a l". */
static bool has_spread(struct text text, struct text name)
{
    for (size_t from = 0; (from = next_char(text, from, name.at[0])) < text.length; from++) {
        size_t at = from, next = 0, between = 0;
        if (from > 0 && is_letter(text.at[from - 1])) continue;
        for (; at < text.length && next < name.length; at++) {
            if (text.at[at] == name.at[next])
                next++;
            else if (next == 0 || is_letter(text.at[at]))
                break;
            else
                between++;
        }
        bool is_edge = at == text.length || !is_letter(text.at[at]);
        if (next == name.length && between > 0 && is_edge) return true;
    }
    return false;
}

enum { BRANDS = sizeof brands / sizeof *brands };

/* Which bytes a text has. */
struct byte_set {
    uint64_t bits[4];
};

/* And which pairs of them, by a hash of few bits. */
struct sketch {
    uint64_t pairs[64];
    struct byte_set bytes, firsts; /* firsts: behind no letter */
};

static void byte_add(struct byte_set *set, char byte)
{
    set->bits[(uint8_t)byte >> 6] |= UINT64_C(1) << (byte & 63);
}

static bool byte_is_in(const struct byte_set *set, char byte)
{
    return set->bits[(uint8_t)byte >> 6] >> (byte & 63) & 1;
}

/* Of each brand's name; made at the first use. */
static const struct byte_set *brand_bytes(void)
{
    static struct byte_set sets[BRANDS];
    static bool is_made;
    for (size_t i = 0; i < BRANDS && !is_made; i++)
        for (const char *at = brands[i].name; *at; at++) byte_add(&sets[i], *at);
    is_made = true;
    return sets;
}

static uint32_t pair_of(const char *at)
{
    return ((uint32_t)(uint8_t)at[0] * 37 + (uint8_t)at[1]) & 4095;
}

static void sketch_draw(struct text text, struct sketch *out)
{
    *out = (struct sketch){ 0 };
    for (size_t i = 0; i < text.length; i++) {
        byte_add(&out->bytes, text.at[i]);
        if (i == 0 || !is_letter(text.at[i - 1])) byte_add(&out->firsts, text.at[i]);
        uint32_t pair = i + 1 < text.length ? pair_of(text.at + i) : 0;
        out->pairs[pair >> 6] |= UINT64_C(1) << (pair & 63);
    }
}

/* False: nothing begins as the name does, or a byte of it is not in the text. */
static bool may_have(const struct sketch *sketch, char first, const struct byte_set *name)
{
    uint64_t missing = 0;
    if ((uint8_t)first < 0x80 && !byte_is_in(&sketch->firsts, first)) return false;
    for (size_t i = 0; i < 4; i++) missing |= name->bits[i] & ~sketch->bytes.bits[i];
    return missing == 0;
}

/* False: the name is not in the text. */
static bool may_have_word(const struct sketch *sketch, struct text name)
{
    uint32_t pair = pair_of(name.at);
    return sketch->pairs[pair >> 6] >> (pair & 63) & 1;
}

static bool is_label_of(struct text label, const char *labels)
{
    struct text rest = text_of(labels), word;
    while (text_next_word(&rest, &word))
        if (text_equal(word, label)) return true;
    return false;
}

bool brands_are_claimed(struct text folded, struct text organization)
{
    enum { SPREAD_LEAST = 6, LOOKED_AT = 200 };
    struct text text = text_slice(folded, 0, LOOKED_AT);
    struct text label = text_slice(organization, 0, text_find_char(organization, '.'));
    bool is_claimed = false;
    struct sketch sketch;
    const struct byte_set *bytes = brand_bytes();
    sketch_draw(text, &sketch);
    for (size_t i = 0; i < BRANDS; i++) {
        if (!may_have(&sketch, brands[i].name[0], &bytes[i])) continue;
        struct text name = text_of(brands[i].name);
        bool is_spread = name.length >= SPREAD_LEAST && has_spread(text, name);
        bool is_word = !is_spread && may_have_word(&sketch, name) && has_word(text, name);
        if (!is_spread && !is_word) continue;
        if (is_label_of(label, brands[i].labels)) return false;
        is_claimed = true;
    }
    return is_claimed;
}

/* Names that hosts have for other reasons. */
static bool is_common_word(struct text name)
{
    static const char *const words[] = { "outlook", "adobe",    "chase",   "kraken", "crypto",
                                         "correos", "correios", "google",  "apple",  "disney",
                                         "office",  "irs",      "telekom", NULL };
    size_t i = 0;
    while (words[i] && !text_equal(name, text_of(words[i]))) i++;
    return words[i] != NULL;
}

bool brands_are_lent(struct text host, struct text organization)
{
    enum { NAME_LEAST = 5 };
    struct text label = text_slice(organization, 0, text_find_char(organization, '.'));
    struct sketch sketch;
    const struct byte_set *bytes = brand_bytes();
    sketch_draw(host, &sketch);
    for (size_t i = 0; i < BRANDS; i++) {
        if (!may_have(&sketch, brands[i].name[0], &bytes[i])) continue;
        struct text name = text_of(brands[i].name);
        if (name.length < NAME_LEAST || !may_have_word(&sketch, name) || !has_word(host, name)) continue;
        if (!is_common_word(name) && !is_label_of(label, brands[i].labels)) return true;
    }
    return false;
}
