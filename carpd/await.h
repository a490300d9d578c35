/*
 * First adverts that wait for the kernel.  It routes to a new IPv6 address only
 * after a work queue has run, which under load takes milliseconds; a predecessor
 * that hears our advert stops at once, so the advert has to come later than that.
 */
#ifndef CARPD_AWAIT_H
#define CARPD_AWAIT_H

#include "daemon.h"

/* Whether action must wait, and is kept: it belongs to a reign whose addresses are not all in place. */
bool await_keep(struct daemon *daemon, const struct action *action);

/* The kept actions that are due now: addresses in place, or waited long enough.  Returns how many. */
size_t await_release(struct daemon *daemon, struct action *ret_actions);

/* When to look again. */
instant await_deadline(const struct daemon *daemon);

#endif
