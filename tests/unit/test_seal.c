#include "unit.h"

#include "core/seal.h"

#define SEQUENCE UINT64_C(0x1796f4b2c0ffee01)

static struct seal_key key;
static struct address source;
static uint8_t payload[SEALED_BYTES];

/* Writes a sealed advert by key 3, whose secret is the bytes 0 to 31. */
static int set_up(void **state)
{
	(void)state;
	uint8_t secret[SEAL_KEY_BYTES];

	for (uint8_t i = 0; i < sizeof(secret); i++)
		secret[i] = i;
	seal_key_derive(&key, 3, secret, sizeof(secret));
	source = address_of("10.0.0.1");
	bytes_of("2101000700019b6a00000000000000014a22922a36d43539501424739cc5a8b006843aaf", payload,
	         ADVERT_BYTES);
	seal_write(&key, &source, payload, SEQUENCE, SEAL_HANDING_OVER, 0, payload + ADVERT_BYTES);
	return 0;
}

static enum seal_verdict verify(size_t bytes)
{
	struct seal seal;

	return seal_verify(&key, 1, &source, payload, bytes, &seal);
}

/* The balance that a forger would put in, so that nothing but the MAC can object. */
static void balance_again(void)
{
	uint8_t *trailer = payload + ADVERT_BYTES;

	trailer[32] = trailer[33] = 0;
	uint16_t balance = (uint16_t)~independent_sum(trailer, SEAL_BYTES);
	trailer[32] = (uint8_t)(balance >> 8);
	trailer[33] = (uint8_t)balance;
}

/* Computed with Python's hmac from the layout alone. */
static void test_known_answers(void **state)
{
	(void)state;
	uint8_t right[SEAL_BYTES];

	bytes_of("435801031796f4b2c0ffee0101000000b2f2e7a3f375737f1ec2636fea9356603aa80000", right,
	         SEAL_BYTES);
	assert_memory_equal(payload + ADVERT_BYTES, right, SEAL_BYTES);

	source = address_of("fe80::1");
	seal_write(&key, &source, payload, SEQUENCE, SEAL_HANDING_OVER, 0, payload + ADVERT_BYTES);
	bytes_of("435801031796f4b2c0ffee0101000000c5699dd3bc5a1c9bf465da0162710c9385ba0000", right,
	         SEAL_BYTES);
	assert_memory_equal(payload + ADVERT_BYTES, right, SEAL_BYTES);
}

static void test_round_trip(void **state)
{
	(void)state;
	struct seal seal;

	assert_int_equal(seal_verify(&key, 1, &source, payload, SEALED_BYTES, &seal), SEAL_VALID);
	assert_true(seal.sequence == SEQUENCE);
	assert_int_equal(seal.flags, SEAL_HANDING_OVER);
	assert_int_equal(seal.sender, 0);
	seal_write(&key, &source, payload, SEQUENCE, 0, 0xabcdef, payload + ADVERT_BYTES);
	assert_int_equal(seal_verify(&key, 1, &source, payload, SEALED_BYTES, &seal), SEAL_VALID);
	assert_int_equal(seal.sender, 0xabcdef);
}

/* Peers that sum 36 bytes and peers that sum the whole packet both find it right. */
static void test_neutral(void **state)
{
	(void)state;
	for (uint64_t sequence = 0; sequence < 5000; sequence++) {
		seal_write(&key, &source, payload, sequence * SEQUENCE, (uint8_t)sequence, (uint32_t)sequence,
		           payload + ADVERT_BYTES);
		assert_int_equal(independent_sum(payload, ADVERT_BYTES), 0xffff);
		assert_int_equal(independent_sum(payload + ADVERT_BYTES, SEAL_BYTES), 0xffff);
		assert_int_equal(independent_sum(payload, SEALED_BYTES), 0xffff);
		assert_int_equal(verify(SEALED_BYTES), SEAL_VALID);
	}
}

static void test_every_bit_counts(void **state)
{
	(void)state;
	for (size_t bit = 0; bit < SEALED_BYTES * 8; bit++) {
		size_t at = bit / 8;
		enum seal_verdict right = SEAL_WRONG;

		set_up(NULL);
		payload[at] = (uint8_t)(payload[at] ^ 1U << bit % 8);
		if (at >= ADVERT_BYTES && at < ADVERT_BYTES + 32)
			balance_again();
		if (at == 6 || at == 7) /* the header's own checksum */
			right = SEAL_VALID;
		else if (at >= ADVERT_BYTES && at < ADVERT_BYTES + 3)
			right = SEAL_ABSENT;
		else if (at == ADVERT_BYTES + 3)
			right = SEAL_UNKNOWN_KEY;
		assert_int_equal(verify(SEALED_BYTES), right);
	}
}

static void test_source(void **state)
{
	(void)state;
	source = address_of("10.0.0.2");
	assert_int_equal(verify(SEALED_BYTES), SEAL_WRONG);
	source = address_of("0.0.0.0");
	assert_int_equal(verify(SEALED_BYTES), SEAL_WRONG);
	seal_write(&key, &source, payload, SEQUENCE, 0, 0, payload + ADVERT_BYTES);
	assert_int_equal(verify(SEALED_BYTES), SEAL_VALID);
	source = address_of("::");
	assert_int_equal(verify(SEALED_BYTES), SEAL_WRONG);
}

static void test_lengths(void **state)
{
	(void)state;
	uint8_t longer[SEALED_BYTES + 1] = {0};
	struct seal seal;

	for (size_t bytes = 0; bytes < ADVERT_BYTES + 3; bytes++)
		assert_int_equal(verify(bytes), SEAL_ABSENT);
	for (size_t bytes = ADVERT_BYTES + 3; bytes < SEALED_BYTES; bytes++)
		assert_int_equal(verify(bytes), SEAL_WRONG);
	memcpy(longer, payload, SEALED_BYTES);
	assert_int_equal(seal_verify(&key, 1, &source, longer, sizeof(longer), &seal), SEAL_WRONG);
	memset(payload + ADVERT_BYTES, 0, SEAL_BYTES);
	assert_int_equal(verify(SEALED_BYTES), SEAL_ABSENT);
}

/* The MAC does not cover the last two bytes, so nothing may be hidden there. */
static void test_reserved(void **state)
{
	(void)state;
	payload[ADVERT_BYTES + 34] = 0x12;
	balance_again();
	assert_int_equal(independent_sum(payload + ADVERT_BYTES, SEAL_BYTES), 0xffff);
	assert_int_equal(verify(SEALED_BYTES), SEAL_WRONG);
}

static void test_keys(void **state)
{
	(void)state;
	struct seal_key keys[3];
	struct seal seal;

	seal_key_derive(&keys[0], 2, (const uint8_t *)"other", 5);
	seal_key_derive(&keys[1], 3, (const uint8_t *)"later", 5);
	keys[2] = key;
	assert_int_equal(seal_verify(keys, 0, &source, payload, SEALED_BYTES, &seal), SEAL_UNKNOWN_KEY);
	assert_int_equal(seal_verify(keys, 1, &source, payload, SEALED_BYTES, &seal), SEAL_UNKNOWN_KEY);
	assert_int_equal(seal_verify(keys, 2, &source, payload, SEALED_BYTES, &seal), SEAL_WRONG);
	assert_int_equal(seal_verify(keys, 3, &source, payload, SEALED_BYTES, &seal), SEAL_VALID);
}

/* Computed with Python's hmac. */
static void test_marked_counters(void **state)
{
	(void)state;
	struct seal_key other;

	seal_key_derive(&other, 3, (const uint8_t *)"other", 5);
	uint64_t counter = seal_counter(&key, 42, 0x01020304);
	assert_true(counter == UINT64_C(0x010203048cda29a5));
	assert_true(seal_counter_is_marked(&key, 42, counter));
	/* A BSD that counts on from it does not carry the mark, nor does another group or key. */
	assert_false(seal_counter_is_marked(&key, 42, counter + 1));
	assert_false(seal_counter_is_marked(&key, 43, counter));
	assert_false(seal_counter_is_marked(&other, 42, counter));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup(test_known_answers, set_up),
	        cmocka_unit_test_setup(test_round_trip, set_up),
	        cmocka_unit_test_setup(test_neutral, set_up),
	        cmocka_unit_test_setup(test_every_bit_counts, set_up),
	        cmocka_unit_test_setup(test_source, set_up),
	        cmocka_unit_test_setup(test_lengths, set_up),
	        cmocka_unit_test_setup(test_reserved, set_up),
	        cmocka_unit_test_setup(test_keys, set_up),
	        cmocka_unit_test_setup(test_marked_counters, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
