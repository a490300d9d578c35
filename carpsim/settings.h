/*
 * What the scenario says, as the configuration of each host's daemon.
 */
#ifndef CARPSIM_SETTINGS_H
#define CARPSIM_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/clock.h"

#define SEAL_WINDOW_NS (5 * NS_PER_S)

struct configuration;
struct host;

/* Once the ports of all hosts are open, since unicast peers must know each other's addresses. */
void settings_list_peers(struct host *host);
/* The file as it is now. */
struct configuration *settings_new(const struct host *host);
void settings_free(struct configuration *configuration);
/* Whether the file as it is now lacks unit. */
bool settings_leave_out(const struct host *host, size_t unit);
/* The number of the segment that an interface is on. */
size_t settings_port(const char *parent_name);

void settings_write_peers(struct host *host);

#endif
