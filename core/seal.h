/*
 * The authenticated trailer of an advert (doc/protocol.md).  It covers what the CARP
 * digest leaves out, and has a sequence that is never used twice.  It sums to zero, so
 * peers that do not know it notice nothing.
 */
#ifndef CARPD_CORE_SEAL_H
#define CARPD_CORE_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nettle/hmac.h>

#include "address.h"
#include "advert.h"

#define SEAL_BYTES     36
#define SEAL_KEY_BYTES 32 /* of a key file */
#define SEAL_KEYS_MAX  4  /* one to send with, the others for rotation */
#define SEALED_BYTES   (ADVERT_BYTES + SEAL_BYTES)

/*
 * Hosts that speak from a shared address have one source between them, and need
 * something else that tells their sequences apart: an id of 24 bits, drawn at
 * each start.  It is zero where the source is the host's own.
 */
#define SEAL_SENDER_MAX 0xffffff

#define SEAL_HANDING_OVER 0x01 /* flag: the sender serves on until somebody takes over */

struct seal_key {
	struct hmac_sha256_ctx keyed;
	uint8_t id;
};

/* What a seal says once it has been verified. */
struct seal {
	uint64_t sequence;
	uint32_t sender;
	uint8_t flags;
};

/* What a host makes of seals. */
enum seal_policy {
	SEAL_OFF,
	SEAL_OFFER,   /* sends them, and accepts adverts without one */
	SEAL_REQUIRE, /* accepts no other */
};

enum seal_verdict {
	SEAL_ABSENT, /* 36 bytes, or something that is no trailer of type 1 */
	SEAL_VALID,
	SEAL_WRONG, /* a trailer whose MAC does not fit, or that is malformed */
	SEAL_UNKNOWN_KEY,
};

/*
 * HKDF-SHA256 (RFC 5869) of a key file's bytes or of a passphrase: salt "carp
 * seal" without NUL, info the one byte of the key id, 32 bytes out.
 */
void seal_key_derive(struct seal_key *key, uint8_t id, const uint8_t *secret, size_t secret_bytes);

/* Whether what one signs the other verifies. */
bool seal_key_equal(const struct seal_key *a, const struct seal_key *b);

/*
 * header is the encoded advert; sender follows the flags, in three bytes.  The MAC is HMAC-SHA256, cut to 16
 * bytes, over "carp seal 1" without NUL, the trailer's first 16 bytes, one byte 4 or 6, the source address (4
 * or 16 bytes; all zero if the parent has none), one byte vhid and the header with its checksum taken as
 * zero.
 */
void seal_write(const struct seal_key *key, const struct address *source, const uint8_t header[ADVERT_BYTES],
                uint64_t sequence, uint8_t flags, uint32_t sender, uint8_t ret_trailer[SEAL_BYTES]);

/* In constant time as to the MAC.  Writes *ret_seal on SEAL_VALID only. */
enum seal_verdict seal_verify(const struct seal_key *keys, size_t key_count, const struct address *source,
                              const uint8_t *payload, size_t payload_bytes, struct seal *ret_seal);

/*
 * The counter of an advert that is sealed: random, as the BSDs' is while they are
 * alone, with its low half made from its high half by the key of the passphrase.  Thus
 * it tells every host of the group that the advert was sealed when it was sent, though
 * the trailer be cut off, the source changed, and the key that sealed it taken out of
 * use since; the digest covers none of these, and without the passphrase there is none.
 * The low half is the start of an HMAC-SHA256 over "carp counter 1" without NUL,
 * the vhid and the high half.
 */
uint64_t seal_counter(const struct seal_key *key, uint8_t vhid, uint32_t random);
bool seal_counter_is_marked(const struct seal_key *key, uint8_t vhid, uint64_t counter);

#endif
