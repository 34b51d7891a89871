/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The ca verb: a folder with ca.pem and ca.key, and NAME.pem and NAME.key for each node. */
#include "cli/ca.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/certificate.h"
#include "base/json.h"
#include "cli/fresh_file.h"
#include "cli/options.h"
#include "config/value.h"

static const char help[] =
    "usage: sekimori ca init [--dir DIR] [--name ORG] [--days N] [--force]\n"
    "       sekimori ca issue NAME [--ip ADDRESS]… [--dns NAME]… [--dir DIR] [--days N] [--force]\n"
    "       sekimori ca list [--dir DIR] [--json]\n\n"
    "The private certificate authority by which nodes (edges and walls) know each other.\n\n"
    "  init   make the authority: DIR/ca.pem, which every node gets, and DIR/ca.key, which stays here\n"
    "  issue  make DIR/NAME.pem and DIR/NAME.key for the node NAME; NAME is the first name in it\n"
    "  list   every certificate in DIR: name, serial number, when it ends, its names\n\n"
    "  --dir DIR      the folder; /etc/sekimori/ca when it is not given\n"
    "  --name ORG     the organisation in the authority's certificate\n"
    "  --ip ADDRESS   an address by which other nodes reach this one, a shared one (VRRP) too; may stand\n"
    "                 several times\n"
    "  --dns NAME     a further host name of it; may stand several times\n"
    "  --days N       how long the certificate is good: 3650 days for init, 730 for issue; a node's ends "
    "with\n"
    "                 its authority's at the latest\n"
    "  --force        replace what is there: else nothing is ever overwritten\n"
    "  --json         one JSON object instead of lines\n\n"
    "Exit codes: 0 done, 64 usage, 66 no such authority, 73 it is there already or cannot be written.\n";

enum {
    AUTHORITY_DAYS = 3650,
    NODE_DAYS = 730,
    DAYS_MOST = 36500,
    NAMES_MOST = 64,
    FILE_MOST = 1 << 20,
    DAY_S = 86400,
    BACKDATE_S = 3600, /* a peer's clock may be behind ours */
    PATH_SIZE = 4160,
};

struct options {
    const char *folder;
    struct text organisation;
    struct text dns[NAMES_MOST];
    struct address addresses[NAMES_MOST];
    size_t dns_count, address_count;
    uint64_t days; /* 0: not said */
    bool force, json;
};

static int complain(int code, const char *what, const char *about)
{
    fprintf(stderr, "sekimori: %s%s%s\n", what, *about ? ": " : "", about);
    return code;
}

/* --- files --- */

static void path_make(const struct options *options, struct text name, const char *ending,
                      char room[PATH_SIZE])
{
    snprintf(room, PATH_SIZE, "%s/%.*s.%s", options->folder, TEXT_ARG(name), ending);
}

static bool file_read(const char *path, struct buffer *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = -1;
    while (fd >= 0 && buffer_length(out) < FILE_MOST &&
           (got = read(fd, buffer_reserve(out, 65536), 65536)) > 0)
        buffer_commit(out, (size_t)got);
    int error = errno;
    if (fd >= 0) close(fd);
    errno = error;
    return fd >= 0 && got >= 0;
}

static void pair_free(struct certificate_pair *pair)
{
    buffer_free(&pair->certificate);
    buffer_free(&pair->key);
}

/* The key first: a certificate without its key would be useless and look finished. */
static int pair_write(const struct options *options, struct text name, const struct certificate_pair *pair)
{
    char certificate[PATH_SIZE], key[PATH_SIZE], error[PATH_SIZE + 100];
    path_make(options, name, "pem", certificate);
    path_make(options, name, "key", key);
    if (!options->force && (access(certificate, F_OK) == 0 || access(key, F_OK) == 0))
        return complain(EX_CANTCREAT, "it is there already (--force replaces it)", certificate);
    if (!fresh_file_write(key, buffer_text(&pair->key), 0600, options->force, error, sizeof error) ||
        !fresh_file_write(certificate, buffer_text(&pair->certificate), 0644, options->force, error,
                          sizeof error))
        return complain(EX_CANTCREAT, error, "");
    printf("%s\n%s\n", certificate, key);
    return EX_OK;
}

/* --- init and issue --- */

static void time_set(const struct options *options, uint64_t days, struct certificate_wish *wish)
{
    int64_t now = (int64_t)time(NULL);
    wish->from_s = now - BACKDATE_S;
    wish->until_s = now + (int64_t)(options->days ? options->days : days) * DAY_S;
}

static int init_do(const struct options *options)
{
    struct certificate_wish wish = { .name = TEXT("Sekimori node authority"),
                                     .organisation = options->organisation };
    struct certificate_pair pair = { 0 };
    char error[PATH_SIZE + 100];
    time_set(options, AUTHORITY_DAYS, &wish);
    if (!fresh_folder_make(options->folder, error, sizeof error)) return complain(EX_CANTCREAT, error, "");
    int code = certificate_make_authority(&wish, &pair, error, sizeof error)
                   ? pair_write(options, TEXT("ca"), &pair)
                   : complain(EX_SOFTWARE, error, "");
    pair_free(&pair);
    return code;
}

/* The name itself comes first; what is said twice stands once. */
static void dns_add(struct options *options, struct text name)
{
    for (size_t i = 0; i < options->dns_count; i++)
        if (text_equal_nocase(options->dns[i], name)) return;
    if (options->dns_count < NAMES_MOST) options->dns[options->dns_count++] = name;
}

static int node_issue(const struct options *options, const struct certificate_wish *wish,
                      struct text authority, struct text authority_key)
{
    struct certificate_pair pair = { 0 };
    char error[300];
    int code = certificate_make_node(wish, authority, authority_key, &pair, error, sizeof error)
                   ? pair_write(options, wish->name, &pair)
                   : complain(EX_DATAERR, error, "");
    pair_free(&pair);
    return code;
}

static int issue_do(struct options *options, struct text name)
{
    struct buffer authority = { 0 }, key = { 0 };
    char certificate_path[PATH_SIZE], key_path[PATH_SIZE];
    struct options named = *options;
    named.dns_count = 0;
    dns_add(&named, name);
    for (size_t i = 0; i < options->dns_count; i++) dns_add(&named, options->dns[i]);
    struct certificate_wish wish = { .name = name,
                                     .dns = named.dns,
                                     .dns_count = named.dns_count,
                                     .addresses = named.addresses,
                                     .address_count = named.address_count };
    time_set(options, NODE_DAYS, &wish);
    path_make(options, TEXT("ca"), "pem", certificate_path);
    path_make(options, TEXT("ca"), "key", key_path);
    int code = EX_OK;
    if (!file_read(certificate_path, &authority))
        code = complain(EX_NOINPUT, certificate_path, strerror(errno));
    else if (!file_read(key_path, &key))
        code = complain(EX_NOINPUT, key_path, strerror(errno));
    if (code == EX_NOINPUT) fputs("`sekimori ca init` makes an authority.\n", stderr);
    if (code == EX_OK) code = node_issue(&named, &wish, buffer_text(&authority), buffer_text(&key));
    buffer_free(&authority);
    buffer_free(&key);
    return code;
}

/* --- list --- */

static int is_certificate(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && text_ends(text_of(entry->d_name), TEXT(".pem"));
}

static struct json *facts_json(struct text file, const struct certificate_facts *facts, int64_t days)
{
    struct json *object = json_new_object();
    json_set_text(object, "file", file);
    json_set_text(object, "name", facts->name);
    json_set_text(object, "names", facts->names);
    json_set_text(object, "serial", facts->serial);
    json_set_bool(object, "authority", facts->is_authority);
    json_set_number(object, "from", facts->from_s);
    json_set_number(object, "until", facts->until_s);
    json_set_number(object, "days_left", days);
    return object;
}

static void facts_print(struct text file, const struct certificate_facts *facts, int64_t days)
{
    char day[CERTIFICATE_DAY_SIZE];
    printf("%-24.*s %s  until %s (%lld %s)  %.*s\n", TEXT_ARG(file), facts->serial.at,
           certificate_day_print(facts->until_s, day), (long long)days, days == 1 ? "day" : "days",
           TEXT_ARG(facts->names));
}

/* `list` NULL: lines. A file that is no certificate is passed over. */
static void entry_list(const struct options *options, struct text file, struct json *list)
{
    char path[PATH_SIZE];
    struct buffer pem = { 0 };
    struct certificate_facts facts;
    struct arena *arena = arena_new(0);
    snprintf(path, sizeof path, "%s/%.*s", options->folder, TEXT_ARG(file));
    if (file_read(path, &pem) && certificate_read(buffer_text(&pem), arena, &facts)) {
        int64_t days = certificate_days_left(facts.until_s, (int64_t)time(NULL));
        if (list)
            json_add(list, facts_json(file, &facts, days));
        else
            facts_print(file, &facts, days);
    }
    arena_free(arena);
    buffer_free(&pem);
}

static int list_do(const struct options *options)
{
    struct dirent **entries = NULL;
    int count = scandir(options->folder, &entries, is_certificate, alphasort);
    if (count < 0) return complain(EX_NOINPUT, options->folder, strerror(errno));
    struct json *list = options->json ? json_new_array() : NULL;
    for (int i = 0; i < count; i++) {
        entry_list(options, text_of(entries[i]->d_name), list);
        free(entries[i]);
    }
    free(entries);
    if (!list) return EX_OK;
    struct json *object = json_new_object();
    json_set_string(object, "folder", options->folder);
    json_set(object, "certificates", list);
    json_print(object, stdout, true);
    return EX_OK;
}

/* --- the words --- */

static const char *ip_say(void *context, const char *name, const char *word)
{
    struct options *options = context;
    if (options->address_count == NAMES_MOST) return "one address too many";
    return address_parse(text_of(word), &options->addresses[options->address_count++]) ? NULL
                                                                                       : "is no address";
}

static const char *dns_say(void *context, const char *name, const char *word)
{
    struct options *options = context;
    if (options->dns_count == NAMES_MOST - 1) return "one name too many";
    if (!value_is_host_name(text_of(word))) return "is no host name";
    dns_add(options, text_of(word));
    return NULL;
}

static const char *dir_say(void *context, const char *name, const char *word)
{
    ((struct options *)context)->folder = word;
    return strlen(word) > PATH_SIZE - 300 ? "is too long" : NULL;
}

static const struct verb_option table[] = {
    { "dir", OPTION_NAMED, .say = dir_say },
    { "name", OPTION_TEXT, offsetof(struct options, organisation), NULL, NULL },
    { "ip", OPTION_NAMED, .say = ip_say },
    { "dns", OPTION_NAMED, .say = dns_say },
    { "days", OPTION_NUMBER, offsetof(struct options, days), NULL,
      "--days is a number of days from 1 to 36500, not ", .least = 1, .most = DAYS_MOST },
    { "force", OPTION_SWITCH, offsetof(struct options, force), NULL, NULL },
    { "json", OPTION_SWITCH, offsetof(struct options, json), NULL, NULL },
    { 0 }
};

static const char *verb_word(size_t position)
{
    static const char *const verbs[] = { "init", "issue", "list", NULL };
    return verbs[position];
}

const struct verb_usage ca_usage = { "ca", help, table, .word = verb_word };

static const char *node_complaint(struct text name)
{
    if (name.length > CERTIFICATE_NAME_MOST) return "the name is longer than 64 letters: ";
    if (text_equal_nocase(name, TEXT("ca"))) return "that is the authority's own name: ";
    return value_is_host_name(name) ? NULL : "that is no host name: ";
}

int ca_main(int argc, char **argv)
{
    struct options options = { .folder = "/etc/sekimori/ca" };
    int code = options_read(&ca_usage, argc, argv, &options), words = argc - optind;
    if (code != OPTIONS_GO_ON) return code;
    struct text verb = text_of(words > 0 ? argv[optind] : NULL);
    if (words == 1 && text_equal(verb, TEXT("init"))) return init_do(&options);
    if (words == 1 && text_equal(verb, TEXT("list"))) return list_do(&options);
    if (words != 2 || !text_equal(verb, TEXT("issue")))
        return options_complain(&ca_usage, "init, issue NAME or list?", "");
    const char *why = node_complaint(text_of(argv[optind + 1]));
    return why ? options_complain(&ca_usage, why, argv[optind + 1])
               : issue_do(&options, text_of(argv[optind + 1]));
}
