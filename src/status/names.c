// SPDX-License-Identifier: Apache-2.0
#include "status/names.h"

const char *const outcome_names[OUTCOMES_N] = {
    [OUTCOME_MATCHED] = "matched",   [OUTCOME_UNMATCHED] = "unmatched",
    [OUTCOME_FILTERED] = "filtered", [OUTCOME_REJECTED] = "rejected",
    [OUTCOME_IGNORED] = "ignored",
};

const char *const reject_reason_names[REJECT_REASONS_N] = {
    [REJECT_UNREADABLE] = "unreadable",
    [REJECT_QUERY] = "query",
    [REJECT_TOO_LARGE] = "too_large",
};

const char *const commit_result_names[COMMIT_RESULTS_N] = {
    [COMMIT_DONE] = "done",
    [COMMIT_CONFLICT] = "conflict",
    [COMMIT_FAILED] = "failed",
};

const char *const commit_phase_names[COMMIT_PHASES_N] = {
    [COMMIT_UPLOAD] = "upload",
    [COMMIT_PUBLISH] = "publish",
    [COMMIT_RENAME] = "rename",
};

const char *const board_phase_names[BOARD_PHASES_N] = {
    [BOARD_STARTING] = "starting",   [BOARD_IDLE] = "idle",
    [BOARD_ASSIGNING] = "assigning", [BOARD_READING] = "reading",
    [BOARD_STOPPING] = "stopping",   [BOARD_STOPPED] = "stopped",
};
