/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* With what a verb judges without a node: configuration, models, rules. What is wrong is said on standard
   error in the name of the verb. */
#ifndef SEKIMORI_CLI_JUDGE_SOURCES_H
#define SEKIMORI_CLI_JUDGE_SOURCES_H

#include "config/settings.h"
#include "rules/ruleset.h"
#include "spam/base_model.h"
#include "spam/local_model.h"

/* A folder of rules that is named can be read. */
bool judge_sources_folder(const char *verb, const char *rules);

/* False, with the reason on stderr: a configuration was named that cannot be opened. NULL: none was named. */
bool judge_sources_can_open(const char *verb, const char *path);

/* Narrowed to what holds without a node (judge_basis_narrow). `path` NULL: the defaults, with the rules of
   that folder, if one is named. NULL: it has errors. Free with config_free. */
struct config *judge_sources_config(const char *verb, const char *path, const char *rules);

/* *out is NULL where there is none. `path` NULL: as the configuration says. False: one was named that is
 * none. */
bool judge_sources_base(const char *verb, const struct config *config, const char *path,
                        struct base_model **out);

/* The image of a local model (ledger/local.model), which lives in the arena; *out is NULL, or `room`. Where
   it is not there, cannot be read or is damaged: false if `is_named`, else what is there and not good is told
   and *out is NULL. Of too few lessons it counts for nothing. */
bool judge_sources_learned(const char *verb, const char *path, bool is_named, struct arena *arena,
                           struct local_model *room, const struct local_model **out);

/* *out is NULL where there are none. False: they have errors. */
bool judge_sources_rules(const char *verb, const struct config *config, struct ruleset **out);

#endif
