/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "cli/entry_tool.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/arena.h"
#include "base/json.h"
#include "cli/control.h"
#include "cli/locale_words.h"
#include "cli/time_words.h"
#include "config/sender_entry.h"
#include "config/units.h"
#include "mail/idna.h"

enum { ANSWER_MS = 30000 };

#define CODES_HELP                                                                                   \
    "\nExit codes: 0, 64 usage, 65 what cannot be an entry, 66 no entry has the number, 69 no node " \
    "answers,\n73 it is there already or there are too many, 74 it cannot be written, 77 not allowed.\n"

#define COMMON_HELP                                                                                          \
    "WHAT is a network of clients (192.0.2.0/24), an address (user@example.com), or a domain (example.com) " \
    "and\nwhat is below it: of the envelope or of From. In a PATTERN * is any text; it is for the whole "    \
    "text, "                                                                                                 \
    "in any case\nand width. Where several are given, with WHAT or without, all must match.\n\n"             \
    "  --subject PATTERN     '*your invoice*'\n"                                                             \
    "  --link PATTERN        of a link's host, or host and path: '*.example.com', 'example.com/login*'\n"    \
    "  --attachment PATTERN  of a file's name, also in a container, or its type: '*.exe', 'image/*'\n"       \
    "  list             the entries, of which node, for whom, until when, by whom, and how often they "      \
    "decided\n"                                                                                              \
    "  remove           ends one, by the number that list shows\n"                                           \
    "  --to WHOM        for this recipient, or all of this domain; without it for everybody\n"               \
    "  --for TIME       it ends by itself after 30m, 24h, 7d\n"                                              \
    "  --note TEXT      why; list shows it\n"                                                                \
    "  --unused TIME    with list: only what is older than 90d and did not decide since\n"                   \
    "  --envelope       the sender of the envelope alone, not From\n"

static const char allow_help[] =
    "usage: sekimori allow WHAT [PATTERNS] [--to WHOM] [--for TIME] [--note TEXT] [--envelope] [--unproven]\n"
    "       sekimori allow list [--unused TIME] [--json]\n"
    "       sekimori allow remove NUMBER\n\n"
    "Mail of WHAT is not tagged, held or refused for its points. Viruses, phishing and a refusal that DMARC "
    "asks\n"
    "for stay what they are. A sender has to be proven by SPF, DKIM or DMARC; so patterns alone allow "
    "nothing\nwithout --unproven.\n" COMMON_HELP
    "  --unproven       also without proof: whoever writes that name is let through\n"
    "  --json           with list: one JSON object a line\n" CONTROL_OPTIONS_HELP CODES_HELP;

static const char block_help[] =
    "usage: sekimori block [WHAT] [PATTERNS] [--to WHOM] [--for TIME] [--note TEXT] [--envelope] "
    "[--quarantine|--tag]\n"
    "       sekimori block list [--unused TIME] [--json]\n"
    "       sekimori block remove NUMBER\n\n"
    "Mail of WHAT is refused at the end of DATA; the reply names the entry.\n" COMMON_HELP
    "  --quarantine     it is held instead\n"
    "  --tag            it is tagged instead\n"
    "  --json           with list: one JSON object a line\n" CONTROL_OPTIONS_HELP CODES_HELP;

struct options {
    struct control_target target;
    const char *whom, *note, *patterns[ENTRY_FEATURES];
    uint64_t lasts_ms, unused_ms;
    bool is_json, is_envelope, is_unproven, is_quarantine, is_tag;
};

static bool lasts_take(void *context, const char *word)
{
    struct options *options = context;
    return units_time_parse(text_of(word), &options->lasts_ms) && options->lasts_ms > 0;
}

static bool unused_take(void *context, const char *word)
{
    struct options *options = context;
    return units_time_parse(text_of(word), &options->unused_ms) && options->unused_ms > 0;
}

#define COMMON_OPTIONS                                                                                   \
    { "to", OPTION_WORD, offsetof(struct options, whom), NULL, NULL },                                   \
        { "for", OPTION_VALUE, 0, lasts_take, "--for wants a time such as 30m or 24h, not " },           \
        { "note", OPTION_WORD, offsetof(struct options, note), NULL, NULL },                             \
        { "unused", OPTION_VALUE, 0, unused_take, "--unused wants a time such as 90d, not " },           \
        { "subject", OPTION_WORD, offsetof(struct options, patterns[ENTRY_SUBJECT]), NULL, NULL },       \
        { "link", OPTION_WORD, offsetof(struct options, patterns[ENTRY_LINK]), NULL, NULL },             \
        { "attachment", OPTION_WORD, offsetof(struct options, patterns[ENTRY_ATTACHMENT]), NULL, NULL }, \
        { "envelope", OPTION_SWITCH, offsetof(struct options, is_envelope), NULL, NULL },                \
    {                                                                                                    \
        "json", OPTION_SWITCH, offsetof(struct options, is_json), NULL, NULL                             \
    }

static const struct verb_option allow_table[] = { COMMON_OPTIONS,
                                                  { "unproven", OPTION_SWITCH,
                                                    offsetof(struct options, is_unproven), NULL, NULL },
                                                  OPTIONS_TARGET(struct options),
                                                  { 0 } };

static const struct verb_option block_table[] = {
    COMMON_OPTIONS,
    { "quarantine", OPTION_SWITCH, offsetof(struct options, is_quarantine), NULL, NULL },
    { "tag", OPTION_SWITCH, offsetof(struct options, is_tag), NULL, NULL },
    OPTIONS_TARGET(struct options),
    { 0 }
};

static const char *entry_word(size_t position)
{
    static const char *const words[] = { "list", "remove", NULL };
    return words[position];
}

const struct verb_usage allow_usage = { "allow", allow_help, allow_table, .word = entry_word };
const struct verb_usage block_usage = { "block", block_help, block_table, .word = entry_word };

/* --- list --- */

static void patterns_print(const struct json *item)
{
    for (int i = 0; i < ENTRY_FEATURES; i++) {
        const char *name = sender_entry_feature_name((enum entry_feature)i);
        if (*json_get_string(item, name)) printf(" %s '%s'", name, json_get_string(item, name));
    }
}

static void item_print(const struct json *item)
{
    char made[WHEN_SIZE], end[WHEN_SIZE], last[WHEN_SIZE];
    uint64_t expires_ms = (uint64_t)json_get_number(item, "expires_ms");
    uint64_t used = (uint64_t)json_get_number(item, "used");
    const char *flags = json_get_string(item, "flags"), *note = json_get_string(item, "note");
    unsigned node = (unsigned)json_get_number(item, "node");
    printf("%llu", (unsigned long long)json_get_number(item, "number"));
    if (node) printf(locale_words_say(N_(" (node %u)")), node);
    printf("  %s", json_get_string(item, "what"));
    patterns_print(item);
    printf("%s%s", *flags ? " " : "", flags);
    printf(locale_words_say(N_("  for %s  until %s  by %s %s")), json_get_string(item, "to"),
           expires_ms ? when_print(expires_ms, false, end) : locale_words_say(N_("removed")),
           json_get_string(item, "by"), when_print((uint64_t)json_get_number(item, "made_ms"), false, made));
    if (used)
        printf(locale_words_say(
                   text_word_for(used, N_("  used %llu time, last %s"), N_("  used %llu times, last %s"))),
               (unsigned long long)used, when_print((uint64_t)json_get_number(item, "last_ms"), false, last));
    else
        fputs(locale_words_say(N_("  never used")), stdout);
    printf("%s%s\n", *note ? "  " : "", note);
}

/* Of those that are older than --unused says and did not decide since. */
static bool is_listed(const struct options *options, const struct json *item)
{
    uint64_t now_ms = when_now_ms(), since_ms = now_ms > options->unused_ms ? now_ms - options->unused_ms : 0;
    return !options->unused_ms || ((uint64_t)json_get_number(item, "made_ms") < since_ms &&
                                   (uint64_t)json_get_number(item, "last_ms") < since_ms);
}

static void line_print(void *context, struct text line)
{
    const struct options *options = context;
    struct json *item = json_parse(line);
    if (item && *json_get_string(item, "warning"))
        fprintf(stderr, "sekimori: note: %s\n", json_get_string(item, "warning"));
    else if (item && !is_listed(options, item))
        ;
    else if (item && !options->is_json)
        item_print(item);
    else
        printf("%.*s\n", TEXT_ARG(line));
    json_free(item);
}
/* `said` goes before what the node says last. */
static int ask(const struct verb_usage *usage, struct options *options, struct text command, const char *said)
{
    struct buffer out = { 0 };
    int code = control_ask_lines(&options->target, command, ANSWER_MS, line_print, options, &out);
    if (buffer_length(&out) && code == EX_OK)
        printf("%s%.*s\n", said, TEXT_ARG(buffer_text(&out)));
    else if (buffer_length(&out))
        fprintf(stderr, "sekimori %s: %.*s\n", usage->verb, TEXT_ARG(buffer_text(&out)));
    buffer_free(&out);
    return code;
}

/* --- add and remove --- */

/* A domain as A-labels; what cannot be so stays, for the node to refuse. */
static struct text name_of(struct arena *arena, const char *word)
{
    struct text text = text_of(word), ascii;
    size_t at = text_find_last_char(text, '@');
    struct text local = at < text.length ? text_slice(text, 0, at + 1) : TEXT_NONE;
    if (text_is_ascii(text) || !idna_to_ascii(arena, text_slice(text, local.length, text.length), &ascii))
        return text;
    return arena_printf(arena, "%.*s%.*s", TEXT_ARG(local), TEXT_ARG(ascii));
}

/* As the node reads them; it refuses what is none. */
static void patterns_add(const struct options *options, struct buffer *command)
{
    struct sender_entry entry = { 0 };
    for (int i = 0; i < ENTRY_FEATURES; i++) entry.patterns[i] = text_of(options->patterns[i]);
    sender_entry_print_patterns(&entry, command);
}

static int add(const struct verb_usage *usage, struct options *options, const char *what)
{
    struct buffer command = { 0 };
    struct arena *arena = arena_new(0);
    struct text to = options->whom ? name_of(arena, options->whom) : TEXT("*");
    buffer_printf(&command, "%s add %llu %.*s %.*s%s%s%s%s", usage->verb,
                  (unsigned long long)options->lasts_ms, TEXT_ARG(to), TEXT_ARG(name_of(arena, what)),
                  options->is_envelope ? " envelope" : "", options->is_unproven ? " unproven" : "",
                  options->is_quarantine ? " quarantine" : "", options->is_tag ? " tag" : "");
    patterns_add(options, &command);
    buffer_printf(&command, " - %s", options->note ? options->note : "");
    if (options->is_unproven)
        fprintf(stderr, "sekimori allow: whoever writes that name in the envelope or in From is let through: "
                        "nothing is asked for\n");
    int code = ask(usage, options, buffer_text(&command), "entry ");
    arena_free(arena);
    buffer_free(&command);
    return code;
}

static int remove_do(const struct verb_usage *usage, struct options *options, const char *number)
{
    struct buffer command = { 0 };
    buffer_printf(&command, "%s remove %s", usage->verb, number);
    int code = ask(usage, options, buffer_text(&command), "");
    buffer_free(&command);
    return code;
}

static int list(const struct verb_usage *usage, struct options *options)
{
    struct buffer command = { 0 };
    buffer_printf(&command, "%s list", usage->verb);
    int code = ask(usage, options, buffer_text(&command), "");
    buffer_free(&command);
    return code;
}

static bool is_one_word(const char *word)
{
    return *word && !strpbrk(word, " \t\r\n");
}

static bool has_pattern(const struct options *options)
{
    for (int i = 0; i < ENTRY_FEATURES; i++)
        if (options->patterns[i]) return true;
    return false;
}

static int entry_main(const struct verb_usage *usage, int argc, char **argv)
{
    struct options options = { 0 };
    int code = options_read(usage, argc, argv, &options);
    if (code != OPTIONS_GO_ON) return code;
    if (optind == argc && !has_pattern(&options))
        return options_complain(usage, "a network, an address, a domain, a pattern, list or remove?", "");
    const char *word = optind == argc ? "*" : argv[optind];
    bool is_list = strcmp(word, "list") == 0, is_remove = strcmp(word, "remove") == 0;
    if (optind < argc && argc != optind + (is_remove ? 2 : 1))
        return options_complain(usage,
                                is_remove ? "remove wants one number"
                                : is_list ? "list wants no word behind it"
                                          : "one network, address or domain is wanted",
                                "");
    if (options.unused_ms && !is_list) return options_complain(usage, "--unused goes with list", "");
    if (is_list) return list(usage, &options);
    if (is_remove) return remove_do(usage, &options, argv[optind + 1]);
    if (options.is_quarantine && options.is_tag)
        return options_complain(usage, "--quarantine or --tag, not both", "");
    if (!is_one_word(word) || (options.whom && !is_one_word(options.whom)))
        return options_complain(usage, "no blank may stand in ", word);
    if (options.note && strpbrk(options.note, "\r\n"))
        return options_complain(usage, "a note is one line", "");
    return add(usage, &options, word);
}

int allow_main(int argc, char **argv)
{
    return entry_main(&allow_usage, argc, argv);
}

int block_main(int argc, char **argv)
{
    return entry_main(&block_usage, argc, argv);
}
