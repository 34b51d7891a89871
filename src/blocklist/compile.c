/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Reads a list file line by line and lays out the image behind its last line. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "blocklist/blocklist.h"
#include "blocklist/image.h"
#include "blocklist/networks.h"
#include "mail/idna.h"

enum { V4_LEAST = 96 + 8, V6_LEAST = 16, NAME_MOST = 253, SHOWN_MOST = 60, HASH_BYTES = 32 };
enum { LINES_A_STEP = 16384, RUNS_MOST = 64 };

enum stage { STAGE_LINES, STAGE_SORT, STAGE_SPANS, STAGE_IMAGE };

/* Networks are sorted in runs, one a step, and a run is merged with the one before it that is no longer. */
struct blocklist_compiler {
    enum stage stage;
    struct text rest; /* of the file */
    struct buffer *image;
    size_t runs[RUNS_MOST], run_count, sorted;
    struct buffer v4s, v6s;
    enum blocklist_kind kind;
    const struct blocklist_limits *limits;
    struct blocklist_problem *problem;
    struct arena *arena; /* for one line */
    uint32_t line, count, labels_most;
    uint64_t key;
    struct buffer lines, keys, reasons, networks; /* of blocklist_line and so on */
    struct text reason;                           /* of the entry before, in the file */
    uint32_t reason_at;
    struct blocklist_slot *slots;
    uint32_t slot_mask;
};

static bool complain(struct blocklist_compiler *compiler, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool complain(struct blocklist_compiler *compiler, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    compiler->problem->line = compiler->line;
    vsnprintf(compiler->problem->says, sizeof compiler->problem->says, format, arguments);
    va_end(arguments);
    return false;
}

/* Complains of the word, which is foreign and may be long. */
static bool refuse(struct blocklist_compiler *compiler, struct text word, const char *why)
{
    char shown[SHOWN_MOST + 1];
    text_copy_printable(word, shown, sizeof shown);
    return complain(compiler, "\"%s%s\" %s", shown, word.length > SHOWN_MOST ? "…" : "", why);
}

/* --- entries --- */

static uint32_t reason_add(struct blocklist_compiler *compiler, struct text reason)
{
    char room[BLOCKLIST_REASON_MOST + 1];
    if (reason.length == 0) return 0;
    if (text_equal(reason, compiler->reason)) return compiler->reason_at;
    compiler->reason = reason;
    compiler->reason_at = (uint32_t)buffer_length(&compiler->reasons);
    size_t length = text_copy_printable(reason, room, sizeof room);
    buffer_add_char(&compiler->reasons, (char)length);
    buffer_add(&compiler->reasons, room, length);
    return compiler->reason_at;
}

static void line_add(struct blocklist_compiler *compiler, uint32_t key, struct text reason)
{
    struct blocklist_line line = { compiler->line, reason_add(compiler, reason), key };
    buffer_add(&compiler->lines, &line, sizeof line);
    compiler->count++;
}

static struct text key_at(const struct blocklist_compiler *compiler, uint32_t entry)
{
    const struct blocklist_line *lines = (const void *)buffer_text(&compiler->lines).at;
    const char *keys = buffer_text(&compiler->keys).at;
    if (compiler->kind == BLOCKLIST_HASHES)
        return text_from(keys + (size_t)lines[entry].key * BLOCKLIST_HASH_SIZE, BLOCKLIST_HASH_SIZE);
    return text_from(keys + lines[entry].key + 1, (unsigned char)keys[lines[entry].key]);
}

static void slot_take(struct blocklist_slot *slots, uint32_t mask, uint64_t hash, uint32_t entry)
{
    uint32_t at = blocklist_slot_of(hash, mask);
    while (slots[at].entry) at = (at + 1) & mask;
    slots[at] = (struct blocklist_slot){ (uint32_t)(hash >> 32), entry + 1 };
}

/* Twice the slots, as soon as half of them are taken. */
static void slots_grow(struct blocklist_compiler *compiler)
{
    uint32_t mask = compiler->slots ? compiler->slot_mask * 2 + 1 : 1023;
    if (compiler->slots && compiler->count < (compiler->slot_mask + 1) / 2) return;
    struct blocklist_slot *slots = memory_alloc(((size_t)mask + 1) * sizeof *slots);
    for (uint32_t i = 0; i < compiler->count; i++)
        slot_take(slots, mask, hash_text_by(compiler->key, key_at(compiler, i)), i);
    free(compiler->slots);
    compiler->slots = slots;
    compiler->slot_mask = mask;
}

static bool key_is_known(const struct blocklist_compiler *compiler, struct text key, uint64_t hash)
{
    uint32_t mask = compiler->slot_mask;
    for (uint32_t at = blocklist_slot_of(hash, mask); compiler->slots[at].entry; at = (at + 1) & mask)
        if (compiler->slots[at].tag == hash >> 32 &&
            text_equal(key_at(compiler, compiler->slots[at].entry - 1), key))
            return true;
    return false;
}

static void key_add(struct blocklist_compiler *compiler, struct text key, struct text reason)
{
    slots_grow(compiler);
    uint64_t hash = hash_text_by(compiler->key, key);
    if (key_is_known(compiler, key, hash)) return;
    uint32_t place = compiler->count;
    if (compiler->kind == BLOCKLIST_NAMES) {
        place = (uint32_t)buffer_length(&compiler->keys);
        buffer_add_char(&compiler->keys, (char)key.length);
    }
    buffer_add_text(&compiler->keys, key);
    slot_take(compiler->slots, compiler->slot_mask, hash, compiler->count);
    line_add(compiler, place, reason);
}

/* --- a line of each kind --- */

static bool is_too_wide(const struct network *network)
{
    static const struct address v4_zero = { { [10] = 0xff, [11] = 0xff } };
    if (address_is_v4(&network->address)) return network->bits < V4_LEAST;
    return network->bits < V6_LEAST || network_has(network, &v4_zero);
}

static struct address last_of(const struct network *network)
{
    struct address last = network->address;
    for (unsigned bit = network->bits; bit < 128; bit++) last.bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
    return last;
}

static bool network_take(struct blocklist_compiler *compiler, struct text word, struct text reason)
{
    struct network network;
    if (!network_parse(word, &network))
        return refuse(compiler, word, N_("is no address, and no network whose host bits are zero"));
    if (is_too_wide(&network)) return refuse(compiler, word, N_("is too wide: IPv4 needs /8, IPv6 /16"));
    for (size_t i = 0; i < compiler->limits->our_count; i++)
        if (network_has(&network, &compiler->limits->ours[i]))
            return refuse(compiler, word, N_("has an address of our own"));
    struct blocklist_network entry = { network.address, last_of(&network), compiler->count };
    buffer_add(&compiler->networks, &entry, sizeof entry);
    line_add(compiler, 0, reason);
    return true;
}

static uint32_t label_count(struct text name)
{
    uint32_t labels = 1;
    for (size_t i = 0; i < name.length; i++) labels += name.at[i] == '.';
    return labels;
}

static bool is_host_name(struct text name)
{
    for (size_t i = 0; i < name.length; i++) {
        char c = name.at[i];
        bool is_dot = c == '.' && i > 0 && i + 1 < name.length && name.at[i - 1] != '.';
        if (!is_dot && !char_is_alpha(c) && !char_is_digit(c) && c != '-' && c != '_') return false;
    }
    return name.length > 0;
}

static bool name_take(struct blocklist_compiler *compiler, struct text word, struct text reason)
{
    struct text name;
    if (text_ends(word, TEXT("."))) word.length--;
    if (word.length > NAME_MOST) return refuse(compiler, word, N_("is longer than 253 bytes"));
    if (!idna_to_ascii(compiler->arena, word, &name) || !is_host_name(name) || name.length > NAME_MOST)
        return refuse(compiler, word, N_("is no domain name"));
    uint32_t labels = label_count(name);
    if (labels < 2) return refuse(compiler, word, N_("is too wide: a name has a dot"));
    if (labels > compiler->labels_most) compiler->labels_most = labels;
    key_add(compiler, name, reason);
    return true;
}

static bool hash_take(struct blocklist_compiler *compiler, struct text word, struct text reason)
{
    char hash[HASH_BYTES];
    bool is_hash = word.length == sizeof hash * 2;
    for (size_t i = 0; is_hash && i < sizeof hash; i++) {
        int high = char_hex_value(word.at[2 * i]), low = char_hex_value(word.at[2 * i + 1]);
        is_hash = high >= 0 && low >= 0;
        if (is_hash) hash[i] = (char)(high * 16 + low);
    }
    if (!is_hash) return refuse(compiler, word, N_("is no SHA-256: 64 hexadecimal digits"));
    key_add(compiler, text_from(hash, BLOCKLIST_HASH_SIZE), reason);
    return true;
}

/* A list is text: what no line of one has says that this is another file. */
static bool is_binary(struct text line)
{
    for (size_t i = 0; i < line.length; i++)
        if ((unsigned char)line.at[i] < ' ' && line.at[i] != '\t') return true;
    return false;
}

static bool line_take(struct blocklist_compiler *compiler, struct text line)
{
    struct text word, rest = text_trim(line);
    if (is_binary(rest)) return complain(compiler, N_("a control character: this is no list"));
    if (rest.length == 0 || rest.at[0] == '#' || rest.at[0] == ';') return true;
    text_next_word(&rest, &word);
    rest = text_trim(rest);
    if (text_starts(rest, TEXT("#")) || text_starts(rest, TEXT(";")))
        rest = text_trim(text_slice(rest, 1, rest.length));
    arena_reset(compiler->arena);
    switch (compiler->kind) {
    case BLOCKLIST_NETWORKS:
        return network_take(compiler, word, rest);
    case BLOCKLIST_NAMES:
        return name_take(compiler, word, rest);
    case BLOCKLIST_HASHES:
    case BLOCKLIST_KINDS:
        break;
    }
    return hash_take(compiler, word, rest);
}

static bool bounds_hold(struct blocklist_compiler *compiler, struct text file)
{
    if (file.length <= compiler->limits->bytes_most) return true;
    return complain(compiler, "%zu bytes, at most %zu", file.length, compiler->limits->bytes_most);
}

/* Some lines; false: one is refused. */
static bool lines_take(struct blocklist_compiler *compiler)
{
    struct text line;
    for (unsigned i = 0; i < LINES_A_STEP && text_next_line(&compiler->rest, &line); i++) {
        compiler->line++;
        if (compiler->line > compiler->limits->lines_most)
            return complain(compiler, "more than %zu lines", compiler->limits->lines_most);
        if (!line_take(compiler, line)) return false;
    }
    return true;
}

/* --- networks in order --- */

static struct blocklist_network *networks_of(struct blocklist_compiler *compiler)
{
    return (struct blocklist_network *)(void *)(compiler->networks.memory + compiler->networks.start);
}

/* The last two become one. */
static void runs_merge(struct blocklist_compiler *compiler)
{
    size_t right = compiler->runs[--compiler->run_count], *left = &compiler->runs[compiler->run_count - 1];
    struct blocklist_network *from = networks_of(compiler) + compiler->sorted - right - *left;
    struct blocklist_network *scratch = memory_alloc(*left * sizeof *scratch);
    blocklist_networks_merge(from, *left, *left + right, scratch);
    free(scratch);
    *left += right;
}

static bool is_due(const struct blocklist_compiler *compiler)
{
    const size_t *last = &compiler->runs[compiler->run_count - 1];
    return compiler->run_count > 1 && (last[-1] <= last[0] || compiler->run_count == RUNS_MOST);
}

/* What came since the last step. */
static void run_add(struct blocklist_compiler *compiler)
{
    size_t count = compiler->count - compiler->sorted;
    if (compiler->kind != BLOCKLIST_NETWORKS || count == 0) return;
    blocklist_networks_sort(networks_of(compiler) + compiler->sorted, count);
    compiler->sorted = compiler->count;
    compiler->runs[compiler->run_count++] = count;
    while (is_due(compiler)) runs_merge(compiler);
}

/* --- the image --- */

/* Appends at a place that 8 divides, and returns it. */
static uint64_t place(struct buffer *image, struct text bytes)
{
    while (buffer_length(image) % 8 != 0) buffer_add_char(image, '\0');
    uint64_t at = buffer_length(image);
    buffer_add_text(image, bytes);
    return at;
}

static void tops_place(struct buffer *image, struct text spans, struct blocklist_head *head)
{
    const struct blocklist_v4_span *all = (const void *)spans.at;
    struct buffer tops = { 0 };
    uint32_t at = 0;
    for (uint32_t top = 0; top <= BLOCKLIST_TOPS; top++) {
        while (at < head->v4_count && all[at].last >> 16 < top) at++;
        buffer_add(&tops, &at, sizeof at);
    }
    head->tops = place(image, buffer_text(&tops));
    buffer_free(&tops);
}

static void networks_place(struct blocklist_compiler *compiler, struct buffer *image,
                           struct blocklist_head *head)
{
    head->v4_count = (uint32_t)(buffer_length(&compiler->v4s) / sizeof(struct blocklist_v4_span));
    head->v6_count = (uint32_t)(buffer_length(&compiler->v6s) / sizeof(struct blocklist_v6_span));
    head->v4s = place(image, buffer_text(&compiler->v4s));
    head->v6s = place(image, buffer_text(&compiler->v6s));
    tops_place(image, buffer_text(&compiler->v4s), head);
}

static void keys_place(struct blocklist_compiler *compiler, struct buffer *image, struct blocklist_head *head)
{
    slots_grow(compiler);
    size_t size = ((size_t)compiler->slot_mask + 1) * sizeof *compiler->slots;
    head->table = place(image, text_from((const char *)compiler->slots, size));
    head->table_mask = compiler->slot_mask;
    head->keys = place(image, buffer_text(&compiler->keys));
}

static void image_write(struct blocklist_compiler *compiler, struct buffer *image)
{
    struct blocklist_head head = { .magic = BLOCKLIST_MAGIC,
                                   .key = compiler->key,
                                   .kind = compiler->kind,
                                   .count = compiler->count,
                                   .labels_most = compiler->labels_most };
    place(image, text_from((const char *)&head, sizeof head));
    head.entries = place(image, buffer_text(&compiler->lines));
    head.reasons = place(image, buffer_text(&compiler->reasons));
    if (compiler->kind == BLOCKLIST_NETWORKS)
        networks_place(compiler, image, &head);
    else
        keys_place(compiler, image, &head);
    head.length = buffer_length(image);
    memcpy(image->memory + image->start, &head, sizeof head);
}

/* --- steps --- */

static size_t lines_of(struct text file)
{
    size_t lines = 1;
    for (const char *at = file.at; file.length > 0; lines++) {
        at = memchr(at, '\n', (size_t)(file.at + file.length - at));
        if (!at) break;
        at++;
    }
    return lines;
}

/* As many slots as the lines may need are there at once: to make more of them later would take a step too
 * long.
 */
static void slots_begin(struct blocklist_compiler *compiler, struct text file)
{
    size_t most = compiler->limits->lines_most, slots = 1024;
    if (compiler->kind == BLOCKLIST_NETWORKS || compiler->limits->bytes_most < file.length) return;
    size_t lines = lines_of(file);
    while (slots / 2 <= (lines < most ? lines : most)) slots *= 2;
    compiler->slots = memory_alloc(slots * sizeof *compiler->slots);
    compiler->slot_mask = (uint32_t)(slots - 1);
}

struct blocklist_compiler *blocklist_compiler_new(enum blocklist_kind kind, struct text file,
                                                  const struct blocklist_limits *limits, struct buffer *image,
                                                  struct blocklist_problem *problem)
{
    struct blocklist_compiler *compiler = memory_alloc(sizeof *compiler);
    *compiler = (struct blocklist_compiler){ .kind = kind,
                                             .rest = file,
                                             .image = image,
                                             .limits = limits,
                                             .problem = problem,
                                             .arena = arena_new(0),
                                             .key = hash_new_key() };
    buffer_add_char(&compiler->reasons, '\0');
    slots_begin(compiler, file);
    return compiler;
}

enum blocklist_progress blocklist_compiler_step(struct blocklist_compiler *compiler)
{
    switch (compiler->stage) {
    case STAGE_LINES:
        if (!bounds_hold(compiler, compiler->rest) || !lines_take(compiler)) return BLOCKLIST_IS_REFUSED;
        run_add(compiler);
        if (compiler->rest.length == 0) compiler->stage = STAGE_SORT;
        return BLOCKLIST_GOES_ON;
    case STAGE_SORT:
        if (compiler->run_count > 1)
            runs_merge(compiler);
        else
            compiler->stage = STAGE_SPANS;
        return BLOCKLIST_GOES_ON;
    case STAGE_SPANS:
        if (compiler->kind == BLOCKLIST_NETWORKS)
            blocklist_networks_flatten(networks_of(compiler), compiler->count, &compiler->v4s,
                                       &compiler->v6s);
        compiler->stage = STAGE_IMAGE;
        return BLOCKLIST_GOES_ON;
    case STAGE_IMAGE:
        break;
    }
    image_write(compiler, compiler->image);
    return BLOCKLIST_IS_DONE;
}

void blocklist_compiler_free(struct blocklist_compiler *compiler)
{
    if (!compiler) return;
    free(compiler->slots);
    buffer_free(&compiler->lines);
    buffer_free(&compiler->keys);
    buffer_free(&compiler->reasons);
    buffer_free(&compiler->networks);
    buffer_free(&compiler->v4s);
    buffer_free(&compiler->v6s);
    arena_free(compiler->arena);
    free(compiler);
}

bool blocklist_compile(enum blocklist_kind kind, struct text file, const struct blocklist_limits *limits,
                       struct buffer *image, struct blocklist_problem *problem)
{
    struct blocklist_compiler *compiler = blocklist_compiler_new(kind, file, limits, image, problem);
    enum blocklist_progress progress;
    do progress = blocklist_compiler_step(compiler);
    while (progress == BLOCKLIST_GOES_ON);
    blocklist_compiler_free(compiler);
    return progress == BLOCKLIST_IS_DONE;
}
