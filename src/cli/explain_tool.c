/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* From an id or a file to what is printed. The text of a message is read by a jailed child alone; that of a
   held one is asked of the node, which records who looked. */
#include "cli/explain_tool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "cli/explain_page.h"
#include "cli/explain_print.h"
#include "cli/judge_child.h"
#include "cli/judge_mails.h"
#include "cli/judge_sources.h"
#include "cli/language_option.h"
#include "config/load.h"
#include "ipc/message_id.h"
#include "ledgerdb/explained_file.h"
#include "mail/charset.h"
#include "scan/entry_patterns.h"

enum { PATH_SIZE = 4096, ANSWER_MS = 60000 };

static const char help[] =
    "usage: sekimori explain [OPTIONS] ID|FILE|-\n\n"
    "Says why a message was judged as it was: action, score and thresholds of that moment, each signal and\n"
    "rule with its points, the virus check, who sent it.\n\n"
    "  ID               a message id, as in replies and logs: what the node keeps of its judgement, for\n"
    "                   14 days (ledger keep explanations)\n"
    "  FILE, -          a message: judged now, by content alone, with the text that speaks for and against;\n"
    "                   as by judge -c with the same configuration\n"
    "  --passages       of an ID too, while the message is held: asks the node for it, which records that\n"
    "  --html           a page with the text shaded by its weight; of an ID as --passages\n"
    "  --json           a JSON object\n"
    "  --language LANG  ja or en (default: as the locale says)\n"
    "  --base FILE      another base model\n" CONTROL_OPTIONS_HELP
    "\nReads the ledger's files itself: as root or the user the node runs as; others ask the node, which "
    "wants\n"
    "`rights trace`. The text of a held message wants the rights of `quarantine show --content` or `queue "
    "cat`.\n"
    "Nothing of the text of a message is kept with its judgement.\n"
    "Exit codes: 0, 64 usage, 65 no message, or more than one, 66 nothing is kept of that id, or no such "
    "file, "
    "or "
    "the message is not here "
    "any\n"
    "more, 69 not now, 71 no process, 74 a file of the ledger cannot be read, 75 the text could not be "
    "read,\n"
    "77 not allowed, 78 the configuration has errors.\n";

struct options {
    struct control_target target;
    const char *base;
    enum language language;
    bool is_json, is_html, is_passages;
};

static bool language_take(void *context, const char *word)
{
    return language_option_read(word, &((struct options *)context)->language);
}

static const struct verb_option table[] = {
    { "passages", OPTION_SWITCH, offsetof(struct options, is_passages), NULL, NULL },
    { "html", OPTION_SWITCH, offsetof(struct options, is_html), NULL, NULL },
    { "json", OPTION_SWITCH, offsetof(struct options, is_json), NULL, NULL },
    { "language", OPTION_VALUE, 0, language_take, LANGUAGE_OPTION_WANTED, .choice = language_option_choice },
    { "base", OPTION_WORD, offsetof(struct options, base), NULL, NULL },
    OPTIONS_TARGET(struct options),
    { 0 },
};
const struct verb_usage explain_usage = { "explain", help, table, .takes_files = true };

/* What a text is read with. */
struct sources {
    struct config *config;
    struct base_model *base;
    struct ruleset *rules;
    struct impostor_set *impostors;
    struct entry_patterns *patterns;
    struct local_model room;
    const struct local_model *local; /* NULL: none */
};

struct task {
    const struct options *options;
    struct sources sources;
    struct arena *arena;
    struct explain_view view;
    struct explanation explanation;
    struct passages passages;
    struct judgement judged;
};

/* --- sources --- */

/* Where the node's state is; false: nobody says, or it is said on standard error already. */
static bool has_node(const struct options *options)
{
    return options->target.config || options->target.state || getenv("SEKIMORI_STATE") ||
           access(config_default_path(), R_OK) == 0;
}

/* What this node has learned, where this user may read it. */
static void local_find(const struct options *options, struct arena *arena, struct sources *out)
{
    char state[PATH_SIZE], path[PATH_SIZE + 32];
    if (!has_node(options) || control_state_folder(&options->target, state, sizeof state) != EX_OK) return;
    snprintf(path, sizeof path, "%s/ledger/local.model", state);
    judge_sources_learned("explain", path, false, arena, &out->room, &out->local);
}

static int sources_open(const struct options *options, struct arena *arena, bool with_models,
                        struct sources *out)
{
    const char *path = options->target.config;
    if (!path && access(config_default_path(), R_OK) == 0) path = config_default_path();
    if (!judge_sources_can_open("explain", path)) return EX_NOINPUT;
    out->config = judge_sources_config("explain", path, NULL);
    if (!out->config || !judge_sources_rules("explain", out->config, &out->rules)) return EX_CONFIG;
    if (!with_models) return EX_OK;
    if (!judge_sources_base("explain", out->config, options->base, &out->base)) return EX_NOINPUT;
    local_find(options, arena, out);
    out->impostors = impostor_set_new(out->config);
    out->patterns = entry_patterns_new();
    return EX_OK;
}

static void sources_close(struct sources *sources)
{
    impostor_set_free(sources->impostors);
    entry_patterns_free(sources->patterns);
    base_model_close(sources->base);
    ruleset_free(sources->rules);
    if (sources->config) config_free(sources->config);
}

/* --- the text of a message --- */

/* In the jailed child: the judgement of now, and the passages. */
static int text_read(struct task *task, struct text message)
{
    struct jailed_reader child;
    const struct judge_basis basis = { .config = task->sources.config,
                                       .base = task->sources.base,
                                       .rules = task->sources.rules,
                                       .local = task->sources.local,
                                       .impostors = task->sources.impostors,
                                       .patterns = task->sources.patterns };
    if (message.length > JUDGE_MAIL_MOST) {
        fputs("sekimori explain: it is longer than 64 MB\n", stderr);
        return EX_DATAERR;
    }
    tzset();
    charset_warm();
    if (!judge_child_start(&basis, &child)) return EX_OSERR;
    bool is_read = judge_child_ask(&child, message, true) &&
                   judge_child_answer(&child, task->arena, &task->judged) &&
                   judge_child_passages(&child, task->arena, &task->passages);
    jailed_reader_end(&child);
    if (is_read) {
        task->view.passages = &task->passages;
        return EX_OK;
    }
    fputs("sekimori explain: the text could not be read: the process that read it ended\n", stderr);
    return EX_TEMPFAIL;
}

static void part_take(void *context, struct text part)
{
    buffer_add_text(context, part);
}

static int content_ask(const struct task *task, const char *command, const char *id, struct buffer *out)
{
    struct buffer words = { 0 }, last = { 0 };
    buffer_printf(&words, "%s\n%s", command, id);
    int code = control_ask(&task->options->target, buffer_text(&words), ANSWER_MS, part_take, out, &last);
    if (code == EX_OK && buffer_length(out) == 0) code = EX_NOINPUT;
    buffer_free(&words);
    buffer_free(&last);
    return code;
}

/* What ledger or queue still has; each writes down who asked. */
static int held_read(struct task *task, const char *id)
{
    struct buffer content = { 0 };
    int code = content_ask(task, "quarantine content", id, &content);
    if (code == EX_NOINPUT) code = content_ask(task, "queue cat", id, &content);
    if (code == EX_NOINPUT)
        fprintf(stderr,
                "sekimori explain: %s: the message is not here any more, so its text cannot be shown\n", id);
    else if (code == EX_NOPERM)
        fprintf(stderr, "sekimori explain: %s: you may not look at the content of held mail\n", id);
    else if (code != EX_OK)
        fprintf(stderr, "sekimori explain: %s: its text cannot be had now\n", id);
    if (code == EX_OK) code = text_read(task, buffer_text(&content));
    buffer_free(&content);
    return code;
}

/* --- the record --- */

static int record_missing(const char *id)
{
    fprintf(
        stderr,
        "sekimori explain: %s: nothing is kept of why: it was not judged here, or that is longer ago than "
        "`ledger keep explanations` says; sekimori trace %s has what became of it\n",
        id, id);
    return EX_NOINPUT;
}

static int record_ask(const struct task *task, const char *id, struct buffer *out)
{
    struct buffer command = { 0 };
    buffer_printf(&command, "explain %s", id);
    int code = control_ask(&task->options->target, buffer_text(&command), ANSWER_MS, NULL, NULL, out);
    if ((code == EX_NOPERM || code == EX_TEMPFAIL) && text_trim(buffer_text(out)).length > 0)
        fprintf(stderr, "sekimori explain: %.*s\n", TEXT_ARG(text_trim(buffer_text(out))));
    buffer_free(&command);
    return code;
}

static int record_find(const struct task *task, const char *word, uint64_t id, struct buffer *out)
{
    char state[PATH_SIZE], folder[PATH_SIZE + 8];
    int code = control_state_folder(&task->options->target, state, sizeof state);
    if (code != EX_OK) return code;
    snprintf(folder, sizeof folder, "%s/ledger", state);
    enum explained_outcome outcome = explained_find(folder, id, out);
    code = outcome == EXPLAINED_FOUND ? EX_OK : outcome == EXPLAINED_NONE ? EX_NOINPUT : EX_IOERR;
    if (outcome == EXPLAINED_FAILED && errno == EACCES) code = record_ask(task, word, out);
    if (code == EX_IOERR) fprintf(stderr, "sekimori explain: %s: %s\n", folder, strerror(errno));
    return code == EX_NOINPUT ? record_missing(word) : code;
}

/* --- what is said --- */

static void view_say(struct task *task)
{
    const struct options *options = task->options;
    if (options->is_html) {
        struct buffer page = { 0 };
        explain_page_write(&task->view, &page);
        fwrite(page.memory + page.start, 1, buffer_length(&page), stdout);
        buffer_free(&page);
    } else if (options->is_json) {
        explain_print_json(task->arena, &task->view);
    } else {
        explain_print_text(task->arena, &task->view);
    }
}

static int id_explain(struct task *task, const char *word, uint64_t id)
{
    char printed[MESSAGE_ID_SIZE];
    struct buffer record = { 0 };
    bool with_text = task->options->is_html || task->options->is_passages;
    int code = record_find(task, message_id_print(id, printed), id, &record);
    if (code == EX_OK && !explanation_get(buffer_text(&record), &task->explanation)) {
        fprintf(stderr, "sekimori explain: %s: what is kept is of another version\n", word);
        code = EX_PROTOCOL;
    }
    if (code == EX_OK) code = sources_open(task->options, task->arena, with_text, &task->sources);
    if (code == EX_OK && with_text) code = held_read(task, printed);
    if (code == EX_OK) {
        task->view.name = printed;
        task->view.is_kept = true;
        task->view.rules = task->sources.rules;
        view_say(task);
    }
    buffer_free(&record);
    return code;
}

/* As a record would have it. */
static void judgement_take(struct task *task)
{
    struct explanation *explanation = &task->explanation;
    const struct config *config = task->sources.config;
    struct recipient_verdict recipient = { .action = task->judged.action,
                                           .cause = task->judged.is_by_class ? RECIPIENT_BY_CLASS
                                                                             : RECIPIENT_BY_POINTS };
    struct verdict verdict = { .score = task->judged.score,
                               .signal_count = task->judged.signal_count,
                               .signals = task->judged.signals,
                               .recipient_count = 1,
                               .recipients = &recipient };
    *explanation = (struct explanation){ .tag = task->judged.tag,
                                         .quarantine = config->spam.quarantine,
                                         .reject = config->spam.reject };
    explanation_verdict(explanation, &verdict);
    task->view.abouts = task->judged.signals;
    task->view.about_count = task->judged.signal_count;
}

/* The only message of `path`. */
static int one_read(struct judge_mails *mails, const char *path, struct buffer *out, struct buffer *out_name)
{
    struct buffer second = { 0 };
    bool has_one = judge_mails_next(mails, JUDGE_MAIL_MOST, out, out_name);
    bool has_more = has_one && judge_mails_next(mails, 0, &second, out_name);
    buffer_free(&second);
    if (has_more)
        fprintf(stderr, "sekimori explain: %s has more than one message; sekimori judge judges many\n", path);
    return has_more ? EX_DATAERR : has_one ? EX_OK : EX_NOINPUT;
}

static int file_explain(struct task *task, char *path)
{
    struct buffer message = { 0 }, name = { 0 };
    struct judge_mails *mails = judge_mails_open("explain", &path, 1);
    int code = one_read(mails, path, &message, &name);
    bool is_named = judge_mails_is_named(mails);
    judge_mails_close(mails);
    if (code == EX_OK) code = sources_open(task->options, task->arena, true, &task->sources);
    if (code == EX_OK) code = text_read(task, buffer_text(&message));
    if (code == EX_OK &&
        !judge_mails_may_judge("explain", path, buffer_length(&message), task->judged.is_mail, is_named))
        code = EX_DATAERR;
    if (code == EX_OK) {
        judgement_take(task);
        task->view.name = path;
        task->view.rules = task->sources.rules;
        view_say(task);
    }
    buffer_free(&message);
    buffer_free(&name);
    return code;
}

int explain_main(int argc, char **argv)
{
    struct options options = { .language = language_option_of_locale() };
    struct task task = { .options = &options };
    uint64_t id;
    int code = options_read(&explain_usage, argc, argv, &options);
    if (code != OPTIONS_GO_ON) return code;
    if (argc - optind != 1) return options_complain(&explain_usage, "a message id, or a file?", "");
    if (options.is_html && options.is_json)
        return options_complain(&explain_usage, "--html and --json are two forms of one answer", "");
    task.arena = arena_new(64 * 1024);
    task.view = (struct explain_view){ .language = options.language, .explanation = &task.explanation };
    char *word = argv[optind];
    if (message_id_parse(text_of(word), &id) && access(word, F_OK) != 0)
        code = id_explain(&task, word, id);
    else
        code = file_explain(&task, word);
    sources_close(&task.sources);
    arena_free(task.arena);
    return code;
}
