/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Called by dns_command.c in a node, and by the command where it asks a server itself. */
#include "lookup/answer_text.h"

#include <sysexits.h>

static void text_print(struct text text, struct buffer *out)
{
    buffer_add_text(out, TEXT("\""));
    for (size_t i = 0; i < text.length; i++) {
        char c = text.at[i];
        bool is_plain = char_is_printable(c) && c != '"' && c != '\\';
        if (is_plain)
            buffer_add(out, &text.at[i], 1);
        else
            buffer_printf(out, "\\%03u", (unsigned char)c);
    }
    buffer_add_text(out, TEXT("\""));
}

static void record_print(const struct dns_record *record, enum dns_record_type type, struct buffer *out)
{
    char room[ADDRESS_TEXT_SIZE];
    buffer_add_text(out, TEXT("record: "));
    if (type == RECORD_A || type == RECORD_AAAA)
        buffer_add_text(out, text_of(address_print(&record->address, room)));
    else if (type == RECORD_TXT)
        text_print(record->text, out);
    else if (type == RECORD_MX)
        buffer_printf(out, "%u %.*s.", record->preference, TEXT_ARG(record->name));
    else
        buffer_printf(out, "%.*s.", TEXT_ARG(record->name));
    buffer_add_text(out, TEXT("\n"));
}

void answer_text_print(const struct dns_answer *answer, enum dns_record_type type, struct buffer *out)
{
    const char *status = answer->is_nxdomain ? "no such name" : dns_status_name(answer->status);
    const char *dnssec = answer->status == DNS_BOGUS ? "bogus" : answer->secure ? "secure" : "not secured";
    buffer_printf(out, "status: %s\n", status);
    if (answer->status != DNS_TEMPERROR) buffer_printf(out, "dnssec: %s\n", dnssec);
    buffer_printf(out, "cached: %s\n", answer->was_cached ? "yes" : "no");
    for (uint32_t i = 0; i < answer->count; i++) record_print(&answer->records[i], type, out);
}

int answer_text_code(enum dns_status status)
{
    static const int codes[] = {
        [DNS_FOUND] = EX_OK, [DNS_NONE] = 1, [DNS_TEMPERROR] = EX_TEMPFAIL, [DNS_BOGUS] = EX_PROTOCOL
    };
    return codes[status];
}
