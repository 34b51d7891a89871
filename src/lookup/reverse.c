/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* PTR first, then the forward addresses of its names at once. Whoever owns an address can write any name
   there, so only a host name is looked at and only a confirmed one counts. */
#include "lookup/reverse.h"

#include "base/context.h"

#include <stdio.h>

struct text reverse_labels(struct arena *arena, const struct address *address)
{
    const uint8_t *b = address->bytes;
    if (address_is_v4(address)) return arena_printf(arena, "%u.%u.%u.%u", b[15], b[14], b[13], b[12]);
    char name[16 * 4 + 1];
    for (int i = 0; i < 16; i++)
        snprintf(name + i * 4, 5, "%x.%x.", (unsigned)b[15 - i] & 0xf, (unsigned)b[15 - i] >> 4);
    return arena_printf(arena, "%.*s", (int)sizeof name - 2, name);
}

static struct text reverse_zone_name(struct arena *arena, const struct address *client)
{
    return arena_printf(arena, "%.*s.%s", TEXT_ARG(reverse_labels(arena, client)),
                        address_is_v4(client) ? "in-addr.arpa" : "ip6.arpa");
}

static bool is_host_name(struct text name)
{
    for (size_t i = 0; i < name.length; i++) {
        char c = name.at[i];
        if (!char_is_alpha(c) && !char_is_digit(c) && c != '-' && c != '.' && c != '_') return false;
    }
    return name.length > 0 && name.length < LOOKUP_NAME_LIMIT;
}

static void confirm(struct reverse *reverse)
{
    for (uint32_t n = 0; n < reverse->name_count; n++)
        for (uint32_t i = 0; i < reverse->forward[n].count; i++)
            if (address_equal(&reverse->forward[n].records[i].address, &reverse->client)) {
                reverse->confirmed = reverse->names[n];
                return;
            }
}

static void forward_answered(void *context)
{
    struct reverse *reverse = CONTEXT(context, struct reverse, REVERSE_MAGIC);
    reverse->pending--;
    if (reverse->confirmed.length == 0) confirm(reverse);
    reverse->progressed(reverse->context);
}

static void ptr_answered(void *context)
{
    struct reverse *reverse = CONTEXT(context, struct reverse, REVERSE_MAGIC);
    reverse->is_ptr_known = true;
    for (uint32_t i = 0; i < reverse->ptr.count && reverse->name_count < REVERSE_NAMES; i++)
        if (is_host_name(reverse->ptr.records[i].name))
            reverse->names[reverse->name_count++] = reverse->ptr.records[i].name;
    reverse->pending += reverse->name_count;
    enum dns_record_type type = address_is_v4(&reverse->client) ? RECORD_A : RECORD_AAAA;
    for (uint32_t i = 0; i < reverse->name_count; i++)
        resolver_ask(reverse->resolver, reverse->arena, reverse->names[i], type, &reverse->forward[i],
                     forward_answered, reverse);
    reverse->pending--;
    reverse->progressed(reverse->context);
}

void reverse_begin(struct reverse *reverse, struct resolver *resolver, struct arena *arena,
                   const struct address *client, void (*progressed)(void *context), void *context)
{
    *reverse = (struct reverse){ .magic = REVERSE_MAGIC,
                                 .resolver = resolver,
                                 .arena = arena,
                                 .client = *client,
                                 .pending = 1,
                                 .progressed = progressed,
                                 .context = context };
    resolver_ask(resolver, arena, reverse_zone_name(arena, client), RECORD_PTR, &reverse->ptr, ptr_answered,
                 reverse);
}

void reverse_answer_make(const struct reverse *reverse, struct client_name *out)
{
    out->name = reverse->name_count > 0 ? reverse->names[0] : TEXT_NONE;
    if (reverse->confirmed.length > 0) {
        *out = (struct client_name){ CLIENT_NAME_CONFIRMED, reverse->confirmed };
        return;
    }
    bool is_unsure = !reverse->is_ptr_known || reverse->ptr.status > DNS_NONE;
    for (uint32_t i = 0; i < reverse->name_count; i++)
        is_unsure = is_unsure || reverse->forward[i].status > DNS_NONE;
    out->status = is_unsure                 ? CLIENT_NAME_TEMPERROR
                  : reverse->name_count > 0 ? CLIENT_NAME_UNCONFIRMED
                                            : CLIENT_NAME_NONE;
}
