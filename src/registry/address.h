// SPDX-License-Identifier: Apache-2.0
// Addresses of a registry, taken apart: what may be shown, and credentials within them.
#ifndef REGISTRY_ADDRESS_H
#define REGISTRY_ADDRESS_H

#include "http/url.h"

struct address {
    const char *url; // without credentials, without a slash at its end
    struct http_url parts;
};

// Addresses by commas. ST_USAGE with the way out; the text never holds a password.
enum status address_list(struct str urls, struct arena *arena, struct address **ret,
                         size_t *ret_n, struct err *err);

#endif
