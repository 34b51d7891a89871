/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What an iteration over readings is made of, for the files that make its stages (reading.h). */
#ifndef SEKIMORI_MAIL_READING_LIST_H
#define SEKIMORI_MAIL_READING_LIST_H

#include "mail/decode.h"
#include "mail/exposure.h"
#include "mail/reading.h"
#include "mail/seen.h"

enum {
    READING_OTHERS_MOST = 2,   /* trees of other choices */
    READING_CARVED_LEAST = 40, /* bytes: a carved run of fewer can hold nothing that does harm */
};

enum reading_stage {
    STAGE_PARTS,      /* the tree's leaves */
    STAGE_OTHERS,     /* the leaves of the other choices' trees */
    STAGE_METHODS,    /* the leaves of all, decoded otherwise */
    STAGE_BODIES,     /* what any header could stand before, as it is and as quoted-printable */
    STAGE_PARAGRAPHS, /* each as base64 and quoted-printable, whatever it looks like */
    STAGE_RUNS,       /* base64 anywhere */
    STAGE_BLOCKS,     /* uuencode and yEnc anywhere */
    STAGE_JOINED,     /* the yEnc blocks as parts of one file */
    STAGE_UU_LINES,   /* lines of uuencode, whatever stands before them */
    STAGE_BINHEX,
    STAGE_WORDS,   /* the body under boundaries that no header declares as we read it */
    STAGE_QUOTED,  /* the whole message as quoted-printable */
    STAGE_RETURNS, /* the message as it is where a CR alone ends a line, and where it is nothing */
    STAGE_DONE
};

enum reading_method {
    METHOD_IDENTITY,
    METHOD_QUOTED,
    METHOD_QUOTED_RETURNS,
    METHOD_UUENCODE,
    METHOD_UUENCODE_LOOSE,
    METHOD_YENC,
    METHOD_BASE64, /* plus a decode_base64_mode */
    METHOD_COUNT = METHOD_BASE64 + DECODE_MODES
};

/* What may still be done, shared with the lists inside. */
struct reading_budget {
    size_t bytes;    /* that are handed out or parsed again, each `weight` times */
    size_t extras;   /* readings that are no parts of the first tree */
    size_t copies;   /* bytes that stay in the arena */
    unsigned weight; /* 1 for ordinary lines; more where the message's lines are so short that they cost more
                        than their bytes */
};

/* What a list inside another one is, and what follows from it for the message. */
enum reading_role {
    ROLE_MESSAGE, /* the outermost */
    ROLE_ENTITY,  /* every program that opens the part reads it so: its findings are the message's */
    ROLE_MAIL,    /* a program that is given the part as a file may: its doubts are its own */
    ROLE_BODY     /* some may: nothing is held for it */
};

/* A boundary that some program may see, and the bytes that it divides. */
struct reading_word {
    struct text boundary, body;
};

/* What a reading of the same bytes with other line ends needs. */
struct reading_forms {
    struct text encoded;
    enum reading_method method;
    unsigned next; /* enum line_form; 0: none is due */
};

struct reading_mail {
    struct text bytes;
    struct reading_mail *next;
};

struct reading_list {
    struct arena *arena;
    enum reading_role role;
    bool is_other;                            /* in a part that is in no tree of the first choice */
    struct mime *mime;                        /* the tree of the first choice */
    struct mime *others[READING_OTHERS_MOST]; /* those of other choices */
    size_t other_count;
    struct mime *short_tree; /* MIME_SHORT's among the others, or NULL */
    enum reading_stage stage;
    size_t part; /* index among the parts of the stage's trees */
    size_t method, at;
    struct finding_set found;    /* by decoding what the stage is at in one method and another */
    struct decode_block block;   /* the last one found */
    struct seen own_seen, *seen; /* what was handed out; one with the lists inside */
    struct reading_word *words;  /* NULL before they were looked for */
    size_t word_count, word;
    struct reading_forms forms;
    struct text behind_lines; /* what was handed out last without the empty lines before it; empty: not due */
    struct reading_mail *mails;         /* found in what was handed out last */
    struct buffer own_rooms[2], *rooms; /* two: the reading before stays, to be compared */
    struct text before;
    const struct buffer *held; /* the one that `before` lies in; any when it lies elsewhere */
    struct reading_budget own_budget, *budget;
    struct reading_list *inner; /* a message that was itself encoded */
    unsigned nested;
    struct text looked_at; /* the last bytes of the message that were taken for base64, or not */
    bool is_base64;        /* they were */
    struct exposure exposure;
    bool is_ambiguous_inside; /* a mail in it is */
};

/* In the arena; its buffers are freed by reading_close. `around`: the list that it lies in, whose budget,
   memory of what was handed out and rooms are its own, too; NULL for the outermost. */
struct reading_list *reading_list_new(struct arena *arena, struct mime *mime,
                                      const struct reading_list *around);

/* So many bytes are paid for. False, and nothing is taken: they are more than is left. */
bool reading_list_may_spend(struct reading_list *list, size_t length);

/* Nothing comes any more, and a finding says so. Returns false. */
bool reading_list_give_up(struct reading_list *list);

/* --- decoding --- */

/* How the part is decoded as it declares it. */
enum reading_method reading_list_method_of(const struct mime_part *part);

/* The room that does not hold what was handed out last, emptied; the list's. */
struct buffer *reading_list_room(struct reading_list *list);

/* Nothing was handed out of these bytes by that method; from now on something was. */
bool reading_list_is_new(struct reading_list *list, struct text encoded, enum reading_method method);

/* `to` has decode_room(encoded.length) bytes. Returns how many were written. Not for METHOD_IDENTITY. */
size_t reading_list_decode_to(struct text encoded, enum reading_method method, char *to,
                              struct finding_set *findings);

/* In the list's room, or `encoded` itself. `findings` may be NULL. */
struct text reading_list_decode(struct reading_list *list, struct text encoded, enum reading_method method,
                                struct finding_set *findings);

/* --- handing out --- */

/* `bytes` are what `encoded` came to. False when they are nothing, the same as before, or beyond the bounds:
   then the list's stage is STAGE_DONE. */
bool reading_list_hand_out(struct reading_list *list, struct reading *out, enum reading_kind kind,
                           const struct mime_part *part, struct text encoded, enum reading_method method,
                           struct text bytes);

/* What was handed out last without the empty lines before it, and with other line ends, where that is due. */
bool reading_list_behind_lines(struct reading_list *list, struct reading *out);
bool reading_list_forms(struct reading_list *list, struct reading *out);

#endif
