/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "cli/entry_making.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "auth/from_domains.h"
#include "base/json.h"
#include "ipc/message_id.h"
#include "ledgerdb/search_wire.h"
#include "mail/envelope.h"
#include "mail/mailbox.h"

enum { ANSWER_MS = 30000 };

static const char *const extents[EXTENTS + 1] = { "address", "domain", "network", NULL };

const char *entry_making_choice(size_t position)
{
    return extents[position];
}

bool entry_making_extent(const char *word, enum entry_extent *out)
{
    int i = 0;
    while (word && i < EXTENTS && strcmp(word, extents[i]) != 0) i++;
    if (i < EXTENTS) *out = (enum entry_extent)i;
    return i < EXTENTS;
}

static struct text what_of(struct arena *arena, enum entry_extent extent,
                           const struct entry_occasion *occasion)
{
    if (extent == EXTENT_NETWORK) return occasion->client;
    struct text address = from_address_shown(arena, occasion->author, occasion->sender);
    return extent == EXTENT_DOMAIN ? envelope_domain_of(address) : address;
}

/* One is the other, or below it. */
static bool is_kin(struct text a, struct text b)
{
    struct text longer = a.length > b.length ? a : b, shorter = a.length > b.length ? b : a;
    if (shorter.length == 0 || !text_ends_nocase(longer, shorter)) return false;
    return longer.length == shorter.length || longer.at[longer.length - shorter.length - 1] == '.';
}

static bool is_proven(const struct proof *proof, struct text domain)
{
    return proof->is_made && ((proof->dmarc == PROOF_PASS && is_kin(proof->author, domain)) ||
                              (proof->spf == PROOF_PASS && is_kin(proof->spf_domain, domain)) ||
                              (proof->dkim == PROOF_PASS && is_kin(proof->dkim_domain, domain)));
}

static void proof_warn(const char *command, enum entry_verb verb, const struct entry_occasion *occasion,
                       struct text what)
{
    size_t at = text_find_last_char(what, '@');
    struct text domain = at < what.length ? text_slice(what, at + 1, what.length) : what;
    if (!occasion->proof)
        fprintf(stderr, "sekimori %s: note: whether the sender was proven is not known\n", command);
    else if (!is_proven(occasion->proof, domain))
        fprintf(stderr, "sekimori %s: note: nothing proved the sender of this message: %s\n", command,
                verb == ENTRY_ALLOW ? "the entry applies to such as are proven"
                                    : "what is blocked may be a name that somebody else wrote");
}

static void line_print(void *context, struct text line)
{
    struct json *item = json_parse(line);
    if (item && *json_get_string(item, "warning"))
        fprintf(stderr, "sekimori %s: note: %s\n", (const char *)context, json_get_string(item, "warning"));
    json_free(item);
}

static int command_send(const struct control_target *target, const char *command, struct text asked,
                        struct buffer *out)
{
    int code = control_ask_lines(target, asked, ANSWER_MS, line_print, (void *)(uintptr_t)command, out);
    if (code != EX_OK && buffer_length(out))
        fprintf(stderr, "sekimori %s: no entry is made: %.*s\n", command, TEXT_ARG(buffer_text(out)));
    return code;
}

int entry_make(const struct control_target *target, const char *command, enum entry_verb verb,
               enum entry_extent extent, const struct entry_occasion *occasion, struct text to)
{
    struct buffer asked = { 0 }, last = { 0 };
    char id[MESSAGE_ID_SIZE];
    struct arena *arena = arena_new(0);
    struct text what = what_of(arena, extent, occasion);
    int code = EX_DATAERR;
    if (what.length == 0 || text_find_char(what, ' ') < what.length) {
        fprintf(stderr, "sekimori %s: no entry is made: the message has no such sender\n", command);
    } else {
        if (extent != EXTENT_NETWORK) proof_warn(command, verb, occasion, what);
        buffer_printf(&asked, "%s add 0 %.*s %.*s - %s %s", sender_entry_verb_name(verb),
                      TEXT_ARG(to.length ? to : TEXT("*")), TEXT_ARG(what), command,
                      message_id_print(occasion->id, id));
        code = command_send(target, command, buffer_text(&asked), &last);
    }
    if (code == EX_OK)
        printf("entry %.*s: %s %.*s for %.*s\n", TEXT_ARG(buffer_text(&last)), sender_entry_verb_name(verb),
               TEXT_ARG(what), TEXT_ARG(to.length ? to : TEXT("everybody")));
    arena_free(arena);
    buffer_free(&asked);
    buffer_free(&last);
    return code;
}

bool entry_making_ask(const struct control_target *target, struct arena *arena, uint64_t id,
                      struct search_hit *out)
{
    struct buffer command = { 0 }, answer = { 0 };
    struct search_result result;
    const struct search_question question = { .id = id, .class = -1, .most = 1 };
    buffer_add_text(&command, TEXT("trace "));
    search_question_put(&question, &command);
    int code = control_ask(target, buffer_text(&command), ANSWER_MS, NULL, NULL, &answer);
    struct text bytes = arena_text(arena, buffer_text(&answer));
    bool is_told = code == EX_OK && search_result_get(bytes, arena, &result) && result.count > 0;
    if (is_told) *out = result.hits[0];
    buffer_free(&command);
    buffer_free(&answer);
    return is_told;
}
