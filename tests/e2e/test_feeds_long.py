# SPDX-License-Identifier: Apache-2.0
# test: needs kafka hdfs registry
# test: long
"""Mumbai in Avro: 1.87 million rows, which fastavro reads."""
import feeds
import lib


def test_mumbai_in_avro():
    feeds.whole_avro_job("mumbai")
