/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The owner of a connection that came from another process, in place of a lane. */
#include "deliver/adopted.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/context.h"
#include "base/log.h"
#include "deliver/pool_private.h"

struct adopted {
    enum { ADOPTED_MAGIC = 0x5a0e94b3 } magic;
    struct host *host;
};

static void adopted_end(struct adopted *adopted)
{
    adopted->host->lanes--;
    adopted->host->busy--;
    free(adopted);
}

static void on_ready(void *owner, struct outbound *outbound)
{
    outbound_leave(outbound);
    adopted_end(CONTEXT(owner, struct adopted, ADOPTED_MAGIC));
}

static void on_closed(void *owner, struct outbound *outbound)
{
    (void)outbound;
    adopted_end(CONTEXT(owner, struct adopted, ADOPTED_MAGIC));
}

static const struct outbound_events events = { .on_ready = on_ready, .on_closed = on_closed };

static struct host *host_of(struct pool *pool, int fd)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    struct endpoint endpoint;
    if (getpeername(fd, (struct sockaddr *)&address, &size) != 0) return NULL;
    return endpoint_from_sockaddr((struct sockaddr *)&address, &endpoint) ? hosts_get(&pool->hosts, &endpoint)
                                                                          : NULL;
}

/* Every byte that the life before read was taken in: none of a reply is gone with it, which would be waited
   for in vain. */
static bool has_heard_all(int fd, uint64_t heard)
{
    enum { CLOSE_WAIT = 8 }; /* of the kernel's tcp_states.h: its end of the connection counts as a byte */
    static char room[64 * 1024];
    struct tcp_info facts = { 0 };
    socklen_t size = sizeof facts;
    ssize_t unread = recv(fd, room, sizeof room, MSG_PEEK | MSG_DONTWAIT);
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &facts, &size) != 0) return false;
    uint64_t all = heard + (uint64_t)(unread > 0 ? unread : 0);
    return facts.tcpi_bytes_received == all + (facts.tcpi_state == CLOSE_WAIT);
}

/* False: the connection is gone already, or what stands in the file makes no sense. */
static bool adopt(struct pool *pool, struct jobs *jobs, int fd, const struct flight_load *load)
{
    struct host *host = has_heard_all(fd, load->heard) ? host_of(pool, fd) : NULL;
    struct errand *errand = host ? jobs_adopt(jobs, load) : NULL;
    if (!errand) return false;
    struct adopted *adopted = memory_alloc(sizeof *adopted);
    adopted->magic = ADOPTED_MAGIC;
    adopted->host = host;
    host->lanes++;
    host->busy++;
    outbound_adopt(
        &(struct outbound_start){
            .ground = pool->start.ground, .host = host, .events = &events, .owner = adopted },
        fd, load, errand);
    return true;
}

unsigned adopted_take(struct flights *flights, struct pool *pool, struct jobs *jobs)
{
    enum { MOST = FLIGHTS_MOST };
    struct flight_load *loads = memory_alloc(MOST * sizeof *loads);
    int fds[MOST], fd;
    unsigned count = 0, adopted = 0;
    /* All are taken before the first is kept anew in the same file. */
    for (struct flight_load load; flights_take(flights, &load, &fd);) {
        if (count == MOST) {
            close(fd);
            continue;
        }
        loads[count] = load;
        fds[count++] = fd;
    }
    for (unsigned i = 0; i < count; i++) {
        if (adopt(pool, jobs, fds[i], &loads[i]))
            adopted++;
        else
            close(fds[i]);
    }
    free(loads);
    if (adopted) log_info("%u messages were under way when deliver died; their replies are awaited", adopted);
    return adopted;
}
