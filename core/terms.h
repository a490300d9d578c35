/*
 * What an advert says about the standing of its sender, and which of two hosts has the
 * better right to be master.  The order is OpenBSD's (doc/carp.md 4.3).
 */
#ifndef CARPD_CORE_TERMS_H
#define CARPD_CORE_TERMS_H

#include <stdbool.h>
#include <stdint.h>

struct terms {
	uint8_t advbase;
	uint8_t advskew;
	uint8_t demote;
};

int64_t terms_interval_ns(struct terms terms);

/* advbase and advskew 255: the sender leaves, whatever else it says (doc/carp.md 4.5). */
bool terms_are_goodbye(struct terms terms);

enum precedence {
	WE_ARE_BETTER,
	PEER_IS_LESS_DEMOTED,
	PEER_IS_FASTER,
	EQUAL,
};

enum precedence terms_compare(struct terms ours, struct terms theirs);

#endif
