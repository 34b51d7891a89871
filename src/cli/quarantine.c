/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Asks the ledger process about the quarantine and makes its JSON lines readable. */
#include "cli/quarantine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/plain.h"
#include "cli/confirm.h"
#include "cli/control.h"
#include "cli/entry_making.h"
#include "cli/locale_words.h"
#include "cli/options.h"
#include "cli/time_words.h"
#include "ipc/ask_ledger.h"
#include "ipc/message_id.h"

enum {
    ANSWER_MS = 120000,
    SUBJECT_COLUMNS = 60,
    ADDRESS_COLUMNS = 60,
    REASON_COLUMNS = 100,
    SIGNALS_COLUMNS = 240,
    MOST_LIMIT = 100000,
    SENDERS_MOST = 100 /* messages of one release --allow */
};

static const char help[] =
    "usage: sekimori quarantine VERB [OPTIONS] [ID…]\n\n"
    "  list     what is kept: class, size, age, sender, subject, recipients\n"
    "  show     everything about messages named by id, also what became of them\n"
    "  release  deliver it, without judging it again\n"
    "  delete   give it up; nobody is told\n\n"
    "ID: message ids, or all\n"
    "  --class CLASS    virus, phishing, spam, policy, encrypted, poison or undeliverable\n"
    "  --from PATTERN   only where the sender matches (*, ?, [a-z]; <> is the empty one)\n"
    "  --to PATTERN     only recipients that match; both may be said again: one of them must match\n"
    "  --match PATTERN  either of the two; only to look\n"
    "  --subject WORDS  each of them stands in the Subject\n"
    "  --since TIME     arrived then or later: 2026-10-04, \"2026-10-04 13:05\", yesterday, or ago: 2h, 3d\n"
    "  --most NUMBER    with list: only the newest so many\n"
    "  --ticket TICKET  what a user was given in a digest; they may send it by mail too: digest reply\n"
    "  --content        with show: the message as it arrived\n"
    "  --dry-run        say how many it would be, and do nothing\n"
    "  --allow[=WHAT]   with release and ids: also an allow entry for the sender, for these recipients; WHAT "
    "is\n"
    "                   address (of From, or of the envelope where that has none; default), domain or "
    "network\n"
    "  --yes            do not ask\n"
    "  --json           one JSON object a line\n" CONTROL_OPTIONS_HELP
    "\nWho may release what: quarantine release in sekimori.conf(5). Each release, each delete and\n"
    "each look at a content is recorded: sekimori audit.\n"
    "On a terminal delete asks first, and release of what may hurt (virus, phishing, poison) or of several.\n"
    "Without a terminal, deleting, and releasing what may hurt, want --yes, unless each is named by its id.\n"
    "Exit codes: 0 done, 1 the answer was no, 64 usage, or --yes is missing, 66 nothing of that name, 69 no "
    "node,\n"
    "75 some are on their way in or out at this moment, or cannot be read: try again, 77 not allowed.\n";

struct options {
    struct control_target target;
    struct buffer words; /* a line each */
    uint64_t most;       /* 0: all */
    bool is_json, is_content, is_dry, is_yes, is_bad, is_choosy, has_match;
    bool makes_entry;
    enum entry_extent extent;
};

struct output {
    struct buffer lines;
    bool is_raw, is_json, is_long;
    const char *would; /* of a dry run: the verb */
    size_t shown;
    int64_t bytes;
    bool has_head;         /* it was printed, or none is wanted */
    struct buffer *newest; /* a ring of `most` lines that are printed at the end; NULL: each at once */
    uint64_t most;
};

static void say(const struct json *object, const char *name, size_t columns)
{
    struct buffer out = { 0 };
    plain_add(&out, text_of(json_get_string(object, name)), columns);
    printf("%.*s", TEXT_ARG(buffer_text(&out)));
    buffer_free(&out);
}

static void age_print(int64_t since_ms)
{
    int64_t seconds = ((int64_t)when_now_ms() - since_ms) / 1000;
    if (seconds < 0) seconds = 0;
    if (seconds < 7200)
        printf("%4lldm", (long long)(seconds / 60));
    else if (seconds < 172800)
        printf("%4lldh", (long long)(seconds / 3600));
    else
        printf("%4lldd", (long long)(seconds / 86400));
}

/* Why: the verdict in points and the rules that gave them. */
static void judgement_print(const struct json *message)
{
    struct buffer score = { 0 };
    const struct json *points = json_get(message, "score");
    if (!points && !*json_get_string(message, "signals")) return;
    json_value_print(points, &score);
    printf(locale_words_say(points ? N_("    why: %.*s points") : N_("    why: %.*s")),
           TEXT_ARG(buffer_text(&score)));
    if (*json_get_string(message, "signals")) {
        fputs(points ? ": " : "", stdout);
        say(message, "signals", SIGNALS_COLUMNS);
    }
    putchar('\n');
    buffer_free(&score);
}

static void recipient_print(const struct json *recipient, bool is_long)
{
    char when[WHEN_SIZE];
    printf("    %-13s %-9s <", json_get_string(recipient, "class"), json_get_string(recipient, "state"));
    say(recipient, "address", ADDRESS_COLUMNS);
    putchar('>');
    if (*json_get_string(recipient, "release")) printf("  as %s", json_get_string(recipient, "release"));
    putchar('\n');
    if (!is_long) return;
    printf("                  %s",
           when_print((uint64_t)json_get_number(recipient, "changed_ms"), true, when));
    if (*json_get_string(recipient, "by")) {
        fputs("  ", stdout);
        say(recipient, "by", ADDRESS_COLUMNS);
    }
    if (*json_get_string(recipient, "reason")) {
        fputs("  (", stdout);
        say(recipient, "reason", REASON_COLUMNS);
        putchar(')');
    }
    putchar('\n');
}

/* What stands under "virus" is the name of that, a limit, or a file that was not opened. */
static const char *found_word(const char *found)
{
    static const char *const classes[] = { "phishing",   "encrypted", "unscanned", "limits",
                                           "not-opened", "pua",       NULL };
    return options_word_is(found, classes) ? found : "virus";
}

static void message_print(struct output *output, const struct json *message)
{
    char when[WHEN_SIZE];
    printf("%s  %9lld  ", json_get_string(message, "id"), (long long)json_get_number(message, "size"));
    age_print(json_get_number(message, "arrived_ms"));
    fputs("  <", stdout);
    say(message, "sender", ADDRESS_COLUMNS);
    puts(">");
    if (*json_get_string(message, "subject")) {
        fputs("    \"", stdout);
        say(message, "subject", SUBJECT_COLUMNS);
        puts("\"");
    }
    if (*json_get_string(message, "virus")) {
        printf("    %s ", found_word(json_get_string(message, "found")));
        say(message, "virus", ADDRESS_COLUMNS);
        putchar('\n');
    }
    if (output->is_long && *json_get_string(message, "author")) {
        fputs("    From: ", stdout);
        say(message, "author", SUBJECT_COLUMNS);
        putchar('\n');
    }
    if (output->is_long) {
        judgement_print(message);
        int64_t bytes = json_get_number(message, "bytes");
        printf(locale_words_say(bytes == 1 ? N_("    arrived %s, %lld byte on disk\n")
                                           : N_("    arrived %s, %lld bytes on disk\n")),
               when_print((uint64_t)json_get_number(message, "arrived_ms"), true, when), (long long)bytes);
    }
    const struct json *recipients = json_get(message, "recipients");
    for (size_t i = 0; i < json_count(recipients); i++)
        recipient_print(json_at(recipients, i), output->is_long);
    output->bytes += json_get_number(message, "bytes");
}

static void head_print(struct output *output)
{
    if (!output->has_head && !output->is_long)
        puts(locale_words_say(
            N_("message            bytes    age  sender; below: Subject, recipients by class")));
    output->has_head = true;
}

static void line_print(void *context, struct text line)
{
    struct output *output = context;
    if (output->newest) {
        struct buffer *place = &output->newest[output->shown++ % output->most];
        buffer_clear(place);
        buffer_add_text(place, line);
        return;
    }
    output->shown++;
    if (output->is_json) {
        printf("%.*s\n", TEXT_ARG(line));
        return;
    }
    struct json *value = json_parse(line);
    if (value && json_get(value, "id")) {
        head_print(output);
        message_print(output, value);
    } else if (value) {
        int64_t count = json_get_number(value, "recipients"), messages = json_get_number(value, "messages");
        if (output->would) printf(locale_words_say(N_("would %s ")), output->would);
        locale_words_count(count, N_("%lld recipient"), N_("%lld recipients"));
        if (output->would) fputs(locale_words_say(N_(" of ")), stdout);
        if (output->would) locale_words_count(messages, N_("%lld message"), N_("%lld messages"));
        putchar('\n');
    }
    json_free(value);
}

static void part_take(void *context, struct text part)
{
    struct output *output = context;
    if (output->is_raw) {
        if (part.length) fwrite(part.at, 1, part.length, stdout);
        return;
    }
    control_lines_take(&output->lines, part, line_print, output);
}

/* Those that were kept back, in their order, and how many there are. */
static void newest_print(struct output *output)
{
    struct buffer *lines = output->newest;
    size_t count = output->shown < output->most ? output->shown : output->most;
    size_t all = output->shown;
    output->newest = NULL;
    for (size_t i = all - count; i < all; i++) line_print(output, buffer_text(&lines[i % output->most]));
    if (all > count && !output->is_json)
        printf(locale_words_say(N_("the newest %zu of %zu messages: --most\n")), count, all);
    output->shown = all;
    for (size_t i = 0; i < count; i++) buffer_free(&lines[i]);
    free(lines);
}

static void word_add(struct options *options, const char *name, const char *value)
{
    if (strpbrk(value, "\r\n") || !*value || (!name && value[0] == '-')) options->is_bad = true;
    if (name) buffer_printf(&options->words, "\n%s", name);
    buffer_printf(&options->words, "\n%s", value);
    options->is_choosy = true;
}

static bool class_take(void *context, const char *word)
{
    enum held_class class;
    word_add(context, "--class", word);
    return !*word || held_class_from_name(text_of(word), &class);
}

static bool match_take(void *context, const char *word)
{
    struct options *options = context;
    options->has_match = true;
    word_add(options, "--match", word);
    return true;
}

/* Nothing is the empty sender. */
static bool from_take(void *context, const char *word)
{
    word_add(context, "--from", *word ? word : "<>");
    return true;
}

static bool to_take(void *context, const char *word)
{
    word_add(context, "--to", word);
    return true;
}

static bool subject_take(void *context, const char *word)
{
    word_add(context, "--subject", word);
    return true;
}

static bool since_take(void *context, const char *word)
{
    uint64_t since_ms;
    char digits[24];
    if (!when_parse(text_of(word), when_now_ms(), &since_ms)) return false;
    snprintf(digits, sizeof digits, "%llu", (unsigned long long)since_ms);
    word_add(context, "--since", digits);
    return true;
}

static bool allow_take(void *context, const char *word)
{
    struct options *options = context;
    options->makes_entry = true;
    return !word || entry_making_extent(word, &options->extent);
}

static const char *class_choice(size_t position)
{
    return position < HELD_CLASSES ? held_class_name((enum held_class)position) : NULL;
}

static bool ticket_take(void *context, const char *word)
{
    word_add(context, "--ticket", word);
    return true;
}

static const struct verb_option table[] = {
    { "class", OPTION_VALUE, 0, class_take, "--class is virus, phishing, spam or another one of --help, not ",
      .choice = class_choice },
    { "match", OPTION_VALUE, 0, match_take, NULL },
    { "from", OPTION_VALUE, 0, from_take, NULL },
    { "to", OPTION_VALUE, 0, to_take, NULL },
    { "subject", OPTION_VALUE, 0, subject_take, NULL },
    { "since", OPTION_VALUE, 0, since_take, WHEN_WANTED("since") },
    { "most", OPTION_NUMBER, offsetof(struct options, most), NULL,
      "--most wants a number from 1 to 100000, not ", .least = 1, .most = MOST_LIMIT },
    { "ticket", OPTION_VALUE, 0, ticket_take, NULL },
    { "allow", OPTION_MAYBE, 0, allow_take, "--allow has address, domain or network behind, not ",
      .choice = entry_making_choice },
    { "content", OPTION_SWITCH, offsetof(struct options, is_content), NULL, NULL },
    { "dry-run", OPTION_SWITCH, offsetof(struct options, is_dry), NULL, NULL },
    { "yes", OPTION_SWITCH, offsetof(struct options, is_yes), NULL, NULL },
    { "json", OPTION_SWITCH, offsetof(struct options, is_json), NULL, NULL },
    OPTIONS_TARGET(struct options),
    { 0 }
};

static const char *const verbs[] = { "list", "show", "release", "delete", NULL };

static const char *verb_word(size_t position)
{
    return verbs[position];
}

const struct verb_usage quarantine_usage = { "quarantine", help, table, .word = verb_word };

/* OPTIONS_GO_ON, or the exit code. */
static int words_check(struct options *options, int argc, char **argv)
{
    if (optind == argc) return options_complain(&quarantine_usage, "list, show, release or delete?", "");
    if (!options_word_is(argv[optind], verbs))
        return options_complain_word(&quarantine_usage, "list, show, release or delete, not ", argv[optind],
                                     verbs);
    for (int i = optind + 1; i < argc; i++)
        if (!options->makes_entry || !entry_making_extent(argv[i], &options->extent))
            word_add(options, NULL, argv[i]);
    if (options->is_bad)
        return options_complain(&quarantine_usage,
                                "a word that cannot be meant: empty, line breaks or a leading dash", "");
    bool is_act = strcmp(argv[optind], "release") == 0 || strcmp(argv[optind], "delete") == 0;
    if (is_act && options->has_match)
        return options_complain(&quarantine_usage,
                                "--match means mail from there as well as to there: say --from or --to", "");
    if (options->most && strcmp(argv[optind], "list") != 0)
        return options_complain(&quarantine_usage, "--most goes with list", "");
    if (options->makes_entry && strcmp(argv[optind], "release") != 0)
        return options_complain(&quarantine_usage, "--allow goes with release", "");
    if (options->is_content && strcmp(argv[optind], "show") != 0)
        return options_complain(&quarantine_usage, "--content goes with show", "");
    return OPTIONS_GO_ON;
}

static void last_word(const struct options *options, struct output *output, int code, struct text last)
{
    bool is_count = last.length && last.at[0] == '{';
    if (is_count) part_take(output, last);
    if (code != EX_OK && !is_count && last.length)
        fprintf(stderr, "sekimori quarantine: %.*s\n", TEXT_ARG(text_trim(last)));
    if (code == EX_NOINPUT)
        fputs(locale_words_say(N_("sekimori quarantine: nothing there has that name\n")), stderr);
    if (code == EX_NOPERM && is_count)
        fputs(locale_words_say(N_("sekimori quarantine: some are of a class that you may not act on\n")),
              stderr);
    if (code == EX_TEMPFAIL)
        fputs(locale_words_say(
                  N_("sekimori quarantine: some cannot be read, or are on their way at this moment: "
                     "try again\n")),
              stderr);
    if (code == EX_OK && !output->shown && !output->is_json && !output->is_raw)
        puts(locale_words_say(options->is_choosy ? N_("nothing in the quarantine matches")
                                                 : N_("the quarantine is empty")));
}

static int command_do(const struct options *options, const char *verb, struct output *output)
{
    struct buffer command = { 0 }, last = { 0 };
    buffer_printf(&command, "quarantine %s%s%.*s", options->is_content ? "content" : verb,
                  options->is_dry ? "\n--dry-run" : "", TEXT_ARG(buffer_text(&options->words)));
    int code = control_ask(&options->target, buffer_text(&command), ANSWER_MS, part_take, output, &last);
    if (output->newest) newest_print(output);
    last_word(options, output, code, buffer_text(&last));
    buffer_free(&command);
    buffer_free(&last);
    return code;
}

/* --- what cannot be undone --- */

struct extent {
    int64_t recipients, messages, harmful;
};

/* What it would be now; false: nothing, or it cannot be asked: then the command itself says why. */
static bool extent_ask(const struct options *options, const char *verb, struct extent *out)
{
    struct buffer command = { 0 }, last = { 0 };
    buffer_printf(&command, "quarantine %s\n--dry-run%.*s", verb, TEXT_ARG(buffer_text(&options->words)));
    control_ask(&options->target, buffer_text(&command), ANSWER_MS, NULL, NULL, &last);
    struct json *counts = json_parse(buffer_text(&last));
    *out = (struct extent){ json_get_number(counts, "recipients"), json_get_number(counts, "messages"),
                            json_get_number(counts, "harmful") };
    json_free(counts);
    buffer_free(&command);
    buffer_free(&last);
    return out->recipients > 0;
}

static bool question_ask(const char *verb, const struct extent *extent)
{
    char question[200], harm[80] = "";
    if (extent->harmful)
        snprintf(harm, sizeof harm, ", %lld of them with a virus, phishing or poison,",
                 (long long)extent->harmful);
    bool is_delete = strcmp(verb, "delete") == 0;
    snprintf(question, sizeof question, "%s %lld recipient%s%s of %lld message%s%s?",
             is_delete ? "Delete" : "Release", (long long)extent->recipients,
             extent->recipients == 1 ? "" : "s", harm, (long long)extent->messages,
             extent->messages == 1 ? "" : "s", is_delete ? "; nobody is told" : "");
    if (consent_ask(question)) return true;
    fputs(locale_words_say(N_("nothing was done\n")), stderr);
    return false;
}

/* EX_OK: go on. `is_named`: each message by its id. */
static int consent_get(const struct options *options, const char *verb, bool is_named)
{
    struct extent extent;
    bool is_delete = strcmp(verb, "delete") == 0;
    if (options->is_yes || options->is_dry || (!is_delete && strcmp(verb, "release") != 0)) return EX_OK;
    if (is_named && !consent_can_ask()) return EX_OK;
    if (!extent_ask(options, verb, &extent)) return EX_OK;
    bool is_several = extent.messages > 1;
    if (consent_can_ask())
        return !(is_delete || extent.harmful || is_several) || question_ask(verb, &extent) ? EX_OK : 1;
    if (extent.messages == 0 || !(is_delete || extent.harmful)) return EX_OK;
    fprintf(stderr,
            "sekimori quarantine: %s would take %lld message%s%s: say --yes to do it, --dry-run to see\n",
            verb, (long long)extent.messages, is_several ? "s" : "",
            extent.harmful && !is_delete ? "; what is in them may hurt" : "");
    return EX_USAGE;
}

static bool are_named(const struct options *options, int argc, char **argv)
{
    uint64_t id;
    int named = 0;
    enum entry_extent extent;
    for (int i = optind + 1; i < argc; i++) {
        if (options->makes_entry && entry_making_extent(argv[i], &extent)) continue;
        if (!message_id_parse(text_of(argv[i]), &id)) return false;
        named++;
    }
    return named > 0;
}

/* --- entries for the senders of what was released --- */

/* What is to be released, as `show` has it before. */
struct senders {
    struct json *items[SENDERS_MOST];
    size_t count;
};

static void sender_take(void *context, struct text line)
{
    struct senders *senders = context;
    struct json *item = senders->count < SENDERS_MOST ? json_parse(line) : NULL;
    if (item && json_get(item, "id"))
        senders->items[senders->count++] = item;
    else
        json_free(item);
}

static void senders_ask(const struct options *options, struct senders *out)
{
    struct buffer command = { 0 }, last = { 0 };
    buffer_printf(&command, "quarantine list%.*s", TEXT_ARG(buffer_text(&options->words)));
    control_ask_lines(&options->target, buffer_text(&command), ANSWER_MS, sender_take, out, &last);
    buffer_free(&command);
    buffer_free(&last);
}

/* For each recipient to whom it was kept. */
static int sender_allow(const struct options *options, const struct json *message)
{
    struct search_hit hit;
    struct arena *arena = arena_new(0);
    struct entry_occasion occasion = { .sender = text_of(json_get_string(message, "sender")),
                                       .author = text_of(json_get_string(message, "author")) };
    int worst = EX_OK;
    message_id_parse(text_of(json_get_string(message, "id")), &occasion.id);
    if (entry_making_ask(&options->target, arena, occasion.id, &hit)) {
        occasion.proof = &hit.proof;
        occasion.client = hit.client;
    }
    const struct json *recipients = json_get(message, "recipients");
    for (size_t i = 0; i < json_count(recipients); i++) {
        const struct json *recipient = json_at(recipients, i);
        if (strcmp(json_get_string(recipient, "state"), "kept") != 0) continue;
        int code = entry_make(&options->target, "quarantine", ENTRY_ALLOW, options->extent, &occasion,
                              text_of(json_get_string(recipient, "address")));
        if (code != EX_OK) worst = code;
    }
    arena_free(arena);
    return worst;
}

static int senders_allow(const struct options *options, struct senders *senders)
{
    int worst = EX_OK;
    for (size_t i = 0; i < senders->count; i++) {
        int code = sender_allow(options, senders->items[i]);
        if (code != EX_OK) worst = code;
    }
    return worst;
}

int quarantine_main(int argc, char **argv)
{
    struct options options = { 0 };
    int code = options_read(&quarantine_usage, argc, argv, &options);
    if (code == OPTIONS_GO_ON) code = words_check(&options, argc, argv);
    if (code == OPTIONS_GO_ON) {
        const char *verb = argv[optind];
        struct output output = { .is_raw = options.is_content,
                                 .is_json = options.is_json,
                                 .is_long = strcmp(verb, "show") == 0,
                                 .would = options.is_dry ? verb : NULL,
                                 .most = options.most };
        if (options.most) output.newest = memory_alloc(options.most * sizeof *output.newest);
        struct senders senders = { 0 };
        bool is_named = are_named(&options, argc, argv),
             makes_entries = options.makes_entry && !options.is_dry;
        code = options.makes_entry && !is_named
                   ? options_complain(&quarantine_usage, "--allow wants messages named by their ids", "")
                   : consent_get(&options, verb, is_named);
        if (code == EX_OK && makes_entries) senders_ask(&options, &senders);
        if (code == EX_OK) code = command_do(&options, verb, &output);
        if (code == EX_OK && makes_entries) code = senders_allow(&options, &senders);
        for (size_t i = 0; i < senders.count; i++) json_free(senders.items[i]);
        buffer_free(&output.lines);
    }
    buffer_free(&options.words);
    return code;
}
