/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Clocks, sockets and option words for the bench programs. */
#include "tool.h"

#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/die.h"

double tool_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static double seconds_of(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec * 1e-6;
}

double tool_cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

_Noreturn static void refuse(const char *option, const char *word, const char *wanted)
{
    fprintf(stderr, "--%s %s: %s\n", option, word, wanted);
    exit(EX_USAGE);
}

struct endpoint tool_endpoint(const char *option, const char *word)
{
    struct text text = text_of(word);
    size_t colon = text_find_last_char(text, ':');
    struct text host = text_slice(text, 0, colon);
    struct endpoint endpoint = { 0 };
    uint64_t port = 0;
    if (colon == text.length || !text_to_number(text_slice(text, colon + 1, text.length), 65535, &port) ||
        port == 0)
        refuse(option, word, "an address and a port are needed, like 127.0.0.1:25");
    if (text_starts(host, TEXT("[")) && text_ends(host, TEXT("]")))
        host = text_slice(host, 1, host.length - 1);
    if (text_equal_nocase(host, TEXT("localhost"))) host = TEXT("127.0.0.1");
    if (!address_parse(host, &endpoint.address))
        refuse(option, word, "the part before the port must be an IP address");
    endpoint.port = (uint16_t)port;
    return endpoint;
}

uint64_t tool_number(const char *option, const char *word, uint64_t least, uint64_t most)
{
    uint64_t number = 0;
    char wanted[96];
    snprintf(wanted, sizeof wanted, "a whole number from %llu to %llu is needed", (unsigned long long)least,
             (unsigned long long)most);
    if (!text_to_number(text_of(word), most, &number) || number < least) refuse(option, word, wanted);
    return number;
}

double tool_decimal(const char *option, const char *word, double least, double most)
{
    char *end = NULL;
    double number = strtod(word, &end);
    char wanted[96];
    snprintf(wanted, sizeof wanted, "a number from %g to %g is needed", least, most);
    if (end == word || *end || !isfinite(number) || number < least || number > most)
        refuse(option, word, wanted);
    return number;
}

void tool_usage(int argc, char **argv, int least, int most, const char *usage)
{
    const struct text first = text_of(argc > 1 ? argv[1] : "");
    bool is_asked = text_equal(first, TEXT("--help")) || text_equal(first, TEXT("-h"));
    if (!is_asked && argc > least && argc <= most + 1 && !text_starts(first, TEXT("-"))) return;
    fprintf(is_asked ? stdout : stderr, "usage: %s\n", usage);
    exit(is_asked ? EX_OK : EX_USAGE);
}

void tool_raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) die_errno("getrlimit");
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) die_errno("setrlimit");
}

int tool_listen(const struct endpoint *endpoint)
{
    struct sockaddr_storage address;
    char name[ADDRESS_TEXT_SIZE];
    socklen_t length = endpoint_to_sockaddr(endpoint, &address);
    int one = 1;
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) die_errno("socket");
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one); /* accepted sockets inherit it */
    if (bind(fd, (struct sockaddr *)&address, length) != 0 || listen(fd, 65535) != 0)
        die_errno("cannot listen on %s port %u", address_print(&endpoint->address, name), endpoint->port);
    return fd;
}

static bool bind_to(int fd, const struct address *source)
{
    struct sockaddr_storage address;
    const struct endpoint from = { .address = *source };
    socklen_t length = endpoint_to_sockaddr(&from, &address);
    int one = 1;
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    return bind(fd, (struct sockaddr *)&address, length) == 0;
}

int tool_connect(const struct endpoint *endpoint, const struct address *source)
{
    struct sockaddr_storage address;
    socklen_t length = endpoint_to_sockaddr(endpoint, &address);
    int one = 1;
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if ((!source || bind_to(fd, source)) &&
        (connect(fd, (struct sockaddr *)&address, length) == 0 || errno == EINPROGRESS))
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}
