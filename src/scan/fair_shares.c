/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Fair queueing by start tags (Goyal, Vin and Cheng 1996). A request starts where its client's last one
   finishes, or at the tag of the one that was given last, whichever is later; it finishes as many bytes
   behind that. The least start is next, so that nobody waits for more than one request of each other client.
 */
#include "scan/fair_shares.h"

enum { MESSAGE_COST = 16 * 1024 }; /* bytes that a message costs beside its own */
enum { BYTES_A_MS = 32 * 1024 };   /* of plain text that a worker reads, in order of magnitude */

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

/* NULL: its messages cost what they weigh. */
static struct dear_client *dear_find(struct shares *waiting, const struct address *client)
{
    for (int i = 0; i < DEAR_CLIENTS; i++)
        if (waiting->dear[i].turns && address_equal(&waiting->dear[i].client, client))
            return &waiting->dear[i];
    return NULL;
}

static bool is_late(const struct shares *waiting, const struct address *client)
{
    for (const struct request *given = waiting->given; given; given = given->next)
        if (given->is_late && address_equal(&given->client, client)) return true;
    return false;
}

/* Into its line, behind what its client has coming. */
static void tag(struct shares *waiting, struct request *request)
{
    bool is_read = request->type == SCAN_READ;
    const struct dear_client *dear = is_read ? dear_find(waiting, &request->client) : NULL;
    if (dear || (is_read && is_late(waiting, &request->client))) request->weight = REQUEST_LARGE;
    struct request **line = &waiting->first[request->weight];
    uint64_t cost = dear && dear->bytes > request->bytes ? dear->bytes : request->bytes;
    uint64_t start = finish_among(*line, request, waiting->now[request->weight]);
    request->start = finish_among(waiting->given, request, start);
    request->finish = request->start + cost + MESSAGE_COST;
    line_insert(line, request);
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
    size_t frame = buffer_length(&request->payload);
    if (waiting->count >= WAITING_MOST || waiting->bytes + frame > WAITING_BYTES_MOST) return false;
    tag(waiting, request);
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

static void move_to_large(struct shares *waiting, const struct address *client)
{
    for (struct request **at = &waiting->first[REQUEST_SMALL]; *at;) {
        struct request *request = *at;
        if (request->type != SCAN_READ || !address_equal(&request->client, client)) {
            at = &request->next;
            continue;
        }
        *at = request->next;
        tag(waiting, request);
    }
}

void shares_late(struct shares *waiting, struct request *request)
{
    request->is_late = true;
    move_to_large(waiting, &request->client);
}

void shares_spent(struct shares *waiting, const struct request *request, uint64_t spent_ms)
{
    struct dear_client *dear = dear_find(waiting, &request->client);
    uint64_t turns = spent_ms / DEAR_MS < DEAR_TURNS_MOST ? spent_ms / DEAR_MS : DEAR_TURNS_MOST;
    if (request->bytes > REQUEST_SMALL_MOST) return; /* goes with the large anyhow */
    if (!turns && dear) dear->turns--;
    if (!turns) return;
    if (!dear) dear = &waiting->dear[waiting->dear_next++ % DEAR_CLIENTS];
    *dear = (struct dear_client){ request->client, (uint32_t)turns, spent_ms * BYTES_A_MS };
    move_to_large(waiting, &request->client);
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
