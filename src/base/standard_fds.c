/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Fills the gaps among descriptors 0, 1 and 2. */
#include "base/standard_fds.h"

#include <fcntl.h>
#include <sysexits.h>
#include <unistd.h>

void standard_open(void)
{
    int fd;
    do fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd < 0) _exit(EX_OSERR);
    close(fd);
}
