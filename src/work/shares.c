// SPDX-License-Identifier: Apache-2.0
#include "work/shares.h"

#include <inttypes.h>

#include "base/log.h"
#include "base/text.h"

static enum status check_bad(const struct shares *shares,
                             const struct job_settings *settings, struct str topic,
                             bool is_end, struct err *err)
{
    int64_t limit = settings->on_error_share;
    if (!share_window_exceeds(&shares->bad, limit, is_end))
        return ST_OK;
    return err_set(
        err, ST_DATA,
        "topic '%.*s': of the last %s %s cannot be read, more than "
        "on_error.share = '%" PRId64 "%%'; the last is partition %" PRId32
        " offset %" PRId64
        ": %.*s; what was read since the last commit is read again at the next "
        "start",
        STR_ARGS(topic), text_counted((int64_t)shares->bad.n_seen, "record", "records"),
        text_count((int64_t)shares->bad.n_counted), limit, shares->last_partition,
        shares->last_offset, STR_ARGS(buf_as_str(&shares->last_reason)));
}

static void note_bad(struct shares *shares, size_t n_good, const struct shares_bad *bad)
{
    share_window_add(&shares->bad, n_good, bad->n);
    if (bad->n == 0)
        return;
    shares->last_partition = bad->partition;
    shares->last_offset = bad->offset;
    buf_clear(&shares->last_reason);
    buf_str(&shares->last_reason, bad->reason);
}

enum status shares_add_bad(struct shares *shares, const struct job_settings *settings,
                           struct str topic, size_t n_good, const struct shares_bad *bad,
                           struct err *err)
{
    lock_take(&shares->lock);
    note_bad(shares, n_good, bad);
    enum status rc = check_bad(shares, settings, topic, false, err);
    lock_give(&shares->lock);
    return rc;
}

static enum status low_match(const struct shares *shares,
                             const struct job_settings *settings, struct str topic,
                             struct err *err)
{
    const struct share_window *unmatched = &shares->unmatched;
    return err_set(err, ST_DATA,
                   "topic '%.*s': of the last %s %s gave a row, fewer than "
                   "match.min = '%" PRId64 "%%'; are the tables those of this stream?",
                   STR_ARGS(topic),
                   text_counted((int64_t)unmatched->n_seen, "record", "records"),
                   text_count((int64_t)(unmatched->n_seen - unmatched->n_counted)),
                   settings->match_min);
}

static enum status check_matches(struct shares *shares,
                                 const struct job_settings *settings, struct str topic,
                                 bool is_end, struct err *err)
{
    bool was_low = shares->is_match_low;
    shares->is_match_low =
        share_window_exceeds(&shares->unmatched, 100 - settings->match_min, is_end);
    if (!shares->is_match_low || (was_low && settings->on_low_match == ON_LOW_MATCH_WARN))
        return ST_OK;
    enum status rc = low_match(shares, settings, topic, err);
    if (settings->on_low_match == ON_LOW_MATCH_FAIL)
        return rc;
    log_warn("%s", err->text);
    return ST_OK;
}

enum status shares_add_matches(struct shares *shares, const struct job_settings *settings,
                               struct str topic, size_t n_matched, size_t n_unmatched,
                               struct err *err)
{
    if (settings->match_min == 0)
        return ST_OK;
    lock_take(&shares->lock);
    share_window_add(&shares->unmatched, n_matched, n_unmatched);
    enum status rc = check_matches(shares, settings, topic, false, err);
    lock_give(&shares->lock);
    return rc;
}

enum status shares_check_end(struct shares *shares, const struct job_settings *settings,
                             struct str topic, struct err *err)
{
    lock_take(&shares->lock);
    enum status rc = check_bad(shares, settings, topic, true, err);
    if (rc == ST_OK)
        rc = check_matches(shares, settings, topic, true, err);
    lock_give(&shares->lock);
    return rc;
}

void shares_release(struct shares *shares)
{
    buf_release(&shares->last_reason);
}
