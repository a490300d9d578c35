/*
 * Keeps the gate where it belongs: at both hooks of its interfaces, first of all.  What others do to it is
 * put right at once and ever more slowly; where it cannot be, the groups get along without it, or stay out of
 * service if they must have it.
 */
#ifndef CARPD_GUARD_H
#define CARPD_GUARD_H

#include "daemon.h"

/* At the interfaces whose filters changed, if it is time. */
void guard_look(struct daemon *daemon);
/* At all of them: tcx tells nobody of a change, nor is it told when a gate that was refused has room. */
void guard_look_at_all(struct daemon *daemon);

#endif
