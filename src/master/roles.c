/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The tables of roles. The order of `parts` is the order of starting; stopping goes backwards. */
#include "master/roles.h"

#include <unistd.h>

#include "config/domains.h"
#include "config/engines.h"
#include "config/list_setting.h"
#include "config/signatures.h"

enum { EVERY_ROLE = 1 << ROLE_SINGLE | 1 << ROLE_EDGE | 1 << ROLE_WALL };

const struct part parts[] = {
    { PROCESS_LEDGER, EVERY_ROLE, .is_aside = true, .has_counters = true, .reads_all_events = true,
      .has_lists = true, .folders = { "ledger", "quarantine" } },
    { PROCESS_COURIER, EVERY_ROLE, .is_aside = true, .has_collector = true, .keys = BUNDLE_NODE_KEY },
    { PROCESS_LOOKUP, EVERY_ROLE, .has_campaigns = true, .reads_list_files = true, .keys = BUNDLE_LIST_KEYS,
      .folders = { "senders" } },
    { PROCESS_DELIVER, EVERY_ROLE, .has_counters = true, .keeps_results = true, .keys = BUNDLE_NODE_KEY },
    { PROCESS_QUEUE, EVERY_ROLE, .has_counters = true, .has_vouchers = true, .folders = { "spool" } },
    { PROCESS_REPORT, EVERY_ROLE, .is_aside = true, .reads_counters = true, .reads_health = true,
      .folders = { "ledger", "report", "learn" } },
    { PROCESS_HELPER, EVERY_ROLE, .is_aside = true, .folders = { "signatures" } },
    { PROCESS_METRICS, EVERY_ROLE, .is_aside = true, .has_metrics = true, .has_no_events = true,
      .reads_counters = true, .reads_health = true },
    { PROCESS_SIGNER, 1 << ROLE_SINGLE | 1 << ROLE_WALL, .is_aside = true, .has_no_events = true,
      .keys = BUNDLE_SIGNING_KEYS },
    { PROCESS_OPEN, 1 << ROLE_SINGLE | 1 << ROLE_WALL, .is_aside = true, .has_no_events = true },
    { PROCESS_ENGINE, 1 << ROLE_SINGLE | 1 << ROLE_WALL, .is_aside = true, .has_no_events = true },
    { PROCESS_CONSULT, 1 << ROLE_SINGLE | 1 << ROLE_WALL, .is_aside = true, .has_no_events = true,
      .has_counters = true, .folders = { "lists" } },
    { PROCESS_SCAN, 1 << ROLE_SINGLE | 1 << ROLE_WALL, .mounts = true, .has_vouchers = true,
      .has_lists = true, .has_campaigns = true },
    { PROCESS_RECEIVE, EVERY_ROLE, .has_listeners = true, .has_clients = true, .has_counters = true,
      .has_secret = true, .keys = BUNDLE_TLS_KEYS },
};
const size_t part_count = sizeof parts / sizeof *parts;

const struct link links[] = {
    { PROCESS_RECEIVE, PROCESS_QUEUE },   { PROCESS_RECEIVE, PROCESS_SCAN },
    { PROCESS_RECEIVE, PROCESS_LOOKUP },  { PROCESS_RECEIVE, PROCESS_DELIVER },
    { PROCESS_REPORT, PROCESS_QUEUE },    { PROCESS_QUEUE, PROCESS_DELIVER },
    { PROCESS_DELIVER, PROCESS_LOOKUP },  { PROCESS_LEDGER, PROCESS_COURIER },
    { PROCESS_QUEUE, PROCESS_LEDGER },    { PROCESS_REPORT, PROCESS_LEDGER },
    { PROCESS_REPORT, PROCESS_HELPER },   { PROCESS_SCAN, PROCESS_SIGNER },
    { PROCESS_RECEIVE, PROCESS_CONSULT }, { PROCESS_CONSULT, PROCESS_ENGINE },
    { PROCESS_SCAN, PROCESS_OPEN },       { PROCESS_LEDGER, PROCESS_SCAN },
    { PROCESS_QUEUE, PROCESS_SCAN },      { PROCESS_REPORT, PROCESS_SCAN },
    { PROCESS_REPORT, PROCESS_LOOKUP },   { PROCESS_LEDGER, PROCESS_LOOKUP },
    { PROCESS_CONSULT, PROCESS_LOOKUP },
};
const size_t link_count = sizeof links / sizeof *links;

bool courier_is_wanted(const struct config *config)
{
    return config->ledger.collectors.count > 0 || config->ledger.listen.length > 0;
}

bool helper_is_wanted(const struct config *config)
{
    return config->alarm.hook.count > 0 || signatures_are_fetched(config);
}

bool consult_is_wanted(const struct config *config)
{
    return config->engine_count + config->opinion_count > 0 || config_lists_are_fetched(config);
}

bool engine_is_wanted(const struct config *config)
{
    return config_engines_have_command(config);
}

bool metrics_is_wanted(const struct config *config)
{
    return config->metrics.socket.length > 0 || config->metrics.listen.length > 0;
}

unsigned part_instances(const struct part *part, const struct config *config)
{
    if (!(part->roles & 1u << config->role)) return 0;
    if (part->kind == PROCESS_COURIER) return courier_is_wanted(config);
    if (part->kind == PROCESS_HELPER) return helper_is_wanted(config);
    if (part->kind == PROCESS_SIGNER) return config_signs(config);
    if (part->kind == PROCESS_OPEN) return signatures_are_wanted(config);
    if (part->kind == PROCESS_CONSULT) return consult_is_wanted(config);
    if (part->kind == PROCESS_ENGINE) return engine_is_wanted(config);
    if (part->kind == PROCESS_METRICS) return metrics_is_wanted(config);
    if (part->kind != PROCESS_RECEIVE) return 1;
    if (config->processes.receive) return config->processes.receive;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores < 1 ? 1 : cores > 60 ? 60 : (unsigned)cores;
}
