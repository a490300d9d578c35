/*
 * All groups of one host.  The only header that the callers of the core need.
 *
 * Events go in by function calls that carry the time; what is to be done comes
 * out as a list of actions, to be carried out in the order in which they stand
 * after each call.  Results come back as further events.  engine_deadline() says
 * when engine_tick() is due.  No call allocates, blocks, or reads a clock.
 */
#ifndef CARPD_CORE_ENGINE_H
#define CARPD_CORE_ENGINE_H

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
#include "vhost.h"

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
};

/*
 * The engine and all its arrays in one block of the caller's, zeroed, aligned as
 * malloc aligns, of engine_bytes().  All groups start in INIT with their parents down.
 */
size_t engine_bytes(const struct engine_settings *settings);
struct engine *engine_place(void *memory, const struct engine_settings *settings);

/*
 * For a reload: next, freshly placed, takes over what old knows.  A group is the
 * same if its interface and its virtual hosts are.  States, timers and counters go
 * on; where passphrase or addresses changed, the old ones are sent for grace_ns or
 * until a peer uses the new ones, so that hosts can be changed one after the other.
 * They are accepted for as long again, since the peer that was changed last goes
 * on sending them.  A master whose addresses changed gets ACTION_TAKE and
 * ACTION_ANNOUNCE; dropping those that are gone is the caller's affair.  A demotion
 * goes on for as long as what it is for does, and for the groups that now depend on it.
 * Groups of old that next lacks must have been stopped before (engine_stop).
 * Interfaces that old lacks wait for engine_parent_changed, without a demotion.
 * old and its settings must stay in memory until engine_in_grace(next) is false.
 */
void engine_adopt(struct engine *next, const struct engine *old, instant now);
bool engine_in_grace(const struct engine *engine);

/* The group of engine that is the same as one of other's, or NULL. */
const struct group *engine_counterpart(const struct engine *engine, const struct engine *other,
                                       const struct group *others);

/* When engine_tick is due. */
instant engine_deadline(const struct engine *engine);
void engine_tick(struct engine *engine, instant now);

/*
 * Masters whose lease has run out become backups.  For a caller that has been
 * asleep, before it hands over what arrived meanwhile.
 */
void engine_expire_leases(struct engine *engine, instant now);

/* network: an IP packet with protocol 112 that arrived at parent. */
enum drop engine_receive(struct engine *engine, size_t parent, const uint8_t *network, size_t bytes,
                         bool multicast, instant now);

/*
 * A unicast packet with protocol 112 that no group has taken, on whatever interface:
 * nothing comes of it, but a host that sends its adverts to the wrong one of our
 * addresses is told of.
 */
void engine_hear_stray(struct engine *engine, const uint8_t *network, size_t bytes, instant now);

void engine_parent_changed(struct engine *engine, size_t parent, const struct parent *state, instant now);

/*
 * The nth frame or packet of a node's pending advert; n counts from 0.  For
 * multicast a whole Ethernet frame; for a unicast peer ret_peer is set and the
 * payload alone is written, to be routed by the kernel from ret_source.  False
 * when there are no more.
 */
struct advert_out {
	uint8_t bytes[PACKET_FRAME_MAX];
	size_t length;
	struct address source;
	struct address peer; /* FAMILY_NONE: a frame for the wire */
};
bool engine_advert_frame(struct engine *engine, struct node *node, size_t n, instant now,
                         struct advert_out *ret_out);
/* errors: for each copy 0 or errno. */
void engine_sent(struct engine *engine, struct node *node, instant before, const int *errors, size_t copies);
/*
 * The same way as a node's adverts, copy by copy, and of their size, but of vhid 0,
 * which nobody has.  Only what shares the whole way tells whether that is open: a
 * firewall, a route or a shaper may stop adverts and nothing else.
 */
bool engine_probe_frame(const struct engine *engine, const struct node *node, size_t n,
                        struct advert_out *ret_out);
void engine_probed(struct engine *engine, struct node *node, const int *errors, size_t copies, instant now);
/* Where the nth copy goes; false if there is no nth. */
bool engine_destination(const struct group_settings *settings, size_t n, struct address *ret_destination);

/*
 * Sequences of seals: nanoseconds since 1970 by a clock that is never set back.  The
 * first of a run, above what earlier runs have reserved; how far that clock is ahead of the
 * boot clock, and what it shows; up to where this run is to write down that it has reserved them, before it
 * seals; whether it is time to write again.
 */
uint64_t engine_first_sequence(uint64_t reserved, int64_t wall_ns);
int64_t engine_sequence_lead_ns(const struct engine *engine);
uint64_t engine_sequence_clock(const struct engine *engine, instant now);
uint64_t engine_reserve_sequences(const struct engine *engine, instant now);
bool engine_sequences_run_short(const struct engine *engine, uint64_t reserved, instant now);

/*
 * A node that becomes master waits for this before it advertises, for 50 ms at most: the
 * addresses of its group are in the kernel, and it routes them.  The caller looks whether
 * they are for as long as engine_is_taking.
 */
bool engine_is_taking(const struct group *group);
void engine_taken(struct engine *engine, struct group *group, instant now);
/* None of it, for no reason that is known to last: the group steps down and tries again later. */
void engine_take_failed(struct engine *engine, struct group *group, int error, instant now);
/* The caller has changed virtual_mac: switches and neighbours must hear of it from a master. */
void engine_mac_changed(struct engine *engine, struct group *group, instant now);
void engine_refuse(struct engine *engine, struct group *group, enum refused refused, instant now);
/* Somebody removed one of the shared addresses while we are master; engine_tick puts it back, the first time
 * at once. */
void engine_address_lost(struct engine *engine, size_t parent, const struct address *address, instant now);

/* All groups, by request.  False if the table of reasons is full, or the reason has no name. */
bool engine_demote(struct engine *engine, const char *name, int value, instant now, instant until);
bool engine_undemote(struct engine *engine, const char *name, instant now);

/*
 * group NULL: all.  Hands over what this host is master of and stays in service as a backup.
 * What no advert has told of yet goes back to whom it was to be taken from, if he lives.
 */
void engine_hand_over(struct engine *engine, struct group *group, instant now);
/* The same for all, to whom a demotion alone says nothing; preempt may take back when the demotion is over.
 */
void engine_give_way(struct engine *engine, instant now);
/* Hands over and leaves: every node ends in INIT. */
void engine_stop(struct engine *engine, struct group *group, instant now);
/* After engine_stop: waits for nobody any longer. */
void engine_break_off(struct engine *engine, instant now);
bool engine_stopped(const struct engine *engine, const struct group *group);

void engine_clear_actions(struct engine *engine);

/*
 * Which change would make a peer's digest fit (design section 4, "wrong digest
 * with our vhid").
 */
enum diagnosis_kind {
	DIAGNOSIS_UNKNOWN,    /* another passphrase, or more than one address differs */
	DIAGNOSIS_PEER_LACKS, /* it has not got address */
	DIAGNOSIS_PEER_IPV4_ONLY,
	DIAGNOSIS_PEER_IPV6_ONLY,
};
struct diagnosis {
	enum diagnosis_kind kind;
	struct address address;
};
struct diagnosis engine_diagnose(const struct group *group, const struct node *node);

/*
 * Whether a host that is not understood hides or contradicts the master that should
 * be heard.  A backup that hears its master has what it needs, whatever else is said.
 */
bool engine_could_hide_a_master(const struct node *node);

/* Between the files of the core. */
void engine_act(struct engine *engine, enum action_kind kind, struct group *group, struct node *node);
void engine_tell(struct engine *engine, struct group *group, struct node *node, const struct report *report);
/* Whom a group's adverts come from.  A parent without an address speaks from the shared one, as OpenBSD does.
 */
struct address engine_source(const struct engine *engine, const struct group_settings *settings,
                             enum family family);
/* Fills in node->advert: terms, or that the sender goes, counter and digest of what is sent next
 * (engine_send.c). */
void engine_prepare_advert(struct engine *engine, struct node *node, bool goodbye);
uint64_t engine_random(struct engine *engine);
/* For the next seal (engine_sequence.c). */
uint64_t engine_next_sequence(struct engine *engine, const struct node *node, instant now);
/* Whether a group speaks from one of its shared addresses, for want of one of its own. */
bool engine_source_is_shared(const struct engine *engine, const struct group_settings *settings,
                             enum family family);
/* Which groups suffer when something fails on a parent; several scopes together are all. */
int engine_scope_of_parent(const struct engine *engine, size_t parent);
/* Groups whose sum of demotions has changed let the others know at once. */
void engine_spread_demotion(struct engine *engine, instant now);
/* The grace of a reload is over: from now on the new credentials only. */
void engine_end_grace(struct engine *engine, struct group *group);
/* When somebody of whom this was the last advert counts as gone, for what is told of him. */
instant engine_silent_at(const struct advert *last, instant heard);
/* After an event that may have brought a node's deadline forward. */
void engine_wake_for(struct engine *engine, const struct node *node);

#endif
