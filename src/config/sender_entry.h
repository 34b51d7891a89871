/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Allow and block entries as one writes them: `sekimori allow`, `sekimori block`, and the sections `allow`
   and `block` of the configuration. Read by ledger and by the configuration; scan/entry_match.h decides by
   them. */
#ifndef SEKIMORI_CONFIG_SENDER_ENTRY_H
#define SEKIMORI_CONFIG_SENDER_ENTRY_H

#include "base/address.h"
#include "base/arena.h"
#include "base/buffer.h"
#include "config/settings.h"

enum entry_verb { ENTRY_ALLOW, ENTRY_BLOCK, ENTRY_VERBS };

enum entry_kind {
    ENTRY_NETWORK, /* of clients */
    ENTRY_ADDRESS, /* "user@example.com" of the envelope or of From */
    ENTRY_DOMAIN,  /* "example.com" and what is below it, of both */
    ENTRY_KINDS
};

enum {
    ENTRY_TEXT_MOST = 320, /* bytes of an address */
    ENTRY_V4_BITS_LEAST = 8,
    ENTRY_V6_BITS_LEAST = 16 /* wider networks are refused: a slip would block half the world */
};

struct sender_entry {
    uint32_t number; /* from 1: of the ledger, or the place in the configuration */
    bool is_configured;
    enum entry_verb verb;
    enum entry_kind kind;
    struct text what;       /* of an address or a domain: ASCII letters in lower case */
    struct network network; /* of a network: host bits are zero */
    struct text to;         /* a domain or an address of ours, in lower case; empty: everybody */
    bool is_envelope;       /* the envelope alone, not From */
    bool is_unproven;       /* of ALLOW: also without proof of the sender */
    enum action action;     /* of BLOCK: tag, quarantine or reject */
    uint64_t expires_ms;    /* since 1970; 0: never */
};

const char *sender_entry_verb_name(enum entry_verb verb); /* "allow" */

/* What the word names: fills kind, and what or network. False: *out_why says what is wrong, a literal. Texts
   live in the arena. */
bool sender_entry_read_what(struct arena *arena, struct text word, struct sender_entry *out,
                            const char **out_why);

/* For whom it is: a domain or an address. Likewise. */
bool sender_entry_read_to(struct arena *arena, struct text word, struct sender_entry *out,
                          const char **out_why);

/* One option without a value: "--envelope", "--unproven", "--quarantine", "--tag", with or without the
   dashes. Needs the verb. False: it has none that is called so. */
bool sender_entry_read_flag(struct text word, struct sender_entry *out);

/* A whole entry of the configuration: "example.com", or with words as on the command line behind:
   "example.com --to user@example.jp --envelope". Number, time and place stay zero. False: it is none. */
bool sender_entry_read(struct arena *arena, enum entry_verb verb, struct text words,
                       struct sender_entry *out);

/* Appends "192.0.2.0/24", "user@example.com", "example.com". */
void sender_entry_print_what(const struct sender_entry *entry, struct buffer *out);

/* Appends its flags as words: " envelope unproven quarantine"; nothing where there is none. */
void sender_entry_print_flags(const struct sender_entry *entry, struct buffer *out);

/* The domain of an address or of a domain. */
struct text sender_entry_domain(const struct sender_entry *entry);

#endif
