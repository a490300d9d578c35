/*
 * A BSD kernel or ucarp on one host: the state machines of all its groups, and
 * what they send.
 */
#ifndef CARPSIM_PEERS_H
#define CARPSIM_PEERS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/clock.h"

struct host;

void peers_open(struct host *host);
void peers_close(struct host *host);

void peers_start(struct host *host);
/* In good order: what is left to say goes out with peers_flush. */
void peers_stop(struct host *host);
/* At once, without a word. */
void peers_end(struct host *host);
void peers_plug(struct host *host, size_t port, bool up);
void peers_demote(struct host *host, int value);
/* What has arrived, then what is due. */
void peers_turn(struct host *host);
/* Sends what they want sent. */
void peers_flush(struct host *host);
instant peers_deadline(const struct host *host);

#endif
