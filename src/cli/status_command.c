/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A line for each kind of process, with what an administrator asks first; the rest behind --all. */
#include "cli/status_command.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/certificate.h"
#include "base/json.h"
#include "base/plain.h"
#include "cli/control.h"
#include "cli/options.h"
#include "ipc/ask_master.h"

enum { ANSWER_MS = 10000, KINDS_MOST = 16, WARNINGS_MOST = 5, LINE_COLUMNS = 100 };

static const char help[] =
    "usage: sekimori status [PROCESS… | --all] [--json] [--config FILE | --state FOLDER]\n\n"
    "The node on one screen: a line for each kind of process with what is asked of it first, then the\n"
    "certificate that ends next. Certificates that expire within 30 days have a warning.\n\n"
    "  PROCESS         receive, scan, queue, …: everything that these say of themselves\n"
    "  --all           everything of all processes and certificates\n"
    "  --json          everything as JSON; numbers are numbers, and names say their "
    "units\n" CONTROL_OPTIONS_HELP
    "\nExit codes: 0 all run, 1 some do not, 64 no such process, 69 no node.\n";

struct options {
    struct control_target target;
    bool is_all, is_json;
};

static const struct verb_option table[] = {
    { "all", OPTION_SWITCH, offsetof(struct options, is_all), NULL, NULL },
    { "json", OPTION_SWITCH, offsetof(struct options, is_json), NULL, NULL },
    OPTIONS_TARGET(struct options),
    { 0 }
};

/* Those that can be asked for: all but master. */
static const char *process_word(size_t position)
{
    size_t kind = position + PROCESS_MASTER + 1;
    return kind < PROCESS_COUNT ? process_name((enum process_kind)kind) : NULL;
}

const struct verb_usage status_usage = { "status", help, table, .word = process_word };

/* --- in short --- */

/* One number or word of a kind, in its order: "1 message" out of the value "messages". */
struct item {
    const char *process, *value, *one, *many; /* one NULL: the value's own words, behind `many` */
    bool is_rare;                             /* left out while it is 0 */
};
static const struct item items[] = {
    { "receive", "sessions", "session", "sessions", false },
    { "receive", "messages kept", "message kept", "messages kept", false },
    { "receive", "messages relayed through", "relayed through", "relayed through", true },
    { "receive", "refused 4xx", "refused with 4xx", "refused with 4xx", true },
    { "receive", "refused 5xx", "refused with 5xx", "refused with 5xx", true },
    { "receive", "queue", NULL, "queue ", true },
    { "scan", "workers", "worker", "workers", false },
    { "scan", "workers busy", "busy", "busy", false },
    { "scan", "judged", "message judged", "messages judged", false },
    { "scan", "workers died", "worker died", "workers died", true },
    { "scan", "engine", NULL, "", false },
    { "scan", "signatures", "signature", "signatures", false },
    { "scan", "signatures refused", NULL, "signatures refused: ", true },
    { "scan", "signing failed", "not signed", "not signed", true },
    { "signer", "signatures", "signature", "signatures", false },
    { "open", "readers died", "reader died", "readers died", true },
    { "signer", "orders refused", "refused", "refused", true },
    { "scan", "trouble", NULL, "", true },
    { "queue", "messages", "message", "messages", false },
    { "queue", "recipients", "recipient", "recipients", false },
    { "queue", "held", "of them held", "of them held", true },
    { "queue", "destinations down", "destination down", "destinations down", true },
    { "queue", "spool full", NULL, "spool full: ", true },
    { "deliver", "delivered", "delivered", "delivered", false },
    { "deliver", "deferred", "deferred", "deferred", false },
    { "deliver", "failed", "failed", "failed", false },
    { "deliver", "connections", "connection", "connections", false },
    { "deliver", "servers set aside", "server set aside", "servers set aside", true },
    { "lookup", "questions", "question", "questions", false },
    { "lookup", "temperrors", "without an answer", "without an answer", true },
    { "ledger", "events", "event", "events", false },
    { "ledger", "lost", "event lost", "events lost", true },
    { "ledger", "quarantine recipients", "recipient in the quarantine", "recipients in the quarantine",
      false },
    { "ledger", "database", NULL, "database ", false },
    { "report", "reports", "report", "reports", false },
    { "report", "digests", "digest", "digests", false },
    { "report", "alarms raised", "alarm", "alarms", false },
    { "courier", "link", NULL, "link ", false },
    { "courier", "nodes connected", "node connected", "nodes connected", false },
    { "courier", "trouble", NULL, "", true },
    { "helper", "hooks run", "hook run", "hooks run", false },
    { "helper", "hooks failed", "failed", "failed", true },
    { "helper", "last trouble", NULL, "", true },
    { "consult", "engines", "engine outside", "engines outside", false },
    { "consult", "asked", "question to them", "questions to them", false },
    { "consult", "sick", NULL, "sick: ", true },
    { "engine", "commands run", "command run", "commands run", false },
    { "engine", "running", "running", "running", true },
    { "engine", "trouble", NULL, "", true },
    { "metrics", "answers", "answer to monitors", "answers to monitors", false },
};

/* All processes of one name. */
struct kind {
    const char *name;
    const struct json *members[64];
    size_t count, running;
    int64_t restarts, up_s;
    bool is_silent; /* one that runs does not answer */
};

static const struct json *value_of(const struct json *process, const char *name)
{
    return json_get(json_get(process, "values"), name);
}

static bool answers(const struct json *process)
{
    const char *name;
    const struct json *value;
    return json_first(json_get(process, "values"), &name, &value) != NULL;
}

static struct kind *kind_of(struct kind *kinds, size_t *count, const char *name)
{
    for (size_t i = 0; i < *count; i++)
        if (strcmp(kinds[i].name, name) == 0) return &kinds[i];
    if (*count == KINDS_MOST) return &kinds[KINDS_MOST - 1];
    kinds[*count] = (struct kind){ .name = name };
    return &kinds[(*count)++];
}

static void member_add(struct kind *kind, const struct json *process)
{
    bool runs = strcmp(json_get_string(process, "state"), "running") == 0;
    int64_t up_s = json_get_number(process, "up_s");
    if (kind->count < sizeof kind->members / sizeof *kind->members) kind->members[kind->count] = process;
    kind->count++;
    kind->running += runs;
    kind->is_silent = kind->is_silent || (runs && !answers(process));
    kind->restarts += json_get_number(process, "restarts");
    if (kind->count == 1 || up_s < kind->up_s) kind->up_s = up_s;
}

/* The sum of a number over the processes of a kind; *out_word: what is no number. False: nobody says it. */
static bool value_sum(const struct kind *kind, const char *name, int64_t *out, const struct json **out_word)
{
    bool is_said = false;
    *out = 0;
    *out_word = NULL;
    for (size_t i = 0; i < kind->count && i < sizeof kind->members / sizeof *kind->members; i++) {
        const struct json *value = value_of(kind->members[i], name);
        if (!value) continue;
        is_said = true;
        *out += json_get_number(json_get(kind->members[i], "values"), name);
        if (json_as_text(value).length) *out_word = value;
    }
    return is_said;
}

/* 1234567 as 1,234,567. */
static void grouped_print(int64_t number, struct buffer *out)
{
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%lld", (long long)number);
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0 && digits[i - 1] != '-') buffer_add_char(out, ',');
        buffer_add_char(out, digits[i]);
    }
}

static void item_print(const struct item *item, const struct kind *kind, struct buffer *out)
{
    int64_t number;
    const struct json *word;
    if (!value_sum(kind, item->value, &number, &word)) return;
    struct text text = json_as_text(word);
    bool is_nothing = item->one ? number == 0 : text.length == 0 || text_equal(text, TEXT("no"));
    if (is_nothing && (item->is_rare || !item->one)) return;
    if (buffer_length(out)) buffer_add_text(out, TEXT(", "));
    if (!item->one) {
        buffer_add_text(out, text_of(item->many));
        buffer_add_text(out, text);
        return;
    }
    grouped_print(number, out);
    buffer_printf(out, " %s", text_word_for((uint64_t)number, item->one, item->many));
}

/* "42s", "17m", "5h", "12d". */
static void time_print(int64_t seconds, struct buffer *out)
{
    if (seconds < 120)
        buffer_printf(out, "%llds", (long long)seconds);
    else if (seconds < 7200)
        buffer_printf(out, "%lldm", (long long)(seconds / 60));
    else if (seconds < 172800)
        buffer_printf(out, "%lldh", (long long)(seconds / 3600));
    else
        buffer_printf(out, "%lldd", (long long)(seconds / 86400));
}

static void kind_print(const struct kind *kind)
{
    struct buffer says = { 0 }, shown = { 0 }, up = { 0 };
    char state[32];
    for (size_t i = 0; i < sizeof items / sizeof *items; i++)
        if (strcmp(items[i].process, kind->name) == 0) item_print(&items[i], kind, &says);
    if (kind->is_silent) {
        buffer_clear(&says);
        buffer_add_text(&says, TEXT("does not answer"));
    }
    if (kind->count > 1)
        snprintf(state, sizeof state, "%zu of %zu", kind->running, kind->count);
    else
        snprintf(state, sizeof state, "%.20s", json_get_string(kind->members[0], "state"));
    time_print(kind->up_s, &up);
    plain_add(&shown, buffer_text(&says), LINE_COLUMNS);
    printf("%-8s %-9s %5.*s %9lld  %.*s\n", kind->name, state, TEXT_ARG(buffer_text(&up)),
           (long long)kind->restarts, TEXT_ARG(buffer_text(&shown)));
    buffer_free(&says);
    buffer_free(&shown);
    buffer_free(&up);
}

/* Those with a warning, and else the one that ends first. */
static void certificates_print(const struct json *list)
{
    const struct json *next = NULL;
    size_t warnings = 0, count = json_count(list);
    char day[CERTIFICATE_DAY_SIZE];
    for (size_t i = 0; i < count; i++) {
        const struct json *one = json_at(list, i);
        const char *warning = json_get_string(one, "warning");
        if (!next || json_get_number(one, "until") < json_get_number(next, "until")) next = one;
        if (*warning && warnings++ < WARNINGS_MOST)
            printf("WARNING: certificate %s: %s\n", json_get_string(one, "file"), warning);
    }
    if (warnings > WARNINGS_MOST) printf("… and %zu more\n", warnings - WARNINGS_MOST);
    if (!next) return;
    long long days = json_get_number(next, "days_left");
    certificate_day_print(json_get_number(next, "until"), day);
    printf("%zu %s, the first to end on %s (%lld %s): %s\n", count,
           text_word_for(count, "certificate", "certificates"), day, days, days == 1 ? "day" : "days",
           json_get_string(next, "file"));
}

/* Where one process that is taken over reaches the others. */
static void users_print(const struct json *status)
{
    const char *users = json_get_string(status, "users");
    const struct passwd *user = getpwuid((uid_t)json_get_number(status, "uid"));
    char number[32];
    snprintf(number, sizeof number, "user %lld", (long long)json_get_number(status, "uid"));
    const char *name = user ? user->pw_name : number;
    if (strcmp(users, "shared") == 0)
        printf("users: all processes but master run as %s; users of their own, %s-receive and so on, part "
               "them\n",
               name, name);
    else if (strcmp(users, "one") == 0 && json_get_number(status, "uid") == 0)
        printf("users: all processes run as root; say user NAME\n");
    else if (strcmp(users, "one") == 0)
        printf("users: all processes run as %s; started by root, each runs as a user of its own\n", name);
}

static void short_print(const struct json *status)
{
    struct kind kinds[KINDS_MOST];
    size_t count = 0;
    const struct json *list = json_get(status, "processes");
    for (size_t i = 0; i < json_count(list); i++)
        member_add(kind_of(kinds, &count, json_get_string(json_at(list, i), "name")), json_at(list, i));
    if (count) printf("%-8s %-9s %5s %9s  %s\n", "process", "state", "up", "restarts", "since its start");
    for (size_t i = 0; i < count; i++) kind_print(&kinds[i]);
    certificates_print(json_get(status, "certificates"));
    users_print(status);
}

/* --- in full --- */

static void process_print(const struct json *process)
{
    printf("%-8s %2lld  %-8s pid %-7lld up %llds, restarts %lld\n", json_get_string(process, "name"),
           (long long)json_get_number(process, "index"), json_get_string(process, "state"),
           (long long)json_get_number(process, "pid"), (long long)json_get_number(process, "up_s"),
           (long long)json_get_number(process, "restarts"));
    const struct json *values = json_get(process, "values"), *value;
    const char *name;
    if (!answers(process) && strcmp(json_get_string(process, "state"), "running") == 0)
        printf("             does not answer\n");
    for (void *at = json_first(values, &name, &value); at; at = json_next(values, at, &name, &value)) {
        struct buffer text = { 0 };
        json_value_print(value, &text);
        printf("             %-28s %.*s\n", name, TEXT_ARG(buffer_text(&text)));
        buffer_free(&text);
    }
}

static void certificate_print(const struct json *certificate)
{
    const char *warning = json_get_string(certificate, "warning");
    long long days = json_get_number(certificate, "days_left");
    char day[CERTIFICATE_DAY_SIZE];
    certificate_day_print(json_get_number(certificate, "until"), day);
    printf("certificate  %s\n", json_get_string(certificate, "file"));
    printf("             %-28s %s\n", "for", json_get_string(certificate, "use"));
    printf("             %-28s %s\n", "names", json_get_string(certificate, "names"));
    printf("             %-28s %s (%lld %s)\n", "until", day, days, days == 1 ? "day" : "days");
    if (*warning) printf("             %-28s %s\n", "WARNING", warning);
}

static bool is_asked(const char *name, char **names, int count)
{
    bool is = count == 0;
    for (int i = 0; i < count; i++) is = is || strcmp(names[i], name) == 0;
    return is;
}

static void full_print(const struct json *status, char **names, int count)
{
    const struct json *list = json_get(status, "processes");
    for (size_t i = 0; i < json_count(list); i++)
        if (is_asked(json_get_string(json_at(list, i), "name"), names, count))
            process_print(json_at(list, i));
    list = json_get(status, "certificates");
    for (size_t i = 0; count == 0 && i < json_count(list); i++) certificate_print(json_at(list, i));
    if (count == 0) users_print(status);
}

/* --- the verb --- */

/* OPTIONS_GO_ON, or a name that is no process was complained of. */
static int names_check(int argc, char **argv)
{
    for (int i = optind; i < argc; i++) {
        enum process_kind kind;
        if (process_kind_from_name(text_of(argv[i]), &kind) && kind != PROCESS_MASTER) continue;
        const char *names[PROCESS_COUNT + 1] = { 0 };
        for (size_t k = 0; (names[k] = process_word(k)); k++) {
        }
        return options_complain_word(&status_usage, "no such process: ", argv[i], names);
    }
    return OPTIONS_GO_ON;
}

int status_main(int argc, char **argv)
{
    struct options options = { 0 };
    struct buffer answer = { 0 };
    int code = options_read(&status_usage, argc, argv, &options);
    if (code == OPTIONS_GO_ON) code = names_check(argc, argv);
    if (code != OPTIONS_GO_ON) return code;
    code = control_ask(&options.target, TEXT("status"), ANSWER_MS, NULL, NULL, &answer);
    struct text text = buffer_text(&answer);
    if (code != EX_OK) {
        if (text.length) fprintf(stderr, "sekimori status: %.*s\n", TEXT_ARG(text));
        buffer_free(&answer);
        return code;
    }
    struct json *json = options.is_json ? NULL : json_parse(text);
    const char *to = json_get_string(json, "drain_to");
    bool all_run = text_find(text, TEXT("\"ready\":true")) < text.length;
    if (options.is_json) printf("%.*s\n", TEXT_ARG(text));
    if (json && text_find(text, TEXT("\"draining\":true")) < text.length)
        printf("drained: nothing is taken; what waits goes to %s\n", *to ? to : "its usual servers");
    if (json && (options.is_all || optind < argc))
        full_print(json, argv + optind, argc - optind);
    else if (json)
        short_print(json);
    json_free(json);
    buffer_free(&answer);
    return all_run ? EX_OK : 1;
}
