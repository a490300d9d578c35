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
	CAUSE_GOODBYE,          /* the master said that it goes */
	CAUSE_PREEMPTED_SLOWER, /* preempt, and we advertise faster */
	CAUSE_WILL_TIME_OUT,    /* the master is so slow that it would time out anyway */
	CAUSE_PEER_DEMOTED,     /* the master is demoted further than we are */
	CAUSE_PEER_FASTER,
	CAUSE_PEER_LESS_DEMOTED,
	CAUSE_PEER_EQUAL,    /* equal terms, and the peer has the better right */
	CAUSE_HANDED_OVER,   /* a hand-over that a peer has answered */
	CAUSE_LEASE_EXPIRED, /* this host was paused or could not send; others may have taken over */
	CAUSE_TAKE_FAILED,   /* an address could not be taken */
};

struct cause {
	enum cause_kind kind;
	struct address peer; /* FAMILY_NONE where no peer had a part in it */
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

/* A valid advert, as far as the state machine cares. */
struct heard {
	struct address source;
	struct terms terms;
	bool sealed;     /* from a carpd */
	bool suspected;  /* it may have been recorded: its counter was used before */
	uint32_t sender; /* the id in its seal: 0 where its source address is its own */
};

/* The master as a backup knows it. */
struct master {
	struct address source; /* FAMILY_NONE: nobody heard yet */
	struct terms terms;
	bool sealed;
	instant heard;
	instant heard_ipv4, heard_ipv6; /* INSTANT_NEVER: not in this reign */
	bool family_missing;            /* one family fell silent while the other lives */
};

/* Another host that advertises while we are master. */
struct rival {
	struct address source; /* FAMILY_NONE: none */
	bool persistent;       /* it went on, and the operator has been told */
	instant since;
	instant heard;
	instant without_ipv4; /* since then it was heard over IPv6 only */
};

struct handover {
	bool active;
	bool said;        /* somebody may have heard of it */
	bool stopping;    /* INIT afterwards whether or not somebody took over */
	bool for_good;    /* the successor is not preempted */
	instant deadline; /* how long we wait for a successor */
};

struct vhost {
	struct group *group;
	uint8_t vhid;
	uint8_t advskew;
	enum vhost_state state;
	struct transition last; /* how it came into this state */

	instant deadline;      /* BACKUP: the master is dead.  MASTER: the next advert */
	instant speaks_since;  /* MASTER: the first advert; INSTANT_NEVER: its addresses are not there yet */
	instant lease_end;     /* MASTER: until when no other host can have taken over; 0: no lease yet */
	bool passed_on;        /* left to a peer that was heard: frames may still be under way to us */
	instant preempt_after; /* preempt-delay; not before this */
	bool held;             /* handed over by request: do not preempt the successor */
	struct master master;
	bool doubtful; /* BACKUP: only suspected adverts for as long as we wait, and it has been told */
	struct rival rival;
	instant reassert_after; /* limits the answers to a rival */
	struct handover handover;
	instant stand_back_until; /* lost against an equal a moment ago: the timer is half an interval longer
	                           */

	instant announce_at; /* the next repetition of the announcement */
	uint8_t announce_step;
	instant announce_again; /* one more, outside the schedule: a rival's own came in between */

	instant relief_until; /* MASTER, demoted: until when somebody should have taken over */
	bool unrelieved;      /* nobody has, and the operator has been told */

	uint8_t send_failures; /* in a row */
};

/* Values of the demotions that the engine raises by itself. */
#define DEMOTE_LINK_DOWN   100
#define DEMOTE_SEND_ERRORS 100
#define DEMOTE_TAKE_FAILED 100
#define SEND_FAILURES_MAX  3 /* in a row, as CARP_SENDAD_MAX_ERRORS */

#define FORMER_SENDERS   8  /* ids of our earlier runs that are remembered */
#define DESTINATIONS_MAX 16 /* of a group's adverts: its peers, or a multicast group for each family */

/* One virtual host of a group. */
struct node_settings {
	uint8_t vhid;
	uint8_t advskew;
};

/* Owned by the caller, unchanged and alive as long as the engine uses it. */
struct group_settings {
	const char *name; /* for the demotions that the engine raises by itself */
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
	struct seal_key mark_key;         /* of the passphrase, whatever keys there are */
	const struct seal_key *seal_keys; /* at least one; the first signs */
	size_t seal_key_count;
	int64_t seal_window_ns; /* that a clock heard for the first time may be behind ours; 0: any */
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
	struct mac mac;             /* source of adverts where the group has no virtual MAC */
	struct address source_ipv4; /* FAMILY_NONE: it has none */
	struct address source_ipv6;
	bool router; /* it forwards IPv6 */
};

#define DIGEST_FORMS 2
#define OWN_COUNTERS 8

enum conflict_kind {
	CONFLICT_DIGEST,
	CONFLICT_SEAL,     /* not made with our key; or the advert was altered */
	CONFLICT_KEY,      /* sealed with a key id that we lack */
	CONFLICT_TIME,     /* its sequence is not of now */
	CONFLICT_UNSEALED, /* and we require a seal */
	/* These hide a master: they count while this host is one too, or hears none. */
	CONFLICT_REPLAY,    /* its sequence is not newer than one that was heard */
	CONFLICT_ROUTED,    /* its TTL or hop limit says that a router is in between */
	CONFLICT_MULTICAST, /* and we have peers */
	CONFLICT_UNICAST,   /* and we have none */
	CONFLICT_STRANGER,  /* it is not among our peers */
	CONFLICT_ELSEWHERE, /* to an address of ours on another interface */
	CONFLICT_TWIN,      /* from our own address, and not by us */
	CONFLICT_MALFORMED,
};

/*
 * A host with our vhid that is not understood or not listened to: told once, kept as
 * state.  The first adverts may be an outsider's, or of hosts that are just being
 * changed; one that goes on, without a pause, for longer than a backup is patient is told.
 */
#define CONFLICT_ADVERTS 3
struct conflict {
	struct address source; /* FAMILY_NONE: nobody */
	enum conflict_kind kind;
	bool told;
	struct address destination;
	int64_t behind_ns; /* CONFLICT_TIME: of its sequence behind what is expected of it */
	uint64_t count;
	instant since;
	instant heard;
	struct advert advert; /* the last one, for the diagnosis; of CONFLICT_MALFORMED its vhid */
};

/* Adverts with a right digest that were not believed, for somebody may have recorded them. */
#define SUSPICION_OVER_NS (60 * NS_PER_S)
struct suspicion {
	struct address source; /* of the last; FAMILY_NONE: none yet */
	enum drop drop;        /* DROP_REPLAY, DROP_FORGED or DROP_UNSEALED */
	uint64_t count;
	instant since;
	instant heard; /* it is over SUSPICION_OVER_NS after that */
};

/* How sending fares to one destination. */
struct outlet {
	uint8_t failures; /* in a row */
	bool told;        /* that it is blocked */
	int error;        /* of the last failure, errno */
};

static inline bool outlet_is_blocked(const struct outlet *outlet)
{
	return outlet->failures >= SEND_FAILURES_MAX;
}

/* A peer that makes its digest in the other form, so that it may be deaf to ours: told once, kept as state.
 */
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
	const struct digest *previous_digests; /* of the engine before the last reload, during the grace */
	struct replay replay;
	uint64_t sequence; /* the last one of a seal */
	struct sightings sightings;
	struct conflict conflict;
	struct suspicion suspicion;
	struct other_form other_form;
	struct vhost_counters counters;
	struct advert advert; /* the one being sent */
	uint8_t seal_flags;
	uint64_t own_counters[OWN_COUNTERS]; /* of adverts we sent lately */
	uint8_t own_next;
	instant tell_forgery_after;
	struct outlet outlets[DESTINATIONS_MAX];
	instant probe_at; /* no earlier; outlets that are blocked, and all of a backup's peers */
};

/* How many of a group's addresses the kernel refuses, whatever this host is to it. */
enum refused {
	REFUSED_NONE,
	REFUSED_SOME, /* the others are served; a host that can serve all goes first */
	REFUSED_ALL,  /* out of service */
};

struct group {
	const struct group_settings *settings;
	struct node *nodes;
	size_t node_count;
	size_t masters;   /* how many of its nodes are master here */
	uint8_t demotion; /* sum of the reasons in its scope */
	bool stopped;     /* taken out of service by engine_stop */
	bool barred;      /* as if its parent were down; the caller sets it before engine_parent_changed */
	enum refused refused;
	bool virtual_mac;
	/* Whom its adverts come from, where it is not the parent's; the caller sets it as barred. */
	struct address source_ipv4;
	struct address source_ipv6;
	struct fight fight;
	/* The credentials before the last reload (engine_adopt): accepted, and at first still sent. */
	bool previous_in_use;
	bool previous_sent;
	instant previous_until;
	const struct seal_key *previous_seal_keys;
	size_t previous_seal_key_count;
	const struct seal_key *previous_mark_key;
};

enum action_kind {
	ACTION_SHUT,      /* node: the gate, before anything else when mastership ends */
	ACTION_DROP,      /* group: its addresses */
	ACTION_TAKE,      /* group: its addresses; then engine_taken, or engine_take_failed */
	ACTION_ADVERTISE, /* node, if it speaks still: engine_advert_frame, send, engine_sent */
	ACTION_GOODBYE,   /* node: it has left; engine_advert_frame, send, engine_sent, as a last word */
	ACTION_SERVE,     /* node, if it speaks still: the gate is open until vhost.lease_end */
	ACTION_ANNOUNCE,  /* group, if the node speaks still: gratuitous ARP and neighbour advertisements */
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
	REPORT_CONFLICT, /* with our vhid, but a digest or a seal that does not fit */
	REPORT_CONFLICT_OVER,
	REPORT_OTHER_FORM, /* a peer covers link-local addresses by its digest and we do not, or the reverse
	                    */
	REPORT_OTHER_FORM_OVER,
	REPORT_FAMILY_SILENT, /* the master is heard over one family only */
	REPORT_FAMILY_RETURNED,
	REPORT_REPEATED, /* a counter that its sender has used before */
	REPORT_FORGED,   /* a recorded advert under other header fields */
	REPORT_UNSEALED, /* an unsealed advert in the name of a peer that seals */
	REPORT_DOUBTFUL, /* the master is heard with such counters only */
	REPORT_DOUBT_OVER,
	REPORT_HANDOVER_KEPT,    /* nobody took over; we stay master */
	REPORT_UNRELIEVED,       /* demoted, and nobody takes over */
	REPORT_ADDRESS_PUT_BACK, /* somebody removed a shared address of ours */
	REPORT_FIGHT,            /* again and again */
	REPORT_FIGHT_OVER,
	REPORT_CREDENTIALS_CHANGED, /* the grace is over, or a peer uses the new ones already */
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
	bool adopted; /* known to the engine before the last reload */
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
	instant deadline;                        /* never later than the earliest of all; may be earlier */
	int64_t wall_offset_ns;                  /* wall clock minus boot clock, kept current by the caller */
	uint64_t random;                         /* state of the generator of counters */
	int64_t sequence_lead_ns;                /* of our sequences before the boot clock, at least */
	uint32_t sender;                         /* our id in seals, where hosts share a source address */
	uint32_t former_senders[FORMER_SENDERS]; /* those of earlier runs, the latest first; 0: none */
	struct departed departed[DEPARTED_MAX];  /* the latest first */
};

#endif
