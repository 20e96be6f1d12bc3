# SPDX-License-Identifier: Apache-2.0
# test: needs kafka hdfs
# test: long
# test: alone
# test: limit 900
# test: not-asan it installs the package of the release build
"""The fifteen commands of docs/operations.md, in one shell of a bare Debian: from the package to rows on
HDFS, a test that failed and was mended, a dead letter that came back, a page that shows lag."""
import os
import re
import socket
import subprocess
import zipfile

import browser
import debian
import lib
import results

FEED = {
    "routes.txt": "route_id,route_short_name,route_type\nr1,51,3\n",
    "trips.txt": "route_id,service_id,trip_id\nr1,wk,t1\nr1,we,t2\n",
    "stop_times.txt": "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
                      "t1,08:00:00,08:00:00,a,0\nt1,08:05:00,08:05:00,b,5\nt1,08:09:00,08:10:00,c,7\n"
                      "t2,09:00:00,09:00:00,a,1\nt2,09:07:00,09:07:00,c,12\n",
}
# By hand: 60 / stop_sequence in whole numbers, of the stop 0 none.
ROWS = [("t1", "08:00:00", "08:00:00", "a", "0", None, "r1", "wk"), ("t1", "08:05:00", "08:05:00", "b", "5", "12", "r1", "wk"),
        ("t1", "08:09:00", "08:10:00", "c", "7", "8", "r1", "wk"), ("t2", "09:00:00", "09:00:00", "a", "1", "60", "r1", "we"),
        ("t2", "09:07:00", "09:07:00", "c", "12", "5", "r1", "we")]
STAYS = "\ntouch ready\nwhile [ ! -e stop ]; do sleep 0.1; done\nkill %1\nwait %1\n"


def commands():
    """The page's script, and how many commands it has: lines of a here-document are none."""
    page = (lib.ROOT / "docs/operations.md").read_text()
    (script,) = re.findall(r"```sh\n(apt.*?)```", page, re.S)
    return script, len(re.sub(r"<<'(\w+)'\n.*?\n\1\n", "\n", script, flags=re.S).splitlines())


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def make_feed(path):
    with zipfile.ZipFile(path, "w") as feed:
        for name, text in FEED.items():
            feed.writestr(name, text)


def check_page(port):
    """The page in a browser: it has the lag, and says that all is well."""
    with browser.Browser() as page:
        page.open(f"http://127.0.0.1:{port}/")
        page.wait_for("document.getElementById('verdict-word')?.textContent.includes('All is well')")
        page.wait_for("document.getElementById('lag-more').textContent.includes('records in the topic are not committed')")
        assert re.match(r"\d", page.value("document.getElementById('lag').textContent")), "no lag"


def test_fifteen_commands():
    script, n = commands()
    assert n <= 15, n
    root, topic, place, port = debian.Root(), lib.fresh_name("installed"), lib.hdfs_url(), free_port()
    here = root.path / "root"
    (root.path / "etc/apt/apt.conf.d/90test").write_text('APT::Sandbox::User "root";\n')  # /root is nobody else's
    root.run("apt-get", "-q", "update")
    (here / "tramline.deb").write_bytes(debian.package().read_bytes())
    make_feed(here / "gtfs.zip")
    env = ["HOME=/root", f"BROKERS={lib.brokers()}", f"TOPIC={topic}", f"ROOT={place}",
           f"HADOOP_USER_NAME={os.environ.get('HADOOP_USER_NAME', 'root')}"]
    text = "set -eu\ncd /root\n" + script.replace("9187", str(port)) + STAYS
    with open(here / "out", "w") as out:
        shell = subprocess.Popen(root.command(*env, "bash", "-xc", text), stdin=subprocess.DEVNULL, stdout=out,
                                 stderr=subprocess.STDOUT)
    try:
        lib.wait_until(lambda: (here / "ready").exists() or shell.poll() is not None, limit_s=500, what="the commands")
        print((here / "out").read_text()[-8000:], flush=True)
        assert shell.poll() is None, shell.returncode
        check_page(port)
        (here / "stop").touch()
        assert shell.wait(60) == 0, (here / "out").read_text()[-3000:]
    finally:
        (here / "stop").touch()
        shell.terminate()
        shell.wait(60)
    said = (here / "out").read_text()
    results.same_rows(results.rows_of_result(f"{place}/enriched_stop_time"), {row: 1 for row in ROWS})
    kinds = [entry["kind"] for entry in results.log_entries(f"{place}/enriched_stop_time").values()]
    assert kinds.count("replay") == 1, kinds
    for line in ("FAILED", "1 test: 1 ok", "rejected 1;"):
        assert line in said, line
