/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What may be asked of signer, the one process that holds the private keys of DKIM and ARC: a signature of a
   digest. It sees nothing else of a message. */
#ifndef SEKIMORI_IPC_ASK_SIGNER_H
#define SEKIMORI_IPC_ASK_SIGNER_H

#include "base/codec.h"
#include "mail/digest.h"

enum signer_frame {
    SIGNER_SIGN = 1, /* scan: struct sign_order; the id is the asker's choice. Each is answered once. */
    SIGNER_SIGNED,   /* the same id; text: the raw signature */
    SIGNER_REFUSED,  /* the same id; text: why not, for the log */
};

enum { SIGN_KEY_MOST = 400, SIGN_SIGNATURE_MOST = 512 /* bytes, of RSA-4096 */, SIGN_REASON_MOST = 200 };

struct sign_order {
    struct text key; /* where its public half is published: "SELECTOR._domainkey.DOMAIN" */
    uint8_t digest[DIGEST_BYTES];
};

/* The byte forms, appended. What is read borrows from the payload. False: malformed, also where something is
   empty or longer than is allowed above. */
void sign_order_put(const struct sign_order *order, struct buffer *out);
bool sign_order_get(struct text payload, struct sign_order *out);
/* Of SIGNER_SIGNED and SIGNER_REFUSED. */
bool sign_answer_get(struct text payload, struct text *out);

#endif
