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

/* A router with the group's number was heard lately. */
bool vrrp_is_near(const struct daemon *daemon, const struct group *group);

#endif
