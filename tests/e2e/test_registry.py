# SPDX-License-Identifier: Apache-2.0
# test: needs kafka registry
"""Subjects, registration, credentials and TLS on a real Schema Registry, and what `check --live`
says of stream, script and registry."""
import base64
import json
import subprocess

import avro_job
import avro_oracles
import broker
import lib
from avro_job import AvroJob, record
from registry_proxy import RegistryProxy

COLUMNS = "trip_id TEXT NOT NULL, stop_sequence INT"
SCHEMA = record("stop_times", trip_id="string",
                stop_sequence={"type": ["null", "int"], "default": None})


def latest(subject):
    code, answer = avro_job.ask("GET", f"/subjects/{subject}/versions/latest")
    return answer if code == 200 else None


def file_of(work, *lines):
    file = work.directory / "rows.csv"
    file.write_text("\n".join(["trip_id,stop_sequence", *lines]) + "\n")
    return file


# Subjects


def check_subject(wanted, **options):
    """init registers under that subject, says id and version, and finds it there again."""
    work = AvroJob(COLUMNS, **options)
    subject = wanted.format(topic=work.topic)
    said = work.tramline("init").out
    there = latest(subject)
    shown = f"{subject}, id {there['id']}, version {there['version']}"
    assert f"schema     registered   {shown}\n" in said, said
    said = work.tramline("init").out
    assert f"schema     was there    {shown}\n" in said, said
    *_, told = work.tramline("init", "--json").out.splitlines()
    assert json.loads(told) == {"kind": "schema", "name": subject, "outcome": "was there", "id": there["id"],
                                "version": there["version"]}, told
    return work, json.loads(there["schema"]), there["id"]


def test_subjects_by_strategy_and_by_name():
    name = lib.fresh_name("Rec")
    named = {"schema__name": name, "schema__namespace": "gtfs.test"}
    _, schema, _ = check_subject("{topic}-value")
    assert schema["name"] == "stop_times" and [f["name"] for f in schema["fields"]] == [
        "trip_id", "stop_sequence"]
    _, schema, _ = check_subject(f"gtfs.test.{name}", subject="record", **named)
    assert (schema["namespace"], schema["name"]) == ("gtfs.test", name)
    check_subject(f"{{topic}}-gtfs.test.{name}", subject="topic-record", **named)
    explicit = lib.fresh_name("own")
    check_subject(explicit, subject=explicit)


def test_produce_writes_what_init_registered():
    work, schema, number = check_subject("{topic}-value")
    work.tramline("produce", before=[file_of(work, "a,1", "b,", "Fête,07")])
    sent = [value for _, _, _, value in broker.consume(work.topic)]
    assert all(value[:5] == avro_job.frame(number, b"") for value in sent), sent
    job = {"writer": schema, "reader": schema, "data": [value[5:].hex() for value in sent]}
    (got,) = avro_oracles.fastavro([job])
    assert got == [{"trip_id": "a", "stop_sequence": 1}, {"trip_id": "b", "stop_sequence": None},
                   {"trip_id": "Fête", "stop_sequence": 7}], got
    work.run_once()
    assert work.rows() == [("Fête", "7"), ("a", "1"), ("b", None)]


# Policies


def test_if_compatible_asks_first():
    with RegistryProxy() as proxy:
        work = AvroJob(COLUMNS, proxy.url)
        work.tramline("init")
        subject = work.subject
        asked = [f"POST /subjects/{subject}",
                 f"POST /compatibility/subjects/{subject}/versions/latest?verbose=true",
                 f"POST /subjects/{subject}/versions", f"GET /subjects/{subject}/versions/latest"]
        places = [proxy.requests.index(request) for request in asked]
        assert places == sorted(places), proxy.requests


def test_always_registers_without_asking():
    with RegistryProxy() as proxy:
        work = AvroJob(COLUMNS, proxy.url, register="always")
        work.tramline("init")
        assert latest(work.subject) is not None
        assert not any("/compatibility/" in request for request in proxy.requests)


def test_never_registers_nothing():
    work = AvroJob(COLUMNS, register="never")
    words = (f"registry: subject '{work.subject}' does not have this schema, and register = 'never';"
             " register it, or set register = 'if_compatible'")
    assert f"schema     none         {words}" in work.tramline("init").out
    said = work.tramline("produce", before=[file_of(work, "a,1")], code=1)
    assert words in said.err and latest(work.subject) is None, said.err
    assert broker.consume(work.topic) == []
    number = avro_job.register(work.subject, SCHEMA)
    said = work.tramline("init").out
    # The script's own schema carries field-ids, which the registry compares too.
    assert "none" in said and latest(work.subject)["id"] == number, said


WITH_MORE = record("stop_times", trip_id="string", stop_sequence="int", platform="string")


def test_incompatible_schemas_are_refused_with_the_reason():
    work = AvroJob(COLUMNS + ", headsign TEXT NOT NULL")
    first = avro_job.register(work.subject, SCHEMA)
    avro_job.set_level(work.subject)
    said = work.tramline("init", code=1)
    assert (f"registry: the schema is not compatible with the latest version of subject "
            f"'{work.subject}': old records read with the new schema: field 'headsign': record "
            "'stop_times' of the writer has no such field, and the reader's has no default; change "
            "the columns, or the subject's compatibility level") in said.err, said.err
    said = work.tramline("produce", before=[file_of(work, "a,1")], code=None)
    assert said.code != 0
    text = work.script.read_text()
    work.script.write_text(text.replace("format = 'avro'", "format = 'avro', register = 'always'"))
    said = work.tramline("init", code=1)
    assert f"{work.subject}/versions: HTTP 409: " in said.err and "/fields/2" in said.err, said.err
    assert latest(work.subject)["id"] == first


def test_the_reasons_go_both_ways():
    work = AvroJob(COLUMNS)
    avro_job.register(work.subject, WITH_MORE)
    avro_job.set_level(work.subject, "FULL")
    said = work.tramline("init", code=1)
    assert ("new records read with the old schema: field 'platform': record 'stop_times' of the "
            "writer has no such field, and the reader's has no default") in said.err, said.err


# check --live


def check_live(work, code, *lines):
    said = work.tramline("check", "--live", code=code).out.replace(work.topic, "TOPIC")
    for line in lines:
        assert f"{line}\n" in said, said


def test_check_says_whether_stream_script_and_registry_agree():
    work = AvroJob(COLUMNS)
    work.prepare()
    check_live(work, 1, "BAD   schema     stop_times: subject 'TOPIC-value' is not there; tramline "
               "init registers it",
               "ok    produce    stop_times: not registered yet; init or produce will do it")
    work.tramline("init")
    number = latest(work.subject)["id"]
    check_live(work, 0, f"ok    schema     stop_times: subject 'TOPIC-value', id {number}, version 1:"
               " can be read", f"ok    produce    stop_times: produce writes id {number}")
    work.tramline("produce", before=[file_of(work, "a,1")])
    check_live(work, 0, f"ok    record     stop_times: partition 0, offset 0: schema id {number}")


MORE = record("stop_times", trip_id="string", stop_sequence="int",
              extra={"type": ["null", "string"], "default": None})


def test_check_finds_a_job_ready_that_only_reads():
    """A subject of others with more fields, their own records, and subjects of another name."""
    work = AvroJob(COLUMNS, register="never")
    work.prepare()
    number = avro_job.register(work.subject, MORE)
    work.send(avro_job.records(number, MORE, [{"trip_id": "x", "stop_sequence": 1, "extra": None}]))
    only_told = ("ok    produce    stop_times: nothing: register = 'never', and the subject does not have"
                 " this script's schema")
    check_live(work, 0, f"ok    schema     stop_times: subject 'TOPIC-value', id {number}, version 1: can"
               " be read", only_told, f"ok    record     stop_times: partition 0, offset 0: schema id {number}")
    work.run_once()
    assert work.rows() == [("x", "1")]
    # Records of another subject, as by the strategy of record names; no subject of the topic's name.
    other = AvroJob(COLUMNS, register="never")
    other.prepare()
    number = avro_job.register(lib.fresh_name("gtfs.StopTime"), MORE)
    other.send(avro_job.records(number, MORE, [{"trip_id": "y", "stop_sequence": 2, "extra": "z"}]))
    check_live(other, 0, "ok    schema     stop_times: subject 'TOPIC-value' is not there, and not needed"
               " for reading", only_told,
               f"ok    record     stop_times: partition 0, offset 0: schema id {number}")
    other.run_once()
    assert other.rows() == [("y", "2")]
    # What it cannot read is no less wrong.
    wrong = AvroJob(COLUMNS, register="never")
    wrong.prepare()
    number = avro_job.register(wrong.subject, record("stop_times", trip_id="long", stop_sequence="int"))
    check_live(wrong, 1, f"BAD   schema     stop_times: subject 'TOPIC-value', id {number}, version 1: field "
               "'trip_id': the writer's long cannot be read as TEXT; declare the column BIGINT")


def test_check_finds_records_of_another_subject():
    work = AvroJob(COLUMNS)
    work.tramline("init")
    other = lib.fresh_name("other")
    schema = record(other, trip_id="string", stop_sequence="int")
    number = avro_job.register(other, schema)
    values = [{"trip_id": "a", "stop_sequence": 1}]
    work.send(avro_job.records(number, schema, values))
    check_live(work, 1, f"BAD   record     stop_times: partition 0, offset 0: schema id {number} is "
               f"not of subject 'TOPIC-value', but of '{other}'; another producer writes here, or "
               "option subject is wrong")
    work.send([b"{}"])
    check_live(work, 1, "BAD   record     stop_times: partition 0, offset 1: first byte is 0x7B '{': "
               "looks like JSON, not Confluent Avro")
    work.send([avro_job.frame(987654, b"")])
    check_live(work, 1, "BAD   record     stop_times: partition 0, offset 2: schema id 987654: "
               f"registry: GET {lib.registry_url()}/schemas/ids/987654: HTTP 404: No content with ID "
               "'987654' was found.")
    work.send([None])
    check_live(work, 0, "ok    record     stop_times: partition 0, offset 3: no value")


def test_check_finds_a_schema_that_cannot_be_read():
    work = AvroJob(COLUMNS)
    work.prepare()
    schema = record("stop_times", trip_id="string", stop_sequence="string")
    number = avro_job.register(work.subject, schema)
    avro_job.set_level(work.subject)
    check_live(work, 1, f"BAD   schema     stop_times: subject 'TOPIC-value', id {number}, version 1:"
               " field 'stop_sequence': the writer's string cannot be read as INT; declare the column "
               "TEXT",
               "BAD   produce    stop_times: registry: the schema is not compatible with the latest "
               "version of subject 'TOPIC-value': old records read with the new schema: field "
               "'stop_sequence': the writer's string cannot be read as union of null and int; new "
               "records read with the old schema: field 'stop_sequence': the writer's int cannot be "
               "read as string; change the columns, or the subject's compatibility level")


def test_check_finds_a_file_that_does_not_fit_without_any_contact():
    place = lib.tmp_dir() / "reader.avsc"
    place.write_text(json.dumps(record("r", trip_id="string", stop_sequence="long")))
    with RegistryProxy() as proxy:
        work = AvroJob(COLUMNS, proxy.url, schema=place)
        said = work.tramline("check", code=2)
        assert said.out == "" and (
            f":5:14: error: {place}: field 'stop_sequence': the schema's long does not fit a column of "
            "INT; declare it BIGINT\n") in said.err, said.err
        place.write_text("{}")
        said = work.tramline("check", code=2)
        assert f':5:14: error: {place}: Avro schema: a type needs "type"\n' in said.err, said.err
        work = AvroJob(COLUMNS, proxy.url + " ftp://x", registry__user="me")
        said = work.tramline("check", code=2)
        assert f"registry: '{proxy.url} ftp://x' is not an address; write http://host:port/path" in said.err
    assert proxy.requests == []


# Credentials and TLS

SECRET = "s3cret-word"


def secret_job(proxy, **options):
    work = AvroJob(COLUMNS, proxy.url, **options)
    file = work.directory / "secret"
    file.write_text(SECRET + "\n")
    return work, ["--set-file", f"PW={file}"]


def all_commands(work, *args, **kwargs):
    """Every command that asks the registry; what they say has no secret in it."""
    file = file_of(work, "a,1")
    said = [work.tramline("init", *args, **kwargs),
            work.tramline("produce", *args, before=[file], **kwargs),
            work.tramline("run", "--once", *args, **kwargs),
            work.tramline("check", "--live", *args, **kwargs),
            work.tramline("explain", *args, **kwargs)]
    for one in said:
        assert SECRET not in one.out + one.err, one.err
    assert work.rows() == [("a", "1")]


def test_basic_credentials():
    login = "Basic " + base64.b64encode(f"me:{SECRET}".encode()).decode()
    with RegistryProxy(login=login) as proxy:
        work, secret = secret_job(proxy, registry__user="me", registry__password="${PW}")
        all_commands(work, *secret)
        assert set(proxy.logins) == {login}
        said = work.tramline("init", "--set", f"PW={SECRET}", code=2)
        assert "registry.password" in said.err and SECRET not in said.err, said.err
        said = work.tramline("init", env={"PW": "wrong"}, code=1)
        assert ("HTTP 401: Unauthorized; give registry.user and registry.password, or "
                "registry.token") in said.err, said.err


def test_an_address_with_credentials():
    login = "Basic " + base64.b64encode(f"me:{SECRET}".encode()).decode()
    with RegistryProxy(login=login) as proxy:
        work, secret = secret_job(proxy)
        text = work.script.read_text()
        work.script.write_text(text.replace("http://", "http://me:${PW}@"))
        all_commands(work, *secret)
        proxy.answer(500)
        said = work.tramline("init", *secret, code=1)
        assert "HTTP 500" in said.err and SECRET not in said.err, said.err


def test_bearer_token_from_the_environment():
    with RegistryProxy(login=f"Bearer {SECRET}") as proxy:
        work, _ = secret_job(proxy, registry__token="${PW}")
        all_commands(work, env={"PW": SECRET})
        assert set(proxy.logins) == {f"Bearer {SECRET}"}


def certificate():
    """(certificate, certificate and key) for 127.0.0.1, signed by itself."""
    place = lib.tmp_dir()
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-subj", "/CN=registry", "-addext", "subjectAltName=IP:127.0.0.1",
                    "-keyout", place / "key.pem", "-out", place / "cert.pem"],
                   check=True, capture_output=True)
    both = place / "both.pem"
    both.write_text((place / "cert.pem").read_text() + (place / "key.pem").read_text())
    return place / "cert.pem", both


def test_tls_with_a_ca_file():
    ca_file, both = certificate()
    with RegistryProxy(certificate=both) as proxy:
        assert proxy.url.startswith("https://")
        work, _ = secret_job(proxy, registry__ca_file=ca_file)
        all_commands(work)
        work, _ = secret_job(proxy)
        said = work.tramline("init", code=1)
        assert ("SSL certificate problem: self-signed certificate; if its certificate is signed by an"
                " authority of your own, give that with registry.ca_file") in said.err, said.err
        no_certificate = work.script
        work, _ = secret_job(proxy, registry__ca_file=no_certificate)
        said = work.tramline("init", code=1)
        assert ("registry.ca_file cannot be used: error setting certificate file: "
                f"{no_certificate}") in said.err, said.err
