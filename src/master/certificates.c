/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A handful of small files is read a minute and compared with what is in force: no clock and no inode number
   can mislead that. */
#include "master/certificates.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/certificate.h"
#include "base/hash.h"
#include "base/json_text.h"
#include "config/load.h"

enum { READ_STEP = 16384, WARN_DAYS = 30 };

_Static_assert((int)HEALTH_SUBJECT_SIZE <= (int)MEASURES_NAME_SIZE, "a use does not fit");

struct use {
    const struct file_content *file;
    bool is_key;
    const struct listener *listener; /* NULL: of the node, or the authorities of `tls verified` */
    const char *name;
};

/* All of them; the caller frees the list. */
static struct use *uses_of(const struct config *config, size_t *out_count)
{
    struct use *uses = memory_alloc((4 + 2 * config->listener_count) * sizeof *uses), *at = uses;
    *at++ = (struct use){ &config->node.certificate, false, NULL, "node" };
    *at++ = (struct use){ &config->node.ca, false, NULL, "authority of nodes" };
    *at++ = (struct use){ &config->node.key, true, NULL, NULL };
    *at++ = (struct use){ &config->deliver.ca, false, NULL, "authorities of deliver" };
    for (size_t i = 0; i < config->listener_count; i++) {
        const struct listener *listener = &config->listeners[i];
        *at++ = (struct use){ &listener->certificate, false, listener, "listen" };
        *at++ = (struct use){ &listener->key, true, NULL, NULL };
    }
    *out_count = (size_t)(at - uses);
    return uses;
}

/* --- what has changed --- */

static uint64_t digest_add(uint64_t digest, struct text content)
{
    return digest * UINT64_C(0x9E3779B97F4A7C15) + hash_text(content);
}

/* A file that cannot be read counts as its error number. */
static void file_read(struct text path, struct buffer *out)
{
    char *name = memory_string(path);
    ssize_t got = -1;
    int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    buffer_clear(out);
    while (fd >= 0 && buffer_length(out) <= CONFIG_CONTENT_MOST &&
           (got = read(fd, buffer_reserve(out, READ_STEP), READ_STEP)) > 0)
        buffer_commit(out, (size_t)got);
    if (got < 0) buffer_printf(out, "error %d", errno);
    if (fd >= 0) close(fd);
    free(name);
}

bool certificates_have_changed(const struct config *config, struct certificates_seen *seen)
{
    uint64_t in_force = 1, on_disk = 1;
    size_t count;
    struct buffer content = { 0 };
    struct use *uses = uses_of(config, &count);
    for (size_t i = 0; i < count; i++) {
        if (uses[i].file->path.length == 0) continue;
        file_read(uses[i].file->path, &content);
        on_disk = digest_add(on_disk, buffer_text(&content));
        in_force = digest_add(in_force, uses[i].file->content);
    }
    free(uses);
    buffer_free(&content);
    if (on_disk == in_force) seen->refused = 0;
    if (on_disk == in_force || on_disk == seen->refused) return false;
    seen->refused = on_disk;
    return true;
}

/* --- status and health --- */

static char *use_print(const struct use *use, char room[HEALTH_SUBJECT_SIZE])
{
    char address[ADDRESS_TEXT_SIZE];
    const struct listener *listener = use->listener;
    if (listener)
        snprintf(room, HEALTH_SUBJECT_SIZE, "listen %s port %u",
                 address_print(&listener->endpoint.address, address), listener->endpoint.port);
    else
        snprintf(room, HEALTH_SUBJECT_SIZE, "%s", use->name);
    return room;
}

static void one_print(const struct use *use, int64_t now_s, struct buffer *out)
{
    char room[HEALTH_SUBJECT_SIZE];
    struct arena *arena = arena_new(1024);
    struct certificate_facts facts = { 0 };
    bool is_read = certificate_read(use->file->content, arena, &facts);
    int64_t left = certificate_days_left(facts.until_s, now_s);
    buffer_add_text(out, TEXT("{\"use\":"));
    json_text_add(out, text_of(use_print(use, room)));
    buffer_add_text(out, TEXT(",\"file\":"));
    json_text_add(out, use->file->path);
    buffer_add_text(out, TEXT(",\"names\":"));
    json_text_add(out, facts.names);
    buffer_add_text(out, TEXT(",\"serial\":"));
    json_text_add(out, facts.serial);
    buffer_printf(out, ",\"until\":%" PRId64 ",\"days_left\":%" PRId64, facts.until_s, left);
    if (!is_read)
        buffer_add_text(out, TEXT(",\"warning\":\"cannot be read\""));
    else if (left < 0)
        buffer_add_text(out, TEXT(",\"warning\":\"has expired\""));
    else if (left < WARN_DAYS)
        buffer_printf(out, ",\"warning\":\"expires in %" PRId64 " days\"", left);
    buffer_add_char(out, '}');
    arena_free(arena);
}

static bool stood_before(const struct use *uses, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (!uses[i].is_key && text_equal(uses[i].file->path, uses[index].file->path)) return true;
    return false;
}

void certificates_print(const struct config *config, int64_t now_s, struct buffer *out)
{
    size_t count, shown = 0;
    struct use *uses = uses_of(config, &count);
    buffer_add_char(out, '[');
    for (size_t i = 0; i < count; i++) {
        if (uses[i].is_key || uses[i].file->path.length == 0 || stood_before(uses, i)) continue;
        if (shown++) buffer_add_char(out, ',');
        one_print(&uses[i], now_s, out);
    }
    buffer_add_char(out, ']');
    free(uses);
}

uint32_t certificates_measure(const struct config *config, struct measured_certificate *out, uint32_t most)
{
    size_t count;
    uint32_t used = 0;
    struct use *uses = uses_of(config, &count);
    struct arena *arena = arena_new(1024);
    for (size_t i = 0; i < count && used < most; i++) {
        struct certificate_facts facts;
        bool is_ours = !uses[i].is_key && uses[i].file != &config->deliver.ca;
        if (!is_ours || uses[i].file->path.length == 0 || stood_before(uses, i)) continue;
        if (!certificate_read(uses[i].file->content, arena, &facts)) continue;
        use_print(&uses[i], out[used].use);
        out[used++].until_s = facts.until_s;
    }
    arena_free(arena);
    free(uses);
    return used;
}

void certificates_first(const struct config *config, int64_t now_s, struct judged_certificate *out)
{
    size_t count;
    struct use *uses = uses_of(config, &count);
    struct arena *arena = arena_new(1024);
    *out = (struct judged_certificate){ 0 };
    for (size_t i = 0; i < count; i++) {
        struct certificate_facts facts;
        bool is_shown = !uses[i].is_key && (uses[i].listener || uses[i].file == &config->node.certificate);
        if (!is_shown || !certificate_read(uses[i].file->content, arena, &facts)) continue;
        int64_t left = certificate_days_left(facts.until_s, now_s);
        if (out->use[0] && left >= out->days_left) continue;
        use_print(&uses[i], out->use);
        out->days_left = left;
    }
    arena_free(arena);
    free(uses);
}
