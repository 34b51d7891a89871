/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Runs a fuzz target without libFuzzer: each seed once, then inputs that are made of seeds by mutation. It
   sees no edges of the code, so it is for short runs, and the same run is made each time. usage: fuzz-NAME
   [-runs=N] [-timeout=SECONDS] [-dict=FILE] [-artifact=FILE] FOLDER-OR-FILE... Sanitizers have to abort at
   what they find (ASAN_OPTIONS, UBSAN_OPTIONS: abort_on_error=1): then, at an abort of the target's own, at
   its exit and after the time for one input, the input goes to the artifact, and 77 is the exit code. */
#include <dirent.h>
#include <fcntl.h>
#include <sanitizer/common_interface_defs.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/die.h"
#include "base/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

enum {
    SEED_MOST = 1 << 20,
    SIZE_LEAST = 4096,
    MUTATIONS_MOST = 8,
    RANDOM_MOST = 8,
    RANGE_BITS = 10,
    FOUND = 77
};

struct texts {
    struct text *list;
    size_t count;
};

/* What inputs are made of. `input` and `moved` have room for `most` bytes, which is at least the size of each
   seed. */
struct maker {
    struct texts seeds, tokens;
    uint64_t state;
    char *input, *moved;
    size_t length, most;
};

struct options {
    uint64_t runs, timeout_s;
    const char *dict, *artifact;
};

/* For the handler of signals: `input` is the one that runs, with `at` NULL between two. */
static struct {
    struct text input;
    const char *artifact;
    uint64_t executed;
} running;

/* --- the end of a run --- */

static void say(struct text words)
{
    if (write(STDERR_FILENO, words.at, words.length) < 0) _exit(FOUND);
}

static void executed_say(void)
{
    char digits[20];
    size_t first = sizeof digits;
    uint64_t rest = running.executed;
    do digits[--first] = (char)('0' + rest % 10);
    while (rest /= 10);
    say(TEXT("stat::number_of_executed_units: "));
    say(text_from(digits + first, sizeof digits - first));
    say(TEXT("\n"));
}

/* Only what a handler of signals may call. */
static _Noreturn void input_keep(void)
{
    int fd = running.artifact ? open(running.artifact, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644) : -1;
    if (fd >= 0 && !file_write_all(fd, running.input)) say(TEXT("the artifact is not whole\n"));
    executed_say();
    _exit(FOUND);
}

static void found(int signal)
{
    if (signal == SIGALRM) {
        say(TEXT("an input takes too long\n"));
        __sanitizer_print_stack_trace();
    }
    input_keep();
}

static void exiting(void)
{
    if (!running.input.at) return;
    say(TEXT("the target exits\n"));
    input_keep();
}

/* A sanitizer has the handlers of SIGSEGV and its like: it reports, and aborts. */
static void handlers_set(void)
{
    struct sigaction action = { .sa_handler = found, .sa_flags = SA_ONSTACK };
    sigaction(SIGABRT, &action, NULL);
    sigaction(SIGALRM, &action, NULL);
    atexit(exiting);
}

/* The target gets a copy that is exactly as long, so that one byte too far is seen. */
static void run(struct text input, unsigned timeout_s)
{
    uint8_t *copy = malloc(input.length);
    if (!copy) die("no memory for an input");
    memcpy(copy, input.at, input.length);
    running.input = input;
    running.executed++;
    alarm(timeout_s);
    LLVMFuzzerTestOneInput(copy, input.length);
    alarm(0);
    running.input = TEXT_NONE;
    free(copy);
}

/* --- seeds and tokens --- */

static void texts_add(struct texts *texts, struct text text)
{
    texts->list = memory_grow(texts->list, (texts->count + 1) * sizeof *texts->list);
    texts->list[texts->count++] = text_from(memory_string(text), text.length);
}

static void file_load(const char *path, struct buffer *out)
{
    if (!file_read_at(AT_FDCWD, path, SEED_MOST, out)) die_errno("%s", path);
}

static void seed_load(struct texts *seeds, const char *path)
{
    struct buffer content = { 0 };
    file_load(path, &content);
    texts_add(seeds, buffer_text(&content));
    buffer_free(&content);
}

static int is_shown(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* In the order of their names, so that each run is the same. */
static void folder_load(struct texts *seeds, const char *folder)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, is_shown, alphasort);
    if (count < 0) die_errno("%s", folder);
    for (int i = 0; i < count; i++) {
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        seed_load(seeds, path);
        free(entries[i]);
    }
    free(entries);
}

static void seeds_load(struct texts *seeds, const char *path)
{
    struct stat status;
    if (stat(path, &status) < 0) die_errno("%s", path);
    if (S_ISDIR(status.st_mode))
        folder_load(seeds, path);
    else
        seed_load(seeds, path);
}

/* One byte of a token, cut off *rest: as it stands, \\, \" or \xNN. */
static char token_byte(struct text *rest)
{
    size_t taken = 1;
    char byte = rest->at[0];
    if (byte == '\\' && rest->length >= 4 && rest->at[1] == 'x') {
        byte = (char)(char_hex_value(rest->at[2]) * 16 + char_hex_value(rest->at[3]));
        taken = 4;
    } else if (byte == '\\' && rest->length >= 2) {
        byte = rest->at[1];
        taken = 2;
    }
    *rest = text_slice(*rest, taken, rest->length);
    return byte;
}

/* `line` is "token" or name="token"; whatever has no two quotes is no token. */
static void token_load(struct texts *tokens, struct text line)
{
    size_t first = text_find_char(line, '"'), last = text_find_last_char(line, '"');
    if (text_starts(line, TEXT("#")) || first >= last || last == line.length) return;
    struct text rest = text_slice(line, first + 1, last);
    struct buffer token = { 0 };
    while (rest.length > 0) buffer_add_char(&token, token_byte(&rest));
    if (buffer_length(&token) > 0) texts_add(tokens, buffer_text(&token));
    buffer_free(&token);
}

static void dict_load(struct texts *tokens, const char *path)
{
    struct buffer content = { 0 };
    file_load(path, &content);
    struct text rest = buffer_text(&content), line;
    while (text_next_line(&rest, &line)) token_load(tokens, line);
    buffer_free(&content);
}

/* --- mutations --- */

/* splitmix64. */
static uint64_t drawn(struct maker *maker)
{
    uint64_t z = maker->state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static size_t below(struct maker *maker, size_t bound)
{
    return bound > 0 ? drawn(maker) % bound : 0;
}

static struct text one_of(struct maker *maker, const struct texts *texts)
{
    return texts->count > 0 ? texts->list[below(maker, texts->count)] : TEXT_NONE;
}

/* Any place of the input, its end included. */
static size_t place(struct maker *maker)
{
    return below(maker, maker->length + 1);
}

/* How long a range from `at` is: short ones are as likely as long ones. */
static size_t range(struct maker *maker, size_t at)
{
    size_t rest = maker->length - at, length = 1 + below(maker, (size_t)1 << below(maker, RANGE_BITS + 1));
    return length < rest ? length : rest;
}

/* Puts `text`, which may lie in the input, where [at, at + gone) is now. What is over the bound is cut. */
static void replace(struct maker *maker, size_t at, size_t gone, struct text text)
{
    size_t behind = maker->length - at - gone, added = maker->most - at - behind;
    if (text.length < added) added = text.length;
    if (added > 0) memcpy(maker->moved, text.at, added);
    memmove(maker->input + at + added, maker->input + at + gone, behind);
    if (added > 0) memcpy(maker->input + at, maker->moved, added);
    maker->length = at + added + behind;
}

static void flip(struct maker *maker)
{
    if (maker->length > 0) maker->input[below(maker, maker->length)] ^= (char)(1 << below(maker, 8));
}

static void overwrite(struct maker *maker)
{
    if (maker->length > 0) maker->input[below(maker, maker->length)] = (char)drawn(maker);
}

static void insert_random(struct maker *maker)
{
    uint64_t bytes = drawn(maker);
    replace(maker, place(maker), 0, text_from((const char *)&bytes, 1 + below(maker, RANDOM_MOST)));
}

static void insert_token(struct maker *maker)
{
    replace(maker, place(maker), 0, one_of(maker, &maker->tokens));
}

static void delete_range(struct maker *maker)
{
    size_t at = place(maker);
    replace(maker, at, range(maker, at), TEXT_NONE);
}

static void double_range(struct maker *maker)
{
    size_t at = place(maker);
    replace(maker, at, 0, text_from(maker->input + at, range(maker, at)));
}

static void cross(struct maker *maker)
{
    struct text other = one_of(maker, &maker->seeds);
    size_t at = place(maker);
    replace(maker, at, maker->length - at, text_slice(other, below(maker, other.length), other.length));
}

static void cut(struct maker *maker)
{
    maker->length = place(maker);
}

static void (*const mutations[])(struct maker *) = {
    flip, overwrite, insert_random, insert_token, delete_range, double_range, cross, cut,
};

static struct text input_make(struct maker *maker)
{
    maker->length = 0;
    replace(maker, 0, 0, one_of(maker, &maker->seeds));
    size_t count = 1 + below(maker, MUTATIONS_MOST);
    while (count-- > 0) mutations[below(maker, sizeof mutations / sizeof mutations[0])](maker);
    return text_from(maker->input, maker->length);
}

static void maker_begin(struct maker *maker)
{
    maker->most = SIZE_LEAST;
    for (size_t i = 0; i < maker->seeds.count; i++)
        if (maker->seeds.list[i].length > maker->most) maker->most = maker->seeds.list[i].length;
    maker->input = memory_alloc(maker->most);
    maker->moved = memory_alloc(maker->most);
}

/* --- arguments --- */

static bool is_option(const char *argument, const char *name, const char **out_value)
{
    if (!text_starts(text_of(argument), text_of(name))) return false;
    *out_value = argument + strlen(name);
    return true;
}

static _Noreturn void refuse(const char *argument)
{
    fprintf(stderr, "no such option: %s\n", argument);
    exit(EX_USAGE);
}

static void number_take(const char *argument, const char *value, uint64_t most, uint64_t *out)
{
    if (!text_to_number(text_of(value), most, out)) refuse(argument);
}

static void argument_take(struct options *options, struct texts *seeds, const char *argument)
{
    const char *value;
    if (is_option(argument, "-runs=", &value))
        number_take(argument, value, UINT32_MAX, &options->runs);
    else if (is_option(argument, "-timeout=", &value))
        number_take(argument, value, 3600, &options->timeout_s);
    else if (is_option(argument, "-dict=", &value))
        options->dict = value;
    else if (is_option(argument, "-artifact=", &value))
        options->artifact = value;
    else if (is_option(argument, "-close_fd_mask=", &value)) /* libFuzzer's; a target gives it to itself */
        return;
    else if (argument[0] == '-')
        refuse(argument);
    else
        seeds_load(seeds, argument);
}

int main(int argc, char **argv)
{
    struct options options = { .timeout_s = 60 };
    static struct maker maker = { .state = 1 }; /* static, and so no leak at the end */
    if (LLVMFuzzerInitialize) LLVMFuzzerInitialize(&argc, &argv);
    texts_add(&maker.seeds, TEXT(""));
    for (int i = 1; i < argc; i++) argument_take(&options, &maker.seeds, argv[i]);
    if (options.dict) dict_load(&maker.tokens, options.dict);
    maker_begin(&maker);
    running.artifact = options.artifact;
    handlers_set();
    unsigned timeout_s = (unsigned)options.timeout_s;
    for (size_t i = 0; i < maker.seeds.count; i++) run(maker.seeds.list[i], timeout_s);
    for (uint64_t i = 0; i < options.runs; i++) run(input_make(&maker), timeout_s);
    executed_say();
    return 0;
}
