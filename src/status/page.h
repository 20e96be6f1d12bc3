// SPDX-License-Identifier: Apache-2.0
// The files of the page, as they lie in this folder; the build makes them part of the
// program.
#ifndef STATUS_PAGE_H
#define STATUS_PAGE_H

extern const char page_html[], page_css[], page_js[];

#endif
