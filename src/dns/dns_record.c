/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Names of what a DNS answer is made of. */
#include "dns/dns_record.h"

static const struct {
    enum dns_record_type type;
    const char *name;
} types[] = { { RECORD_A, "A" },   { RECORD_CNAME, "CNAME" }, { RECORD_PTR, "PTR" },
              { RECORD_MX, "MX" }, { RECORD_TXT, "TXT" },     { RECORD_AAAA, "AAAA" } };

const char *dns_status_name(enum dns_status status)
{
    static const char *const names[] = { "found", "none", "temperror", "bogus" };
    return status <= DNS_BOGUS ? names[status] : "unknown";
}

const char *dns_record_type_name(enum dns_record_type type)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].type == type) return types[i].name;
    return NULL;
}

bool dns_record_type_find(struct text name, enum dns_record_type *out)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (!text_equal_nocase(name, text_of(types[i].name))) continue;
        *out = types[i].type;
        return true;
    }
    return false;
}
