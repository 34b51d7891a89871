/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "cli/plain_options.h"

const struct verb_option plain_options_table[] = {
    { "json", OPTION_SWITCH, offsetof(struct plain_options, is_json), NULL, NULL },
    OPTIONS_TARGET(struct plain_options),
    { 0 },
};
