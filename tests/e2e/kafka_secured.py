# SPDX-License-Identifier: Apache-2.0
"""A broker with listeners for each way to log in, and scripts that use them. Server and clients have
certificates of a CA of the test's own."""
import broker
import kafka_cluster
import lib

SECURITY = "org.apache.kafka.common.security"
USER = {"sasl.username": "alice", "sasl.password": "alice-secret"}
STRANGER = {"sasl.username": "alice", "sasl.password": "wrong"}
SCRIPT = """SET spool = '{root}/spool';
CREATE TABLE s (trip_id TEXT NOT NULL, stop_id TEXT)
  WITH (connector = 'kafka', brokers = '{brokers}', topic = '{topic}', format = 'csv'{options});
CREATE TABLE r () WITH (connector = 'filesystem', path = '{root}/r', format = 'csv');
INSERT INTO r SELECT s.* FROM s;
"""
# Topics are free until they have a rule.
RIGHTS = {"authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
          "super.users": "User:ANONYMOUS", "allow.everyone.if.no.acl.found": "true"}
places = {}
more_listeners = []  # a function that gives those beside the usual
jvm = []  # options of the broker's Java


class Places:
    """The broker, and the certificates around it."""

    def __init__(self, more=None):
        self.ours, self.foreign = kafka_cluster.Certificates(), kafka_cluster.Certificates()
        _, _, server = self.ours.signed("server")
        self.client, self.key, _ = self.ours.signed("client")
        self.stranger, self.stranger_key, _ = self.foreign.signed("stranger")
        tls = {"ssl.keystore.type": "PEM", "ssl.keystore.location": server,
               "ssl.truststore.type": "PEM", "ssl.truststore.location": self.ours.ca}
        scram = [f"SCRAM-SHA-{n}=[name=alice,password=alice-secret]" for n in (256, 512)]
        self.cluster = kafka_cluster.Cluster(1, {
            "PLAINTEXT": kafka_cluster.Listener(),
            "SASL": kafka_cluster.Listener("SASL_SSL", "localhost", **sasl_settings()),
            "TLS": kafka_cluster.Listener("SSL", "localhost"),
            "MTLS": kafka_cluster.Listener("SSL", "localhost", ssl_client_auth="required"),
            **(more or {}),
        }, {**tls, **RIGHTS}, [word for one in scram for word in ("--add-scram", one)], jvm)
        self.topic = broker.create_topic(brokers=self.cluster.addresses("PLAINTEXT"))
        self.n_sent = 0

    def at(self, listener):
        return self.cluster.addresses(listener)


def sasl_settings():
    def module(name, *words):
        return " ".join([f"{SECURITY}.{name}LoginModule required", *words]) + ";"
    return {
        "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER",
        "plain.sasl.jaas.config": module("plain.Plain", 'user_alice="alice-secret"'),
        "scram-sha-256.sasl.jaas.config": module("scram.Scram"),
        "scram-sha-512.sasl.jaas.config": module("scram.Scram"),
        "oauthbearer.sasl.jaas.config": module(
            "oauthbearer.OAuthBearer", 'unsecuredLoginStringClaim_sub="broker"'),
    }


def get():
    """The one place of this process."""
    if not places:
        places["all"] = Places(more_listeners[0]() if more_listeners else None)
    return places["all"]


def tls(**more):
    return {"security.protocol": "SSL", "ssl.ca.location": get().ours.ca, **more}


def sasl(mechanism, **more):
    return {**tls(), "security.protocol": "SASL_SSL", "sasl.mechanism": mechanism, **more}


def script(listener, options, brokers=None, client="native"):
    root = lib.tmp_dir()
    path = root / "pipeline.sql"
    words = f", client = '{client}'"
    words += "".join(f",\n    \"kafka.{name}\" = '{value}'" for name, value in options.items())
    path.write_text(SCRIPT.format(root=root, brokers=brokers or get().at(listener),
                                  topic=get().topic, options=words))
    return path
