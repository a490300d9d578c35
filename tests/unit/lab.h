/*
 * One engine with one group, driven by hand: events in, and the actions that
 * come out carried out on paper and written down as a line to compare.
 */
#ifndef CARPD_TESTS_LAB_H
#define CARPD_TESTS_LAB_H

#include "unit.h"

#include "core/engine.h"

#define LAB_VHID      7
#define LAB_ADDRESSES 4
#define LAB_SEQUENCE  (UINT64_C(1700000000) * 1000000000)

struct lab {
	struct engine_settings settings;
	struct group_settings group;
	struct node_settings node;
	struct shared_address addresses[LAB_ADDRESSES];
	struct seal_key key;
	struct engine *engine;
	instant now;
	int send_error;   /* what each advert meets */
	bool takes_long;  /* addresses are not there at once: the test says engine_taken, or does not */
	uint64_t counter; /* of the next advert of a peer */
	uint64_t sequence;
	char text[4096];
};

/* advbase 1, advskew 100, 10.0.0.100, no seal: what a test wants otherwise it changes before lab_place. */
void lab_init(struct lab *lab);
void lab_place(struct lab *lab);
void lab_close(struct lab *lab);

struct vhost *lab_vhost(struct lab *lab);
struct node *lab_node(struct lab *lab);

/* The parent has 10.0.0.1, or none if numbered is false. */
void lab_up(struct lab *lab);
void lab_up_unnumbered(struct lab *lab);
void lab_down(struct lab *lab);

/* What a peer says.  The counter moves on by itself unless it is given. */
struct said {
	const char *source;
	uint8_t advbase, advskew, demote;
	uint64_t counter;
	bool sealed;
	uint64_t sequence; /* 0: the time, or the next one */
	uint32_t sender;
	uint8_t ttl;                       /* 0: 255 */
	const struct group_settings *like; /* whose passphrase and addresses; NULL: the lab's */
	const char *destination;           /* NULL: the group's multicast address */
};
/* The fourth is the demotion; fields by name may follow. */
#define SAID(from, base, skew, ...)                                                                          \
	{                                                                                                    \
		.source = (from), .advbase = (base), .advskew = (skew), .demote = __VA_ARGS__                \
	}

/* The IP packet; returns its length. */
size_t lab_write(struct lab *lab, const struct said *said, uint8_t ret_packet[PACKET_FRAME_MAX]);
enum drop lab_receive(struct lab *lab, const uint8_t *packet, size_t bytes);
enum drop lab_hear(struct lab *lab, struct said said);

/* Nothing may happen before the instant, then its tick comes. */
void lab_tick_exactly_at(struct lab *lab, int64_t at_ns);
void lab_tick(struct lab *lab, int64_t at_ns);

/* Carries everything out and compares what was done, such as "take, advert 1/100/0, serve". */
void lab_settle(struct lab *lab);
#define lab_expect(lab, line)                                                                                \
	do {                                                                                                 \
		lab_settle(lab);                                                                             \
		assert_string_equal((lab)->text, line);                                                      \
	} while (0)

/* Starts, and rises when nobody is heard; returns when that was. */
int64_t lab_become_master(struct lab *lab);

#endif
