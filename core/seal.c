#include "seal.h"

#include <endian.h>
#include <string.h>

#include <nettle/hkdf.h>
#include <nettle/memops.h>

#define TYPE_HMAC_SHA256 1
#define MAC_BYTES        16

/* Where the fields of the trailer are. */
enum {
	AT_MAGIC = 0,
	AT_TYPE = 2,
	AT_KEY_ID = 3,
	AT_SEQUENCE = 4,
	AT_FLAGS = 12,
	AT_SENDER = 13,
	AT_MAC = 16,
	AT_BALANCE = 32,
	AT_END = 34,
};

static const uint8_t magic[] = {'C', 'X', TYPE_HMAC_SHA256};

void seal_key_derive(struct seal_key *key, uint8_t id, const uint8_t *secret, size_t secret_bytes)
{
	static const uint8_t salt[] = {'c', 'a', 'r', 'p', ' ', 's', 'e', 'a', 'l'};
	nettle_hash_update_func *update = (nettle_hash_update_func *)hmac_sha256_update;
	nettle_hash_digest_func *digest = (nettle_hash_digest_func *)hmac_sha256_digest;
	uint8_t extracted[SHA256_DIGEST_SIZE];
	uint8_t expanded[SEAL_KEY_BYTES];

	hmac_sha256_set_key(&key->keyed, sizeof(salt), salt);
	hkdf_extract(&key->keyed, update, digest, sizeof(extracted), secret_bytes, secret, extracted);
	hmac_sha256_set_key(&key->keyed, sizeof(extracted), extracted);
	hkdf_expand(&key->keyed, update, digest, SHA256_DIGEST_SIZE, sizeof(id), &id, sizeof(expanded),
	            expanded);
	hmac_sha256_set_key(&key->keyed, sizeof(expanded), expanded);
	key->id = id;
}

bool seal_key_equal(const struct seal_key *a, const struct seal_key *b)
{
	/* The states are what the key makes of them; the buffers beside them are not always written. */
	return a->id == b->id &&
	       memeql_sec(a->keyed.inner.state, b->keyed.inner.state, sizeof(a->keyed.inner.state)) != 0 &&
	       memeql_sec(a->keyed.outer.state, b->keyed.outer.state, sizeof(a->keyed.outer.state)) != 0;
}

static void mac_compute(const struct seal_key *key, const struct address *source, const uint8_t *header,
                        const uint8_t *trailer, uint8_t ret_mac[MAC_BYTES])
{
	static const uint8_t label[] = {'c', 'a', 'r', 'p', ' ', 's', 'e', 'a', 'l', ' ', '1'};
	static const uint8_t no_checksum[2];
	struct hmac_sha256_ctx context = key->keyed;

	hmac_sha256_update(&context, sizeof(label), label);
	hmac_sha256_update(&context, AT_MAC, trailer);
	hmac_sha256_update(&context, 1, &source->family);
	hmac_sha256_update(&context, address_bytes(source), source->bytes);
	hmac_sha256_update(&context, 1, header + 1);
	hmac_sha256_update(&context, 6, header);
	hmac_sha256_update(&context, sizeof(no_checksum), no_checksum);
	hmac_sha256_update(&context, ADVERT_BYTES - 8, header + 8);
	hmac_sha256_digest(&context, MAC_BYTES, ret_mac);
}

void seal_write(const struct seal_key *key, const struct address *source, const uint8_t header[ADVERT_BYTES],
                uint64_t sequence, uint8_t flags, uint32_t sender, uint8_t ret_trailer[SEAL_BYTES])
{
	uint64_t wire = htobe64(sequence);

	memset(ret_trailer, 0, SEAL_BYTES);
	memcpy(ret_trailer + AT_MAGIC, magic, sizeof(magic));
	ret_trailer[AT_KEY_ID] = key->id;
	memcpy(ret_trailer + AT_SEQUENCE, &wire, sizeof(wire));
	ret_trailer[AT_FLAGS] = flags;
	ret_trailer[AT_SENDER] = (uint8_t)(sender >> 16);
	ret_trailer[AT_SENDER + 1] = (uint8_t)(sender >> 8);
	ret_trailer[AT_SENDER + 2] = (uint8_t)sender;
	mac_compute(key, source, header, ret_trailer, ret_trailer + AT_MAC);

	uint16_t balance = internet_checksum(ret_trailer, SEAL_BYTES);
	ret_trailer[AT_BALANCE] = (uint8_t)(balance >> 8);
	ret_trailer[AT_BALANCE + 1] = (uint8_t)balance;
}

/* The MAC covers neither the balance nor what follows it. */
static bool is_well_formed(const uint8_t trailer[SEAL_BYTES])
{
	static const uint8_t zeros[SEAL_BYTES - AT_END];

	return memcmp(trailer + AT_END, zeros, sizeof(zeros)) == 0 &&
	       internet_checksum(trailer, SEAL_BYTES) == 0;
}

static bool mac_fits(const struct seal_key *key, const struct address *source, const uint8_t *header,
                     const uint8_t *trailer)
{
	uint8_t right[MAC_BYTES];

	mac_compute(key, source, header, trailer, right);
	return memeql_sec(right, trailer + AT_MAC, MAC_BYTES) != 0;
}

static struct seal trailer_read(const uint8_t trailer[SEAL_BYTES])
{
	uint64_t wire;

	memcpy(&wire, trailer + AT_SEQUENCE, sizeof(wire));
	return (struct seal){
	        .sequence = be64toh(wire),
	        .sender = (uint32_t)trailer[AT_SENDER] << 16 | (uint32_t)trailer[AT_SENDER + 1] << 8 |
	                  trailer[AT_SENDER + 2],
	        .flags = trailer[AT_FLAGS],
	};
}

enum seal_verdict seal_verify(const struct seal_key *keys, size_t key_count, const struct address *source,
                              const uint8_t *payload, size_t payload_bytes, struct seal *ret_seal)
{
	/* Another type is a later carpd's: to us its advert is one without a seal. */
	if (payload_bytes < ADVERT_BYTES + sizeof(magic) ||
	    memcmp(payload + ADVERT_BYTES, magic, sizeof(magic)) != 0)
		return SEAL_ABSENT;

	const uint8_t *trailer = payload + ADVERT_BYTES;
	if (payload_bytes != SEALED_BYTES || !is_well_formed(trailer))
		return SEAL_WRONG;

	enum seal_verdict verdict = SEAL_UNKNOWN_KEY;
	/* An id may be there twice: the keys of the passphrase before and after a change. */
	for (size_t i = 0; i < key_count; i++) {
		if (keys[i].id != trailer[AT_KEY_ID])
			continue;
		if (mac_fits(&keys[i], source, payload, trailer)) {
			*ret_seal = trailer_read(trailer);
			return SEAL_VALID;
		}
		verdict = SEAL_WRONG;
	}
	return verdict;
}

uint64_t seal_counter(const struct seal_key *key, uint8_t vhid, uint32_t random)
{
	static const uint8_t label[] = {'c', 'a', 'r', 'p', ' ', 'c', 'o', 'u', 'n', 't', 'e', 'r', ' ', '1'};
	struct hmac_sha256_ctx context = key->keyed;
	uint32_t high = htobe32(random);
	uint32_t low;

	hmac_sha256_update(&context, sizeof(label), label);
	hmac_sha256_update(&context, sizeof(vhid), &vhid);
	hmac_sha256_update(&context, sizeof(high), (const uint8_t *)&high);
	hmac_sha256_digest(&context, sizeof(low), (uint8_t *)&low);
	return (uint64_t)random << 32 | be32toh(low);
}

bool seal_counter_is_marked(const struct seal_key *key, uint8_t vhid, uint64_t counter)
{
	return seal_counter(key, vhid, (uint32_t)(counter >> 32)) == counter;
}
