/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Judges answers of servers, of the DNS and of the kernel for setup_checks.c. Has no socket and no clock. */
#include "cli/setup_finding.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/certificate.h"
#include "base/log.h"
#include "statistics/words.h"

void setup_finding_free(struct setup_finding *finding)
{
    buffer_free(&finding->said);
    buffer_free(&finding->advice);
}

void setup_finding_print(const struct setup_finding *finding, struct buffer *out)
{
    static const char *const english[SETUP_RESULTS] = { "ok       ", "warning  ", "failed   " };
    static const char *const japanese[SETUP_RESULTS] = { "良好     ", "注意     ", "失敗     " };
    const char *const *heads = finding->language == LANGUAGE_JA ? japanese : english;
    buffer_printf(out, "%s%.*s\n", heads[finding->result], TEXT_ARG(buffer_text(&finding->said)));
    if (buffer_length(&finding->advice))
        buffer_printf(out, "         → %.*s\n", TEXT_ARG(buffer_text(&finding->advice)));
}

/* Sets the result and says why. */
__attribute__((format(printf, 3, 4))) static void say(struct setup_finding *out, enum setup_result result,
                                                      const char *english, ...)
{
    va_list arguments;
    va_start(arguments, english);
    out->result = result;
    buffer_clear(&out->said);
    buffer_vprintf(&out->said, words_say(out->language, english), arguments);
    va_end(arguments);
}

__attribute__((format(printf, 2, 3))) static void advise(struct setup_finding *out, const char *english, ...)
{
    va_list arguments;
    va_start(arguments, english);
    buffer_clear(&out->advice);
    buffer_vprintf(&out->advice, words_say(out->language, english), arguments);
    va_end(arguments);
}

/* --- the server inside --- */

void setup_find_inside(struct setup_finding *out, struct text server, struct text recipient,
                       const struct recipient_answer *answer)
{
    char said[1200];
    log_escape(text_of(answer->said), said, sizeof said);
    switch (answer->outcome) {
    case RECIPIENT_TAKEN:
        say(out, SETUP_OK, N_("inside server %.*s takes mail for %.*s"), TEXT_ARG(server),
            TEXT_ARG(recipient));
        return;
    case RECIPIENT_DEFERRED:
        say(out, SETUP_WARNING, N_("inside server %.*s puts off mail for %.*s: %s"), TEXT_ARG(server),
            TEXT_ARG(recipient), said);
        advise(out, N_("it may do so to those it does not know (greylisting): let it except this machine"));
        return;
    case RECIPIENT_REFUSED:
        say(out, SETUP_FAILED, N_("inside server %.*s refuses mail for %.*s: %s"), TEXT_ARG(server),
            TEXT_ARG(recipient), said);
        advise(out, N_("make the address there, or let it take mail of the domain from this machine"));
        return;
    case RECIPIENT_NO_ANSWER:
        say(out, SETUP_FAILED, N_("inside server %.*s does not answer: %s"), TEXT_ARG(server), said);
        advise(out, N_("start it, open its port to this machine, or name another one with --inside"));
        return;
    case RECIPIENT_NO_SMTP:
        say(out, SETUP_FAILED, N_("inside server %.*s answers, but not as a mail server does: %s"),
            TEXT_ARG(server), said);
        advise(out, N_("is the port right? --inside takes ADDRESS:PORT"));
        return;
    }
}

/* --- MX --- */

static bool is_own(const struct machine_addresses *own, const struct host_answer *answer)
{
    for (uint32_t i = 0; i < answer->address_count; i++)
        for (size_t k = 0; k < own->count; k++)
            if (address_equal(&answer->addresses[i], &own->items[k])) return true;
    return false;
}

static bool is_here(const struct mx_host *host, struct text hostname, const struct machine_addresses *own)
{
    return text_equal_nocase(host->host, hostname) || is_own(own, &host->addresses);
}

static void advise_mx(struct setup_finding *out, struct text domain, struct text hostname)
{
    advise(out, N_("in the zone of the domain: %.*s. IN MX 10 %.*s."), TEXT_ARG(domain), TEXT_ARG(hostname));
}

static void advise_dns(struct setup_finding *out)
{
    advise(out, N_("look at the resolvers in /etc/resolv.conf, or name others with --dns"));
}

static void advise_address(struct setup_finding *out, struct text hostname)
{
    advise(out, N_("add an A record with this machine's address for %.*s"), TEXT_ARG(hostname));
}

/* The exchanger that is this machine, or bears its name. */
static void here_judge(struct setup_finding *out, struct text domain, struct text hostname,
                       const struct mx_host *host, const struct machine_addresses *own)
{
    char room[ADDRESS_TEXT_SIZE];
    const struct host_answer *answer = &host->addresses;
    if (is_own(own, answer)) {
        say(out, SETUP_OK, N_("MX of %.*s is %.*s, this machine"), TEXT_ARG(domain), TEXT_ARG(host->host));
    } else if (answer->address_count > 0) {
        say(out, SETUP_WARNING, N_("MX of %.*s is %.*s, whose address %s is none of this machine's"),
            TEXT_ARG(domain), TEXT_ARG(host->host), address_print(&answer->addresses[0], room));
        advise(out, N_("right where a router passes port 25 on to this machine; else correct the address"));
    } else {
        say(out, SETUP_WARNING, N_("MX of %.*s is %.*s, which has no address"), TEXT_ARG(domain),
            TEXT_ARG(host->host));
        advise_address(out, hostname);
    }
}

static void hosts_judge(struct setup_finding *out, struct text domain, struct text hostname,
                        const struct mx_answer *answer, const struct machine_addresses *own)
{
    uint32_t at = 0;
    while (at < answer->host_count && !is_here(&answer->hosts[at], hostname, own)) at++;
    const struct mx_host *first = &answer->hosts[0];
    if (at == answer->host_count) {
        say(out, SETUP_WARNING, N_("MX of %.*s is %.*s, not this machine: its mail goes there"),
            TEXT_ARG(domain), TEXT_ARG(first->host));
        advise_mx(out, domain, hostname);
    } else if (first->preference < answer->hosts[at].preference) {
        say(out, SETUP_WARNING, N_("mail of %.*s goes to %.*s first (MX %u), then to %.*s (MX %u)"),
            TEXT_ARG(domain), TEXT_ARG(first->host), first->preference, TEXT_ARG(answer->hosts[at].host),
            answer->hosts[at].preference);
        advise(out, N_("what goes there first is not judged here: give this machine the lowest number"));
    } else {
        here_judge(out, domain, hostname, &answer->hosts[at], own);
    }
}

void setup_find_mx(struct setup_finding *out, struct text domain, struct text hostname,
                   const struct mx_answer *answer, const struct machine_addresses *own)
{
    if (answer->is_null) {
        say(out, SETUP_WARNING, N_("%.*s says of itself that it takes no mail (MX 0 .)"), TEXT_ARG(domain));
        advise_mx(out, domain, hostname);
    } else if (answer->host_count > 0 && !answer->is_implicit) {
        hosts_judge(out, domain, hostname, answer, own);
    } else if (answer->status > DNS_NONE) {
        say(out, SETUP_WARNING, N_("MX of %.*s: the DNS gives no answer (%s)"), TEXT_ARG(domain),
            dns_status_name(answer->status));
        advise_dns(out);
    } else {
        say(out, SETUP_WARNING, N_("%.*s has no MX"), TEXT_ARG(domain));
        advise_mx(out, domain, hostname);
    }
}

/* --- PTR --- */

bool setup_find_address(struct setup_finding *out, struct text hostname, const struct host_answer *answer)
{
    if (answer->address_count > 0) return true;
    if (answer->status > DNS_NONE) {
        say(out, SETUP_WARNING, N_("address of %.*s: the DNS gives no answer (%s)"), TEXT_ARG(hostname),
            dns_status_name(answer->status));
        advise_dns(out);
    } else {
        say(out, SETUP_WARNING, N_("%.*s has no address in the DNS"), TEXT_ARG(hostname));
        advise_address(out, hostname);
    }
    return false;
}

void setup_find_name(struct setup_finding *out, struct text hostname, const struct address *address,
                     const struct client_name *answer)
{
    char room[ADDRESS_TEXT_SIZE];
    const char *ip = address_print(address, room);
    if (answer->status == CLIENT_NAME_TEMPERROR) {
        say(out, SETUP_WARNING, N_("name of %s: the DNS gives no answer"), ip);
        advise_dns(out);
        return;
    }
    if (answer->status == CLIENT_NAME_CONFIRMED && text_equal_nocase(answer->name, hostname)) {
        say(out, SETUP_OK, N_("%s is named %.*s, and the name leads back"), ip, TEXT_ARG(hostname));
        return;
    }
    if (answer->status == CLIENT_NAME_NONE)
        say(out, SETUP_WARNING, N_("%s has no name (PTR): many servers refuse mail from it"), ip);
    else if (answer->status == CLIENT_NAME_UNCONFIRMED)
        say(out, SETUP_WARNING, N_("%s is named %.*s (PTR), which does not lead back to it"), ip,
            TEXT_ARG(answer->name));
    else
        say(out, SETUP_WARNING, N_("%s is named %.*s (PTR), not %.*s"), ip, TEXT_ARG(answer->name),
            TEXT_ARG(hostname));
    advise(out, N_("ask whoever gave you the address to set its PTR to %.*s"), TEXT_ARG(hostname));
}

void setup_find_root(struct setup_finding *out, bool is_reached)
{
    if (is_reached) {
        say(out, SETUP_OK, N_("the DNS answers from its root: lists of the DNS can be switched on"));
        return;
    }
    say(out, SETUP_WARNING,
        N_("the root servers of the DNS do not answer: only forwarding works here, which most lists of the "
           "DNS refuse"));
    advise(out, N_("before you switch such a list on, open port 53, UDP and TCP, to the world"));
}

/* --- this machine --- */

static void taken_say(struct setup_finding *out, uint16_t port, const struct listening_holder *holder)
{
    struct buffer by = { 0 };
    if (holder->is_found && strcmp(holder->program, "sekimorid") == 0) {
        say(out, SETUP_OK, N_("port %u is this gateway's already"), port);
        return;
    }
    listening_holder_print(holder, &by);
    say(out, SETUP_FAILED, N_("port %u is taken %.*s"), port, TEXT_ARG(buffer_text(&by)));
    if (holder->is_found && holder->pid)
        advise(out, N_("stop it for good, as with: systemctl disable --now %s"), holder->program);
    else
        advise(out, N_("`ss -tlnp` as root says by whom; stop that program for good"));
    buffer_free(&by);
}

void setup_find_port(struct setup_finding *out, uint16_t port, int why, const struct listening_holder *holder)
{
    if (why == 0) {
        say(out, SETUP_OK, N_("port %u is free"), port);
    } else if (why == EADDRINUSE) {
        taken_say(out, port, holder);
    } else if (why == EACCES) {
        say(out, SETUP_WARNING, N_("whether port %u is free only root can try"), port);
        advise(out, N_("run it as root, who has to start the node as well"));
    } else {
        say(out, SETUP_FAILED, N_("port %u cannot be had: %s"), port, strerror(why));
    }
}

void setup_find_signatures(struct setup_finding *out, struct text folder, int64_t newest_s)
{
    char day[CERTIFICATE_DAY_SIZE];
    if (newest_s) {
        say(out, SETUP_OK, N_("virus signatures of %s"), certificate_day_print(newest_s, day));
        return;
    }
    say(out, SETUP_WARNING, N_("no virus signatures in %.*s: nothing counts as scanned"), TEXT_ARG(folder));
    advise(out, N_("apt install clamav-freshclam fetches them and keeps them new"));
}
