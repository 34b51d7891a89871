/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The kernel is asked by connecting a datagram socket, which sends nothing and chooses the source as a
   connection does (RFC 6724). Called by main.c. */
#include "lookup/own_source.h"

#include <sys/socket.h>
#include <unistd.h>

#include "base/context.h"

enum { NO_WAY = 255, NOT_LOOKED_AT = 254 };

/* Any port would do. Zero: there is no way. */
static struct address source_to(const struct address *destination)
{
    enum { ANY_PORT = 25 };
    const struct endpoint to = { *destination, ANY_PORT };
    struct endpoint from = { 0 };
    struct sockaddr_storage room = { 0 };
    socklen_t length = endpoint_to_sockaddr(&to, &room);
    int fd = socket(room.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return from.address;
    if (connect(fd, (struct sockaddr *)&room, length) == 0) {
        length = sizeof room;
        bool is_known = getsockname(fd, (struct sockaddr *)&room, &length) == 0 &&
                        endpoint_from_sockaddr((struct sockaddr *)&room, &from);
        if (!is_known) from = (struct endpoint){ 0 };
    }
    close(fd);
    return from.address;
}

static uint8_t source_add(struct own_sources *own, const struct address *address)
{
    if (address_is_zero(address)) return NO_WAY;
    for (uint32_t i = 0; i < own->source_count; i++)
        if (address_equal(&own->sources[i].source.address, address)) return (uint8_t)i;
    if (own->source_count == OWN_SOURCES_MOST) return NOT_LOOKED_AT;
    own->sources[own->source_count] =
        (struct own_source){ .all = own, .source = { *address, CLIENT_NAME_TEMPERROR } };
    return (uint8_t)own->source_count++;
}

/* One question less; with the last one the answer is there, and `own` may be gone. */
static void count_down(struct own_sources *own)
{
    struct outbound_source sources[LOOKUP_SOURCES_MOST];
    if (--own->pending > 0) return;
    for (uint32_t i = 0; i < own->destination_count; i++) {
        uint8_t at = own->source_of[i];
        sources[i] =
            (struct outbound_source){ .status = at == NO_WAY ? CLIENT_NAME_NONE : CLIENT_NAME_TEMPERROR };
        if (at < OWN_SOURCES_MOST) sources[i] = own->sources[at].source;
    }
    own->answered(own->context, &(struct sources_answer){ own->destination_count, sources });
}

static void name_answered(struct asker *asker, const struct dns_question_answer *answer)
{
    struct own_source *source = (struct own_source *)asker;
    source->source.status = answer->client_name->status;
    count_down(CONTEXT(source->all, struct own_sources, OWN_SOURCES_MAGIC));
}

void own_sources_begin(struct own_sources *own, struct dns_question_table *table,
                       const struct sources_question *question, uint32_t deadline_ms,
                       void (*answered)(void *context, const struct sources_answer *answer), void *context)
{
    *own = (struct own_sources){ .magic = OWN_SOURCES_MAGIC,
                                 .answered = answered,
                                 .context = context,
                                 .destination_count = question->count };
    for (uint32_t i = 0; i < question->count; i++) {
        struct address address =
            address_is_zero(&question->own) ? source_to(&question->destinations[i]) : question->own;
        own->source_of[i] = source_add(own, &address);
    }
    own->pending = own->source_count + 1; /* one for this function */
    for (uint32_t i = 0; i < own->source_count; i++) {
        const struct dns_question_subject subject = { .kind = DNS_QUESTION_CLIENT_NAME,
                                                      .client = own->sources[i].source.address };
        own->sources[i].asker.answered = name_answered;
        dns_question_ask(table, &subject, deadline_ms, &own->sources[i].asker);
    }
    count_down(own);
}

void own_sources_leave(struct own_sources *own)
{
    for (uint32_t i = 0; i < own->source_count; i++) dns_question_leave(&own->sources[i].asker);
}
