/*
 * The CARP header of 36 bytes (doc/carp.md 1.1) as a struct.
 */
#ifndef CARPD_CORE_ADVERT_H
#define CARPD_CORE_ADVERT_H

#include <stddef.h>
#include <stdint.h>

#include "clock.h"
#include "drop.h"

#define ADVERT_BYTES  36
#define COUNTER_BYTES 8
#define DIGEST_BYTES  20

/* advbase and advskew of a goodbye (doc/carp.md 4.5). */
#define ADVERT_GONE 255

struct advert {
	uint8_t vhid;
	uint8_t advskew;
	uint8_t advbase;  /* seconds */
	uint8_t demote;   /* zero from all but OpenBSD and carpd */
	uint64_t counter; /* the eight bytes read as a big-endian number */
	uint8_t digest[DIGEST_BYTES];
};

/* Writes the header with its checksum, which covers the header only. */
void advert_encode(const struct advert *advert, uint8_t ret_header[ADVERT_BYTES]);

/*
 * Reads a payload, and checks length, version and checksum.  Authlen and type only tell
 * VRRP apart: no implementation checks them (doc/carp.md 1.1).  What follows the 36 bytes
 * is not looked at.  Writes *ret_advert on DROP_NONE only.
 */
enum drop advert_decode(const uint8_t *payload, size_t payload_bytes, struct advert *ret_advert);

/* advbase + advskew/256 s; if both are 0 it is 1/256 s, as in OpenBSD. */
int64_t advert_interval_ns(uint8_t advbase, uint8_t advskew);

/* The RFC 1071 sum of bytes, folded and inverted: 0 over data that includes a right checksum. */
uint16_t internet_checksum(const uint8_t *data, size_t bytes);

#endif
