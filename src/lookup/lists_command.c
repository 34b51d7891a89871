/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "lookup/lists_command.h"

#include <stdlib.h>
#include <sysexits.h>

#include "base/json_text.h"
#include "config/list_setting.h"
#include "judge/list_value.h"
#include "lookup/command_reply.h"

enum { WAITING_MOST = 16 };

struct lists_commands {
    const struct list_sources *sources;
    int waiting[WAITING_MOST]; /* descriptors */
    size_t waiting_count;
};

/* One "lists test". A link is asked about by its hash and by its host, a mail address by its hash and by its
   domain: `next` is the latter until it is asked. */
struct trial {
    const struct list_sources *sources;
    struct buffer subject, next, out;
    bool is_incomplete;
    int fd;
};

static void member_add(struct buffer *out, const char *name, struct text value)
{
    buffer_printf(out, ", \"%s\": ", name);
    json_text_add(out, value);
}

/* --- how they are --- */

static void about_add(const struct list_setting *setting, struct buffer *out)
{
    struct buffer words = { 0 };
    for (unsigned about = 0; about < LIST_ABOUTS; about++)
        if (list_setting_about(setting) >> about & 1)
            buffer_printf(&words, "%s%s", buffer_length(&words) ? " " : "", list_about_name(about));
    member_add(out, "about", buffer_text(&words));
    buffer_free(&words);
}

static void file_print(const struct list_setting *setting, const struct local_list_state *state,
                       struct buffer *out)
{
    member_add(out, "file", list_setting_path(setting));
    bool is_missing = state->is_fetched && !state->is_in_force;
    member_add(out, "state",
               state->is_in_force ? text_of(N_("in force"))
               : is_missing       ? text_of(N_("being fetched"))
                                  : text_of(N_("not in force")));
    buffer_printf(out, ", \"entries\": %u, \"loaded_ms\": %llu", state->entries,
                  (unsigned long long)state->loaded_ms);
    if (state->is_fetched)
        buffer_printf(out, ", \"fetched_ms\": %llu, \"is_stale\": %d", (unsigned long long)state->fetched_ms,
                      state->is_stale);
    if (state->trouble.length > 0) member_add(out, "trouble", state->trouble);
    if (state->problem.length > 0) member_add(out, "problem", state->problem);
}

static void zone_print(const struct list_setting *setting, const struct dns_list_state *state,
                       struct buffer *out)
{
    static const char *const words[] = { [DNS_LIST_IS_TRIED] = N_("being tried"),
                                         [DNS_LIST_IS_IN_FORCE] = N_("in force"),
                                         [DNS_LIST_IS_ASIDE] = N_("aside") };
    struct list_setting keyless = *setting;
    struct buffer zone = { 0 };
    if (setting->key.content.length == 0) list_setting_zone(&keyless, &zone); /* the key is nobody's to see */
    member_add(out, "zone", buffer_length(&zone) ? buffer_text(&zone) : TEXT("(with a key)"));
    member_add(out, "state", text_of(words[state->standing]));
    buffer_printf(out, ", \"asked\": %llu, \"listed\": %llu, \"probed_ms\": %llu",
                  (unsigned long long)state->asked, (unsigned long long)state->listed,
                  (unsigned long long)state->probed_ms);
    if (state->why.length > 0) member_add(out, "problem", state->why);
    buffer_free(&zone);
}

static void list_print(const struct list_sources *sources, const struct list_setting *setting,
                       struct buffer *out)
{
    struct local_list_state file;
    struct dns_list_state zone;
    buffer_add_text(out, TEXT("{\"list\": "));
    json_text_add(out, setting->name);
    about_add(setting, out);
    if (local_lists_state(sources->local, setting->name, &file))
        file_print(setting, &file, out);
    else if (dns_lists_state(sources->dns, setting->name, &zone))
        zone_print(setting, &zone, out);
    buffer_add_text(out, TEXT("}\n"));
}

static void all_say(const struct list_sources *sources, int fd)
{
    struct buffer out = { 0 };
    for (size_t i = 0; i < sources->config->list_count; i++)
        list_print(sources, &sources->config->lists[i], &out);
    command_reply(fd, EX_OK, buffer_text(&out));
    buffer_free(&out);
}

/* --- files that were refused --- */

static void problems_say(const struct list_sources *sources, int fd)
{
    struct buffer out = { 0 };
    struct local_list_state state;
    for (size_t i = 0; i < sources->config->list_count; i++) {
        const struct list_setting *setting = &sources->config->lists[i];
        if (!local_lists_state(sources->local, setting->name, &state) || state.problem.length == 0) continue;
        buffer_printf(&out, "list %.*s: %.*s; %s\n", TEXT_ARG(setting->name), TEXT_ARG(state.problem),
                      state.is_in_force ? "the list before stays in force" : "it is not in force");
    }
    command_reply(fd, buffer_length(&out) ? EX_DATAERR : EX_OK, buffer_text(&out));
    buffer_free(&out);
}

void lists_commands_settled(struct lists_commands *commands)
{
    for (size_t i = 0; i < commands->waiting_count; i++)
        problems_say(commands->sources, commands->waiting[i]);
    commands->waiting_count = 0;
}

static void settle(struct lists_commands *commands, int fd)
{
    if (local_lists_are_settled(commands->sources->local))
        problems_say(commands->sources, fd);
    else if (commands->waiting_count < WAITING_MOST)
        commands->waiting[commands->waiting_count++] = fd;
    else
        command_reply(fd, EX_TEMPFAIL, TEXT("too many wait for this"));
}

/* --- who has it --- */

static void hit_print(const struct trial *trial, const struct list_hit *hit, struct buffer *out)
{
    const struct list_setting *setting = config_list_find(trial->sources->config, hit->list);
    struct buffer says = { 0 };
    if (!setting) return;
    list_hit_say(buffer_text(&trial->subject), hit, list_setting_means(setting, &hit->answer), &says);
    buffer_add_text(out, TEXT("{\"list\": "));
    json_text_add(out, hit->list);
    member_add(out, "says", buffer_text(&says));
    if (hit->line) {
        member_add(out, "file", list_setting_path(setting));
        buffer_printf(out, ", \"line\": %u", hit->line);
    }
    buffer_printf(out, ", \"points\": %.1f}\n", list_setting_points(setting, &hit->answer));
    buffer_free(&says);
}

static void trial_end(struct trial *trial)
{
    int code = buffer_length(&trial->out) ? EX_OK : trial->is_incomplete ? EX_TEMPFAIL : 1;
    command_reply(trial->fd, code, buffer_text(&trial->out));
    buffer_free(&trial->out);
    buffer_free(&trial->subject);
    free(trial);
}

static void trial_answered(void *context, const struct list_answer *answer)
{
    struct trial *trial = context;
    for (uint32_t i = 0; i < answer->hit_count; i++) hit_print(trial, &answer->hits[i], &trial->out);
    trial->is_incomplete |= answer->is_incomplete;
    if (buffer_length(&trial->next) == 0) {
        trial_end(trial);
        return;
    }
    buffer_free(&trial->subject);
    trial->subject = trial->next;
    trial->next = (struct buffer){ 0 };
    list_inquiry_begin(trial->sources, buffer_text(&trial->subject), true, 0, trial_answered, trial);
}

/* What is hashed, in its one form; and its host or domain. */
static bool hashed_put(struct text value, struct buffer *subject, struct buffer *name)
{
    struct buffer form = { 0 };
    enum list_about about = LIST_ABOUTS;
    if (text_find(value, TEXT("://")) < value.length && list_value_url(value, &form))
        about = LIST_ABOUT_LINK_HASH;
    else if (text_find_char(value, '@') < value.length && list_value_address(value, &form))
        about = LIST_ABOUT_ADDRESS;
    struct text said = buffer_text(&form);
    size_t at = text_find_last_char(said, '@');
    struct text host = text_slice(said, 0, text_find_char(said, '/'));
    host = text_slice(host, 0, text_find_char(host, '?'));
    if (about != LIST_ABOUTS) list_subject_put(about, said, subject);
    if (about == LIST_ABOUT_ADDRESS)
        list_subject_put(LIST_ABOUT_FROM, text_slice(said, at + 1, said.length), name);
    if (about == LIST_ABOUT_LINK_HASH) list_subject_put(LIST_ABOUT_LINK, host, name);
    buffer_free(&form);
    return about != LIST_ABOUTS;
}

static enum list_about about_of(struct text value)
{
    struct address address;
    if (address_parse(value, &address)) return LIST_ABOUT_CLIENT;
    bool is_hash = value.length == 64;
    for (size_t i = 0; i < value.length; i++) is_hash = is_hash && char_hex_value(value.at[i]) >= 0;
    return is_hash ? LIST_ABOUT_HASH : LIST_ABOUT_LINK;
}

static void test(const struct list_sources *sources, struct text value, int fd)
{
    struct trial *trial = memory_alloc(sizeof *trial);
    *trial = (struct trial){ .sources = sources, .fd = fd };
    if (!hashed_put(value, &trial->subject, &trial->next))
        list_subject_put(about_of(value), value, &trial->subject);
    list_inquiry_begin(sources, buffer_text(&trial->subject), true, 0, trial_answered, trial);
}

struct lists_commands *lists_commands_new(const struct list_sources *sources)
{
    struct lists_commands *commands = memory_alloc(sizeof *commands);
    *commands = (struct lists_commands){ .sources = sources };
    return commands;
}

void lists_command_begin(struct lists_commands *commands, struct text command, int fd)
{
    struct text word, verb = TEXT_NONE, value = TEXT_NONE;
    text_next_word(&command, &word);
    text_next_word(&command, &verb);
    text_next_word(&command, &value);
    if (verb.length == 0)
        all_say(commands->sources, fd);
    else if (text_equal(verb, TEXT("settle")))
        settle(commands, fd);
    else if (text_equal(verb, TEXT("test")) && value.length > 0)
        test(commands->sources, value, fd);
    else
        command_reply(fd, EX_USAGE, TEXT("unknown command"));
}
