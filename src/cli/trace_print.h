/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What trace found, for people or as JSON. Texts of strangers are escaped and cut for people, whole in JSON.
 */
#ifndef SEKIMORI_CLI_TRACE_PRINT_H
#define SEKIMORI_CLI_TRACE_PRINT_H

#include "base/json.h"
#include "judge/proof.h"
#include "ledgerdb/search.h"

struct trace_output {
    bool is_json, is_short;
    size_t shown, most;
    bool is_cut, has_lone_character;
    struct json *hits; /* gathered */
};

/* begin, print for each result that search gives, end. `result` is borrowed for the call; `most` is how many
   were asked for. */
void trace_begin(struct trace_output *output);
void trace_print(struct trace_output *output, const struct search_result *result, size_t most);
void trace_end(struct trace_output *output); /* what was left out; the JSON object */

/* Who sent a message, as `trace --json` tells it; the caller's. */
struct json *trace_print_proof(const struct proof *proof);

#endif
