/*
 * The state machines of the others, as the columns of doc/carp.md 4 describe them.
 * Written apart from the engine, so that a mistake is not made twice.
 */
#ifndef CARPSIM_PEER_H
#define CARPSIM_PEER_H

#include "core/advert.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/vhost.h"
#include "random.h"
#include "scenario.h"

struct peer {
	enum host_kind dialect;
	uint8_t vhid;
	uint8_t advbase;
	uint8_t advskew;
	bool preempt;
	bool ipv4, ipv6;    /* families of its addresses */
	struct address own; /* IPv4 source, for ucarp's tie-break */
	struct digest digest;

	enum vhost_state state;
	int demotion;
	instant down_ipv4, down_ipv6; /* when the master counts as dead, one timer a family */
	instant advertise_at;
	uint64_t counter;
	bool counter_known;

	/* For the check. */
	uint64_t reign;     /* counts how often it became master */
	bool rose_silently; /* this time because its master fell silent */

	/* What it wants sent; the caller sends and clears it. */
	int adverts;
	bool bow_out;
};

void peer_prepare(struct peer *peer, const struct passphrase *passphrase,
                  const struct shared_address *addresses, size_t count);
void peer_start(struct peer *peer, instant now);
/* Service ends in good order: OpenBSD says so, the others fall silent. */
void peer_stop(struct peer *peer);
void peer_demote(struct peer *peer, int value, instant now);
instant peer_deadline(const struct peer *peer);
void peer_tick(struct peer *peer, instant now);
void peer_receive(struct peer *peer, const struct address *source, const struct advert *advert, instant now);
/* The next advert; another counter each time but for OpenBSD. */
void peer_write(struct peer *peer, struct random *random, bool bow_out, struct advert *ret_advert);
/* Interval as it advertises it. */
int64_t peer_interval_ns(const struct peer *peer);

#endif
