/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A row for each kind of engine outside, and the cross-check of the statements. Called by parse.c and
   crosscheck.c. */
#include "config/engines.h"

#include <math.h>
#include <stdio.h>
#include <sys/un.h>

#include "config/domains.h"
#include "config/lexer.h"
#include "config/load_private.h"
#include "config/nearest.h"
#include "config/value.h"

enum { SERVICE_MOST = 500, HEADER_WORD_MOST = 100, ICAP_PORT = 1344, WORDS_MOST = 100, PATTERN_MOST = 500 };

bool config_engine_minds(const struct outside_engine *engine, enum direction direction)
{
    return engine->way == ENGINE_BOTH || (engine->way == ENGINE_OUT) == (direction == DIRECTION_OUT);
}

bool config_engine_is_opinion(const struct outside_engine *engine)
{
    return engine->kind >= ENGINE_SPAMD;
}

static bool lists_are_same(const struct text_list *a, const struct text_list *b)
{
    bool is_same = a->count == b->count;
    for (size_t i = 0; is_same && i < a->count; i++) is_same = text_equal(a->items[i], b->items[i]);
    return is_same;
}

bool config_engines_are_same(const struct outside_engine *a, const struct outside_engine *b)
{
    return text_equal(a->name, b->name) && a->kind == b->kind && text_equal(a->target, b->target) &&
           a->way == b->way && a->unavailable == b->unavailable && a->size_most == b->size_most &&
           a->time_ms == b->time_ms && a->connections == b->connections && a->failures == b->failures &&
           a->pause_ms == b->pause_ms && text_equal(a->pattern, b->pattern) && text_equal(a->user, b->user) &&
           text_equal(a->settings, b->settings) && lists_are_same(&a->clean, &b->clean) &&
           lists_are_same(&a->found, &b->found) && lists_are_same(&a->reads, &b->reads);
}

bool config_engines_have_command(const struct config *config)
{
    for (size_t i = 0; i < config->engine_count; i++)
        if (config->engines[i].kind == ENGINE_COMMAND) return true;
    return false;
}

/* --- what a command says --- */

static bool refers_back(struct text pattern)
{
    for (size_t i = 0; i + 1 < pattern.length; i++) {
        if (pattern.at[i] != '\\') continue;
        i++;
        if (pattern.at[i] >= '1' && pattern.at[i] <= '9') return true;
    }
    return false;
}

bool config_engine_pattern(const struct outside_engine *engine, regex_t *out, char *why, size_t size)
{
    char room[PATTERN_MOST + 1] = { 0 };
    if (engine->pattern.length > PATTERN_MOST) return snprintf(why, size, "it is too long"), false;
    if (refers_back(engine->pattern)) return snprintf(why, size, "it refers back to a group"), false;
    memcpy(room, engine->pattern.at, engine->pattern.length);
    int error = regcomp(out, room, REG_EXTENDED);
    if (error != 0) regerror(error, out, why, size);
    return error == 0;
}

static void status_default(struct text_list *list, struct text status, struct arena *arena)
{
    if (list->count > 0) return;
    list->items = value_list_grow(arena, NULL, 0, sizeof *list->items);
    list->items[list->count++] = status;
}

void engines_finish(struct outside_engine *engine, struct arena *arena)
{
    if (engine->kind != ENGINE_COMMAND) return;
    status_default(&engine->clean, TEXT("0"), arena);
    status_default(&engine->found, TEXT("1"), arena);
}

/* --- where one is --- */

static bool path_take(struct text path, struct outside_engine *out)
{
    if (path.length == 0 || path.at[0] != '/') return false;
    if (path.length >= sizeof((struct sockaddr_un *)0)->sun_path) return false;
    out->path = path;
    return true;
}

/* No name service is asked here: a name that is not the machine's own stands in no statement. */
static bool endpoint_take(struct text word, uint16_t port, struct outside_engine *out)
{
    static const struct text own = TEXT("localhost");
    char room[32] = "127.0.0.1";
    struct text rest = text_slice(word, own.length, word.length);
    bool is_own = text_starts(word, own) && (rest.length == 0 || rest.at[0] == ':') && rest.length <= 6;
    if (!is_own) return value_endpoint_parse(word, port, &out->endpoint);
    memcpy(room + sizeof "127.0.0.1" - 1, rest.at, rest.length);
    return value_endpoint_parse(text_from(room, sizeof "127.0.0.1" - 1 + rest.length), port, &out->endpoint);
}

static bool socket_take(struct text word, struct outside_engine *out, struct arena *arena)
{
    static const struct text scheme = TEXT("unix:");
    if (text_starts(word, scheme)) return path_take(text_slice(word, scheme.length, word.length), out);
    return endpoint_take(word, 0, out);
}

/* ASCII without blanks: it goes into a line of a request. */
static bool is_graphic(struct text word)
{
    for (size_t i = 0; i < word.length; i++)
        if (word.at[i] <= ' ' || word.at[i] >= 0x7F) return false;
    return true;
}

static bool icap_take(struct text word, struct outside_engine *out, struct arena *arena)
{
    static const struct text scheme = TEXT("icap://");
    if (!text_starts(word, scheme)) return false;
    struct text rest = text_slice(word, scheme.length, word.length);
    size_t slash = text_find_char(rest, '/');
    out->service = text_slice(rest, slash + 1, rest.length);
    if (out->service.length == 0 || out->service.length > SERVICE_MOST) return false;
    if (!is_graphic(out->service)) return false;
    return endpoint_take(text_slice(rest, 0, slash), ICAP_PORT, out);
}

static bool command_take(struct text word, struct outside_engine *out, struct arena *arena)
{
    struct text_list *list = &out->command;
    *list = (struct text_list){ 0 };
    for (struct text rest = text_trim(word); rest.length > 0;) {
        size_t blank = text_find_char(rest, ' ');
        if (list->count == WORDS_MOST) return false;
        list->items = value_list_grow(arena, list->items, list->count, sizeof *list->items);
        list->items[list->count++] = text_slice(rest, 0, blank);
        rest = text_trim(text_slice(rest, blank, rest.length));
    }
    return list->count > 0 && list->items[0].at[0] == '/';
}

static const char SOCKET_ALLOWED[] = "unix:/PATH of its socket, ADDRESS:PORT or localhost:PORT";

/* By enum engine_kind. */
static const struct {
    const char *word, *allowed;
    bool (*take)(struct text word, struct outside_engine *out, struct arena *arena);
    bool is_opinion;
} kinds[ENGINE_KINDS] = {
    [ENGINE_CLAMD] = { "clamd", SOCKET_ALLOWED, socket_take },
    [ENGINE_ICAP] = { "icap", "icap://ADDRESS:PORT/SERVICE, such as icap://192.0.2.9:1344/avscan",
                      icap_take },
    [ENGINE_COMMAND] = { "command",
                         "a program's absolute path and its arguments, in quotes: "
                         "\"/usr/local/bin/scanner --stdin\"",
                         command_take },
    [ENGINE_SPAMD] = { "spamd", SOCKET_ALLOWED, socket_take, .is_opinion = true },
    [ENGINE_RSPAMD] = { "rspamd", SOCKET_ALLOWED, socket_take, .is_opinion = true },
};

bool engines_kind_parse(struct text word, bool is_opinion, enum engine_kind *out)
{
    for (unsigned kind = 0; kind < ENGINE_KINDS; kind++) {
        if (kinds[kind].is_opinion != is_opinion || !text_equal(word, text_of(kinds[kind].word))) continue;
        *out = kind;
        return true;
    }
    return false;
}

bool engines_target_parse(struct text word, struct outside_engine *out, struct arena *arena)
{
    out->target = arena_text(arena, word);
    return kinds[out->kind].take(out->target, out, arena);
}

const char *engines_target_allowed(enum engine_kind kind)
{
    return kinds[kind].allowed;
}

void engines_print(const struct outside_engine *engine, struct buffer *out)
{
    if (!kinds[engine->kind].is_opinion) {
        value_word_print(engine->name, out);
        buffer_add_char(out, ' ');
    }
    buffer_printf(out, "%s ", kinds[engine->kind].word);
    value_word_print(engine->target, out);
}

/* --- complaints --- */

static bool path_is_below(struct text path, struct text folder)
{
    while (folder.length > 0 && folder.at[folder.length - 1] == '/')
        folder = text_slice(folder, 0, folder.length - 1);
    return text_starts(path, folder) && (path.length == folder.length || path.at[folder.length] == '/');
}

void engines_kind_complain(struct loader *loader, struct place place, const struct token *token,
                           bool is_opinion)
{
    struct buffer message = { 0 }, allowed = { 0 };
    struct text hint = TEXT_NONE;
    size_t distance = SIZE_MAX;
    bool is_word = token->kind == TOKEN_WORD || token->kind == TOKEN_QUOTED;
    const char *what = is_opinion ? "second opinion" : "engine";
    if (token->kind == TOKEN_WRONG) return;
    for (unsigned kind = 0; kind < ENGINE_KINDS; kind++) {
        if (kinds[kind].is_opinion != is_opinion) continue;
        buffer_printf(&allowed, "%s%s", buffer_length(&allowed) ? ", " : "", kinds[kind].word);
        if (is_word) nearest_offer(token->text, text_of(kinds[kind].word), &hint, &distance);
    }
    if (is_word)
        buffer_printf(&message, "\"%.*s\" is no kind of %s", TEXT_ARG(text_slice(token->text, 0, 60)), what);
    else
        buffer_printf(&message, "the kind of the %s is missing%s", what,
                      is_opinion ? "" : " behind its name");
    loader_complain_fully(loader, place, buffer_text(&message), buffer_text(&allowed), hint);
    buffer_free(&message);
    buffer_free(&allowed);
}

static void name_check(struct loader *loader, size_t index)
{
    const struct config *config = loader->config;
    const struct outside_engine *engine = &config->engines[index];
    for (size_t i = 0; i < index; i++) {
        if (!text_equal(config->engines[i].name, engine->name)) continue;
        loader_complain(loader, SEVERITY_ERROR, loader_place(loader, SCHEMA_ENGINE, "size most", index),
                        N_("there are two engines by the name %.*s"), TEXT_ARG(engine->name));
        return;
    }
}

/* The state folder, or a file with a key of ours, lies below it, or it below the state folder. */
static bool holds_ours(const struct config *config, struct text folder)
{
    struct text ours[2] = { config->state, config->node.key.path };
    bool is_near = path_is_below(folder, config->state);
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        is_near |= ours[i].length > 0 && path_is_below(ours[i], folder);
    for (size_t i = 0; i < config->listener_count; i++)
        is_near |=
            config->listeners[i].key.path.length > 0 && path_is_below(config->listeners[i].key.path, folder);
    return is_near;
}

static void reads_check(struct loader *loader, size_t index, const char *words, struct text folder)
{
    const struct outside_engine *engine = &loader->config->engines[index];
    if (!holds_ours(loader->config, folder)) return;
    loader_complain(loader, SEVERITY_ERROR, loader_place(loader, SCHEMA_ENGINE, words, index),
                    N_("engine %.*s: a command reads %.*s, where the state folder or a private key lies"),
                    TEXT_ARG(engine->name), TEXT_ARG(folder));
}

static void statuses_check(struct loader *loader, size_t index)
{
    const struct outside_engine *engine = &loader->config->engines[index];
    for (size_t i = 0; i < engine->found.count; i++) {
        for (size_t k = 0; k < engine->clean.count; k++) {
            if (!text_equal(engine->found.items[i], engine->clean.items[k])) continue;
            loader_complain(loader, SEVERITY_ERROR, loader_place(loader, SCHEMA_ENGINE, "found", index),
                            N_("engine %.*s: exit status %.*s is among clean, too"), TEXT_ARG(engine->name),
                            TEXT_ARG(engine->found.items[i]));
            return;
        }
    }
}

static void pattern_check(struct loader *loader, size_t index)
{
    const struct outside_engine *engine = &loader->config->engines[index];
    char why[120];
    regex_t pattern;
    if (engine->pattern.length == 0) return;
    if (config_engine_pattern(engine, &pattern, why, sizeof why))
        regfree(&pattern);
    else
        loader_complain(loader, SEVERITY_ERROR, loader_place(loader, SCHEMA_ENGINE, "name", index),
                        N_("engine %.*s: name is not a pattern that can be used: %s"), TEXT_ARG(engine->name),
                        why);
}

static void command_check(struct loader *loader, size_t index)
{
    const struct outside_engine *engine = &loader->config->engines[index];
    struct text program = engine->command.items[0];
    statuses_check(loader, index);
    pattern_check(loader, index);
    reads_check(loader, index, "size most", text_slice(program, 0, text_find_last_char(program, '/')));
    for (size_t i = 0; i < engine->reads.count; i++)
        reads_check(loader, index, "reads", engine->reads.items[i]);
}

/* What only a command has. */
static void others_check(struct loader *loader, size_t index)
{
    const struct outside_engine *engine = &loader->config->engines[index];
    const struct {
        const char *words;
        bool is_said;
    } rows[] = { { "clean", engine->clean.count > 0 },
                 { "found", engine->found.count > 0 },
                 { "name", engine->pattern.length > 0 },
                 { "reads", engine->reads.count > 0 } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].is_said)
            loader_complain(loader, SEVERITY_ERROR, loader_place(loader, SCHEMA_ENGINE, rows[i].words, index),
                            N_("engine %.*s: %s is for a command, and this is %s"), TEXT_ARG(engine->name),
                            rows[i].words, kinds[engine->kind].word);
}

/* --- second opinions --- */

static void opinion_word_check(struct loader *loader, size_t index, const char *words, struct text word)
{
    const struct outside_engine *opinion = &loader->config->opinions[index];
    struct place place = loader_place(loader, SCHEMA_OPINION, words, index);
    if (word.length > HEADER_WORD_MOST || !is_graphic(word))
        loader_complain(loader, SEVERITY_ERROR, place,
                        N_("opinion %.*s: %s has to be a word of ASCII without blanks"),
                        TEXT_ARG(opinion->name), words);
}

static void opinion_points_check(struct loader *loader, size_t index)
{
    const struct outside_engine *opinion = &loader->config->opinions[index];
    const char *words = isfinite(opinion->weight) ? "points most" : "weight";
    if (isfinite(opinion->weight) && isfinite(opinion->points_most)) return;
    loader_complain(loader, SEVERITY_ERROR, loader_place(loader, SCHEMA_OPINION, words, index),
                    N_("opinion %.*s: %s is a number"), TEXT_ARG(opinion->name), words);
}

/* Counters and the log tell them apart by their names alone. */
static void opinion_name_check(struct loader *loader, size_t index)
{
    const struct config *config = loader->config;
    struct text name = config->opinions[index].name;
    struct place place = loader_place(loader, SCHEMA_OPINION, "size most", index);
    for (size_t i = 0; i < index; i++)
        if (text_equal(config->opinions[i].name, name))
            loader_complain(loader, SEVERITY_ERROR, place, N_("there are two opinions of %.*s"),
                            TEXT_ARG(name));
    for (size_t i = 0; i < config->engine_count; i++)
        if (text_equal(config->engines[i].name, name))
            loader_complain(loader, SEVERITY_ERROR, place, N_("there are two engines by the name %.*s"),
                            TEXT_ARG(name));
}

static void opinions_check(struct loader *loader)
{
    const struct config *config = loader->config;
    for (size_t i = 0; i < config->opinion_count; i++) {
        const struct outside_engine *opinion = &config->opinions[i];
        if (loader->sources->items[SCHEMA_OPINION][i].is_spoiled) continue;
        opinion_name_check(loader, i);
        opinion_points_check(loader, i);
        opinion_word_check(loader, i, "user", opinion->user);
        opinion_word_check(loader, i, "settings", opinion->settings);
        if (opinion->settings.length > 0 && opinion->kind != ENGINE_RSPAMD)
            loader_complain(loader, SEVERITY_ERROR, loader_place(loader, SCHEMA_OPINION, "settings", i),
                            N_("opinion %.*s: settings is for rspamd"), TEXT_ARG(opinion->name));
        if (opinion->time_ms >= config->limits.verdict_ms)
            loader_complain(loader, SEVERITY_ERROR, loader_place(loader, SCHEMA_OPINION, "time most", i),
                            N_("opinion %.*s: time most must be less than limits time verdict"),
                            TEXT_ARG(opinion->name));
    }
}

void engines_check(struct loader *loader)
{
    const struct config *config = loader->config;
    for (size_t i = 0; i < config->engine_count; i++) {
        const struct outside_engine *engine = &config->engines[i];
        if (loader->sources->items[SCHEMA_ENGINE][i].is_spoiled) continue;
        name_check(loader, i);
        if (engine->kind == ENGINE_COMMAND)
            command_check(loader, i);
        else
            others_check(loader, i);
        if (engine->time_ms >= config->limits.verdict_ms)
            loader_complain(loader, SEVERITY_ERROR, loader_place(loader, SCHEMA_ENGINE, "time most", i),
                            N_("engine %.*s: time most must be less than limits time verdict"),
                            TEXT_ARG(engine->name));
    }
    opinions_check(loader);
    if (config->engine_count + config->opinion_count > 0 && config->role == ROLE_EDGE)
        loader_complain(loader, SEVERITY_WARNING, loader_place(loader, SCHEMA_GLOBAL, "role", 0),
                        N_("role edge with engines: an edge judges nothing, so none of them is asked"));
}
