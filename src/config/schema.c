/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The table of settings. One row a setting; the order is the order of `dump` and of the manual page. */
#include "config/schema.h"

#include "base/log.h"

#define GLOBAL(field) (uint32_t) offsetof(struct config, field), sizeof(((struct config *)0)->field)
#define LISTENER(field) (uint32_t) offsetof(struct listener, field), sizeof(((struct listener *)0)->field)
#define DOMAIN(field) (uint32_t) offsetof(struct domain, field), sizeof(((struct domain *)0)->field)
#define SAID(field) (uint32_t)(1 + offsetof(struct domain, field))

#define KIB (UINT64_C(1) << 10)
#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define SECOND UINT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

static const struct schema_choice roles[] = {
    { "single", ROLE_SINGLE }, { "edge", ROLE_EDGE }, { "wall", ROLE_WALL }, { NULL, 0 }
};
static const struct schema_choice directions[] = { { "in", DIRECTION_IN },
                                                   { "out", DIRECTION_OUT },
                                                   { NULL, 0 } };
static const struct schema_choice modes[] = {
    { "on", MODE_ON }, { "observe", MODE_OBSERVE }, { "off", MODE_OFF }, { NULL, 0 }
};
static const struct schema_choice repairs[] = { { "none", REPAIR_NONE },
                                                { "bare-lf", REPAIR_BARE_LF },
                                                { NULL, 0 } };
static const struct schema_choice tls_in[] = {
    { "off", TLS_OFF }, { "offered", TLS_OFFERED }, { "required", TLS_REQUIRED }, { NULL, 0 }
};
static const struct schema_choice tls_out[] = { { "off", TLS_OFF },
                                                { "offered", TLS_OFFERED },
                                                { "required", TLS_REQUIRED },
                                                { "verified", TLS_VERIFIED },
                                                { NULL, 0 } };
static const struct schema_choice relay_ways[] = {
    { "by-role", RELAY_BY_ROLE }, { "through", RELAY_THROUGH }, { "journal", RELAY_JOURNAL }, { NULL, 0 }
};
/* RECIPIENTS_TABLE has no word here: `recipients table FILE` says it. */
static const struct schema_choice recipient_checks[] = { { "any", RECIPIENTS_ANY },
                                                         { "call-out", RECIPIENTS_CALL_OUT },
                                                         { NULL, 0 } };
static const struct schema_choice found_actions[] = { { "reject", ACTION_REJECT },
                                                      { "quarantine", ACTION_QUARANTINE },
                                                      { "discard", ACTION_DISCARD },
                                                      { NULL, 0 } };
static const struct schema_choice doubt_actions[] = { { "accept", ACTION_ACCEPT },
                                                      { "quarantine", ACTION_QUARANTINE },
                                                      { "reject", ACTION_REJECT },
                                                      { "defer", ACTION_DEFER },
                                                      { NULL, 0 } };
static const struct schema_choice unavailable_actions[] = {
    { "defer", ACTION_DEFER }, { "quarantine", ACTION_QUARANTINE }, { "accept", ACTION_ACCEPT }, { NULL, 0 }
};
static const struct schema_choice log_targets[] = { { "stderr", LOG_TARGET_STDERR },
                                                    { "journal", LOG_TARGET_JOURNAL },
                                                    { "syslog", LOG_TARGET_SYSLOG },
                                                    { NULL, 0 } };
static const struct schema_choice log_levels[] = { { "error", LOG_LEVEL_ERROR },
                                                   { "warning", LOG_LEVEL_WARNING },
                                                   { "info", LOG_LEVEL_INFO },
                                                   { "debug", LOG_LEVEL_DEBUG },
                                                   { NULL, 0 } };
static const struct schema_choice languages[] = { { "en", LANGUAGE_EN }, { "ja", LANGUAGE_JA }, { NULL, 0 } };

/* One macro a kind of row, so that a row reads: where, words, default, range, help. */
#define CHOICE(scope, words, field, list, fallback, help, ja)                                             \
    {                                                                                                     \
        SCHEMA_##scope, words, SCHEMA_CHOICE, scope(field), fallback, NULL, list, NULL, 0, 0, 0, help, ja \
    }
#define PLAIN(scope, words, kind, field, fallback, none, help, ja)                                        \
    {                                                                                                     \
        SCHEMA_##scope, words, SCHEMA_##kind, scope(field), fallback, NULL, NULL, none, 0, 0, 0, help, ja \
    }
#define RANGE(scope, words, kind, field, fallback, least, most, help, ja)                               \
    {                                                                                                   \
        SCHEMA_##scope, words, SCHEMA_##kind, scope(field), fallback, NULL, NULL, NULL, least, most, 0, \
            help, ja                                                                                    \
    }
#define OF_DOMAIN(words, field, flag, list, fallback_help, help, ja)                               \
    {                                                                                              \
        SCHEMA_DOMAIN, words, SCHEMA_CHOICE, DOMAIN(field), NULL, fallback_help, list, NULL, 0, 0, \
            SAID(flag), help, ja                                                                   \
    }

/* clang-format off */
const struct schema_row schema_rows[] = {
    CHOICE(GLOBAL, "role", role, roles, "single",
        "What this node does: both halves (single), the outer one (edge) or the judging one (wall).",
        "このノードの役割。single は両方、edge は外側、wall は検査側。"),
    { SCHEMA_GLOBAL, "hostname", SCHEMA_NAME, GLOBAL(hostname), NULL, "the machine's own name", NULL, NULL, 0, 0, 0,
        "The name in the greeting, in EHLO, in Received fields and in notices.",
        "挨拶、EHLO、Received、通知に使う名前。" },
    { SCHEMA_GLOBAL, "admin", SCHEMA_MAILBOX, GLOBAL(admin), NULL, "postmaster@ and the host name", NULL, NULL, 0, 0, 0,
        "Who is named in notices and gets what nobody else should.",
        "通知に記し、他に宛先のないものを受け取る管理者。" },
    PLAIN(GLOBAL, "state", PATH, state, "/var/lib/sekimori", NULL,
        "The folder of the spool, the ledger and the sockets.",
        "スプール、台帳、ソケットを置くフォルダー。"),
    PLAIN(GLOBAL, "user", USER, user, "none", "none",
        "Whom the processes run as when started by root.",
        "root で起動したときに各プロセスがなるユーザー。"),
    { SCHEMA_GLOBAL, "listen", SCHEMA_LISTEN, 0, 0, NULL, NULL, NULL, NULL, 0, 0, 0,
        "Takes mail at ADDRESS:PORT. Stands once for each.",
        "この ADDRESS:PORT でメールを受ける。一つごとに一文。" },
    { SCHEMA_GLOBAL, "domains", SCHEMA_DOMAINS, 0, 0, NULL, NULL, NULL, NULL, 0, 0, 0,
        "The domains mail is taken for, each with the servers it goes to, in the order in which they are tried.",
        "受け取るドメインと届け先のサーバー。書いた順に試す。" },

    CHOICE(GLOBAL, "virus mode", virus.mode, modes, "on",
        "Scan for viruses: act, only log what would be done (observe), or not at all.",
        "ウイルス検査。on は実行、observe は記録のみ、off はしない。"),
    CHOICE(GLOBAL, "virus found", virus.found, found_actions, "reject",
        "What is done with a message that has a virus.",
        "ウイルスが見つかったメールの扱い。"),
    CHOICE(GLOBAL, "virus limits", virus.limits, doubt_actions, "quarantine",
        "What is done with a message that a limit kept from being scanned whole.",
        "上限のため全部を検査できなかったメールの扱い。"),
    CHOICE(GLOBAL, "virus ambiguous", virus.ambiguous, doubt_actions, "quarantine",
        "What is done when two mail programs could read different parts and more than plain text is inside.",
        "読み手により解釈が分かれ、平文以外を含むメールの扱い。"),
    RANGE(GLOBAL, "virus most scanned", SIZE, virus.max_scan_bytes, "400M", 1 * MIB, 4 * GIB - 1,
        "Bytes scanned in one message, everything unpacked counted.",
        "一通で検査する展開後の総量。"),
    RANGE(GLOBAL, "virus most file", SIZE, virus.max_file_bytes, "100M", 1 * MIB, 2 * GIB - 1,
        "Bytes of one file inside a message.",
        "メールの中の一ファイルの上限。"),
    RANGE(GLOBAL, "virus most files", COUNT, virus.max_files, "10000", 1, 1000000,
        "Files inside one message.",
        "一通の中のファイル数の上限。"),
    RANGE(GLOBAL, "virus most nesting", COUNT, virus.max_recursion, "17", 1, 100,
        "Archives inside archives.",
        "書庫の入れ子の深さの上限。"),
    RANGE(GLOBAL, "virus most time", TIME, virus.max_time_ms, "30s", 1 * SECOND, 10 * MINUTE,
        "Time for scanning one message.",
        "一通の検査にかける時間の上限。"),
    CHOICE(GLOBAL, "virus engine clamav unavailable", virus.unavailable, unavailable_actions, "defer",
        "What is done while the scanner is down; accept marks the message as unscanned.",
        "検査できない間の扱い。accept は未検査の印を付ける。"),
    PLAIN(GLOBAL, "virus engine clamav database", PATH, virus.database, "/var/lib/clamav", NULL,
        "The folder of signatures, used when it is there.",
        "定義ファイルのフォルダー。あれば使う。"),
    PLAIN(GLOBAL, "virus engine clamav builtin", SWITCH, virus.embedded, "on", NULL,
        "Also load the small set of signatures that comes with the gateway (EICAR).",
        "付属の小さな定義（EICAR）も読む。"),
    PLAIN(GLOBAL, "virus engine clamav builtin from", PATH, virus.own_database,
        "/usr/share/sekimori/signatures", NULL,
        "The folder of that small set.",
        "付属の定義のフォルダー。"),
    RANGE(GLOBAL, "virus engine clamav update every", TIME, virus.update_ms, "1h", 0, 30 * DAY,
        "How often new signatures are to be fetched; 0: never. Kept for later: today freshclam fetches them.",
        "定義を更新する間隔。0 はしない。まだ使わない（取得は freshclam が行う）。"),

    CHOICE(GLOBAL, "spam mode", spam.mode, modes, "on",
        "Judge spam: act, only log what would be done (observe), or not at all.",
        "迷惑メール判定。on は実行、observe は記録のみ、off はしない。"),
    RANGE(GLOBAL, "spam tag above", POINTS, spam.tag, "6.8", 0, 1000,
        "From these points a message is tagged.",
        "この点数から印を付ける。"),
    PLAIN(GLOBAL, "spam tag subject", TEXT, spam.subject, "\"[SPAM] \"", NULL,
        "What goes before the Subject of tagged mail; empty: only header fields.",
        "印として件名の前に置く語。空ならヘッダーのみ。"),
    RANGE(GLOBAL, "spam quarantine above", POINTS, spam.quarantine, "12", 0, 1000,
        "From these points a message is held.",
        "この点数から保留する。"),
    RANGE(GLOBAL, "spam reject above", POINTS, spam.reject, "20", 0, 1000,
        "From these points a message is refused.",
        "この点数から拒否する。"),

    RANGE(GLOBAL, "limits message", SIZE, limits.message_bytes, "50M", 64 * KIB, 2 * GIB,
        "Bytes of one message.",
        "一通の大きさの上限。"),
    RANGE(GLOBAL, "limits header", SIZE, limits.header_bytes, "256K", 16 * KIB, 16 * MIB,
        "Bytes of the header of one message.",
        "一通のヘッダーの大きさの上限。"),
    RANGE(GLOBAL, "limits bodies", SIZE, limits.bodies_bytes, "512M", 1 * MIB, 1024 * GIB,
        "Bytes of all messages in flight; over it new mail gets 452.",
        "処理中の全メールの総量。超えると 452。"),
    RANGE(GLOBAL, "limits bodies in frame", SIZE, limits.frame_body_bytes, "64K", 0, 64 * KIB,
        "Bodies up to here travel with the request between processes.",
        "ここまでの本文は要求と一緒に渡す。"),
    RANGE(GLOBAL, "limits bodies in memory", SIZE, limits.memfd_body_bytes, "8M", 0, 2 * GIB,
        "Bodies up to here stay in memory, larger ones go to a file.",
        "ここまでの本文はメモリーに、超えるとファイルに置く。"),
    RANGE(GLOBAL, "limits recipients", COUNT, limits.recipients, "500", 1, 10000,
        "Recipients of one message.",
        "一通の宛先数の上限。"),
    RANGE(GLOBAL, "limits received", COUNT, limits.received, "50", 5, 1000,
        "Received fields in one message; over it there is a loop.",
        "Received の数の上限。超えればループとみなす。"),
    RANGE(GLOBAL, "limits connections", COUNT, limits.connections, "2000", 1, 1000000,
        "Connections of all clients at once.",
        "全体の同時接続数の上限。"),
    RANGE(GLOBAL, "limits connections and minute", COUNT, limits.rate, "0", 0, 10000000,
        "Connections of all clients in a minute; 0: any number.",
        "全体の一分間の接続数。0 は無制限。"),
    RANGE(GLOBAL, "limits connections per client", COUNT, limits.per_client, "50", 1, 1000000,
        "Connections of one client address at once.",
        "一つのクライアントの同時接続数の上限。"),
    RANGE(GLOBAL, "limits connections per client and minute", COUNT, limits.rate_per_client, "0", 0, 1000000,
        "Connections of one client address in a minute; 0: any number.",
        "一つのクライアントの一分間の接続数。0 は無制限。"),
    RANGE(GLOBAL, "limits messages and minute", COUNT, limits.message_rate, "0", 0, 10000000,
        "Messages of all clients in a minute; 0: any number.",
        "全体の一分間の通数。0 は無制限。"),
    RANGE(GLOBAL, "limits messages per client and minute", COUNT, limits.message_rate_per_client, "0", 0, 1000000,
        "Messages of one client address in a minute; 0: any number.",
        "一つのクライアントの一分間の通数。0 は無制限。"),
    RANGE(GLOBAL, "limits errors", COUNT, limits.errors, "20", 1, 10000,
        "Wrong commands and refused recipients in one session before it ends with 421.",
        "一つのセッションで許す誤り。超えると 421 で切る。"),
    RANGE(GLOBAL, "limits time greeting", TIME, limits.greeting_ms, "1m", 1 * SECOND, 1 * HOUR,
        "From the connection to EHLO.",
        "接続から EHLO までの時間。"),
    RANGE(GLOBAL, "limits time command", TIME, limits.command_ms, "5m", 1 * SECOND, 1 * HOUR,
        "Before the next command has come whole.",
        "次の命令がそろうまでの時間。"),
    RANGE(GLOBAL, "limits time data", TIME, limits.data_ms, "3m", 1 * SECOND, 1 * HOUR,
        "Silence while a message arrives.",
        "本文の続きを待つ時間。"),
    RANGE(GLOBAL, "limits time session", TIME, limits.session_ms, "2h", 1 * SECOND, 7 * DAY,
        "One whole session; it ends between two messages.",
        "一つのセッションの長さ。メールの切れ目で終える。"),
    RANGE(GLOBAL, "limits time verdict", TIME, limits.verdict_ms, "1m", 1 * SECOND, 9 * MINUTE,
        "From the end of a message to the verdict; over it the client gets 451.",
        "本文の終わりから判定まで。超えると 451。"),
    RANGE(GLOBAL, "limits mime parts", COUNT, limits.mime_parts, "1000", 1, 100000,
        "Parts of one message.",
        "一通のパート数の上限。"),
    RANGE(GLOBAL, "limits mime depth", COUNT, limits.mime_depth, "30", 1, 200,
        "Parts inside parts.",
        "パートの入れ子の深さの上限。"),

    RANGE(GLOBAL, "queue expire", TIME, queue.expire_ms, "5d", 1 * MINUTE, 100 * DAY,
        "After this time a message that cannot be delivered is given up.",
        "届かないメールをあきらめるまでの時間。"),
    RANGE(GLOBAL, "queue warn inside after", TIME, queue.warn_ms, "0", 0, 100 * DAY,
        "After this time an inside sender is told of the delay; 0: never.",
        "内側の差出人に遅れを知らせるまでの時間。0 はしない。"),
    RANGE(GLOBAL, "queue retry first", TIME, queue.retry_first_ms, "2m", 1 * SECOND, 1 * DAY,
        "The pause before the second attempt; it doubles from there.",
        "二度目の配送までの間隔。以後は倍になる。"),
    RANGE(GLOBAL, "queue retry most", TIME, queue.retry_most_ms, "1h", 1 * SECOND, 7 * DAY,
        "The longest pause between attempts.",
        "配送の間隔の上限。"),
    RANGE(GLOBAL, "queue segment", SIZE, queue.segment_bytes, "64M", 1 * MIB, 1 * GIB,
        "Bytes of one file of the journal.",
        "ジャーナルの一ファイルの大きさ。"),
    RANGE(GLOBAL, "queue free", SIZE, queue.free_bytes, "256M", 0, 1024 * GIB,
        "With less than this left on the disk, new mail gets 452.",
        "ディスクの空きがこれを下回ると 452。"),

    RANGE(GLOBAL, "deliver connections", COUNT, deliver.connections, "20", 1, 10000,
        "Connections to one destination at once.",
        "一つの届け先への同時接続数。"),
    RANGE(GLOBAL, "deliver connections all", COUNT, deliver.connections_all, "500", 1, 100000,
        "Connections to all destinations at once.",
        "全届け先への同時接続数。"),
    RANGE(GLOBAL, "deliver connections static", COUNT, deliver.connections_static, "100", 0, 100000,
        "Of these, kept free for domains with targets of their own.",
        "うち、届け先を書いたドメインのために空けておく数。"),
    RANGE(GLOBAL, "deliver messages", COUNT, deliver.messages_per_connection, "1000", 1, 1000000,
        "Messages over one connection.",
        "一つの接続で送る通数。"),
    RANGE(GLOBAL, "deliver time connect", TIME, deliver.connect_ms, "30s", 1 * SECOND, 1 * HOUR,
        "Waiting for a connection.",
        "接続を待つ時間。"),
    RANGE(GLOBAL, "deliver time greeting", TIME, deliver.greeting_ms, "5m", 1 * SECOND, 1 * HOUR,
        "Waiting for the server's greeting.",
        "相手の挨拶を待つ時間。"),
    RANGE(GLOBAL, "deliver time command", TIME, deliver.command_ms, "5m", 1 * SECOND, 1 * HOUR,
        "Waiting for the reply to a command.",
        "命令の応答を待つ時間。"),
    RANGE(GLOBAL, "deliver time data", TIME, deliver.data_ms, "3m", 1 * SECOND, 1 * HOUR,
        "Waiting while the server takes the message.",
        "相手が本文を受け取るのを待つ時間。"),
    RANGE(GLOBAL, "deliver time final", TIME, deliver.final_ms, "10m", 1 * SECOND, 1 * HOUR,
        "Waiting for the reply to the whole message.",
        "本文の後の応答を待つ時間。"),
    RANGE(GLOBAL, "deliver time idle", TIME, deliver.idle_ms, "30s", 0, 1 * HOUR,
        "A connection without work is kept this long.",
        "仕事のない接続を保つ時間。"),
    PLAIN(GLOBAL, "deliver source", IP4, deliver.source, "any", "any",
        "The IPv4 address mail is sent from.",
        "送信元の IPv4 アドレス。"),
    PLAIN(GLOBAL, "deliver source6", IP6, deliver.source6, "any", "any",
        "The IPv6 address mail is sent from.",
        "送信元の IPv6 アドレス。"),
    PLAIN(GLOBAL, "deliver helo", NAME, deliver.helo, "hostname", "hostname",
        "The name said in EHLO.",
        "EHLO で名のる名前。"),
    PLAIN(GLOBAL, "deliver authorities", FILE, deliver.ca, "system", "system",
        "The file of root certificates for `tls verified`.",
        "tls verified で使うルート証明書のファイル。"),
    RANGE(GLOBAL, "deliver port", COUNT, deliver.port, "25", 1, 65535,
        "The port of targets that name none.",
        "ポートを書かない届け先のポート。"),

    PLAIN(GLOBAL, "dns servers", SERVERS, dns.servers, "system", "system",
        "The resolvers to ask.",
        "問い合わせるリゾルバー。"),
    RANGE(GLOBAL, "dns timeout", TIME, dns.timeout_ms, "5s", 100, 2 * MINUTE,
        "The deadline of one question.",
        "一つの問い合わせの期限。"),
    RANGE(GLOBAL, "dns cache", SIZE, dns.cache_bytes, "32M", 1 * MIB, 64 * GIB,
        "Bytes of answers kept.",
        "答えを保つ量。"),
    PLAIN(GLOBAL, "dns dnssec", SWITCH, dns.dnssec, "on", NULL,
        "Validate answers.",
        "答えを検証する。"),
    PLAIN(GLOBAL, "dns client names", SWITCH, dns.client_names, "on", NULL,
        "Ask for the name of each client and whether it leads back.",
        "クライアントの逆引き名を調べ、正引きで確かめる。"),

    RANGE(GLOBAL, "processes receive", COUNT, processes.receive, "0", 0, 256,
        "How many take connections; 0: one a core.",
        "受信プロセスの数。0 はコアごとに一つ。"),
    RANGE(GLOBAL, "processes scan", COUNT, processes.scan, "0", 0, 256,
        "How many judge messages; 0: one a core.",
        "検査プロセスの数。0 はコアごとに一つ。"),
    RANGE(GLOBAL, "processes scan messages", COUNT, processes.scan_messages, "10000", 1, 100000000,
        "Messages after which a scan worker is replaced.",
        "検査プロセスを入れ替えるまでの通数。"),
    PLAIN(GLOBAL, "processes jail", SWITCH, processes.jail, "on", NULL,
        "Take from each process all rights it does not need.",
        "各プロセスから要らない権限を取り上げる。"),

    CHOICE(GLOBAL, "log to", log.target, log_targets, "stderr",
        "Where log lines go.",
        "ログの出力先。"),
    PLAIN(GLOBAL, "log to at", SOCKET, log.address, "local", "local",
        "The remote syslog server, by UDP.",
        "遠隔の syslog サーバー（UDP）。"),
    CHOICE(GLOBAL, "log level", log.level, log_levels, "info",
        "The least weight of a line that is logged.",
        "記録する行の重さ。"),

    PLAIN(GLOBAL, "report to", MAILBOX, report.to, "none", "none",
        "Who gets the nightly report. Kept for later: none is made yet.",
        "毎晩の報告の宛先。まだ使わない。"),
    PLAIN(GLOBAL, "report at", CLOCK, report.at_minutes, "03:00", NULL,
        "When it is made, local time.",
        "報告を作る時刻。"),
    CHOICE(GLOBAL, "report language", report.language, languages, "en",
        "The language of reports.",
        "報告の言語。"),

    CHOICE(LISTENER, "direction", direction, directions, "in",
        "Mail from the world for our domains (in), or from inside to anywhere (out).",
        "in は外から自ドメイン宛、out は内から外宛。"),
    PLAIN(LISTENER, "from", NETWORKS, from, "any", "any",
        "Who may connect. With `direction out` it must be said.",
        "接続を許す相手。direction out では必須。"),
    PLAIN(LISTENER, "deny", NETWORKS, deny, "none", "none",
        "Who is refused even so.",
        "それでも拒む相手。"),
    PLAIN(LISTENER, "proxy", NETWORKS, proxy, "none", "none",
        "Peers that must begin with a PROXY header, version 1 or 2.",
        "PROXY ヘッダーで始めるべき相手。"),
    PLAIN(LISTENER, "xclient", NETWORKS, xclient, "none", "none",
        "Peers that may say XCLIENT.",
        "XCLIENT を許す相手。"),
    CHOICE(LISTENER, "repair", repair, repairs, "none",
        "Refuse lines that do not end in CRLF, or repair them before anything is kept.",
        "CRLF で終わらない行を拒むか、保存前に直すか。"),
    { SCHEMA_LISTENER, "tls", SCHEMA_CHOICE, LISTENER(tls), NULL, "offered with a certificate, else off", tls_in,
        NULL, 0, 0, 0,
        "STARTTLS: not there, offered, or required before MAIL.",
        "STARTTLS。off はなし、offered は任意、required は必須。" },
    PLAIN(LISTENER, "tls certificate", FILE, certificate, "none", "none",
        "The certificate and its chain, PEM.",
        "証明書とその鎖（PEM）。"),
    { SCHEMA_LISTENER, "tls key", SCHEMA_FILE, LISTENER(key), NULL, "the certificate's file", NULL, "none", 0, 0, 0,
        "The private key, PEM.",
        "秘密鍵（PEM）。" },
    PLAIN(LISTENER, "strict", SWITCH, strict, "off", NULL,
        "Refuse local parts that RFC 5321 does not allow, such as those of old Japanese mobile addresses.",
        "RFC 5321 に合わないローカル部（古い携帯アドレスなど）を拒む。"),
    PLAIN(LISTENER, "check", SWITCH, check, "on", NULL,
        "Judge what comes in here; off relays it unseen. An edge judges nothing: its walls do.",
        "ここで受けたメールを検査する。off は素通し。edge は検査せず、wall に任せる。"),
    CHOICE(LISTENER, "relay", relay, relay_ways, "by-role",
        "Hand messages on while the client waits, so that the next server's reply is the client's (through), or keep"
        " them here first (journal). by-role: through for `direction in` of an edge.",
        "クライアントを待たせたまま次のサーバーへ渡し、その応答を返すか（through）、先にここで保存するか（journal）。by-role は edge の direction in のみ through。"),

    CHOICE(DOMAIN, "recipients", recipients, recipient_checks, "any",
        "Take every recipient, or ask the domain's server (call-out).",
        "全ての宛先を受けるか、届け先に尋ねるか（call-out）。"),
    PLAIN(DOMAIN, "recipients table", FILE, recipients_table, "none", "none",
        "Take the recipients in this file: an address, a local part or @domain a line.",
        "このファイルの宛先だけを受ける。一行に一つ。"),
    CHOICE(DOMAIN, "tls", tls, tls_out, "offered",
        "TLS to the domain's servers: never, when offered, always, or always and with a certificate that fits.",
        "届け先への TLS。verified は証明書も確かめる。"),
    PLAIN(DOMAIN, "tls name", NAME, tls_name, "host", "host",
        "The name the certificate must have.",
        "証明書にあるべき名前。"),
    PLAIN(DOMAIN, "smtputf8", SWITCH, smtputf8, "on", NULL,
        "Whether the domain's servers take addresses in UTF-8.",
        "届け先が UTF-8 のアドレスを受けるか。"),
    RANGE(DOMAIN, "connections", COUNT, connections, "0", 0, 10000,
        "Connections to the domain's servers at once; 0: as in deliver.",
        "届け先への同時接続数。0 は deliver のとおり。"),
    PLAIN(DOMAIN, "balance", SWITCH, balance, "off", NULL,
        "Of several servers take the least loaded one, not the first in order.",
        "複数のサーバーのうち、書いた順でなく最も空いたものへ送る。"),
    OF_DOMAIN("virus", virus_mode, has_virus_mode, modes, "as `virus mode`",
        "The virus check for mail to this domain.",
        "このドメイン宛のウイルス検査。"),
    OF_DOMAIN("spam", spam_mode, has_spam_mode, modes, "as `spam mode`",
        "The spam check for mail to this domain.",
        "このドメイン宛の迷惑メール判定。"),
};
const size_t schema_row_count = sizeof schema_rows / sizeof *schema_rows;

const struct schema_section schema_sections[] = {
    { SCHEMA_GLOBAL, "virus", "What is done about viruses.", "ウイルスの扱い。" },
    { SCHEMA_GLOBAL, "spam", "What is done about spam. The points are on the scale of SpamAssassin.",
      "迷惑メールの扱い。点数は SpamAssassin と同じ尺度。" },
    { SCHEMA_GLOBAL, "limits", "What one client or message may take.", "クライアントやメールの上限。" },
    { SCHEMA_GLOBAL, "queue", "How long and how often delivery is tried.", "配送を試みる期間と間隔。" },
    { SCHEMA_GLOBAL, "deliver", "How mail is handed to servers.", "サーバーへの渡し方。" },
    { SCHEMA_GLOBAL, "dns", "How names are looked up.", "名前の引き方。" },
    { SCHEMA_GLOBAL, "processes", "How many processes work.", "プロセスの数。" },
    { SCHEMA_GLOBAL, "log", "What is logged and where.", "ログの内容と出力先。" },
    { SCHEMA_GLOBAL, "report", "The nightly report.", "毎晩の報告。" },
};
const size_t schema_section_count = sizeof schema_sections / sizeof *schema_sections;
/* clang-format on */
