/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Makes a report: asks the ledger, draws, puts the parts in order. */
#ifndef SEKIMORI_REPORT_DAILY_COMPOSE_H
#define SEKIMORI_REPORT_DAILY_COMPOSE_H

#include "report/daily/accounts.h"
#include "report/daily/report_document.h"
#include "report/facts.h"
#include "statistics/country.h"

struct compose_source {
    const struct config *config;
    struct ledgerdb_reader *ledgerdb;     /* NULL: only what is known without it */
    const struct country_file *countries; /* NULL: none */
    const struct fact *facts;             /* FACT_COUNT, in the document's language */
    const struct account_line *accounts;  /* ACCOUNT_COUNT; NULL: no night is closed with this report */
    const char *ledger_path;              /* the folder that has `entries`; NULL: they are not told */
    int folder;                           /* of changes.h */
    uint64_t now_ms;
};

/* Never NULL: where the ledger cannot answer, the report says so. Free with report_document_free. */
struct report_document *compose_report(const struct compose_source *source, struct period period,
                                       enum language language);

#endif
