/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The commands of a configuration, made ready to be run: arguments, files, pattern. */
#ifndef SEKIMORI_ENGINE_COMMAND_SET_H
#define SEKIMORI_ENGINE_COMMAND_SET_H

#include <regex.h>

#include "base/sandbox.h"
#include "config/load.h"

struct command {
    const struct outside_engine *engine; /* of the configuration */
    char **arguments;                    /* ended by NULL */
    struct jail_paths paths;             /* the scratch folder among them: where it is when it is run */
    regex_t pattern;
    bool has_pattern;
    uint32_t running;
    uint64_t run, clean, found, failed, died, late, stopped;
};

struct command_set {
    struct arena *arena;
    struct command items[CONFIG_ENGINES_MOST];
    size_t count;
};

/* The configuration is borrowed until command_set_free, or until command_set_keep. */
void command_set_make(struct command_set *out, const struct config *config);
void command_set_free(struct command_set *set);

/* True: `config` has the same commands, and the set is of it from now on. False: another set is needed. */
bool command_set_keep(struct command_set *set, const struct config *config);

/* NULL: none has the name. */
struct command *command_set_find(struct command_set *set, struct text name);

/* How many may run at once. */
uint32_t command_set_places(const struct command_set *set);

#endif
