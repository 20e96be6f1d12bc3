// SPDX-License-Identifier: Apache-2.0
// Nexmark's query 13 by Flink SQL: FlinkQ13 BROKERS TOPIC SIDE_INPUT RESULT KEYS. Reads what is in the topic, then
// ends; in batch mode, with the side table broadcast, which is what costs Flink least.
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;

public class FlinkQ13 {
    public static void main(String[] args) throws Exception {
        TableEnvironment tables = TableEnvironment.create(EnvironmentSettings.inBatchMode());
        tables.getConfig().set("parallelism.default", "2");
        tables.executeSql("CREATE TABLE bid (auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING,"
            + " date_time BIGINT, extra STRING) WITH ('connector' = 'kafka', 'topic' = '" + args[1] + "',"
            + " 'properties.bootstrap.servers' = '" + args[0] + "', 'scan.startup.mode' = 'earliest-offset',"
            + " 'scan.bounded.mode' = 'latest-offset', 'format' = 'csv')");
        tables.executeSql("CREATE TABLE side_input (`key` BIGINT, `value` STRING) WITH ('connector' = 'filesystem',"
            + " 'path' = '" + args[2] + "', 'format' = 'csv')");
        tables.executeSql("CREATE TABLE q13 (auction BIGINT, bidder BIGINT, price BIGINT, date_time BIGINT,"
            + " `value` STRING) WITH ('connector' = 'filesystem', 'path' = '" + args[3] + "', 'format' = 'csv')");
        tables.executeSql("INSERT INTO q13 SELECT /*+ BROADCAST(s) */ b.auction, b.bidder, b.price, b.date_time,"
            + " s.`value` FROM bid b JOIN side_input s ON s.`key` = MOD(b.auction, " + args[4] + ")").await();
    }
}
