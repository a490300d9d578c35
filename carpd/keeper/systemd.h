/*
 * The service manager's protocol of readiness (sd_notify(3)); nothing without one.
 */
#ifndef CARPD_SYSTEMD_H
#define CARPD_SYSTEMD_H

/* state such as "READY=1"; lost without harm if nobody listens. */
void systemd_notify(const char *state);

/*
 * Feeds the manager's watchdog if it is time to (WATCHDOG_USEC of sd_watchdog_enabled(3)).
 * Returns the ms until the next time, or -1 if there is no watchdog.
 */
int systemd_feed_watchdog(void);

#endif
