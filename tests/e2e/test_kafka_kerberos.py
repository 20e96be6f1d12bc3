# SPDX-License-Identifier: Apache-2.0
# test: needs kafka
# test: long
# test: limit 600
"""client = 'native' by Kerberos (GSSAPI) at a broker of a realm of the test's own: by a key table, by
tickets at hand, who one is then, and what is said of all that can be wrong. By librdkafka: produce."""
import contextlib
import os
import socket
import subprocess
import threading
import time

import broker
import kafka_cluster
import kafka_secured
import kerberos
import lib
import results
from kafka_secured import get, more_listeners, sasl_settings
from native_secured import SEE_OPTIONS, at, fails, native, works

REAUTHENTICATED_MS = 3000
TICKET_S = 8
NO_TICKET = "; get a ticket by kinit (klist shows it), or give a key table by kafka.sasl.kerberos.keytab"
NO_KEY = ("; kafka.sasl.kerberos.keytab must hold a key of today of kafka.sasl.kerberos.principal (klist -k shows what "
          "it holds)")
CLOCKS = "; compare the clocks of this machine, the broker and the key distribution centre"
realms = []


def realm():
    at("PLAINTEXT")
    return realms[0]


def listeners():
    """Beside the usual: Kerberos without and with TLS, and logins that last for seconds."""
    realms.append(kerberos.Realm())
    keys = realms[0].keytab("kafka/localhost")
    kafka_secured.jvm.append(f"-Djava.security.krb5.conf={realms[0].conf}")
    settings = {
        "sasl.enabled.mechanisms": "GSSAPI", "sasl.kerberos.service.name": "kafka",
        "gssapi.sasl.jaas.config":
            "com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true storeKey=true "
            f"keyTab=\"{keys}\" principal=\"kafka/localhost@{kerberos.REALM}\";"}
    short = {"gssapi.connections.max.reauth.ms": REAUTHENTICATED_MS}
    return {
        "KERBEROS": kafka_cluster.Listener("SASL_PLAINTEXT", "localhost", **settings),
        "KERBEROS_TLS": kafka_cluster.Listener("SASL_SSL", "localhost", **settings),
        "KERBEROS_SHORT": kafka_cluster.Listener("SASL_PLAINTEXT", "localhost", **settings, **short),
        "CLEAR": kafka_cluster.Listener("SASL_PLAINTEXT", "localhost", **sasl_settings()),
    }


more_listeners.append(listeners)


def kerberized(**more):
    names = {name.replace("_", "."): value for name, value in more.items()}
    return {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "GSSAPI", **names}


def by_keytab(keytab, **more):
    return kerberized(sasl_kerberos_keytab=keytab, **more)


def nobody():
    """A client that has neither tickets nor keys of its own."""
    return {**realm().env, "KRB5CCNAME": f"FILE:{lib.tmp_dir()}/none"}


def with_ticket(keytab, principal, life="1h"):
    env = {**realm().env, "KRB5CCNAME": f"FILE:{lib.tmp_dir()}/tickets"}
    kinit(env, keytab, principal, life)
    return env


def kinit(env, keytab, principal, life="1h"):
    subprocess.run(["kinit", "-k", "-t", keytab, "-l", life, principal], check=True, env={**os.environ, **env},
                   stdin=subprocess.DEVNULL, timeout=60)


def test_a_key_table():
    alice = realm().keytab("alice")
    works("KERBEROS", by_keytab(alice), nobody())
    works("KERBEROS_TLS", {**by_keytab(alice), "security.protocol": "SASL_SSL", "ssl.ca.location": get().ours.ca,
                           "sasl.kerberos.service.name": "kafka"}, nobody())
    assert not list(realm().dir.glob("nobody*")), "tickets of a key table are in memory"


def test_tickets_at_hand():
    keytab = realm().keytab("berta")
    works("KERBEROS", kerberized(), with_ticket(keytab, "berta"))
    works("KERBEROS", kerberized(sasl_kerberos_principal=f"berta@{kerberos.REALM}"), with_ticket(keytab, "berta"))
    works("KERBEROS", kerberized(), realm().as_user(keytab))


def test_who_one_is():
    """Of two keys in a table, the principal says which; without it, the first. Topics tell who came."""
    both = realm().keytab("cara", "dora")
    place = get()
    for principal, who in ((None, "cara"), ("cara", "cara"), (f"dora@{kerberos.REALM}", "dora")):
        topic = broker.create_topic(brokers=at("PLAINTEXT"))
        for right in ("Describe", "Read"):
            broker.java_tool("AclCommand", "--add", "--allow-principal", f"User:{who}", "--operation", right, "--topic",
                             topic, brokers=at("PLAINTEXT"))
        options = by_keytab(both, **({"sasl_kerberos_principal": principal} if principal else {}))
        path = native("KERBEROS", options)
        path.write_text(path.read_text().replace(f"topic = '{place.topic}'", f"topic = '{topic}'"))
        lib.run("check", "--live", path, env=nobody())
        other = "dora" if who == "cara" else "cara"
        path.write_text(path.read_text().replace("\"kafka.sasl.mechanism\"",
                                                 f"\"kafka.sasl.kerberos.principal\" = '{other}', \"kafka.sasl.mechanism\"")
                        if principal is None else path.read_text().replace(f"'{principal}'", f"'{other}'"))
        done = lib.run("check", "--live", path, env=nobody(), code=1)
        assert "TOPIC_AUTHORIZATION_FAILED" in done.out + done.err, done.out + done.err


def test_no_ticket_and_one_that_has_ended():
    fails("KERBEROS", kerberized(), "Kerberos: No Kerberos credentials available..." + NO_TICKET, env=nobody())
    emil = realm().keytab("emil")
    env = with_ticket(emil, "emil", "1s")
    time.sleep(2.5)
    fails("KERBEROS", kerberized(), "Kerberos: ...xpired" + NO_TICKET, env=env)
    fails("KERBEROS", kerberized(sasl_kerberos_principal="frida"), "Kerberos: ...frida..." + NO_TICKET,
          env=with_ticket(emil, "emil"))


def test_key_tables_that_are_wrong():
    missing = lib.tmp_dir() / "missing"
    fails("KERBEROS", by_keytab(missing), f"option 'kafka.sasl.kerberos.keytab': {missing}: No such file", code=2,
          commands=(["check"], ["run", "--once"]))
    text = lib.tmp_dir() / "text"
    text.write_text("no keys\n")
    fails("KERBEROS", by_keytab(text), "Kerberos: ..." + NO_KEY, env=nobody())
    gerda = realm().keytab("gerda")
    fails("KERBEROS", by_keytab(gerda, sasl_kerberos_principal="heidi"), "Kerberos: ..." + NO_KEY, env=nobody())
    old = lib.tmp_dir() / "old"
    old.write_bytes(gerda.read_bytes())
    realm().keytab_again("gerda")
    fails("KERBEROS", by_keytab(old), "Kerberos: ..." + NO_KEY, env=nobody())
    realm().run("kadmin.local", "-r", kerberos.REALM, "-q", "delprinc -force gerda")
    fails("KERBEROS", by_keytab(gerda),
          f"Kerberos: Client 'gerda@{kerberos.REALM}' not found in Kerberos database; see kafka.sasl.kerberos.principal",
          env=nobody())


def test_services_that_are_wrong():
    keytab = realm().keytab("ida")
    see = "; see kafka.sasl.kerberos.service.name, and by which host the broker is advertised"
    fails("KERBEROS", by_keytab(keytab, sasl_kerberos_service_name="kefka"),
          f"Kerberos: Server kefka/localhost@{kerberos.REALM} not found in Kerberos database{see}", env=nobody())
    fails("KERBEROS", by_keytab(keytab), f"Kerberos: Server kafka/127.0.0.1@... not found in Kerberos database{see}",
          brokers=at("KERBEROS").replace("localhost", "127.0.0.1"), env=nobody())
    realm().keytab("other/localhost")
    fails("KERBEROS", by_keytab(keytab, sasl_kerberos_service_name="other"),
          "SASL authentication error: Authentication failed during authentication due to invalid credentials with SASL "
          "mechanism GSSAPI" + SEE_OPTIONS, env=nobody())
    fails("CLEAR", by_keytab(keytab), "the broker takes no GSSAPI, only ...; see kafka.sasl.mechanism", env=nobody())
    fails("PLAINTEXT", by_keytab(keytab), "the broker wants no SASL at this port; see kafka.security.protocol", env=nobody(),
          brokers=at("PLAINTEXT").replace("127.0.0.1", "localhost"))
    fails("KERBEROS", {}, SEE_OPTIONS, limit_s=25, env=nobody())


def conf(text):
    path = lib.tmp_dir() / "krb5.conf"
    path.write_text(text)
    return {**nobody(), "KRB5_CONFIG": str(path)}


@contextlib.contextmanager
def silent_port():
    """What is sent there is taken, and nothing is answered."""
    with socket.socket() as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        tcp.bind(("127.0.0.1", 0))
        tcp.listen(16)
        udp.bind(tcp.getsockname())
        yield tcp.getsockname()[1]


def test_realms_that_do_not_answer():
    keytab = realm().keytab("jana")
    text, port = realm().conf.read_text(), f"127.0.0.1:{realm().port}"
    fails("KERBEROS", by_keytab(keytab), f"Kerberos: Cannot contact any KDC for realm '{kerberos.REALM}'; krb5.conf says "
          "where it is; does it answer there?", env=conf(text.replace(port, f"127.0.0.1:{lib.free_port()}")), limit_s=25)
    with silent_port() as silent:
        fails("KERBEROS", by_keytab(keytab), "Kerberos's key distribution centre: no answer within 10000 ms",
              env=conf(text.replace(port, f"127.0.0.1:{silent}")), limit_s=25)
    fails("KERBEROS", by_keytab(keytab), "Kerberos: Cannot find KDC for realm ...; krb5.conf must know the realm",
          env=conf(text.replace("[realms]", "[others]")))
    fails("KERBEROS", by_keytab(keytab), "Kerberos cannot be used: ...", env=conf("[realms\n"))


def test_clocks():
    """The library corrects a wrong clock by the realm's answer, unless it is told not to."""
    keytab = realm().keytab("karla")
    clock = lib.tmp_dir() / "clock"
    clock.write_text(str(-3600))
    off = {**lib.preloaded("clock_calls"), "CLOCK_FILE": str(clock)}
    lib.run("check", "--live", native("KERBEROS", by_keytab(keytab)), env={**nobody(), **off})
    strict = conf(realm().conf.read_text().replace("[libdefaults]", "[libdefaults]\n  kdc_timesync = 0"))
    fails("KERBEROS", by_keytab(keytab), "Kerberos: Clock skew too great..." + CLOCKS, env={**strict, **off})


class Liar:
    """A broker that takes every ticket, and answers it by other bytes than a broker would."""

    def __init__(self, answer):
        self.answer, self.server = answer, socket.create_server(("127.0.0.1", 0))
        self.address = f"localhost:{self.server.getsockname()[1]}"
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                connection, _ = self.server.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as stream:
                while len(size := stream.read(4)) == 4:
                    request = stream.read(int.from_bytes(size, "big"))
                    body = self.body(int.from_bytes(request[:2], "big"))
                    connection.sendall((4 + len(body)).to_bytes(4, "big") + request[4:8] + body)

    def body(self, api):
        apis = ((1, 4, 12), (3, 0, 12), (17, 0, 1), (36, 0, 0))
        if api == 18:
            return b"\0\0" + len(apis).to_bytes(4, "big") + b"".join(
                number.to_bytes(2, "big") for one in apis for number in one)
        if api == 17:
            return b"\0\0" + b"\0\0\0\1" + b"\0\6GSSAPI"
        return b"\0\0" + b"\xff\xff" + len(self.answer).to_bytes(4, "big") + self.answer

    def close(self):
        self.server.close()


def test_brokers_that_do_not_prove_who_they_are():
    keytab = realm().keytab("lena")
    as_token = bytes.fromhex("60") + b"\x1b" + bytes.fromhex("06092a864886f71201020202 00".replace(" ", ""))
    for answer in (b"", b"\0", b"thanks", as_token + b"x" * 16, b"\x60\x84\xff\xff\xff\xff", os.urandom(5000)):
        liar = Liar(answer)
        fails("KERBEROS", by_keytab(keytab), "Kerberos: ...; see the options kafka.sasl.kerberos.*", brokers=liar.address,
              env=nobody())
        liar.close()


def follow(options, env, seconds):
    """A worker, and records that come all the time; what it said."""
    place = get()
    path = native("KERBEROS_SHORT", options)
    path.write_text(path.read_text() + "SET commit.interval = '100ms';\n")
    (path.parent / "r").mkdir()
    worker = lib.Started("run", path, env=env)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        broker.produce(place.topic, [f"T,n{place.n_sent}"], brokers=at("PLAINTEXT"))
        place.n_sent += 1
        time.sleep(0.2)
    return worker, path


def all_rows_of(path):
    lib.wait_until(lambda: len(list(results.iter_result(path.parent / "r"))) == get().n_sent, what="all rows")


def test_logins_and_tickets_that_end_are_made_anew():
    """For longer than three logins and a ticket last, nothing is said and nothing lost."""
    keytab = realm().keytab("mona")
    realm().run("kadmin.local", "-r", kerberos.REALM, "-q", f"modprinc -maxlife {TICKET_S}s mona")
    worker, path = follow(by_keytab(keytab), nobody(), 3.5 * REAUTHENTICATED_MS / 1000)
    all_rows_of(path)
    worker.stop()
    said = worker.text()
    assert "warn" not in said and "cannot be reached" not in said, said


def test_a_ticket_that_ends_under_a_worker():
    """It says so, and goes on with the next ticket."""
    keytab = realm().keytab("nora")
    env = with_ticket(keytab, "nora", "4s")
    worker, path = follow(kerberized(), env, 5)
    lib.wait_until(lambda: "Kerberos: " in worker.text() and NO_TICKET in worker.text(), what="a word on the ticket")
    kinit(env, keytab, "nora")
    all_rows_of(path)
    worker.stop()


def test_librdkafka():
    """Which needs Cyrus SASL's plug-in, and kinit for the key table; produce is always its."""
    keytab = realm().keytab("olga")
    path = native("KERBEROS", by_keytab(keytab, sasl_kerberos_principal=f"olga@{kerberos.REALM}"))
    env = {**realm().env, "KRB5CCNAME": f"FILE:{lib.tmp_dir()}/tickets"}
    rows = path.parent / "s.txt"
    rows.write_text(f"trip_id,stop_id\nT,n{get().n_sent}\n")
    lib.run("produce", rows, path, env=env)
    get().n_sent += 1
    path.write_text(path.read_text().replace("client = 'native'", "client = 'librdkafka'"))
    lib.run("init", path, env=env)
    lib.run("check", "--live", path, env=env)
    lib.run("run", "--once", path, env=env)
    assert len(list(results.iter_result(path.parent / "r"))) == get().n_sent
