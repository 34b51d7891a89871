/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Shingles are runs of four words, or of six characters of scripts that set no blanks. Each falls into one of
   48 bins, where the smallest counts (one-permutation min-hash); six bins are a band. */
#include "spam/campaign_sketch.h"

#include "mail/digest.h"
#include "spam/link_host.h"

enum {
    WORD_RUN = 4,
    CHARACTER_RUN = 6,
    RECENT = 8, /* a power of two that holds either run */
    BAND_ROWS = 6,
    BINS = CAMPAIGN_BANDS * BAND_ROWS,
    SEEN_BITS = 512, /* tells distinct shingles apart well enough up to CAMPAIGN_SHINGLES_LEAST */
    WORD_MOST = 40,  /* bytes: longer runs of letters are no words */
    HOSTS_MOST = 16, /* of links, in a short text */
    FILE_PIECE = 32 * 1024
};

#define MULTIPLIER UINT64_C(0x9e3779b97f4a7c15)

static uint64_t mix(uint64_t value)
{
    value ^= value >> 31;
    value *= MULTIPLIER;
    value ^= value >> 29;
    value *= UINT64_C(0xbf58476d1ce4e5b9);
    return value ^ value >> 32;
}

/* Order counts. */
static uint64_t join(uint64_t before, uint64_t next)
{
    return mix(before * 31 + next);
}

static uint64_t key_of(uint64_t value)
{
    return value ? value : 1;
}

/* --- shingles --- */

struct shingler {
    uint64_t recent[RECENT];     /* tokens, the newest at (tokens - 1) % RECENT */
    uint32_t tokens, half_words; /* a word is two of the latter, a character one */
    uint64_t whole;              /* of all tokens in their order */
    uint64_t bins[BINS];         /* 0: none fell there */
    uint64_t seen[SEEN_BITS / 64];
};

static void shingle_add(struct shingler *shingler, unsigned run)
{
    uint64_t shingle = run;
    if (shingler->tokens < run) return;
    for (unsigned i = 0; i < run; i++)
        shingle = (shingle + shingler->recent[(shingler->tokens - run + i) % RECENT]) * MULTIPLIER;
    shingle = key_of(mix(shingle));
    uint64_t *bin = &shingler->bins[(shingle >> 40) % BINS];
    if (*bin == 0 || shingle < *bin) *bin = shingle;
    shingler->seen[shingle % SEEN_BITS / 64] |= UINT64_C(1) << shingle % 64;
}

static void token_add(struct shingler *shingler, uint64_t token, bool is_word)
{
    shingler->recent[shingler->tokens++ % RECENT] = token;
    shingler->half_words += is_word ? 2 : 1;
    shingler->whole = join(shingler->whole, token);
    shingle_add(shingler, is_word ? WORD_RUN : CHARACTER_RUN);
}

enum byte_class { BYTE_BREAK, BYTE_LETTER, BYTE_DIGIT, BYTE_CHARACTER };

static enum byte_class class_of(uint8_t byte)
{
    if ((byte >= 'a' && byte <= 'z') || (byte >= 0xC3 && byte <= 0xDF)) return BYTE_LETTER;
    if (byte >= '0' && byte <= '9') return BYTE_DIGIT;
    return byte >= 0xE3 && byte <= 0xED ? BYTE_CHARACTER : BYTE_BREAK;
}

/* A word of letters from `at`; how many bytes were read. One with a digit in it is no word. */
static size_t word_read(struct shingler *shingler, struct text text, size_t at)
{
    uint64_t hash = MULTIPLIER;
    size_t begin = at;
    bool has_digit = false;
    for (; at < text.length; at++) {
        uint8_t byte = (uint8_t)text.at[at];
        bool is_continued = byte >= 0x80 && byte < 0xC0;
        enum byte_class class = class_of(byte);
        if (class != BYTE_LETTER && class != BYTE_DIGIT && !is_continued) break;
        has_digit |= class == BYTE_DIGIT;
        hash = (hash ^ byte) * UINT64_C(0x100000001b3);
    }
    if (!has_digit && at - begin <= WORD_MOST) token_add(shingler, mix(hash), true);
    return at - begin;
}

/* A character of Japanese, Chinese or Korean. Their marks and blanks are none. */
static size_t character_read(struct shingler *shingler, struct text text, size_t at)
{
    if (text.length - at < 3) return text.length - at;
    const uint8_t *bytes = (const uint8_t *)text.at + at;
    bool is_mark = bytes[0] == 0xE3 && bytes[1] == 0x80;
    uint64_t point = (uint64_t)bytes[0] << 16 | (uint64_t)bytes[1] << 8 | bytes[2];
    if (!is_mark) token_add(shingler, mix(point), false);
    return 3;
}

/* From "://" to the next blank: where a link leads is each copy's own. */
static size_t address_pass(struct text text, size_t at)
{
    size_t begin = at;
    if (!text_starts(text_slice(text, at, at + 3), TEXT("://"))) return 1;
    while (at < text.length && (uint8_t)text.at[at] > ' ') at++;
    return at - begin;
}

static void text_read(struct shingler *shingler, struct text text)
{
    for (size_t at = 0; at < text.length;) {
        uint8_t byte = (uint8_t)text.at[at];
        switch (class_of(byte)) {
        case BYTE_LETTER:
        case BYTE_DIGIT:
            at += word_read(shingler, text, at);
            break;
        case BYTE_CHARACTER:
            at += character_read(shingler, text, at);
            break;
        case BYTE_BREAK:
            at += byte == ':' ? address_pass(text, at) : 1;
            break;
        }
    }
}

static unsigned distinct_of(const struct shingler *shingler)
{
    unsigned count = 0;
    for (int i = 0; i < SEEN_BITS / 64; i++) count += (unsigned)__builtin_popcountll(shingler->seen[i]);
    return count;
}

/* A bin that is empty takes what the next full one has, changed by how far that is. */
static uint64_t bin_of(const struct shingler *shingler, unsigned at)
{
    unsigned steps = 0;
    while (steps < BINS && shingler->bins[(at + steps) % BINS] == 0) steps++;
    return shingler->bins[(at + steps) % BINS] + steps * MULTIPLIER;
}

static void bands_write(const struct shingler *shingler, uint64_t bands[CAMPAIGN_BANDS])
{
    for (unsigned band = 0; band < CAMPAIGN_BANDS; band++) {
        uint64_t value = band;
        for (unsigned row = 0; row < BAND_ROWS; row++)
            value = join(value, bin_of(shingler, band * BAND_ROWS + row));
        bands[band] = key_of(value);
    }
}

/* --- links of a short text --- */

struct linked_hosts {
    uint64_t list[HOSTS_MOST];
    uint32_t count;
};

static void host_add(struct linked_hosts *hosts, struct text url)
{
    struct link_host link;
    link_host_read(url, false, &link);
    if (!link.host[0] || hosts->count == HOSTS_MOST) return;
    uint64_t host = text_checksum(text_of(link.host));
    for (uint32_t i = 0; i < hosts->count; i++)
        if (hosts->list[i] == host) return;
    hosts->list[hosts->count++] = host;
}

/* In whatever order they stand. 0: there are none. */
static uint64_t hosts_of(const struct message_text *text)
{
    struct linked_hosts hosts = { .count = 0 };
    uint64_t sum = 0;
    struct text rest = text_slice(text->visible, 0, CAMPAIGN_TEXT_MOST), word;
    for (uint32_t i = 0; i < text->markup.link_count; i++)
        if (text->markup.links[i].kind == MARKUP_LINK) host_add(&hosts, text->markup.links[i].target);
    while (text_next_word(&rest, &word))
        if (text_starts(word, TEXT("http"))) host_add(&hosts, word);
    for (uint32_t i = 0; i < hosts.count; i++) sum += mix(hosts.list[i]);
    return hosts.count ? key_of(sum) : 0;
}

void campaign_sketch_text(const struct message_text *text, struct campaign_sketch *out)
{
    struct shingler shingler = { .tokens = 0 };
    text_read(&shingler, text_slice(text->visible, 0, CAMPAIGN_TEXT_MOST));
    if (distinct_of(&shingler) >= CAMPAIGN_SHINGLES_LEAST) {
        bands_write(&shingler, out->bands);
    } else if (shingler.half_words >= 2 * CAMPAIGN_WORDS_LEAST) {
        uint64_t hosts = hosts_of(text);
        text_read(&shingler, text->subject_folded);
        if (hosts) out->line = key_of(join(shingler.whole, hosts));
    }
}

/* --- files --- */

static uint64_t piece_of(struct text bytes)
{
    uint8_t digest[DIGEST_BYTES];
    uint64_t piece;
    digest_sha256(bytes, digest);
    memcpy(&piece, digest, sizeof piece);
    return piece;
}

void campaign_sketch_file(const struct mime_part *part, struct text bytes, struct campaign_sketch *out)
{
    bool is_wanted = mime_part_is_file(part) && !text_starts(part->type, TEXT("image/"));
    if (!is_wanted || bytes.length < CAMPAIGN_FILE_LEAST || out->file_count == CAMPAIGN_FILES_MOST) return;
    uint64_t key = piece_of(text_slice(bytes, 0, 2 * FILE_PIECE));
    if (bytes.length > 2 * FILE_PIECE) {
        struct text head = text_slice(bytes, 0, FILE_PIECE);
        struct text tail = text_slice(bytes, bytes.length - FILE_PIECE, bytes.length);
        key = join(join(piece_of(head), piece_of(tail)), bytes.length);
    }
    key = key_of(key);
    for (uint32_t i = 0; i < out->file_count; i++)
        if (out->files[i] == key) return;
    out->files[out->file_count++] = key;
}

void campaign_sketch_message(struct arena *arena, const struct mime *mime, struct campaign_sketch *out)
{
    struct message_text text;
    struct buffer room = { 0 };
    *out = (struct campaign_sketch){ 0 };
    message_text_read(&text, arena, mime);
    campaign_sketch_text(&text, out);
    message_text_free(&text);
    for (size_t i = 0; i < mime->count; i++)
        if (mime->parts[i].kind == MIME_LEAF && mime_part_is_file(&mime->parts[i]))
            campaign_sketch_file(&mime->parts[i], mime_decode(&mime->parts[i], &room, NULL), out);
    buffer_free(&room);
}
