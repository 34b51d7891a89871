/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The address verb: each argument as the gateway reads it in MAIL FROM or RCPT TO, brackets or not. */
#include "cli/testtools/show_address.h"

#include <stdio.h>
#include <sysexits.h>

#include "base/json.h"
#include "base/log.h"
#include "cli/options.h"
#include "mail/idna.h"
#include "mail/mailbox.h"

static const char HELP[] =
    "usage: sekimori address [--strict] [--json] ADDR…\n"
    "\n"
    "Shows how the gateway understands mail addresses: good or not and why, the local part, the\n"
    "domain as DNS is asked for it, the form that tables are compared with, and whether SMTPUTF8\n"
    "is needed to carry it.\n"
    "\n"
    "  --strict   as a listener with `strict` does: no odd dots in local parts\n"
    "  --json     as JSON\n"
    "  --help     this text\n"
    "\n"
    "Exit status: 0 all are good, 64 usage, 65 one is not.\n";

enum { SHOWN_SIZE = 2048 };

struct shown {
    struct text given;
    enum mailbox_outcome outcome;
    struct mailbox mailbox;
    struct text ascii_domain, unicode_domain, canonical;
};

static void understand(struct arena *arena, const char *argument, bool strict, struct shown *out)
{
    *out = (struct shown){ .given = text_of(argument) };
    struct text path = out->given;
    bool is_bare = path.length > 0 && path.at[0] != '<';
    if (is_bare) path = arena_printf(arena, "<%s>", argument);
    out->outcome = mailbox_parse_path(path, strict, &out->mailbox);
    if (out->outcome != MAILBOX_GOOD) return;
    const struct mailbox *mailbox = &out->mailbox;
    out->canonical = mailbox_canonical(arena, mailbox);
    if (mailbox->is_literal || mailbox->domain.length == 0) return;
    if (!idna_to_ascii(arena, mailbox->domain, &out->ascii_domain)) out->outcome = MAILBOX_BAD_DOMAIN;
    out->unicode_domain = idna_to_unicode(arena, out->ascii_domain);
}

static void print_row(const char *label, struct text value)
{
    char room[SHOWN_SIZE];
    if (value.length > 0) printf("  %-10s %s\n", label, log_escape(value, room, sizeof room));
}

static void print_text(const struct shown *shown)
{
    char room[SHOWN_SIZE];
    const struct mailbox *mailbox = &shown->mailbox;
    printf("%s: ", log_escape(shown->given, room, sizeof room));
    if (shown->outcome != MAILBOX_GOOD) {
        printf("not valid: %s (%s)\n", mailbox_reason(shown->outcome), mailbox_status(shown->outcome, false));
        return;
    }
    puts(mailbox->is_null ? "valid: the null sender" : "valid");
    print_row("local", mailbox->local);
    print_row("domain", mailbox->domain);
    if (!text_equal(shown->ascii_domain, mailbox->domain)) print_row("for DNS", shown->ascii_domain);
    if (!text_equal(shown->unicode_domain, shown->ascii_domain)) print_row("to read", shown->unicode_domain);
    print_row("canonical", shown->canonical);
    if (mailbox->has_odd_dots) print_row("note", TEXT("odd dots, carried unchanged; refused by `strict`"));
    if (mailbox->needs_smtputf8) print_row("needs", TEXT("SMTPUTF8"));
}

static struct json *object_of(const struct shown *shown)
{
    struct json *object = json_new_object();
    const struct mailbox *mailbox = &shown->mailbox;
    bool is_good = shown->outcome == MAILBOX_GOOD;
    json_set_text(object, "given", shown->given);
    json_set_bool(object, "valid", is_good);
    json_set_string(object, "reason", is_good ? NULL : mailbox_reason(shown->outcome));
    json_set_string(object, "status", mailbox_status(shown->outcome, false));
    if (!is_good) return object;
    json_set_bool(object, "null", mailbox->is_null);
    json_set_text(object, "local", mailbox->local);
    json_set_text(object, "domain", mailbox->domain);
    json_set_text(object, "a_label", shown->ascii_domain);
    json_set_text(object, "u_label", shown->unicode_domain);
    json_set_text(object, "canonical", shown->canonical);
    json_set_bool(object, "quoted", mailbox->is_quoted);
    json_set_bool(object, "literal", mailbox->is_literal);
    json_set_bool(object, "odd_dots", mailbox->has_odd_dots);
    json_set_bool(object, "smtputf8", mailbox->needs_smtputf8);
    return object;
}

static bool show_all(int count, char **arguments, bool strict, bool as_json)
{
    struct json *list = as_json ? json_new_array() : NULL;
    struct arena *arena = arena_new(0);
    bool all_good = true;
    for (int i = 0; i < count; i++) {
        struct shown shown;
        understand(arena, arguments[i], strict, &shown);
        if (shown.outcome != MAILBOX_GOOD) all_good = false;
        if (as_json)
            json_add(list, object_of(&shown));
        else
            print_text(&shown);
        arena_reset(arena);
    }
    if (as_json) json_print(list, stdout, true);
    arena_free(arena);
    return all_good;
}

struct options {
    bool is_strict, is_json;
};

static const struct verb_option table[] = {
    { "strict", OPTION_SWITCH, offsetof(struct options, is_strict), NULL, NULL },
    { "json", OPTION_SWITCH, offsetof(struct options, is_json), NULL, NULL },
    { 0 }
};
const struct verb_usage address_usage = { "address", HELP, table };

int address_main(int argc, char **argv)
{
    struct options options = { 0 };
    int code = options_read(&address_usage, argc, argv, &options);
    if (code != OPTIONS_GO_ON) return code;
    if (optind == argc) return options_complain(&address_usage, "name an ADDRESS", "");
    return show_all(argc - optind, argv + optind, options.is_strict, options.is_json) ? EX_OK : EX_DATAERR;
}
