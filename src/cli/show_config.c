/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The dump verb: the configuration in its own language, or as JSON. */
#include "cli/show_config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "base/json.h"
#include "cli/language_option.h"
#include "cli/options.h"
#include "config/dump.h"
#include "config/engines.h"
#include "config/load.h"
#include "config/manual.h"
#include "config/value.h"
#include "config/visit.h"

static const char HELP[] =
    "usage: sekimori dump [--json | --explain[=ja]] [[--config] FILE]\n"
    "\n"
    "Prints the effective configuration, defaults included, in its own language; each\n"
    "value with the place it comes from.\n"
    "FILE is $SEKIMORI_CONFIG or /etc/sekimori/sekimori.conf when it is not given.\n"
    "\n"
    "  --json        as JSON\n"
    "  --explain     each value after what it is for; =ja says it in Japanese\n"
    "  --help        this text\n"
    "\n"
    "Exit status: 0, 64 usage, 78 the configuration has errors.\n";

enum { BLOCKS_MOST = 4 };

struct json_walk {
    const struct config *config;
    struct json *blocks[BLOCKS_MOST]; /* open ones, the outermost first */
    size_t depth;
    struct json *listeners, *hosted, *engines, *lists, *opinions, *wishes;
};

static void place_set(struct json *object, const struct config *config, bool is_default, struct place place)
{
    char room[4352];
    if (is_default) {
        json_set_string(object, "from", "default");
    } else if (place.line > 0) {
        snprintf(room, sizeof room, "%.*s:%" PRIu32, TEXT_ARG(config->sources->files[place.file]),
                 place.line);
        json_set_string(object, "from", room);
    }
}

static void json_open(void *context, const struct visit_opening *opening)
{
    struct json_walk *walk = context;
    struct json *object = json_new_object();
    struct buffer text = { 0 };
    if (opening->listener) {
        value_endpoint_print(&opening->listener->endpoint, 0, &text);
        json_set_text(object, "listen", buffer_text(&text));
    }
    if (opening->hosted) json_set_text(object, "hosted", opening->hosted->name);
    if (opening->list) json_set_text(object, "list", opening->list->name);
    if (opening->wish) json_set_text(object, "recipient", opening->wish->address);
    if (opening->engine) {
        engines_print(opening->engine, &text);
        json_set_text(object, opening->block == WALK_OPINION ? "opinion" : "engine", buffer_text(&text));
    }
    if (opening->domain) {
        dump_targets(walk->config, opening->domain, &text);
        json_set_text(object, "targets", buffer_text(&text));
    }
    if (visit_is_item(opening)) place_set(object, walk->config, opening->is_default, opening->place);
    buffer_free(&text);
    walk->blocks[walk->depth++] = object;
}

static void json_close(void *context, const struct visit_opening *opening)
{
    struct json_walk *walk = context;
    struct json *object = walk->blocks[--walk->depth];
    char key[256];
    snprintf(key, sizeof key, "%.*s", TEXT_ARG(opening->title));
    if (opening->listener)
        json_add(walk->listeners, object);
    else if (opening->hosted)
        json_add(walk->hosted, object);
    else if (opening->wish)
        json_add(walk->wishes, object);
    else if (opening->engine)
        json_add(opening->block == WALK_OPINION ? walk->opinions : walk->engines, object);
    else if (opening->list)
        json_add(walk->lists, object);
    else
        json_set(walk->blocks[walk->depth - 1], key, object);
}

static void value_set(struct json *object, const struct visit_value *value)
{
    double points;
    switch (value->row->type) {
    case SCHEMA_SWITCH:
        json_set_bool(object, "value", text_equal(value->value, TEXT("on")));
        return;
    case SCHEMA_POINTS:
        points = strtod(value->value.at, NULL);
        if (text_equal(value->value, TEXT("never")))
            json_set_text(object, "value", value->value);
        else
            json_set_real(object, "value", points);
        return;
    case SCHEMA_COUNT:
        json_set_number(object, "value", strtoll(value->value.at, NULL, 10));
        return;
    default:
        json_set_text(object, "value", value->value);
    }
}

static void json_value(void *context, const struct visit_value *value)
{
    struct json_walk *walk = context;
    struct json *object = json_new_object();
    value_set(object, value);
    place_set(object, walk->config, value->is_default, value->place);
    json_set(walk->blocks[walk->depth - 1], value->words, object);
}

static void dump_json(const struct config *config)
{
    static const struct visit_events events = { json_open, json_value, json_close };
    struct json_walk walk = { .config = config,
                              .listeners = json_new_array(),
                              .hosted = json_new_array(),
                              .engines = json_new_array(),
                              .lists = json_new_array(),
                              .opinions = json_new_array(),
                              .wishes = json_new_array() };
    struct json *root = walk.blocks[walk.depth++] = json_new_object();
    visit_config(config, VISIT_ALL, &events, &walk);
    json_set(root, "listen", walk.listeners);
    json_set(root, "hosted", walk.hosted);
    json_set(root, "engines", walk.engines);
    json_set(root, "lists", walk.lists);
    json_set(root, "recipients", walk.wishes);
    json_set(root, "opinions", walk.opinions);
    json_print(root, stdout, true);
}

struct options {
    const char *config;
    bool is_json, is_manual, is_explained;
    enum language language; /* of the explanation */
};

static bool language_take(void *context, const char *word)
{
    struct options *options = context;
    options->is_explained = true;
    options->language = LANGUAGE_EN;
    return !word || language_option_read(word, &options->language);
}

/* --manual prints the reference of sekimori.conf(5); for those who change the schema. */
static const struct verb_option table[] = {
    { "json", OPTION_SWITCH, offsetof(struct options, is_json), NULL, NULL },
    { "explain", OPTION_MAYBE, 0, language_take, "--explain is in en or ja, not ",
      .choice = language_option_choice },
    { "manual", OPTION_SWITCH, offsetof(struct options, is_manual), NULL, NULL },
    { "config", OPTION_WORD, offsetof(struct options, config), NULL, NULL, .letter = 'c' },
    { 0 }
};
const struct verb_usage dump_usage = { "dump", HELP, table, .takes_files = true };

static void dump_print(const struct options *options, const struct config *config)
{
    struct buffer out = { 0 };
    if (options->is_json)
        dump_json(config);
    else if (options->is_explained)
        config_dump_explained(config, &out, options->language);
    else
        config_dump(config, &out, true);
    fwrite(buffer_text(&out).at, 1, buffer_length(&out), stdout);
    buffer_free(&out);
}

static int file_dump(const struct options *options)
{
    struct problem_list problems;
    struct buffer lines = { 0 };
    problem_list_start(&problems);
    struct config *config = config_load(options->config ? options->config : config_default_path(), &problems);
    for (size_t i = 0; i < problems.count; i++) problem_show(&problems.items[i], &lines);
    fprintf(stderr, "%.*s", TEXT_ARG(buffer_text(&lines)));
    int status = config ? EX_OK : EX_CONFIG;
    if (config) dump_print(options, config);
    config_free(config);
    buffer_free(&lines);
    problem_list_free(&problems);
    return status;
}

static int manual_dump(void)
{
    struct buffer out = { 0 };
    manual_print(&out);
    fwrite(buffer_text(&out).at, 1, buffer_length(&out), stdout);
    buffer_free(&out);
    return EX_OK;
}

int dump_main(int argc, char **argv)
{
    struct options options = { 0 };
    int code = options_read(&dump_usage, argc, argv, &options);
    if (code != OPTIONS_GO_ON) return code;
    if (!options.config && optind < argc) options.config = argv[optind++];
    if (optind < argc) return options_complain(&dump_usage, "unexpected argument: ", argv[optind]);
    return options.is_manual ? manual_dump() : file_dump(&options);
}
