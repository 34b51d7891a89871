/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Any message that is signed or sealed on its way, with the edits it gives occasion for: what leaves is
   verified. The first byte says which way it goes. */
#include <stdlib.h>

#include "auth/private_key.h"
#include "config/load.h"
#include "mail/mime.h"
#include "scan/decide.h"
#include "scan/read.h"
#include "scan/seal_compose.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const struct text PREFIX = TEXT("Received: from x by mx.test; Sat, 28 Nov 2026 01:00:00 +0000\r\n");

static struct config *config;
static struct private_key *key;
static struct text record;

#define STRANGER TEXT("a@far.test")

static void prepare(void)
{
    static struct buffer written;
    struct problem_list problems;
    if (config) return;
    problem_list_start(&problems);
    config = config_load_text(
        TEXT("hostname mx.test\nadmin a@mx.test\nlisten 127.0.0.1:2525\n"
             "domains { on.test 127.0.0.1 { dkim rsa r:/r.pem } }\n"
             "virus { mode off }\nspam { tag above 0; quarantine above never; reject above never }\n"
             "auth { mode on; seal on.test }\n"
             "hosted c { networks 10.1.0.1; certificate c.test; tenant 72f988bf }\n"),
        "fuzz.conf", false, &problems);
    key = private_key_new(KEY_RSA, 1024);
    if (!config || !key) abort();
    private_key_record_add(key, &written);
    record = buffer_text(&written);
    problem_list_free(&problems);
}

static bool at_hand(void *context, struct text name, enum dns_record_type type, struct dns_answer *out)
{
    static struct dns_record one;
    one.text = record;
    *out = (struct dns_answer){ .status = DNS_FOUND, .count = 1, .records = &one };
    return true;
}

static void all_sign(struct arena *arena, struct seal_list *list, struct verdict *verdict)
{
    struct text fields[RECIPES_MOST] = { 0 }, made;
    for (uint32_t i = 0; i < list->count; i++) {
        bool is_whole = false;
        while (!is_whole) {
            struct buffer signature = { 0 };
            private_key_sign(key, seal_draft_digest(list, &list->drafts[i]), &signature);
            is_whole = seal_draft_signed(arena, list, &list->drafts[i], buffer_text(&signature), &made);
            buffer_free(&signature);
        }
        for (uint32_t recipe = 0; recipe < verdict->recipe_count; recipe++)
            if (list->drafts[i].recipes >> recipe & 1) fields[recipe] = made;
    }
    if (!seal_fields_put(arena, fields, verdict)) abort();
}

static void must_hold(struct arena *arena, const struct seal_list *list, struct text leaves)
{
    struct message_signatures read;
    struct dkim_verdict dkim[DKIM_SIGNATURES_MOST];
    struct arc_verdict arc;
    struct dns_answers answers = { .arena = arena, .at_hand = at_hand };
    const struct mime *mime = mime_parse(arena, leaves, &mime_limits_default, MIME_FIRST);
    message_signatures_read(arena, leaves, mime->parts[0].header, &read);
    if (!message_signatures_judge(arena, &read, &answers, 1700000000, dkim, &arc)) abort();
    if (list->purpose == SEAL_ARC && arc.result != AUTH_PASS && arc.result != AUTH_FAIL) abort();
    if (list->purpose == SEAL_ARC && arc.sets == 1 && arc.result != AUTH_PASS) abort();
    if (list->purpose == SEAL_DKIM && (read.dkim.count == 0 || dkim[0].result != AUTH_PASS)) abort();
}

/* From a cloud that others use too it is from inside with our id alone, and goes to no stranger without. */
static void must_be_proven(const struct occasion *occasion, struct text message,
                           const struct verdict *verdict)
{
    bool is_out = verdict->direction == DIRECTION_OUT;
    if (!occasion->is_undecided && verdict->direction != occasion->direction) abort();
    if (!occasion->is_undecided) return;
    if (is_out && text_find(message, TEXT("72f988bf")) == message.length) abort();
    if (!is_out && verdict->code == 250 && text_equal(occasion->recipients[0], STRANGER)) abort();
}

static void message_try(struct arena *arena, struct text message, enum direction direction, bool is_undecided)
{
    struct scanner scanner = { config, NULL, NULL, TEXT_NONE, NULL };
    struct text recipient = is_undecided ? STRANGER : TEXT("a@on.test");
    struct occasion occasion = { .direction = direction,
                                 .is_undecided = is_undecided,
                                 .certificate = TEXT("c.test"),
                                 .recipients = &recipient,
                                 .recipient_count = 1,
                                 .sender = TEXT("b@x.test"),
                                 .id = 1 };
    if (!address_parse(TEXT("10.1.0.1"), &occasion.client)) abort();
    struct facts facts;
    struct auth_judgement authentication;
    struct verdict verdict;
    struct seal_list list;
    struct edits edits;
    struct buffer leaves = { 0 };
    read_facts(arena, &scanner, &occasion, message, NULL, &facts);
    struct facts merged;
    const struct decide_basis basis = { .config = config };
    const struct decide_case about = { .occasion = &occasion, .facts = &facts };
    decide_and_tell(arena, &basis, &about, &merged, &authentication, &verdict);
    must_be_proven(&occasion, message, &verdict);
    const struct seal_source source = { config, &occasion, PREFIX, &facts, &authentication, &verdict };
    if (!seal_compose(arena, &source, &list) || list.count == 0) return;
    all_sign(arena, &list, &verdict);
    if (!edits_decode(arena, verdict.recipes[0].edits, message.length, &edits)) abort();
    buffer_add_text(&leaves, PREFIX);
    edits_apply(&edits, message, &leaves);
    must_hold(arena, &list, buffer_text(&leaves));
    buffer_free(&leaves);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct arena *arena = arena_new(0);
    prepare();
    if (size > 0)
        message_try(arena, text_from((const char *)bytes + 1, size - 1),
                    bytes[0] & 1 || bytes[0] & 0x80 ? DIRECTION_IN : DIRECTION_OUT, bytes[0] & 0x80);
    arena_free(arena);
    return 0;
}
