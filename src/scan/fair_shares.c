/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Fair queueing by start tags (Goyal, Vin and Cheng 1996). A request starts where its client's last one
   finishes, or at the tag of the one that was given last, whichever is later; it finishes as many bytes
   behind that. The least start is next, so that nobody waits for more than one request of each other client.
 */
#include "scan/fair_shares.h"

enum { MESSAGE_COST = 16 * 1024 }; /* bytes that a message costs beside its own */

static uint64_t finish_among(const struct request *list, const struct request *of, uint64_t finish)
{
    for (; list; list = list->next)
        if (list->weight == of->weight && list->finish > finish && address_equal(&list->client, &of->client))
            finish = list->finish;
    return finish;
}

static void line_insert(struct request **at, struct request *request)
{
    while (*at && (*at)->start <= request->start) at = &(*at)->next;
    request->next = *at;
    *at = request;
}

static bool line_remove(struct request **at, struct request *request)
{
    while (*at && *at != request) at = &(*at)->next;
    if (!*at) return false;
    *at = request->next;
    request->next = NULL;
    return true;
}

static void count_in(struct shares *waiting, const struct request *request)
{
    waiting->count++;
    waiting->bytes += buffer_length(&request->payload);
}

static void count_out(struct shares *waiting, const struct request *request)
{
    waiting->count--;
    waiting->bytes -= buffer_length(&request->payload);
}

bool shares_add(struct shares *waiting, struct request *request)
{
    struct request **line = &waiting->first[request->weight];
    size_t frame = buffer_length(&request->payload);
    if (waiting->count >= WAITING_MOST || waiting->bytes + frame > WAITING_BYTES_MOST) return false;
    uint64_t start = finish_among(*line, request, waiting->now[request->weight]);
    request->start = finish_among(waiting->given, request, start);
    request->finish = request->start + request->bytes + MESSAGE_COST;
    line_insert(line, request);
    count_in(waiting, request);
    return true;
}

struct request *shares_give(struct shares *waiting, enum request_weight weight)
{
    struct request *request = waiting->first[weight];
    if (!request) return NULL;
    waiting->first[weight] = request->next;
    waiting->now[weight] = request->start;
    count_out(waiting, request);
    request->next = waiting->given;
    waiting->given = request;
    return request;
}

void shares_take_back(struct shares *waiting, struct request *request)
{
    line_remove(&waiting->given, request);
    request->next = waiting->first[request->weight];
    waiting->first[request->weight] = request;
    count_in(waiting, request);
}

void shares_end(struct shares *waiting, struct request *request)
{
    if (line_remove(&waiting->first[request->weight], request))
        count_out(waiting, request);
    else
        line_remove(&waiting->given, request);
}

struct request *shares_any(const struct shares *waiting)
{
    return waiting->first[REQUEST_SMALL] ? waiting->first[REQUEST_SMALL] : waiting->first[REQUEST_LARGE];
}
