/*
 * Frames for the gate's tests, built one layer after the other.
 */
#ifndef TESTS_GATE_FRAME_H
#define TESTS_GATE_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_MAX 512

struct frame {
	size_t bytes;
	uint8_t data[FRAME_MAX];
};

/* Addresses are written as text; a frame begins anew. */
void frame_ethernet(struct frame *frame, const char *destination, const char *source, uint16_t protocol);
void frame_ipv4(struct frame *frame, const char *source, const char *destination, uint8_t protocol,
                size_t option_bytes);
void frame_ipv6(struct frame *frame, const char *source, const char *destination, uint8_t protocol);
void frame_arp(struct frame *frame, uint16_t operation, const char *sender_mac, const char *sender,
               const char *target_mac, const char *target);
/* Bytes as hexadecimal digits, blanks allowed. */
void frame_hex(struct frame *frame, const char *digits);
void frame_fill(struct frame *frame, uint8_t value, size_t bytes);

/* Fills in lengths, the IPv4 header's checksum and, for ICMPv6, that of the message. */
void frame_finish(struct frame *frame);
bool frame_has_good_icmpv6_checksum(const struct frame *frame);

#endif
