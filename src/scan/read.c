/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Mail to facts: the tree, every reading through the virus engine, the signals, the edits. */
#include "scan/read.h"

#include "auth/from_domains.h"
#include "config/closed_kinds.h"
#include "config/domains.h"
#include "config/greylist.h"
#include "config/spam_lines.h"
#include "ipc/message_id.h"
#include "mail/encoded_word.h"
#include "mail/envelope.h"
#include "mail/reading.h"
#include "scan/authenticate.h"
#include "scan/content.h"
#include "scan/entry_patterns.h"
#include "scan/impostor_weight.h"
#include "scan/lesson_choice.h"
#include "scan/list_questions.h"
#include "scan/outside.h"
#include "scan/rate_weight.h"
#include "scan/recipe.h"
#include "scan/seal_basis.h"
#include "scan/sender_weight.h"
#include "scan/tenancy.h"
#include "spam/score.h"

enum { SUBJECT_MOST = 200, FIELD_MOST = 200 };
enum { KNOWN_BYTES_MOST = 1 << 20 }; /* of a message, as they stand in it */

/* For some recipient the check whose mode `mode_of` tells is not off. */
static bool is_asked_for(const struct config *config, const struct occasion *occasion,
                         enum mode (*mode_of)(const struct config *config, const struct domain *domain))
{
    for (uint32_t i = 0; i < occasion->recipient_count; i++) {
        struct text domain = envelope_domain_of(occasion->recipients[i]);
        if (mode_of(config, config_find_domain(config, domain)) != MODE_OFF) return true;
    }
    return false;
}

static bool is_spam_asked_for(const struct config *config, const struct occasion *occasion)
{
    for (uint32_t i = 0; i < occasion->recipient_count; i++)
        if (config_spam_lines(config, occasion->recipients[i]).mode != MODE_OFF) return true;
    return false;
}

/* --- parts --- */

/* What a finding in it is said to be in: its file name, else its type. */
static struct text part_name(const struct mime_part *part)
{
    if (!part) return TEXT("a run of bytes");
    return part->name.length ? part->name : part->type;
}

static bool is_shown(const struct mime_part *part)
{
    if (!part || mime_part_is_file(part)) return false;
    return text_equal(part->type, TEXT("text/plain")) || text_equal(part->type, TEXT("text/html"));
}

/* In a storm the file that all copies have is looked for first: then nothing before it is scanned again in
 * each. */
static void known_find(const struct mime *mime, struct inspection *inspection)
{
    struct buffer room = { 0 };
    size_t looked = 0;
    if (!inspect_is_stormy(inspection)) return;
    for (size_t i = 0; i < mime->count && looked < KNOWN_BYTES_MOST; i++) {
        const struct mime_part *part = &mime->parts[i];
        if (!mime_part_is_file(part) || part->body.length > KNOWN_BYTES_MOST - looked) continue;
        looked += part->body.length;
        inspection->part = part_name(part);
        inspect_known(inspection, mime_decode(part, &room, NULL));
    }
    buffer_free(&room);
}

/* Every reading goes to the engine (when asked) and the signals; findings are complete afterwards. */
static void parts_walk(struct arena *arena, struct mime *mime, struct inspection *inspection,
                       struct opening *opening, struct score *score, struct facts *out)
{
    struct reading_list *list = reading_open(arena, mime);
    struct reading reading;
    opening->readings = list;
    while (!(inspection && inspection->is_void) && reading_next(list, &reading)) {
        if (inspection) inspection->part = part_name(reading.part);
        if (inspection) inspection->is_file = reading.part && mime_part_is_file(reading.part);
        if (inspection) inspection->is_shown = reading.kind == READING_PART && is_shown(reading.part);
        if (inspection) inspect_bytes(inspection, reading.bytes);
        if (inspection) opening_look(opening, reading.bytes, reading.is_part);
        if (reading.part) score_part(score, reading.part, reading.bytes);
        struct text utf8 = TEXT_NONE;
        if (reading.kind == READING_PART && reading.part)
            utf8 = score_read(score, reading.part, reading.bytes);
        if (opening->extraction && reading.is_part)
            extraction_offer(opening->extraction, reading.part, reading.bytes, utf8);
    }
    out->ambiguous = reading_is_ambiguous(list);
    opening->readings = NULL;
    reading_close(list);
}

/* The last that a reader does for a message: the virus check has all that it wants of it. Nothing is read of
   what a virus was found in, or of what nothing will be said about. */
static void text_extract(struct extraction *extraction, struct opening *opening)
{
    bool is_found = opening->inspection && opening->inspection->result.state == SCAN_FOUND;
    if (extraction->count == 0 || is_found || (opening->source && opening->source->is_lost)) return;
    extraction_run(extraction, opening_reader(opening));
    if (extraction->encrypted_in.length == 0 || !opening->inspection) return;
    opening->inspection->part = extraction->encrypted_in;
    inspect_add(opening->inspection, VIRUS_CLASS_ENCRYPTED, TEXT("open"), TEXT("pdf"));
}

static struct text findings_names(struct arena *arena, const struct finding_set *findings)
{
    struct buffer names = { 0 };
    for (int i = 0; i < FINDING_COUNT; i++) {
        bool has = finding_has(findings, (enum finding)i);
        if (!has || finding_consequence((enum finding)i) == CONSEQUENCE_NONE) continue;
        buffer_printf(&names, "%s%s", buffer_length(&names) ? "," : "", finding_name((enum finding)i));
    }
    struct text text = arena_text(arena, buffer_text(&names));
    buffer_free(&names);
    return text;
}

static void virus_tell(struct arena *arena, const struct scanner *scanner,
                       const struct inspection *inspection, struct facts *out)
{
    out->virus = inspection->result.state;
    out->virus_name = arena_text(arena, text_of(inspection->result.name));
    out->virus_finding_count = inspection->finding_count;
    out->virus_findings = arena_alloc_array(arena, out->virus_finding_count, sizeof *out->virus_findings);
    if (out->virus_finding_count)
        memcpy(out->virus_findings, inspection->findings,
               out->virus_finding_count * sizeof *out->virus_findings);
    out->not_opened = inspection->not_opened;
    out->part_digest_count = inspection->parts.count;
    out->part_digests = arena_alloc_array(arena, out->part_digest_count, sizeof *out->part_digests);
    if (out->part_digest_count)
        memcpy(out->part_digests, inspection->parts.parts,
               out->part_digest_count * sizeof *out->part_digests);
    if (scanner->engine)
        out->engine = text_of(scanner->engine->version);
    else if (scanner->missing.length)
        out->virus_name = scanner->missing;
}

/* --- header --- */

static struct text cut_utf8(struct text text, size_t most)
{
    if (text.length <= most) return text;
    while (most > 0 && ((unsigned char)text.at[most] & 0xC0) == 0x80) most--;
    return text_slice(text, 0, most);
}

static struct text field_value(const struct header *header, enum header_id id)
{
    const struct header_field *field = header_find(header, id);
    return field ? text_slice(text_trim(field->value), 0, FIELD_MOST) : TEXT_NONE;
}

void read_header(struct arena *arena, const struct mime *mime, struct facts *out)
{
    const struct header *header = mime->parts[0].header;
    const struct header_field *subject = header_find(header, HEADER_SUBJECT);
    if (subject)
        out->subject =
            cut_utf8(word_decode_in(arena, text_trim(subject->value), mime->declared, NULL), SUBJECT_MOST);
    out->message_id = field_value(header, HEADER_MESSAGE_ID);
    struct text from = field_value(header, HEADER_FROM);
    out->from = cut_utf8(word_decode_in(arena, from, mime->declared, NULL), SUBJECT_MOST);
    out->received_count = header->times[HEADER_RECEIVED];
}

/* Whichever way it turns out to go. */
static bool may_warn(const struct config *config, const struct facts *facts)
{
    if (outside_may_warn(config)) return true;
    for (uint32_t i = 0; i < facts->virus_finding_count; i++)
        if (config_virus_warns(config, facts->virus_findings[i].class)) return true;
    for (unsigned kind = 0; kind < CLOSED_KINDS_MOST; kind++)
        if (facts->not_opened >> kind & 1 && closed_kinds_warns(config, kind)) return true;
    return false;
}

static struct mime_limits *limits_of(struct arena *arena, const struct config *config)
{
    struct mime_limits *limits = arena_alloc(arena, sizeof *limits);
    *limits = mime_limits_default;
    if (config->limits.mime_parts) limits->parts = config->limits.mime_parts;
    if (config->limits.mime_depth) limits->depth = config->limits.mime_depth;
    return limits;
}

enum { OWN_MOST = 16 }; /* recipients of a message that all of them may have told of */

/* What its near-duplicates are known by, and what is known of them, which may count for mail from outside. */
static void campaign_look(struct arena *arena, const struct scanner *scanner, const struct occasion *occasion,
                          const struct campaign_sketch *sketch, struct facts *out)
{
    struct campaign_answer answer = { 0 };
    struct buffer bytes = { 0 };
    uint32_t count = occasion->recipient_count <= OWN_MOST ? occasion->recipient_count : 0;
    if (!scanner->campaigns || campaign_sketch_is_empty(sketch)) return;
    campaign_sketch_put(sketch, &bytes);
    out->sketch = arena_text(arena, buffer_text(&bytes));
    buffer_clear(&bytes);
    campaign_table_look(scanner->campaigns, sketch, occasion->recipients, count,
                        message_id_time_ms(occasion->id), &answer);
    if (answer.id) campaign_answer_put(&answer, &bytes);
    out->campaign = arena_text(arena, buffer_text(&bytes));
    buffer_free(&bytes);
}

/* Bits of enum entry_feature that some entry has a pattern for; none where entries do not count. */
static unsigned patterns_load(const struct scanner *scanner, const struct occasion *occasion)
{
    if (!scanner->patterns || occasion->direction == DIRECTION_OUT) return 0;
    return entry_patterns_load(scanner->patterns, entry_page_read(scanner->entries),
                               scanner->config->entry_image);
}

/* --- one message --- */

/* While it is read; it stays where it is. */
struct message_work {
    struct arena *arena;
    const struct scanner *scanner;
    const struct config *config;
    const struct occasion *occasion;
    const uint8_t *digest; /* of the message; NULL: nobody made it yet */
    struct mime *mime;
    const struct header *header;
    bool is_for_viruses, is_for_spam; /* some recipient has it looked at for that */
    unsigned patterned;               /* patterns_load */
    struct local_model local;
    struct campaign_sketch sketch;
    struct score score;
    struct inspection inspection; /* where is_for_viruses */
    struct opening opening;
    struct extraction extraction;
    struct text members; /* names of files in containers, a line each */
    struct facts *out;
};

static void score_begin(struct message_work *work)
{
    const struct scanner *scanner = work->scanner;
    work->score = (struct score){ .arena = work->arena,
                                  .base = scanner->base,
                                  .rules = scanner->rules,
                                  .wants_links = scanner->impostors != NULL ||
                                                 list_questions_want_links(work->config) ||
                                                 work->patterned >> ENTRY_LINK & 1 };
    if (scanner->local)
        work->score.local = scanner->local;
    else if (local_model_use(learned_page_read(scanner->learned), &work->local))
        work->score.local = &work->local;
    if (work->is_for_spam && scanner->campaigns && work->occasion->direction == DIRECTION_IN)
        work->score.sketch = &work->sketch;
}

static void work_begin(struct message_work *work)
{
    work->is_for_viruses = is_asked_for(work->config, work->occasion, config_virus_mode);
    work->is_for_spam = is_spam_asked_for(work->config, work->occasion);
    work->patterned = patterns_load(work->scanner, work->occasion);
    score_begin(work);
    *work->out = (struct facts){ .virus = SCAN_NOT_ASKED, .part_count = (uint32_t)work->mime->count };
}

/* What needs no reading: the message as it came, and files that are known. */
static void inspection_start(struct message_work *work)
{
    const struct scanner *scanner = work->scanner;
    struct inspection *inspection = &work->inspection;
    inspect_begin(inspection, work->arena, scanner->engine, scanner->cache, work->mime->message,
                  work->digest);
    inspection->keeps_parts = scanner->config->virus.parts_ms > 0;
    known_find(work->mime, inspection);
    inspect_whole(inspection);
}

/* All that needs the parts' bytes. */
static void parts_read(struct message_work *work)
{
    const struct scanner *scanner = work->scanner;
    struct inspection *inspection = work->is_for_viruses ? &work->inspection : NULL;
    if (inspection) inspection_start(work);
    opening_begin(&work->opening, work->config, scanner->readers, inspection);
    work->opening.wants_names = work->patterned >> ENTRY_ATTACHMENT & 1;
    extraction_begin(&work->extraction, work->config, work->arena, scanner->readers, &work->score,
                     work->is_for_spam);
    if (scanner->readers && (inspection || work->is_for_spam)) work->opening.extraction = &work->extraction;
    parts_walk(work->arena, work->mime, inspection, &work->opening, &work->score, work->out);
    text_extract(&work->extraction, &work->opening);
    work->members = arena_text(work->arena, buffer_text(&work->opening.names));
    opening_end(&work->opening);
    if (!inspection) return;
    inspect_end(inspection, finding_set_calls_for(&work->mime->findings, CONSEQUENCE_LIMIT));
    virus_tell(work->arena, scanner, inspection, work->out);
}

/* What it is, and who says to have sent it. */
static void message_look(struct message_work *work)
{
    struct facts *out = work->out;
    const struct entry_texts texts = { work->score.link_hosts, work->score.link_urls, work->members };
    out->findings = findings_names(work->arena, &work->mime->findings);
    out->content = content_flags(work->mime->message, work->header->body_offset);
    read_header(work->arena, work->mime, out);
    out->tenancy = tenancy_read(work->config, work->occasion, work->header);
    authenticate_read(work->arena, work->config, work->occasion, work->mime->message, work->header, out);
    impostor_read(work->arena, work->config, work->scanner->impostors, work->scanner->lists, work->occasion,
                  work->mime, &work->score, out);
    if (work->patterned)
        out->entry_hits = entry_patterns_find(work->scanner->patterns, work->arena, work->mime, &texts);
}

/* What others have to be asked before it can be decided. */
static void questions_raise(struct message_work *work, enum direction direction)
{
    struct from_domains from = { 0 };
    const struct list_content content = { &from, work->score.link_hosts, work->score.link_urls,
                                          work->is_for_viruses ? &work->inspection.parts : NULL };
    bool is_inward = direction == DIRECTION_IN;
    if (is_inward) from_domains_find(work->arena, work->header, &from);
    if (work->is_for_spam && is_inward)
        list_questions_raise(work->arena, work->config, work->header, &content, work->out);
    if ((work->is_for_spam || config_greylists(work->config)) && is_inward)
        sender_history_raise(work->arena, work->config, work->occasion, &from, work->out);
    rate_raise(work->arena, work->config, work->occasion, direction, &from, &work->score, work->out);
}

void read_facts(struct arena *arena, const struct scanner *scanner, const struct occasion *occasion,
                struct text message, const uint8_t *digest, struct facts *out)
{
    const struct config *config = scanner->config;
    struct message_work work = { arena, scanner, config, occasion, digest, .out = out };
    work.mime = mime_parse(arena, message, limits_of(arena, config), MIME_FIRST);
    work.header = work.mime->parts[0].header;
    work_begin(&work);
    parts_read(&work);
    score_message(&work.score, work.mime);
    message_look(&work);
    enum direction direction = tenancy_direction(occasion, out->tenancy);
    const struct recipe_source source = {
        arena, config, direction, message, work.mime->declared, work.header, may_warn(config, out)
    };
    recipe_look(&source, &work.score, out);
    campaign_look(arena, scanner, occasion, &work.sketch, out);
    questions_raise(&work, direction);
    seal_basis_read(arena, config, occasion, message, work.header, out);
    out->rule_marks = work.score.rule_marks;
    out->signals = work.score.signals;
    out->signal_count = work.score.count;
    if (work.is_for_spam) lesson_choice_read(arena, config, scanner->base, occasion, message, out);
}
