/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Writes what monitors are told of processes and certificates into master's page of the counters file. Called
   by heartbeat.c. What /proc knows is read every LOOK_MS, in a bounded number of files. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "master/certificates.h"
#include "master/process_table_private.h"

enum { LOOK_MS = 5000, DEPTH_MOST = 4, DESCENDANTS_MOST = 256, CHILDREN_ROOM = 4096 };

struct sum {
    uint64_t ticks, pages;
    unsigned left; /* processes that may still be looked at */
};

static void tree_add(pid_t pid, unsigned depth, struct sum *sum);

/* Those whom the kernel lists; a kernel without such lists shows none. */
static void children_add(pid_t pid, unsigned depth, struct sum *sum)
{
    char path[64], room[CHILDREN_ROOM];
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? 0 : read(fd, room, sizeof room);
    if (fd >= 0) close(fd);
    struct text rest = text_from(room, got > 0 ? (size_t)got : 0), word;
    for (uint64_t child; text_next_word(&rest, &word) && text_to_number(word, INT32_MAX, &child);)
        tree_add((pid_t)child, depth + 1, sum);
}

/* A child that has ended counts with its parent, which buried it: the sum of a tree never falls. */
static void tree_add(pid_t pid, unsigned depth, struct sum *sum)
{
    struct hang_sight sight;
    if (sum->left == 0 || !hang_look(pid, &sight)) return;
    sum->left--;
    sum->ticks += sight.cpu_ticks + sight.ended_ticks;
    sum->pages += sight.resident_pages;
    if (depth < DEPTH_MOST) children_add(pid, depth, sum);
}

static void sum_write(const struct sum *sum, struct measured_process *out)
{
    out->cpu_ms = sum->ticks * 1000 / (uint64_t)sysconf(_SC_CLK_TCK);
    out->resident_bytes = sum->pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void member_write(const struct member *member, bool looks, struct measured_process *out)
{
    struct sum sum = { .left = DESCENDANTS_MOST };
    out->kind = (uint8_t)member->part->kind;
    out->index = member->index;
    out->is_running = member->state == MEMBER_READY;
    out->restarts = member->restarts;
    out->started_ms = member->pid > 0 ? member->started_wall_ms : 0;
    if (!looks && member->pid > 0) return;
    if (member->pid > 0) tree_add(member->pid, 0, &sum);
    sum_write(&sum, out);
}

/* Without its children, who have rows of their own, and without what it buried of them. */
static void master_write(const struct process_table *table, bool looks, struct measured_process *out)
{
    struct hang_sight sight;
    out->kind = PROCESS_MASTER;
    out->is_running = 1;
    out->started_ms = table->measuring.started_wall_ms;
    if (!looks || !hang_look(getpid(), &sight)) return;
    sum_write(&(struct sum){ .ticks = sight.cpu_ticks, .pages = sight.resident_pages }, out);
}

void master_measures_round(struct process_table *table)
{
    struct master_measures *page = table->start.state->measures;
    uint64_t now = loop_now_ms(table->start.loop);
    bool looks = now >= table->measuring.again_ms;
    if (looks) table->measuring.again_ms = now + LOOK_MS;
    if (!table->measuring.started_wall_ms) table->measuring.started_wall_ms = loop_wall_ms(table->start.loop);
    page->role = table->start.config->role;
    page->node = table->start.config->node.number;
    master_write(table, looks, &page->processes[0]);
    uint32_t count = 1;
    for (size_t i = 0; i < table->count && count < MEASURES_PROCESSES; i++)
        member_write(&table->members[i], looks, &page->processes[count++]);
    page->process_count = count;
}

void master_measures_certificates(struct process_table *table)
{
    struct master_measures *page = table->start.state->measures;
    page->certificate_count =
        certificates_measure(table->start.config, page->certificates, MEASURES_CERTIFICATES);
}
