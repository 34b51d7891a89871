/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "spam/markup.h"

#include <stdio.h>

#include "spam/entity.h"

enum { NAME_MOST = 16, TAG_BYTES_MOST = 64 * 1024, ATTRIBUTES_MOST = 64 };

struct attribute {
    struct text name, value; /* as written */
};

struct element {
    const char *name;
    bool is_block;   /* a line of its own */
    bool is_void;    /* nothing is in it */
    bool is_sibling; /* two of them are never inside each other: the second ends the first */
    bool is_raw;     /* what stands up to its end tag is no text */
};

struct tag {
    char name[NAME_MOST]; /* lower case; cut */
    struct element element;
    bool is_end;
    struct attribute attributes[ATTRIBUTES_MOST];
    uint32_t attribute_count;
};

/* Where one reading is. */
struct walk {
    struct markup *markup;
    struct text html;
    size_t at;
    char hidden_by[NAME_MOST]; /* the element that hides what is in it; empty: none does */
    uint32_t hidden_depth;     /* elements of that name inside each other */
    bool has_hidden_text;
    struct markup_link *open; /* an anchor that has not ended; NULL: none */
    size_t open_at;           /* where in `text` its words begin */
    struct buffer room;       /* a value with its references decoded */
};

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool tag_is(const struct tag *tag, const char *name)
{
    return tag->name[0] == name[0] && strcmp(tag->name, name) == 0;
}

/* By name. */
static const struct element elements[] = {
    { "area", .is_void = true },
    { "article", .is_block = true },
    { "base", .is_void = true },
    { "blockquote", .is_block = true },
    { "body", .is_block = true },
    { "br", .is_block = true, .is_void = true },
    { "center", .is_block = true },
    { "col", .is_void = true },
    { "dd", .is_sibling = true },
    { "div", .is_block = true },
    { "dt", .is_sibling = true },
    { "embed", .is_void = true },
    { "footer", .is_block = true },
    { "h1", .is_block = true },
    { "h2", .is_block = true },
    { "h3", .is_block = true },
    { "h4", .is_block = true },
    { "h5", .is_block = true },
    { "h6", .is_block = true },
    { "header", .is_block = true },
    { "hr", .is_block = true, .is_void = true },
    { "img", .is_void = true },
    { "input", .is_void = true },
    { "li", .is_block = true, .is_sibling = true },
    { "link", .is_void = true },
    { "meta", .is_void = true },
    { "noscript", .is_raw = true },
    { "ol", .is_block = true },
    { "option", .is_sibling = true },
    { "p", .is_block = true, .is_sibling = true },
    { "param", .is_void = true },
    { "pre", .is_block = true },
    { "script", .is_raw = true },
    { "section", .is_block = true },
    { "source", .is_void = true },
    { "style", .is_raw = true },
    { "table", .is_block = true },
    { "td", .is_block = true, .is_sibling = true },
    { "th", .is_block = true, .is_sibling = true },
    { "title", .is_raw = true },
    { "tr", .is_block = true, .is_sibling = true },
    { "track", .is_void = true },
    { "ul", .is_block = true },
    { "wbr", .is_void = true },
    { "xmp", .is_raw = true },
};

/* Without a name where nothing is said of it. */
static struct element element_of(const char *name)
{
    for (size_t i = 0; i < sizeof elements / sizeof *elements && elements[i].name[0] <= name[0]; i++)
        if (elements[i].name[0] == name[0] && strcmp(elements[i].name, name) == 0) return elements[i];
    return (struct element){ 0 };
}

/* --- tags --- */

static void space_skip(struct text text, size_t *at)
{
    while (*at < text.length && (is_space(text.at[*at]) || text.at[*at] == '/')) ++*at;
}

static struct text value_read(struct text text, size_t *at)
{
    char quote = *at < text.length ? text.at[*at] : 0;
    size_t from = *at;
    if (quote == '"' || quote == '\'') {
        const char *end = memchr(text.at + from + 1, quote, text.length - from - 1);
        size_t stop = end ? (size_t)(end - text.at) : text.length;
        *at = end ? stop + 1 : stop;
        return text_slice(text, from + 1, stop);
    }
    while (*at < text.length && !is_space(text.at[*at]) && text.at[*at] != '>') ++*at;
    return text_slice(text, from, *at);
}

static void attribute_read(struct text text, size_t *at, struct attribute *out)
{
    size_t from = *at;
    while (*at < text.length && !is_space(text.at[*at]) && !strchr("=>/", text.at[*at])) ++*at;
    if (*at == from) ++*at; /* a lone "=" */
    *out = (struct attribute){ .name = text_slice(text, from, *at) };
    size_t behind = *at;
    while (behind < text.length && is_space(text.at[behind])) behind++;
    if (behind >= text.length || text.at[behind] != '=') return;
    behind++;
    while (behind < text.length && is_space(text.at[behind])) behind++;
    out->value = value_read(text, &behind);
    *at = behind;
}

/* `text` begins behind "<" with a letter, or "/" and a letter. Returns its bytes with the ">", or all. */
static size_t tag_read(struct text text, struct tag *out)
{
    size_t at = text.at[0] == '/', length = 0;
    out->is_end = at == 1;
    out->attribute_count = 0;
    memset(out->name, 0, sizeof out->name);
    text = text_slice(text, 0, TAG_BYTES_MOST);
    for (; at < text.length && !is_space(text.at[at]) && text.at[at] != '>' && text.at[at] != '/'; at++)
        if (length < NAME_MOST - 1) out->name[length++] = char_lower(text.at[at]);
    out->element = element_of(out->name);
    for (space_skip(text, &at); at < text.length && text.at[at] != '>'; space_skip(text, &at)) {
        struct attribute attribute;
        attribute_read(text, &at, &attribute);
        if (out->attribute_count < ATTRIBUTES_MOST) out->attributes[out->attribute_count++] = attribute;
    }
    return at < text.length ? at + 1 : at;
}

static struct text tag_value(const struct tag *tag, const char *name)
{
    for (uint32_t i = 0; i < tag->attribute_count; i++)
        if (text_equal_nocase(tag->attributes[i].name, text_of(name))) return tag->attributes[i].value;
    return TEXT_NONE;
}

/* --- styles --- */

/* The value of a property in a style: "display:none". */
static struct text style_value(struct text style, struct text property)
{
    while (style.length > 0) {
        struct text part = text_slice(style, 0, text_find_char(style, ';'));
        size_t colon = text_find_char(part, ':');
        if (text_equal_nocase(text_trim(text_slice(part, 0, colon)), property))
            return text_trim(text_slice(part, colon + 1, part.length));
        style = text_slice(style, part.length + 1, style.length);
    }
    return TEXT_NONE;
}

/* "0", "0px", "1px", "0.1em": what nobody can read. */
static bool is_tiny(struct text size)
{
    if (size.length == 0 || (size.at[0] != '0' && size.at[0] != '1')) return false;
    size_t digits = 1;
    while (digits < size.length && (char_is_digit(size.at[digits]) || size.at[digits] == '.')) digits++;
    struct text unit = text_slice(size, digits, size.length);
    bool is_zero = size.at[0] == '0' &&
                   (digits == 1 || text_starts(unit, TEXT("px")) || (size.length > 2 && size.at[2] == '0'));
    return is_zero || (size.at[0] == '1' && (digits == 1 || size.at[1] == '.') &&
                       (text_starts_nocase(unit, TEXT("px")) || text_starts_nocase(unit, TEXT("pt"))));
}

/* A colour in six digits; 0xFFFFFFFF: none that is understood. */
static uint32_t colour_of(struct text colour)
{
    uint32_t value = 0;
    if (text_starts_nocase(colour, TEXT("white"))) return 0xFFFFFF;
    if (text_starts_nocase(colour, TEXT("black"))) return 0;
    if (colour.length < 4 || colour.at[0] != '#') return UINT32_MAX;
    size_t digits = 0;
    while (digits < 6 && digits + 1 < colour.length && char_hex_value(colour.at[digits + 1]) >= 0)
        value = value << 4 | (uint32_t)char_hex_value(colour.at[++digits]);
    if (digits == 3) return (value & 0xF00) * 0x1100 | (value & 0xF0) * 0x110 | (value & 0xF) * 0x11;
    return digits == 6 ? value : UINT32_MAX;
}

static bool are_alike(uint32_t a, uint32_t b)
{
    if (a == UINT32_MAX || b == UINT32_MAX) return false;
    int distance = 0;
    for (int shift = 0; shift < 24; shift += 8) {
        int apart = (int)(a >> shift & 0xFF) - (int)(b >> shift & 0xFF);
        distance += apart < 0 ? -apart : apart;
    }
    return distance < 24;
}

/* Only where the element says both colours: a white text may stand on its parent's dark ground. */
static bool is_invisible_colour(const struct tag *tag, struct text style)
{
    struct text ground = style_value(style, TEXT("background-color"));
    if (ground.length == 0) ground = style_value(style, TEXT("background"));
    if (ground.length == 0) ground = tag_value(tag, "bgcolor");
    struct text colour = style_value(style, TEXT("color"));
    if (colour.length == 0) colour = tag_value(tag, "color");
    return are_alike(colour_of(colour), colour_of(ground));
}

static bool is_hiding(const struct tag *tag)
{
    struct text style = tag_value(tag, "style");
    for (uint32_t i = 0; i < tag->attribute_count; i++)
        if (text_equal_nocase(tag->attributes[i].name, TEXT("hidden"))) return true;
    if (style.length == 0) return false;
    return text_starts_nocase(style_value(style, TEXT("display")), TEXT("none")) ||
           text_starts_nocase(style_value(style, TEXT("visibility")), TEXT("hidden")) ||
           text_starts_nocase(style_value(style, TEXT("mso-hide")), TEXT("all")) ||
           is_tiny(style_value(style, TEXT("font-size"))) ||
           text_equal(style_value(style, TEXT("opacity")), TEXT("0")) || is_invisible_colour(tag, style);
}

/* "margin-top: 40000px", "height: 1000vh": what follows is seen by nobody. */
static bool is_push(struct text declaration)
{
    static const char *const properties[] = { "height",      "min-height",     "margin-top", "margin-bottom",
                                              "padding-top", "padding-bottom", NULL };
    size_t colon = text_find_char(declaration, ':'), digits = 0, name = 0;
    struct text property = text_trim(text_slice(declaration, 0, colon));
    while (properties[name] && !text_equal_nocase(property, text_of(properties[name]))) name++;
    if (!properties[name]) return false;
    struct text value = text_trim(text_slice(declaration, colon + 1, declaration.length));
    while (digits < value.length && char_is_digit(value.at[digits])) digits++;
    struct text unit = text_slice(value, digits, value.length);
    return (digits >= 4 && text_starts_nocase(unit, TEXT("vh"))) ||
           (digits >= 5 && text_starts_nocase(unit, TEXT("px")));
}

static uint32_t pushes_in(struct text styles)
{
    enum { DIGITS_LEAST = 4 };
    uint32_t pushes = 0, digits = 0;
    bool may_push = false;
    size_t from = 0;
    for (size_t at = 0; at <= styles.length; at++) {
        char c = at < styles.length ? styles.at[at] : ';';
        digits = char_is_digit(c) ? digits + 1 : 0;
        may_push |= digits == DIGITS_LEAST;
        if (c != ';' && c != '{' && c != '}') continue;
        pushes += may_push && is_push(text_slice(styles, from, at));
        from = at + 1;
        may_push = false;
    }
    return pushes;
}

static void hiding_follow(struct walk *walk, const struct tag *tag)
{
    bool is_same = walk->hidden_by[0] && tag_is(tag, walk->hidden_by);
    if (walk->hidden_by[0] && !is_same) return;
    if (is_same && (tag->is_end || tag->element.is_sibling) && --walk->hidden_depth == 0) {
        walk->markup->hidden_elements += walk->has_hidden_text;
        walk->has_hidden_text = false;
        walk->hidden_by[0] = '\0';
    } else if (is_same && !tag->is_end && !tag->element.is_sibling) {
        walk->hidden_depth++;
    }
    if (walk->hidden_by[0] || tag->is_end || tag->element.is_void || !is_hiding(tag)) return;
    memcpy(walk->hidden_by, tag->name, NAME_MOST);
    walk->hidden_depth = 1;
}

/* --- text --- */

static struct buffer *ground(struct walk *walk)
{
    return walk->hidden_by[0] ? &walk->markup->hidden : &walk->markup->text;
}

static char last_of(const struct buffer *buffer)
{
    struct text all = buffer_text(buffer);
    return all.length ? all.at[all.length - 1] : '\n';
}

static void line_end(struct walk *walk)
{
    struct buffer *out = ground(walk);
    char last = last_of(out);
    if (last == ' ') buffer_truncate(out, buffer_length(out) - 1);
    if (last_of(out) != '\n') buffer_add_char(out, '\n');
}

static void text_add(struct walk *walk, struct text text)
{
    struct buffer *out = ground(walk);
    char *to = buffer_reserve(out, text.length), last = last_of(out);
    size_t length = 0;
    for (size_t i = 0; i < text.length; i++) {
        char c = is_space(text.at[i]) ? ' ' : text.at[i];
        if (c == ' ' && (last == ' ' || last == '\n')) continue;
        last = to[length++] = c;
    }
    buffer_commit(out, length);
    if (walk->hidden_by[0] && length > 0) walk->has_hidden_text = true;
}

/* Up to the next tag. */
static void text_read(struct walk *walk)
{
    const char *start = walk->html.at + walk->at, *end = memchr(start, '<', walk->html.length - walk->at);
    struct text run = { start, end ? (size_t)(end - start) : walk->html.length - walk->at };
    walk->at += run.length;
    while (run.length > 0) {
        struct text plain = text_slice(run, 0, text_find_char(run, '&'));
        text_add(walk, plain);
        run = text_slice(run, plain.length, run.length);
        if (run.length == 0) return;
        size_t used = entity_read(run, ground(walk));
        walk->markup->entities += used > 0;
        if (used > 0 && walk->hidden_by[0]) walk->has_hidden_text = true;
        if (used == 0) text_add(walk, text_slice(run, 0, 1));
        run = text_slice(run, used ? used : 1, run.length);
    }
}

/* --- links --- */

static struct text decoded(struct walk *walk, struct text value)
{
    buffer_clear(&walk->room);
    value = text_slice(value, 0, MARKUP_TARGET_MOST);
    while (value.length > 0) {
        size_t plain = text_find_char(value, '&');
        buffer_add_text(&walk->room, text_slice(value, 0, plain));
        value = text_slice(value, plain, value.length);
        if (value.length == 0) break;
        size_t used = entity_read(value, &walk->room);
        if (used == 0) buffer_add_char(&walk->room, '&');
        value = text_slice(value, used ? used : 1, value.length);
    }
    return arena_text(walk->markup->arena, text_trim(buffer_text(&walk->room)));
}

static struct markup_link *link_add(struct walk *walk, enum markup_link_kind kind, struct text target)
{
    struct markup *markup = walk->markup;
    if (target.length == 0) return NULL;
    markup->has_more_links = markup->has_more_links || markup->link_count == MARKUP_LINKS_MOST;
    if (markup->has_more_links) return NULL;
    struct markup_link *link = &markup->links[markup->link_count++];
    *link = (struct markup_link){ kind, decoded(walk, target), TEXT_NONE };
    return link;
}

static void anchor_end(struct walk *walk)
{
    struct text words = buffer_text(&walk->markup->text);
    if (walk->open && walk->open_at <= words.length)
        walk->open->shown = arena_text(
            walk->markup->arena,
            text_slice(text_trim(text_slice(words, walk->open_at, words.length)), 0, MARKUP_SHOWN_MOST));
    walk->open = NULL;
}

/* A drawing may call it otherwise. */
static void anchor_take(struct walk *walk, const struct tag *tag)
{
    struct text target = tag_value(tag, "href");
    anchor_end(walk);
    if (target.length == 0) target = tag_value(tag, "xlink:href");
    if (!tag->is_end) walk->open = link_add(walk, MARKUP_LINK, target);
    walk->open_at = buffer_length(&walk->markup->text);
}

static void picture_take(struct walk *walk, const struct tag *tag)
{
    struct text width = tag_value(tag, "width"), height = tag_value(tag, "height");
    walk->markup->pictures++;
    walk->markup->tiny_pictures +=
        is_tiny(width) || is_tiny(height) || text_equal(width, TEXT("1")) || text_equal(height, TEXT("1"));
    link_add(walk, MARKUP_PICTURE, tag_value(tag, "src"));
}

static void font_take(struct walk *walk, const struct tag *tag)
{
    struct text size = text_trim(tag_value(tag, "size"));
    bool is_relative = size.length > 1 && size.at[0] == '+';
    char digit = size.length > is_relative ? size.at[is_relative] : '0';
    walk->markup->fonts++;
    walk->markup->huge_fonts += digit >= (is_relative ? '2' : '5') && digit <= '9' && size.length <= 2;
}

/* --- the walk --- */

static void raw_skip(struct walk *walk, const struct tag *tag)
{
    char end[NAME_MOST + 3];
    struct text rest = text_slice(walk->html, walk->at, walk->html.length);
    int length = snprintf(end, sizeof end, "</%s", tag->name);
    size_t skipped = text_find_nocase(rest, text_from(end, (size_t)length));
    if (tag_is(tag, "style")) walk->markup->pushes += pushes_in(text_slice(rest, 0, skipped));
    walk->at += skipped;
}

static void tag_take(struct walk *walk, const struct tag *tag)
{
    struct markup *markup = walk->markup;
    markup->tags++;
    if (tag->element.is_block) line_end(walk);
    hiding_follow(walk, tag);
    if (tag_is(tag, "a")) anchor_take(walk, tag);
    if (tag->is_end) return;
    markup->pushes += pushes_in(tag_value(tag, "style"));
    if (tag_is(tag, "img")) picture_take(walk, tag);
    if (tag_is(tag, "area")) link_add(walk, MARKUP_LINK, tag_value(tag, "href"));
    if (tag_is(tag, "form")) link_add(walk, MARKUP_FORM, tag_value(tag, "action"));
    if (tag_is(tag, "input"))
        markup->passwords += text_equal_nocase(tag_value(tag, "type"), TEXT("password"));
    if (tag_is(tag, "script")) markup->scripts++;
    if (tag_is(tag, "font")) font_take(walk, tag);
    if (tag_is(tag, "html")) markup->is_whole = true;
    markup->frames += tag_is(tag, "iframe") || tag_is(tag, "frame");
    if (tag->element.is_raw) raw_skip(walk, tag);
}

/* "<!-- … -->", "<!DOCTYPE …>", "<? … >". */
static void comment_skip(struct walk *walk)
{
    struct text rest = text_slice(walk->html, walk->at, walk->html.length);
    bool is_comment = text_starts(rest, TEXT("<!--"));
    struct text inside = text_slice(rest, is_comment ? 4 : 2, rest.length);
    size_t end = text_find(inside, is_comment ? TEXT("-->") : TEXT(">"));
    walk->at += (rest.length - inside.length) + end + (is_comment ? 3 : 1);
    walk->markup->comments += is_comment;
    if (walk->at > walk->html.length) walk->at = walk->html.length;
}

static bool is_letter_at(struct text html, size_t at)
{
    return at < html.length && char_is_alpha(html.at[at]);
}

static void angle_take(struct walk *walk)
{
    struct text rest = text_slice(walk->html, walk->at + 1, walk->html.length);
    size_t begin = walk->at;
    bool is_tag =
        is_letter_at(rest, 0) || (rest.length > 1 && rest.at[0] == '/' && char_is_alpha(rest.at[1]));
    if (is_tag) {
        struct tag tag;
        walk->at += 1 + tag_read(rest, &tag);
        tag_take(walk, &tag);
    } else if (rest.length > 0 && (rest.at[0] == '!' || rest.at[0] == '?')) {
        comment_skip(walk);
        walk->markup->split_words +=
            begin > 0 && is_letter_at(walk->html, begin - 1) && is_letter_at(walk->html, walk->at);
    } else {
        walk->at++;
        text_add(walk, TEXT("<"));
    }
}

void markup_read(struct markup *markup, struct text html)
{
    struct walk walk = { .markup = markup, .html = html };
    while (walk.at < html.length) {
        if (html.at[walk.at] == '<')
            angle_take(&walk);
        else
            text_read(&walk);
    }
    anchor_end(&walk);
    markup->hidden_elements += walk.has_hidden_text;
    buffer_free(&walk.room);
}

bool markup_link_add(struct markup *markup, enum markup_link_kind kind, struct text target)
{
    if (markup->link_count == MARKUP_LINKS_MOST || target.length == 0) return false;
    markup->links[markup->link_count++] =
        (struct markup_link){ kind, arena_text(markup->arena, text_trim(target)), TEXT_NONE };
    return true;
}

void markup_free(struct markup *markup)
{
    buffer_free(&markup->text);
    buffer_free(&markup->hidden);
}
