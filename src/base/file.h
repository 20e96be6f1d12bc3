// SPDX-License-Identifier: Apache-2.0
// Files of this machine that are opened to be read: plain files and nothing else.
//
// A named pipe keeps whoever opens it waiting for a writer, a device never ends, a socket
// cannot be opened: each is told as what it is, at once.
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdint.h>
#include <sys/stat.h>

// "a named pipe, not a file"; NULL: it is a plain file.
const char *file_is_no_file(const struct stat *info);

// Opens a plain file; NULL, or why it cannot be: of errno, or what stands there instead
// (errno is EISDIR or EINVAL then). The text is valid until the thread's next strerror.
const char *file_open(const char *path, int *ret_fd, int64_t *ret_size);

// A new file in $TMPDIR (/tmp without one) that has no name any more and goes with the
// process: its descriptor, or -1 with errno. `ret_directory` is where.
int file_open_temporary(const char **ret_directory);

#endif
