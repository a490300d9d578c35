/*
 * The state machine of one virtual host.  A function of its state, an event and the
 * time: what is to be done about it goes into the engine's list of actions.
 */
#ifndef CARPD_CORE_VHOST_H
#define CARPD_CORE_VHOST_H

#include "types.h"

const char *vhost_state_name(enum vhost_state state);

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
