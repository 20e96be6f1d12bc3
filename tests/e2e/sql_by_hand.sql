-- Queries over the tables of sql_queries.py that both Tramline and PostgreSQL must take, and
-- answer with the same rows or both with an error; each ends with a semicolon. Run by
-- test_postgres.py.

-- NULLs, numbers
SELECT -7 / 2 AS a, -7 % 2 AS b, 7 / -2 AS c, 7 % -2 AS d, -7 % -2 AS e;
SELECT CAST(CAST(2.5 AS DOUBLE PRECISION) AS INT) AS a, CAST(CAST(3.5 AS DOUBLE PRECISION) AS INT) AS b;
SELECT CAST(CAST(-2.5 AS DOUBLE PRECISION) AS INT) AS a, round(CAST(0.5 AS DOUBLE PRECISION)) AS b;
SELECT round(k) AS c, ceil(r) AS d, floor(r) AS e FROM a;
SELECT id FROM a WHERE r = k OR r > 1000000000000;
SELECT k FROM a WHERE k IN (SELECT r FROM a);
SELECT k FROM a WHERE k NOT IN (SELECT k FROM c);
SELECT k FROM a WHERE k NOT IN (SELECT k FROM e);
SELECT true > false AS x, f = (k > 1) AS y FROM a;
SELECT id FROM a WHERE NOT f OR f IS NULL;
-- aggregates over no rows, of types, as expressions
SELECT count(*) AS n, max(s) AS m, sum(v) AS t, avg(r) AS g, bool_and(f) AS h FROM a WHERE id > 99;
SELECT count(k) AS n, min(z) AS m FROM e;
SELECT count(*) AS n FROM a WHERE 1 = 2 GROUP BY k;
SELECT sum(w) AS x, sum(k) AS y, min(t) AS z FROM b;
SELECT sum(w * w) AS x FROM b;
SELECT sum(k * 1000000000) AS x FROM b;
SELECT count(*) FILTER (WHERE k > 1) AS a, sum(k) FILTER (WHERE false) AS b FROM a;
SELECT k % 2 AS p, sum(v) AS s, count(DISTINCT s) AS n FROM a GROUP BY k % 2 ORDER BY 1;
SELECT k + 1 AS p, sum(v) AS s FROM a GROUP BY p HAVING sum(v) > 0;
SELECT k AS x FROM a GROUP BY k ORDER BY count(*) DESC, k LIMIT 2;
SELECT k AS x FROM a GROUP BY k HAVING bool_or(f);
SELECT a.k AS x, (SELECT count(*) FROM b WHERE b.k = a.k) AS n FROM a GROUP BY a.k;
SELECT k FROM a GROUP BY k, k;
SELECT sum(count(*)) OVER () AS x, k FROM a GROUP BY k;
SELECT rank() OVER (ORDER BY count(*)) AS x, k FROM a GROUP BY k;
-- subqueries as values: of one row at most
SELECT id, (SELECT k FROM b WHERE b.k = a.k) AS x FROM a;
SELECT id FROM a WHERE k = (SELECT k FROM b);
SELECT id, (SELECT w FROM b WHERE b.k = a.k ORDER BY w LIMIT 1) AS x FROM a;
SELECT id, (SELECT w FROM b WHERE b.k = a.k AND w = 2) AS x FROM a;
SELECT (SELECT k FROM b WHERE k = 4) + (SELECT count(*) FROM e) AS x;
SELECT id FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.k = a.k AND NOT EXISTS (SELECT 1 FROM c WHERE c.k = b.k));
SELECT max(a.k) AS m FROM a WHERE a.k < (SELECT max(b.k) FROM b WHERE b.k < a.v);
SELECT k FROM a WHERE k IN (SELECT k FROM b ORDER BY k DESC LIMIT 1);
-- joins
SELECT a.k, b.k AS bk FROM a LEFT JOIN b ON false;
SELECT a.k, b.k AS bk FROM a RIGHT JOIN b ON true WHERE a.k IS NULL;
SELECT * FROM e RIGHT JOIN b USING (k);
SELECT k FROM a RIGHT JOIN b USING (k) WHERE k = 4;
SELECT q.k FROM a q LEFT JOIN b USING (k) RIGHT JOIN c USING (k);
SELECT a.id FROM a LEFT JOIN (SELECT k, 1 AS one FROM b) q ON q.k = a.k WHERE q.one IS NULL;
SELECT a.id, q.one FROM a LEFT JOIN (SELECT k, 'x' AS one FROM b) q ON q.k = a.k AND q.one = 'x';
SELECT a.id, q.one FROM a LEFT JOIN (SELECT DISTINCT k, COALESCE(NULL, 5) AS one FROM b) q ON q.k = a.k;
SELECT a.id, q.n FROM a LEFT JOIN (SELECT k, count(*) AS n FROM b GROUP BY k) q ON q.k = a.k;
SELECT x.id, y.id AS z FROM a x LEFT JOIN (b LEFT JOIN a y ON y.k = b.k) ON b.k = x.v;
SELECT x.id, c.s FROM a x LEFT JOIN (b JOIN c ON c.k = b.k) ON b.k = x.v;
SELECT x.id, c.s FROM (b JOIN c ON c.k = b.k) RIGHT JOIN a x ON b.k = x.v;
SELECT a.s FROM a JOIN c ON a.s = c.s AND a.k = c.k;
-- set operations, WITH
SELECT k AS x FROM a UNION SELECT r FROM a;
SELECT k FROM a EXCEPT SELECT k FROM b ORDER BY 1 LIMIT 2;
SELECT k FROM a INTERSECT SELECT k FROM b UNION SELECT 100 ORDER BY k;
SELECT k FROM a UNION SELECT k FROM b EXCEPT SELECT 1;
SELECT k FROM a UNION ALL (SELECT k FROM b EXCEPT SELECT 1);
(SELECT k FROM a ORDER BY id LIMIT 2) UNION ALL (SELECT k FROM b ORDER BY w, k LIMIT 1);
SELECT x FROM (SELECT 1 AS x UNION ALL SELECT 2 UNION ALL SELECT 10000000000) q WHERE x > 1;
WITH x AS (SELECT k FROM a), y AS (SELECT k FROM x WHERE k > 0) SELECT count(*) AS n FROM x, y;
WITH a AS (SELECT k FROM b) SELECT k FROM a;
WITH a AS (SELECT k FROM b) SELECT k FROM (WITH a AS (SELECT k FROM c) SELECT k FROM a) q UNION ALL SELECT k FROM a;
-- order, limits, windows
SELECT DISTINCT k % 2 AS m FROM a ORDER BY k % 2;
SELECT k FROM a LIMIT 0;
SELECT k FROM a ORDER BY id LIMIT ALL OFFSET 9;
SELECT max(x) AS m FROM (SELECT k AS x FROM a ORDER BY k DESC LIMIT 2 OFFSET 1) q;
SELECT min(x) AS m FROM (SELECT k AS x FROM a ORDER BY k NULLS FIRST LIMIT 3) q;
SELECT lag(k, 0) OVER (ORDER BY id) AS a, lead(k, 3) OVER (PARTITION BY f ORDER BY id) AS b, id FROM a;
SELECT lag(k, 2) OVER (ORDER BY id) AS a, lag(k, 5) OVER (PARTITION BY f ORDER BY id DESC) AS b, id FROM a;
SELECT first_value(k) OVER (PARTITION BY f ORDER BY k DESC, id) AS a, last_value(id) OVER (ORDER BY k, id) AS b FROM a;
SELECT sum(v) OVER (ORDER BY k) AS a, count(*) OVER (PARTITION BY f) AS b, max(s) OVER (ORDER BY s) AS c FROM a;
-- text
SELECT 'a%' LIKE 'a\%' AS x, 'é' LIKE '_' AS y, '日' LIKE '日%' AS z, 'É' LIKE 'é' AS w;
SELECT 'x' LIKE 'x%%' AS a, '' LIKE '' AS b, '' LIKE '%' AS c, 'ab' LIKE 'aéb' ESCAPE 'é' AS d;
SELECT id FROM a WHERE s > 'a' AND s < 'é';
SELECT min(s) AS a, max(s) AS b FROM a;
SELECT substr('héllo', -1, 3) AS a, substr('héllo', 0, 2) AS b, substr('héllo', 2, 100) AS c;
SELECT substr('abc', 2147483647, 2147483647) AS x, lpad('a', -2147483648, 'x') AS y;
SELECT split_part('a,b', ',', -2147483648) AS x, split_part('', '', 1) AS y;
SELECT upper('é') AS a, lower('ÉA') AS b, length('é日') AS c;
SELECT position('' IN '') AS a, strpos('', 'a') AS b, replace('', '', 'x') AS c, starts_with('', '') AS d;
SELECT ltrim('  ab') AS a, trim(TRAILING FROM 'ab  ') AS b, trim('é' FROM 'éaé') AS c;
SELECT k AS "order", v AS "select" FROM a WHERE id = 1;
