// SPDX-License-Identifier: Apache-2.0
#include "log/verifier.h"

#include <stdarg.h>
#include <stdio.h>

void verifier_find(struct verifier *verifier, enum finding_kind kind, const char *fmt,
                   ...)
{
    struct verify_report *report = verifier->report;
    char text[ERR_TEXT_MAX];
    report->n_errors += kind == FINDING_ERROR;
    if (report->n_findings == FINDINGS_MAX)
        return;
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    struct finding finding = {kind, arena_str(&report->arena, str_of(text))};
    report->findings[report->n_findings++] = finding;
}

void verifier_progress(const struct verifier *verifier, int64_t n_done)
{
    const struct verify_options *options = verifier->options;
    if (options->progress != NULL && n_done % 256 == 0)
        options->progress(options->context, n_done,
                          verifier->end - verifier->report->first_entry +
                              (int64_t)verifier->n_files);
}

enum status verifier_list(struct verifier *verifier, struct str directory,
                          struct arena *arena, struct file_list *ret, struct err *err)
{
    *ret = (struct file_list){0};
    struct storage *storage = verifier->storage;
    enum status rc = storage->ops->list(storage, directory, arena, ret, err);
    return rc == ST_NOT_FOUND ? ST_OK : rc;
}
