/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Counts how messages ended and prints the result of a load run, for people or as JSON. */
#include "report.h"

#include <stdio.h>

#include "tool.h"

static void kind_add(struct report *report, const char *where, int code, struct text why)
{
    struct report_kind *kind = &report->kinds[report->kind_count++];
    kind->where = where;
    kind->code = code;
    kind->count = 1;
    snprintf(kind->why, sizeof kind->why, "%.*s", TEXT_ARG(why));
}

void report_count(struct report *report, const char *where, int code, struct text why)
{
    report->finished++;
    for (size_t i = 0; i < report->kind_count; i++) {
        struct report_kind *kind = &report->kinds[i];
        if (kind->code == code && kind->where == where) {
            kind->count++;
            return;
        }
    }
    if (report->kind_count < REPORT_KINDS_MOST) kind_add(report, where, code, why);
}

static void string_print(const char *string)
{
    putchar('"');
    for (; *string; string++) {
        unsigned char c = (unsigned char)*string;
        if (c == '"' || c == '\\')
            printf("\\%c", c);
        else if (c < 0x20 || c >= 0x7f)
            printf("\\u%04x", c);
        else
            putchar(c);
    }
    putchar('"');
}

static double rate_of(const struct report *report)
{
    double seconds = report->ended - report->began;
    return seconds > 0 ? (double)report->acknowledged / seconds : 0;
}

static double cpu_us_of(const struct report *report)
{
    return report->finished ? tool_cpu_seconds() * 1e6 / (double)report->finished : 0;
}

static double milliseconds(const struct report *report, double part)
{
    return latency_quantile(&report->latency, part) * 1e3;
}

static void print_json(const struct report *report)
{
    printf("{\"messages\":%llu,\"acknowledged\":%llu,\"failed\":%llu,\"unsent\":%llu,",
           (unsigned long long)report->finished, (unsigned long long)report->acknowledged,
           (unsigned long long)(report->finished - report->acknowledged), (unsigned long long)report->unsent);
    printf("\"began\":%.6f,\"ended\":%.6f,\"seconds\":%.6f,\"rate\":%.1f,", report->began, report->ended,
           report->ended - report->began, rate_of(report));
    printf("\"latency_ms\":{\"p50\":%.3f,\"p95\":%.3f,\"p99\":%.3f,\"max\":%.3f},", milliseconds(report, 0.5),
           milliseconds(report, 0.95), milliseconds(report, 0.99), report->latency.most * 1e3);
    printf("\"connections\":%llu,\"failed_connects\":%llu,\"cpu_us\":%.2f,\"replies\":[",
           (unsigned long long)report->connections, (unsigned long long)report->failed_connects,
           cpu_us_of(report));
    for (size_t i = 0; i < report->kind_count; i++) {
        const struct report_kind *kind = &report->kinds[i];
        printf("%s{\"code\":%d,\"where\":\"%s\",\"count\":%llu,\"text\":", i ? "," : "", kind->code, kind->where,
               (unsigned long long)kind->count);
        string_print(kind->why);
        putchar('}');
    }
    puts("]}");
}

static void print_people(const struct report *report)
{
    printf("messages %llu, acknowledged %llu, failed %llu, unsent %llu\n", (unsigned long long)report->finished,
           (unsigned long long)report->acknowledged,
           (unsigned long long)(report->finished - report->acknowledged), (unsigned long long)report->unsent);
    printf("rate     %.1f messages/s in %.3f s\n", rate_of(report), report->ended - report->began);
    printf("latency  p50 %.3f ms, p95 %.3f ms, p99 %.3f ms, max %.3f ms\n", milliseconds(report, 0.5),
           milliseconds(report, 0.95), milliseconds(report, 0.99), report->latency.most * 1e3);
    printf("own cost %.2f us of CPU a message; %llu connections, %llu failed to connect\n", cpu_us_of(report),
           (unsigned long long)report->connections, (unsigned long long)report->failed_connects);
    for (size_t i = 0; i < report->kind_count; i++) {
        const struct report_kind *kind = &report->kinds[i];
        if (kind->code)
            printf("reply    %d at %s: %llu, first: %s\n", kind->code, kind->where,
                   (unsigned long long)kind->count, kind->why);
        else
            printf("error    at %s: %llu, first: %s\n", kind->where, (unsigned long long)kind->count, kind->why);
    }
}

void report_print(const struct report *report, bool json)
{
    if (json)
        print_json(report);
    else
        print_people(report);
    fflush(stdout);
}
