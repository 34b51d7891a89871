/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What anybody may ask of lookup: names to addresses, mail exchangers, a client's confirmed name. Each
   question has a deadline (0: dns.timeout); a question not answered in time is DNS_TEMPERROR, never "none",
   with what was known by then: the hosts and addresses that did arrive. */
#ifndef SEKIMORI_IPC_ASK_LOOKUP_H
#define SEKIMORI_IPC_ASK_LOOKUP_H

#include "dns/dns_record.h"
#include "ipc/channel.h"

enum lookup_frame {
    LOOKUP_HOST = 1, /* u32 deadline_ms, text host: A and AAAA */
    LOOKUP_MX, /* u32 deadline_ms, text domain: RFC 5321 section 5.1, addresses resolved, RFC 7505 null MX */
    LOOKUP_CLIENT_NAME,    /* u32 deadline_ms, 16 bytes address: PTR, then A/AAAA of each name (at most 10) */
    LOOKUP_SPF,            /* u32 deadline_ms, text: spf_subject_put */
    LOOKUP_KEY,            /* u32 deadline_ms, text: the name whose TXT records are a signature's key */
    LOOKUP_POLICY,         /* u32 deadline_ms, text: auth_policy_question_put (auth/authentication.h) */
    LOOKUP_SOURCES,        /* u32 deadline_ms, struct sources_question */
    LOOKUP_LIST,           /* u32 deadline_ms, text: list_subject_put (judge/list_answer.h) */
    LOOKUP_CAMPAIGN_COUNT, /* receive: struct campaign_seen (ipc/ask_campaign.h); no answer */
    LOOKUP_CAMPAIGN_REPORT, /* report and ledger: struct campaign_report; no answer */
    LOOKUP_CAMPAIGN_RULED,  /* lookup and ledger, both ways: struct campaign_ruling; no answer */
    LOOKUP_SENDER,  /* receive, at RCPT: u32 deadline_ms, text: sender_subject_put (judge/sender_history.h) */
    LOOKUP_HISTORY, /* of a message: the same */
    LOOKUP_SENDER_SEEN, /* receive: struct sender_seen (ipc/ask_sender.h); no answer */
    LOOKUP_RATE, /* receive, of a message: u32 deadline_ms, text: rate_subject_put (judge/sender_rate.h) */
    LOOKUP_RATE_SEEN, /* receive, deliver: ipc/ask_rate.h; no answer */
    LOOKUP_LIST_FILE, /* consult: text list, u64 came_ms, fd: a file that came by HTTPS, sealed or on disk */
    LOOKUP_LIST_FETCHED, /* consult: text list, u64 fetched_ms, text trouble (struct list_fetched); no answer
                          */
    LOOKUP_HOST_IS = 64, /* same id; struct host_answer */
    LOOKUP_MX_IS,        /* same id; struct mx_answer */
    LOOKUP_CLIENT_NAME_IS, /* same id; struct client_name */
    LOOKUP_SPF_IS,         /* same id; text: spf_answer_put */
    LOOKUP_KEY_IS,         /* same id; text: the byte form of dns_answers, with what is known by then */
    LOOKUP_POLICY_IS,      /* the same */
    LOOKUP_SOURCES_IS,     /* same id; struct sources_answer */
    LOOKUP_LIST_IS,        /* same id; text: list_answer_put */
    LOOKUP_SENDER_IS,      /* same id; text: sender_rcpt_answer_put */
    LOOKUP_HISTORY_IS,     /* same id; text: sender_history_put */
    LOOKUP_RATE_IS,        /* same id; text: rate_answer_put */
    LOOKUP_LIST_FILE_IS,   /* same id; text: why it is not taken; empty: it is in force */
    LOOKUP_LISTS_WANTED,   /* to consult: all files that it keeps are wanted (LOOKUP_LIST_FILE) */
};

enum { LOOKUP_SOURCES_MOST = 100 };
enum { LOOKUP_ADDRESSES = 32, LOOKUP_MX_HOSTS = 32, LOOKUP_NAME_LIMIT = 255, LOOKUP_SUBJECT_LIMIT = 10240 };

struct host_answer {
    enum dns_status status;
    bool secure;            /* DNSSEC-validated */
    uint32_t address_count; /* at most 32; IPv6 and IPv4 interleaved */
    struct address *addresses;
};

struct mx_host {
    uint16_t preference;
    struct text host;
    struct host_answer addresses;
};

struct mx_answer {
    enum dns_status status;
    bool secure, is_null, is_implicit; /* null MX; no MX but addresses */
    uint32_t host_count;               /* at most 32, by preference, equal ones shuffled */
    struct mx_host *hosts;
};

enum client_name_status {
    CLIENT_NAME_CONFIRMED,
    CLIENT_NAME_UNCONFIRMED,
    CLIENT_NAME_NONE,
    CLIENT_NAME_TEMPERROR
};

struct client_name {
    enum client_name_status status;
    struct text name; /* the confirmed one, else the first PTR, else empty */
};

/* Which of our own addresses a connection to each of these would come from, and whether that one's reverse
   name leads back to it. */
struct sources_question {
    struct address own; /* what connections are bound to; zero: as the kernel chooses */
    uint32_t count;     /* at most LOOKUP_SOURCES_MOST */
    struct address *destinations;
};

struct outbound_source {
    struct address address;         /* zero: see status */
    enum client_name_status status; /* without an address NONE: there is no way there; TEMPERROR: not known */
};

struct sources_answer {
    uint32_t count; /* one a destination, in their order */
    struct outbound_source *sources;
};

/* Each sends one frame; the answer has its `id`. `deadline_ms` counts from when lookup reads it; 0: the
   timeout of the configuration. */
void lookup_host_ask(struct channel *lookup, uint64_t id, uint32_t deadline_ms, struct text host);
void lookup_mx_ask(struct channel *lookup, uint64_t id, uint32_t deadline_ms, struct text domain);
/* The same. The address goes as its 16 bytes. */
void lookup_client_name_ask(struct channel *lookup, uint64_t id, uint32_t deadline_ms,
                            const struct address *client);

/* The same. */
void lookup_sources_ask(struct channel *lookup, uint64_t id, uint32_t deadline_ms,
                        const struct sources_question *question);

/* Whose right to send is asked for by LOOKUP_SPF. `sender` without brackets, may be empty. */
struct spf_subject {
    struct address client;
    struct text helo, sender;
};
/* Its bytes, appended; texts are cut after 1000 octets, which no domain has. */
void spf_subject_put(const struct spf_subject *subject, struct buffer *out);
/* Texts are borrowed. False: malformed. */
bool spf_subject_get(struct text bytes, struct spf_subject *out);

/* LOOKUP_SPF, LOOKUP_KEY, LOOKUP_POLICY, LOOKUP_LIST, LOOKUP_SENDER, LOOKUP_HISTORY or LOOKUP_RATE: `subject`
 * as that frame says, at most LOOKUP_SUBJECT_LIMIT bytes.
 */
void lookup_subject_ask(struct channel *lookup, enum lookup_frame type, uint64_t id, uint32_t deadline_ms,
                        struct text subject);
/* The text of the answer, borrowed from the frame. False: malformed. */
bool lookup_text_get(struct frame *frame, struct text *out);

/* How fetching a list goes. */
struct list_fetched {
    struct text list;
    uint64_t fetched_ms; /* since 1970, when it or the word that it is unchanged came last; 0: never. With a
                            file: when its bytes came, which tells one file from the next */
    struct text trouble; /* why the last try failed, printable, at most LOOKUP_TROUBLE_MOST bytes; empty */
};
enum { LOOKUP_TROUBLE_MOST = 300 };
/* Of LOOKUP_LIST_FILE (`fd` is taken over) without the trouble, or, where `fd` is -1, of LOOKUP_LIST_FETCHED.
 */
void lookup_list_tell(struct channel *lookup, uint64_t id, const struct list_fetched *fetched, int fd);
/* Texts are borrowed from the frame. False: malformed. */
bool lookup_list_get(struct frame *frame, struct list_fetched *out);

/* What lookup reads: the payload of a question. False: malformed. The name is borrowed from the frame. */
bool lookup_name_get(struct frame *frame, uint32_t *out_deadline_ms, struct text *out_name);
bool lookup_client_get(struct frame *frame, uint32_t *out_deadline_ms, struct address *out_client);
/* The list lives in the arena. */
bool lookup_sources_get(struct arena *arena, struct frame *frame, uint32_t *out_deadline_ms,
                        struct sources_question *out);

/* Appends. What is read has its lists in the arena. False: malformed. */
void host_answer_put(const struct host_answer *answer, struct buffer *frame);
bool host_answer_get(struct arena *arena, struct frame *frame, struct host_answer *out);
/* The same; names of hosts are copied into the arena. */
void mx_answer_put(const struct mx_answer *answer, struct buffer *frame);
bool mx_answer_get(struct arena *arena, struct frame *frame, struct mx_answer *out);
void sources_answer_put(const struct sources_answer *answer, struct buffer *frame);
bool sources_answer_get(struct arena *arena, struct frame *frame, struct sources_answer *out);
void client_name_put(const struct client_name *name, struct buffer *frame); /* appends */
bool client_name_get(struct frame *frame, struct client_name *out);         /* borrows from the frame */

#endif
