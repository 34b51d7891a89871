/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Hashes here are stored: they must never change. */
#include "ledgerdb/terms.h"

#include "base/arena.h"
#include "base/printable.h"
#include "base/utf8.h"
#include "ipc/event.h"
#include "mail/envelope.h"

enum { HASH_DIGITS = 12, WORDS_MOST = 200, WORD_BYTES = 64, UNION_MOST = 256, V4_PREFIX = 96 };

static const uint8_t client_levels_v4[] = { 128, V4_PREFIX + 24, V4_PREFIX + 16 };
static const uint8_t client_levels_v6[] = { 128, 64, 48 };
enum { CLIENT_LEVELS = 3 };

/* --- one term --- */

/* FNV-1a, 64 bits, ASCII folded. */
static uint64_t hash_of(struct text value)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < value.length; i++)
        hash = (hash ^ (uint8_t)char_lower(value.at[i])) * UINT64_C(0x100000001b3);
    return hash;
}

static void term_write(struct buffer *out, enum term_kind kind, uint64_t hash)
{
    char room[HASH_DIGITS + 1];
    hash ^= hash >> 48;
    room[0] = (char)kind;
    for (int i = HASH_DIGITS; i > 0; i--, hash >>= 4) room[i] = "0123456789abcdef"[hash & 15];
    buffer_add(out, room, sizeof room);
}

static void separate(struct buffer *out, const char *separator)
{
    if (buffer_length(out)) buffer_add_text(out, text_of(separator));
}

void terms_add(struct buffer *out, enum term_kind kind, struct text value)
{
    separate(out, " ");
    term_write(out, kind, hash_of(value));
}

void terms_add_sender(struct buffer *out, struct text address)
{
    terms_add(out, TERM_SENDER, address);
    if (address.length) terms_add(out, TERM_SENDER_DOMAIN, envelope_domain_of(address));
}

void terms_add_recipient(struct buffer *out, struct text address)
{
    terms_add(out, TERM_RECIPIENT, address);
    terms_add(out, TERM_RECIPIENT_DOMAIN, envelope_domain_of(address));
}

/* --- clients --- */

static struct text prefix_bytes(const struct address *address, uint8_t bits, char room[17])
{
    memset(room, 0, 17);
    memcpy(room, address->bytes, bits / 8u);
    room[16] = (char)bits;
    return text_from(room, 17);
}

static uint64_t prefix_hash(const struct address *address, uint8_t bits)
{
    char room[17];
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    struct text bytes = prefix_bytes(address, bits, room);
    for (size_t i = 0; i < bytes.length; i++) hash = (hash ^ (uint8_t)bytes.at[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static const uint8_t *levels_of(const struct address *address)
{
    return address_is_v4(address) ? client_levels_v4 : client_levels_v6;
}

void terms_add_client(struct buffer *out, struct text text)
{
    struct address address;
    if (!address_parse(text, &address)) return;
    for (int i = 0; i < CLIENT_LEVELS; i++) {
        separate(out, " ");
        term_write(out, TERM_CLIENT, prefix_hash(&address, levels_of(&address)[i]));
    }
}

static void address_add(struct address *address, uint8_t bits, unsigned step)
{
    unsigned carry = step;
    for (int at = bits / 8 - 1; at >= 0 && carry; at--) {
        carry += address->bytes[at];
        address->bytes[at] = (uint8_t)carry;
        carry >>= 8;
    }
}

/* The finest level whose lists are not too many. */
bool terms_ask_client(struct buffer *out, const struct network *network)
{
    const uint8_t *levels = levels_of(&network->address);
    for (int i = 0; i < CLIENT_LEVELS; i++) {
        unsigned spare = levels[i] > network->bits ? levels[i] - (unsigned)network->bits : 0u;
        if (spare > 8) continue;
        struct address one = network->address;
        separate(out, " AND ");
        buffer_add_char(out, '(');
        for (unsigned k = 0; k < 1u << spare; k++) {
            if (k) buffer_add_text(out, TEXT(" OR "));
            term_write(out, TERM_CLIENT, prefix_hash(&one, levels[i]));
            address_add(&one, levels[i], 1);
        }
        buffer_add_char(out, ')');
        return true;
    }
    return false;
}

/* --- words --- */

enum script { SCRIPT_NONE, SCRIPT_WORDS, SCRIPT_PAIRS };

/* Capitals to small letters where a script keeps them a fixed distance apart; full-width ASCII to ASCII. */
static uint32_t fold(uint32_t code)
{
    if (code >= 0xFF01 && code <= 0xFF5E) code -= 0xFEE0;
    if (code >= 'A' && code <= 'Z') return code + 32;
    if ((code >= 0xC0 && code <= 0xDE && code != 0xD7) || (code >= 0x391 && code <= 0x3A9)) return code + 32;
    if (code >= 0x410 && code <= 0x42F) return code + 32;
    return code >= 0x400 && code <= 0x40F ? code + 80 : code;
}

/* Han, kana, hangul and what is like them: no blanks between words. */
static bool is_pairs(uint32_t code)
{
    return (code >= 0x3040 && code <= 0x30FF) || (code >= 0x3400 && code <= 0x9FFF) || code == 0x3005 ||
           (code >= 0xAC00 && code <= 0xD7AF) || (code >= 0xF900 && code <= 0xFAFF) ||
           (code >= 0xFF66 && code <= 0xFF9F) || (code >= 0x0E00 && code <= 0x0E7F) || code >= 0x20000;
}

static enum script script_of(uint32_t code)
{
    if (is_pairs(code)) return SCRIPT_PAIRS;
    if (code < 0x80)
        return char_is_alpha((char)code) || char_is_digit((char)code) ? SCRIPT_WORDS : SCRIPT_NONE;
    return code < 0xC0 || (code >= 0x2000 && code <= 0x303F) || (code >= 0xFE00 && code <= 0xFFFF)
               ? SCRIPT_NONE
               : SCRIPT_WORDS;
}

struct words {
    struct buffer *out;
    const char *separator;
    unsigned count;
    enum script script; /* of the run under way */
    uint64_t hash, previous;
    unsigned length; /* characters of the run */
    bool has_lone;   /* a character that has no neighbour to be a pair with */
};

static uint64_t hash_code(uint64_t hash, uint32_t code)
{
    for (int i = 0; i < 3; i++, code >>= 8) hash = (hash ^ (code & 255)) * UINT64_C(0x100000001b3);
    return hash;
}

static void word_write(struct words *words, uint64_t hash)
{
    if (words->count++ >= WORDS_MOST) return;
    separate(words->out, words->separator);
    term_write(words->out, TERM_WORD, hash);
}

static void run_end(struct words *words)
{
    bool is_lonely = words->script == SCRIPT_PAIRS && words->length == 1;
    if (words->length && (words->script == SCRIPT_WORDS || is_lonely)) word_write(words, words->hash);
    words->has_lone |= is_lonely;
    words->length = 0;
    words->hash = UINT64_C(0xcbf29ce484222325);
}

static void code_take(struct words *words, uint32_t code)
{
    const uint64_t start = UINT64_C(0xcbf29ce484222325);
    enum script script = script_of(code);
    if (script != words->script) run_end(words);
    words->script = script;
    if (script == SCRIPT_NONE) return;
    if (script == SCRIPT_PAIRS && words->length) word_write(words, hash_code(words->previous, code));
    words->previous = hash_code(start, code);
    if (words->length < WORD_BYTES) words->hash = hash_code(words->hash, code);
    words->length++;
}

static struct words words_write(struct buffer *out, const char *separator, struct text subject)
{
    struct words words = { .out = out, .separator = separator };
    run_end(&words);
    while (subject.length) {
        size_t length = utf8_sequence(subject);
        code_take(&words, length ? fold(printable_code(subject, length)) : ' ');
        subject = text_slice(subject, length ? length : 1, subject.length);
    }
    run_end(&words);
    return words;
}

void terms_add_words(struct buffer *out, struct text subject)
{
    words_write(out, " ", subject);
}

const char *terms_refused_status(uint16_t code)
{
    if (code == 0) return "aborted";
    if (code < 300) return "discarded";
    return code >= 500 ? "rejected" : "refused";
}

/* --- questions --- */

void terms_ask(struct buffer *out, enum term_kind kind, enum term_kind or_kind, struct text value)
{
    separate(out, " AND ");
    if (kind == or_kind) {
        term_write(out, kind, hash_of(value));
        return;
    }
    buffer_add_char(out, '(');
    term_write(out, kind, hash_of(value));
    buffer_add_text(out, TEXT(" OR "));
    term_write(out, or_kind, hash_of(value));
    buffer_add_char(out, ')');
}

bool terms_ask_words(struct buffer *out, struct text subject, bool *out_has_lone)
{
    struct words words = words_write(out, " AND ", subject);
    *out_has_lone = words.has_lone;
    return words.count > 0;
}

/* --- rows from before --- */

static void judged_add(struct buffer *terms, enum message_class class, enum ending ending, bool is_judged)
{
    if (class || is_judged) terms_add(terms, TERM_CLASS, text_of(class_name(class)));
    if (ending) terms_add(terms, TERM_STATUS, text_of(ending_name(ending)));
}

static enum ledgerdb_outcome rows_index(struct sql *sql, const char *select, const char *insert,
                                        bool is_message)
{
    struct buffer terms = { 0 };
    struct sql_statement *rows = sql_prepare(sql, select), *index = sql_prepare(sql, insert);
    enum ledgerdb_outcome outcome = rows && index ? LEDGERDB_ROW : sql_failure(sql);
    while (outcome == LEDGERDB_ROW && (outcome = sql_step(rows)) == LEDGERDB_ROW) {
        buffer_clear(&terms);
        terms_add_client(&terms, sql_get_text(rows, 1));
        terms_add_sender(&terms, sql_get_text(rows, 2));
        terms_add_recipient(&terms, sql_get_text(rows, 3));
        if (!is_message)
            terms_add(&terms, TERM_STATUS, text_of(terms_refused_status((uint16_t)sql_get(rows, 4))));
        else
            judged_add(&terms, (enum message_class)sql_get(rows, 4), (enum ending)sql_get(rows, 5),
                       !sql_is_null(rows, 6));
        sql_bind(index, 1, sql_get(rows, 0));
        sql_bind_text(index, 2, buffer_text(&terms));
        enum ledgerdb_outcome stored = sql_do(index);
        if (stored != LEDGERDB_DONE) outcome = stored;
    }
    sql_drop(rows);
    sql_drop(index);
    buffer_free(&terms);
    return outcome;
}

enum ledgerdb_outcome terms_fill(struct sql *sql)
{
    enum ledgerdb_outcome outcome =
        rows_index(sql,
                   "SELECT m.id, m.client, m.sender, r.address, m.class, r.ending, m.score FROM message m"
                   " JOIN recipient r ON r.message = m.id ORDER BY m.id",
                   "INSERT INTO find_message(rowid, terms) VALUES(?1, ?2)", true);
    if (outcome == LEDGERDB_DONE)
        outcome = rows_index(sql, "SELECT id, client, sender, recipient, code FROM refusal ORDER BY id",
                             "INSERT INTO find_refusal(rowid, terms) VALUES(?1, ?2)", false);
    return outcome;
}
