/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A row for each kind of engine outside, and the cross-check of the statements. Called by parse.c and
   crosscheck.c. */
#include "config/engines.h"

#include <sys/un.h>

#include "config/domains.h"
#include "config/lexer.h"
#include "config/load_private.h"
#include "config/nearest.h"
#include "config/value.h"

enum { SERVICE_MOST = 500, ICAP_PORT = 1344 };

const struct outside_engine *config_engine(const struct config *config, struct text name)
{
    for (size_t i = 0; i < config->engine_count; i++)
        if (text_equal(config->engines[i].name, name)) return &config->engines[i];
    return NULL;
}

bool config_engine_minds(const struct outside_engine *engine, enum direction direction)
{
    return engine->way == ENGINE_BOTH || (engine->way == ENGINE_OUT) == (direction == DIRECTION_OUT);
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

static bool clamd_take(struct text word, struct outside_engine *out)
{
    static const struct text scheme = TEXT("unix:");
    if (text_starts(word, scheme)) return path_take(text_slice(word, scheme.length, word.length), out);
    return endpoint_take(word, 0, out);
}

static bool icap_take(struct text word, struct outside_engine *out)
{
    static const struct text scheme = TEXT("icap://");
    if (!text_starts(word, scheme)) return false;
    struct text rest = text_slice(word, scheme.length, word.length);
    size_t slash = text_find_char(rest, '/');
    out->service = text_slice(rest, slash + 1, rest.length);
    if (out->service.length == 0 || out->service.length > SERVICE_MOST) return false;
    for (size_t i = 0; i < out->service.length; i++)
        if (out->service.at[i] <= ' ' || out->service.at[i] >= 0x7F) return false;
    return endpoint_take(text_slice(rest, 0, slash), ICAP_PORT, out);
}

/* By enum engine_kind. An engine that is a command would be a row here, and a client where it is run. */
static const struct {
    const char *word, *allowed;
    bool (*take)(struct text word, struct outside_engine *out);
} kinds[ENGINE_KINDS] = {
    [ENGINE_CLAMD] = { "clamd", "unix:/PATH of its socket, ADDRESS:PORT or localhost:PORT", clamd_take },
    [ENGINE_ICAP] = { "icap", "icap://ADDRESS:PORT/SERVICE, such as icap://192.0.2.9:1344/avscan",
                      icap_take },
};

const char *engines_kind_name(enum engine_kind kind)
{
    return kinds[kind].word;
}

bool engines_kind_parse(struct text word, enum engine_kind *out)
{
    for (unsigned kind = 0; kind < ENGINE_KINDS; kind++) {
        if (!text_equal(word, text_of(kinds[kind].word))) continue;
        *out = kind;
        return true;
    }
    return false;
}

bool engines_target_parse(struct text word, struct outside_engine *out, struct arena *arena)
{
    out->target = arena_text(arena, word);
    return kinds[out->kind].take(out->target, out);
}

const char *engines_target_allowed(enum engine_kind kind)
{
    return kinds[kind].allowed;
}

void engines_print(const struct outside_engine *engine, struct buffer *out)
{
    value_word_print(engine->name, out);
    buffer_printf(out, " %s ", kinds[engine->kind].word);
    value_word_print(engine->target, out);
}

/* --- complaints --- */

void engines_kind_complain(struct loader *loader, struct place place, const struct token *token)
{
    struct buffer message = { 0 }, allowed = { 0 };
    struct text hint = TEXT_NONE;
    size_t distance = SIZE_MAX;
    bool is_word = token->kind == TOKEN_WORD || token->kind == TOKEN_QUOTED;
    if (token->kind == TOKEN_WRONG) return;
    for (unsigned kind = 0; kind < ENGINE_KINDS; kind++) {
        buffer_printf(&allowed, "%s%s", kind ? ", " : "", kinds[kind].word);
        if (is_word) nearest_offer(token->text, text_of(kinds[kind].word), &hint, &distance);
    }
    if (is_word)
        buffer_printf(&message, "\"%.*s\" is no kind of engine", TEXT_ARG(text_slice(token->text, 0, 60)));
    else
        buffer_printf(&message, "the kind of the engine is missing behind its name");
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

void engines_check(struct loader *loader)
{
    const struct config *config = loader->config;
    for (size_t i = 0; i < config->engine_count; i++) {
        const struct outside_engine *engine = &config->engines[i];
        if (loader->sources->items[SCHEMA_ENGINE][i].is_spoiled) continue;
        name_check(loader, i);
        if (engine->time_ms >= config->limits.verdict_ms)
            loader_complain(loader, SEVERITY_ERROR, loader_place(loader, SCHEMA_ENGINE, "time most", i),
                            N_("engine %.*s: time most must be less than limits time verdict"),
                            TEXT_ARG(engine->name));
    }
    if (config->engine_count > 0 && config->role == ROLE_EDGE)
        loader_complain(loader, SEVERITY_WARNING, loader_place(loader, SCHEMA_GLOBAL, "role", 0),
                        N_("role edge with engines: an edge judges nothing, so none of them is asked"));
}
