/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The effective configuration: what sekimori.conf says once it is parsed. Plain values, read-only;
   every process holds the whole of it. Texts live in the configuration's arena. Times are
   milliseconds, sizes bytes. Names, defaults and help stand in config/schema.c and nowhere else. */
#ifndef SEKIMORI_CONFIG_SETTINGS_H
#define SEKIMORI_CONFIG_SETTINGS_H

#include "base/address.h"
#include "base/text.h"

enum role { ROLE_SINGLE, ROLE_EDGE, ROLE_WALL };
enum direction { DIRECTION_IN, DIRECTION_OUT };
enum mode { MODE_OFF, MODE_OBSERVE, MODE_ON };
enum action { ACTION_ACCEPT, ACTION_TAG, ACTION_QUARANTINE, ACTION_REJECT, ACTION_DISCARD, ACTION_DEFER };
/* In settings of outbound mail: whatever the same setting of inbound mail says. */
enum { ACTION_AS_INBOUND = ACTION_DEFER + 1 };
/* What the virus check may find in a message, the worst first. The first four are names of signatures
   (virus/classes.h), the others say what could not be looked into. */
enum virus_class {
    VIRUS_CLASS_VIRUS,
    VIRUS_CLASS_PHISHING,
    VIRUS_CLASS_SPAM,       /* a signature of spam: not a judgement by points */
    VIRUS_CLASS_PUA,        /* a program that few want: a remote control, macros */
    VIRUS_CLASS_ENCRYPTED,  /* nobody can look into it without its password */
    VIRUS_CLASS_NOT_OPENED, /* a container that nothing here opens */
    VIRUS_CLASS_LIMITS,     /* a limit kept a part of it from being seen */
    VIRUS_CLASS_COUNT
};
/* The small set of signatures that comes with the gateway; only: it is all that is wanted. */
enum embedded { EMBEDDED_OFF, EMBEDDED_ON, EMBEDDED_ONLY };
enum tls_level { TLS_OFF, TLS_OFFERED, TLS_REQUIRED, TLS_VERIFIED, TLS_NODE };
enum line_repair { REPAIR_NONE, REPAIR_BARE_LF }; /* bare CR and bare LF both become CRLF */
enum language { LANGUAGE_EN, LANGUAGE_JA };
enum relay_way {
    RELAY_BY_ROLE, /* through for what comes in at an edge, else by the journal */
    RELAY_THROUGH, /* handed on while the client waits: the next server's reply is the client's */
    RELAY_JOURNAL  /* kept here first */
};
/* Why a message is in the quarantine. Stored in the ledger: never reuse or reorder. */
enum held_class {
    HELD_VIRUS,
    HELD_PHISHING,
    HELD_SPAM,
    HELD_POLICY, /* unscanned, over a limit, ambiguous, or by a rule */
    HELD_ENCRYPTED,
    HELD_POISON,
    HELD_UNDELIVERABLE,
    HELD_CLASSES
};
/* What users say has leaked through; ham: it was taken for spam by mistake. */
enum missed_kind { MISSED_SPAM, MISSED_PHISHING, MISSED_VIRUS, MISSED_NEWSLETTER, MISSED_HAM, MISSED_KINDS };
/* What becomes of a report that teaches spam or ham. */
enum report_learning {
    REPORT_LEARN_OFF,     /* nothing is proposed */
    REPORT_LEARN_ASK,     /* it waits for the administrator */
    REPORT_LEARN_TRUSTED, /* the same, but of a trusted reporter it teaches at once */
};
/* Where mail that is tagged says so. */
enum tag_place { TAG_IN_SUBJECT, TAG_IN_HEADER };
/* Refusals that a person reads, by what they can do about it. */
enum refusal_kind {
    REFUSAL_NONE,
    REFUSAL_VIRUS,
    REFUSAL_SPAM,
    REFUSAL_ATTACHMENT, /* it cannot be scanned, or can be read in several ways */
    REFUSAL_POLICY,     /* who may send what to whom from where */
    REFUSAL_SIZE,
    REFUSAL_DMARC, /* it does not prove to come from the domain in From */
    REFUSAL_KINDS
};
/* What a client hears that asks for many unknown recipients. */
enum harvest_action {
    HARVEST_OFF,     /* nobody counts */
    HARVEST_OBSERVE, /* nothing; its mail has a signal, and there is an alarm */
    HARVEST_DEFER,   /* 451 to each recipient, known or not */
    HARVEST_REJECT   /* 550 */
};
enum recipient_check { RECIPIENTS_ANY, RECIPIENTS_TABLE, RECIPIENTS_CALL_OUT };

struct network_list {
    struct network *items;
    size_t count;
};

static inline bool network_list_has(const struct network_list *list, const struct address *address)
{
    for (size_t i = 0; i < list->count; i++)
        if (network_has(&list->items[i], address)) return true;
    return false;
}

struct text_list {
    struct text *items;
    size_t count;
};

/* The very text, case and all, is one of the list's. */
static inline bool text_list_has(const struct text_list *list, struct text wanted)
{
    for (size_t i = 0; i < list->count; i++)
        if (text_equal(list->items[i], wanted)) return true;
    return false;
}

/* Whether mail to the world goes over IPv6. */
enum ipv6_use {
    IPV6_CONFIRMED, /* where the reverse name of our address leads back to it */
    IPV6_ON,
    IPV6_OFF
};

/* A file whose content was read by master: processes in jails never open it. */
struct file_content {
    struct text path;
    struct text content; /* empty when no path is set */
};

/* listen ADDRESS:PORT { … } */
struct listener {
    struct endpoint endpoint;
    enum direction direction;
    struct network_list from;    /* who may connect; empty: everybody */
    struct network_list deny;    /* refused with 554 even when `from` has them */
    struct network_list proxy;   /* peers whose PROXY v1/v2 header is read (and required) */
    struct network_list xclient; /* peers that may say XCLIENT */
    enum line_repair repair;
    enum tls_level tls; /* TLS_OFF without certificate; OFFERED, REQUIRED or NODE */
    struct file_content certificate, key;
    struct text_list senders; /* with DIRECTION_OUT, domains beside ours that may send: NAME, .NAME for all
                                 below, or the word "any" */
    bool strict;              /* refuse local parts that RFC 5321 does not allow */
    bool complete;            /* add Date and Message-ID where they are missing; with DIRECTION_OUT only */
    bool
        check; /* judge mail that comes in here (false: relay unseen); always false where the role does not */
    enum relay_way relay; /* THROUGH or JOURNAL once the configuration is loaded */
};

/* hosted NAME { … }: a cloud whose servers send for all of its customers. Mail from there is ours only where
   it proves so: config/hosted.h. */
struct hosted {
    struct text name;
    struct network_list networks;  /* of the cloud's servers */
    struct text_list certificates; /* names that their client certificate has; empty: it proves nothing */
    struct file_content ca;        /* roots that it is verified by; empty: the system's */
    struct text_list tenants;      /* our ids at the cloud, which it writes into `field` */
    struct text field;             /* a header field's name */
    bool signatures;               /* a DKIM signature of a domain of ours proves it, too */
};

/* How a zone has what is hashed. */
enum list_digest { LIST_DIGEST_SHA256, LIST_DIGEST_SHA1, LIST_DIGEST_MD5 };
enum list_spelling { LIST_SPELLING_HEX, LIST_SPELLING_BASE32 };

/* What a list is asked about, in the order of a message's life. */
enum list_about {
    LIST_ABOUT_CLIENT,    /* the address of the client */
    LIST_ABOUT_HELO,      /* the name in HELO or EHLO */
    LIST_ABOUT_SENDER,    /* the domain of MAIL FROM */
    LIST_ABOUT_FROM,      /* the domains of the header's From */
    LIST_ABOUT_LINK,      /* the hosts of its links */
    LIST_ABOUT_HASH,      /* the SHA-256 of its files */
    LIST_ABOUT_LINK_HASH, /* its links, hashed: judge/list_value.h */
    LIST_ABOUT_ADDRESS,   /* the addresses of From and Reply-To, hashed likewise */
    LIST_ABOUTS
};

/* list NAME { … }: who and what is known as bad, by a file here or by a zone of the DNS; see
   config/list_setting.h, which knows what is not said. */
struct list_setting {
    struct text name;
    struct text networks, names, hashes; /* paths or https:// addresses of files; at most one is not empty */
    struct text zone;                    /* empty: a file, or that of the preset by this name */
    struct file_content key;             /* its one word stands before the zone */
    enum list_digest digest;             /* of a zone that is asked about hashes; a preset has its own */
    enum list_spelling spelling;         /* likewise */
    struct text_list servers;            /* of the zone, IP or IP@PORT; empty: found from the root */
    struct file_content ca;       /* roots that the server of a file by HTTPS is verified by; empty: the
                                     system's */
    uint64_t every_ms, within_ms; /* such a file is fetched so often, and has come within that */
    uint64_t stale_ms;            /* it is too old when none came for so long */
    bool has_about, has_points;   /* said */
    uint64_t about;               /* bits 1 << enum list_about */
    struct network_list answers;  /* that mean listed; empty: the preset's, else all of 127.0.0.0/8 */
    double points;
    enum action action; /* accept: points alone */
};

/* Which mail from outside has the mark. */
enum outside_when {
    OUTSIDE_ALWAYS,
    OUTSIDE_FIRST_CONTACT, /* its sender is new to us or to a recipient, or it is as of: */
    OUTSIDE_IMPOSTOR       /* it pretends to be of us or of a partner */
};

/* How an engine outside is talked to. */
enum engine_kind {
    ENGINE_CLAMD,
    ENGINE_ICAP,
    ENGINE_COMMAND,
    ENGINE_SPAMD, /* from here: second opinions on spam */
    ENGINE_RSPAMD,
    ENGINE_KINDS
};
enum engine_way { ENGINE_BOTH, ENGINE_IN, ENGINE_OUT };
/* What becomes of mail while an engine cannot answer. */
enum engine_lack {
    LACK_DEFER,
    LACK_UNSCANNED, /* it is delivered, and its header says so */
    LACK_ACCEPT
};

/* virus { engine NAME KIND TARGET { … } }: an engine outside, which the process consult asks (a
   command by the process engine); spam { opinion KIND TARGET { … } }: a second opinion, which it asks, too;
   see config/engines.h. */
struct outside_engine {
    struct text name; /* never "clamav": that is the one inside; of an opinion its kind: "spamd" */
    enum engine_kind kind;
    struct text target; /* as it is written */
    struct text path;   /* of a unix socket; empty: `endpoint` */
    struct endpoint endpoint;
    struct text service; /* ENGINE_ICAP: what follows the host and its slash */
    /* ENGINE_COMMAND: the program's path and its arguments; exit statuses, as decimal numbers, that mean no
       virus and one; a regular expression (POSIX, extended) of what it says, whose first group is the name of
       what was found, or empty; folders that it may read beside those of every program. */
    struct text_list command, clean, found;
    struct text pattern;
    struct text_list reads;
    enum engine_way way; /* of which mail it is asked */
    enum engine_lack unavailable;
    uint64_t size_most;          /* bytes; it says nothing of what is larger */
    uint32_t time_ms;            /* for one message */
    uint32_t connections;        /* at once */
    uint32_t failures, pause_ms; /* after so many in a row it is not asked for so long */
    /* Of an opinion: what its score is multiplied with, once its own line is 5; the points that it may add at
       most; User, and the Settings-ID of rspamd; empty: none. */
    double weight, points_most;
    struct text user, settings;
};

/* One place to deliver to: an address, a host name, or the word "mx". */
struct target {
    bool is_address;
    struct endpoint endpoint; /* when is_address; else only .port */
    struct text host;         /* when not is_address */
    bool use_mx;              /* the word "mx": look up the domain's own MX RRset */
};

/* domains { NAME TARGET… { … } }; ".name" serves all subdomains, "*" everybody else: the way out to the
   world. Every configuration has "*" (`* mx` when it is not written). */
/* A private key of DKIM (RFC 6376), and where its public half is published: SELECTOR._domainkey.DOMAIN. */
struct signing_key {
    struct text selector;
    struct file_content file;
};

enum { SIGNING_KEYS_MOST = 4 }; /* of one kind and domain: while they are changed there are two */

struct signing_key_list {
    struct signing_key *items;
    size_t count;
};

/* What a domain or a recipient says of spam itself; where it says nothing its domain counts, then the section
   spam. config_spam_lines puts them together. */
struct own_spam {
    bool has_mode, has_tag, has_quarantine, has_reject, has_place;
    enum mode mode;
    double tag, quarantine, reject; /* points; INFINITY: never */
    enum tag_place place;
};

/* recipient ADDRESS { … }: what one recipient wants otherwise than his domain. */
struct recipient_wish {
    struct text address; /* lower case */
    struct own_spam spam;
};

struct domain {
    struct text name; /* lower case */
    struct target *targets;
    size_t target_count;
    enum recipient_check recipients;
    struct file_content recipients_table; /* one address or local part a line */
    struct text delimiter; /* octets, each of which ends the user in "user+folder"; empty: none */
    bool takes_routed;     /* from outside, local parts that route: user%host, host!user */
    enum tls_level tls;
    struct text tls_name; /* name to verify instead of the host's */
    bool smtputf8;        /* false: the servers behind do not take SMTPUTF8 (default true) */
    uint32_t connections; /* limit per destination; 0: queue.deliver default */
    bool balance;         /* the least loaded server, not the first in order */
    bool has_virus_mode, has_auth_mode, has_greylist_mode,
        has_dmarc_reject; /* set per domain, else the global one holds */
    struct own_spam spam;
    bool has_language;      /* else `report language` */
    enum language language; /* of its users */
    enum mode virus_mode, auth_mode, greylist_mode;
    enum action dmarc_reject;                       /* as auth.dmarc_reject */
    struct signing_key_list dkim_rsa, dkim_ed25519; /* all sign; the first RSA key seals */
};

struct name_index;     /* config/name_index.h */
struct config_sources; /* config/source.c: where each value stands; NULL after config_bundle_read */

struct config {
    struct arena *arena; /* owns every text and list below */
    enum role role;
    struct text hostname;
    struct text admin;
    struct text organisation; /* as people call it; empty: the domain stands for it */
    struct text state;        /* folder of spool/, ledger, run/ */
    struct text user;         /* whom processes run as when started by root; empty: stay */

    struct {
        struct file_content certificate, key, ca; /* all or none */
        uint8_t number;                           /* in its ids and in a ledger of several nodes; 0: none */
        struct text_list trusted;                 /* names of nodes; what is said there holds here, too */
    } node;                                       /* who this node is for other nodes */

    struct listener *listeners;
    size_t listener_count;
    struct hosted *hosted;
    size_t hosted_count;
    struct outside_engine *engines;
    size_t engine_count;
    struct list_setting *lists;
    size_t list_count;
    struct outside_engine *opinions; /* no two of a kind */
    size_t opinion_count;
    struct domain *domains;
    size_t domain_count;
    struct name_index *domain_index; /* for config_find_domain */
    struct recipient_wish *wishes;
    size_t wish_count;
    struct name_index *wish_index;     /* for config_spam_lines */
    struct text_list allowed, blocked; /* allow and block entries, as one writes them */
    struct text entry_image;           /* allow and block entries (config/entry_image.h); empty: none */
    bool signs;                        /* some domain has keys of DKIM */
    struct config_sources *sources;

    struct {
        enum mode mode;
        enum embedded embedded;               /* whether own_database is loaded, and whether that is enough */
        struct text database;                 /* folder of signatures; not looked at with EMBEDDED_ONLY */
        struct text own_database;             /* the small embedded folder */
        enum action found[VIRUS_CLASS_COUNT]; /* ACTION_TAG: delivered, with `warning` before its Subject */
        enum action found_out[VIRUS_CLASS_COUNT]; /* of mail from inside; config_virus_action reads both */
        uint64_t kinds[ACTION_DEFER + 1];         /* by action: kinds of files that are not opened, a bit each
                                                     (config/closed_kinds.h), instead of as their class says */
        uint64_t kinds_out[ACTION_DEFER + 1];     /* of mail from inside; closed_kinds_action reads both */
        struct text warning;
        enum action unavailable; /* defer, quarantine, or accept with X-Virus-Scanned: unscanned */
        enum action ambiguous;   /* where mail programs may disagree about a file */
        uint64_t max_scan_bytes, max_file_bytes;
        uint32_t max_files, max_recursion, max_time_ms;
        uint64_t parts_ms;  /* how long files are remembered by their digest; 0: not at all */
        bool updates_self;  /* helper runs freshclam; false: somebody else fills `database` */
        bool is_frugal;     /* a reload drops the old signatures first; false: both are there for a while */
        uint64_t update_ms; /* how often freshclam is run where updates_self; 0: never */
        uint64_t stale_ms;  /* the newest that were fetched are sick from this age on; 0: never */
        struct text update_from;       /* a mirror, or a file of signatures; empty: ClamAV's own servers */
        struct text update_with;       /* freshclam's path */
        struct text also_name;         /* of the second set */
        struct text also_folder;       /* that somebody else fills; empty: none */
        struct text_list also_command; /* or what fetches it, run by helper; empty: none */
        uint64_t also_ms;              /* how often */
        /* What follows from these: the folder of fetched signatures and that of the second set; empty: none.
         */
        struct text fetched, also;
    } virus;

    struct {
        enum mode mode;
        double tag, quarantine, reject; /* points; "above"; INFINITY: never */
        enum tag_place place;
        struct text subject;                  /* what goes before the Subject; empty: header only */
        struct text base_model;               /* a file; empty: none */
        struct file_content rules, own_rules; /* folders of rule files: those that come along, and the
                                                 administrator's; by config/folder_content.h */
        struct text rules_fault; /* "NAME:LINE" of the first rule file that was wrong at the start: it and
                                    other such files are left out of both; empty: none is */
    } spam;

    /* Mail that is proven to be one (auth/newsletter.h). */
    struct {
        double tag;          /* points from which it is spam; the spam line where that is higher */
        enum action action;  /* of what is no spam: accept, tag, quarantine or reject */
        struct text subject; /* what goes before the Subject for ACTION_TAG; empty: header only */
    } newsletter;

    struct file_content people; /* config/people.h; our people, whom impostors pretend to be */
    struct text_list partners;  /* domains of others whom they pretend to be */
    struct {
        struct text mark; /* what goes before the Subject of mail from outside; empty: nothing */
        enum outside_when when;
        bool learns_people; /* names of our own senders, out of their mail */
    } outside;

    /* What lookup keeps of senders, and what it is good for. */
    struct {
        bool is_remembering;
        uint64_t memory_bytes; /* of the file */
        uint64_t half_life_ms; /* so old, a message counts half */
        double reputation;     /* points that history adds or takes, at most; 0: none */
        double contact;        /* points of a sender whom nobody here knows; 0: none */
    } senders;

    struct {
        enum mode mode;
        uint64_t wait_ms, window_ms; /* he may come back after, and has to before */
        uint64_t keep_ms;            /* how long one who came back is known */
    } greylist;
    /* What one sender from outside may send in an hour; 0: any number. */
    struct {
        uint32_t messages_client, recipients_client;   /* of a client, as for limits */
        uint32_t messages_network, recipients_network; /* of an IPv4 /24, an IPv6 /48 */
        uint32_t messages_domain, recipients_domain;   /* of the domain in MAIL FROM */
    } rates;

    /* Clients that ask for many unknown recipients in an hour. */
    struct {
        enum harvest_action action;
        uint32_t unknown, percent; /* so many, and so many of a hundred that it asked for */
        uint64_t shut_ms;          /* how long it hears no */
    } harvest;

    /* Senders inside who may be somebody else with a stolen password: held from any of these in an hour; 0:
       not by that. */
    struct {
        enum mode mode;
        uint32_t recipients, networks, spam; /* networks: of clients; spam: messages that look like it */
        uint32_t refused, percent;           /* recipients, and so many of a hundred of its own */
        uint64_t hold_ms;
        struct text_list exempt; /* addresses that are never held so */
    } inside;

    /* Many mails to one recipient that ask to confirm a sign-up, or welcome him. */
    struct {
        enum mode mode;
        uint32_t domains; /* senders' domains in an hour */
    } signups;

    struct {
        enum mode mode;
        struct text name;         /* the authserv-id of Authentication-Results; empty: hostname */
        enum action dmarc_reject; /* of mail that its domain's owner asks to refuse: reject, quarantine, or
                                     accept, with points as where he asks for quarantine */
        double dmarc_points;
        bool suffixes;                    /* RFC 7489 by the public suffix list, not RFC 9989 */
        bool received_spf;                /* write a Received-SPF field too */
        struct text_list sealers;         /* domains whose ARC seals are believed */
        struct network_list forwarders;   /* clients that forward mail of others */
        struct text_list forwarder_names; /* the same, by confirmed name: this one or below it */
        uint64_t lists_after_ms; /* since when a mailing list is known that may alter mail; 0: none is */
        struct text seal;        /* whose RSA key seals mail that goes inward (ARC); empty: none does */
        bool sends_unsigned;     /* what cannot be signed goes out all the same; false: it is deferred */
    } auth;

    struct {
        uint64_t message_bytes, header_bytes, bodies_bytes, frame_body_bytes, memfd_body_bytes;
        uint32_t recipients, received, connections, per_client,
            rate_per_client;              /* rate: connections a minute, 0 none */
        uint32_t message_rate_per_client; /* messages a minute, 0: none */
        uint32_t rate, message_rate;      /* connections and messages a minute of all clients, 0: none */
        uint32_t errors;                  /* protocol errors and refused recipients before 421 */
        uint32_t junk;                    /* commands that bring nothing forward before 421, 0: any number */
        uint32_t ipv6_prefix;             /* bits of an IPv6 address that are one client */
        uint32_t command_ms, data_ms, greeting_ms, session_ms, verdict_ms;
        uint64_t least_rate; /* octets a second that a client must send, or a server take */
        uint32_t mime_parts, mime_depth;
    } limits;

    struct {
        uint64_t expire_ms, warn_ms; /* warn 0: no delay warning to inside senders */
        uint64_t retry_first_ms, retry_most_ms;
        uint64_t segment_bytes, free_bytes; /* below free_bytes left on disk: 452 */
    } queue;

    struct {
        uint32_t connections;                         /* per destination */
        uint32_t connections_all, connections_static; /* of all, kept free for static routes */
        uint32_t connect_ms, greeting_ms, command_ms, data_ms, final_ms, idle_ms;
        uint32_t messages_per_connection;
        struct address source, source6; /* zero: the kernel's choice */
        enum ipv6_use ipv6;             /* to servers of the world */
        struct text helo;               /* empty: hostname */
        struct file_content ca;         /* roots for `tls verified`; empty: the system's */
        uint16_t port;                  /* for MX targets: 25 */
    } deliver;

    /* What is known of recipients that servers were asked about. */
    struct {
        uint32_t most;                              /* recipients known or being asked for at once */
        uint64_t taken_ms, refused_ms, deferred_ms; /* how long each answer is good */
    } callout;

    struct {
        struct text_list servers; /* IP or IP@PORT; empty: from resolv.conf, then the roots */
        uint32_t timeout_ms;      /* of one question */
        uint64_t cache_bytes;
        bool dnssec;
        bool client_names; /* ask for the client's reverse name */
    } dns;

    struct {
        uint32_t receive, scan; /* 0: one a core */
        uint32_t scan_messages; /* a worker is retired after so many */
        uint32_t hang_ms;       /* without a word; 0: for ever */
        bool jail;
    } processes;

    struct {
        uint8_t target, level; /* enum log_target, enum log_level */
        struct text address;   /* remote syslog */
    } log;

    /* Limits of `sekimori health`. */
    struct {
        struct text_list upstreams; /* ADDRESS:PORT; one that answers is enough */
        struct text_list dns;       /* names to ask; empty: hostname */
        uint64_t queue_ms, disk_free_bytes;
        uint32_t clock_ms; /* 0: not looked at */
    } health;

    /* Where monitors read how the node is. */
    struct {
        struct text socket; /* path of a unix socket; empty: none */
        struct text listen; /* ADDRESS:PORT of this machine alone; empty: nowhere */
    } metrics;

    struct {
        struct text to; /* ADDRESS[:PORT] of the peer that takes over what waits; empty: none */
        uint32_t sessions_ms;
    } drain;

    /* The address that moves between nodes; for `sekimori keepalived`. */
    struct {
        struct text_list addresses; /* ADDRESS/BITS */
        struct text_list peers;     /* unicast; empty: multicast */
        struct text interface;
        uint32_t id, priority, advertise_ms;
    } vrrp;

    struct {
        struct text to;      /* empty: no nightly report */
        uint32_t at_minutes; /* after local midnight */
        enum language language;
        struct text countries;            /* GeoIP file; empty: none */
        struct text missed[MISSED_KINDS]; /* where users send what leaked through; empty: nowhere */
        uint64_t missed_most_bytes;       /* of what is kept of it */
        struct text_list trusted;         /* addresses of users whose reports count by themselves */
        uint8_t learn;                    /* enum report_learning */
    } report;

    /* What is learned though nobody said it (scan/lesson_choice.h). */
    struct {
        bool is_automatic;
        double ham_points, spam_points; /* without those of the models: ham below, spam from there on */
        uint32_t most;                  /* of each class, in 24 hours */
    } learn;

    struct {
        struct text mailbox, page; /* whom and where people are sent with questions; empty: admin, nowhere */
    } help;

    struct {
        struct text english[REFUSAL_KINDS], japanese[REFUSAL_KINDS]; /* empty: see config/refusal_text.h */
    } refusal;

    struct {
        struct text_list hook;        /* a program and its arguments, run at each alarm; empty: none */
        struct text_list hook_writes; /* absolute paths of folders that it may read and write */
        uint64_t hook_ms;             /* how long it may take */
    } alarm;

    struct {
        /* How long each kind of row is kept; 0: for ever. Sums are kept for ever, by day, then by month. */
        uint64_t messages_ms, subjects_ms, refusals_ms, steps_ms, audit_ms, days_ms;
        uint64_t explanations_ms;    /* why each message was judged as it was; 0: nothing is kept */
        struct text_list collectors; /* ADDRESS:PORT, in order: who is told of every event */
        struct text listen;          /* ADDRESS:PORT where other nodes' events are taken; empty: nowhere */
        uint64_t unsent_ms;          /* how long events wait for a collector */
        uint64_t behind_ms;          /* from then on it is an alarm */
        uint64_t waiting_bytes;      /* of events that wait on disk while the database cannot be written */
    } ledger;

    struct {
        uint64_t keep_ms[HELD_CLASSES];         /* 0: for ever */
        uint64_t most_bytes;                    /* of all files; 0: held mail stays in the journal */
        struct text_list release[HELD_CLASSES]; /* users beside root and the one we run as; "operators" */
    } quarantine;

    /* Mail to users of what is newly held for them. */
    struct {
        bool send, viruses;  /* viruses: tell of those too, and of phishing (default true) */
        uint32_t at_minutes; /* after local midnight */
        uint64_t expire_ms;  /* of its links */
        struct text page;    /* where they lead; empty: there is none */
        bool senders;        /* users may allow and block senders for themselves, by a ticket */
        struct text reply;   /* where users send a ticket; empty: nowhere */
    } digest;

    /* Users beside root and the one we run as, who have every right. */
    struct {
        struct text_list operate, read_content, trace;
    } rights;
};

/* `node trust` names it; `name`: as its certificate has it. */
static inline bool node_is_trusted(const struct config *config, struct text name)
{
    const struct text_list *trusted = &config->node.trusted;
    for (size_t i = 0; i < trusted->count; i++)
        if (text_equal_nocase(trusted->items[i], name)) return true;
    return false;
}

#endif
