#include "digest.h"

#include <endian.h>

#include <nettle/memops.h>

static bool is_broadcast(const struct address *a)
{
	for (size_t i = 0; i < address_bytes(a); i++)
		if (a->bytes[i] != 0xff)
			return false;
	return true;
}

static bool is_hashed(const struct address *a, enum digest_form form)
{
	if (address_is_unspecified(a) || is_broadcast(a))
		return false;
	return form == DIGEST_WITH_LINK_LOCAL || !address_is_link_local(a);
}

static bool are_sorted(const struct shared_address *addresses, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (address_compare(&addresses[i - 1].address, &addresses[i].address) > 0)
			return false;
	return true;
}

/* The smallest address greater than last, or NULL; a last of NULL is below all. */
static const struct address *find_next(const struct shared_address *addresses, size_t count,
                                       const struct address *last)
{
	const struct address *next = NULL;

	for (size_t i = 0; i < count; i++) {
		const struct address *a = &addresses[i].address;
		if ((last == NULL || address_compare(a, last) > 0) &&
		    (next == NULL || address_compare(a, next) < 0))
			next = a;
	}
	return next;
}

static void hash_addresses(struct hmac_sha1_ctx *prefix, const struct shared_address *addresses, size_t count,
                           enum digest_form form)
{
	/* Large groups are kept sorted by their owner, since the search is quadratic. */
	bool sorted = are_sorted(addresses, count);
	const struct address *last = NULL;

	for (size_t i = 0; i < count; i++) {
		const struct address *a = sorted ? &addresses[i].address : find_next(addresses, count, last);
		if (a == NULL)
			break;
		if ((last == NULL || !address_equal(a, last)) && is_hashed(a, form))
			hmac_sha1_update(prefix, address_bytes(a), a->bytes);
		last = a;
	}
}

void digest_prepare(struct digest *digest, const struct passphrase *passphrase, uint8_t vhid,
                    const struct shared_address *addresses, size_t count, enum digest_form form)
{
	/* Version and type as two bytes, not as the one byte of the packet. */
	const uint8_t start[] = {0x02, 0x01, vhid};

	hmac_sha1_set_key(&digest->prefix, passphrase->length, passphrase->bytes);
	hmac_sha1_update(&digest->prefix, sizeof(start), start);
	hash_addresses(&digest->prefix, addresses, count, form);
}

void digest_sign(const struct digest *digest, uint64_t counter, uint8_t ret_md[DIGEST_BYTES])
{
	struct hmac_sha1_ctx context = digest->prefix;
	uint64_t wire = htobe64(counter);

	hmac_sha1_update(&context, sizeof(wire), (const uint8_t *)&wire);
	hmac_sha1_digest(&context, DIGEST_BYTES, ret_md);
}

bool digest_verify(const struct digest *digest, uint64_t counter, const uint8_t md[DIGEST_BYTES])
{
	uint8_t right[DIGEST_BYTES];

	digest_sign(digest, counter, right);
	return memeql_sec(right, md, DIGEST_BYTES) != 0;
}
