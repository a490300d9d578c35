/*
 * The service manager's protocol of readiness (sd_notify(3)); nothing without one.
 */
#ifndef CARPD_NOTIFY_H
#define CARPD_NOTIFY_H

/* state such as "READY=1"; lost without harm if nobody listens. */
void notify_manager(const char *state);

#endif
