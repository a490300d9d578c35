/*
 * All groups of one host.  The only header that the callers of the core need.
 *
 * Events go in by function calls that carry the time; what is to be done comes
 * out as a list of actions, to be carried out in the order in which they stand
 * after each call.  Results come back as further events.  engine_deadline() says
 * when engine_tick() is due.  No call allocates, blocks, or reads a clock.
 * examples/failover.c shows two of them with nothing else.
 */
#ifndef CARPD_CORE_ENGINE_H
#define CARPD_CORE_ENGINE_H

#include "engine_source.h"
#include "types.h"
#include "vhost.h"

/*
 * An engine, from its settings.
 */

/*
 * The engine and all its arrays in one block of the caller's, zeroed, aligned as
 * malloc aligns, of engine_bytes().  All groups start in INIT with their parents down.
 */
size_t engine_bytes(const struct engine_settings *settings);
struct engine *engine_place(void *memory, const struct engine_settings *settings);

/*
 * Events.  Time:
 */

/* When engine_tick is due. */
instant engine_deadline(const struct engine *engine);
void engine_tick(struct engine *engine, instant now);
/*
 * Masters whose lease has run out become backups.  A caller that may have slept calls
 * this before it hands over what arrived meanwhile.
 */
void engine_expire_leases(struct engine *engine, instant now);

/* What arrives. */

/* network: an IP packet with protocol 112 that arrived at parent. */
enum drop engine_receive(struct engine *engine, size_t parent, const uint8_t *network, size_t bytes,
                         bool multicast, instant now);
/*
 * A unicast packet with protocol 112 that no group has taken, on whatever interface.  It
 * changes no state.  But a peer that sends to the wrong one of our addresses is reported.
 */
void engine_hear_stray(struct engine *engine, const uint8_t *network, size_t bytes, instant now);

/* What the host is like. */

void engine_parent_changed(struct engine *engine, size_t parent, const struct parent *state, instant now);
/* The caller has changed group->virtual_mac: a master must tell switches and neighbours. */
void engine_mac_changed(struct engine *engine, struct group *group, instant now);
void engine_refuse(struct engine *engine, struct group *group, enum refused refused, instant now);
/* Somebody removed one of the shared addresses while we are master.  engine_tick puts it back: the first time
 * at once, in a fight later and later (fight.h). */
void engine_address_lost(struct engine *engine, size_t parent, const struct address *address, instant now);

/* What people ask for. */

/* All groups, by request.  False if the table of reasons is full, or the reason has no name. */
bool engine_demote(struct engine *engine, const char *name, int value, instant now, instant until);
bool engine_undemote(struct engine *engine, const char *name, instant now);
/*
 * group NULL: all.  Hands over what this host is master of and stays in service as a backup.
 * A reign that no advert has told of yet ends at once if the former master lives.
 */
void engine_hand_over(struct engine *engine, struct group *group, instant now);
/*
 * The same for all groups, beside a demotion: peers without preempt do not react to that (doc/carp.md 4.7).
 * When the demotion is over this host may preempt.
 */
void engine_give_way(struct engine *engine, instant now);
/* Hands over and leaves: every node ends in INIT. */
void engine_stop(struct engine *engine, struct group *group, instant now);
/* After engine_stop: waits no longer for a successor. */
void engine_break_off(struct engine *engine, instant now);
bool engine_stopped(const struct engine *engine, const struct group *group);

/*
 * What is to be done stands in engine->actions, to be cleared when it has been copied.
 */

void engine_clear_actions(struct engine *engine);

/* For ACTION_ADVERTISE and ACTION_GOODBYE. */

/*
 * The nth copy of a node's pending advert; n counts from 0.  For multicast it is a whole
 * Ethernet frame.  For a unicast peer it is the payload alone, which the kernel routes from
 * source to peer.  False when there are no more.
 */
struct advert_out {
	uint8_t bytes[PACKET_FRAME_MAX];
	size_t length;
	struct address source;
	struct address peer; /* FAMILY_NONE: a frame for the wire */
};
bool engine_advert_frame(struct engine *engine, struct node *node, size_t n, instant now,
                         struct advert_out *ret_out);
/* Where the nth copy goes; false if there is no nth. */
bool engine_destination(const struct group_settings *settings, size_t n, struct address *ret_destination);
/* errors: for each copy 0 or errno. */
void engine_sent(struct engine *engine, struct node *node, instant before, const int *errors, size_t copies);

/* For ACTION_PROBE. */

/*
 * A probe is an advert of vhid 0, which nobody has.  It takes the same way as the node's
 * adverts, copy by copy and with their size, since a firewall, a route or a shaper may stop
 * adverts and nothing else.
 */
bool engine_probe_frame(const struct engine *engine, const struct node *node, size_t n,
                        struct advert_out *ret_out);
void engine_probed(struct engine *engine, struct node *node, const int *errors, size_t copies, instant now);

/* For ACTION_TAKE. */

/*
 * engine_taken: the addresses of the group are in the kernel, and it routes them.  A node that
 * becomes master does not advertise before that, but waits 50 ms at most.  While
 * engine_is_taking is true the caller looks whether it is so.
 */
bool engine_is_taking(const struct group *group);
void engine_taken(struct engine *engine, struct group *group, instant now);
/* The kernel refused, and it is not known to be for good: the group steps down and tries again later. */
void engine_take_failed(struct engine *engine, struct group *group, int error, instant now);

/*
 * From one configuration to the next.
 */

/*
 * For a reload: next, freshly placed, takes over what old knows.
 *
 * A group is the same if its interface and its virtual hosts are.  States, timers and
 * counters go on.  If passphrase or addresses changed, the old ones are sent for grace_ns or
 * until a peer uses the new ones, so that hosts can be changed one after the other.  They are
 * accepted for as long again, since the peer that is changed last goes on sending them.
 *
 * A master whose addresses changed gets ACTION_TAKE and ACTION_ANNOUNCE; the caller drops the
 * addresses that are gone.  A demotion goes on as long as its reason does, for the groups that
 * depend on it now.  An interface that old did not have demotes nobody until
 * engine_parent_changed has told of it.
 *
 * Groups that next lacks must have been stopped before (engine_stop).  old and its settings
 * must stay in memory until engine_in_grace(next) is false.
 */
void engine_adopt(struct engine *next, const struct engine *old, instant now);
bool engine_in_grace(const struct engine *engine);
/* The group of engine that is the same as one of other's, or NULL. */
const struct group *engine_counterpart(const struct engine *engine, const struct engine *other,
                                       const struct group *others);

/*
 * From one run to the next.
 */

/*
 * Sequences of seals come from a clock that is never set back (doc/protocol.md section 3).
 * A run writes down a limit before it uses the sequences below, and the next run begins
 * above it.
 */
uint64_t engine_first_sequence(uint64_t reserved, int64_t wall_ns);
/* How far that clock is ahead of the boot clock. */
int64_t engine_sequence_lead_ns(const struct engine *engine);
/* What it shows now. */
uint64_t engine_sequence_clock(const struct engine *engine, instant now);
/* The limit to be written down. */
uint64_t engine_reserve_sequences(const struct engine *engine, instant now);
/* Whether it is time for a new limit. */
bool engine_sequences_run_short(const struct engine *engine, uint64_t reserved, instant now);

/*
 * For whoever explains to people what is going on.
 */

/* Which change would make a peer's digest fit. */
enum diagnosis_kind {
	DIAGNOSIS_UNKNOWN,    /* another passphrase, or more than one address differs */
	DIAGNOSIS_PEER_LACKS, /* an address that we have */
	DIAGNOSIS_PEER_IPV4_ONLY,
	DIAGNOSIS_PEER_IPV6_ONLY,
};
struct diagnosis {
	enum diagnosis_kind kind;
	struct address address;
};
struct diagnosis engine_diagnose(const struct group *group, const struct node *node);
/*
 * Whether a host whose adverts are dropped may be the master, or stand in its way.  It
 * cannot while this host is a backup that hears its master.
 */
bool engine_could_hide_a_master(const struct node *node);

#endif
