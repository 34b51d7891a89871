/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The nouns that read and decide share: what was found (facts), what only others can tell (questions and
   answers), and what follows for each recipient (verdict). Plain data with a byte form; no rules here. */
#ifndef SEKIMORI_JUDGE_EVIDENCE_H
#define SEKIMORI_JUDGE_EVIDENCE_H

#include "base/address.h"
#include "base/arena.h"
#include "base/buffer.h"
#include "config/settings.h"
#include "judge/part_digest.h"
#include "judge/proof.h"

/* Of the byte forms of occasion, facts and questions together: they are kept for days, and one of another
   version cannot be read. Whoever changes one of the three counts on. */
enum { EVIDENCE_VERSION = 5 };

/* Who sent it, as receive saw it. */
struct occasion {
    uint64_t id;
    uint16_t listener; /* index in config.listeners */
    enum direction direction;
    struct address client;
    struct text helo, sender; /* sender: MAIL FROM without brackets */
    bool smtputf8, secure;
    bool is_undecided; /* its client is a cloud that strangers use too (config_is_undecided): whether it comes
                          from inside is to be found out; until then `direction` is in */
    struct text certificate; /* of such a client: the name in `hosted` that its verified certificate has;
                                empty: none, or the connection is a node's that speaks for it */
    uint32_t recipient_count;
    struct text *recipients; /* addresses; decide finds each one's domain in the configuration */
    bool has_harvested;      /* its client asked for many unknown recipients in the last hour */
};

/* Whether mail of a cloud that strangers use too was sent by us: scan/tenancy.h. */
enum tenancy {
    TENANCY_NOT_ASKED,   /* its client is none of such a cloud */
    TENANCY_UNPROVEN,    /* nothing proves it: it is from outside */
    TENANCY_OPEN,        /* of facts: a signature may prove it, once its key is known */
    TENANCY_UNREACHABLE, /* a signature would prove it, and its key could not be had */
    TENANCY_CERTIFICATE, /* the cloud's certificate, and our id in the field */
    TENANCY_SIGNATURE,   /* a DKIM signature of a domain of ours */
    TENANCY_COUNT
};

/* A question that the message (or the session) raised, and its answer. `kind` is closed, `subject` says of
   what. ipc/question_set.c has a row for each kind: how it is asked and what a late answer means. */
enum question_kind {
    QUESTION_CLIENT_NAME, /* subject: the client's address; of a session, asked when that begins */
    QUESTION_SPF,         /* subject: spf_subject_put; value: auth/spf_answer.h; asked at MAIL FROM */
    QUESTION_KEY,         /* subject: "selector._domainkey.domain"; value: dns/answers.h */
    QUESTION_POLICY,      /* subject: auth_policy_question_put; value: dns/answers.h */
    QUESTION_ENGINE,      /* subject: the name of an engine outside; value: judge/engine_answer.h; asked with
                             the body while scan reads it */
    QUESTION_OPINION,     /* the same of a second opinion on spam, with the envelope, too */
    QUESTION_LIST,        /* subject: list_subject_put; value: list_answer_put (judge/list_answer.h) */
    QUESTION_HISTORY, /* subject: sender_subject_put; value: sender_history_put (judge/sender_history.h) */
    QUESTION_RATE,    /* subject: rate_subject_put; value: rate_answer_put (judge/sender_rate.h) */
    QUESTION_KIND_COUNT
};

enum answer_status { ANSWER_PENDING, ANSWER_FOUND, ANSWER_NONE, ANSWER_MISMATCH, ANSWER_TEMPERROR };

struct question {
    enum question_kind kind;
    struct text subject;
    enum answer_status status; /* ANSWER_PENDING in facts */
    struct text value;         /* the confirmed name; or bytes, as the kind says */
};

/* The most that the content of one message may raise, and with those of its session. */
enum { QUESTIONS_RAISED_MOST = 64, QUESTIONS_MOST = 100 };

enum scan_state {
    SCAN_NOT_ASKED, /* off for every recipient */
    SCAN_CLEAN,
    SCAN_FOUND,
    SCAN_LIMITS,    /* a limit was reached: not all was seen */
    SCAN_UNSCANNED, /* the engine failed: never "clean" */
    SCAN_CLOSED,    /* nothing was found, and a part stayed closed: encrypted, or nothing here opens it */
    SCAN_STATE_COUNT
};

/* One thing that the virus check found, or could not look into. */
struct virus_finding {
    enum virus_class class;
    struct text engine; /* "clamav"; who found it */
    struct text name;   /* of the signature, the limit, or the type of file: "zip" */
    struct text part;   /* where: a file's name or a part's type, "inner.exe in outer.zip"; printable ASCII */
};

/* The most of one message: the worst of each class are kept. */
enum { VIRUS_FINDINGS_MOST = 16 };

/* One named piece of evidence with its weight. */
struct signal {
    struct text name; /* "GTUBE", "MIME_DUPLICATE_CONTENT_TYPE" */
    double points;
    struct text about; /* a short description or value */
};

/* What a message is changed for. A recipient has a set of these; scan/recipe.c has a row for each, and
   composes them in this order: where two insert at one place, the earlier one's text stands in front. A new
   kind is a member here, its name in evidence.c and its row there; one that covers what others change, as a
   seal does, comes last. */
enum edit_kind {
    EDIT_FORGED,  /* fields that only a gateway writes, and that came with the message, are taken out, and an
                     mbox line before the first field */
    EDIT_TAG,     /* "[SPAM] " before the text of the Subject */
    EDIT_WARNING, /* "[WARNING: ATTACHMENT UNSCANNED] " there */
    EDIT_TAG_WARNING,        /* both there */
    EDIT_NEWSLETTER,         /* "[NEWSLETTER] " there */
    EDIT_NEWSLETTER_WARNING, /* that and the warning */
    EDIT_FLAG, /* it is tagged, and the header alone says so: nothing by itself, EDIT_STATUS looks at it; in
                  no   set with a tag in the Subject */
    EDIT_OUTSIDE, /* "[External] " in the Subject, alone: the kinds above put it behind theirs; a set has one
                     at most of the six that change the Subject */
    EDIT_STATUS,  /* Authentication-Results, X-Spam-Status, X-Spam-Flag, X-Sekimori-Class and X-Virus-Scanned
                     on top */
    EDIT_KIND_COUNT
};

struct edit_set {
    uint16_t bits;
};

static inline struct edit_set edit_set_with(struct edit_set set, enum edit_kind kind)
{
    return (struct edit_set){ (uint16_t)(set.bits | 1U << kind) };
}

static inline bool edit_set_has(struct edit_set set, enum edit_kind kind)
{
    return set.bits >> kind & 1;
}

static inline bool edit_set_equal(struct edit_set a, struct edit_set b)
{
    return a.bits == b.bits;
}

/* An edit of mail/edits.h that the message gives occasion for, for recipients whose set has its kind. */
struct possible_edit {
    enum edit_kind kind;
    uint64_t offset, length;
    struct text insert;
};

/* The most of one message. The most recipes of one verdict: as many sets as its recipients may have between
   them, and as queue keeps (KEEP_EDITS_LIMIT); their bytes share a frame with the envelope. */
enum { POSSIBLE_EDITS_MOST = 1000, RECIPES_MOST = 8, RECIPES_BYTES_MOST = 48 * 1024 };

/* What read found in the message. */
struct facts {
    enum scan_state virus;
    struct text virus_name; /* of the worst finding; or why unscanned */
    uint32_t virus_finding_count;
    struct virus_finding *virus_findings; /* the worst class first */
    uint64_t not_opened;                  /* what findings of VIRUS_CLASS_NOT_OPENED were by type, all of
                                             them: bits of config/closed_kinds.h */
    struct text engine;                   /* "clamav 1.4.6"; empty when none looked */
    bool ambiguous;                       /* mail programs may disagree about a file in it (mail/reading.h) */
    struct text findings;    /* names of those with a consequence, "," between them; empty when none */
    uint16_t content;        /* enum content_flag of ipc/ask_queue.h */
    bool lacks_header;       /* it begins with text (header_is_missing) */
    uint32_t received_count; /* Received fields: the loop limit */
    uint32_t part_count;
    uint32_t part_digest_count; /* of files: the infected ones first, then the largest */
    struct part_digest *part_digests;
    struct text subject;    /* UTF-8, decoded, at most 200 bytes: for the log */
    struct text message_id; /* the Message-ID field */
    struct text from;       /* the same of the From field */
    enum tenancy tenancy;
    struct text authentication; /* auth_facts_put; empty: nobody asks who sent it */
    struct text seal_basis;     /* scan/seal_basis.h; empty: nothing is to be signed of it */
    struct text rule_marks;     /* spam/rule_signals.h; empty: no rule asks for signals */
    struct text sketch;         /* campaign_sketch_put (judge/campaign.h); empty: it is not to be counted */
    struct text campaign;       /* campaign_answer_put; empty: nothing is known of its like */
    struct text lesson;         /* spam/lesson.h, of no class; empty: it teaches nothing by itself */
    struct text impostors;      /* impostor/impostor_finding.h; empty: nothing was found */
    struct text entry_hits;     /* scan/entry_patterns.h; empty: no pattern of an entry matches */
    uint32_t signal_count;
    struct signal *signals;
    uint32_t question_count; /* raised by the content */
    struct question *questions;
    uint32_t edit_count; /* by kind, and by offset within a kind, none overlapping another of its kind */
    struct possible_edit *edits;
};

/* What a message that is far beyond the lines may teach by itself (scan/lesson_choice.h). */
enum teaches { TEACHES_NOTHING, TEACHES_HAM, TEACHES_SPAM, TEACHES_COUNT };

/* What decided for one recipient. Stored in explanations: never reuse a number. */
enum recipient_cause {
    RECIPIENT_BY_POINTS,   /* his lines of spam, reached or not */
    RECIPIENT_BY_VIRUS,    /* a finding, or that not all could be looked at */
    RECIPIENT_BY_DMARC,    /* the owner of the domain in From */
    RECIPIENT_BY_BLOCK,    /* an entry for him, his domain or everybody */
    RECIPIENT_BY_ALLOW,    /* likewise: points do not count */
    RECIPIENT_BY_LIST,     /* a list has the sender, whatever the points */
    RECIPIENT_BY_CLASS,    /* it is a newsletter, whatever the points */
    RECIPIENT_BY_APPROVAL, /* a newsletter that he approved: points do not count */
    RECIPIENT_BY_OPINION,  /* a second opinion that must be had is missing */
    RECIPIENT_BY_OFF,      /* he has no spam check, and nothing else was found */
    RECIPIENT_BY_OTHERS,   /* one reply is for all: another recipient's action changed his */
    RECIPIENT_BY_RATE,     /* how much came within an hour: a sender inside, or sign-ups to him */
    RECIPIENT_BY_GREYLIST, /* nobody here knows the sender */
    RECIPIENT_CAUSE_COUNT
};

/* What follows for one recipient. */
struct recipient_verdict {
    enum action action;
    enum action
        observed;   /* what would have been done by checks in observe mode; ACTION_ACCEPT when nothing */
    uint8_t recipe; /* index into verdict.recipes */
    enum recipient_cause cause;
};

/* The message as the recipients with this set of edits get it. */
struct recipe {
    struct edit_set kinds;
    struct text edits; /* byte form of mail/edits.h, as queue keeps it */
};

struct verdict {
    double score;
    uint32_t signal_count;
    struct signal *signals;
    uint32_t recipient_count;
    struct recipient_verdict *recipients;
    uint16_t code;          /* the reply when every recipient is refused or deferred: 550, 451 … else 250 */
    struct text enhanced;   /* "5.7.1" */
    struct text reason;     /* for the reply and the log: "virus found: Eicar-Test-Signature" */
    enum refusal_kind kind; /* what a person is told beside the reason */
    uint32_t recipe_count;  /* at least 1 */
    struct recipe *recipes; /* no two with the same set */
    struct text summary;    /* one line, key=value, for the log */
    struct proof proof;     /* who sent it */
    enum direction direction; /* as the occasion has it, or as it was found out */
    enum tenancy tenancy;
    bool is_spam; /* some recipient's points are reached, or a list asks for it, be it only observed */
    struct text newsletter;    /* which one: auth/newsletter.h; empty: it is none */
    struct text newsletter_of; /* its proven domain; empty with it */
    enum teaches teaches;
    struct text taught_of; /* the organization that sent it; empty with TEACHES_NOTHING */
    bool is_counted;    /* among its near-duplicates: its spread would speak against it (judge/campaign.h) */
    bool is_spam_alone; /* is_spam by what it is, without what its sender's past weighs: reputation feeds on
                           this */
    bool is_greylisted; /* it is deferred since nobody here knows its sender, and for nothing else */
};

/* The recipient, by place, gets it. */
static inline bool verdict_is_taken(const struct verdict *verdict, uint32_t i)
{
    enum action action = verdict->recipients[i].action;
    return verdict->code == 250 && (action == ACTION_ACCEPT || action == ACTION_TAG);
}

const char *evidence_action_name(enum action action);          /* "quarantine" */
const char *evidence_virus_class_name(enum virus_class class); /* "not-opened" */
const char *evidence_tenancy_name(enum tenancy tenancy);       /* "certificate" */
const char *evidence_edit_kind_name(enum edit_kind kind);      /* "forged" */

/* Raises a question that the content asks; false: there are QUESTIONS_RAISED_MOST. `subject` is borrowed. */
bool facts_raise(struct arena *arena, struct facts *facts, enum question_kind kind, struct text subject);

/* The one of that kind and subject; NULL: there is none. */
const struct question *questions_find(const struct question *questions, uint32_t count,
                                      enum question_kind kind, struct text subject);

/* Asked early for nothing: of a kind that only a content raises, and these facts of it do not. It does not
 * count. */
bool question_is_stray(const struct question *question, const struct facts *facts);

/* The first of that kind that was answered; NULL: none was. */
const struct question *questions_answered(const struct question *questions, uint32_t count,
                                          enum question_kind kind);

/* Whether the virus check found a virus: the other classes of findings are none. */
static inline bool facts_has_virus(const struct facts *facts)
{
    return facts->virus_finding_count > 0 && facts->virus_findings[0].class == VIRUS_CLASS_VIRUS;
}

/* A virus or phishing was found in it: the worst that there is. */
static inline bool facts_are_infected(const struct facts *facts)
{
    return facts->virus_finding_count > 0 && facts->virus_findings[0].class <= VIRUS_CLASS_PHISHING;
}

/* The byte forms, appended; nothing is kept of what they are made from. */
void occasion_put(const struct occasion *occasion, struct buffer *out);
void questions_put(const struct question *questions, uint32_t count, struct buffer *out);
void facts_put(const struct facts *facts, struct buffer *out);
void verdict_put(const struct verdict *verdict, struct buffer *out);

struct reader;
/* The client alone, of an occasion that begins here; zero when the bytes end before. */
void occasion_client(struct reader *reader, struct address *out);

/* False, *out undefined: malformed. Texts are borrowed from the reader's text, lists live in the arena. */
bool occasion_get(struct arena *arena, struct reader *reader, struct occasion *out);
bool questions_get(struct arena *arena, struct reader *reader, struct question **out, uint32_t *out_count);
bool facts_get(struct arena *arena, struct reader *reader, struct facts *out);
bool verdict_get(struct arena *arena, struct reader *reader, struct verdict *out);

#endif
