/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One SMTP command line as data: RFC 5321 section 4.1.1, and the extensions SIZE (1870), 8BITMIME (6152),
   SMTPUTF8 (6531), DSN (3461), CHUNKING (3030), STARTTLS (3207), XCLIENT. */
#ifndef SEKIMORI_SMTP_COMMAND_H
#define SEKIMORI_SMTP_COMMAND_H

#include "mail/envelope.h"
#include "mail/mailbox.h"

enum smtp_verb {
    VERB_UNKNOWN,
    VERB_EHLO,
    VERB_HELO,
    VERB_MAIL,
    VERB_RCPT,
    VERB_DATA,
    VERB_BDAT,
    VERB_RSET,
    VERB_NOOP,
    VERB_QUIT,
    VERB_VRFY,
    VERB_EXPN,
    VERB_HELP,
    VERB_STARTTLS,
    VERB_AUTH,
    VERB_XCLIENT,
    VERB_COUNT
};

/* Which parameters were given. */
enum smtp_parameter {
    PARAMETER_SIZE = 1,
    PARAMETER_BODY = 2,
    PARAMETER_SMTPUTF8 = 4,
    PARAMETER_RET = 8,
    PARAMETER_ENVID = 16,
    PARAMETER_NOTIFY = 32,
    PARAMETER_ORCPT = 64
};

/* XCLIENT attributes that were given; a value of "[UNAVAILABLE]" or "[TEMPUNAVAIL]" gives an empty text, the
   latter for NAME is told in name_is_temporary. */
enum xclient_attribute {
    XCLIENT_NAME,
    XCLIENT_ADDR,
    XCLIENT_PORT,
    XCLIENT_PROTO,
    XCLIENT_HELO,
    XCLIENT_LOGIN,
    XCLIENT_DESTADDR,
    XCLIENT_DESTPORT,
    XCLIENT_TLS,         /* between nodes: "TLSv1.3 TLS_AES_256_GCM_SHA384 256" of the first client */
    XCLIENT_TRANSACTION, /* between nodes: envelope.transaction in hexadecimal */
    XCLIENT_COUNT
};

struct smtp_command {
    enum smtp_verb verb;
    struct text argument;   /* HELO, EHLO: the name; VRFY…: the rest */
    struct mailbox mailbox; /* MAIL, RCPT */
    unsigned given;         /* enum smtp_parameter bits */
    uint64_t size;
    enum envelope_body body;
    enum envelope_return ret;
    uint8_t notify;
    struct text envid, orcpt; /* decoded, in the arena */
    bool is_last;             /* BDAT n LAST; n in size */
    bool is_out_of_step;      /* with an error: what follows on the wire is not to be taken for commands */
    bool has_attribute[XCLIENT_COUNT], name_is_temporary;
    struct text attribute[XCLIENT_COUNT]; /* decoded, in the arena */
};

/* What is wrong, as the reply to send. code 0: nothing. */
struct smtp_error {
    uint16_t code;
    const char *enhanced, *text;
};

enum { COMMAND_LINE_MOST = 2048, BDAT_MOST_DIGITS = 19, XCLIENT_VALUE_MOST = 255 };

/* `line` without its CRLF, borrowed by the result. `strict` as in mail/mailbox.h. Out of step are a CR, LF or
   NUL inside, a BDAT whose size is not known, and what belongs to another protocol or into a message: HTTP, a
   header field, a line that does not begin with a letter. */
struct smtp_error smtp_command_parse(struct arena *arena, struct text line, bool strict,
                                     struct smtp_command *out);

/* No command begins with this octet: to be known before the line has come whole, as of a TLS client that
   speaks first and waits. */
bool smtp_is_foreign_start(struct text bytes);

/* xtext of RFC 3461 section 4. False: malformed. */
bool xtext_decode(struct arena *arena, struct text text, struct text *out);
void xtext_encode(struct text text, struct buffer *out);

#endif
