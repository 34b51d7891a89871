/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The options of verbs that ask the node something and may say it as JSON: --json, --config, --state. */
#ifndef SEKIMORI_CLI_PLAIN_OPTIONS_H
#define SEKIMORI_CLI_PLAIN_OPTIONS_H

#include "cli/control.h"
#include "cli/options.h"

struct plain_options {
    struct control_target target;
    bool is_json;
};

/* For verb_usage.table; fills a struct plain_options. */
extern const struct verb_option plain_options_table[];

#endif
