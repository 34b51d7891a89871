/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Called by a child of master between fork and exec. Never keeps a right that was not asked for. */
#include "master/privileges.h"

#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/die.h"
#include "base/sandbox.h"

/* Tried by a process of its own: who has made a namespace is in it. */
static bool may_make_namespaces(uid_t uid)
{
    int status = -1;
    signal(SIGCHLD, SIG_DFL); /* the loop's handler would write to master's loop */
    pid_t pid = fork();
    if (pid == 0) _exit(setuid(uid) == 0 && unshare(CLONE_NEWUSER) == 0 ? 0 : 1);
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

/* Without success the program goes on with nothing, and says what it lacks. */
static void mounting_keep(void)
{
    struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
    const uint32_t mounting = 1u << CAP_SYS_ADMIN;
    struct __user_cap_data_struct only[2] = { { mounting, mounting, mounting } };
    if (syscall(SYS_capset, &header, only) == 0)
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_ADMIN, 0, 0);
}

void privileges_drop(uid_t uid, gid_t gid, bool mounts)
{
    if (geteuid() != 0 || uid == 0) return;
    bool keeps = mounts && !may_make_namespaces(uid);
    capabilities_bound(keeps ? UINT64_C(1) << CAP_SYS_ADMIN : 0);
    if (keeps) prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
    if (setgroups(0, NULL) != 0 || setgid(gid) != 0 || setuid(uid) != 0)
        die_errno("privileges cannot be dropped");
    if (keeps) mounting_keep();
}
