/*
 * The state machine of one virtual host (protocol.md part 4, as decided in
 * design section 4).  A function of its state, an event and the time: what is to
 * be done about it goes into the engine's list of actions.
 */
#ifndef CARPD_CORE_VHOST_H
#define CARPD_CORE_VHOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address.h"
#include "advert.h"
#include "clock.h"
#include "terms.h"

struct engine;
struct group;

enum vhost_state {
	VHOST_INIT, /* not taking part: link down, interface missing, or stopped */
	VHOST_BACKUP,
	VHOST_MASTER,
};

const char *vhost_state_name(enum vhost_state state);

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
};

struct handover {
	bool active;
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

/* Own terms as they are advertised: demotion in both dialects. */
struct terms vhost_terms(const struct vhost *vhost);
/*
 * 3*advbase + advskew/256, with the advbase of a sealed master if that is larger;
 * or in fast mode three of the slower side's intervals.
 */
int64_t vhost_master_down_ns(const struct vhost *vhost);
int64_t vhost_interval_ns(const struct vhost *vhost);

/*
 * A reign begins in silence, until its addresses are there.  It has no lease, so it
 * ends without a word, and it is not handed over: whoever served before serves on.
 */
bool vhost_speaks(const struct vhost *vhost);
/* It hands over, and was heard as a master: the first advert of a reign is no goodbye. */
bool vhost_says_goodbye(const struct vhost *vhost);

/* The earliest time at which vhost_tick has something to do. */
instant vhost_deadline(const struct vhost *vhost);

/* Events.  Each may add to engine's actions. */
void vhost_start(struct engine *engine, struct vhost *vhost, instant now);
void vhost_stop(struct engine *engine, struct vhost *vhost, enum cause_kind why, instant now);
void vhost_hand_over(struct engine *engine, struct vhost *vhost, bool stopping, bool for_good, instant now);
void vhost_hear(struct engine *engine, struct vhost *vhost, const struct heard *heard, instant now);
void vhost_tick(struct engine *engine, struct vhost *vhost, instant now);
/* The advert of the last ACTION_ADVERTISE left (error 0) or did not; before: clock read before sending. */
void vhost_sent(struct vhost *vhost, instant before, int error);
void vhost_taken(struct engine *engine, struct vhost *vhost, instant now);
void vhost_take_failed(struct engine *engine, struct vhost *vhost, int error, instant now);
/* Own terms changed (demotion, reload): the others hear of it at once. */
void vhost_terms_changed(struct engine *engine, struct vhost *vhost, instant now);
/* Once, if it speaks. */
void vhost_announce(struct engine *engine, struct vhost *vhost);
/* The MAC that it answers with is another one, or what else it announces. */
void vhost_mac_changed(struct engine *engine, struct vhost *vhost, instant now);
/* A master whose lease has run out is none: found before anything else is done. */
bool vhost_lease_expired(struct engine *engine, struct vhost *vhost, instant now);

#endif
