// SPDX-License-Identifier: Apache-2.0
// For LD_PRELOAD: there is no descriptor for an eventfd.
#include <errno.h>
#include <sys/eventfd.h>

int eventfd(unsigned int count, int flags)
{
    (void)count, (void)flags;
    errno = EMFILE;
    return -1;
}
