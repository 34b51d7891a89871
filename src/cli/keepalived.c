/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What keepalived is told, and why:
   - A node that cannot serve is in FAULT and has no address. One that is only sick (upstream, DNS, clock,
     disk, queue) has the least priority: when all are sick, the address stays where it is and is not lost.
   - Preemption is on, since else a sick owner would never lose. With equal priorities, the default, nobody
     takes the address from a node that is well: it does not move a second time when a node comes back. */
#include "cli/keepalived.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/buffer.h"
#include "cli/control.h"
#include "cli/fresh_file.h"
#include "cli/network.h"
#include "cli/options.h"
#include "config/load.h"

static const char help[] =
    "usage: sekimori keepalived [--unit | --release] [OPTIONS]\n\n"
    "Prints keepalived's configuration from the block vrrp of the configuration.\n\n"
    "  --unit             print the systemd unit that runs it instead\n"
    "  --release          take the shared address off this machine; the unit does that when keepalived\n"
    "                     has ended, since one that was killed could not\n"
    "  --write FILE       into a file, at once or not at all\n"
    "  --folder FOLDER    where the unit keeps the file and the process ids\n"
    "                     (default: /run/sekimori-vrrp)\n"
    "  --keepalived FILE  the program (default: /usr/sbin/keepalived)\n"
    "  --config FILE      Sekimori's configuration\n\n"
    "Exit codes: 0 done, 64 usage, 71 the address stays, 73 FILE cannot be written, 78 configuration.\n";

struct options {
    bool is_unit, is_release;
    const char *config, *write, *folder, *keepalived;
    char self[PATH_MAX];
};

static const struct verb_option table[] = {
    { "unit", OPTION_SWITCH, offsetof(struct options, is_unit), NULL, NULL },
    { "release", OPTION_SWITCH, offsetof(struct options, is_release), NULL, NULL },
    { "write", OPTION_WORD, offsetof(struct options, write), NULL, NULL },
    { "folder", OPTION_WORD, offsetof(struct options, folder), NULL, NULL },
    { "keepalived", OPTION_WORD, offsetof(struct options, keepalived), NULL, NULL },
    { "config", OPTION_WORD, offsetof(struct options, config), NULL, NULL, .letter = 'c' },
    { 0 }
};
const struct verb_usage keepalived_usage = { "keepalived", help, table };

/* --- keepalived.conf --- */

static void scripts_print(const struct config *config, const char *self, struct buffer *out)
{
    buffer_printf(out,
                  "# Whether this node serves at all; notices its end at once. Else it is in FAULT.\n"
                  "vrrp_script serving {\n"
                  "    script \"%s health --serving --watch 0.9 --state %.*s\"\n"
                  "    interval 1\n"
                  "    timeout 3\n"
                  "    fall 1\n"
                  "    rise 2\n"
                  "    init_fail\n"
                  "}\n\n",
                  self, TEXT_ARG(config->state));
    buffer_printf(out,
                  "# Whether it is well. One that is sick gives way to one that is not.\n"
                  "vrrp_script well {\n"
                  "    script \"%s health --state %.*s\"\n"
                  "    interval 1\n"
                  "    timeout 3\n"
                  "    fall 2\n"
                  "    rise 3\n"
                  "    weight -253\n"
                  "}\n\n",
                  self, TEXT_ARG(config->state));
}

static void list_print(const char *name, const struct text_list *list, struct buffer *out)
{
    if (list->count == 0) return;
    buffer_printf(out, "    %s {\n", name);
    for (size_t i = 0; i < list->count; i++) buffer_printf(out, "        %.*s\n", TEXT_ARG(list->items[i]));
    buffer_printf(out, "    }\n");
}

static void instance_print(const struct config *config, struct buffer *out)
{
    uint32_t centiseconds = config->vrrp.advertise_ms / 10;
    buffer_printf(out,
                  "vrrp_instance sekimori {\n"
                  "    state BACKUP\n"
                  "    interface %.*s\n"
                  "    virtual_router_id %" PRIu32 "\n"
                  "    priority %" PRIu32 "\n"
                  "    advert_int %" PRIu32 ".%02" PRIu32 "\n"
                  "    garp_master_delay 1\n"
                  "    garp_master_repeat 3\n"
                  "    garp_master_refresh 60\n"
                  "    garp_lower_prio_repeat 1\n"
                  "    track_script {\n"
                  "        serving\n"
                  "        well\n"
                  "    }\n",
                  TEXT_ARG(config->vrrp.interface), config->vrrp.id, config->vrrp.priority,
                  centiseconds / 100, centiseconds % 100);
    list_print("unicast_peer", &config->vrrp.peers, out);
    list_print("virtual_ipaddress", &config->vrrp.addresses, out);
    buffer_printf(out, "}\n");
}

static void config_print(const struct config *config, const struct options *options, struct buffer *out)
{
    struct text user = config->user.length ? config->user : TEXT("root");
    buffer_printf(out,
                  "# Made by `sekimori keepalived` from %s; what is changed here is lost.\n"
                  "global_defs {\n"
                  "    router_id %.*s\n"
                  "    vrrp_version 3\n"
                  "    vrrp_priority -10\n"
                  "    vrrp_no_swap\n"
                  "    enable_script_security\n"
                  "    script_user %.*s\n"
                  "}\n\n",
                  options->config, TEXT_ARG(config->hostname), TEXT_ARG(user));
    scripts_print(config, options->self, out);
    instance_print(config, out);
}

/* --- the unit --- */

static void unit_print(const struct options *options, struct buffer *out)
{
    const char *folder = options->folder;
    bool is_below_run = strncmp(folder, "/run/", 5) == 0 && !strchr(folder + 5, '/');
    buffer_printf(out, "# Made by `sekimori keepalived --unit`.\n"
                       "[Unit]\n"
                       "Description=The address that the nodes of Sekimori share (VRRP)\n"
                       "Wants=network-online.target\n"
                       "After=network-online.target sekimori.service\n"
                       "StartLimitIntervalSec=0\n\n"
                       "[Service]\n"
                       "Type=simple\n");
    if (is_below_run) buffer_printf(out, "RuntimeDirectory=%s\n", folder + 5);
    buffer_printf(out,
                  "# Files of one that was killed would keep the next one from starting.\n"
                  "ExecStartPre=/bin/rm -f %s/keepalived.pid %s/vrrp.pid\n"
                  "ExecStartPre=%s keepalived --config %s --write %s/keepalived.conf\n"
                  "ExecStart=%s --dont-fork --log-console --no-syslog --vrrp --use-file=%s/keepalived.conf "
                  "--pid=%s/keepalived.pid --vrrp_pid=%s/vrrp.pid\n"
                  "ExecReload=%s keepalived --config %s --write %s/keepalived.conf\n"
                  "ExecReload=/bin/kill -HUP $MAINPID\n",
                  folder, folder, options->self, options->config, folder, options->keepalived, folder, folder,
                  folder, options->self, options->config, folder);
    buffer_printf(out,
                  "# Also after kill -9: what is left of it is killed, and the address goes.\n"
                  "KillMode=mixed\n"
                  "TimeoutStopSec=5\n"
                  "ExecStopPost=%s keepalived --config %s --release\n"
                  "Restart=always\n"
                  "RestartSec=1\n\n"
                  "[Install]\n"
                  "WantedBy=multi-user.target\n",
                  options->self, options->config);
}

/* --- doing it --- */

static struct config *config_read(const char *path)
{
    struct problem_list problems;
    problem_list_start(&problems);
    struct config *config = config_load(path, &problems);
    problem_list_free(&problems);
    if (!config) fprintf(stderr, "sekimori: %s has errors; `sekimori check %s` lists them\n", path, path);
    if (!config || config->vrrp.addresses.count > 0) return config;
    fprintf(stderr, "sekimori: %s has no vrrp address\n", path);
    config_free(config);
    return NULL;
}

static int file_write(const char *path, struct text content)
{
    char error[PATH_MAX + 100];
    if (fresh_file_write(path, content, 0644, true, error, sizeof error)) return EX_OK;
    fprintf(stderr, "sekimori: %s\n", error);
    return EX_CANTCREAT;
}

static int print(const struct options *options, const struct config *config)
{
    struct buffer out = { 0 };
    int code = EX_OK;
    if (options->is_unit)
        unit_print(options, &out);
    else
        config_print(config, options, &out);
    if (options->write)
        code = file_write(options->write, buffer_text(&out));
    else
        fwrite(buffer_text(&out).at, 1, buffer_length(&out), stdout);
    buffer_free(&out);
    return code;
}

/* What is not there is gone already. */
static int release(const struct config *config)
{
    int code = EX_OK;
    char *interface = memory_string(config->vrrp.interface);
    for (size_t i = 0; i < config->vrrp.addresses.count; i++) {
        struct text word = config->vrrp.addresses.items[i];
        const char *why = network_address_remove(interface, word);
        if (!why) continue;
        fprintf(stderr, "sekimori: %.*s stays on %s: %s\n", TEXT_ARG(word), interface, why);
        code = EX_OSERR;
    }
    free(interface);
    return code;
}

int keepalived_main(int argc, char **argv)
{
    struct options options = { .config = config_default_path(),
                               .folder = "/run/sekimori-vrrp",
                               .keepalived = "/usr/sbin/keepalived" };
    char path[PATH_MAX];
    int code = options_read_all(&keepalived_usage, argc, argv, &options);
    if (code != OPTIONS_GO_ON) return code;
    ssize_t length = readlink("/proc/self/exe", options.self, sizeof options.self - 1);
    if (length <= 0) snprintf(options.self, sizeof options.self, "/usr/bin/sekimori");
    struct config *config = config_read(options.config);
    if (!config) return EX_CONFIG;
    if (realpath(options.config, path)) options.config = path;
    code = options.is_release ? release(config) : print(&options, config);
    config_free(config);
    return code;
}
