/*
 * Adverts to unicast peers, routed by the kernel like any packet (FreeBSD's peers
 * may be in another subnet), so without the virtual MAC.
 */
#ifndef CARPD_LINUX_PEER_H
#define CARPD_LINUX_PEER_H

#include <stddef.h>
#include <stdint.h>

#include "core/address.h"

/* A raw socket of that family; it sends with TTL 255 and receives nothing.  The fd or -errno. */
int peer_open(enum family family);

/* 0 or -errno; never blocks.  link_index matters to link-local peers only. */
int peer_send(int fd, int link_index, const struct address *source, const struct address *peer,
              const uint8_t *payload, size_t bytes);

#endif
