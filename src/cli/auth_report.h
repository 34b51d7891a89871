/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What `sekimori auth` found, for people and for programs. Only told here: nothing is judged. */
#ifndef SEKIMORI_CLI_AUTH_REPORT_H
#define SEKIMORI_CLI_AUTH_REPORT_H

#include "auth/authentication.h"

struct auth_report {
    struct text sender, helo, client; /* as they were said */
    struct spf_answer spf;
    const struct auth_facts *facts; /* NULL: no message was given, SPF alone */
    struct authentication authentication;
    struct text list_domain;           /* the proven domain of the list that sent it; empty: none */
    const struct dns_answers *answers; /* what was asked, in its order */
    bool is_late;                      /* the time was over before all was answered */
};

/* On standard output. Words of results are those of RFC 8601. */
void auth_report_print(const struct auth_report *report);
void auth_report_print_json(const struct auth_report *report);

#endif
