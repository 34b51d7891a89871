/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What `sekimori setup` finds of the world: facts in, a result and what to do out. Pure; setup_checks.c asks.
 */
#ifndef SEKIMORI_CLI_SETUP_FINDING_H
#define SEKIMORI_CLI_SETUP_FINDING_H

#include "base/buffer.h"
#include "base/listening.h"
#include "config/settings.h"
#include "ipc/ask_lookup.h"

enum setup_result {
    SETUP_OK,
    SETUP_WARNING, /* the node works; something in the world is not as it should be, or is not known */
    SETUP_FAILED,  /* no mail would flow */
    SETUP_RESULTS
};

/* Zero-initialised: SETUP_OK. Free with setup_finding_free. */
struct setup_finding {
    enum setup_result result;
    enum language language; /* set by the caller: of what is said */
    struct buffer said;     /* a line without its end */
    struct buffer advice;   /* what to do; empty where nothing is to be done */
};
void setup_finding_free(struct setup_finding *finding); /* its buffers; the struct is the caller's */

/* "ok       SAID" with a line end, and a line "         → ADVICE" below it. */
void setup_finding_print(const struct setup_finding *finding, struct buffer *out);

/* How a server inside answered when it was offered a mail for a recipient. */
struct recipient_answer {
    enum recipient_outcome {
        RECIPIENT_TAKEN,
        RECIPIENT_DEFERRED,  /* 4xx */
        RECIPIENT_REFUSED,   /* 5xx */
        RECIPIENT_NO_ANSWER, /* no connection, or a silent one; `said` says why */
        RECIPIENT_NO_SMTP    /* what came is no SMTP */
    } outcome;
    char said[600]; /* the last reply, or why there is none; NUL-ended */
};
/* A server inside takes mail for `recipient`. */
void setup_find_inside(struct setup_finding *out, struct text server, struct text recipient,
                       const struct recipient_answer *answer);

/* The addresses of this machine. Borrowed. */
struct machine_addresses {
    const struct address *items;
    size_t count;
};

/* The domain's mail comes to `hostname`, which is this machine. */
void setup_find_mx(struct setup_finding *out, struct text domain, struct text hostname,
                   const struct mx_answer *answer, const struct machine_addresses *own);

/* False: the host name has no address in the DNS, and what to do about it is said. Where it has, each is
   asked for its name. */
bool setup_find_address(struct setup_finding *out, struct text hostname, const struct host_answer *answer);

/* The name of the address is the host name, and leads back to the address. */
void setup_find_name(struct setup_finding *out, struct text hostname, const struct address *address,
                     const struct client_name *answer);

/* Whether lists of the DNS can be asked: from its root, not by a resolver of others. */
void setup_find_root(struct setup_finding *out, bool is_reached);

/* A port of ours. `why`: errno of binding it, 0 when that went well. */
void setup_find_port(struct setup_finding *out, uint16_t port, int why,
                     const struct listening_holder *holder);

/* `newest_s`: when the newest signatures were written, in seconds since 1970; 0: there are none. */
void setup_find_signatures(struct setup_finding *out, struct text folder, int64_t newest_s);

#endif
