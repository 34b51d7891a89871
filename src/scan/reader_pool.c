/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Called by dispatcher.c and worker_pool.c. A spare may have died before it is given away: that is looked at
 * then.
 */
#include "scan/reader_pool.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/context.h"
#include "ipc/ask_open.h"
#include "scan/dispatcher_private.h"
#include "scan/scan_private.h"

enum { SPARES = 2, SPARES_MOST = 8 };

struct spare_reader {
    uint64_t number;
    int fd;
};

struct reader_pool {
    enum { READER_POOL_MAGIC = 0x2d9e61c3 } magic;
    struct dispatcher *dispatcher;
    struct channel *open; /* NULL: not there */
    struct spare_reader spares[SPARES_MOST];
    uint32_t spare_count, asked;
    uint64_t last_number, given, texts_lost;
};

struct reader_pool *reader_pool_new(struct dispatcher *dispatcher)
{
    struct reader_pool *pool = memory_alloc(sizeof *pool);
    pool->magic = READER_POOL_MAGIC;
    pool->dispatcher = dispatcher;
    return pool;
}

bool reader_pool_is_there(const struct reader_pool *pool)
{
    return pool->open != NULL;
}

static void end(struct reader_pool *pool, uint64_t number)
{
    if (pool->open) channel_send(pool->open, OPEN_END, number, TEXT_NONE);
}

/* --- giving --- */

static void give(struct reader_pool *pool, struct pool_worker *member, const struct spare_reader *spare)
{
    member->wants_reader = false;
    member->reader = spare ? spare->number : 0;
    if (spare) pool->given++;
    channel_send_fds(member->channel, WORKER_READER_IS, member->request->id, TEXT_NONE,
                     spare ? &spare->fd : NULL, spare ? 1 : 0);
}

static struct pool_worker *waiting_find(const struct reader_pool *pool, uint32_t *out_count)
{
    struct pool_worker *member, *found = NULL;
    *out_count = 0;
    LIST_FOREACH(member, &pool->dispatcher->workers, others) {
        if (!member->wants_reader) continue;
        found = member;
        ++*out_count;
    }
    return found;
}

/* As many as wait, and some ahead. */
static void fill(struct reader_pool *pool)
{
    uint32_t waiting;
    waiting_find(pool, &waiting);
    while (pool->open && pool->spare_count + pool->asked < SPARES + waiting) {
        channel_send(pool->open, OPEN_READER, ++pool->last_number, TEXT_NONE);
        pool->asked++;
    }
}

static bool is_alive(const struct spare_reader *spare)
{
    char byte;
    return recv(spare->fd, &byte, sizeof byte, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

void reader_pool_ask(struct reader_pool *pool, struct pool_worker *member)
{
    while (pool->spare_count > 0) {
        struct spare_reader spare = pool->spares[--pool->spare_count];
        if (is_alive(&spare)) {
            give(pool, member, &spare);
            fill(pool);
            return;
        }
        close(spare.fd);
    }
    if (!pool->open) {
        give(pool, member, NULL);
        return;
    }
    member->wants_reader = true;
    fill(pool);
}

void reader_pool_end(struct reader_pool *pool, struct pool_worker *member)
{
    if (member->reader) end(pool, member->reader);
    member->reader = 0;
    member->wants_reader = false;
}

/* --- open --- */

static void reader_is(struct reader_pool *pool, struct frame *frame)
{
    uint32_t waiting;
    const struct spare_reader spare = { frame->id, frame_take_fd(frame, 0) };
    struct pool_worker *member = waiting_find(pool, &waiting);
    if (pool->asked > 0) pool->asked--;
    if (member) {
        give(pool, member, spare.fd >= 0 ? &spare : NULL);
    } else if (spare.fd >= 0 && pool->spare_count < SPARES_MOST) {
        pool->spares[pool->spare_count++] = spare;
    } else if (spare.fd >= 0) {
        close(spare.fd);
        end(pool, spare.number);
    }
}

static bool open_frame(void *context, struct frame *frame)
{
    struct reader_pool *pool = CONTEXT(context, struct reader_pool, READER_POOL_MAGIC);
    if (frame->type != OPEN_READER_IS) return false;
    reader_is(pool, frame);
    return true;
}

/* Its readers die with it. */
static void open_gone(void *context)
{
    struct reader_pool *pool = CONTEXT(context, struct reader_pool, READER_POOL_MAGIC);
    struct pool_worker *member;
    uint32_t waiting;
    channel_close(pool->open);
    pool->open = NULL;
    pool->asked = 0;
    while (pool->spare_count > 0) close(pool->spares[--pool->spare_count].fd);
    while ((member = waiting_find(pool, &waiting)) != NULL) give(pool, member, NULL);
    LIST_FOREACH(member, &pool->dispatcher->workers, others) member->reader = 0;
}

void reader_pool_connect(struct reader_pool *pool, int fd)
{
    static const struct channel_events events = { open_frame, open_gone };
    if (pool->open) open_gone(pool);
    pool->open = channel_open(pool->dispatcher->child->loop, fd, &events, pool);
    fill(pool);
}

void reader_pool_text_lost(struct reader_pool *pool)
{
    pool->texts_lost++;
}

void reader_pool_status(const struct reader_pool *pool, struct buffer *out)
{
    child_status_add(out, "readers given", "%llu", (unsigned long long)pool->given);
    child_status_add(out, "texts not read", "%llu", (unsigned long long)pool->texts_lost);
}
