#include "frame.h"

#include <arpa/inet.h>
#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void frame_add(struct frame *frame, const void *data, size_t bytes)
{
	assert(frame->bytes + bytes <= FRAME_MAX);
	memcpy(frame->data + frame->bytes, data, bytes);
	frame->bytes += bytes;
}

static void frame_add_16(struct frame *frame, uint16_t value)
{
	value = htons(value);
	frame_add(frame, &value, sizeof(value));
}

static void frame_add_mac(struct frame *frame, const char *text)
{
	uint8_t mac[6];
	int parts = sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &mac[0], &mac[1], &mac[2], &mac[3], &mac[4],
	                   &mac[5]);

	assert(parts == 6);
	(void)parts;
	frame_add(frame, mac, sizeof(mac));
}

static void frame_add_address(struct frame *frame, int family, const char *text)
{
	uint8_t address[16];
	int result = inet_pton(family, text, address);

	assert(result == 1);
	(void)result;
	frame_add(frame, address, family == AF_INET ? 4 : 16);
}

void frame_ethernet(struct frame *frame, const char *destination, const char *source, uint16_t protocol)
{
	frame->bytes = 0;
	frame_add_mac(frame, destination);
	frame_add_mac(frame, source);
	frame_add_16(frame, protocol);
}

void frame_ipv4(struct frame *frame, const char *source, const char *destination, uint8_t protocol,
                size_t option_bytes)
{
	uint8_t fixed[12] = {(uint8_t)(0x45 + option_bytes / 4), 0, 0, 0, 0, 0, 0x40, 0, 255, protocol};

	frame_add(frame, fixed, sizeof(fixed));
	frame_add_address(frame, AF_INET, source);
	frame_add_address(frame, AF_INET, destination);
	frame_fill(frame, 1, option_bytes);
}

void frame_ipv6(struct frame *frame, const char *source, const char *destination, uint8_t protocol)
{
	uint8_t fixed[8] = {0x60, 0, 0, 0, 0, 0, protocol, 255};

	frame_add(frame, fixed, sizeof(fixed));
	frame_add_address(frame, AF_INET6, source);
	frame_add_address(frame, AF_INET6, destination);
}

void frame_arp(struct frame *frame, uint16_t operation, const char *sender_mac, const char *sender,
               const char *target_mac, const char *target)
{
	frame_hex(frame, "0001 0800 06 04");
	frame_add_16(frame, operation);
	frame_add_mac(frame, sender_mac);
	frame_add_address(frame, AF_INET, sender);
	frame_add_mac(frame, target_mac);
	frame_add_address(frame, AF_INET, target);
}

void frame_hex(struct frame *frame, const char *digits)
{
	for (; *digits; digits++) {
		char pair[3] = {digits[0], digits[0] ? digits[1] : 0};
		uint8_t byte;

		if (isspace((unsigned char)digits[0]))
			continue;
		byte = (uint8_t)strtoul(pair, NULL, 16);
		frame_add(frame, &byte, 1);
		digits++;
	}
}

void frame_fill(struct frame *frame, uint8_t value, size_t bytes)
{
	while (bytes-- > 0)
		frame_add(frame, &value, 1);
}

static uint32_t sum_add(uint32_t sum, const uint8_t *data, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		sum += (uint32_t)data[i] << (i % 2 ? 0 : 8);
	return sum;
}

static uint16_t sum_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static void store_16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static uint16_t icmpv6_sum(const struct frame *frame)
{
	const uint8_t *ip = frame->data + 14;
	size_t bytes = frame->bytes - 54;
	uint32_t sum = (uint32_t)bytes + 58;

	return sum_fold(sum_add(sum_add(sum, ip + 8, 32), ip + 40, bytes));
}

void frame_finish(struct frame *frame)
{
	uint8_t *ip = frame->data + 14;

	if (frame->data[12] == 0x08 && frame->data[13] == 0x00) {
		store_16(ip + 2, (uint32_t)frame->bytes - 14);
		store_16(ip + 10, 0);
		store_16(ip + 10, (uint16_t)~sum_fold(sum_add(0, ip, (ip[0] & 15U) * 4)));
	}
	if (frame->data[12] == 0x86 && frame->data[13] == 0xdd) {
		store_16(ip + 4, (uint32_t)frame->bytes - 54);
		if (ip[6] == 58) {
			store_16(ip + 42, 0);
			store_16(ip + 42, (uint16_t)~icmpv6_sum(frame));
		}
	}
}

bool frame_has_good_icmpv6_checksum(const struct frame *frame)
{
	return icmpv6_sum(frame) == 0xffff;
}
