/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The table of settings: one row a setting. The parser, the defaults, dump, the hints of `check` and the
   manual page are all driven by it; a default or a help sentence stands nowhere else. */
#ifndef SEKIMORI_CONFIG_SCHEMA_H
#define SEKIMORI_CONFIG_SCHEMA_H

#include "base/buffer.h"
#include "config/settings.h"

/* Which struct a row's offset is in. */
enum schema_scope {
    SCHEMA_GLOBAL,
    SCHEMA_LISTENER,
    SCHEMA_HOSTED,
    SCHEMA_ENGINE,
    SCHEMA_OPINION,
    SCHEMA_LIST,
    SCHEMA_DOMAIN,
    SCHEMA_WISH,
    SCHEMA_SCOPES
};

enum schema_type {
    SCHEMA_CHOICE,  /* one of `choices`; an enum or uint8_t */
    SCHEMA_SWITCH,  /* on or off; bool */
    SCHEMA_COUNT,   /* 12; uint16_t, uint32_t or uint64_t */
    SCHEMA_SIZE,    /* 25M; bytes */
    SCHEMA_TIME,    /* 5d; milliseconds */
    SCHEMA_CLOCK,   /* 03:00; minutes after midnight */
    SCHEMA_POINTS,  /* 6.8, or never; double */
    SCHEMA_TEXT,    /* any words in quotes */
    SCHEMA_NAME,    /* a host name */
    SCHEMA_MAILBOX, /* a mail address */
    SCHEMA_USER,    /* a user of the system */
    SCHEMA_PATH,    /* a file or folder */
    SCHEMA_ORIGIN,  /* a file, or the https:// address of one (config/web_address.h) */
    SCHEMA_FILE,    /* a file that is read on load; struct file_content */
    SCHEMA_RULES,   /* a folder whose *.rules are read on load; struct file_content, its content by
                       config/folder_content.h */
    SCHEMA_IP4,     /* an address; struct address */
    SCHEMA_IP6,
    SCHEMA_SOCKET,    /* ADDRESS:PORT kept as text */
    SCHEMA_NETWORKS,  /* addresses and CIDR; struct network_list; said twice it grows */
    SCHEMA_SERVERS,   /* ADDRESS or ADDRESS@PORT; struct text_list; said twice it grows */
    SCHEMA_USERS,     /* users of the system; struct text_list; said twice it grows */
    SCHEMA_PEER,      /* ADDRESS or ADDRESS:PORT kept as text */
    SCHEMA_INTERFACE, /* a network interface; text */
    SCHEMA_ENDPOINTS, /* ADDRESS:PORT; struct text_list, as the next two; said twice they grow */
    SCHEMA_NAMES,     /* host names */
    SCHEMA_MAILBOXES, /* mail addresses; struct text_list; said twice it grows */
    SCHEMA_SENDERS,   /* domains, ".name" for all below, or any; `none` beside them adds nothing */
    SCHEMA_ADDRESSES, /* ADDRESS or ADDRESS/BITS, host bits as they are */
    SCHEMA_ENTRIES,   /* allow and block entries, config/sender_entry.h; struct text_list; said twice it grows
                       */
    SCHEMA_FOLDERS,   /* absolute paths; struct text_list; said twice it grows */
    SCHEMA_STATUSES,  /* exit statuses, 0 to 255; struct text_list; said twice it grows */
    SCHEMA_COMMAND,   /* a program's path and its arguments; struct text_list */
    SCHEMA_SET,       /* any of `choices`, their values are bits; uint64_t; said twice it grows */
    SCHEMA_KEYS,      /* SELECTOR:FILE, read on load; struct signing_key_list; said twice it grows */
    SCHEMA_LISTEN,    /* listen ADDRESS:PORT { … } */
    SCHEMA_CLOUD,     /* hosted NAME { … } */
    SCHEMA_LISTED,    /* list NAME { … } */
    SCHEMA_WHOM,      /* recipient ADDRESS { … } */
    SCHEMA_ENGINES,   /* virus engine NAME KIND TARGET { … }; words behind it may be a row's as well */
    SCHEMA_OPINIONS,  /* spam opinion KIND TARGET { … } */
    SCHEMA_DOMAINS,   /* domains { NAME TARGET… { … } } */
};

struct schema_choice {
    const char *word; /* NULL ends the list */
    int value;
};

struct schema_row {
    enum schema_scope scope;
    const char *words; /* the statement's words, from the top of its scope: "spam tag above" */
    enum schema_type type;
    uint32_t offset, size;
    const char *fallback; /* the default as one would write it; NULL: worked out, see `fallback_help` */
    const char *fallback_help;
    const struct schema_choice *choices;
    const char *none; /* the word for "not set", or NULL */
    uint64_t least, most;
    uint32_t flag; /* 1 + offset of a bool that records that the setting was said; 0: none */
    const char *help, *help_ja;
};

extern const struct schema_row schema_rows[];
extern const size_t schema_row_count;

/* By its scope and words; a bug when there is none. */
const struct schema_row *schema_row_of(enum schema_scope scope, const char *words);

/* A heading of the manual: the settings whose first word it is. */
struct schema_section {
    enum schema_scope scope;
    const char *word;
    const char *help, *help_ja;
};

extern const struct schema_section schema_sections[];
extern const size_t schema_section_count;

/* What may stand as the value, in one short phrase: "a size such as 64K, 25M or 1G; at most 2G". */
void schema_allowed(const struct schema_row *row, struct buffer *out);

/* "SIZE", "on | off", "in | out": the shape of the value in a synopsis. */
void schema_shape(const struct schema_row *row, struct buffer *out);

#endif
