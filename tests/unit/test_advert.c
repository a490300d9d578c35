#include "unit.h"
#include "vectors.h"

static const struct advert plain = {.vhid = 7,
                                    .advskew = 100,
                                    .advbase = 1,
                                    .demote = 3,
                                    .counter = 0x0102030405060708,
                                    .digest = {1, 2, 3}};

static void put_checksum(uint8_t *header)
{
	header[6] = header[7] = 0;
	uint16_t sum = (uint16_t)~independent_sum(header, ADVERT_BYTES);
	header[6] = (uint8_t)(sum >> 8);
	header[7] = (uint8_t)sum;
}

static void assert_advert_equal(const struct advert *a, const struct advert *b)
{
	assert_int_equal(a->vhid, b->vhid);
	assert_int_equal(a->advskew, b->advskew);
	assert_int_equal(a->advbase, b->advbase);
	assert_int_equal(a->demote, b->demote);
	assert_true(a->counter == b->counter);
	assert_memory_equal(a->digest, b->digest, DIGEST_BYTES);
}

static void check_vector(const struct vector *v)
{
	struct advert advert;
	uint8_t header[ADVERT_BYTES];

	assert_int_equal(advert_decode(v->header, ADVERT_BYTES, &advert), DROP_NONE);
	assert_advert_equal(&advert, &v->advert);
	advert_encode(&advert, header);
	assert_memory_equal(header, v->header, ADVERT_BYTES);
}

static void test_vectors(void **state)
{
	(void)state;
	vectors_each(check_vector);
}

static void test_layout(void **state)
{
	(void)state;
	uint8_t header[ADVERT_BYTES];

	advert_encode(&plain, header);
	assert_memory_equal(header, "\x21\x07\x64\x07\x03\x01", 6);
	assert_memory_equal(header + 8, "\x01\x02\x03\x04\x05\x06\x07\x08\x01\x02\x03\x00", 12);
	assert_int_equal(independent_sum(header, ADVERT_BYTES), 0xffff);
}

static void test_length(void **state)
{
	(void)state;
	uint8_t payload[ADVERT_BYTES + 8];
	struct advert advert;

	memset(payload, 0xee, sizeof(payload));
	advert_encode(&plain, payload);
	for (size_t bytes = 0; bytes < ADVERT_BYTES; bytes++)
		assert_int_equal(advert_decode(payload, bytes, &advert), DROP_LENGTH);
	/* What follows is neither summed nor looked at. */
	assert_int_equal(advert_decode(payload, sizeof(payload), &advert), DROP_NONE);
	assert_advert_equal(&advert, &plain);
}

static void test_version(void **state)
{
	(void)state;
	uint8_t payload[ADVERT_BYTES];
	struct advert advert;

	for (unsigned int version = 0; version < 16; version++) {
		advert_encode(&plain, payload);
		payload[0] = (uint8_t)(version << 4 | 1);
		put_checksum(payload);
		enum drop right = version == 2 ? DROP_NONE : version == 3 ? DROP_VRRP : DROP_VERSION;
		assert_int_equal(advert_decode(payload, sizeof(payload), &advert), right);
	}
}

static void test_every_bit_is_summed(void **state)
{
	(void)state;
	uint8_t payload[ADVERT_BYTES];
	struct advert advert = {.vhid = 99};

	for (size_t bit = 8; bit < ADVERT_BYTES * 8; bit++) {
		advert_encode(&plain, payload);
		payload[bit / 8] = (uint8_t)(payload[bit / 8] ^ 1U << bit % 8);
		/* A changed authlen of 5 would be a VRRP advert of 36 bytes. */
		if (payload[3] != 5)
			assert_int_equal(advert_decode(payload, sizeof(payload), &advert), DROP_CHECKSUM);
	}
	assert_int_equal(advert.vhid, 99);
}

static void test_type_and_authlen_are_free(void **state)
{
	(void)state;
	uint8_t payload[ADVERT_BYTES];
	struct advert advert;

	for (unsigned int value = 0; value < 256; value++) {
		advert_encode(&plain, payload);
		payload[0] = (uint8_t)(0x20 | (value & 0x0f));
		payload[3] = (uint8_t)value;
		put_checksum(payload);
		enum drop right = value == 5 ? DROP_VRRP : DROP_NONE;
		assert_int_equal(advert_decode(payload, sizeof(payload), &advert), right);
	}
}

static void test_vrrp(void **state)
{
	(void)state;
	static const struct {
		uint8_t first, count;
		size_t bytes;
		enum drop right;
	} cases[] = {
	        {0x21, 1, 20, DROP_VRRP},     /* version 2, one address */
	        {0x21, 1, 12, DROP_VRRP},     /* the same without authentication */
	        {0x21, 5, 36, DROP_VRRP},     /* as long as a CARP header */
	        {0x21, 7, 44, DROP_CHECKSUM}, /* seven addresses: CARP by its authlen */
	        {0x21, 16, 72, DROP_VRRP},    /* as long as a sealed advert */
	        {0x21, 1, 21, DROP_LENGTH},   /* not the length of one address */
	        {0x21, 0, 16, DROP_LENGTH},   /* no address is no VRRP either */
	        {0x31, 1, 12, DROP_VRRP},     /* version 3 over IPv4 */
	        {0x31, 2, 40, DROP_VRRP},     /* and over IPv6 */
	        {0x31, 1, 7, DROP_LENGTH},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t payload[72] = {cases[i].first, 7, 100, cases[i].count, 0, 1};
		struct advert advert;
		assert_int_equal(advert_decode(payload, cases[i].bytes, &advert), cases[i].right);
	}
}

static void test_interval(void **state)
{
	(void)state;
	assert_int_equal(advert_interval_ns(1, 0), NS_PER_S);
	assert_int_equal(advert_interval_ns(1, 128), 1500 * NS_PER_MS);
	assert_int_equal(advert_interval_ns(0, 1), 3906250);
	assert_int_equal(advert_interval_ns(0, 0), 3906250);
	assert_int_equal(advert_interval_ns(255, 255), 255 * NS_PER_S + 255 * INT64_C(3906250));
}

static void test_checksum(void **state)
{
	(void)state;
	/* The example of RFC 1071 3. */
	static const uint8_t example[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
	static const uint8_t odd[] = {0x01, 0x02, 0x03};

	assert_int_equal(internet_checksum(example, sizeof(example)), 0xffff - 0xddf2);
	assert_int_equal(internet_checksum(odd, sizeof(odd)), 0xffff - 0x0402);
	assert_int_equal(internet_checksum(odd, 0), 0xffff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_vectors),
	        cmocka_unit_test(test_layout),
	        cmocka_unit_test(test_length),
	        cmocka_unit_test(test_version),
	        cmocka_unit_test(test_every_bit_is_summed),
	        cmocka_unit_test(test_type_and_authlen_are_free),
	        cmocka_unit_test(test_vrrp),
	        cmocka_unit_test(test_interval),
	        cmocka_unit_test(test_checksum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
