/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* `sekimori health --plugin`: what Nagios and its kin expect of a plugin: one line, numbers behind a bar, and
   exit codes of their own (Monitoring Plugins Development Guidelines). */
#ifndef SEKIMORI_CLI_HEALTH_PLUGIN_H
#define SEKIMORI_CLI_HEALTH_PLUGIN_H

#include "cli/alarm_facts.h"
#include "ipc/health.h"

enum plugin_state { PLUGIN_OK, PLUGIN_WARNING, PLUGIN_CRITICAL, PLUGIN_UNKNOWN }; /* the exit codes */

/* `is_known` false: nothing can be said of the node, and why is the report's only finding. `facts` may be
   empty. Prints the line; the exit code. A drain is a warning: somebody wants it. */
int health_plugin(const struct health_report *report, bool is_known, const struct alarm_facts *facts);

/* Nothing can be looked at. */
int health_plugin_unknown(const char *why);

#endif
