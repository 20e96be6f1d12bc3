# SPDX-License-Identifier: Apache-2.0
# test: takes 155
# test: waits
# test: needs kafka registry
# test: limit 900
"""SET workers = 3: cases of other files by several threads. More are in workers, which has those that are about
them."""
import os

os.environ["TRAMLINE_TEST_WORKERS"] = "3"

from test_avro_faults import (  # noqa: E402, F401
    test_a_job_that_waits_stops_at_once_and_loses_nothing, test_a_schema_without_end_sets_its_records_aside,
    test_an_unknown_id_is_waited_for_then_a_dead_letter, test_an_unknown_id_may_only_be_late,
    test_another_address_takes_over, test_down_at_the_start, test_down_in_mid_stream_holds_back_one_partition,
    test_slow_keeps_nobody_else_waiting, test_the_wait_has_a_limit,
    test_what_cannot_heal_ends_the_job_and_skips_nothing, test_what_heals_is_waited_for)
from test_avro_header import test_a_record_is_read_by_the_id_in_its_header  # noqa: E402, F401
from test_avro_stream import (  # noqa: E402, F401
    test_reasons_have_the_path_of_the_field, test_versions_flip_from_record_to_record,
    test_what_is_not_framed_so_is_a_dead_letter)
from test_membership import (  # noqa: E402, F401
    test_a_worker_between_two_far_commits_goes_on, test_a_worker_goes_on_when_its_topic_gets_three_partitions,
    test_a_worker_without_a_group_goes_on, test_once_reads_partitions_added_between_two_runs_at_once,
    test_once_without_a_group_reads_partitions_added_between_two_runs,
    test_others_have_the_partitions_of_a_stopped_worker_within_three_seconds, test_three_workers_share_what_was_added)
from test_stream import (  # noqa: E402, F401
    test_a_broker_that_is_killed_comes_back, test_a_topic_made_anew_is_noticed_by_who_reads_it,
    test_another_job_on_the_directory_is_refused, test_bad_records_become_dead_letters_with_reasons,
    test_changed_tables_are_noticed, test_compacted_topics_have_holes_and_no_loss, test_files_roll_by_rows,
    test_on_error_fail_names_the_record, test_once_ends_before_an_open_transaction,
    test_partitions_added_later_are_read_from_their_beginning,
    test_quiet_stream_is_committed_by_the_clock_and_empty_batches_write_nothing,
    test_records_that_left_the_topic_are_never_skipped_in_silence, test_reset_starts_over_and_refuses_under_a_live_worker,
    test_sigterm_commits_and_leaves, test_too_many_bad_records_stop_the_job, test_transactions_and_aborted_tails,
    test_two_workers_share_the_partitions)
