/* Who we are to the broker, as far as a client can know it: the name of SASL, else the subject of its certificate, else nobody. Called
 * when something was denied; the thread of the client's owner. */
#include "kafka/internal.h"

#include "base/file.h"

#include <stdio.h>
#include <strings.h>

#define PEM_SIZE_MAX ((size_t)1 << 20)

/* A value in DER: its tag, and what it holds. */
typedef struct der {
    uint8_t tag;
    tw_slice body;
} der;

/* Takes the next value off the front of bytes; false: there is none, or it is damaged. */
static bool take(tw_slice *bytes, der *ret) {
    const unsigned char *p = (const unsigned char *)bytes->data;
    size_t head = 2, size;
    if (bytes->size < 2)
        return false;
    size = p[1];
    if (size > 0x80) {
        size_t more = size & 0x7f;
        if (more > 3 || bytes->size < 2 + more)
            return false;
        size = 0;
        for (size_t i = 0; i < more; i++)
            size = size << 8 | p[2 + i];
        head += more;
    }
    if (size > bytes->size - head)
        return false;
    *ret = (der){p[0], {bytes->data + head, size}};
    bytes->data += head + size;
    bytes->size -= head + size;
    return true;
}

/* RFC 5280: Certificate { TBSCertificate { [0] version, serial, algorithm, issuer, validity, subject { SET { SEQUENCE { type, value }}}}}. */
static bool common_name(tw_slice certificate, char *ret_name, size_t size) {
    der whole, part, v, set, pair, type, value;
    bool found = false;
    if (!take(&certificate, &whole) || !take(&whole.body, &part))
        return false;
    tw_slice tbs = part.body;
    if (!take(&tbs, &v))
        return false;
    for (int skip = v.tag == 0xa0 ? 5 : 4; skip > 0; skip--)
        if (!take(&tbs, &v))
            return false;
    tw_slice subject = v.body;
    while (take(&subject, &set))
        if (take(&set.body, &pair) && take(&pair.body, &type) && take(&pair.body, &value) &&
            tw_slice_equal(type.body, (tw_slice){"\x55\x04\x03", 3})) { /* 2.5.4.3 */
            snprintf(ret_name, size, TW_SLICE_FMT, TW_SLICE_ARG(value.body));
            found = true;
        }
    return found;
}

static int base64_digit(char c) {
    return c >= 'A' && c <= 'Z'   ? c - 'A'
           : c >= 'a' && c <= 'z' ? c - 'a' + 26
           : c >= '0' && c <= '9' ? c - '0' + 52
           : c == '+'             ? 62
           : c == '/'             ? 63
                                  : -1;
}

static void decode_base64(const char *text, const char *end, tw_buf *out) {
    uint32_t bits = 0;
    int count = 0;
    for (; text < end; text++) {
        int digit = base64_digit(*text);
        if (digit < 0)
            continue;
        bits = bits << 6 | (uint32_t)digit;
        count += 6;
        if (count >= 8) {
            count -= 8;
            tw_buf_u8(out, (uint8_t)(bits >> count));
        }
    }
}

bool tw_kafka_certificate_name(const char *path, char *ret_name, size_t size) {
    tw_buf pem = {0}, certificate = {0};
    bool found = false;
    if (tw_file_read(path, PEM_SIZE_MAX, &pem, NULL) == TW_OK) {
        tw_buf_u8(&pem, '\0');
        const char *from = strstr(pem.data, "-----BEGIN CERTIFICATE-----");
        const char *to = from ? strstr(from, "-----END CERTIFICATE-----") : NULL;
        if (to) {
            decode_base64(from + strlen("-----BEGIN CERTIFICATE-----"), to, &certificate);
            found = common_name(tw_buf_slice(&certificate), ret_name, size);
        }
    }
    tw_buf_done(&pem);
    tw_buf_done(&certificate);
    return found;
}

void tw_kafka_conf_text(const rd_kafka_t *client, const char *name, char *ret, size_t size) {
    if (rd_kafka_conf_get(rd_kafka_conf((rd_kafka_t *)(uintptr_t)client), name, ret, &size) != RD_KAFKA_CONF_OK)
        ret[0] = '\0';
}

void tw_kafka_principal(const rd_kafka_t *client, char *ret_principal, size_t size) {
    char protocol[32], path[1024], name[256];
    tw_kafka_conf_text(client, "security.protocol", protocol, sizeof protocol);
    if (strncasecmp(protocol, "sasl", 4) == 0) {
        tw_kafka_conf_text(client, "sasl.username", name, sizeof name);
        snprintf(ret_principal, size, "User:%s", *name ? name : "(that of the SASL credentials)");
        return;
    }
    tw_kafka_conf_text(client, "ssl.certificate.location", path, sizeof path);
    if (strcasecmp(protocol, "ssl") == 0 && *path && tw_kafka_certificate_name(path, name, sizeof name))
        snprintf(ret_principal, size, "the client certificate CN=%s", name);
    else
        snprintf(ret_principal, size, "%s",
                 strcasecmp(protocol, "ssl") == 0 ? "the client's certificate" : "User:ANONYMOUS");
}
