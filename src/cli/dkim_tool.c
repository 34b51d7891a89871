/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The verb and `new`: FOLDER/DOMAIN/SELECTOR.pem for each key. */
#include "cli/dkim_tool.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "auth/private_key.h"
#include "cli/dkim_check.h"
#include "cli/fresh_file.h"
#include "config/value.h"

static const char help[] =
    "usage: sekimori dkim new DOMAIN [--selector S] [--rsa BITS] [--output FOLDER]\n"
    "       sekimori dkim check [DOMAIN] [--dns SERVER] [--json] [--config FILE | --state FOLDER]\n\n"
    "The keys that sign mail of our domains (DKIM) and seal what goes inward (ARC).\n\n"
    "  new    make an RSA and an Ed25519 key in FOLDER/DOMAIN, and print their DNS records and the lines of\n"
    "         the configuration\n"
    "  check  ask the DNS for the record of each key of the configuration: is it published, and of this "
    "key?\n"
    "         Keys in change are named: which one to take out, and when\n\n"
    "  --selector S     their names in the DNS are S-rsa and S-ed25519; else s and the day: s20261129\n"
    "  --rsa BITS       2048 to 4096 (2048)\n"
    "  --output FOLDER  /etc/sekimori/dkim when it is not given\n"
    "  --dns SERVER     ask ADDRESS or ADDRESS:PORT; no node is needed\n"
    "  --json           for programs\n" CONTROL_OPTIONS_HELP
    "\nExit codes: 0 done, all fit; 1 a record is missing or another's; 64 usage, 66 no such domain has "
    "keys, 69\n"
    "no node, 73 it is there already or cannot be written, 75 no answer of the DNS, 78 the configuration "
    "has\n"
    "errors.\n";

enum { BITS = 2048, BITS_MOST = 4096, PATH_SIZE = 4160, STRING_MOST = 255, SELECTOR_MOST = 40 };

struct options {
    struct dkim_check_wish check;
    const char *selector, *folder;
    uint64_t bits;
};

static const char *const words[] = { "new", "check", NULL };

static const char *verb_word(size_t position)
{
    return words[position];
}

static const struct verb_option table[] = {
    { "selector", OPTION_WORD, offsetof(struct options, selector), NULL, NULL },
    { "rsa", OPTION_NUMBER, offsetof(struct options, bits), NULL, "--rsa wants bits, 2048 to 4096, not ",
      .least = BITS, .most = BITS_MOST },
    { "output", OPTION_WORD, offsetof(struct options, folder), NULL, NULL },
    { "dns", OPTION_WORD, offsetof(struct options, check.server), NULL, NULL },
    { "json", OPTION_SWITCH, offsetof(struct options, check.json), NULL, NULL },
    { "config", OPTION_WORD, offsetof(struct options, check.target.config), NULL, NULL, .letter = 'c' },
    { "state", OPTION_WORD, offsetof(struct options, check.target.state), NULL, NULL },
    { 0 },
};

const struct verb_usage dkim_usage = { "dkim", help, table, .word = verb_word };

/* --- new --- */

struct made {
    char selector[64], path[PATH_SIZE];
    struct private_key *key;
};

static bool key_make(const struct options *options, const char *domain, enum key_kind kind, struct made *out)
{
    char day[16], folder[PATH_SIZE - 80];
    time_t now = time(NULL);
    struct tm parts;
    strftime(day, sizeof day, "s%Y%m%d", gmtime_r(&now, &parts));
    snprintf(folder, sizeof folder, "%s/%s", options->folder, domain);
    snprintf(out->selector, sizeof out->selector, "%s-%s", options->selector ? options->selector : day,
             public_key_kind_name(kind));
    snprintf(out->path, sizeof out->path, "%s/%s.pem", folder, out->selector);
    out->key = private_key_new(kind, (uint32_t)options->bits);
    return out->key != NULL;
}

static bool key_write(const struct made *made)
{
    char error[PATH_SIZE + 100];
    struct buffer pem = { 0 };
    private_key_pem_add(made->key, &pem);
    bool is_written = fresh_file_write(made->path, buffer_text(&pem), 0600, false, error, sizeof error);
    explicit_bzero(pem.memory, pem.capacity);
    buffer_free(&pem);
    if (!is_written) fprintf(stderr, "sekimori: %s\n", error);
    return is_written;
}

/* RFC 1035 section 5.1; strings of a TXT record have 255 bytes at most, and are read as one. */
static void record_print(const char *domain, const struct made *made)
{
    struct buffer record = { 0 };
    private_key_record_add(made->key, &record);
    printf("%s._domainkey.%s. IN TXT (", made->selector, domain);
    for (struct text rest = buffer_text(&record); rest.length > 0;) {
        struct text string = text_slice(rest, 0, STRING_MOST);
        printf("\n    \"%.*s\"", TEXT_ARG(string));
        rest = text_slice(rest, string.length, rest.length);
    }
    printf(" )\n");
    buffer_free(&record);
}

static int pair_make(const struct options *options, const char *domain, struct made made[KEY_KIND_COUNT])
{
    char folder[PATH_SIZE], error[PATH_SIZE + 100];
    snprintf(folder, sizeof folder, "%s/%s", options->folder, domain);
    for (int kind = 0; kind < KEY_KIND_COUNT; kind++) {
        if (!key_make(options, domain, (enum key_kind)kind, &made[kind])) return EX_SOFTWARE;
        if (access(made[kind].path, F_OK) == 0) {
            fprintf(stderr, "sekimori: it is there already; another --selector makes another: %s\n",
                    made[kind].path);
            return EX_CANTCREAT;
        }
    }
    if (!fresh_folder_make(folder, error, sizeof error)) {
        fprintf(stderr, "sekimori: %s\n", error);
        return EX_CANTCREAT;
    }
    for (int kind = 0; kind < KEY_KIND_COUNT; kind++)
        if (!key_write(&made[kind])) return EX_CANTCREAT;
    return EX_OK;
}

static int keys_new(const struct options *options, const char *domain)
{
    struct made made[KEY_KIND_COUNT] = { 0 };
    int code = pair_make(options, domain, made);
    if (code == EX_OK) {
        printf("; publish these, then: sekimori dkim check %s\n", domain);
        for (int kind = 0; kind < KEY_KIND_COUNT; kind++) record_print(domain, &made[kind]);
        printf("\n# in the block of %s in `domains`; behind a key that is there, which stays until check "
               "says so\n",
               domain);
        for (int kind = 0; kind < KEY_KIND_COUNT; kind++)
            printf("dkim %s %s:%s\n", public_key_kind_name((enum key_kind)kind), made[kind].selector,
                   made[kind].path);
    }
    for (int kind = 0; kind < KEY_KIND_COUNT; kind++) private_key_free(made[kind].key);
    return code;
}

/* --- the verb --- */

int dkim_main(int argc, char **argv)
{
    struct options options = { .bits = BITS, .folder = "/etc/sekimori/dkim" };
    int code = options_read(&dkim_usage, argc, argv, &options);
    if (code != OPTIONS_GO_ON) return code;
    const char *word = optind < argc ? argv[optind] : NULL;
    const char *domain = word && optind + 1 < argc ? argv[optind + 1] : NULL;
    if (!word) return options_complain(&dkim_usage, "new or check?", "");
    if (!options_word_is(word, words))
        return options_complain_word(&dkim_usage, "no such command: ", word, words);
    if (argc - optind > 2) return options_complain(&dkim_usage, "one DOMAIN, not also ", argv[optind + 2]);
    if (domain && !value_is_host_name(text_of(domain)))
        return options_complain(&dkim_usage, "that is no domain: ", domain);
    options.check.domain = domain;
    if (strcmp(word, "check") == 0) return dkim_check(&options.check);
    if (!domain) return options_complain(&dkim_usage, "say DOMAIN", "");
    bool is_good = !options.selector || (strlen(options.selector) <= SELECTOR_MOST &&
                                         value_is_host_name(text_of(options.selector)));
    if (!is_good) return options_complain(&dkim_usage, "that is no selector: ", options.selector);
    return keys_new(&options, domain);
}
