/*
 * One parent interface as a wire: frames out, multicast groups joined and, where
 * there is no gate, adverts in.
 */
#ifndef CARPD_LINUX_WIRE_H
#define CARPD_LINUX_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/address.h"
#include "core/clock.h"

struct wire;

/*
 * Opens the sending socket: AF_PACKET, with protocol 0 so that it hears nothing, and without
 * PACKET_QDISC_BYPASS, which goes around the gate (doc/linux.md 1.3, 4).  Joins 224.0.0.18 and
 * ff02::12 by sockets of IP, so that snooping switches are told (doc/linux.md 5.3).
 * 0 or -errno.  A parent without IPv6 is no error.
 */
int wire_open(int link_index, struct wire **ret_wire);
void wire_close(struct wire *wire);
/* The kernel gives the lowest numbers first, so this tells how many descriptors the process has. */
int wire_highest_fd(const struct wire *wire);

/*
 * Joins again what the kernel has forgotten.  To be called when the link or its IPv6 may
 * have gone and come back, or IPv6 is there for the first time.  True if a membership came back.
 */
bool wire_rejoin(struct wire *wire);

/* One Ethernet frame.  0 or -errno; never blocks. */
int wire_send(struct wire *wire, const uint8_t *frame, size_t bytes);

/* Lets the card's filter pass mac, until the wire is closed.  Never on a bridge (doc/linux.md 5.2). */
int wire_accept_mac(struct wire *wire, const struct mac *mac);
int wire_refuse_mac(struct wire *wire, const struct mac *mac);

/*
 * Receiving without the gate: packet sockets for IPv4 and IPv6 behind a kernel
 * filter that passes untagged packets of protocol 112 only, VRRP among them.  The
 * fds are for the caller's event loop.
 */
int wire_listen(struct wire *wire);
int wire_fd_ipv4(const struct wire *wire); /* -1 if not listening */
int wire_fd_ipv6(const struct wire *wire);

/* network points at the IP header.  arrived is of the boot clock.  multicast: the frame was sent to a group.
 */
typedef void wire_received(void *context, int link_index, const uint8_t *network, size_t bytes,
                           bool multicast, instant arrived);

/*
 * Hands over what is waiting on fd, at most WIRE_BATCH_MAX.  now is the time of the call.
 * received must not close the wire.  Returns their number (0: there are no more) or -errno.
 */
#define WIRE_BATCH_MAX 8
int wire_receive(struct wire *wire, int fd, instant now, wire_received *received, void *context);

#endif
