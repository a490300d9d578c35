/*
 * The state machine of one virtual host.  A function of its state, an event and the
 * time: what is to be done about it goes into the engine's list of actions.
 */
#ifndef CARPD_CORE_VHOST_H
#define CARPD_CORE_VHOST_H

#include "types.h"

const char *vhost_state_name(enum vhost_state state);

/* Our terms as they are advertised.  A demotion is in both the demote byte and advskew (doc/carp.md 4.7). */
struct terms vhost_terms(const struct vhost *vhost);
/*
 * How long a backup waits for an advert: 3*advbase + advskew/256, with the advbase of a
 * sealed master if that is larger.  In fast mode three of the longer of both intervals.
 */
int64_t vhost_master_down_ns(const struct vhost *vhost);
int64_t vhost_interval_ns(const struct vhost *vhost);

/*
 * Whether it is master and has advertised.  Before, it waits for its addresses and has no
 * lease.  If the reign ends then, nobody is told and nothing is handed over, since whoever
 * served before serves on.
 */
bool vhost_speaks(const struct vhost *vhost);
/* Whether its adverts are goodbyes: it hands over, and has advertised as a master before. */
bool vhost_says_goodbye(const struct vhost *vhost);

/* The earliest time at which vhost_tick has something to do. */
instant vhost_deadline(const struct vhost *vhost);

/* Events.  Each may add to engine's actions. */
void vhost_start(struct engine *engine, struct vhost *vhost, instant now);
void vhost_stop(struct engine *engine, struct vhost *vhost, enum cause_kind why, instant now);
void vhost_hand_over(struct engine *engine, struct vhost *vhost, bool stopping, bool for_good, instant now);
void vhost_hear(struct engine *engine, struct vhost *vhost, const struct heard *heard, instant now);
void vhost_tick(struct engine *engine, struct vhost *vhost, instant now);
/* The advert of the last ACTION_ADVERTISE left (error 0) or did not.  before: the clock before sending. */
void vhost_sent(struct vhost *vhost, instant before, int error);
void vhost_taken(struct engine *engine, struct vhost *vhost, instant now);
void vhost_take_failed(struct engine *engine, struct vhost *vhost, int error, instant now);
/* Our terms changed, by a demotion or a reload: they are advertised at once. */
void vhost_terms_changed(struct engine *engine, struct vhost *vhost, instant now);
/* One announcement, if vhost_speaks. */
void vhost_announce(struct engine *engine, struct vhost *vhost);
/* Its MAC, or something else that it announces, has changed. */
void vhost_mac_changed(struct engine *engine, struct vhost *vhost, instant now);
/* Ends the reign of a master whose lease has run out.  To be called before anything else is done. */
bool vhost_lease_expired(struct engine *engine, struct vhost *vhost, instant now);

#endif
