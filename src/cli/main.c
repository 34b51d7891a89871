/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* sekimori: one command, a verb each. */
#include "base/standard_fds.h"
#include "cli/verb_table.h"

int main(int argc, char **argv)
{
    standard_open();
    return verb_table_run(argc, argv);
}
