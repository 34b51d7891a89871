/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Facts of health as bytes, the names of the checks, and the words of what was found. */
#include "ipc/health.h"

#include <inttypes.h>

const char *health_fact_name(enum health_fact fact)
{
    static const char *const names[HEALTH_FACT_COUNT] = {
        [HEALTH_SESSIONS] = "sessions",
        [HEALTH_DNS_MISSES] = "dns_misses",
        [HEALTH_UPSTREAMS] = "upstreams",
        [HEALTH_UPSTREAM_MISSES] = "upstream_misses",
        [HEALTH_QUEUE_STILL_MS] = "queue_still_ms",
        [HEALTH_QUEUE_FULL] = "queue_full",
        [HEALTH_DISK_FREE] = "disk_free_bytes",
        [HEALTH_MESSAGES] = "messages",
        [HEALTH_DELIVERIES] = "deliveries",
        [HEALTH_DESTINATIONS_DOWN] = "destinations_down",
        [HEALTH_HELD] = "held",
        [HEALTH_DRAINING] = "processes_draining",
        [HEALTH_SCAN_DOWN_MS] = "scan_down_ms",
        [HEALTH_SCAN_LOST] = "scan_lost",
        [HEALTH_ENGINE] = "engine",
        [HEALTH_SIGNATURES] = "signatures",
        [HEALTH_SIGNATURES_AGE_S] = "signatures_age_s",
        [HEALTH_SIGNATURES_KEPT] = "signatures_kept",
        [HEALTH_ALSO] = "signatures_also",
        [HEALTH_ALSO_AGE_S] = "signatures_also_age_s",
        [HEALTH_UPDATE_FAILING_S] = "update_failing_s",
        [HEALTH_ENGINES] = "engines",
        [HEALTH_ENGINES_SICK] = "engines_sick_bits",
        [HEALTH_LISTS] = "lists",
        [HEALTH_LISTS_ASIDE] = "lists_aside_bits",
        [HEALTH_LEDGER_FAILING] = "ledger_failing",
        [HEALTH_LEARNED_DAMAGED] = "learned_damaged",
        [HEALTH_EXPLANATIONS_DROPPED] = "explanations_dropped",
        [HEALTH_INSIDE_HELD] = "inside_held",
        [HEALTH_CERTIFICATE_DAYS] = "certificate_days",
        [HEALTH_RULES_ASIDE] = "rules_aside",
        [HEALTH_LOG_MISSED] = "log_lines_missed",
        [HEALTH_LOG_CUT] = "logs_cut",
    };
    return (unsigned)fact < HEALTH_FACT_COUNT && names[fact] ? names[fact] : "unknown";
}

void health_know(struct health_facts *facts, enum health_fact fact, uint64_t value)
{
    facts->known |= UINT64_C(1) << fact;
    facts->values[fact] = value;
}

bool health_knows(const struct health_facts *facts, enum health_fact fact)
{
    return facts->known >> fact & 1;
}

void health_facts_add(struct health_facts *facts, const struct health_facts *more)
{
    for (int fact = 0; fact < HEALTH_FACT_COUNT; fact++)
        if (health_knows(more, fact)) health_know(facts, fact, facts->values[fact] + more->values[fact]);
}

void health_facts_put(const struct health_facts *facts, struct buffer *frame)
{
    for (int fact = 0; fact < HEALTH_FACT_COUNT; fact++) {
        if (!health_knows(facts, fact)) continue;
        put_u8(frame, (uint8_t)fact);
        put_u64(frame, facts->values[fact]);
    }
}

bool health_facts_get(struct text payload, struct health_facts *out)
{
    struct reader reader = reader_of(payload);
    *out = (struct health_facts){ 0 };
    while (reader.rest.length > 0 && !reader.failed) {
        uint8_t fact = get_u8(&reader);
        uint64_t value = get_u64(&reader);
        if (reader.failed || fact >= HEALTH_FACT_COUNT || health_knows(out, fact)) return false;
        health_know(out, fact, value);
    }
    return !reader.failed;
}

const char *health_check_name(enum health_check check)
{
    static const char *const names[HEALTH_CHECK_COUNT] = {
        [HEALTH_CHECK_NODE] = "node",
        [HEALTH_CHECK_DRAIN] = "drain",
        [HEALTH_CHECK_QUEUE] = "queue",
        [HEALTH_CHECK_DISK] = "disk",
        [HEALTH_CHECK_DNS] = "dns",
        [HEALTH_CHECK_CLOCK] = "clock",
        [HEALTH_CHECK_UPSTREAM] = "upstream",
        [HEALTH_CHECK_SCAN] = "scan",
        [HEALTH_CHECK_SIGNATURES] = "signatures",
        [HEALTH_CHECK_ENGINES] = "engines",
        [HEALTH_CHECK_LISTS] = "lists",
        [HEALTH_CHECK_LEDGER] = "ledger",
        [HEALTH_CHECK_CERTIFICATES] = "certificates",
        [HEALTH_CHECK_LISTENERS] = "listeners",
    };
    return (unsigned)check < HEALTH_CHECK_COUNT ? names[check] : "unknown";
}

static const char *const words_of[HEALTH_SAYS_COUNT] = {
    [HEALTH_SAYS_STOPPING] = N_("the node is being stopped"),
    [HEALTH_SAYS_UNREADY] = N_("{process} is not ready yet"),
    [HEALTH_SAYS_DOWN] = N_("{process} is down for {1} s"),
    [HEALTH_SAYS_RESTARTED] = N_("{process} was restarted {1} {1:time|times} in a minute"),
    [HEALTH_SAYS_SILENT] = N_("{process} does not answer for {1} s"),
    [HEALTH_SAYS_WAITS_DISK] = N_("{process} waits for a disk for {1} s"),
    [HEALTH_SAYS_LOG_MISSED] = N_("the log did not take {1} {1:line|lines} of {process} in the last minute"),
    [HEALTH_SAYS_RUNNING] = N_("{1} {1:process runs and answers|processes run and answer}"),
    [HEALTH_SAYS_IN_SERVICE] = N_("in service"),
    [HEALTH_SAYS_DRAINING] = N_("draining"),
    [HEALTH_SAYS_DRAINED] = N_("drained"),
    [HEALTH_SAYS_QUEUE_STILL] = N_("nothing has left for {1} s though mail is due"),
    [HEALTH_SAYS_QUEUE_MOVES] = N_("mail leaves; {1} {1:message is|messages are} there"),
    [HEALTH_SAYS_QUEUE_FULL] = N_("no message is taken: {1} MiB {1:is|are} free on the disk of the queue"),
    [HEALTH_SAYS_DISK_LOW] = N_("{1} MiB {1:is|are} free on the disk of the queue, under {2} MiB"),
    [HEALTH_SAYS_DISK_FREE] = N_("{1} MiB {1:is|are} free"),
    [HEALTH_SAYS_UPSTREAM_CUT] = N_("none of {1} upstream addresses answered the last {2} {2:probe|probes}"),
    [HEALTH_SAYS_UPSTREAM_UP] = N_("reachable"),
    [HEALTH_SAYS_DNS_DEAD] = N_("no answer to the last {1} {1:question|questions}"),
    [HEALTH_SAYS_DNS_ANSWERS] = N_("it answers"),
    [HEALTH_SAYS_CLOCK_UNATTENDED] = N_("no time service keeps the clock"),
    [HEALTH_SAYS_CLOCK_WRONG] = N_("the clock may be wrong by {1} ms"),
    [HEALTH_SAYS_CLOCK_RIGHT] = N_("right within {1} ms"),
    [HEALTH_SAYS_SCAN_DOWN] = N_("no scan worker has been ready for {1} s: mail waits or is deferred"),
    [HEALTH_SAYS_SCAN_LOST] =
        N_("the last {1} {1:message was|messages were} not judged: their workers died or gave no answer"),
    [HEALTH_SAYS_SCAN_READY] = N_("messages are judged"),
    [HEALTH_SAYS_RULES_ASIDE] = N_("messages are judged, but without each rule file that was wrong at the "
                                   "start, first {subject}: sekimori check says why"),
    [HEALTH_SAYS_ENGINE_OFF] = N_("the virus check is off"),
    [HEALTH_SAYS_ENGINE_TRIAL] = N_("only the built-in ones, as configured: no real virus is found"),
    [HEALTH_SAYS_ENGINE_BUILTIN] = N_(
        "only the built-in ones are loaded: no mail counts as scanned; clamav-freshclam fetches the others"),
    [HEALTH_SAYS_ENGINE_NONE] = N_("no virus engine could be loaded: no mail is scanned; the log says why"),
    [HEALTH_SAYS_SIGNATURES_LOADING] = N_("they are being loaded"),
    [HEALTH_SAYS_SIGNATURES_KEPT] = N_("the new ones cannot be used, the old ones stay; the log says why"),
    [HEALTH_SAYS_SIGNATURES_OLD] = N_("the newest of {1} are {2} {2:day|days} old: freshclam fetches none"),
    [HEALTH_SAYS_SIGNATURES_ALSO_OLD] = N_("the newest of the second set ({1}) are {2} {2:day|days} old"),
    [HEALTH_SAYS_UPDATE_FAILING] = N_("fetching them has failed for {1} {1:hour|hours}; the log says why"),
    [HEALTH_SAYS_SIGNATURES_FRESH] = N_("{1}; the newest are {2} {2:day|days} old"),
    [HEALTH_SAYS_ENGINES_DEFER] = N_("{subject} {1:does|do} not answer: mail is deferred; the log says why"),
    [HEALTH_SAYS_ENGINES_LACK] =
        N_("{subject} {1:does|do} not answer: mail goes without {1:it|them}; the log says why"),
    [HEALTH_SAYS_ENGINES_ANSWER] = N_("{1} {1:engine outside answers|engines outside answer}"),
    [HEALTH_SAYS_LISTS_ASIDE] =
        N_("{subject} {1:is|are} put aside, or {1:its|their} file was refused: sekimori lists says why"),
    [HEALTH_SAYS_LISTS_IN_FORCE] = N_("{1} {1:is|are} in force"),
    [HEALTH_SAYS_LEDGER_FAILING] = N_("it cannot be written: events wait, mail flows on"),
    [HEALTH_SAYS_LEDGER_WRITES] = N_("it can be read and written"),
    [HEALTH_SAYS_LEARNED_DAMAGED] =
        N_("a file of what is known of spam is missing or damaged, and not used; the log says why"),
    [HEALTH_SAYS_EXPLANATIONS_DROPPED] = N_("{1} {1:explanation of a message was|explanations of messages "
                                            "were} dropped for want of room; mail flows on"),
    [HEALTH_SAYS_CERTIFICATE_OVER] = N_("that of {subject} has expired"),
    [HEALTH_SAYS_CERTIFICATE_LASTS] = N_("{1} {1:day|days} left for the first, that of {subject}"),
    [HEALTH_SAYS_NO_CERTIFICATE] = N_("none is configured"),
    [HEALTH_SAYS_LISTENERS_SHUT] = N_("{1} of {2} {1:does|do} not listen: who connects there is refused"),
    [HEALTH_SAYS_LISTENERS_OPEN] = N_("{2} {2:listens|listen}"),
    [HEALTH_SAYS_NOT_STARTED] = N_("no word from the node: it has not been started"),
    [HEALTH_SAYS_GONE] = N_("no word from the node: it does not run"),
    [HEALTH_SAYS_HANGS] = N_("no word from the node for {1} s: it hangs"),
    [HEALTH_SAYS_NOT_ALLOWED] =
        N_("you are not allowed to look: the state of the node belongs to somebody else"),
};

const char *health_words(enum health_says says)
{
    return (unsigned)says < HEALTH_SAYS_COUNT ? words_of[says] : "";
}

/* {1:one|many}: the first for a number of 1. False: it is no such place. */
static bool plural_fill(const struct health_finding *finding, struct text place, struct buffer *out)
{
    bool is_first = text_starts(place, TEXT("{1:"));
    size_t bar = text_find_char(place, '|');
    if ((!is_first && !text_starts(place, TEXT("{2:"))) || bar == place.length) return false;
    bool is_one = finding->numbers[!is_first] == 1;
    buffer_add_text(out, text_slice(place, is_one ? 3 : bar + 1, is_one ? bar : place.length - 1));
    return true;
}

/* One {…}; false: it is none of ours, and stands as it is. */
static bool place_fill(const struct health_finding *finding, struct text place, struct buffer *out)
{
    if (text_equal(place, TEXT("{process}")))
        buffer_printf(out, "%.*s", HEALTH_PROCESS_SIZE, finding->process);
    else if (text_equal(place, TEXT("{subject}")))
        buffer_printf(out, "%.*s", HEALTH_SUBJECT_SIZE, finding->subject);
    else if (text_equal(place, TEXT("{1}")))
        buffer_printf(out, "%" PRIu64, finding->numbers[0]);
    else if (text_equal(place, TEXT("{2}")))
        buffer_printf(out, "%" PRIu64, finding->numbers[1]);
    else
        return plural_fill(finding, place, out);
    return true;
}

void health_say(const struct health_finding *finding, const char *words, struct buffer *out)
{
    for (struct text rest = text_of(words); rest.length > 0;) {
        size_t open = text_find_char(rest, '{');
        buffer_add_text(out, text_slice(rest, 0, open));
        rest = text_slice(rest, open, rest.length);
        struct text place = text_slice(rest, 0, text_find_char(rest, '}') + 1);
        if (place.length && !place_fill(finding, place, out)) buffer_add_text(out, place);
        rest = text_slice(rest, place.length, rest.length);
    }
}
