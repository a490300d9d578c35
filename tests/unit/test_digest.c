#include "unit.h"
#include "vectors.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const struct passphrase secret = {.bytes = "secret", .length = 6};

static bool vector_fits(const struct vector *v, enum digest_form form)
{
	struct digest digest;

	digest_prepare(&digest, &v->passphrase, v->advert.vhid, v->addresses, v->address_count, form);
	return digest_verify(&digest, v->advert.counter, v->advert.digest);
}

static void check_vector(const struct vector *v)
{
	bool any = !v->link_local_present;

	assert_int_equal(vector_fits(v, DIGEST_WITH_LINK_LOCAL), any || v->link_local_hashed);
	assert_int_equal(vector_fits(v, DIGEST_WITHOUT_LINK_LOCAL), any || !v->link_local_hashed);
}

static void test_vectors(void **state)
{
	(void)state;
	vectors_each(check_vector);
}

static void sign(const struct passphrase *passphrase, const char *const *texts, size_t count, uint8_t *ret_md)
{
	struct shared_address addresses[16];
	struct digest digest;

	for (size_t i = 0; i < count; i++)
		addresses[i] = (struct shared_address){.address = address_of(texts[i])};
	digest_prepare(&digest, passphrase, 1, addresses, count, DIGEST_WITH_LINK_LOCAL);
	digest_sign(&digest, 0, ret_md);
}

static void test_order_and_duplicates(void **state)
{
	(void)state;
	static const char *const sorted[] = {"10.0.0.1", "10.0.0.9", "192.0.2.1", "2001:db8::1", "fe80::1"};
	static const char *const mixed[] = {"fe80::1",  "10.0.0.9", "2001:db8::1", "10.0.0.1",
	                                    "10.0.0.9", "10.0.0.1", "192.0.2.1",   "fe80::1"};
	static const char *const doubled[] = {"10.0.0.1",  "10.0.0.1",    "10.0.0.9", "192.0.2.1",
	                                      "192.0.2.1", "2001:db8::1", "fe80::1",  "fe80::1"};
	uint8_t a[DIGEST_BYTES], b[DIGEST_BYTES], c[DIGEST_BYTES];

	sign(&secret, sorted, 5, a);
	sign(&secret, mixed, 8, b);
	sign(&secret, doubled, 8, c);
	assert_memory_equal(a, b, DIGEST_BYTES);
	assert_memory_equal(a, c, DIGEST_BYTES);
}

static void test_never_hashed(void **state)
{
	(void)state;
	static const char *const few[] = {"10.0.0.1", "2001:db8::1"};
	static const char *const ends[] = {"0.0.0.0",     "10.0.0.1",
	                                   "::",          "255.255.255.255",
	                                   "2001:db8::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"};
	uint8_t a[DIGEST_BYTES], b[DIGEST_BYTES];

	sign(&secret, few, 2, a);
	sign(&secret, ends, 6, b);
	assert_memory_equal(a, b, DIGEST_BYTES);
}

/* Addresses in random order, sorted ones as the oracle; both paths through the search. */
static void test_random_order(void **state)
{
	(void)state;
	enum { COUNT = 300 };
	static struct shared_address sorted[COUNT], mixed[COUNT];
	struct digest digest;
	uint8_t md[DIGEST_BYTES];
	unsigned int seed = (unsigned int)time(NULL);

	print_message("seed %u\n", seed);
	srand(seed);
	for (unsigned int i = 0; i < COUNT; i++) {
		sorted[i].address = address_of(i < COUNT / 2 ? "10.0.0.0" : "2001:db8::");
		sorted[i].address.bytes[2] = (uint8_t)(i >> 8);
		sorted[i].address.bytes[3] = (uint8_t)i;
	}
	/* IPv6 differs in bytes 2 and 3 as well: 2001:0096:: and so on, still ascending. */
	memcpy(mixed, sorted, sizeof(mixed));
	for (size_t i = COUNT - 1; i > 0; i--) {
		size_t j = (size_t)rand() % (i + 1);
		struct shared_address swap = mixed[i];
		mixed[i] = mixed[j];
		mixed[j] = swap;
	}
	digest_prepare(&digest, &secret, 1, sorted, COUNT, DIGEST_WITHOUT_LINK_LOCAL);
	digest_sign(&digest, 1, md);
	digest_prepare(&digest, &secret, 1, mixed, COUNT, DIGEST_WITHOUT_LINK_LOCAL);
	assert_true(digest_verify(&digest, 1, md));
}

/* Nineteen is what the BSDs' ifconfig can set, twenty a key in hexadecimal. */
static void test_long_passphrases(void **state)
{
	(void)state;
	static const char *const addresses[] = {"10.0.0.1"};
	const struct passphrase none = {.length = 0}, zeros = {.length = 20};
	const struct passphrase nineteen = {.bytes = "0123456789abcdefghi", .length = 19};
	struct passphrase padded = nineteen, twenty = nineteen;
	uint8_t a[DIGEST_BYTES], b[DIGEST_BYTES];

	sign(&none, addresses, 1, a);
	sign(&zeros, addresses, 1, b);
	assert_memory_equal(a, b, DIGEST_BYTES);

	padded.length = 20;
	sign(&nineteen, addresses, 1, a);
	sign(&padded, addresses, 1, b);
	assert_memory_equal(a, b, DIGEST_BYTES);

	twenty.bytes[19] = 'j';
	twenty.length = 20;
	sign(&twenty, addresses, 1, b);
	assert_memory_not_equal(a, b, DIGEST_BYTES);
}

static void test_verify(void **state)
{
	(void)state;
	const uint64_t counters[] = {0, 1, UINT64_MAX - 1, UINT64_MAX};
	struct digest digest, other;
	uint8_t md[DIGEST_BYTES];

	digest_prepare(&digest, &secret, 1, NULL, 0, DIGEST_WITHOUT_LINK_LOCAL);
	digest_prepare(&other, &secret, 2, NULL, 0, DIGEST_WITHOUT_LINK_LOCAL);
	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++) {
		digest_sign(&digest, counters[i], md);
		assert_true(digest_verify(&digest, counters[i], md));
		assert_false(digest_verify(&digest, counters[i] + 1, md));
		assert_false(digest_verify(&other, counters[i], md));
		for (size_t bit = 0; bit < DIGEST_BYTES * 8; bit++) {
			md[bit / 8] = (uint8_t)(md[bit / 8] ^ 1U << bit % 8);
			assert_false(digest_verify(&digest, counters[i], md));
			md[bit / 8] = (uint8_t)(md[bit / 8] ^ 1U << bit % 8);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_vectors),          cmocka_unit_test(test_order_and_duplicates),
	        cmocka_unit_test(test_never_hashed),     cmocka_unit_test(test_random_order),
	        cmocka_unit_test(test_long_passphrases), cmocka_unit_test(test_verify),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
