# SPDX-License-Identifier: Apache-2.0
"""The job of examples/stm/pipeline.sql as it is written in Spark Structured Streaming: spark_job.py
BROKERS TOPIC TABLES RESULT CHECKPOINT. Reads what is in the topic, then ends."""
import sys

from pyspark.sql import SparkSession
from pyspark.sql.functions import col, from_csv

TABLES = {
    "trips": "route_id STRING, service_id STRING, trip_id STRING, trip_headsign STRING, direction_id INT,"
             " shape_id STRING, wheelchair_accessible INT, note_fr STRING, note_en STRING",
    "calendar_dates": "service_id STRING, date STRING, exception_type INT",
    "frequencies": "trip_id STRING, start_time STRING, end_time STRING, headway_secs INT",
}
STOP_TIMES = "trip_id STRING, arrival_time STRING, departure_time STRING, stop_id STRING, stop_sequence INT"


def main(brokers, topic, tables, result, checkpoint):
    spark = SparkSession.builder.appName("enriched_stop_time").config("spark.sql.shuffle.partitions", 2).getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    for name, schema in TABLES.items():
        spark.read.csv(f"{tables}/{name}", schema=schema, header=True).createOrReplaceTempView(name)
    enriched_trip = spark.sql(
        "SELECT t.*, d.date, d.exception_type, f.start_time, f.end_time, f.headway_secs FROM trips t"
        " LEFT JOIN calendar_dates d ON d.service_id = t.service_id LEFT JOIN frequencies f ON f.trip_id = t.trip_id")
    enriched_trip.cache()
    records = spark.readStream.format("kafka").options(**{
        "kafka.bootstrap.servers": brokers, "subscribe": topic, "startingOffsets": "earliest"}).load()
    stop_times = records.select(from_csv(col("value").cast("string"), STOP_TIMES).alias("s")).select("s.*")
    query = (stop_times.join(enriched_trip, "trip_id").writeStream.format("csv")
             .options(path=result, checkpointLocation=checkpoint).trigger(availableNow=True).start())
    query.awaitTermination()


main(*sys.argv[1:])
