/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Gathers how messages ended and prints rate, percentiles and replies. */
#include "load_report.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "tool.h"

void load_report_ending(struct load_report *report, const char *where, int code, struct text why)
{
    unsigned i = 0;
    while (i < report->ending_count &&
           (report->endings[i].code != code || strcmp(report->endings[i].where, where)))
        i++;
    if (i == LOAD_ENDINGS) i--;
    struct load_ending *ending = &report->endings[i];
    if (i == report->ending_count) {
        report->ending_count++;
        ending->where = where;
        ending->code = code;
        log_escape(why, ending->example, sizeof ending->example);
    }
    ending->count++;
}

static void print_json(const struct load_report *report, double seconds, double rate)
{
    const struct latency *latency = &report->latency;
    printf("{\"acknowledged\":%llu,\"seconds\":%.4f,\"rate\":%.1f,\"p50_ms\":%.3f,\"p95_ms\":%.3f,\"p99_ms\":"
           "%.3f,"
           "\"max_ms\":%.3f,\"begun\":%.6f,\"last_reply\":%.6f,\"cpu_seconds\":%.4f,\"connections\":%llu,"
           "\"failed_connects\":%llu,\"endings\":[",
           (unsigned long long)report->acknowledged, seconds, rate, latency_quantile(latency, 0.5) * 1e3,
           latency_quantile(latency, 0.95) * 1e3, latency_quantile(latency, 0.99) * 1e3, latency->most * 1e3,
           report->begun, report->last_reply, tool_cpu_seconds(), (unsigned long long)report->connections,
           (unsigned long long)report->failed_connects);
    for (unsigned i = 0; i < report->ending_count; i++) {
        const struct load_ending *ending = &report->endings[i];
        printf("%s{\"where\":\"%s\",\"code\":%d,\"count\":%llu,\"example\":\"", i ? "," : "", ending->where,
               ending->code, (unsigned long long)ending->count);
        for (const char *c = ending->example; *c; c++) printf(*c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
        fputs("\"}", stdout);
    }
    puts("]}");
}

static void print_words(const struct load_report *report, double seconds, double rate)
{
    const struct latency *latency = &report->latency;
    printf("acknowledged %llu in %.3f s: %.1f messages/s\n", (unsigned long long)report->acknowledged,
           seconds, rate);
    printf("latency ms: p50 %.2f, p95 %.2f, p99 %.2f, max %.2f\n", latency_quantile(latency, 0.5) * 1e3,
           latency_quantile(latency, 0.95) * 1e3, latency_quantile(latency, 0.99) * 1e3, latency->most * 1e3);
    printf("connections %llu, failed to connect %llu, own CPU %.1f us a message\n",
           (unsigned long long)report->connections, (unsigned long long)report->failed_connects,
           report->acknowledged ? tool_cpu_seconds() * 1e6 / (double)report->acknowledged : 0);
    for (unsigned i = 0; i < report->ending_count; i++) {
        const struct load_ending *ending = &report->endings[i];
        printf("%s: %llu times ", ending->where, (unsigned long long)ending->count);
        if (ending->code)
            printf("%d, first: %s\n", ending->code, ending->example);
        else
            printf("no reply (%s)\n", ending->example);
    }
}

void load_report_print(const struct load_report *report, bool json)
{
    double end = report->last_reply > 0 ? report->last_reply : report->ended, seconds = end - report->begun;
    double rate = seconds > 0 ? (double)report->acknowledged / seconds : 0;
    if (json)
        print_json(report, seconds, rate);
    else
        print_words(report, seconds, rate);
}
