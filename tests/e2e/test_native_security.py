# SPDX-License-Identifier: Apache-2.0
# test: takes 250
# test: waits
# test: needs kafka
# test: limit 600
"""client = 'native' against a broker with a listener for each way to log in: what works, what is said
of what does not, the same by all commands, and never a secret."""
import base64
import json
import socket
import ssl
import threading
import time

import broker
import kafka_cluster
import lib
import results
from kafka_secured import STRANGER, USER, get, more_listeners, sasl, sasl_settings, script, tls
from native_secured import SEE_OPTIONS, at, fails, native, no_secret_in, works
from test_kafka_security import scram_hint, version

REAUTHENTICATED_MS = 3000
expired_ca = []


def listeners():
    """Beside the usual: one whose certificate is expired, and logins that last for seconds."""
    expired = kafka_cluster.Certificates()
    _, _, server = expired.signed("server", is_expired=True)
    expired_ca.append(expired.ca)
    short = {f"{name}.connections.max.reauth.ms": REAUTHENTICATED_MS
             for name in ("plain", "scram-sha-256", "scram-sha-512", "oauthbearer")}
    return {
        "EXPIRED": kafka_cluster.Listener("SSL", "localhost", ssl_keystore_type="PEM",
                                          ssl_keystore_location=server),
        "SHORT": kafka_cluster.Listener("SASL_SSL", "localhost", **sasl_settings(), **short),
        "CLEAR": kafka_cluster.Listener("SASL_PLAINTEXT", "localhost", **sasl_settings()),
    }


more_listeners.append(listeners)


def test_tls():
    works("TLS", tls())


def test_the_hosts_name_is_told():
    """To servers with certificates of several names (SNI, RFC 6066); an address is no name."""
    certificate, key, _ = get().ours.signed("several")
    context, told = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), []
    context.load_cert_chain(certificate, key)
    context.sni_callback = lambda _connection, name, _context: told.append(name)
    server = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                connection, _ = server.accept()
                context.wrap_socket(connection, server_side=True).close()
            except ssl.SSLError as reason:  # to an address, of which the certificate says nothing
                print(reason, flush=True)
            except OSError:
                return
    threading.Thread(target=serve, daemon=True).start()
    for host, name in (("localhost", "localhost"), ("127.0.0.1", None)):
        told.clear()
        worker = lib.Started("run", native("TLS", tls(), brokers=f"{host}:{server.getsockname()[1]}"))
        lib.wait_until(lambda: told, what="a client")
        worker.kill()
        assert set(told) == {name}, told
    server.shutdown(socket.SHUT_RDWR)
    server.close()


def test_tls_with_an_unknown_authority():
    says = ("the broker's certificate is of an unknown authority (unable to get local issuer certificate); "
            "kafka.ssl.ca.location must be the CA that signed the broker's certificate")
    fails("TLS", tls(**{"ssl.ca.location": get().foreign.ca}), says)
    fails("TLS", {"security.protocol": "SSL"}, says)


def test_tls_to_a_host_that_the_certificate_does_not_name():
    by_address = at("TLS").replace("localhost", "127.0.0.1")
    fails("TLS", tls(), "the broker's certificate does not name the host '127.0.0.1'; brokers must be written, and "
          "advertised, by a name that it has", brokers=by_address)
    path = native("TLS", tls(**{"ssl.endpoint.identification.algorithm": "none"}), by_address)
    lib.run("check", "--live", path)


def test_an_expired_certificate():
    fails("EXPIRED", {**tls(), "ssl.ca.location": expired_ca[0]},
          "the broker's certificate, or its authority's, is expired (it was valid until ...)")


def test_a_clients_certificate():
    place = get()
    works("MTLS", tls(**{"ssl.certificate.location": place.client, "ssl.key.location": place.key}))
    locked = place.client.parent / "locked.key"
    place.ours.openssl("rsa", "-in", place.key, "-aes256", "-passout", "pass:key-secret", "-out", locked)
    with_lock = tls(**{"ssl.certificate.location": place.client, "ssl.key.location": locked})
    works("MTLS", {**with_lock, "ssl.key.password": "key-secret"})
    says = (f"option 'kafka.ssl.key.location': {locked} cannot be read: ...; if it has a password, "
            "kafka.ssl.key.password must be that")
    fails("MTLS", {**with_lock, "ssl.key.password": "wrong-secret"}, says, code=2)
    fails("MTLS", with_lock, says, code=2)
    fails("MTLS", {**with_lock, "ssl.key.location": place.stranger_key},
          f"option 'kafka.ssl.key.location': {place.stranger_key} is not the key of the certificate {place.client}", code=2)


def test_certificates_as_text():
    place = get()
    ca, client, key = (path.read_text() for path in (place.ours.ca, place.client, place.key))
    other_ca, other_key = place.foreign.ca.read_text(), place.stranger_key.read_text()
    base = {"security.protocol": "SSL"}
    works("TLS", {**base, "ssl.ca.pem": other_ca + ca})
    works("MTLS", {**base, "ssl.ca.pem": ca, "ssl.certificate.pem": client + ca, "ssl.key.pem": key})
    works("MTLS", {**tls(), "ssl.certificate.location": place.client, "ssl.key.pem": key})
    wrong = [
        ({"ssl.ca.pem": other_ca}, "the broker's certificate is of an unknown authority", 1),
        ({"ssl.ca.pem": "x"}, "option 'kafka.ssl.ca.pem': no start line", 2),
        ({"ssl.ca.pem": ca[:200] + "\n" + ca[-40:]}, "option 'kafka.ssl.ca.pem': ", 2),
        ({"ssl.ca.pem": ca, "ssl.certificate.pem": client, "ssl.key.pem": other_key},
         "option 'kafka.ssl.key.pem': the text is not the key of the certificate given", 2),
        ({"ssl.ca.pem": ca, "ssl.certificate.pem": key, "ssl.key.pem": key}, "option 'kafka.ssl.certificate.pem': no start line", 2),
        ({"ssl.ca.pem": ca, "ssl.certificate.pem": client, "ssl.key.pem": client},
         "option 'kafka.ssl.key.pem': the text cannot be read: ...; if it has a password, kafka.ssl.key.password must be that", 2),
        ({"ssl.ca.pem": ca, "ssl.certificate.pem": client}, "option 'kafka.ssl.key.location' is missing: a client's certificate and "
         "its key belong together", 2),
        ({"ssl.ca.pem": ca, "ssl.certificate.pem": client, "ssl.certificate.location": place.client, "ssl.key.pem": key},
         "option 'kafka.ssl.certificate.pem' cannot stand beside kafka.ssl.certificate.location: give one of them", 2),
    ]
    for options, says, code in wrong:
        fails("MTLS", {**base, **options}, says, code=code)


def test_a_key_store():
    place = get()
    store, empty, text = (place.client.parent / name for name in ("client.p12", "empty.p12", "text.p12"))
    place.ours.openssl("pkcs12", "-export", "-in", place.client, "-inkey", place.key, "-passout", "pass:key-secret", "-out", store)
    place.ours.openssl("pkcs12", "-export", "-in", place.client, "-nokeys", "-passout", "pass:key-secret", "-out", empty)
    text.write_text("no key store")
    with_store = tls(**{"ssl.keystore.location": store, "ssl.keystore.password": "key-secret"})
    works("MTLS", with_store)
    says = ("option 'kafka.ssl.keystore.location': ... cannot be read as PKCS#12: ...; kafka.ssl.keystore.password must be its "
            "password")
    for wrong in ({"ssl.keystore.password": "wrong-secret"}, {"ssl.keystore.location": text}):
        fails("MTLS", {**with_store, **wrong}, says, code=2)
    fails("MTLS", {**with_store, "ssl.keystore.location": empty}, f"option 'kafka.ssl.keystore.location': {empty} cannot be read as "
          "PKCS#12: it has no certificate with a key; kafka.ssl.keystore.password must be its password", code=2)
    fails("MTLS", {**with_store, "ssl.keystore.location": store.parent}, f"'kafka.ssl.keystore.location': {store.parent}: ", code=2)
    fails("MTLS", {**with_store, "ssl.key.location": place.key}, "option 'kafka.ssl.keystore.location' has certificate and key: "
          "leave kafka.ssl.certificate.* and kafka.ssl.key.* out", code=2)


def test_a_clients_certificate_that_is_missing_or_not_trusted():
    says = ("; the broker wants a client's certificate that it trusts: see kafka.ssl.certificate.location and "
            "kafka.ssl.key.location")
    fails("MTLS", tls(), says)
    fails("MTLS", tls(**{"ssl.certificate.location": get().stranger, "ssl.key.location": get().stranger_key}), says)


def test_plain():
    works("SASL", sasl("PLAIN", **USER))


def test_scram():
    for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512"):
        works("SASL", sasl(mechanism, **USER))


def test_what_is_produced_is_the_librarys():
    """Which brokers from 3.8.1 on refuse by SCRAM, where it is that of Debian 12: it is said what would help."""
    path = native("SASL", sasl("SCRAM-SHA-256", **USER))
    rows = path.parent / "s.txt"
    rows.write_text(f"trip_id,stop_id\nT,n{get().n_sent}\n")
    if version() >= (2, 6, 1):
        lib.run("produce", rows, path)
        get().n_sent += 1
        return
    done = lib.run("produce", rows, path, code=1)
    assert scram_hint("SCRAM-SHA-256") in done.err, done.err
    no_secret_in(done.out, done.err)


def test_sasl_without_tls():
    works("CLEAR", {"security.protocol": "sasl_plaintext", "sasl.mechanism": "SCRAM-SHA-512", **USER})


def test_wrong_passwords_and_strangers():
    for mechanism in ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"):
        for user in (STRANGER, {"sasl.username": "mallory", "sasl.password": "wrong-secret"}):
            fails("SASL", sasl(mechanism, **user),
                  "SASL authentication error: Authentication failed: Invalid username or password" + SEE_OPTIONS
                  if mechanism == "PLAIN" else
                  "SASL authentication error: Authentication failed during authentication due to invalid credentials "
                  f"with SASL mechanism {mechanism}" + SEE_OPTIONS)


def test_a_mechanism_that_the_broker_has_not():
    path = native("CLEAR", {"security.protocol": "sasl_plaintext", "sasl.mechanism": "PLAIN", **USER})
    only_scram = kafka_cluster.Cluster(1, {
        "PLAINTEXT": kafka_cluster.Listener(),
        "SASL": kafka_cluster.Listener("SASL_PLAINTEXT", **{**sasl_settings(), "sasl.enabled.mechanisms":
                                                            "SCRAM-SHA-256"})})
    path.write_text(path.read_text().replace(at("CLEAR"), only_scram.addresses("SASL")))
    done = lib.run("run", "--once", path, code=1)
    only_scram.brokers[0].kill()
    assert "the broker takes no PLAIN, only SCRAM-SHA-256; see kafka.sasl.mechanism" in done.err, done.err


def token(subject="alice", life_s=3600):
    """One without a signature, which the broker takes for trials."""
    now = int(time.time())
    parts = [json.dumps(part).encode() for part in
             ({"alg": "none"}, {"sub": subject, "iat": now - 1, "exp": now + life_s, "scope": "x"})]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts) + "."


def test_oauthbearer():
    file = lib.tmp_dir() / "token"
    file.write_text(token() + "\n")
    works("SASL", sasl("OAUTHBEARER", **{"sasl.oauthbearer.token.file": file}))
    works("SASL", sasl("OAUTHBEARER", **{"sasl.oauthbearer.token.command": f"sleep 0.1; cat {file}"}))
    path = native("SASL", sasl("OAUTHBEARER", **{"sasl.oauthbearer.token.file": file}))
    rows = path.parent / "s.txt"
    rows.write_text("trip_id,stop_id\nT,n\n")
    done = lib.run("produce", rows, path, code=2)
    assert ("option 'kafka.sasl.oauthbearer.token.file' is of client = 'native': records are published by librdkafka, "
            "which takes no tokens so; publish them with another mechanism, or with another tool") in done.err, done.err


def test_tokens_that_are_wrong():
    file = lib.tmp_dir() / "token"
    file.write_text(token(life_s=-100))
    wrong = "the broker refuses the token: {\"status\":\"invalid_token\"}"
    fails("SASL", sasl("OAUTHBEARER", **{"sasl.oauthbearer.token.file": file}), wrong)
    file.write_text("eyJ")
    fails("SASL", sasl("OAUTHBEARER", **{"sasl.oauthbearer.token.file": file}), wrong)
    fails("SASL", sasl("OAUTHBEARER", **{"sasl.oauthbearer.token.command": "exit 3"}),
          "'kafka.sasl.oauthbearer.token.command': the command ended by exit code 3", limit_s=25)
    fails("SASL", sasl("OAUTHBEARER"), "takes its token from one of kafka.sasl.oauthbearer.token.file and "
          "kafka.sasl.oauthbearer.token.command; for OIDC and unsecured tokens write client = 'librdkafka'", code=2)


def test_another_protocol_than_the_ports():
    fails("PLAINTEXT", tls(), SEE_OPTIONS, limit_s=25)
    fails("PLAINTEXT", sasl("PLAIN", **USER), SEE_OPTIONS, limit_s=25)
    fails("TLS", {}, SEE_OPTIONS, limit_s=25)
    fails("SASL", tls(), SEE_OPTIONS, limit_s=25)
    fails("TLS", sasl("PLAIN", **USER), "the broker wants no SASL at this port; see kafka.security.protocol")
    fails("CLEAR", {}, SEE_OPTIONS, limit_s=25)
    fails("CLEAR", {"security.protocol": "sasl_plaintext", "sasl.mechanism": "PLAIN", **STRANGER},
          "Invalid username or password" + SEE_OPTIONS)


def test_what_it_does_not_have_is_refused():
    refused = [
        ({"sasl.mechanism": "CRAM-MD5"}, "option 'kafka.sasl.mechanism': client = 'native' has PLAIN, SCRAM-SHA-256, "
         "SCRAM-SHA-512, OAUTHBEARER and GSSAPI, not 'CRAM-MD5'"),
        ({"sasl.kerberos.kinit.cmd": "true"}, "option 'kafka.sasl.kerberos.kinit.cmd' is not one of client = 'native'"),
        ({"sasl.oauthbearer.config": "principal=alice"}, "option 'kafka.sasl.oauthbearer.config' is not one of client = 'native'; "
         "write client = 'librdkafka', or see the documentation on security for those that it takes"),
        ({"ssl.endpoint.identification.algorithm": "dns"},
         "option 'kafka.ssl.endpoint.identification.algorithm': Invalid value"),
        ({"ssl.cipher.suites": "ALL"}, "option 'kafka.ssl.cipher.suites' is not one of client"),
        ({"sasl.password": "gehéim"}, "option 'kafka.sasl.password': SCRAM of client = 'native' takes printable ASCII"),
    ]
    for options, says in refused:
        fails("SASL", {**sasl("SCRAM-SHA-256", **USER), **options}, says, code=2,
              commands=(["check"], ["run", "--once"]))
    path = script("SASL", sasl("OAUTHBEARER", **{"sasl.oauthbearer.token.file": get().client}), client="librdkafka")
    done = lib.run("check", path, code=2)
    assert "option 'kafka.sasl.oauthbearer.token.file' wants client = 'native'" in done.err, done.err


def test_logins_that_end_are_made_anew():
    """For longer than three logins last, nothing is said and nothing lost; the broker ended none. A command is asked for a token
    each time; a member of a group, too, logs in anew."""
    place = get()
    asked = lib.tmp_dir() / "asked"
    command = f"echo >> {asked}; printf %s {token()}"
    for options in (sasl("SCRAM-SHA-256", **USER), sasl("PLAIN", **USER),
                    sasl("OAUTHBEARER", **{"sasl.oauthbearer.token.command": command})):
        path = native("SHORT", options)
        if "sasl.oauthbearer.token.command" in options:
            path.write_text(path.read_text().replace("SET membership = 'none';\n", ""))
        path.write_text(path.read_text() + "SET commit.interval = '100ms';\n")
        (path.parent / "r").mkdir()
        worker = lib.Started("run", path)
        end = time.monotonic() + 3.5 * REAUTHENTICATED_MS / 1000
        while time.monotonic() < end:
            broker.produce(place.topic, [f"T,n{place.n_sent}"], brokers=at("PLAINTEXT"))
            place.n_sent += 1
            time.sleep(0.2)
        lib.wait_until(lambda p=path: len(list(results.iter_result(p.parent / "r"))) == place.n_sent,
                       what="all rows")
        worker.stop()
        said = worker.text()
        assert "warn" not in said and "cannot be reached" not in said, said
    assert len(asked.read_text()) > 2 * 3, "connections of topic, stream and group, each more than twice"
