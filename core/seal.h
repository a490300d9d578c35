/*
 * The authenticated trailer of an advert (design section 5): what the CARP
 * digest never covered, and a sequence that is never used twice.  The trailer
 * sums to zero, so peers that know nothing of it notice nothing.
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

#define SEAL_HANDING_OVER 0x01 /* flag: the sender serves on until somebody takes over */

struct seal_key {
	struct hmac_sha256_ctx keyed;
	uint8_t id;
};

/* What a seal says once it has been verified. */
struct seal {
	uint64_t sequence;
	uint8_t flags;
	uint8_t key_id;
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

/*
 * header is the encoded advert.  The MAC is HMAC-SHA256, cut to 16 bytes, over
 * "carp seal 1" without NUL, the trailer's first 16 bytes, one byte 4 or 6, the
 * source address (4 or 16 bytes; all zero if the parent has none), one byte vhid
 * and the header with its checksum taken as zero.
 */
void seal_write(const struct seal_key *key, const struct address *source, const uint8_t header[ADVERT_BYTES],
                uint64_t sequence, uint8_t flags, uint8_t ret_trailer[SEAL_BYTES]);

/* In constant time as to the MAC.  Writes *ret_seal on SEAL_VALID only. */
enum seal_verdict seal_verify(const struct seal_key *keys, size_t key_count, const struct address *source,
                              const uint8_t *payload, size_t payload_bytes, struct seal *ret_seal);

#endif
