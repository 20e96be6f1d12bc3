# SPDX-License-Identifier: Apache-2.0
# test: takes 115
# test: waits
# test: needs kafka
# test: limit 300
"""client = 'librdkafka' against a broker that has all settings of docs/security.md, good and wrong: what
works, and what is said of what does not. That of 'native' is native_security."""
import ctypes
import re

import broker
import kafka_secured
import lib
import results
from kafka_secured import STRANGER, USER, get, sasl, tls

SEE_OPTIONS = "; see the options kafka.security.protocol, kafka.ssl.* and kafka.sasl.*"
SEE_CA = ("; kafka.ssl.ca.location must be the CA that signed the broker's certificate, and that "
          "must name this host")
SEE_CERTIFICATE = ("; the broker wants a client's certificate that it trusts: see "
                   "kafka.ssl.certificate.location and kafka.ssl.key.location")


def script(listener, options, brokers=None):
    return kafka_secured.script(listener, options, brokers, client="librdkafka")


def works(listener, options):
    """All commands that speak with the broker."""
    path = script(listener, options)
    file = path.parent / "s.txt"
    file.write_text(f"trip_id,stop_id\nT,n{get().n_sent}\n")
    lib.run("init", path)
    lib.run("check", "--live", path)
    lib.run("produce", file, path)
    get().n_sent += 1
    lib.run("run", "--once", path)
    rows = sorted(row[1] for row in results.iter_result(path.parent / "r"))
    assert rows == [f"n{i}" for i in range(get().n_sent)], rows


def fails(listener, options, says, code=1, brokers=None, limit_s=5):
    """Each command says why, soon, and in the same words: what comes before `says` is librdkafka's,
    and differs by its version and OpenSSL's."""
    path = script(listener, options, brokers)
    (path.parent / "r").mkdir()
    told = set()
    for command in (["run", "--once"], ["init"], ["check", "--live"]):
        done = lib.run(*command, path, code=code)
        assert done.seconds < limit_s, (command, done.seconds)
        said = [line for line in (done.out + done.err).splitlines() if says in line]
        assert len(said) == 1, (command, done.out, done.err)
        reached, _, tail = said[0].partition(says)
        told.add((re.search("brokers .* cannot be reached|$", reached)[0], tail))
    assert len(told) == 1, told


def version():
    """(major, minor, revision) of the client library."""
    number = ctypes.CDLL("librdkafka.so.1").rd_kafka_version()
    return number >> 24 & 0xff, number >> 16 & 0xff, number >> 8 & 0xff


def test_tls():
    works("TLS", tls())


def test_tls_with_another_authority():
    fails("TLS", tls(**{"ssl.ca.location": get().foreign.ca}), SEE_CA)
    fails("TLS", {"security.protocol": "SSL"}, SEE_CA)


def test_tls_to_a_host_that_the_certificate_does_not_name():
    fails("TLS", tls(), SEE_CA, brokers=get().at("TLS").replace("localhost", "127.0.0.1"))


def test_a_clients_certificate():
    works("MTLS", tls(**{"ssl.certificate.location": get().client,
                         "ssl.key.location": get().key}))


def test_a_clients_certificate_that_is_missing_or_not_trusted():
    fails("MTLS", tls(), SEE_CERTIFICATE)
    fails("MTLS", tls(**{"ssl.certificate.location": get().stranger,
                         "ssl.key.location": get().stranger_key}), SEE_CERTIFICATE)


def test_plain():
    works("SASL", sasl("PLAIN", **USER))


def test_a_wrong_password():
    fails("SASL", sasl("PLAIN", **STRANGER),
          "SASL authentication error: Authentication failed: Invalid username or password"
          + SEE_OPTIONS)


def test_a_wrong_authority_below_sasl():
    fails("SASL", sasl("PLAIN", **USER, **{"ssl.ca.location": get().foreign.ca}), SEE_CA)


def test_scram_where_the_library_can():
    for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512"):
        if version() >= (2, 6, 1):
            works("SASL", sasl(mechanism, **USER))
        else:
            fails("SASL", sasl(mechanism, **USER), scram_hint(mechanism))


def scram_hint(mechanism):
    if version() >= (2, 6, 1):
        return SEE_OPTIONS
    return ("; user name or password are wrong, or it is the Kafka client: brokers from 3.8.1 on "
            f"refuse the {mechanism} of librdkafka before 2.6.1, and this is "
            f"{'.'.join(map(str, version()))}; use a later one, kafka.sasl.mechanism = 'PLAIN', "
            "or a client's certificate")


def test_a_wrong_password_by_scram():
    for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512"):
        fails("SASL", sasl(mechanism, **STRANGER), scram_hint(mechanism))


def test_oauthbearer():
    works("SASL", sasl("OAUTHBEARER", **{"enable.sasl.oauthbearer.unsecure.jwt": "true",
                                         "sasl.oauthbearer.config": "principal=alice"}))


def test_a_token_that_cannot_be_made():
    fails("SASL", sasl("OAUTHBEARER", **{"enable.sasl.oauthbearer.unsecure.jwt": "true",
                                         "sasl.oauthbearer.config": "nobody=alice"}), SEE_OPTIONS)


def test_no_source_of_tokens():
    fails("SASL", sasl("OAUTHBEARER"),
          "option 'kafka.sasl.mechanism': OAUTHBEARER needs a source of tokens, "
          "kafka.sasl.oauthbearer.method = 'oidc'", code=2)


def test_no_mechanism():
    fails("SASL", {**tls(), "security.protocol": "SASL_SSL", **USER},
          "option 'kafka.sasl.mechanism' is missing: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, "
          "OAUTHBEARER or GSSAPI", code=2)


def test_letters_to_a_topic_without_the_right():
    path = script("SASL", sasl("PLAIN", **USER))
    other = broker.create_topic(brokers=get().at("PLAINTEXT"))
    text = path.read_text().replace("topic = '" + get().topic, "topic = '" + other).replace("stop_id TEXT", "n INT")
    text += "SET on_error.share = '100%';\n"
    path.write_text(text)
    broker.produce(other, [f"T{i},x" for i in range(7)], brokers=get().at("PLAINTEXT"))
    lib.run("init", path)
    lib.run("run", "--once", path)
    hidden, read_only = (broker.create_topic(brokers=get().at("PLAINTEXT")) for _ in range(2))
    for topic, user in ((hidden, "bob"), (read_only, "alice")):
        broker.java_tool("AclCommand", "--add", "--allow-principal", f"User:{user}", "--operation", "Describe",
                         "--operation", "Read", "--topic", topic, brokers=get().at("PLAINTEXT"))
    done = lib.run("dead", path, "--to-topic", hidden, code=1)
    assert f"tramline dead: topic '{hidden}'" in done.err and "authorization failed" in done.err, done.err
    done = lib.run("dead", path, "--to-topic", read_only, code=1)
    assert f"topic '{read_only}': a record was not stored: Broker: Topic authorization failed" in done.err, done.err
    assert (f"published 0 letters to topic '{read_only}', all acknowledged: no\nsent were 7 letters; some may be there "
            "that are not acknowledged\n") in done.out, done.out
    assert broker.consume(read_only, brokers=get().at("PLAINTEXT")) == []
    told = lib.run("dead", path, "--json").out
    assert '"letters":7,' in told, told


def test_another_protocol_than_the_ports():
    fails("PLAINTEXT", sasl("PLAIN", **USER), SEE_OPTIONS, limit_s=20)
    fails("PLAINTEXT", tls(), SEE_OPTIONS, limit_s=20)
    fails("TLS", {}, SEE_OPTIONS, limit_s=20)
    fails("TLS", sasl("PLAIN", **USER), SEE_OPTIONS, limit_s=20)
    fails("SASL", tls(), SEE_OPTIONS, limit_s=20)
