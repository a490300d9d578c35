/*
 * The adverts in tests/data: captured from NetBSD, and computed by Python.
 */
#ifndef CARPD_TESTS_VECTORS_H
#define CARPD_TESTS_VECTORS_H

#include "core/advert.h"
#include "core/digest.h"

#define VECTOR_ADDRESSES_MAX 8

struct vector {
	char name[32];
	struct passphrase passphrase;
	struct shared_address addresses[VECTOR_ADDRESSES_MAX];
	size_t address_count;
	bool link_local_hashed;
	bool link_local_present; /* else both forms of the digest are the same */
	struct advert advert;    /* what the header says */
	uint8_t frame[128];      /* from the Ethernet header on */
	size_t frame_bytes;      /* 0 where only the header is known */
	uint8_t header[ADVERT_BYTES];
};

/* Calls check for each vector of both files, and fails if there are none. */
void vectors_each(void (*check)(const struct vector *));

#endif
