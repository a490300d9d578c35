/*
 * What the scenario says, as the configuration of each host's daemon.
 */
#ifndef CARPSIM_SETTINGS_H
#define CARPSIM_SETTINGS_H

struct host;

/* Once the ports of all hosts are open, since unicast peers must know each other's addresses. */
void settings_write_daemon(struct host *host);
void settings_free_daemon(struct host *host);
void settings_write_peers(struct host *host);

#endif
