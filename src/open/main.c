/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* open: looks into strangers' containers, by a process of its own for each message. Here: identity, jail,
   peers, run. It has no file but public tables to read, no network, no key, and no channel but to scan and
   master. */
#include <fcntl.h>
#include <malloc.h>
#include <sysexits.h>

#include "base/context.h"
#include "open/archive_reader.h"
#include "open/extract.h"
#include "open/nursery.h"
#include "open/reader_life.h"

struct service {
    enum { SERVICE_MAGIC = 0x6f70e93a } magic;
    struct child child;
    struct nursery *nursery;
    struct jail reader_jail;
};

static void scan_open(void *context, uint16_t index, int fd)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    nursery_connect(service->nursery, fd);
}

static const struct child_peer peers[] = { { PROCESS_SCAN, scan_open }, { 0 } };

static void on_status(void *context, struct buffer *out)
{
    const struct service *service = CONTEXT(context, const struct service, SERVICE_MAGIC);
    nursery_status(service->nursery, out);
}

static const struct child_events events = { .peers = peers, .on_status = on_status };

int main(int argc, char **argv)
{
    static struct service service = { .magic = SERVICE_MAGIC };
    child_start(&service.child, PROCESS_OPEN, argc, argv);
    int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
    archive_warm_up();
    extract_warm_up();
    malloc_trim(0); /* so that no child tidies up what is free, in pages of its own */
    bool is_jailed = service.child.config->processes.jail;
    if (nowhere < 0 || (is_jailed && !reader_life_jail(&service.reader_jail))) return EX_OSERR;
    if (!child_jail_paths(&service.child, JAIL_NURSERY, &reader_life_paths)) return EX_OSERR;
    service.nursery = nursery_new(&service.child, nowhere, is_jailed ? &service.reader_jail : NULL);
    return child_run(&service.child, &events, &service);
}
