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
    ENTRY_ANYBODY, /* "*": only its patterns count */
    ENTRY_KINDS
};

/* What of a message a pattern is for. All patterns of an entry must match, and its sender or client too. */
enum entry_feature {
    ENTRY_SUBJECT,
    ENTRY_LINK,       /* a link's host, or host and path, without the scheme */
    ENTRY_ATTACHMENT, /* a file's name, also in a container, or a part's type */
    ENTRY_FEATURES
};

enum {
    ENTRY_TEXT_MOST = 320,    /* bytes of an address */
    ENTRY_PATTERN_MOST = 200, /* of a pattern */
    ENTRY_STARS_MOST = 8,     /* in a pattern */
    ENTRY_LETTERS_LEAST = 3,  /* of a pattern, in a row; a kanji or kana counts as three */
    ENTRY_V4_BITS_LEAST = 8,
    ENTRY_V6_BITS_LEAST = 16 /* wider networks are refused: a slip would block half the world */
};

struct sender_entry {
    uint32_t number; /* from 1: of the ledger, or the place in the configuration */
    bool is_configured;
    enum entry_verb verb;
    enum entry_kind kind;
    struct text what;       /* of an address or a domain: ASCII letters in lower case; else empty */
    struct network network; /* of a network: host bits are zero */
    struct text to;         /* a domain or an address of ours, in lower case; empty: everybody */
    struct text patterns[ENTRY_FEATURES]; /* as written: "*" is any text, "\\*" a star; empty: none */
    bool is_envelope;                     /* the envelope alone, not From */
    bool is_unproven;                     /* of ALLOW: also without proof of the sender */
    bool is_users;                        /* a user made it for himself, and not an administrator */
    enum action action;                   /* of BLOCK: tag, quarantine or reject */
    uint64_t expires_ms;                  /* since 1970; 0: never */
};

const char *sender_entry_verb_name(enum entry_verb verb);          /* "allow" */
const char *sender_entry_feature_name(enum entry_feature feature); /* "subject" */

/* What the word names: fills kind, and what or network. False: *out_why says what is wrong, a literal. Texts
   live in the arena. */
bool sender_entry_read_what(struct arena *arena, struct text word, struct sender_entry *out,
                            const char **out_why);

/* For whom it is: a domain or an address. Likewise. */
bool sender_entry_read_to(struct arena *arena, struct text word, struct sender_entry *out,
                          const char **out_why);

/* A pattern as a person writes it, UTF-8. Likewise. */
bool sender_entry_read_pattern(struct arena *arena, enum entry_feature feature, struct text pattern,
                               struct sender_entry *out, const char **out_why);

/* One word of the ledger's line or of a command, with or without "--" in front: "envelope", "unproven",
   "quarantine", "tag", "users" (not on the command line), or a pattern as sender_entry_print_flags writes it,
   "subject=your%20bill*". Needs the verb. Likewise. */
bool sender_entry_read_flag(struct arena *arena, struct text word, struct sender_entry *out,
                            const char **out_why);

/* What only the whole entry shows: one for anybody has a pattern, and an allow entry that no sender has to
   prove says so. Likewise. */
bool sender_entry_is_whole(const struct sender_entry *entry, const char **out_why);

/* A whole entry of the configuration: "example.com", or with words as on the command line behind:
   "example.com --to user@example.jp --subject '*your bill*'"; "* --subject …" is for anybody. In a word that
   begins with ' blanks stand up to the next '. Number, time and place stay zero. Likewise. */
bool sender_entry_read(struct arena *arena, enum entry_verb verb, struct text words, struct sender_entry *out,
                       const char **out_why);

/* Appends "192.0.2.0/24", "user@example.com", "example.com", "*". */
void sender_entry_print_what(const struct sender_entry *entry, struct buffer *out);

/* Appends the same with its patterns, for people: "example.com with Subject '*bill*'", "link '*x.test'". */
void sender_entry_print_named(const struct sender_entry *entry, struct buffer *out);

/* Append its flags, or its patterns, as words that sender_entry_read_flag reads: " envelope quarantine",
   " subject=x%20*"; nothing where there is none. */
void sender_entry_print_flags(const struct sender_entry *entry, struct buffer *out);
void sender_entry_print_patterns(const struct sender_entry *entry, struct buffer *out);

/* Some feature of a message is asked for beside its sender. */
bool sender_entry_has_patterns(const struct sender_entry *entry);
/* Of its patterns: 0 where it has none. */
uint32_t sender_entry_pattern_check(const struct sender_entry *entry);

/* The same sender or client, for the same, with the same patterns; notes, flags and actions may differ. */
bool sender_entry_is_same(const struct sender_entry *a, const struct sender_entry *b);

/* The domain of an address or of a domain; empty: it names none. */
struct text sender_entry_domain(const struct sender_entry *entry);

#endif
