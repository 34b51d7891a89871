/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* libcurl tells which sockets it waits for; the loop waits. A socket's watch closes it. */
#include "consult/list_transfer.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/queue.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/context.h"
#include "base/file.h"

enum { CONNECT_MS = 20000, SLOW_BYTES_A_S = 500, SLOW_S = 60 };

/* A socket of the library's. */
struct wire {
    enum { WIRE_MAGIC = 0x2f6e91b3 } magic;
    struct list_transfers *transfers;
    struct watch *watch;
    int fd;
    LIST_ENTRY(wire) others;
};

struct list_transfers {
    enum { LIST_TRANSFERS_MAGIC = 0x1d90ac52 } magic;
    struct loop *loop;
    CURLM *multi;
    struct timer *timer;
    LIST_HEAD(wire_list, wire) wires;
};

struct list_transfer {
    enum { LIST_TRANSFER_MAGIC = 0x64b7f10c } magic;
    struct list_transfers *transfers;
    CURL *easy;
    struct curl_slist *addresses, *fields;
    struct address allowed[LIST_TRANSFER_ADDRESSES];
    size_t allowed_count;
    uint64_t most_bytes, got_bytes;
    int fd; /* the memfd */
    struct list_validators validators;
    char trouble[CURL_ERROR_SIZE], why[LIST_TRANSFER_WHY_SIZE];
    void (*ended)(void *context, const struct list_result *result);
    void *context;
};

/* --- the end of a transfer --- */

static void transfer_free(struct list_transfer *transfer)
{
    if (transfer->easy) curl_multi_remove_handle(transfer->transfers->multi, transfer->easy);
    curl_easy_cleanup(transfer->easy);
    curl_slist_free_all(transfer->addresses);
    curl_slist_free_all(transfer->fields);
    if (transfer->fd >= 0) close(transfer->fd);
    free(transfer);
}

void list_transfer_cancel(struct list_transfer *transfer)
{
    transfer_free(transfer);
}

static void why_set(struct list_transfer *transfer, const char *words)
{
    if (!transfer->why[0]) text_copy_printable(text_of(words), transfer->why, sizeof transfer->why);
}

static long status_of(const struct list_transfer *transfer)
{
    long status = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

static bool seal(struct list_transfer *transfer)
{
    const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
    if (fcntl(transfer->fd, F_ADD_SEALS, seals) == 0) return true;
    why_set(transfer, strerror(errno));
    return false;
}

static bool is_moved(long status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static enum list_outcome outcome_of(struct list_transfer *transfer, CURLcode code, char **out_location)
{
    long status = status_of(transfer);
    char words[64];
    *out_location = NULL;
    if (is_moved(status)) curl_easy_getinfo(transfer->easy, CURLINFO_REDIRECT_URL, out_location);
    if (*out_location) return LIST_MOVED;
    if (code == CURLE_OK && status == 304 && transfer->fields) return LIST_UNCHANGED;
    if (status != 200 && status != 0) {
        snprintf(words, sizeof words, "the server says %ld", status);
        why_set(transfer, words);
    }
    if (code == CURLE_OK && status == 200 && seal(transfer)) return LIST_CAME;
    why_set(transfer, transfer->trouble[0] ? transfer->trouble : curl_easy_strerror(code));
    return LIST_FAILED;
}

static void transfer_end(struct list_transfer *transfer, CURLcode code)
{
    char *location;
    struct list_result result = { .fd = -1 };
    result.outcome = outcome_of(transfer, code, &location);
    result.location = text_of(location);
    result.etag = text_of(transfer->validators.etag);
    result.modified = text_of(transfer->validators.modified);
    result.why = transfer->why;
    if (result.outcome == LIST_CAME) {
        result.fd = transfer->fd;
        transfer->fd = -1;
    }
    transfer->ended(transfer->context, &result);
    transfer_free(transfer);
}

static void ends_look(struct list_transfers *transfers)
{
    int left;
    CURLMsg *message;
    while ((message = curl_multi_info_read(transfers->multi, &left))) {
        void *context = NULL;
        CURLcode code = message->data.result;
        if (message->msg != CURLMSG_DONE) continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &context);
        transfer_end(CONTEXT(context, struct list_transfer, LIST_TRANSFER_MAGIC), code);
    }
}

/* --- the library and the loop --- */

static void wire_ready(void *context, int what)
{
    struct wire *wire = CONTEXT(context, struct wire, WIRE_MAGIC);
    struct list_transfers *transfers = wire->transfers;
    int running,
        events = (what & WATCH_READ ? CURL_CSELECT_IN : 0) | (what & WATCH_WRITE ? CURL_CSELECT_OUT : 0);
    curl_multi_socket_action(transfers->multi, wire->fd, events, &running);
    ends_look(transfers);
}

static void time_over(void *context)
{
    struct list_transfers *transfers = CONTEXT(context, struct list_transfers, LIST_TRANSFERS_MAGIC);
    int running;
    curl_multi_socket_action(transfers->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    ends_look(transfers);
}

static int timer_wanted(CURLM *multi, long after_ms, void *context)
{
    struct list_transfers *transfers = CONTEXT(context, struct list_transfers, LIST_TRANSFERS_MAGIC);
    if (after_ms < 0)
        timer_clear(transfers->timer);
    else
        timer_set(transfers->timer, (uint64_t)after_ms);
    return 0;
}

static struct wire *wire_find(const struct list_transfers *transfers, int fd)
{
    struct wire *wire;
    LIST_FOREACH(wire, &transfers->wires, others)
        if (wire->fd == fd) return wire;
    return NULL;
}

static int wire_wanted(CURL *easy, curl_socket_t fd, int what, void *context, void *unused)
{
    struct list_transfers *transfers = CONTEXT(context, struct list_transfers, LIST_TRANSFERS_MAGIC);
    struct wire *wire = wire_find(transfers, fd);
    bool reads = what == CURL_POLL_IN || what == CURL_POLL_INOUT;
    bool writes = what == CURL_POLL_OUT || what == CURL_POLL_INOUT;
    if (wire) watch_set(wire->watch, (reads ? WATCH_READ : 0) | (writes ? WATCH_WRITE : 0));
    return 0;
}

/* Only to where it was sent: the library has the names' addresses from us alone, and this looks again. */
static bool may_connect(const struct list_transfer *transfer, const struct curl_sockaddr *to)
{
    struct endpoint endpoint;
    if (!endpoint_from_sockaddr(&to->addr, &endpoint)) return false;
    for (size_t i = 0; i < transfer->allowed_count; i++)
        if (address_equal(&transfer->allowed[i], &endpoint.address)) return true;
    return false;
}

static curl_socket_t wire_open(void *context, curlsocktype purpose, struct curl_sockaddr *to)
{
    struct list_transfer *transfer = CONTEXT(context, struct list_transfer, LIST_TRANSFER_MAGIC);
    struct list_transfers *transfers = transfer->transfers;
    if (purpose != CURLSOCKTYPE_IPCXN || !may_connect(transfer, to)) return CURL_SOCKET_BAD;
    int fd = socket(to->family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return CURL_SOCKET_BAD;
    struct wire *wire = memory_alloc(sizeof *wire);
    *wire = (struct wire){ .magic = WIRE_MAGIC, .transfers = transfers, .fd = fd };
    wire->watch = watch_new(transfers->loop, fd, wire_ready, wire);
    LIST_INSERT_HEAD(&transfers->wires, wire, others);
    return fd;
}

static int wire_close(void *context, curl_socket_t fd)
{
    struct list_transfers *transfers = CONTEXT(context, struct list_transfers, LIST_TRANSFERS_MAGIC);
    struct wire *wire = wire_find(transfers, fd);
    if (!wire) return close(fd);
    LIST_REMOVE(wire, others);
    watch_free(wire->watch);
    free(wire);
    return 0;
}

struct list_transfers *list_transfers_new(struct loop *loop)
{
    struct list_transfers *transfers = memory_alloc(sizeof *transfers);
    *transfers = (struct list_transfers){ .magic = LIST_TRANSFERS_MAGIC, .loop = loop };
    LIST_INIT(&transfers->wires);
    transfers->timer = timer_new(loop, time_over, transfers);
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) die("libcurl cannot be set up");
    transfers->multi = curl_multi_init();
    if (!transfers->multi) die("libcurl cannot be set up");
    curl_multi_setopt(transfers->multi, CURLMOPT_SOCKETFUNCTION, wire_wanted);
    curl_multi_setopt(transfers->multi, CURLMOPT_SOCKETDATA, transfers);
    curl_multi_setopt(transfers->multi, CURLMOPT_TIMERFUNCTION, timer_wanted);
    curl_multi_setopt(transfers->multi, CURLMOPT_TIMERDATA, transfers);
    return transfers;
}

/* --- the reply --- */

static size_t head_take(char *bytes, size_t one, size_t length, void *context)
{
    struct list_transfer *transfer = CONTEXT(context, struct list_transfer, LIST_TRANSFER_MAGIC);
    list_reply_line(text_from(bytes, length), &transfer->validators);
    return length;
}

static bool may_take(struct list_transfer *transfer, size_t length)
{
    const char *type = NULL;
    char words[LIST_TRANSFER_WHY_SIZE];
    if (status_of(transfer) != 200) return false;
    curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_TYPE, &type);
    if (!list_reply_is_list(type)) {
        snprintf(words, sizeof words, "its Content-Type is %.100s: this is no list", type);
        why_set(transfer, words);
        return false;
    }
    if (length <= transfer->most_bytes - transfer->got_bytes) return true;
    snprintf(words, sizeof words, "is larger than %llu MiB", (unsigned long long)transfer->most_bytes >> 20);
    why_set(transfer, words);
    return false;
}

static size_t content_take(char *bytes, size_t one, size_t length, void *context)
{
    struct list_transfer *transfer = CONTEXT(context, struct list_transfer, LIST_TRANSFER_MAGIC);
    if (!may_take(transfer, length)) return 0;
    if (!file_write_all(transfer->fd, text_from(bytes, length))) {
        why_set(transfer, strerror(errno));
        return 0;
    }
    transfer->got_bytes += length;
    return length;
}

/* --- the request --- */

/* "NAME:PORT:ADDRESS,ADDRESS", which is all that the library knows of names. */
static struct curl_slist *addresses_make(const struct list_request *request)
{
    struct buffer line = { 0 };
    char room[ADDRESS_TEXT_SIZE];
    buffer_printf(&line, "%.*s:%u:", TEXT_ARG(request->where.host), request->where.port);
    for (size_t i = 0; i < request->address_count; i++)
        buffer_printf(&line, address_is_v4(&request->addresses[i]) ? "%s%s" : "%s[%s]", i ? "," : "",
                      address_print(&request->addresses[i], room));
    buffer_add_char(&line, '\0');
    struct curl_slist *list = curl_slist_append(NULL, buffer_text(&line).at);
    buffer_free(&line);
    return list;
}

static struct curl_slist *field_add(struct curl_slist *fields, const char *name, struct text value)
{
    char line[LIST_VALIDATOR_SIZE + 40];
    if (value.length == 0) return fields;
    snprintf(line, sizeof line, "%s: %.*s", name, TEXT_ARG(value));
    return curl_slist_append(fields, line);
}

static void trust_set(CURL *easy, struct text ca)
{
    struct curl_blob roots = { (void *)(uintptr_t)ca.at, ca.length, CURL_BLOB_COPY };
    curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
    curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &roots);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
}

static void bounds_set(CURL *easy, const struct list_request *request)
{
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->limit_ms);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, (long)SLOW_BYTES_A_S);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)SLOW_S);
    curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)request->most_bytes);
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
}

static void manners_set(CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "sekimori");
}

static void callbacks_set(CURL *easy, struct list_transfer *transfer)
{
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->trouble);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, head_take);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, content_take);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, wire_open);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, wire_close);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, transfer->transfers);
}

static void url_set(CURL *easy, struct text url)
{
    char *copy = memory_string(url);
    curl_easy_setopt(easy, CURLOPT_URL, copy);
    free(copy);
}

struct list_transfer *list_transfer_begin(struct list_transfers *transfers,
                                          const struct list_request *request,
                                          void (*ended)(void *context, const struct list_result *result),
                                          void *context)
{
    struct list_transfer *transfer = memory_alloc(sizeof *transfer);
    *transfer = (struct list_transfer){ .magic = LIST_TRANSFER_MAGIC,
                                        .transfers = transfers,
                                        .easy = curl_easy_init(),
                                        .allowed_count = request->address_count,
                                        .most_bytes = request->most_bytes,
                                        .ended = ended,
                                        .context = context };
    memcpy(transfer->allowed, request->addresses, request->address_count * sizeof *transfer->allowed);
    transfer->fd = memfd_create("list", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (!transfer->easy || transfer->fd < 0) die_errno("a list cannot be fetched");
    if (!request->where.is_address) transfer->addresses = addresses_make(request);
    transfer->fields = field_add(transfer->fields, "If-None-Match", request->etag);
    transfer->fields = field_add(transfer->fields, "If-Modified-Since", request->modified);
    url_set(transfer->easy, request->url);
    curl_easy_setopt(transfer->easy, CURLOPT_RESOLVE, transfer->addresses);
    curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->fields);
    manners_set(transfer->easy);
    trust_set(transfer->easy, request->ca);
    bounds_set(transfer->easy, request);
    callbacks_set(transfer->easy, transfer);
    curl_multi_add_handle(transfers->multi, transfer->easy);
    return transfer;
}
