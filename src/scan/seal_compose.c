/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Called by worker.c when the verdict stands. */
#include "scan/seal_compose.h"

#include "config/domains.h"
#include "ipc/message_id.h"

/* One of the forms. */
struct form {
    struct text fields;
    struct header header;
    uint8_t recipes;
};

struct task {
    struct arena *arena;
    const struct seal_source *source;
    struct seal_basis basis;
    struct form forms[RECIPES_MOST];
    uint32_t form_count;
    struct seal_list *out;
};

static uint64_t now_of(const struct task *task)
{
    return message_id_time_ms(task->source->occasion->id) / 1000;
}

/* --- forms --- */

static struct form *form_of(struct task *task, struct text fields)
{
    static const struct header_limits limits = { .bytes = 1 << 20, .fields = 10000 };
    for (uint32_t i = 0; i < task->form_count; i++)
        if (text_equal(task->forms[i].fields, fields)) return &task->forms[i];
    struct form *form = &task->forms[task->form_count++];
    *form = (struct form){ .fields = fields };
    header_parse(task->arena, fields, &limits, &form->header);
    return form;
}

/* Where recipes differ in nothing that is signed, what is on top of them aside, the form is one. */
static bool forms_make(struct task *task)
{
    const struct verdict *verdict = task->source->verdict;
    for (uint32_t i = 0; i < verdict->recipe_count; i++) {
        struct edits edits, changes = { .arena = task->arena };
        if (!edits_decode(task->arena, verdict->recipes[i].edits, UINT64_MAX, &edits)) return false;
        for (size_t k = 0; k < edits.count; k++)
            if (edits.items[k].offset > 0 || edits.items[k].length > 0)
                edits_add(&changes, edits.items[k].offset, edits.items[k].length, edits.items[k].insert);
        struct text fields = seal_basis_apply(task->arena, &task->basis, task->source->prefix, &changes);
        form_of(task, fields)->recipes |= (uint8_t)(1U << i);
    }
    return true;
}

/* --- drafts --- */

static struct dkim_signer signer_of(struct task *task, const struct domain *domain,
                                    const struct signing_key *key, enum key_kind kind, struct text *out_name)
{
    struct buffer name = { 0 };
    config_signing_key_name(domain, key, &name);
    *out_name = arena_text(task->arena, buffer_text(&name));
    buffer_free(&name);
    return (struct dkim_signer){ config_signing_name(domain), key->selector, kind };
}

static void keys_sign(struct task *task, const struct form *form, const struct domain *domain,
                      enum key_kind kind)
{
    const struct signing_key_list *keys = kind == KEY_RSA ? &domain->dkim_rsa : &domain->dkim_ed25519;
    for (size_t i = 0; i < keys->count; i++) {
        struct seal_draft draft = { .recipes = form->recipes };
        struct dkim_signer signer = signer_of(task, domain, &keys->items[i], kind, &draft.key);
        if (dkim_signing_begin(task->arena, &form->header, task->basis.body, &signer, now_of(task),
                               &draft.fields.message))
            task->out->drafts[task->out->count++] = draft;
    }
}

static void form_sign(struct task *task, const struct form *form)
{
    const struct domain *domain = config_signing_domain(task->source->config, task->basis.domain);
    if (!domain) return; /* by a configuration that is newer than the one it was read by */
    keys_sign(task, form, domain, KEY_RSA);
    keys_sign(task, form, domain, KEY_ED25519);
}

static bool form_seal(struct task *task, const struct form *form)
{
    const struct seal_source *source = task->source;
    const struct auth_judgement *judgement = source->authentication;
    const struct domain *domain = config_sealing_domain(source->config);
    struct arc_seal_wish wish = { .now_s = now_of(task) };
    struct seal_draft draft = { .recipes = form->recipes };
    if (!domain) return false;
    wish.signer = signer_of(task, domain, &domain->dkim_rsa.items[0], KEY_RSA, &draft.key);
    wish.payload =
        authenticate_payload(task->arena, source->config, source->occasion, judgement, &wish.authserv_id);
    if (!arc_seal_begin(task->arena, &form->header, task->basis.body, &judgement->facts.signatures.arc,
                        &judgement->result.arc, &wish, &draft.fields))
        return false;
    task->out->drafts[task->out->count++] = draft;
    return true;
}

static void forms_seal(struct task *task)
{
    const struct auth_judgement *judgement = task->source->authentication;
    bool is_sealed = judgement->is_made && judgement->result.arc.reason != ARC_UNREACHABLE;
    for (uint32_t i = 0; i < task->form_count && is_sealed; i++) is_sealed = form_seal(task, &task->forms[i]);
    if (!is_sealed) task->out->why = TEXT("chain");
}

/* The verdict may have found out that the message is not from where it seemed to be. */
static enum seal_purpose purpose_of(const struct seal_source *source, const struct seal_basis *basis)
{
    if (source->verdict->tenancy == TENANCY_NOT_ASKED || basis->purpose == SEAL_DKIM) return basis->purpose;
    if (source->verdict->direction == DIRECTION_OUT)
        return basis->purpose == SEAL_EITHER ? SEAL_DKIM : SEAL_NOTHING;
    bool may_seal = source->authentication->is_made && config_sealing_domain(source->config);
    return may_seal ? SEAL_ARC : SEAL_NOTHING;
}

bool seal_compose(struct arena *arena, const struct seal_source *source, struct seal_list *out)
{
    struct task task = { .arena = arena, .source = source, .out = out };
    if (source->verdict->code != 250 || !seal_basis_get(arena, source->facts->seal_basis, &task.basis))
        return false;
    task.basis.purpose = purpose_of(source, &task.basis);
    if (task.basis.purpose == SEAL_NOTHING) return false;
    *out = (struct seal_list){ .purpose = task.basis.purpose };
    out->drafts = arena_alloc_array(arena, SEAL_DRAFTS_MOST, sizeof *out->drafts);
    out->why = task.basis.why;
    if (out->why.length > 0 || !forms_make(&task))
        out->count = 0;
    else if (task.basis.purpose == SEAL_ARC)
        forms_seal(&task);
    else
        for (uint32_t i = 0; i < task.form_count; i++) form_sign(&task, &task.forms[i]);
    if (out->why.length > 0) out->count = 0;
    if (out->count == 0 && out->why.length == 0) out->why = TEXT("no-key");
    return true;
}
