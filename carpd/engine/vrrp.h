/*
 * VRRP routers that use the number of one of our groups: both have the same
 * virtual MAC, and neither protocol hears the other.  A state, told when it
 * begins and when it ends.
 */
#ifndef CARPD_VRRP_H
#define CARPD_VRRP_H

#include <stdbool.h>

#include "daemon.h"

/* To be called every few seconds: the packets are only counted as they come. */
void vrrp_look(struct daemon *daemon);

/*
 * The router with the group's number that was heard lately, or NULL.  It goes on as
 * routers do, or these are but a few packets, which anybody can send.
 */
const struct vrrp *vrrp_find(const struct daemon *daemon, const struct group *group);
bool vrrp_goes_on(const struct vrrp *vrrp);

#endif
