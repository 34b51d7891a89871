/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Who sent a message, proven: SPF, DKIM, ARC and DMARC of it together. First half: what its bytes say (scan's
   read); between them, what has to be asked for it; second half: the result, pure, out of that and the DNS
   answers (scan's decide, `sekimori auth`). */
#ifndef SEKIMORI_AUTH_AUTHENTICATION_H
#define SEKIMORI_AUTH_AUTHENTICATION_H

#include "auth/dmarc.h"
#include "auth/from_domains.h"
#include "auth/mailing_list.h"
#include "auth/message_signatures.h"
#include "auth/newsletter.h"
#include "auth/spf_answer.h"

/* What the bytes say. */
struct auth_facts {
    struct message_signatures signatures;
    struct from_domains from;
    struct mailing_list list;
    struct newsletter_fields newsletter;
};

/* `header` is that of `message`, the bytes as they came. Texts live in the arena or borrow from the message.
 */
void auth_facts_read(struct arena *arena, struct text message, const struct header *header,
                     struct auth_facts *out);

/* The byte form, appended. What is read borrows its texts, lists live in the arena. False: malformed. */
void auth_facts_put(const struct auth_facts *facts, struct buffer *out);
bool auth_facts_get(struct arena *arena, struct reader *reader, struct auth_facts *out);

/* What is to be judged. */
struct auth_request {
    const struct auth_facts *facts;
    const struct spf_answer *spf;              /* NULL: unknown, as temperror */
    const struct public_suffix_list *suffixes; /* NULL: the tree walk of RFC 9989 */
    uint64_t now_s;                            /* seconds since 1970 */
    uint32_t sample;                           /* as in dmarc_request */
};

struct authentication {
    struct spf_answer spf;
    struct dkim_verdict *dkim; /* one for each of facts->signatures.dkim */
    struct arc_verdict arc;
    struct dmarc_result dmarc;
};

/* False: answers are missing that `answers` has noted as wanted; all that can be wanted by then is. */
bool authentication_evaluate(struct arena *arena, struct dns_answers *answers,
                             const struct auth_request *request, struct authentication *out);

/* Of a message that fails DMARC: it does so as forwarding makes it. SPF does not prove the author's domain;
   signatures of it are missing, or all that is wrong is the body, which lists change: a signature whose
   header is not right was never made. */
bool authentication_fails_as_forwarded(const struct auth_facts *facts, const struct authentication *result);

/* --- what has to be asked --- */

enum { AUTH_KEYS_MOST = 40 };

/* The names whose TXT records hold the keys, each once, in the arena: at most AUTH_KEYS_MOST. A signature
   that time has made worthless needs none. */
uint32_t auth_keys_wanted(struct arena *arena, const struct auth_facts *facts, uint64_t now_s,
                          struct text **out_names);

/* The domains whose policy and organization DMARC may need, as one question: those of From, then each that
   SPF or a signature may prove. Appended; nothing when there is no domain in From. */
void auth_policy_question_put(const struct auth_facts *facts, struct text spf_domain, struct buffer *out);

/* Notes in `answers` whatever a judgement of these domains may want, whichever of them are proven. False: not
   yet. A malformed question wants nothing. */
bool auth_policy_look(struct arena *arena, struct dns_answers *answers, struct text question,
                      const struct public_suffix_list *suffixes);

#endif
