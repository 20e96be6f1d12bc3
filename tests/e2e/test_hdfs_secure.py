# SPDX-License-Identifier: Apache-2.0
# test: needs kafka hdfs
# test: long
# test: limit 900
"""HDFS in secure mode: Kerberos (SPNEGO) and TLS with an authority of the test's own. The whole
job by keytab; without a ticket and without the authority it is refused with the reason. By
delegation tokens alone, which are renewed and end."""
import base64
import collections
import json
import os
import re
import subprocess
import time

import broker
import lib
import results
import secure_hdfs
from secure_hdfs import make_job

TRIPS = "route_id,service_id,trip_id\n1,S,T1\n"
DATES = "service_id,date,exception_type\nS,20261122,2\n"
LIFE_S = 50  # of a token, whatever renews it
RENEWED_S = 20


def feed():
    directory = lib.tmp_dir()
    (directory / "trips.txt").write_text(TRIPS)
    (directory / "calendar_dates.txt").write_text(DATES)
    return directory


def whole_job(secure, user):
    env = secure.realm.as_user(secure.realm.keytab(user))
    work = make_job(secure)
    work.tramline("init", env=env)
    work.tramline("extract", before=[feed()], env=env)
    broker.produce(work.topic, [f"T1,1,1,s{i},1" for i in range(1000)])
    work.run_once(env=env)
    report = work.verify(env=env)
    assert (report["errors"], report["rows"]) == (0, 1000), report

    path = "/webhdfs/v1/" + work.result.split("/", 3)[3]
    listed = json.loads(secure.curl(f"{path}?op=LISTSTATUS", env))["FileStatuses"]["FileStatus"]
    files = [file for file in listed if file["pathSuffix"].startswith("part-")]
    assert files and {file["owner"] for file in files} == {user}, files
    stops = collections.Counter()
    for file in files:
        rows = list(results.read_csv(secure.curl(f"{path}/{file['pathSuffix']}?op=OPEN", env)))
        stops.update(row[3] for row in rows[1:])
    assert stops == collections.Counter(f"s{i}" for i in range(1000))


def refused(work, env, pattern, *args, code=1, command="init", **kwargs):
    done = work.tramline(command, *args, env=env, code=code, **kwargs)
    print(done.err)
    assert re.search(pattern, done.err), done.err


def test_kerberos_and_tls():
    secure = secure_hdfs.Secure()
    whole_job(secure, "transit")
    env = secure.realm.as_user(secure.realm.keytab("other"))
    node = f"name node localhost:{secure.port}"
    refused(make_job(secure), secure.realm.env, "trips: the name node does not accept the Kerberos "
            "ticket; get one by kinit")
    refused(make_job(secure, auth="simple"), env,
            "trips: the name node asks for authentication; set auth = 'kerberos'")
    refused(make_job(secure, authority="/etc/ssl/certs/ca-certificates.crt"), env,
            f"cannot reach {node}: SSL certificate problem: .*; give the file of its authority")


# Delegation tokens


def texts_of(file):
    """The tokens of a file."""
    return [each["token"] for each in json.loads(file.read_text())["tokens"]]


def use_tokens(work, file):
    work.script.write_text(f"SET storage.token_file = '{file}';\n" + work.script.read_text())


def prepared(secure, ticket):
    work = make_job(secure)
    work.tramline("init", env=ticket)
    work.tramline("extract", before=[feed()], env=ticket)
    return work


def check_rows(work, env, n):
    report = work.verify(env=env)
    assert (report["errors"], report["rows"]) == (0, n), report


def owners(secure, work, env):
    path = "/webhdfs/v1/" + work.result.split("/", 3)[3]
    listed = json.loads(secure.curl(f"{path}?op=LISTSTATUS", env))["FileStatuses"]["FileStatus"]
    return {file["owner"] for file in listed if file["pathSuffix"].startswith("part-")}


def test_workers_by_tokens_alone():
    """No ticket and no keytab: tables read, result written, for longer than any token lives; then one
    that is over, wrong ones, files that are not for tokens."""
    secure = secure_hdfs.Secure({"dfs.namenode.delegation.token.renew-interval": RENEWED_S * 1000,
                                 "dfs.namenode.delegation.token.max-lifetime": LIFE_S * 1000})
    ticket, nobody = secure.realm.as_user(secure.realm.keytab("transit")), secure.realm.env
    work, by_ticket = prepared(secure, ticket), make_job(secure)
    file = lib.tmp_dir() / "tokens"
    use_tokens(work, file)
    refused(work, nobody, f"{file}: the tokens cannot be read: No such file", command="verify")
    refused(by_ticket, nobody, "does not accept the Kerberos ticket", "--out", file, command="token")

    keeper = lib.Started("token", work.script, "--out", file, "--keep", *work.sets, env=ticket)
    lib.wait_until(file.exists, 30, "the tokens")
    assert file.stat().st_mode & 0o777 == 0o600 and [file.name] == [p.name for p in file.parent.iterdir()]
    seen = set(texts_of(file))
    running = work.start(env=nobody)
    began, n = time.monotonic(), 0
    while time.monotonic() - began < 2.2 * LIFE_S:
        broker.produce(work.topic, [f"T1,1,1,s{i},1" for i in range(n, n + 10)])
        n += 10
        seen.update(texts_of(file))
        time.sleep(1)
    running.stop()
    work.run_once(env=nobody)
    check_rows(work, nobody, n)
    assert owners(secure, work, ticket) == {"transit"}
    print(keeper.text(), f"{len(seen)} tokens", flush=True)
    assert 3 <= len(seen) <= 8, seen  # each lived, and was renewed meanwhile
    assert keeper.text().count("is good until") > len(seen), keeper.text()

    refused_tokens(secure, work, nobody, file)
    keeper.kill()
    last = file.read_text()
    time.sleep(RENEWED_S + 2)
    text = "does not accept the delegation token: HTTP 40[13].*tramline token writes a new one into storage.token_file"
    refused(work, nobody, text, command="verify")
    refused(work, nobody, text, "--once", command="run")
    work.tramline("token", "--out", file, env=ticket)
    check_rows(work, nobody, n)
    seen.update(texts_of(file))
    said = keeper.text() + running.text() + last_words(work, nobody, last)
    assert not [token for token in seen if token in said or token[20:60] in said]
    by_line(secure, ticket, nobody, file)


def last_words(work, env, line):
    """What is said, to its last detail, of a token that is over and comes by the line."""
    done = work.tramline("run", "--once", "--token-line", "--log-level", "debug", env=env, code=None, input=line)
    assert done.code == 1 and "start again with a new one of tramline token" in done.err, done.err
    return done.out + done.err


def refused_tokens(secure, work, env, file):
    """Wrong ones, as files, while a good one is at hand."""
    good = file.read_text()
    other = lib.tmp_dir() / "other"
    using = make_job(secure)
    using.script.write_text(work.script.read_text().replace(str(file), str(other)))
    using.sets = work.sets

    def says(text, pattern, mode=0o600, code=1):
        other.write_text(text)
        other.chmod(mode)
        refused(using, env, pattern, command="verify", code=code)

    says(good, "are not its owner's alone; it must be yours: chmod 600", mode=0o640)
    says(good.replace("hdfss://localhost", "hdfss://elsewhere"), "no delegation token for hdfss://localhost")
    says("no tokens", "these are no delegation tokens, as tramline token writes them")
    says("x" * 70000, "has more than 65536 bytes")
    says(changed(good), "does not accept the delegation token: HTTP 40[13]")
    says(good.replace(texts_of(file)[0], "AAAA"), "does not accept the delegation token: HTTP 40[13]")
    says(good.replace(texts_of(file)[0], "not/even~one"), "these are no delegation tokens")


def changed(text):
    """The same token with another password: a bit of its second half is another one."""
    token = json.loads(text)["tokens"][0]["token"]
    raw = bytearray(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    service = raw.index(b"WEBHDFS delegation") if b"WEBHDFS delegation" in raw else raw.index(b"HDFS_DELEGATION_TOKEN")
    raw[service - 5] ^= 1
    return text.replace(token, base64.urlsafe_b64encode(raw).decode().rstrip("="))


def standard_input(work, env):
    """That of a line of tokens: no file, or nobody who writes."""
    quiet, writer = os.pipe()
    for stdin, text in ((os.open("/", os.O_RDONLY), "--token-line: standard input: Is a directory"),
                        (quiet, "--token-line: no line came within 60 s")):
        done = subprocess.run([lib.program(), "run", work.script, "--once", "--token-line", *work.sets],
                              stdin=stdin, stderr=subprocess.PIPE, text=True, timeout=200,
                              env={**os.environ, **env})
        os.close(stdin)
        assert done.returncode == 1 and text in done.stderr, done.stderr
    os.close(writer)


def good_no_more(secure, work, ticket, file):
    """The name node is away until the token is over."""
    keeper = lib.Started("token", work.script, "--out", file, "--keep", *work.sets, env=ticket)
    lib.wait_until(lambda: "is good until" in keeper.text(), 30, "the tokens")
    secure.name.kill()
    keeper.wait(3 * RENEWED_S + 60, code=1)
    assert "was not renewed, " in keeper.text(), keeper.text()
    assert f"tramline token: the token for hdfss://localhost:{secure.port} is good no more: " in keeper.text()


def by_line(secure, ticket, env, file):
    """Nothing but standard input has it."""
    work = prepared(secure, ticket)
    broker.produce(work.topic, ["T1,1,1,s,1"])
    work.tramline("token", "--out", file, env=ticket)
    work.tramline("run", "--once", "--token-line", env=env, input=file.read_text())
    check_rows(work, ticket, 1)
    refused(work, env, "--token-line: the tokens: these are no delegation tokens", "--once", "--token-line",
            command="run", code=2, input="{}\n")
    refused(work, env, "--token-line: the tokens: these are no delegation tokens", "--once", "--token-line",
            command="run", code=2, input="")
    refused(work, ticket, f"{file}/x: the tokens cannot be written: Not a directory", "--out", file / "x",
            command="token")
    standard_input(work, env)
    good_no_more(secure, work, ticket, file)
    plain = make_job(secure, auth="simple")
    refused(plain, env, "no table of the script is on HDFS with auth = 'kerberos'", "--out", file, command="token",
            code=2)
