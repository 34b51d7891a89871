/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "base/signals.h"

#include <signal.h>

void signals_default(void)
{
    sigset_t none;
    for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}
