/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Files answer at once; zones are asked side by side. Of a name a zone is asked about the organizational
   domain, a file about the name itself, which its entries may lie above. */
#include "lookup/list_inquiry.h"

#include <stdlib.h>

#include "auth/public_suffix.h"
#include "base/context.h"
#include "config/list_setting.h"
#include "config/value.h"
#include "lookup/list_token.h"
#include "lookup/reverse.h"
#include "mail/digest.h"
#include "mail/idna.h"

struct wait {
    struct dns_list_asker asker; /* first */
    struct list_inquiry *inquiry;
    struct text list;
};

struct list_inquiry {
    enum { LIST_INQUIRY_MAGIC = 0x70c2be15 } magic;
    struct arena *arena;
    struct timer *deadline;
    struct list_answer answer;
    struct wait *waits;
    size_t wait_count;
    uint32_t pending; /* waits, and one for the call that begins */
    void (*answered)(void *context, const struct list_answer *answer);
    void *context;
};

/* What is asked, in each form that a list may have it. */
struct asked {
    enum list_about about;
    struct address address;
    struct text name; /* A-labels, lower case; empty: it is none */
    uint8_t hash[BLOCKLIST_HASH_SIZE];
    bool has_address, has_hash;
    struct text hashed; /* 64 digits of a file, an address or a link; empty: it is none */
    struct text labels; /* what stands before a zone */
};

/* --- what is asked --- */

static bool hash_read(struct text word, uint8_t out[BLOCKLIST_HASH_SIZE])
{
    if (word.length < 2 * BLOCKLIST_HASH_SIZE) return false;
    for (size_t i = 0; i < BLOCKLIST_HASH_SIZE; i++) {
        int high = char_hex_value(word.at[2 * i]), low = char_hex_value(word.at[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static struct text labels_of(struct arena *arena, const struct asked *asked)
{
    const struct public_suffix_list *suffixes = public_suffix_builtin();
    if (asked->has_address) return reverse_labels(arena, &asked->address);
    struct text organization =
        suffixes && asked->name.length ? public_suffix_organization(suffixes, asked->name) : TEXT_NONE;
    return organization.length > 0 ? organization : asked->name;
}

static bool asked_read(struct arena *arena, struct text subject, struct asked *out)
{
    struct text value, name;
    uint8_t digest[DIGEST_BYTES];
    *out = (struct asked){ 0 };
    if (!list_subject_get(subject, &out->about, &value)) return false;
    if (out->about == LIST_ABOUT_ADDRESS || out->about == LIST_ABOUT_LINK_HASH) {
        digest_sha256(value, digest);
        memcpy(out->hash, digest, sizeof out->hash);
        out->has_hash = true;
    }
    if (out->about == LIST_ABOUT_HASH) out->has_hash = hash_read(value, out->hash);
    if (out->has_hash) out->hashed = value;
    if (out->has_hash) return true;
    out->has_address = address_parse(value, &out->address);
    if (text_ends(value, TEXT("."))) value.length--;
    if (!out->has_address && idna_to_ascii(arena, value, &name) && value_is_host_name(name))
        out->name = arena_text_lower(arena, name);
    out->labels = labels_of(arena, out);
    return out->has_address || out->name.length > 0;
}

/* --- the answer --- */

static void inquiry_free(struct list_inquiry *inquiry)
{
    timer_free(inquiry->deadline);
    arena_free(inquiry->arena);
    free(inquiry);
}

static void leave_all(struct list_inquiry *inquiry, bool is_late)
{
    for (size_t i = 0; i < inquiry->wait_count; i++) {
        inquiry->answer.is_incomplete |= inquiry->waits[i].asker.query != NULL;
        dns_lists_leave(&inquiry->waits[i].asker, is_late);
    }
}

static void inquiry_end(struct list_inquiry *inquiry)
{
    inquiry->answered(inquiry->context, &inquiry->answer);
    inquiry_free(inquiry);
}

static void hit_add(struct list_inquiry *inquiry, const struct list_hit *hit)
{
    if (inquiry->answer.hit_count < LIST_HITS_MOST) inquiry->answer.hits[inquiry->answer.hit_count++] = *hit;
}

static void count_down(struct list_inquiry *inquiry)
{
    if (--inquiry->pending == 0) inquiry_end(inquiry);
}

static void zone_answered(struct dns_list_asker *asker, enum dns_list_says says, const struct address *answer)
{
    struct wait *wait = (struct wait *)asker;
    struct list_inquiry *inquiry = wait->inquiry;
    inquiry->answer.is_incomplete |= says == DNS_LIST_UNKNOWN;
    if (says == DNS_LIST_LISTED)
        hit_add(inquiry, &(struct list_hit){ .list = wait->list, .answer = *answer });
    count_down(inquiry);
}

static void too_late(void *context)
{
    struct list_inquiry *inquiry = CONTEXT(context, struct list_inquiry, LIST_INQUIRY_MAGIC);
    leave_all(inquiry, true);
    inquiry_end(inquiry);
}

/* --- asking --- */

static void file_ask(struct list_inquiry *inquiry, const struct list_setting *setting,
                     const struct blocklist *list, const struct asked *asked)
{
    struct blocklist_entry entry;
    bool has = (asked->has_address && blocklist_has_address(list, &asked->address, &entry)) ||
               (asked->has_hash && blocklist_has_hash(list, asked->hash, &entry)) ||
               (asked->name.length > 0 && blocklist_has_name(list, asked->name, &entry));
    if (!has) return;
    hit_add(inquiry, &(struct list_hit){ .list = arena_text(inquiry->arena, setting->name),
                                         .line = entry.line,
                                         .reason = arena_text(inquiry->arena, entry.reason) });
}

/* A zone of names has no addresses, but in links. */
static bool can_have(const struct list_setting *setting, const struct asked *asked)
{
    uint64_t about = list_setting_about(setting);
    if (asked->has_hash) return about >> asked->about & 1;
    bool has_addresses = about & (1 << LIST_ABOUT_CLIENT | 1 << LIST_ABOUT_LINK);
    bool has_names = about & ~(uint64_t)(1 << LIST_ABOUT_CLIENT) && !list_setting_is_hashed(setting);
    return asked->has_address ? has_addresses && asked->about != LIST_ABOUT_HELO
                              : asked->name.length > 0 && has_names;
}

/* What stands before this zone; empty: nothing can. */
static struct text labels_for(struct arena *arena, const struct list_setting *setting,
                              const struct asked *asked)
{
    struct buffer token = { 0 };
    if (!asked->has_hash) return asked->labels;
    if (asked->about == LIST_ABOUT_HASH)
        list_token_of_file(setting, asked->hashed, &token);
    else
        list_token(setting, asked->about, asked->hashed, &token);
    struct text labels = arena_text(arena, buffer_text(&token));
    buffer_free(&token);
    return labels;
}

static void zone_ask(struct list_inquiry *inquiry, const struct list_sources *sources,
                     const struct list_setting *setting, const struct asked *asked)
{
    struct wait *wait = &inquiry->waits[inquiry->wait_count];
    if (!can_have(setting, asked)) return;
    struct text labels = labels_for(inquiry->arena, setting, asked);
    if (labels.length == 0) return;
    *wait = (struct wait){ .asker.answered = zone_answered,
                           .inquiry = inquiry,
                           .list = arena_text(inquiry->arena, setting->name) };
    if (!dns_lists_ask(sources->dns, setting->name, labels, &wait->asker)) return;
    inquiry->wait_count++;
    inquiry->pending++;
}

static void all_ask(struct list_inquiry *inquiry, const struct list_sources *sources, bool is_trial,
                    const struct asked *asked)
{
    const struct config *config = sources->config;
    inquiry->waits = arena_alloc_array(inquiry->arena, config->list_count, sizeof *inquiry->waits);
    for (size_t i = 0; i < config->list_count; i++) {
        const struct list_setting *setting = &config->lists[i];
        const struct blocklist *list = local_lists_find(sources->local, setting->name);
        if (!is_trial && !(list_setting_about(setting) >> asked->about & 1)) continue;
        if (list)
            file_ask(inquiry, setting, list, asked);
        else if (list_setting_form(setting) == LIST_FORM_ZONE)
            zone_ask(inquiry, sources, setting, asked);
    }
}

struct list_inquiry *list_inquiry_begin(const struct list_sources *sources, struct text subject,
                                        bool is_trial, uint32_t deadline_ms,
                                        void (*answered)(void *context, const struct list_answer *answer),
                                        void *context)
{
    struct asked asked;
    struct list_inquiry *inquiry = memory_alloc(sizeof *inquiry);
    *inquiry = (struct list_inquiry){ .magic = LIST_INQUIRY_MAGIC,
                                      .arena = arena_new(512),
                                      .pending = 1,
                                      .answered = answered,
                                      .context = context };
    if (asked_read(inquiry->arena, subject, &asked)) all_ask(inquiry, sources, is_trial, &asked);
    if (--inquiry->pending == 0) {
        inquiry_end(inquiry);
        return NULL;
    }
    inquiry->deadline = timer_new(sources->loop, too_late, inquiry);
    timer_set(inquiry->deadline, deadline_ms ? deadline_ms : sources->config->dns.timeout_ms);
    return inquiry;
}

void list_inquiry_leave(struct list_inquiry *inquiry)
{
    leave_all(inquiry, false);
    inquiry_free(inquiry);
}
