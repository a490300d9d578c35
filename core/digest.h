/*
 * The HMAC-SHA1 of an advert (doc/carp.md 2): which bytes, in which order.
 */
#ifndef CARPD_CORE_DIGEST_H
#define CARPD_CORE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nettle/hmac.h>

#include "address.h"
#include "advert.h"

#define PASSPHRASE_BYTES_MAX 20

/* The key is the passphrase's bytes; HMAC pads them with zeros by itself. */
struct passphrase {
	uint8_t bytes[PASSPHRASE_BYTES_MAX];
	uint8_t length;
};

enum digest_form {
	DIGEST_WITHOUT_LINK_LOCAL, /* as OpenBSD sends it (doc/carp.md 2.3) */
	DIGEST_WITH_LINK_LOCAL,    /* as FreeBSD and NetBSD send it */
};

/* Everything that comes before the counter, hashed once; copied for each advert. */
struct digest {
	struct hmac_sha1_ctx prefix;
};

/* addresses in any order, also twice.  What is hashed of them, and how, is in doc/carp.md 2.3. */
void digest_prepare(struct digest *digest, const struct passphrase *passphrase, uint8_t vhid,
                    const struct shared_address *addresses, size_t count, enum digest_form form);

void digest_sign(const struct digest *digest, uint64_t counter, uint8_t ret_md[DIGEST_BYTES]);

/* In constant time. */
bool digest_verify(const struct digest *digest, uint64_t counter, const uint8_t md[DIGEST_BYTES]);

#endif
