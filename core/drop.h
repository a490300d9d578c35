/*
 * Why a packet was not acted on.  The first names are those of the BSDs'
 * counters (struct carpstats), so that an operator of both reads one language.
 */
#ifndef CARPD_CORE_DROP_H
#define CARPD_CORE_DROP_H

enum drop {
	DROP_NONE = 0, /* not dropped: a valid advert */
	DROP_HEADER,   /* too short, or an IP header that does not add up */
	DROP_FRAGMENT, /* CARP is never fragmented */
	DROP_TTL,      /* came through a router: TTL or hop limit is not 255 */
	DROP_LENGTH,   /* fewer than 36 bytes of CARP */
	DROP_VERSION,  /* not CARP version 2 */
	DROP_CHECKSUM,
	DROP_VRRP,        /* a VRRP advertisement with our id */
	DROP_VHID,        /* no such virtual host on this interface */
	DROP_DESTINATION, /* multicast where unicast peers are configured, or the reverse */
	DROP_STRANGER,    /* unicast from a host that is not in peers */
	DROP_DIGEST,      /* wrong passphrase or addresses */
	DROP_OWN,         /* one of our own adverts came back */
	DROP_SEAL,        /* sealed, but the seal does not fit */
	DROP_KEY,         /* sealed with a key id we do not have */
	DROP_REPLAY,      /* a sequence that is not newer than the last one */
	DROP_STALE,       /* a sequence that cannot be of now */
	DROP_UNSEALED,    /* seal = require, or its sender is known to seal */
	DROP_FORGED,      /* a counter and digest seen before, with other header fields or another source */
	DROP_INACTIVE,    /* the group is not running (INIT) */
	DROP_COUNT
};

/* Short stable word for logs, JSON and metrics, such as "checksum". */
const char *drop_name(enum drop reason);

#endif
