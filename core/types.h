/*
 * What the files of the core share: the settings of a host, what it knows of its groups
 * and virtual hosts, and what is to be done.  Structs only.
 */
#ifndef CARPD_CORE_TYPES_H
#define CARPD_CORE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address.h"
#include "advert.h"
#include "clock.h"
#include "demotion.h"
#include "digest.h"
#include "drop.h"
#include "fight.h"
#include "packet.h"
#include "replay.h"
#include "seal.h"
#include "sighting.h"
#include "terms.h"

struct group;

/* The state machine of one virtual host (vhost.h). */
enum vhost_state {
	VHOST_INIT, /* not taking part: link down, interface missing, or stopped */
	VHOST_BACKUP,
	VHOST_MASTER,
};

/* Why a virtual host changed its state. */
enum cause_kind {
	CAUSE_NONE,
	CAUSE_STARTED, /* INIT -> BACKUP: configured, or its link is there */
	CAUSE_LINK_DOWN,
	CAUSE_STOPPED,          /* by request; nobody took over in time, or nobody had to */
	CAUSE_SILENCE,          /* the master fell silent */
	CAUSE_GOODBYE,          /* the master said that it leaves */
	CAUSE_PREEMPTED_SLOWER, /* preempt is on, and our interval is shorter */
	CAUSE_WILL_TIME_OUT,    /* the master's interval is longer than our patience */
	CAUSE_PEER_DEMOTED,     /* the master is demoted further than we are */
	CAUSE_PEER_FASTER,
	CAUSE_PEER_LESS_DEMOTED,
	CAUSE_PEER_EQUAL,    /* equal terms, and the peer wins by its address, or does not seal */
	CAUSE_HANDED_OVER,   /* we handed over, and have heard the successor */
	CAUSE_LEASE_EXPIRED, /* this host was paused or could not send; others may have taken over */
	CAUSE_TAKE_FAILED,   /* an address could not be taken */
};

struct cause {
	enum cause_kind kind;
	struct address peer; /* FAMILY_NONE: no peer was involved */
	struct terms theirs;
	struct terms ours;
	instant last_advert; /* for CAUSE_SILENCE: the last one heard, or INSTANT_NEVER */
	int error;           /* for CAUSE_TAKE_FAILED: errno */
};

struct transition {
	enum vhost_state from, to;
	struct cause cause;
	instant at;
};

/* What the state machine needs of a valid advert. */
struct heard {
	struct address source;
	struct terms terms;
	bool sealed;     /* so it is from a carpd */
	bool suspected;  /* it may have been recorded: its counter was used before */
	uint32_t sender; /* the id in its seal; 0: its source address is its own */
};

/* The master as a backup knows it. */
struct master {
	struct address source; /* FAMILY_NONE: nobody heard yet */
	struct terms terms;
	bool sealed;
	instant heard;
	instant heard_ipv4, heard_ipv6; /* INSTANT_NEVER: not since it is master */
	bool family_missing;            /* it is heard over one family only, and was reported */
};

/* Another host that advertises while we are master. */
struct rival {
	struct address source; /* FAMILY_NONE: none */
	bool persistent;       /* it did not yield, and was reported */
	instant since;
	instant heard;
	instant without_ipv4; /* since then it was heard over IPv6 only */
};

struct handover {
	bool active;
	bool said;        /* somebody may have heard of it */
	bool stopping;    /* INIT afterwards, whether or not there is a successor */
	bool for_good;    /* we do not preempt the successor */
	instant deadline; /* until then we wait for a successor */
};

struct vhost {
	struct group *group;
	uint8_t vhid;
	uint8_t advskew;
	enum vhost_state state;
	struct transition last; /* how it came into this state */

	instant deadline; /* BACKUP: when the master counts as dead.  MASTER: when the next advert is due */
	instant speaks_since;  /* MASTER: the first advert; INSTANT_NEVER: the addresses are not there yet */
	instant lease_end;     /* MASTER: before that nobody takes over because of silence; 0: none yet */
	instant preempt_after; /* the end of preempt-delay */
	struct master master;
	struct rival rival;
	instant reassert_after; /* no answer to a rival before */
	struct handover handover;
	instant stand_back_until; /* it lost against an equal: until then its timer runs longer */
	instant announce_at;      /* the next repetition of the announcement */
	instant announce_again;   /* one more, since a rival has announced in between */
	instant relief_until;     /* MASTER, demoted: by then somebody should have taken over */

	struct address waits_for; /* BACKUP: whose advert set the timer; FAMILY_NONE: none did */
	uint8_t announce_step;
	uint8_t send_failures; /* in a row */
	bool successor_heard;  /* left for a peer that was heard: frames may still be under way to us */
	bool preempt_waived;   /* handed over by request: we do not preempt the successor */
	bool doubtful;         /* BACKUP: it hears suspected adverts only, and this was reported */
	bool unrelieved;       /* nobody took over by relief_until, and this was reported */
};

/* Values of the demotions that the engine raises by itself. */
#define DEMOTE_LINK_DOWN   100
#define DEMOTE_SEND_ERRORS 100
#define DEMOTE_TAKE_FAILED 100
#define SEND_FAILURES_MAX  3 /* in a row, as everywhere (doc/carp.md 4.6) */

#define FORMER_SENDERS   8  /* ids of earlier runs that are remembered */
#define DESTINATIONS_MAX 16 /* of a group's adverts: its peers, or a multicast group of each family */

/* One virtual host of a group. */
struct node_settings {
	uint8_t vhid;
	uint8_t advskew;
};

/* The caller owns it, and leaves it as it is while the engine uses it. */
struct group_settings {
	const char *name; /* for the engine's own demotions */
	size_t parent;    /* index into the engine's parents */
	uint8_t advbase;
	bool preempt;
	int64_t preempt_delay_ns;
	int demotion_scope;
	bool ttl_check;
	const struct node_settings *nodes;
	size_t node_count;
	const struct shared_address *addresses; /* sorted as address_compare does */
	size_t address_count;
	const struct address *peers; /* none: multicast */
	size_t peer_count;
	struct passphrase passphrase;
	enum digest_form digest_form; /* the one we send; both are accepted */
	enum seal_policy seal;
	struct seal_key mark_key;         /* from the passphrase, also where there are other keys */
	const struct seal_key *seal_keys; /* at least one; the first signs */
	size_t seal_key_count;
	int64_t seal_window_ns; /* so far a source heard for the first time may be behind us; 0: any */
};

struct engine_settings {
	const struct group_settings *groups;
	size_t group_count;
	size_t node_count; /* of all groups together */
	const char *const *parent_names;
	size_t parent_count;
	int64_t handover_wait_ns;
	int64_t grace_ns;
	uint64_t seed;          /* for the counters of adverts */
	uint64_t sequence_base; /* of seals, from engine_first_sequence */
	instant start;
};

/* What the engine must know of a parent interface. */
struct parent {
	bool up;                    /* there, administratively up, with carrier */
	struct mac mac;             /* where adverts come from if the group has no virtual MAC */
	struct address source_ipv4; /* FAMILY_NONE: it has none */
	struct address source_ipv6;
	bool router; /* it forwards IPv6 */
};

#define DIGEST_FORMS 2
#define OWN_COUNTERS 8

enum conflict_kind {
	CONFLICT_DIGEST,
	CONFLICT_SEAL,     /* made with another key, or the advert was altered */
	CONFLICT_KEY,      /* made with a key id that we do not have */
	CONFLICT_TIME,     /* its sequence cannot be of now */
	CONFLICT_UNSEALED, /* it has no seal, and we require one */
	/* These are reported only if they may hide a master: if this host is master itself, or hears none. */
	CONFLICT_REPLAY,    /* its sequence is not newer than one that was heard */
	CONFLICT_ROUTED,    /* its TTL or hop limit is not 255: a router is in between */
	CONFLICT_MULTICAST, /* it sends multicast, and we have unicast peers */
	CONFLICT_UNICAST,   /* it sends unicast, and we have no peers */
	CONFLICT_STRANGER,  /* it is not among our peers */
	CONFLICT_ELSEWHERE, /* it sends to our address on another interface */
	CONFLICT_TWIN,      /* it has our own address */
	CONFLICT_MALFORMED,
};

/*
 * A host with our vhid whose adverts are dropped.  The first ones may be an outsider's, or of
 * hosts that are just being changed.  If it goes on without a pause, for longer than a backup
 * is patient, it is reported, once, and kept as state.
 */
#define CONFLICT_ADVERTS 3
struct conflict {
	struct address source; /* FAMILY_NONE: nobody */
	enum conflict_kind kind;
	bool told;
	struct address destination;
	int64_t behind_ns; /* CONFLICT_TIME: how far its sequence is behind */
	uint64_t count;
	instant since;
	instant heard;
	struct advert advert; /* the last one, for the diagnosis; CONFLICT_MALFORMED: its vhid only */
};

/* Adverts with a right digest that somebody may have recorded, and that were not believed. */
#define SUSPICION_OVER_NS (60 * NS_PER_S)
struct suspicion {
	struct address source; /* of the last one; FAMILY_NONE: none yet */
	enum drop drop;        /* DROP_REPLAY, DROP_FORGED or DROP_UNSEALED */
	uint64_t count;
	instant since;
	instant heard; /* it is over SUSPICION_OVER_NS after that */
};

/* Whether adverts can be sent to one destination. */
struct outlet {
	uint8_t failures; /* in a row */
	bool told;        /* it was reported that they cannot */
	int error;        /* of the last failure, errno */
};

static inline bool outlet_is_blocked(const struct outlet *outlet)
{
	return outlet->failures >= SEND_FAILURES_MAX;
}

/* A peer with the other form of the digest, which may not accept ours: reported once, kept as state. */
struct other_form {
	struct address source; /* FAMILY_NONE: nobody */
	instant until;         /* unless it is heard again */
};

struct vhost_counters {
	uint64_t adverts_sent;
	uint64_t adverts_received;
	uint64_t send_errors;
	uint64_t dropped[DROP_COUNT];
};

/* What belongs to one virtual host besides its state machine. */
struct node {
	struct vhost vhost;
	struct digest digests[DIGEST_FORMS];
	const struct digest *previous_digests; /* those before the last reload, during the grace */
	struct replay replay;
	uint64_t sequence; /* of the last seal */
	struct sightings sightings;
	struct conflict conflict;
	struct suspicion suspicion;
	struct other_form other_form;
	struct vhost_counters counters;
	struct advert advert; /* the one being sent */
	uint8_t seal_flags;
	uint64_t own_counters[OWN_COUNTERS]; /* of the adverts that we sent last */
	uint8_t own_next;
	instant tell_forgery_after;
	struct outlet outlets[DESTINATIONS_MAX];
	instant probe_at; /* the next probe of blocked outlets, and of all peers of a backup */
};

/* How many of a group's addresses the kernel refuses, in whatever state this host is. */
enum refused {
	REFUSED_NONE,
	REFUSED_SOME, /* demoted: the others are served, unless another host can serve all */
	REFUSED_ALL,  /* out of service */
};

struct group {
	const struct group_settings *settings;
	struct node *nodes;
	size_t node_count;
	size_t masters;      /* how many of its nodes are master here */
	uint8_t demotion;    /* sum of the reasons in its scope */
	bool stopped;        /* by engine_stop */
	bool out_of_service; /* treated as if its parent were down; the caller sets it before
	                        engine_parent_changed */
	enum refused refused;
	bool virtual_mac;
	/* The source of its adverts, if it is not the parent's; the caller sets it, as it does
	 * out_of_service. */
	struct address source_ipv4;
	struct address source_ipv6;
	struct fight fight;
	/* The credentials before the last reload (engine_adopt): accepted, and sent at first. */
	bool previous_in_use;
	bool previous_sent;
	instant previous_until;
	const struct seal_key *previous_seal_keys;
	size_t previous_seal_key_count;
	const struct seal_key *previous_mark_key;
};

enum action_kind {
	ACTION_SHUT,      /* node: shut the gate; the first action when a reign ends */
	ACTION_DROP,      /* group: drop its addresses */
	ACTION_TAKE,      /* group: take its addresses; then engine_taken or engine_take_failed */
	ACTION_ADVERTISE, /* node, if vhost_speaks: engine_advert_frame, send, engine_sent */
	ACTION_GOODBYE,   /* node, which has left: engine_advert_frame, send, engine_sent */
	ACTION_SERVE,     /* node, if vhost_speaks: open the gate until vhost.lease_end */
	ACTION_ANNOUNCE,  /* group, if vhost_speaks: gratuitous ARP and neighbour advertisements */
	ACTION_PROBE,     /* node: engine_probe_frame, send, engine_probed */
	ACTION_TELL,      /* report: for the log */
};

enum report_kind {
	REPORT_TRANSITION,
	REPORT_DEMOTED, /* text: the reason; value */
	REPORT_UNDEMOTED,
	REPORT_CANNOT_SEND, /* adverts to peer; value: errno */
	REPORT_CAN_SEND,
	REPORT_RIVAL, /* another host advertises while we are master, and stays behind us */
	REPORT_RIVAL_GONE,
	REPORT_CONFLICT, /* a host with our vhid whose adverts are dropped */
	REPORT_CONFLICT_OVER,
	REPORT_OTHER_FORM, /* a peer digests link-local addresses and we do not, or the reverse */
	REPORT_OTHER_FORM_OVER,
	REPORT_FAMILY_SILENT, /* the master is heard over one family only */
	REPORT_FAMILY_RETURNED,
	REPORT_REPEATED, /* a counter that its sender has used before */
	REPORT_FORGED,   /* a counter and digest used before, with other header fields or another source */
	REPORT_UNSEALED, /* an advert without a seal from the address of a peer that seals */
	REPORT_DOUBTFUL, /* the master is heard with repeated counters only */
	REPORT_DOUBT_OVER,
	REPORT_HANDOVER_KEPT,    /* nobody took over; we stay master */
	REPORT_UNRELIEVED,       /* demoted, and nobody takes over */
	REPORT_ADDRESS_PUT_BACK, /* somebody removed a shared address of ours */
	REPORT_FIGHT,            /* somebody removes it again and again */
	REPORT_FIGHT_OVER,
	REPORT_CREDENTIALS_CHANGED, /* the new ones are sent: the grace is over, or a peer uses them */
};

struct report {
	enum report_kind kind;
	struct transition transition;
	struct address peer;
	enum family family;
	char name[DEMOTION_NAME_MAX];
	int value;
};

struct action {
	enum action_kind kind;
	struct group *group; /* NULL for host-wide reports */
	struct node *node;
	struct report report; /* ACTION_TELL */
};

/* The engine's own view of a parent. */
struct engine_parent {
	struct parent parent;
	uint16_t node_of[256]; /* vhid -> index of the node, plus one; 0: none */
	bool demoted_for_link;
	bool demoted_for_sending;
	bool adopted; /* the engine before the last reload had it */
	uint64_t dropped[DROP_COUNT];
};

/*
 * What the seals of a virtual host stand on, that a reload has taken out: another one may
 * put it back, and its peers remember.
 */
#define DEPARTED_MAX        8
#define DEPARTED_PARENT_MAX 16 /* a name of an interface */
struct departed {
	char parent[DEPARTED_PARENT_MAX];
	uint8_t vhid; /* 0: a free place */
	struct replay replay;
	uint64_t sequence;
};

struct engine {
	const struct engine_settings *settings;
	struct engine_parent *parents;
	struct group *groups;
	struct node *nodes;
	struct action *actions;
	size_t action_count;
	size_t action_capacity;
	struct demotions demotions;
	instant deadline;         /* not later than the earliest of all; may be earlier */
	int64_t wall_offset_ns;   /* wall clock minus boot clock, kept current by the caller */
	uint64_t random;          /* the state of engine_random */
	int64_t sequence_lead_ns; /* so far our sequences are ahead of the boot clock, at least */
	uint32_t sender;          /* our id in seals, if hosts share a source address */
	uint32_t former_senders[FORMER_SENDERS]; /* those of earlier runs, the latest first; 0: none */
	struct departed departed[DEPARTED_MAX];  /* the latest first */
};

#endif
