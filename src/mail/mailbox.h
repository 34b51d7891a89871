/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Mailboxes and paths of the SMTP envelope: RFC 5321 section 4.1.2 and 4.1.3, RFC 6531 for UTF-8. Lenient by
   default in one thing: consecutive, leading and trailing dots in the local part are taken as they are, since
   old Japanese mobile addresses have them (a..b@docomo.ne.jp, a.@ezweb.ne.jp). A local part may be as long as
   the line that brings it. Nothing is ever rewritten. */
#ifndef SEKIMORI_MAIL_MAILBOX_H
#define SEKIMORI_MAIL_MAILBOX_H

#include "base/address.h"
#include "base/arena.h"

enum mailbox_outcome {
    MAILBOX_GOOD,
    MAILBOX_EMPTY,
    MAILBOX_NO_DOMAIN,
    MAILBOX_BAD_LOCAL, /* a character that no local part has */
    MAILBOX_DOTS,      /* strict: empty atom in the local part */
    MAILBOX_BAD_QUOTING,
    MAILBOX_BAD_DOMAIN,
    MAILBOX_BAD_LITERAL,
    MAILBOX_TOO_LONG, /* the domain, for DNS */
    MAILBOX_NOT_UTF8,
    MAILBOX_BAD_PATH, /* the brackets or a source route */
    MAILBOX_OUTCOME_COUNT
};

struct mailbox {
    struct text address; /* the whole mailbox, as given */
    struct text local;   /* as given, quotes included */
    struct text domain;  /* as given; the literal with its brackets; empty for <> and <postmaster> */
    bool is_null;        /* <> */
    bool is_quoted, is_literal, has_odd_dots;
    bool has_route;         /* "@a,@b:" stood in front of it */
    bool needs_smtputf8;    /* some byte is over 127 */
    struct address literal; /* when is_literal and it is an IP address */
};

/* For people, and the enhanced status code of RFC 3463 for a sender (is_sender) or recipient. */
const char *mailbox_reason(enum mailbox_outcome outcome);
const char *mailbox_status(enum mailbox_outcome outcome, bool is_sender);

/* "user@example.jp", the whole text. */
enum mailbox_outcome mailbox_parse(struct text text, bool strict, struct mailbox *out);

/* "<user@example.jp>", "<>", "<postmaster>", "<@a,@b:user@example.jp>" (the route is dropped, RFC 5321
   appendix C), the whole text. Without brackets it is MAILBOX_BAD_PATH when strict, else read as if they were
   there. */
enum mailbox_outcome mailbox_parse_path(struct text text, bool strict, struct mailbox *out);

bool mailbox_is_postmaster(const struct mailbox *mailbox); /* RFC 5321 section 4.5.1, any case, any quotes */
bool mailbox_is_for_postmaster(struct text address);       /* the same of an address that is to be read */

/* A server may read a way to somewhere else out of it: user%host, host!user, "user@host" (RFC 5321 section
   3.6.1 and appendix F.2), however quoted, or a source route in front. */
bool mailbox_is_routed(const struct mailbox *mailbox);

/* The address for a server without SMTPUTF8: its domain as A-labels, an address in ASCII as it is. False: it
   has no such form, since the local part is not ASCII or the domain is none. In the arena, or `address`. */
bool mailbox_to_ascii(struct arena *arena, struct text address, struct text *out);

/* The local part as it is meant, without quotes and backslashes: "a b" of "\"a\\ b\"". In the arena. */
struct text mailbox_plain_local(struct arena *arena, const struct mailbox *mailbox);

/* The form to compare with and to look up: quotes taken off the local part where it needs none, and no
   backslash but where one has to be; the domain as A-labels in lower case (a literal and what IDNA refuses:
   only lower-cased). Lives in the arena; never goes on the wire. */
struct text mailbox_canonical(struct arena *arena, const struct mailbox *mailbox);

/* "User@EXAMPLE.com", in any spelling, as allow and block entries have it: the canonical form with ASCII
   letters in lower case. In the arena; empty: it is no address, or has no domain. */
struct text mailbox_lower(struct arena *arena, struct text address);

#endif
