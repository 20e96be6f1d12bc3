# SPDX-License-Identifier: Apache-2.0
"""Runs a Tramline script on a Spark cluster, by one of these engines: `placement` starts N `tramline run`
as tasks, `units` makes a job of each trigger, `sql` has Spark's own SQL enrich the records. `tramline spark`
makes the call; plain PySpark, Spark 3.4 to 4.x.

    spark-submit ... --archives tramline-bundle.tar.gz#tramline --files p.sql \\
        --py-files tramline_common.py,tramline_units.py,tramline_ENGINE.py \\
        tramline_spark.py p.sql --engine ENGINE --workers N [--once] [--set NAME=VALUE] [--set-file NAME=FILE]

Nodes need no jar, no library and no Python. What is committed is in the commit log, the
same for all engines.
"""
import argparse
import importlib
import os
import sys

from py4j.protocol import Py4JError, Py4JJavaError

from tramline_common import first_line, say, words_of

ENGINES = {"placement": "tramline_placement", "units": "tramline_units", "sql": "tramline_sql"}


def arguments():
    parser = argparse.ArgumentParser(prog="tramline_spark.py", description=__doc__.split("\n\n")[0])
    parser.add_argument("script", help="its name as --files ships it")
    parser.add_argument("--engine", choices=ENGINES, default="placement")
    parser.add_argument("--workers", type=int, required=True, metavar="N", help="tasks at a time")
    parser.add_argument("--once", action="store_true")
    parser.add_argument("--records", type=int, metavar="N", help="offsets of a task at most (units, sql)")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--set-file", action="append", default=[], metavar="NAME=FILE")
    parser.add_argument("--program", help="the program on this machine, which looks at the log")
    parser.add_argument("--local-script", help="the script on this machine")
    parser.add_argument("--local-set-file", action="append", default=[], metavar="NAME=FILE",
                        help="its path on this machine")
    parser.add_argument("--tokens", action="store_true", help="tasks sign in to HDFS by delegation tokens")
    return parser.parse_args()


def drive(args):
    """Exit code and last line."""
    engine = importlib.import_module(ENGINES[args.engine])
    try:
        driver = engine.Engine(args)
    except Py4JJavaError as error:
        return 1, "Spark does not begin: " + first_line(error)
    except (Py4JError, OSError) as error:  # its JVM has ended, by a signal it may be
        return 1, "Spark does not begin: " + words_of(error)
    refusal = driver.refusal()
    code, text = (2, refusal) if refusal else driver.ask_for_tokens() or driver.run()
    driver.close()
    return code, text


def main():
    code, text = drive(arguments())
    say(text)
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
