/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* engine: runs the commands of engines outside, one process tree for each message that consult brings. It has
   no network, no file of the node and no key, and looks at no byte of a message. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/context.h"
#include "base/file.h"
#include "base/log.h"
#include "base/temp_files.h"
#include "engine/command_paths.h"
#include "engine/runs.h"

/* A folder that every machine has, and that is there for what is not to be kept. */
#define ROOMS "/dev/shm"
enum { ROOM_FILES = 10000, TROUBLE_SIZE = 200 };
static const uint64_t ROOM_BYTES = UINT64_C(256) << 20;

struct service {
    enum { SERVICE_MAGIC = 0x3fa2c61e } magic;
    struct child child;
    struct command_set set;
    const char **rooms; /* ended by NULL */
    size_t room_count;
    char trouble[TROUBLE_SIZE]; /* why nothing can be run; empty: it can */
    struct runs *runs;
};

/* --- before the jail --- */

/* When memory is short, what runs here goes before what keeps mail. */
static void go_first(void)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    bool is_set = fd >= 0 && file_write_all(fd, TEXT("500"));
    if (!is_set) log_warning("the kernel is not told to end commands first: %s", strerror(errno));
    if (fd >= 0) close(fd);
}

/* A room for each command that runs at once. */
static bool rooms_make(struct service *service)
{
    size_t places = command_set_places(&service->set);
    while (service->room_count < places) {
        struct text path = arena_printf(service->set.arena, ROOMS "/%zu", service->room_count);
        if (!temporary_mount(path.at, ROOM_BYTES, ROOM_FILES, service->trouble, TROUBLE_SIZE)) return false;
        service->rooms[service->room_count++] = path.at;
    }
    return true;
}

/* Without namespaces no command is run: nothing would hold what it starts. */
static void isolate(struct service *service)
{
    service->rooms =
        arena_alloc_array(service->set.arena, command_set_places(&service->set) + 1, sizeof *service->rooms);
    if (temporary_separate(ROOMS, service->trouble, TROUBLE_SIZE) && rooms_make(service)) return;
    service->rooms[0] = NULL;
    log_error("commands are not run: %s", service->trouble);
}

static bool jail(struct service *service)
{
    struct jail_paths paths = command_paths(service->child.config, NULL, service->set.arena);
    paths.folders = service->rooms;
    return child_jail_paths(&service->child, JAIL_COMMANDS, &paths);
}

/* --- the process --- */

static void consult_open(void *context, uint16_t index, int fd)
{
    runs_connect(CONTEXT(context, struct service, SERVICE_MAGIC)->runs, fd);
}

static const struct child_peer peers[] = { { PROCESS_CONSULT, consult_open }, { 0 } };

/* A jail never opens again, and other commands may read other files: the next engine runs them. What runs
   ends with us. */
static void on_config(void *context, const struct config *old)
{
    struct service *service = CONTEXT(context, struct service, SERVICE_MAGIC);
    if (command_set_keep(&service->set, service->child.config)) return;
    log_info("there are other commands than before: starting anew");
    child_exit(&service->child, EX_OK);
}

static void on_status(void *context, struct buffer *out)
{
    runs_status(CONTEXT(context, struct service, SERVICE_MAGIC)->runs, out);
}

static const struct child_events events = { .peers = peers, .on_config = on_config, .on_status = on_status };

int main(int argc, char **argv)
{
    static struct service service = { .magic = SERVICE_MAGIC };
    child_start(&service.child, PROCESS_ENGINE, argc, argv);
    command_set_make(&service.set, service.child.config);
    go_first();
    isolate(&service);
    if (!jail(&service)) return EX_OSERR;
    service.runs = runs_new(&service.child, &service.set, service.rooms, service.room_count,
                            service.trouble[0] ? service.trouble : NULL);
    return child_run(&service.child, &events, &service);
}
