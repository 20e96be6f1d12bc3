# SPDX-License-Identifier: Apache-2.0
# test: takes 60
# test: waits
# test: needs kafka registry
"""client = 'librdkafka', which is no default any more: cases of other files by it. More are kafka_security, and
native, where its members share with ours."""
import os

os.environ["TRAMLINE_TEST_CLIENT"] = "librdkafka"

from test_live_kafka import test_what_run_takes_is_ready  # noqa: E402, F401
from test_membership import test_others_have_the_partitions_of_a_stopped_worker_within_three_seconds  # noqa: E402, F401
from test_outages import test_brokers_that_refuse_are_named  # noqa: E402, F401
from test_stream import (  # noqa: E402, F401
    test_a_topic_made_anew_is_noticed_by_who_reads_it,
    test_a_topic_made_anew_is_noticed_with_nothing_to_read, test_compacted_topics_have_holes_and_no_loss,
    test_once_ends_before_an_open_transaction, test_partitions_added_later_are_read_from_their_beginning,
    test_records_that_left_the_topic_are_never_skipped_in_silence, test_sigterm_commits_and_leaves,
    test_transactions_and_aborted_tails, test_two_workers_share_the_partitions)
