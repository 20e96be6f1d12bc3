CREATE TABLE t (a TEXT NOT NULL, b INT, c REAL, d BOOLEAN) WITH (connector = 'filesystem', path = '${ROOT}/t', format = 'csv');
CREATE VIEW v AS WITH w AS (SELECT a, count(*) AS n, sum(b) AS s FROM t GROUP BY a HAVING count(*) > 1)
  SELECT w.a, CASE WHEN n > 1 THEN 'x' ELSE upper(w.a) END AS k, CAST(s AS TEXT) AS s FROM w WHERE n IN (1, 2) AND w.a LIKE 'a%'
  UNION ALL SELECT a, coalesce(a, 'b') || 'c', NULL FROM t WHERE EXISTS (SELECT 1 FROM t t2 WHERE t2.a = t.a) ORDER BY 1 LIMIT 3;
CREATE TABLE s (a TEXT NOT NULL, "B c" BIGINT) WITH (connector = 'kafka', brokers = 'b:1', topic = 't', format = 'avro', registry = 'http://r', "kafka.security.protocol" = 'SSL');
CREATE TABLE o () WITH (connector = 'filesystem', path = '/o', format = 'avro', codec = 'snappy');
SET batch.interval = '1s';
INSERT INTO o SELECT s.a, s."B c" + 1 AS n, v.k FROM s LEFT JOIN v ON v.a = s.a WHERE s.a <> '';
