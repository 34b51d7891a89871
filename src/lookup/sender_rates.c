/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "lookup/sender_rates.h"

#include <inttypes.h>
#include <sysexits.h>

#include "base/codec.h"
#include "base/json_text.h"
#include "base/log.h"
#include "ipc/ask_master.h"
#include "ipc/hourly_table.h"
#include "lookup/command_reply.h"
#include "lookup/inside_senders.h"
#include "lookup/signup_floods.h"

struct sender_rates {
    struct loop *loop;
    const struct config *config;
    struct senders *senders;
    struct arena *arena; /* of one frame */
    struct inside_senders *inside;
    struct signup_floods *signups;
    struct two_images *kept; /* run/inside; NULL: nothing outlives this process */
};

static const struct two_images_form kept_form = { UINT64_C(0x3130454449534e49), SENDER_RATES_IMAGE_MOST };

/* --- the file --- */

static void kept_read(struct sender_rates *rates)
{
    if (two_images_is_used(rates->kept) &&
        !inside_senders_get(rates->inside, two_images_read(rates->kept, &kept_form)))
        log_error("run/inside is damaged: which senders inside were held is forgotten");
}

static void kept_write(struct sender_rates *rates)
{
    struct buffer bytes = { 0 };
    if (!inside_senders_have_changed(rates->inside) || !rates->kept) return;
    inside_senders_put(rates->inside, loop_wall_ms(rates->loop), &bytes);
    two_images_write(rates->kept, &kept_form, buffer_text(&bytes));
    buffer_free(&bytes);
}

static struct two_images *kept_map(int fd)
{
    struct two_images *kept = fd < 0 ? NULL : two_images_map(fd, &kept_form, true);
    if (!kept) log_error("run/inside cannot be mapped: which senders inside are held ends with this process");
    return kept;
}

struct sender_rates *sender_rates_new(struct loop *loop, struct senders *senders, int fd)
{
    struct sender_rates *rates = memory_alloc(sizeof *rates);
    rates->loop = loop;
    rates->senders = senders;
    rates->arena = arena_new(0);
    rates->inside = inside_senders_new();
    rates->signups = signup_floods_new();
    rates->kept = kept_map(fd);
    kept_read(rates);
    return rates;
}

void sender_rates_configure(struct sender_rates *rates, const struct config *config)
{
    rates->config = config;
}

static struct inside_time time_of(const struct sender_rates *rates)
{
    return (struct inside_time){ loop_now_ms(rates->loop), loop_wall_ms(rates->loop) };
}

/* --- frames --- */

static void first_log(const struct sender_rates *rates, const struct rate_subject *subject,
                      const struct rate_answer *answer)
{
    struct buffer says = { 0 };
    rate_answer_say(answer, &says);
    if (answer->cause == RATE_SIGNUPS)
        log_warning("a flood of sign-ups to one recipient: %.*s%s", TEXT_ARG(buffer_text(&says)),
                    rates->config->signups.mode == MODE_ON ? "; they are held" : "");
    else
        log_warning("the sender inside <%.*s> passed a line: %.*s; its mail is %s", TEXT_ARG(subject->sender),
                    TEXT_ARG(buffer_text(&says)),
                    rates->config->inside.mode == MODE_ON ? "held from now on" : "not held (inside mode)");
    buffer_free(&says);
}

/* Whoever wrote to a recipient before the flood belongs to none. */
static void signups_count(struct sender_rates *rates, const struct rate_subject *subject,
                          struct rate_answer *out)
{
    struct text *recipients = arena_alloc_array(rates->arena, subject->recipient_count, sizeof *recipients);
    struct rate_subject strange = *subject;
    for (uint32_t i = 0; i < subject->recipient_count; i++) {
        bool is_known = rates->senders && senders_has_contact(rates->senders, subject->sender,
                                                              subject->recipients[i], HOURLY_MS);
        recipients[i] = is_known ? TEXT_NONE : subject->recipients[i];
    }
    strange.recipients = recipients;
    signup_floods_message(rates->signups, rates->config, &strange, loop_now_ms(rates->loop), out);
}

static bool answer(struct sender_rates *rates, struct channel *channel, struct frame *frame)
{
    struct rate_subject subject;
    struct rate_answer answer;
    struct buffer bytes = { 0 };
    struct text asked;
    uint32_t deadline_ms;
    if (!lookup_name_get(frame, &deadline_ms, &asked)) return false;
    if (!rate_subject_get(rates->arena, asked, &subject)) return false;
    bool is_new;
    if (subject.about == RATE_ABOUT_INSIDE) {
        is_new = inside_senders_message(rates->inside, rates->config, &subject, time_of(rates), &answer);
    } else {
        signups_count(rates, &subject, &answer);
        is_new = answer.is_first;
    }
    if (is_new) first_log(rates, &subject, &answer);
    kept_write(rates);
    rate_answer_put(&answer, &bytes);
    put_text(channel_begin(channel, LOOKUP_RATE_IS, frame->id), buffer_text(&bytes));
    channel_end(channel);
    buffer_free(&bytes);
    return true;
}

static bool event_take(struct sender_rates *rates, const struct frame *frame)
{
    enum rate_event event;
    struct text sender;
    if (!rate_event_get(frame->payload, &event, &sender)) return false;
    inside_senders_event(rates->inside, event, sender, loop_now_ms(rates->loop));
    return true;
}

bool sender_rates_is_frame(const struct frame *frame)
{
    return frame->type == LOOKUP_RATE || frame->type == LOOKUP_RATE_SEEN;
}

bool sender_rates_frame(struct sender_rates *rates, enum process_kind peer, struct channel *channel,
                        struct frame *frame)
{
    bool may_tell = peer == PROCESS_DELIVER && frame->type == LOOKUP_RATE_SEEN;
    if (peer != PROCESS_RECEIVE && !may_tell) return false;
    arena_reset(rates->arena);
    return frame->type == LOOKUP_RATE ? answer(rates, channel, frame) : event_take(rates, frame);
}

/* --- commands --- */

static void held_print(const struct inside_held *held, struct buffer *out)
{
    struct buffer says = { 0 };
    rate_answer_say(&held->why, &says);
    buffer_add_text(out, TEXT("{\"sender\":"));
    json_text_add(out, text_of(held->sender));
    buffer_printf(out,
                  ",\"cause\":\"%s\",\"says\":\"%.*s\",\"since_ms\":%" PRIu64 ",\"until_ms\":%" PRIu64
                  ",\"messages\":%u}\n",
                  rate_cause_name(held->why.cause), TEXT_ARG(buffer_text(&says)), held->since_ms,
                  held->why.until_ms, held->messages);
    buffer_free(&says);
}

static void held_say(const struct sender_rates *rates, int fd)
{
    const struct inside_held *held;
    struct buffer out = { 0 };
    uint64_t wall_ms = loop_wall_ms(rates->loop);
    for (size_t i = 0; (held = inside_senders_held(rates->inside, i, wall_ms)) != NULL; i++)
        held_print(held, &out);
    command_reply(fd, EX_OK, buffer_text(&out));
    buffer_free(&out);
}

static void release(struct sender_rates *rates, struct text sender, int fd)
{
    if (!inside_senders_release(rates->inside, sender, time_of(rates))) {
        command_reply(fd, EX_NOINPUT, TEXT("no sender of that address is held"));
        return;
    }
    kept_write(rates);
    log_info("the sender inside <%.*s> is held no longer: an administrator released it", TEXT_ARG(sender));
    command_reply(fd, EX_OK, TEXT_NONE);
}

void sender_rates_command(struct sender_rates *rates, struct text command, int fd)
{
    struct text word = TEXT_NONE, verb = TEXT_NONE, sender = TEXT_NONE;
    text_next_word(&command, &word);
    text_next_word(&command, &verb);
    text_next_word(&command, &sender);
    if (text_equal(verb, TEXT("held")))
        held_say(rates, fd);
    else if (text_equal(verb, TEXT("release")) && sender.length > 0)
        release(rates, sender, fd);
    else
        command_reply(fd, EX_USAGE, TEXT("unknown command"));
}

uint32_t sender_rates_held(const struct sender_rates *rates)
{
    return inside_senders_count(rates->inside, loop_wall_ms(rates->loop));
}
