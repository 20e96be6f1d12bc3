// SPDX-License-Identifier: Apache-2.0
// What librdkafka 2.0.2 and 2.8.0 say of brokers that refuse them, and what we make of
// it.
#include "test.h"

#include "kafka/refusal.h"

enum {
    V2_0_2 = 0x020002ff,
    V2_6_0 = 0x020600ff,
    V2_6_1 = 0x020601ff,
};

static const char see_options[] =
    "; see the options kafka.security.protocol, kafka.ssl.* and kafka.sasl.*";
static const char scram_refused[] =
    "sasl_ssl://b:9/bootstrap: SASL authentication error: Authentication failed during "
    "authentication due to invalid credentials with SASL mechanism SCRAM-SHA-256";

static void assert_hint(const char *text, const char *mechanism, int version,
                        const char *expected)
{
    char hint[512];
    refusal_hint(text, mechanism, version, hint, sizeof(hint));
    assert_string_equal(hint, expected);
}

static void test_scram_names_the_library_where_it_may_be_its_fault(UNUSED void **state)
{
    assert_hint(
        scram_refused, "SCRAM-SHA-256", V2_0_2,
        "; user name or password are wrong, or it is the Kafka client: brokers from "
        "3.8.1 on refuse the SCRAM-SHA-256 of librdkafka before 2.6.1, and this is "
        "2.0.2; use a later one, kafka.sasl.mechanism = 'PLAIN', or a client's "
        "certificate");
    assert_hint(
        scram_refused, "SCRAM-SHA-512", V2_6_0,
        "; user name or password are wrong, or it is the Kafka client: brokers from "
        "3.8.1 on refuse the SCRAM-SHA-512 of librdkafka before 2.6.1, and this is "
        "2.6.0; use a later one, kafka.sasl.mechanism = 'PLAIN', or a client's "
        "certificate");
    assert_hint(scram_refused, "SCRAM-SHA-256", V2_6_1, see_options);
    assert_hint(scram_refused, "PLAIN", V2_0_2, see_options);
    assert_hint("sasl_ssl://b:9/bootstrap: SSL handshake failed: certificate verify "
                "failed",
                "SCRAM-SHA-256", V2_0_2,
                "; kafka.ssl.ca.location must be the CA that signed the broker's "
                "certificate, and that must name this host");
}

static void test_refusals_are_told_from_brokers_that_end(UNUSED void **state)
{
    static const struct {
        rd_kafka_resp_err_t code;
        enum refusal expected;
        const char *text;
    } cases[] = {
        {RD_KAFKA_RESP_ERR_NO_ERROR, REFUSAL_NO, ""},
        {RD_KAFKA_RESP_ERR__TRANSPORT, REFUSAL_NO,
         "b:9/bootstrap: Connect to ipv4#127.0.0.1:9 failed: Connection refused"},
        {RD_KAFKA_RESP_ERR__AUTHENTICATION, REFUSAL_SURE, scram_refused},
        {RD_KAFKA_RESP_ERR__SSL, REFUSAL_SURE,
         "ssl://b:9/bootstrap: SSL handshake failed: error:0A000086:SSL routines::"
         "certificate verify failed: broker certificate could not be verified"},
        {RD_KAFKA_RESP_ERR__TRANSPORT, REFUSAL_SURE,
         "ssl://b:9/bootstrap: Receive failed: error:0A000412:SSL routines::sslv3 alert "
         "bad certificate: SSL alert number 42"},
        {RD_KAFKA_RESP_ERR__SSL, REFUSAL_SURE,
         "ssl://b:9/bootstrap: SSL handshake failed: error:0A000126:SSL routines::"
         "unexpected eof while reading"},
        {RD_KAFKA_RESP_ERR__SSL, REFUSAL_LIKELY,
         "ssl://b:9/bootstrap: SSL handshake failed: Disconnected: connecting to a "
         "PLAINTEXT broker listener?"},
        {RD_KAFKA_RESP_ERR__TRANSPORT, REFUSAL_LIKELY,
         "ssl://b:9/bootstrap: Send failed: SSL transport error: Broken pipe"},
        {RD_KAFKA_RESP_ERR__TRANSPORT, REFUSAL_LIKELY,
         "ssl://b:9/bootstrap: Send failed: error:80000020:system library::Broken pipe: "
         "tls_retry_write_records failure"},
        {RD_KAFKA_RESP_ERR__TRANSPORT, REFUSAL_LIKELY,
         "ssl://b:9/bootstrap: Receive failed: error:80000068:system library::Connection "
         "reset by peer"},
        {RD_KAFKA_RESP_ERR__TRANSPORT, REFUSAL_LIKELY,
         "sasl_ssl://b:9/bootstrap: Disconnected: verify that security.protocol is "
         "right"},
        {RD_KAFKA_RESP_ERR__TRANSPORT, REFUSAL_LIKELY,
         "b:9/bootstrap: Disconnected while requesting ApiVersion: might be caused by "
         "incorrect security.protocol configuration (connecting to a SSL listener?)"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(refusal_of(cases[i].code, cases[i].text), cases[i].expected);
}

static void test_alerts_lead_to_the_clients_certificate(UNUSED void **state)
{
    assert_hint("ssl://b:9/1: Receive failed: error:0A00045C:SSL routines::tlsv13 alert "
                "certificate required: SSL alert number 116",
                "GSSAPI", V2_0_2,
                "; the broker wants a client's certificate that it trusts: see "
                "kafka.ssl.certificate.location and kafka.ssl.key.location");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scram_names_the_library_where_it_may_be_its_fault),
        cmocka_unit_test(test_refusals_are_told_from_brokers_that_end),
        cmocka_unit_test(test_alerts_lead_to_the_clients_certificate),
    };
    test_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
