#include "peer.h"

#include <string.h>

#define UCARP_DEAD_RATIO 3
#define SUPPRESSED_SKEW  240 /* also FreeBSD's CARP_MAXSKEW */
#define ZERO_INTERVAL_NS (NS_PER_S / 256)

static int64_t interval_ns(int64_t base, int64_t skew)
{
	/* The kernels count in microseconds: skew * 1000000 / 256. */
	return base * NS_PER_S + skew * 1000000 / 256 * NS_PER_US;
}

static uint8_t sent_skew(const struct peer *peer)
{
	int skew = peer->advskew;

	switch (peer->dialect) {
	case HOST_FREEBSD:
		skew += peer->demotion;
		return (uint8_t)(skew > SUPPRESSED_SKEW ? SUPPRESSED_SKEW : skew);
	case HOST_UCARP:
		return peer->demotion > 0 && skew < SUPPRESSED_SKEW ? SUPPRESSED_SKEW : peer->advskew;
	case HOST_OPENBSD:
	case HOST_CARPD:
	case HOST_KINDS:
		break;
	}
	return peer->advskew;
}

int64_t peer_interval_ns(const struct peer *peer)
{
	int64_t span_ns = interval_ns(peer->advbase, sent_skew(peer));

	return span_ns > 0 ? span_ns : ZERO_INTERVAL_NS;
}

static int64_t patience_ns(const struct peer *peer)
{
	if (peer->dialect == HOST_OPENBSD)
		return 3 * peer_interval_ns(peer);
	return interval_ns(UCARP_DEAD_RATIO * peer->advbase, peer->advskew);
}

static uint8_t sent_demote(const struct peer *peer)
{
	if (peer->dialect != HOST_OPENBSD)
		return 0;
	return (uint8_t)(peer->demotion > 255 ? 255 : peer->demotion);
}

void peer_prepare(struct peer *peer, const struct passphrase *passphrase,
                  const struct shared_address *addresses, size_t count)
{
	enum digest_form form =
	        peer->dialect == HOST_OPENBSD ? DIGEST_WITHOUT_LINK_LOCAL : DIGEST_WITH_LINK_LOCAL;

	digest_prepare(&peer->digest, passphrase, peer->vhid, addresses, count, form);
	peer->down_ipv4 = INSTANT_NEVER;
	peer->down_ipv6 = INSTANT_NEVER;
	peer->advertise_at = INSTANT_NEVER;
}

static void become_backup(struct peer *peer, instant now)
{
	peer->state = VHOST_BACKUP;
	peer->advertise_at = INSTANT_NEVER;
	peer->down_ipv4 = peer->ipv4 ? instant_after(now, patience_ns(peer)) : INSTANT_NEVER;
	peer->down_ipv6 = peer->ipv6 ? instant_after(now, patience_ns(peer)) : INSTANT_NEVER;
}

static void become_master(struct peer *peer, bool silently, instant now)
{
	peer->state = VHOST_MASTER;
	peer->reign++;
	peer->rose_silently = silently;
	peer->down_ipv4 = INSTANT_NEVER;
	peer->down_ipv6 = INSTANT_NEVER;
	peer->adverts++;
	peer->advertise_at = instant_after(now, peer_interval_ns(peer));
}

void peer_start(struct peer *peer, instant now)
{
	if (peer->state == VHOST_INIT)
		become_backup(peer, now);
}

void peer_stop(struct peer *peer)
{
	if (peer->state == VHOST_MASTER && peer->dialect == HOST_OPENBSD)
		peer->bow_out = true;
	peer->state = VHOST_INIT;
	peer->down_ipv4 = INSTANT_NEVER;
	peer->down_ipv6 = INSTANT_NEVER;
	peer->advertise_at = INSTANT_NEVER;
}

void peer_demote(struct peer *peer, int value, instant now)
{
	peer->demotion = value;
	if (peer->state != VHOST_MASTER)
		return;
	peer->adverts++;
	peer->advertise_at = instant_after(now, peer_interval_ns(peer));
}

instant peer_deadline(const struct peer *peer)
{
	return instant_earlier(peer->advertise_at, instant_earlier(peer->down_ipv4, peer->down_ipv6));
}

void peer_tick(struct peer *peer, instant now)
{
	/* Either family's silence is enough (doc/carp.md 1.5). */
	if (peer->state == VHOST_BACKUP &&
	    (instant_reached(peer->down_ipv4, now) || instant_reached(peer->down_ipv6, now)))
		become_master(peer, true, now);
	if (peer->state == VHOST_MASTER && instant_reached(peer->advertise_at, now)) {
		peer->adverts++;
		peer->advertise_at = instant_after(now, peer_interval_ns(peer));
	}
}

/* ucarp compares network bytes as a number of the machine; nearly all are little-endian. */
static uint32_t ucarp_number(const struct address *address)
{
	return (uint32_t)address->bytes[0] | (uint32_t)address->bytes[1] << 8 |
	       (uint32_t)address->bytes[2] << 16 | (uint32_t)address->bytes[3] << 24;
}

static void master_receive(struct peer *peer, const struct address *source, const struct advert *advert,
                           int64_t theirs_ns, instant now)
{
	int64_t ours_ns = peer_interval_ns(peer);

	switch (peer->dialect) {
	case HOST_OPENBSD:
		if ((ours_ns >= theirs_ns && advert->demote <= sent_demote(peer)) ||
		    advert->demote < sent_demote(peer))
			become_backup(peer, now);
		break;
	case HOST_FREEBSD:
		if (ours_ns >= theirs_ns)
			become_backup(peer, now);
		break;
	case HOST_UCARP:
		if (ours_ns > theirs_ns ||
		    (ours_ns == theirs_ns && ucarp_number(source) < ucarp_number(&peer->own))) {
			peer->adverts++;
			become_backup(peer, now);
		}
		break;
	case HOST_CARPD:
	case HOST_KINDS:
		break;
	}
}

static bool wants_to_rise(const struct peer *peer, const struct advert *advert, int64_t theirs_ns)
{
	bool slower = peer_interval_ns(peer) < theirs_ns;
	bool will_time_out = interval_ns(3 * peer->advbase, peer->advskew) < theirs_ns;

	if (peer->dialect == HOST_OPENBSD) {
		if (advert->demote > sent_demote(peer))
			return true;
		if (peer->preempt && slower && advert->demote >= sent_demote(peer))
			return true;
		return peer->advbase > 0 && will_time_out;
	}
	return (peer->preempt && slower) || will_time_out;
}

void peer_receive(struct peer *peer, const struct address *source, const struct advert *advert, instant now)
{
	int64_t theirs_ns = interval_ns(advert->advbase, advert->advskew);

	if (peer->state == VHOST_INIT || !digest_verify(&peer->digest, advert->counter, advert->digest))
		return;
	if (theirs_ns == 0)
		theirs_ns = ZERO_INTERVAL_NS;
	if (peer->dialect == HOST_OPENBSD) {
		/* Its own counter: a loop. */
		if (peer->counter_known && advert->counter == peer->counter)
			return;
	} else {
		peer->counter = advert->counter;
		peer->counter_known = true;
	}
	if (peer->state == VHOST_MASTER) {
		master_receive(peer, source, advert, theirs_ns, now);
		return;
	}
	if (wants_to_rise(peer, advert, theirs_ns)) {
		become_master(peer, false, now);
		return;
	}
	if (source->family == FAMILY_IPV4 && peer->ipv4)
		peer->down_ipv4 = instant_after(now, patience_ns(peer));
	if (source->family == FAMILY_IPV6 && peer->ipv6)
		peer->down_ipv6 = instant_after(now, patience_ns(peer));
}

static uint64_t next_counter(struct peer *peer, struct random *random)
{
	if (peer->dialect != HOST_OPENBSD)
		return peer->counter_known ? ++peer->counter : random_next(random);
	/* The same counter for ever (doc/carp.md 3). */
	if (!peer->counter_known)
		peer->counter = random_next(random);
	peer->counter_known = true;
	return peer->counter;
}

void peer_write(struct peer *peer, struct random *random, bool bow_out, struct advert *ret_advert)
{
	memset(ret_advert, 0, sizeof(*ret_advert));
	ret_advert->vhid = peer->vhid;
	ret_advert->advbase = bow_out ? ADVERT_GONE : peer->advbase;
	ret_advert->advskew = bow_out ? ADVERT_GONE : sent_skew(peer);
	ret_advert->demote = sent_demote(peer);
	ret_advert->counter = next_counter(peer, random);
	digest_sign(&peer->digest, ret_advert->counter, ret_advert->digest);
}
