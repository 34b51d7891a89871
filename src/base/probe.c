/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Test builds only: a process tries what its jail forbids and says what came of it. */
#ifdef SEKIMORI_JAIL_PROBE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/sandbox.h"

static int try_open(void)
{
    return open("/etc/passwd", O_RDONLY | O_CLOEXEC);
}

static int try_connect(void)
{
    struct sockaddr_in there = { .sin_family = AF_INET, .sin_port = htons(9) };
    there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    int result = connect(fd, (struct sockaddr *)&there, sizeof there);
    return result != 0 && errno == ECONNREFUSED ? 0 : result; /* it got through to a closed port */
}

static int try_exec(void)
{
    char *const arguments[] = { "true", NULL };
    execv("/bin/true", arguments);
    return -1;
}

/* One try a start, named by the environment: where the jail kills, nothing comes after it. */
void jail_probe(const char *process)
{
    const char *wanted = getenv("SEKIMORI_JAIL_PROBE");
    static const struct {
        const char *name;
        int (*attempt)(void);
    } attempts[] = { { "open", try_open }, { "connect", try_connect }, { "exec", try_exec } };
    for (size_t i = 0; wanted && i < sizeof attempts / sizeof *attempts; i++) {
        if (strcmp(wanted, attempts[i].name) != 0) continue;
        log_info("jail probe: %s tries %s", process, wanted);
        log_flush();
        int result = attempts[i].attempt();
        if (result < 0)
            log_info("jail probe: %s: %s denied: %s", process, wanted, strerror(errno));
        else
            log_error("jail probe: %s: %s ALLOWED", process, wanted);
        log_flush();
    }
}
#else
typedef int probe_is_empty; /* a translation unit has to declare something */
#endif
