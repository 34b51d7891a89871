/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Facts of health as bytes, the names of the checks, and the words of what was found. */
#include "ipc/health.h"

#include <inttypes.h>

void health_know(struct health_facts *facts, enum health_fact fact, uint64_t value)
{
    facts->known |= 1u << fact;
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
        [HEALTH_CHECK_NODE] = "node",         [HEALTH_CHECK_DRAIN] = "drain", [HEALTH_CHECK_QUEUE] = "queue",
        [HEALTH_CHECK_DISK] = "disk",         [HEALTH_CHECK_DNS] = "dns",     [HEALTH_CHECK_CLOCK] = "clock",
        [HEALTH_CHECK_UPSTREAM] = "upstream",
    };
    return (unsigned)check < HEALTH_CHECK_COUNT ? names[check] : "unknown";
}

static const char *const words_of[HEALTH_SAYS_COUNT] = {
    [HEALTH_SAYS_STOPPING] = N_("the node is being stopped"),
    [HEALTH_SAYS_UNREADY] = N_("{process} is not ready yet"),
    [HEALTH_SAYS_DOWN] = N_("{process} is down for {1} s"),
    [HEALTH_SAYS_RESTARTED] = N_("{process} was restarted {1} times in a minute"),
    [HEALTH_SAYS_SILENT] = N_("{process} does not answer for {1} s"),
    [HEALTH_SAYS_WAITS_DISK] = N_("{process} waits for a disk for {1} s"),
    [HEALTH_SAYS_LOG_MISSED] = N_("the log did not take {1} lines of {process} in the last minute"),
    [HEALTH_SAYS_RUNNING] = N_("{1} processes run and answer"),
    [HEALTH_SAYS_IN_SERVICE] = N_("in service"),
    [HEALTH_SAYS_DRAINING] = N_("draining"),
    [HEALTH_SAYS_DRAINED] = N_("drained"),
    [HEALTH_SAYS_QUEUE_STILL] = N_("nothing has left for {1} s though mail is due"),
    [HEALTH_SAYS_QUEUE_MOVES] = N_("mail leaves; {1} messages are there"),
    [HEALTH_SAYS_QUEUE_FULL] = N_("no message is taken: {1} MiB are free on the disk of the queue"),
    [HEALTH_SAYS_DISK_LOW] = N_("{1} MiB are free on the disk of the queue, under {2} MiB"),
    [HEALTH_SAYS_DISK_FREE] = N_("{1} MiB are free"),
    [HEALTH_SAYS_UPSTREAM_CUT] = N_("none of {1} upstream addresses answered the last {2} probes"),
    [HEALTH_SAYS_UPSTREAM_UP] = N_("reachable"),
    [HEALTH_SAYS_DNS_DEAD] = N_("no answer to the last {1} questions"),
    [HEALTH_SAYS_DNS_ANSWERS] = N_("it answers"),
    [HEALTH_SAYS_CLOCK_UNATTENDED] = N_("no time service keeps the clock"),
    [HEALTH_SAYS_CLOCK_WRONG] = N_("the clock may be wrong by {1} ms"),
    [HEALTH_SAYS_CLOCK_RIGHT] = N_("right within {1} ms"),
    [HEALTH_SAYS_NOT_STARTED] = N_("no word from the node: it has not been started"),
    [HEALTH_SAYS_GONE] = N_("no word from the node: it does not run"),
    [HEALTH_SAYS_HANGS] = N_("no word from the node for {1} s: it hangs"),
};

const char *health_words(enum health_says says)
{
    return (unsigned)says < HEALTH_SAYS_COUNT ? words_of[says] : "";
}

/* One {…}; false: it is none of ours, and stands as it is. */
static bool place_fill(const struct health_finding *finding, struct text place, struct buffer *out)
{
    if (text_equal(place, TEXT("{process}")))
        buffer_printf(out, "%.*s", HEALTH_PROCESS_SIZE, finding->process);
    else if (text_equal(place, TEXT("{1}")))
        buffer_printf(out, "%" PRIu64, finding->numbers[0]);
    else if (text_equal(place, TEXT("{2}")))
        buffer_printf(out, "%" PRIu64, finding->numbers[1]);
    else
        return false;
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
