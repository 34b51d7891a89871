/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Gathers the signals: how a message is built by tables here, its words by the base model, by what was
   learned and by the rules. A blank Subject is no signal at all. */
#include "spam/score.h"

#include <math.h>

#include "spam/campaign_sketch.h"
#include "spam/message_facts.h"
#include "spam/rule_signals.h"
#include "spam/signup_shape.h"

void score_add(struct score *score, const char *name, double points, struct text about)
{
    for (uint32_t i = 0; i < score->count; i++)
        if (text_equal(score->signals[i].name, text_of(name))) return;
    if (!score->signals)
        score->signals = arena_alloc_array(score->arena, SCORE_SIGNALS_MOST, sizeof *score->signals);
    if (score->count == SCORE_SIGNALS_MOST) return;
    bool is_last = score->count == SCORE_SIGNALS_MOST - 1;
    score->signals[score->count++] =
        is_last ? (struct signal){ TEXT("LIMIT_SIGNALS"), 0, TEXT("more signals were left out") }
                : (struct signal){ text_of(name), points, about };
}

/* --- parts --- */

static const char *const gtube_pieces[] = { "XJS*C4JDBQADN1.NSBN3*2IDNEN*", "GTUBE-STANDARD-ANTI-",
                                            "UBE-TEST-EMAIL*C.34X" };

void score_write_gtube(struct buffer *out)
{
    for (size_t i = 0; i < 3; i++) buffer_add_text(out, text_of(gtube_pieces[i]));
}

/* The pieces in a row: the first is found, the others must follow. */
static bool has_gtube(struct text bytes)
{
    struct text first = text_of(gtube_pieces[0]);
    for (;;) {
        size_t at = text_find(bytes, first);
        if (at == bytes.length) return false;
        bytes = text_slice(bytes, at + first.length, bytes.length);
        struct text second = text_of(gtube_pieces[1]), third = text_of(gtube_pieces[2]);
        if (text_starts(bytes, second) && text_starts(text_slice(bytes, second.length, bytes.length), third))
            return true;
    }
}

static void gtube_look(struct score *score, struct text bytes)
{
    if (has_gtube(bytes)) score_add(score, "GTUBE", 1000, TEXT("the test for junk filters"));
}

void score_part(struct score *score, const struct mime_part *part, struct text bytes)
{
    bool is_text = text_starts(part->type, TEXT("text/")) || text_starts(part->type, TEXT("multipart/"));
    if (!is_text || bytes.length == 0) return;
    gtube_look(score, bytes);
}

/* --- what stands in no part as text --- */

enum { SCHEME_MOST = 20, HOST_MOST = 255, LINK_HOSTS_MOST = 4096 };

static bool is_host(char c)
{
    return char_is_alpha(c) || char_is_digit(c) || c == '-' || c == '.' || c == '_' || c == ':' || c == '[' ||
           c == ']' || (unsigned char)c >= 0x80;
}

/* RFC 3986 section 3.1; empty where an address has none. */
static struct text scheme_of(struct text address)
{
    size_t colon = text_find_char(text_slice(address, 0, SCHEME_MOST), ':');
    struct text scheme = text_slice(address, 0, colon);
    for (size_t i = 0; i < scheme.length; i++)
        if (!char_is_alpha(scheme.at[i])) return TEXT_NONE;
    return colon < address.length && colon < SCHEME_MOST ? scheme : TEXT_NONE;
}

/* Section 3.2.2, with its port: what stands behind the last "@" of the authority. Empty: there is none. */
static struct text host_of(struct text address)
{
    struct text scheme = scheme_of(address);
    struct text rest = text_slice(address, scheme.length + 1, address.length);
    bool is_web = text_equal_nocase(scheme, TEXT("http")) || text_equal_nocase(scheme, TEXT("https"));
    if (scheme.length == 0 || (!is_web && !text_starts(rest, TEXT("//")))) return TEXT_NONE;
    while (rest.length > 0 && (rest.at[0] == '/' || rest.at[0] == '\\'))
        rest = text_slice(rest, 1, rest.length);
    size_t end = 0;
    while (end < rest.length && rest.at[end] != '/' && rest.at[end] != '\\' && rest.at[end] != '?' &&
           rest.at[end] != '#')
        end++;
    rest = text_slice(rest, 0, end);
    size_t at = text_find_last_char(rest, '@');
    rest = text_slice(rest, at < rest.length ? at + 1 : 0, rest.length);
    for (end = 0; end < rest.length && is_host(rest.at[end]);) end++;
    return text_slice(rest, 0, end < HOST_MOST ? end : HOST_MOST);
}

/* False: nobody wants text. */
static bool text_begin(struct score *score)
{
    bool is_wanted = score->base || score->local || score->rules || score->sketch || score->wants_links;
    if (!is_wanted) return false;
    if (score->text) return true;
    score->text = message_text_new(score->arena);
    if (score->local) score->draft = vector_draft_new(score->arena);
    return true;
}

void score_text(struct score *score, enum score_source source, struct text text)
{
    gtube_look(score, text);
    if (text_begin(score)) message_text_found(score->text, text);
    if (source == SCORE_CODE && host_of(text).length == 0)
        score_add(score, "PICTURE_CODE", 0, arena_text_lower(score->arena, scheme_of(text)));
}

void score_link(struct score *score, enum score_source source, struct text address)
{
    struct text host = host_of(address);
    if (host.length == 0) return;
    if (score->wants_links && score->link_urls.length < LINK_HOSTS_MOST)
        score->link_urls = arena_printf(score->arena, "%.*s%.*s\n", TEXT_ARG(score->link_urls),
                                        TEXT_ARG(text_slice(address, 0, text_find_char(address, '\n'))));
    if (score->wants_links && score->link_hosts.length < LINK_HOSTS_MOST)
        score->link_hosts = arena_printf(score->arena, "%.*s%.*s\n", TEXT_ARG(score->link_hosts),
                                         TEXT_ARG(text_slice(host, 0, text_find_char(host, ':'))));
    if (text_begin(score)) message_text_found_link(score->text, address);
    score_add(score, source == SCORE_PDF ? "PDF_LINK" : "PICTURE_CODE_LINK", 0,
              arena_text_lower(score->arena, host));
}

void score_unread(struct score *score, struct text why)
{
    score_add(score, "TEXT_NOT_READ", 0, why);
}

/* --- models and rules --- */

struct text score_read(struct score *score, const struct mime_part *part, struct text bytes)
{
    if (!text_begin(score)) return TEXT_NONE;
    if (score->draft) vector_draft_part(score->draft, part, bytes);
    if (score->sketch) campaign_sketch_file(part, bytes, score->sketch);
    return message_text_part(score->text, part, bytes);
}

static void base_look(struct score *score, const struct features *features, const struct message_text *text)
{
    enum base_script script = base_script_of(text);
    double margin = base_model_margin(score->base, features, script);
    double points = base_model_points(score->base, margin);
    const char *about = margin > 0 ? "like the spam that the base model was made from"
                                   : "like the good mail that the base model was made from";
    if (fabs(points) >= 0.05) score_add(score, "BASE_MODEL", points, text_of(about));
}

static void local_look(struct score *score, const struct mime *mime, const struct features *features,
                       const struct message_text *text)
{
    struct mail_vector vector;
    vector_draft_finish(score->draft, mime, text, features, &vector);
    double margin = learner_local(score->local->weights, &vector);
    double points = local_model_points(score->local, margin);
    const char *about =
        margin > 0 ? "like the spam that was learned here" : "like the good mail that was learned here";
    if (fabs(points) >= 0.05) score_add(score, "LOCAL_MODEL", points, text_of(about));
}

static void rules_look(struct score *score, const struct mime *mime, const struct features *features)
{
    struct rule_signals found;
    rule_signals_read(score->arena, score->rules, mime, score->text, features, &found);
    for (uint32_t i = 0; i < found.count; i++)
        score_add(score, found.items[i].name.at, found.items[i].points, found.items[i].about);
    score->rule_marks = found.marks;
}

static void links_keep(struct score *score, const struct feature_links *links)
{
    score->link_hosts = arena_printf(score->arena, "%.*s%.*s", TEXT_ARG(score->link_hosts),
                                     TEXT_ARG(buffer_text(&links->hosts)));
    score->link_urls = arena_printf(score->arena, "%.*s%.*s", TEXT_ARG(score->link_urls),
                                    TEXT_ARG(buffer_text(&links->urls)));
    score->link_texts = arena_text(score->arena, buffer_text(&links->shown));
}

/* What was there and not looked at. */
static void limits_tell(struct score *score, const struct message_text *text, const struct features *features)
{
    if (text->is_cut) score_add(score, "LIMIT_TEXT", 0, TEXT("the text behind 512 KB was not read"));
    if (text->is_subject_cut) score_add(score, "LIMIT_SUBJECT", 0, TEXT("its end was not read"));
    if (text->markup.has_more_links || features->has_more_links)
        score_add(score, "LIMIT_LINKS", 0, TEXT("not all links were looked at"));
}

/* What models and rules make of the text. */
static void features_look(struct score *score, const struct mime *mime)
{
    struct features *features = arena_alloc(score->arena, sizeof *features);
    struct feature_links links = { 0 };
    const struct message_text *text = score->text;
    features->arena = score->arena;
    features->links = score->rules || score->wants_links ? &links : NULL;
    message_features_add(features, mime, text);
    if (score->base) base_look(score, features, text);
    if (features_has_fact(features, "name-claims-brand", TEXT_NONE))
        score_add(score, "BRAND_CLAIMED", 2.5,
                  TEXT("the sender's name is a well-known firm's, the address is not"));
    if (score->draft) local_look(score, mime, features, text);
    if (score->rules) rules_look(score, mime, features);
    limits_tell(score, text, features);
    if (score->wants_links) links_keep(score, &links);
    feature_links_free(&links);
}

static void text_look(struct score *score, const struct mime *mime)
{
    message_text_finish(score->text, mime);
    if (score->sketch) campaign_sketch_text(score->text, score->sketch);
    if (signup_shape_has(mime->parts[0].header, score->text->subject_folded, score->text->visible))
        score_add(score, "SIGNUP", 0, TEXT("it confirms a sign-up, or asks to"));
    if (score->base || score->draft || score->rules || score->wants_links) features_look(score, mime);
    message_text_free(score->text);
    score->text = NULL;
    score->draft = NULL;
}

/* --- the message --- */

static const struct {
    enum finding finding;
    double points;
    const char *name;
} finding_weights[] = {
    { FINDING_HEADER_NO_COLON, 0.5, "HEADER_NO_COLON" },
    { FINDING_HEADER_NUL, 1.0, "HEADER_NUL" },
    { FINDING_HEADER_EMPTY_NAME, 0.3, "HEADER_EMPTY_NAME" },
    { FINDING_HEADER_BARE_CR, 0.5, "HEADER_BARE_CR" },
    { FINDING_CONTENT_SPACE_BEFORE_COLON, 1.0, "MIME_SPACE_BEFORE_COLON" },
    { FINDING_DUPLICATE_FIELD, 0.5, "DUPLICATE_FIELD" },
    { FINDING_DUPLICATE_CONTENT_TYPE, 1.5, "MIME_DUPLICATE_CONTENT_TYPE" },
    { FINDING_DUPLICATE_TRANSFER_ENCODING, 1.0, "MIME_DUPLICATE_TRANSFER_ENCODING" },
    { FINDING_DUPLICATE_BOUNDARY, 1.5, "MIME_DUPLICATE_BOUNDARY" },
    { FINDING_ENCODED_BOUNDARY, 1.0, "MIME_ENCODED_BOUNDARY" },
    { FINDING_AMBIGUOUS_BOUNDARY, 1.0, "MIME_AMBIGUOUS_BOUNDARY" },
    { FINDING_BYTES_BETWEEN_PARTS, 0.5, "MIME_BYTES_BETWEEN_PARTS" },
    { FINDING_UNKNOWN_TRANSFER_ENCODING, 1.0, "MIME_UNKNOWN_TRANSFER_ENCODING" },
    { FINDING_QUOTED_TRANSFER_ENCODING, 1.0, "MIME_QUOTED_TRANSFER_ENCODING" },
    { FINDING_ENCODED_CONTAINER, 0.5, "MIME_ENCODED_CONTAINER" },
    { FINDING_BASE64_JUNK, 0.5, "MIME_BASE64_JUNK" },
    { FINDING_BASE64_INNER_PADDING, 0.5, "MIME_BASE64_INNER_PADDING" },
    { FINDING_BODY_NUL, 0.3, "BODY_NUL" },
    { FINDING_UNKNOWN_CHARSET, 0.2, "MIME_UNKNOWN_CHARSET" },
    { FINDING_HEADER_TOO_LONG, 0, "LIMIT_HEADER" },
    { FINDING_TOO_MANY_FIELDS, 0, "LIMIT_FIELDS" },
    { FINDING_TOO_MANY_PARAMETERS, 0, "LIMIT_PARAMETERS" },
    { FINDING_NESTED_TOO_DEEP, 0, "LIMIT_DEPTH" },
    { FINDING_TOO_MANY_PARTS, 0, "LIMIT_PARTS" },
    { FINDING_DECODED_TOO_LARGE, 0, "LIMIT_DECODED" },
};

static const struct {
    enum header_id id;
    double points;
    const char *name;
} missing_weights[] = {
    { HEADER_FROM, 1.0, "MISSING_FROM" },
    { HEADER_DATE, 0.5, "MISSING_DATE" },
    { HEADER_MESSAGE_ID, 0.3, "MISSING_MESSAGE_ID" },
};

void score_message(struct score *score, const struct mime *mime)
{
    const struct header *header = mime->parts[0].header;
    for (size_t i = 0; i < sizeof missing_weights / sizeof *missing_weights; i++)
        if (!header_find(header, missing_weights[i].id))
            score_add(score, missing_weights[i].name, missing_weights[i].points, TEXT_NONE);
    for (size_t i = 0; i < sizeof finding_weights / sizeof *finding_weights; i++)
        if (finding_has(&mime->findings, finding_weights[i].finding))
            score_add(score, finding_weights[i].name, finding_weights[i].points,
                      text_of(finding_name(finding_weights[i].finding)));
    if (score->rules) text_begin(score);
    if (score->text) text_look(score, mime);
}

/* --- answers --- */

static void score_client_name(struct score *score, const struct question *question)
{
    switch (question->status) {
    case ANSWER_NONE:
        score_add(score, "RDNS_NONE", 0.8, question->subject);
        break;
    case ANSWER_MISMATCH:
        score_add(score, "RDNS_MISMATCH", 0.5, question->value);
        break;
    case ANSWER_TEMPERROR:
    case ANSWER_PENDING:
        score_add(score, "RDNS_TEMPERROR", 0, question->subject);
        break;
    case ANSWER_FOUND:
        break;
    }
}

void score_answers(struct score *score, const struct question *questions, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (questions[i].kind == QUESTION_CLIENT_NAME) score_client_name(score, &questions[i]);
}

double score_sum(const struct signal *signals, uint32_t count)
{
    double tenths = 0;
    for (uint32_t i = 0; i < count; i++) tenths += round(signals[i].points * 10);
    return tenths / 10;
}
