/*
 * Telling the neighbours where a shared address lives now: gratuitous ARP and
 * unsolicited neighbour advertisement (RFC 5227 3, RFC 4861 7.2.6).
 */
#ifndef CARPD_CORE_ANNOUNCE_H
#define CARPD_CORE_ANNOUNCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address.h"

#define ANNOUNCE_FRAME_MAX 96

/* Some clients listen to one form of gratuitous ARP only. */
enum announce_form {
	ANNOUNCE_REQUEST,
	ANNOUNCE_REPLY,
};

/*
 * A whole Ethernet frame that says that address is at mac, sent from mac.
 * The form matters for IPv4; router sets the router flag of the neighbour
 * advertisement, without which hosts drop their default route (RFC 4861 7.2.5).
 * Returns the frame's length.
 */
size_t announce_build(const struct address *address, const struct mac *mac, enum announce_form form,
                      bool router, uint8_t ret_frame[ANNOUNCE_FRAME_MAX]);

/*
 * Asks whether somebody else has address, as a host does before it takes one (RFC 5227
 * 2.1.1, RFC 4862 5.4.2).  It changes nobody's tables.  An answer comes to mac or to all.
 */
size_t announce_build_question(const struct address *address, const struct mac *mac,
                               uint8_t ret_frame[ANNOUNCE_FRAME_MAX]);

#endif
