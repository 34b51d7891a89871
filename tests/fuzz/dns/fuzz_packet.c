/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* DNS answers from foreign bytes. The first byte chooses the type asked for; names that come out must be
   printable, and there is something found exactly when there are records. */
#include <stdlib.h>

#include "dns/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_be_printable(struct text name)
{
    for (size_t i = 0; i < name.length; i++)
        if (name.at[i] <= ' ' || name.at[i] >= 0x7f) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum dns_record_type types[] = { RECORD_A, RECORD_AAAA, RECORD_MX, RECORD_PTR, RECORD_TXT };
    if (size == 0) return 0;
    struct dns_answer answer;
    struct arena *arena = arena_new(0);
    struct text message = text_from((const char *)data + 1, size - 1);
    packet_parse(arena, message, TEXT("a.test"), types[data[0] % 5], &answer);
    if ((answer.status == DNS_FOUND) != (answer.count > 0) || answer.count > PACKET_RECORDS) abort();
    for (uint32_t i = 0; i < answer.count; i++) must_be_printable(answer.records[i].name);
    arena_free(arena);
    return 0;
}
