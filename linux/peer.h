/*
 * Adverts to unicast peers, which the kernel routes as any packet, and so without the virtual
 * MAC: a peer may be in another subnet.  And unicast adverts to this host that no gate has
 * taken, on whatever interface.
 */
#ifndef CARPD_LINUX_PEER_H
#define CARPD_LINUX_PEER_H

#include <stddef.h>
#include <stdint.h>

#include "core/address.h"

/* A raw socket of that family; it sends with TTL 255.  The fd or -errno. */
int peer_open(enum family family);

/* 0 or -errno; never blocks.  link_index matters to link-local peers only. */
int peer_send(int fd, int link_index, const struct address *source, const struct address *peer,
              const uint8_t *payload, size_t bytes);

/* network points at the IP header, which for IPv6 is put together anew: the kernel does not give it. */
typedef void peer_received(void *context, int link_index, const uint8_t *network, size_t bytes);

/* Hands over what is waiting; in a flood it stops after a while and the fd stays ready. */
void peer_receive(int fd, enum family family, peer_received *received, void *context);

#endif
