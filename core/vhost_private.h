/*
 * Between the files of the state machine: vhost.c has the states and the timers,
 * vhost_hear.c what an advert does to them.
 */
#ifndef CARPD_CORE_VHOST_PRIVATE_H
#define CARPD_CORE_VHOST_PRIVATE_H

#include "actions.h"
#include "engine_source.h"
#include "vhost.h"

const struct group_settings *vhost_settings(const struct vhost *vhost);
struct node *vhost_node(struct vhost *vhost);

/* Adds to the engine's actions.  peer may be NULL. */
void vhost_act(struct engine *engine, enum action_kind kind, struct vhost *vhost);
void vhost_tell(struct engine *engine, struct vhost *vhost, enum report_kind kind,
                const struct address *peer);

/* An advert now, and the next one an interval later.  Not before the first advert of a reign. */
void vhost_advertise(struct engine *engine, struct vhost *vhost, instant now);
/* The repetitions of an announcement begin anew.  again: the time of one more. */
void vhost_repeat_announcements(struct vhost *vhost, instant again, instant now);

/* 3*advbase + advskew/256, with the configured advskew and not the demoted one (doc/carp.md 4.1). */
int64_t vhost_patience_ns(const struct vhost *vhost);
void vhost_restart_timer(struct vhost *vhost, instant now);
void vhost_forget_master(struct vhost *vhost);

void vhost_become_master(struct engine *engine, struct vhost *vhost, struct cause cause, instant now);
void vhost_become_backup(struct engine *engine, struct vhost *vhost, struct cause cause, instant now);

#endif
