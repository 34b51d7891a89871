/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Authentication-Results fields (RFC 8601): composed from plain structs, recognised as ours, and read, also
   as the payload of ARC-Authentication-Results (RFC 8617 section 4.1.1). Pure. */
#ifndef SEKIMORI_AUTH_AUTHENTICATION_RESULTS_H
#define SEKIMORI_AUTH_AUTHENTICATION_RESULTS_H

#include "base/arena.h"
#include "base/buffer.h"

/* The words of RFC 8601 section 2.7. */
enum auth_result {
    AUTH_NONE,
    AUTH_PASS,
    AUTH_FAIL,
    AUTH_SOFTFAIL,
    AUTH_NEUTRAL,
    AUTH_POLICY,
    AUTH_TEMPERROR,
    AUTH_PERMERROR,
    AUTH_RESULT_COUNT
};

/* "permerror"; "none" for what is no result. */
const char *authentication_results_word(enum auth_result result);
/* In any case. False: none of the words; "hardfail" is fail (RFC 8601 section 2.7.2, of old). */
bool authentication_results_word_find(struct text word, enum auth_result *out);

/* smtp.mailfrom=a@example.org: type "smtp", name "mailfrom". */
struct auth_property {
    struct text type, name, value;
};

enum { AUTH_PROPERTIES_MOST = 8, AUTH_STATEMENTS_MOST = 64 };

/* One method's result: "spf=pass reason="…" smtp.mailfrom=…". */
struct auth_statement {
    struct text method; /* "spf", "dkim", "dmarc", "arc", "iprev"; read: lower case, without its version */
    enum auth_result result;
    struct text comment; /* behind the result in parentheses; empty: none. Not read. */
    struct text reason;  /* empty: none */
    struct auth_property properties[AUTH_PROPERTIES_MOST];
    uint32_t property_count;
};

struct authentication_results {
    struct text authserv_id;
    const struct auth_statement *statements;
    uint32_t count; /* none: "none" is written (RFC 8601 section 2.2) */
};

/* Appends the whole field, CRLF-ended and folded within 78 columns where its words allow. `name` is
   "Authentication-Results". Values are quoted where they must be; control characters in them are left out. */
void authentication_results_add(struct buffer *out, struct text name,
                                const struct authentication_results *results);

/* The same without name, authserv-id and line end: "; spf=pass …" for ARC's payload, unfolded. */
void authentication_results_payload_add(struct buffer *out, const struct authentication_results *results);

/* The field's raw value (folds, comments and all) names this authserv-id, in any case, or is so broken that a
   reader might take it so. Such fields from outside are removed (RFC 8601 section 5). Linear. */
bool authentication_results_is_of(struct text value, struct text authserv_id);

/* Reads a field's raw value. Texts live in the arena. A statement that is malformed or whose result is no
   word of ours is passed over; at most AUTH_STATEMENTS_MOST statements and AUTH_PROPERTIES_MOST properties of
   each are kept. False: it does not begin with an authserv-id. */
bool authentication_results_read(struct arena *arena, struct text value, struct authentication_results *out);

/* The first statement of that method, and among several the first that passed; NULL: none. */
const struct auth_statement *authentication_results_find(const struct authentication_results *results,
                                                         struct text method);

/* The value of TYPE.NAME in a statement, any case; empty: it has none. */
struct text authentication_results_property(const struct auth_statement *statement, struct text type,
                                            struct text name);

#endif
