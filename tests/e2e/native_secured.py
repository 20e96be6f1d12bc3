# SPDX-License-Identifier: Apache-2.0
"""client = 'native' at a broker of kafka_secured: a way to log in works by all commands, or fails with the
same words by all, and never shows a secret."""
import broker
import lib
import results
from kafka_secured import get, script

SEE_OPTIONS = "; see the options kafka.security.protocol, kafka.ssl.* and kafka.sasl.*"
SECRETS = ("alice-secret", "wrong-secret", "key-secret", "eyJ", "PRIVATE KEY")


def at(listener):
    return get().at(listener)


def native(listener, options, brokers=None):
    path = script(listener, options, brokers or at(listener))
    path.write_text(path.read_text() + "SET membership = 'none';\n")
    return path


def no_secret_in(*texts):
    for text in texts:
        for secret in SECRETS:
            assert secret not in text, text


def works(listener, options, env=None):
    """All commands that ask the broker something, and a topic that init makes."""
    at("PLAINTEXT")
    place = get()
    broker.produce(place.topic, [f"T,n{place.n_sent}"], brokers=at("PLAINTEXT"))
    place.n_sent += 1
    path = native(listener, options)
    for command in (["init"], ["check", "--live"], ["run", "--once"], ["status"], ["preview", "--limit", "1"]):
        done = lib.run(*command, path, env=env)
        no_secret_in(done.out, done.err)
    rows = sorted(row[1] for row in results.iter_result(path.parent / "r"))
    assert rows == sorted(f"n{i}" for i in range(place.n_sent)), rows
    for entry in (path.parent / "r" / "_tramline").rglob("*"):
        no_secret_in(entry.read_text(errors="replace") if entry.is_file() else "")
    fresh = lib.fresh_name()
    path.write_text(path.read_text().replace(f"topic = '{place.topic}'", f"topic = '{fresh}', partitions = 3"))
    lib.run("init", path, env=env)
    assert broker.leaders(fresh, brokers=at("PLAINTEXT")) == [1, 1, 1]


def fails(listener, options, says, code=1, brokers=None, limit_s=5, commands=None, env=None):
    """Each command says why, soon, and in the same words."""
    path = native(listener, options, brokers)
    (path.parent / "r").mkdir()
    for command in commands or (["run", "--once"], ["init"], ["check", "--live"]):
        done = lib.run(*command, path, code=code, env=env)
        assert done.seconds < limit_s, (command, done.seconds)
        said = [line for line in (done.out + done.err).splitlines()
                if all(part in line for part in says.split("..."))]
        assert len(said) == 1, (command, says, done.out, done.err)
        no_secret_in(done.out, done.err)
