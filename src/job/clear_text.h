// SPDX-License-Identifier: Apache-2.0
// A warning where credentials are sent so that others on the way can read them: over http
// to another machine. To this one (localhost, 127.0.0.0/8, [::1]) they never leave it.
#ifndef JOB_CLEAR_TEXT_H
#define JOB_CLEAR_TEXT_H

#include "sql/plan.h"

// Of a script: its registry's, and the tokens of HDFS with Kerberos.
void clear_text_tell_script(const struct plan *plan);
// Of a feed's URL; nothing for what is not a URL.
void clear_text_tell_feed(const char *location);

#endif
