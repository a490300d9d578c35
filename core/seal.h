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
 * Hosts that speak from a shared address have the same source.  An id of 24 bits, drawn at
 * each start, tells their sequences apart.  It is zero if the source is the host's own.
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

/* From the bytes of a key file or of a passphrase (doc/protocol.md section 2). */
void seal_key_derive(struct seal_key *key, uint8_t id, const uint8_t *secret, size_t secret_bytes);

/* Whether one verifies what the other signs. */
bool seal_key_equal(const struct seal_key *a, const struct seal_key *b);

/* The trailer of an encoded advert (doc/protocol.md section 1).  source is all zero if the parent has none.
 */
void seal_write(const struct seal_key *key, const struct address *source, const uint8_t header[ADVERT_BYTES],
                uint64_t sequence, uint8_t flags, uint32_t sender, uint8_t ret_trailer[SEAL_BYTES]);

/* Compares the MAC in constant time.  Writes *ret_seal on SEAL_VALID only. */
enum seal_verdict seal_verify(const struct seal_key *keys, size_t key_count, const struct address *source,
                              const uint8_t *payload, size_t payload_bytes, struct seal *ret_seal);

/*
 * The counter of a sealed advert (doc/protocol.md section 4).  Its mark tells every host of
 * the group that the advert was sealed when it was sent, even if the trailer was cut off,
 * the source changed, or the key that sealed it is no longer in use.  The digest covers the
 * counter, so nobody without the passphrase can change it.
 */
uint64_t seal_counter(const struct seal_key *key, uint8_t vhid, uint32_t random);
bool seal_counter_is_marked(const struct seal_key *key, uint8_t vhid, uint64_t counter);

#endif
