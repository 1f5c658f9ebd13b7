#include "base/rng.h"
#include "kafka/internal.h"
#include "support/test.h"

/* openssl req -x509 -newkey ec -subj /O=Shop/CN=stream-app/OU=Data */
static const char certificate[] = "-----BEGIN CERTIFICATE-----\n"
                                  "MIIBvDCCAWOgAwIBAgIUcLeYQ2BUTbtYg/bN4k3RiXpjOxUwCgYIKoZIzj0EAwIw\n"
                                  "MzENMAsGA1UECgwEU2hvcDETMBEGA1UEAwwKc3RyZWFtLWFwcDENMAsGA1UECwwE\n"
                                  "RGF0YTAgFw0yNjExMjQyMzI1MzRaGA8yMTI2MTAzMTIzMjUzNFowMzENMAsGA1UE\n"
                                  "CgwEU2hvcDETMBEGA1UEAwwKc3RyZWFtLWFwcDENMAsGA1UECwwERGF0YTBZMBMG\n"
                                  "ByqGSM49AgEGCCqGSM49AwEHA0IABHmo9plrEH5aasJgb09bzCj+GN3NCSBrGrl6\n"
                                  "+0uAIT5OXvLNyj62sAh7CBZT3zvuxNW0hZVimq3An9rgYgY1yUSjUzBRMB0GA1Ud\n"
                                  "DgQWBBT9Tw3Dc6M6kjVaetDop4gleeTlhzAfBgNVHSMEGDAWgBT9Tw3Dc6M6kjVa\n"
                                  "etDop4gleeTlhzAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0cAMEQCIGhz\n"
                                  "Vt1YJbQraaDfE5uBu7DdPzJq2h9mArijDQvIiZMiAiBsnLm7iKMjehLSQPkZg1up\n"
                                  "n1JhNcZ8UAcVPuvTbScDag==\n"
                                  "-----END CERTIFICATE-----\n";

static const char *write_file(const char *text, size_t size) {
    static char path[512];
    snprintf(path, sizeof path, "%s/cert.pem", tw_test_dir());
    FILE *file = fopen(path, "wb");
    ASSERT_TRUE(file && fwrite(text, 1, size, file) == size && fclose(file) == 0);
    return path;
}

TEST(the_principal_of_a_certificate_is_its_common_name) {
    char name[64] = "";
    char text[2 * sizeof certificate + 200];
    ASSERT_TRUE(tw_kafka_certificate_name(write_file(certificate, sizeof certificate - 1), name, sizeof name));
    ASSERT_EQ(strcmp(name, "stream-app"), 0);
    int size = snprintf(text, sizeof text,
                        "a key before it\n-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n%s%s",
                        certificate, certificate);
    name[0] = '\0';
    ASSERT_TRUE(tw_kafka_certificate_name(write_file(text, (size_t)size), name, sizeof name));
    ASSERT_EQ(strcmp(name, "stream-app"), 0);
}

TEST(a_damaged_certificate_has_no_name_or_a_wrong_one_and_nothing_worse) {
    char name[16], text[sizeof certificate];
    tw_rng rng = tw_rng_at(tw_test_seed(), 0, 0);
    for (size_t cut = 0; cut < sizeof certificate; cut += 7)
        tw_kafka_certificate_name(write_file(certificate, cut), name, sizeof name);
    for (int round = 0; round < 500; round++) {
        memcpy(text, certificate, sizeof text);
        for (int k = 0; k < 3; k++)
            text[28 + tw_rng_below(&rng, 300)] = "ABCDabcd0189+/"[tw_rng_below(&rng, 14)];
        tw_kafka_certificate_name(write_file(text, sizeof text - 1), name, sizeof name);
    }
    ASSERT_FALSE(tw_kafka_certificate_name("/no/such/file", name, sizeof name));
}
