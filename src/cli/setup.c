/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Takes the answers from options or from a terminal, has them checked, and writes the file. Questions go to
   standard error, what is found to standard output. */
#include "cli/setup.h"

#include <errno.h>
#include <grp.h>
#include <libgen.h>
#include <netdb.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/confirm.h"
#include "cli/fresh_file.h"
#include "cli/language_option.h"
#include "cli/setup_checks.h"
#include "cli/setup_file.h"
#include "config/load.h"
#include "config/value.h"
#include "statistics/words.h"

static const char help[] =
    "usage: sekimori setup [--hostname NAME] [--domain NAME]… [--inside SERVER] [--admin ADDRESS]\n"
    "       [--language en|ja] [--output FILE] [--force] [--yes] [--no-check] [--dns ADDRESS]…\n"
    "       [--dns-root ADDRESS] [--timeout SECONDS]\n\n"
    "Asks five questions, or takes the answers as options, looks whether the world agrees, and writes the\n"
    "first configuration. All checks of mail only observe in it: nothing is held back.\n\n"
    "  --hostname NAME    the name of this machine in the world, to which MX points\n"
    "  --domain NAME      a domain whose mail comes here; may stand several times\n"
    "  --inside SERVER    the server inside that it goes to: ADDRESS or NAME, with :PORT where it is not 25\n"
    "  --admin ADDRESS    who is named in notices and gets the reports\n"
    "  --language LANG    en or ja: of questions, comments and reports (default: of the locale)\n"
    "  --output FILE      where to (default $SEKIMORI_CONFIG or /etc/sekimori/sekimori.conf)\n"
    "  --force            replace a file that is there\n"
    "  --yes              ask nothing: what is not said is taken as it would be offered, and a check that\n"
    "                     failed does not hinder\n"
    "  --no-check         look at nothing but the answers themselves\n"
    "  --dns ADDRESS      a resolver to ask, ADDRESS or ADDRESS@PORT, also written into the file; may stand\n"
    "                     several times (default: those of the system)\n"
    "  --dns-root ADDRESS a server that is asked in place of the DNS's root, ADDRESS@PORT: for a trial\n"
    "  --timeout SECONDS  the most that a check takes (default 10)\n\n"
    "It looks whether the inside server takes mail for the domain, MX of the domain points here, the name "
    "of\n"
    "this machine's address fits and leads back, the DNS answers from its root, port 25 is free and virus "
    "signatures are there.\n"
    "Where standard input is no terminal nothing is asked.\n"
    "Exit codes: 0 written, 1 given up, 64 an answer that cannot be meant, or one is missing, 69 a check "
    "failed\n"
    "and nothing is written, 73 the file is there already or cannot be written.\n";

enum { RESOLVERS_MOST = 16, ANSWER_ROOM = SETUP_ANSWER_MOST + 2, TIMEOUT_S = 10, TIMEOUT_MOST_S = 120 };

struct options {
    const char *words[SETUP_QUESTIONS]; /* of SETUP_DOMAINS none: see `domains` */
    const char *domains[SETUP_DOMAINS_MOST];
    size_t domain_count;
    const char *root;
    struct text resolvers[RESOLVERS_MOST];
    struct text_list dns;
    const char *output;
    uint64_t timeout_s;
    bool force, yes, no_check;
};

struct setup {
    struct options options;
    struct setup_answers answers;
    bool is_asking;
};

static const char *say(const struct setup *setup, const char *english)
{
    return words_say(setup->answers.language, english);
}

/* --- options --- */

static bool domain_take(void *context, const char *word)
{
    struct options *options = context;
    if (options->domain_count == SETUP_DOMAINS_MOST) return false;
    options->domains[options->domain_count++] = word;
    return true;
}

static bool dns_take(void *context, const char *word)
{
    struct options *options = context;
    if (options->dns.count == RESOLVERS_MOST || !value_is_server(text_of(word))) return false;
    options->dns.items = options->resolvers;
    options->resolvers[options->dns.count++] = text_of(word);
    return true;
}

#define ANSWER(question) offsetof(struct options, words[question]), NULL, NULL

static const struct verb_option table[] = {
    { "hostname", OPTION_WORD, ANSWER(SETUP_HOSTNAME) },
    { "domain", OPTION_VALUE, 0, domain_take, "more than 100 domains; one too many is " },
    { "inside", OPTION_WORD, ANSWER(SETUP_INSIDE) },
    { "admin", OPTION_WORD, ANSWER(SETUP_ADMIN) },
    { "language", OPTION_WORD, ANSWER(SETUP_LANGUAGE), .choice = language_option_choice },
    { "output", OPTION_WORD, offsetof(struct options, output), NULL, NULL },
    { "force", OPTION_SWITCH, offsetof(struct options, force), NULL, NULL },
    { "yes", OPTION_SWITCH, offsetof(struct options, yes), NULL, NULL },
    { "no-check", OPTION_SWITCH, offsetof(struct options, no_check), NULL, NULL },
    { "dns", OPTION_VALUE, 0, dns_take, "--dns is up to 16 times ADDRESS or ADDRESS@PORT, not " },
    { "dns-root", OPTION_WORD, offsetof(struct options, root), NULL, NULL },
    { "timeout", OPTION_NUMBER, offsetof(struct options, timeout_s), NULL,
      "--timeout is a number of seconds from 1 to 120, not ", .least = 1, .most = TIMEOUT_MOST_S },
    { 0 }
};
const struct verb_usage setup_usage = { "setup", help, table };

static int answer_complain(enum setup_question question, struct buffer *complaint)
{
    char what[40];
    snprintf(what, sizeof what, "--%s: ", setup_question_option(question));
    buffer_add_char(complaint, '\0');
    int code = options_complain(&setup_usage, what, buffer_text(complaint).at);
    buffer_free(complaint);
    return code;
}

static int word_take(struct setup *setup, enum setup_question question, struct text word)
{
    struct buffer complaint = { 0 };
    if (setup_answer_take(&setup->answers, question, word, &complaint)) return OPTIONS_GO_ON;
    return answer_complain(question, &complaint);
}

/* OPTIONS_GO_ON, with what the options say taken; else the exit code. */
static int options_take(struct setup *setup)
{
    const struct options *options = &setup->options;
    int code = OPTIONS_GO_ON;
    for (int i = 0; i < SETUP_QUESTIONS && code == OPTIONS_GO_ON; i++)
        if (options->words[i]) code = word_take(setup, (enum setup_question)i, text_of(options->words[i]));
    for (size_t i = 0; i < options->domain_count && code == OPTIONS_GO_ON; i++)
        code = word_take(setup, SETUP_DOMAINS, text_of(options->domains[i]));
    return code;
}

/* --- what is offered --- */

/* What `hostname -f` says. A name service that is silent is waited for a second for each of its servers. */
static struct text own_name(struct arena *arena)
{
    const struct addrinfo hints = { .ai_flags = AI_CANONNAME, .ai_socktype = SOCK_STREAM };
    struct addrinfo *found = NULL;
    char name[256] = "";
    if (gethostname(name, sizeof name - 1) != 0) return TEXT_NONE;
    setenv("RES_OPTIONS", "timeout:1 attempts:1", 0);
    if (!strchr(name, '.') && getaddrinfo(name, NULL, &hints, &found) == 0 && found->ai_canonname)
        snprintf(name, sizeof name, "%s", found->ai_canonname);
    if (found) freeaddrinfo(found);
    bool is_good = strchr(name, '.') && value_is_host_name(text_of(name));
    return is_good ? arena_text(arena, text_of(name)) : TEXT_NONE;
}

static struct text offer_of(const struct setup *setup, enum setup_question question)
{
    return setup_answer_offer(&setup->answers, question,
                              question == SETUP_HOSTNAME ? own_name(setup->answers.arena) : TEXT_NONE);
}

/* --- asking --- */

static const char *question_text(enum setup_question question)
{
    static const char *const texts[SETUP_QUESTIONS] = {
        [SETUP_LANGUAGE] = "Language / 言語 (en, ja)",
        [SETUP_HOSTNAME] = N_("Full name of this machine, as the world knows it"),
        [SETUP_DOMAINS] = N_("Domains whose mail comes here, blanks between"),
        [SETUP_INSIDE] = N_("Server inside that the mail goes to (address or name, :port)"),
        [SETUP_ADMIN] = N_("Mail address of the administrator"),
    };
    return texts[question];
}

/* False: the input has ended. Of what is longer than the room the rest is thrown away; what is left is too
   long. */
static bool line_read(char room[ANSWER_ROOM])
{
    if (!fgets(room, ANSWER_ROOM, stdin)) return false;
    for (int c; !strchr(room, '\n') && (c = getc(stdin)) != '\n' && c != EOF;) {
    }
    return true;
}

/* Until there is an answer that can be taken. False: the input has ended. */
static bool question_ask(struct setup *setup, enum setup_question question)
{
    struct text offer = offer_of(setup, question);
    char room[ANSWER_ROOM];
    for (;;) {
        struct buffer complaint = { 0 };
        fprintf(stderr, offer.length ? "%s [%.*s]: " : "%s: ", say(setup, question_text(question)),
                TEXT_ARG(offer));
        fflush(stderr);
        if (!line_read(room)) return false;
        struct text word = text_trim(text_of(room));
        bool is_taken = setup_answer_take(&setup->answers, question, word.length ? word : offer, &complaint);
        if (!is_taken) fprintf(stderr, "  %.*s\n", TEXT_ARG(buffer_text(&complaint)));
        buffer_free(&complaint);
        if (is_taken) return true;
    }
}

static int missing_say(const struct setup *setup, enum setup_question question)
{
    char what[200];
    snprintf(what, sizeof what, say(setup, N_("--%s is missing, and nothing can be asked here")),
             setup_question_option(question));
    return options_complain(&setup_usage, what, "");
}

static int given_up(const struct setup *setup)
{
    fprintf(stderr, "%s\n", say(setup, N_("nothing is written")));
    return 1;
}

/* OPTIONS_GO_ON: all are answered. */
static int answers_complete(struct setup *setup)
{
    int code = OPTIONS_GO_ON;
    for (int i = 0; i < SETUP_QUESTIONS && code == OPTIONS_GO_ON; i++) {
        enum setup_question question = (enum setup_question)i;
        if (setup->answers.has[i]) continue;
        if (setup->is_asking) {
            if (question_ask(setup, question)) continue;
            fputc('\n', stderr);
            return given_up(setup);
        }
        struct text offer = offer_of(setup, question);
        code = offer.length ? word_take(setup, question, offer) : missing_say(setup, question);
    }
    return code;
}

/* --- the file --- */

/* The file as it will be read. Each answer is good by itself, so what is wrong is that the inside server is
   this gateway. NULL: that was said. */
static struct config *config_read(const struct setup *setup, struct text text)
{
    struct problem_list problems;
    problem_list_start(&problems);
    struct config *config = config_load_text(text, setup->options.output, true, &problems);
    for (size_t i = 0; !config && i < problems.count; i++)
        if (!problems.items[i].is_warning)
            fprintf(stderr, "sekimori setup: %s: %.*s\n",
                    say(setup, N_("the inside server cannot be this one")),
                    TEXT_ARG(problems.items[i].message));
    problem_list_free(&problems);
    return config;
}

/* Said before anything is asked. The folder may be missing, the one above it not. */
static bool may_write(const char *output)
{
    char *copy = memory_string(text_of(output)), *folder = dirname(copy);
    if (access(folder, F_OK) != 0) folder = dirname(folder);
    bool may = access(folder, W_OK | X_OK) == 0;
    if (!may) fprintf(stderr, "sekimori setup: %s: %s\n", output, strerror(errno));
    free(copy);
    return may;
}

/* The folder that the file stands in, where only that one is missing. */
static void folder_make(const char *output)
{
    char *copy = memory_string(text_of(output));
    mkdir(dirname(copy), 0755);
    free(copy);
}

/* Whoever may reach the control socket may read it: root and the group of the node. */
static int file_write(const struct setup *setup, struct text text)
{
    const char *output = setup->options.output;
    char error[4400];
    const struct group *group = getgrnam("sekimori");
    folder_make(output);
    if (!fresh_file_write(output, text, 0640, setup->options.force, error, sizeof error)) {
        fprintf(stderr, "sekimori setup: %s\n", error);
        return EX_CANTCREAT;
    }
    if (group && geteuid() == 0 && chown(output, (uid_t)-1, group->gr_gid) != 0)
        fprintf(stderr, "sekimori setup: %s: %s\n", output, strerror(errno));
    return EX_OK;
}

static void next_say(const struct setup *setup)
{
    const char *output = setup->options.output;
    bool is_default = strcmp(output, config_default_path()) == 0;
    const char *option = is_default ? "" : " --config ", *file = is_default ? "" : output;
    printf(say(setup, N_("\n%s is written. What comes next:\n")), output);
    printf("  sekimori check%s%s\n", option, file);
    puts(say(setup, N_("      says what is still missing or unsafe; a certificate gives STARTTLS")));
    printf("  sekimori start%s%s\n", option, file);
    puts(say(setup, N_("      or, with systemd: systemctl enable --now sekimori")));
    printf("  sekimori status%s%s\n", option, file);
    printf("  sekimori send --server 127.0.0.1:25 --to %.*s FILE\n", TEXT_ARG(setup->answers.admin));
    puts(say(setup, N_("Both checks observe. When `sekimori stats --would` is right for some days, write "
                       "`mode on` and\n"
                       "run `sekimori reload`.")));
}

/* EX_OK: write it. */
static int checks_pass(const struct setup *setup, struct config *config)
{
    struct setup_counts counts = { 0 };
    if (setup->options.no_check) return EX_OK;
    setup_checks_run(config, setup->answers.language, (uint32_t)setup->options.timeout_s * 1000,
                     setup->options.root, &counts);
    if (counts.failures == 0 || setup->options.yes) return EX_OK;
    if (!consent_can_ask()) {
        fprintf(stderr, "sekimori setup: %s\n",
                say(setup, N_("a check failed, nothing is written; --yes writes it all the same, --no-check "
                              "looks at nothing")));
        return EX_UNAVAILABLE;
    }
    bool is_wanted = consent_ask(say(setup, N_("A check failed. Write the file all the same?")));
    return is_wanted ? EX_OK : given_up(setup);
}

static int file_make(const struct setup *setup)
{
    struct buffer file = { 0 };
    struct setup_surroundings surroundings = { getpwnam("sekimori") != NULL, &setup->options.dns };
    setup_file_print(&setup->answers, &surroundings, &file);
    struct config *config = config_read(setup, buffer_text(&file));
    int code = config ? checks_pass(setup, config) : EX_USAGE;
    if (code == EX_OK) code = file_write(setup, buffer_text(&file));
    if (code == EX_OK) next_say(setup);
    config_free(config);
    buffer_free(&file);
    return code;
}

static int setup_run(struct setup *setup)
{
    const struct options *options = &setup->options;
    int code = options_take(setup);
    if (code != OPTIONS_GO_ON) return code;
    if (!options->force && access(options->output, F_OK) == 0) {
        fprintf(stderr, "sekimori setup: ");
        fprintf(stderr, say(setup, N_("%s is there already; --force replaces it\n")), options->output);
        return EX_CANTCREAT;
    }
    if (!may_write(options->output)) return EX_CANTCREAT;
    setup->is_asking = !options->yes && consent_can_ask();
    code = answers_complete(setup);
    return code == OPTIONS_GO_ON ? file_make(setup) : code;
}

int setup_main(int argc, char **argv)
{
    struct setup setup = { .options = { .output = config_default_path(), .timeout_s = TIMEOUT_S } };
    int code = options_read_all(&setup_usage, argc, argv, &setup.options);
    if (code != OPTIONS_GO_ON) return code;
    signal(SIGPIPE, SIG_IGN);
    setup.answers.arena = arena_new(0);
    setup.answers.language = language_option_of_locale();
    code = setup_run(&setup);
    arena_free(setup.answers.arena);
    return code;
}
