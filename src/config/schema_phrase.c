/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The words of the table for people: what a value may be, and its shape in a synopsis. */
#include <inttypes.h>
#include <math.h>

#include "config/schema.h"
#include "config/units.h"

/* By enum schema_type: a phrase for error messages, and the placeholder of a synopsis. */
static const struct {
    const char *phrase, *shape;
} types[] = {
    [SCHEMA_CHOICE] = { "", "" },
    [SCHEMA_SWITCH] = { "on, off", "on | off" },
    [SCHEMA_COUNT] = { "a whole number", "NUMBER" },
    [SCHEMA_SIZE] = { "a size such as 512, 64K, 25M or 1G", "SIZE" },
    [SCHEMA_TIME] = { "a time such as 500ms, 30s, 5m, 1h or 5d", "TIME" },
    [SCHEMA_CLOCK] = { "a time of day such as 03:00", "HH:MM" },
    [SCHEMA_POINTS] = { "points such as 6.8, or never", "POINTS" },
    [SCHEMA_TEXT] = { "a text in quotes", "TEXT" },
    [SCHEMA_NAME] = { "a host name such as mx.example.jp", "NAME" },
    [SCHEMA_MAILBOX] = { "a mail address such as postmaster@example.jp", "MAILBOX" },
    [SCHEMA_USER] = { "a user name", "USER" },
    [SCHEMA_PATH] = { "a path", "PATH" },
    [SCHEMA_ORIGIN] = { "a path, or https://NAME/ and what follows", "PATH" },
    [SCHEMA_FILE] = { "the path of a file", "FILE" },
    [SCHEMA_RULES] = { "the path of a folder", "FOLDER" },
    [SCHEMA_IP4] = { "an IPv4 address such as 192.0.2.1", "ADDRESS" },
    [SCHEMA_IP6] = { "an IPv6 address such as 2001:db8::1", "ADDRESS" },
    [SCHEMA_SOCKET] = { "ADDRESS:PORT such as 192.0.2.1:514", "ADDRESS:PORT" },
    [SCHEMA_NETWORKS] = { "addresses and networks such as 192.0.2.1 or 2001:db8::/32", "NETWORK..." },
    [SCHEMA_SERVERS] = { "addresses such as 192.0.2.53 or 192.0.2.53@5353", "ADDRESS[@PORT]..." },
    [SCHEMA_PEER] = { "ADDRESS or ADDRESS:PORT such as 192.0.2.2:25", "ADDRESS[:PORT]" },
    [SCHEMA_INTERFACE] = { "a network interface such as eth0", "INTERFACE" },
    [SCHEMA_ENDPOINTS] = { "ADDRESS:PORT such as 192.0.2.1:53", "ADDRESS:PORT..." },
    [SCHEMA_MAILBOXES] = { "mail addresses such as boss@example.jp", "MAILBOX..." },
    [SCHEMA_NAMES] = { "host names such as www.example.jp", "NAME..." },
    [SCHEMA_SENDERS] = { "domains such as partner.example, or .partner.example for all below it, any",
                         "DOMAIN... | any" },
    [SCHEMA_ADDRESSES] = { "addresses such as 192.0.2.1/24 or 2001:db8::1", "ADDRESS[/BITS]..." },
    [SCHEMA_USERS] = { "user names", "USER..." },
    [SCHEMA_ENTRIES] = { "networks, addresses and domains, in quotes with --to, --subject and the like "
                         "behind",
                         "ENTRY..." },
    [SCHEMA_FOLDERS] = { "absolute paths of folders", "FOLDER..." },
    [SCHEMA_STATUSES] = { "exit statuses from 0 to 255", "STATUS..." },
    [SCHEMA_COMMAND] = { "the absolute path of a program and its arguments, those in quotes",
                         "PROGRAM [\"ARGUMENT\"...]" },
    [SCHEMA_SET] = { "", "KIND..." },
    [SCHEMA_KEYS] = { "selectors and key files such as s2026:/etc/sekimori/dkim/s2026.pem",
                      "SELECTOR:FILE..." },
    [SCHEMA_LISTEN] = { "ADDRESS:PORT such as 0.0.0.0:25 or [::]:25", "ADDRESS:PORT { ... }" },
    [SCHEMA_CLOUD] = { "a name for it such as microsoft", "NAME { ... }" },
    [SCHEMA_LISTED] = { "a name for it such as spamhaus-zen or bad-networks", "NAME [{ ... }]" },
    [SCHEMA_WHOM] = { "a mail address such as info@example.jp", "ADDRESS { ... }" },
    [SCHEMA_ENGINES] = { "a name for an engine, clamd, icap or command, and where it is",
                         "NAME clamd | icap | command TARGET { ... }" },
    [SCHEMA_OPINIONS] = { "spamd or rspamd, and where it is", "spamd | rspamd TARGET { ... }" },
    [SCHEMA_DOMAINS] = { "a block of domains with their servers", "{ NAME TARGET... { ... } ... }" },
};

static void choices_print(const struct schema_row *row, const char *between, struct buffer *out)
{
    for (const struct schema_choice *choice = row->choices; choice->word; choice++)
        buffer_printf(out, "%s%s", choice == row->choices ? "" : between, choice->word);
}

static void bound_print(const struct schema_row *row, uint64_t bound, struct buffer *out)
{
    if (row->type == SCHEMA_SIZE)
        units_size_print(bound, out);
    else if (row->type == SCHEMA_TIME)
        units_time_print(bound, out);
    else
        buffer_printf(out, "%" PRIu64, bound);
}

void schema_allowed(const struct schema_row *row, struct buffer *out)
{
    if (row->choices)
        choices_print(row, ", ", out);
    else
        buffer_printf(out, "%s", types[row->type].phrase);
    if (row->most > 0) {
        buffer_printf(out, ", from ");
        bound_print(row, row->least, out);
        buffer_printf(out, " to ");
        bound_print(row, row->most, out);
    }
    if (row->none) buffer_printf(out, ", or %s", row->none);
}

void schema_shape(const struct schema_row *row, struct buffer *out)
{
    if (row->type == SCHEMA_CHOICE)
        choices_print(row, " | ", out);
    else
        buffer_printf(out, "%s", types[row->type].shape);
    if (row->none) buffer_printf(out, " | %s", row->none);
}
