/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A reader ends when its message closes the channel; the kernel collects it. */
#include "readers.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/arena.h"
#include "ipc/channel.h"
#include "open/archive_reader.h"
#include "open/reader_life.h"

static unsigned forked;
static struct jail reader_jail;

static int reader_get(void *context)
{
    const struct config *config = context;
    const struct jail *jail = config->processes.jail ? &reader_jail : NULL;
    int ends[2], nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
    pid_t parent = getpid();
    if (nowhere < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return -1;
    pid_t pid = fork();
    if (pid == 0) reader_life_run(ends[1], nowhere, parent, config, jail);
    close(nowhere);
    close(ends[1]);
    forked += pid > 0;
    if (pid > 0) return ends[0];
    close(ends[0]);
    return -1;
}

struct reader_source *readers_source(const struct config *config)
{
    struct reader_source *source = memory_alloc(sizeof *source);
    *source = (struct reader_source){ .get = reader_get, .context = (void *)config };
    source->packet = memory_alloc(FRAME_LIMIT);
    signal(SIGCHLD, SIG_IGN);
    archive_warm_up();
    if (config->processes.jail && !reader_life_jail(&reader_jail)) exit(EX_OSERR);
    return source;
}

unsigned readers_forked(void)
{
    return forked;
}
