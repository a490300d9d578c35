/*
 * What is going to happen, ordered by time and, at one time, by the order in
 * which it was decided: ties must not be left to the heap.
 */
#ifndef CARPSIM_QUEUE_H
#define CARPSIM_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/packet.h"

/* An IP packet under way, with what only the simulator knows of it. */
struct flight {
	uint32_t from;
	uint32_t to;
	uint16_t port; /* of the receiver */
	uint16_t unit; /* the virtual host it is about */
	uint64_t number;
	int64_t recorded_ns; /* by the attacker, who plays it back; 0: the network brings it */
	bool altered;
	bool multicast;
	uint16_t bytes;
	uint8_t packet[PACKET_FRAME_MAX];
};

enum event_kind {
	EVENT_FLIGHT,
	EVENT_WAKE,
	EVENT_RESUME,
	EVENT_START,
	EVENT_DISTURBANCE,
	EVENT_AUDIT,
	EVENT_ATTACK,
};

struct event {
	enum event_kind kind;
	uint32_t subject; /* a host, or which disturbance */
	struct flight flight;
};

struct queue {
	struct queue_entry *heap;
	size_t count;
	size_t capacity;
	struct event *slots;
	uint32_t *free_slots;
	size_t free_count;
	uint64_t next_sequence;
};

void queue_close(struct queue *queue);
/* The event's place, to be filled in; valid until the next call. */
struct event *queue_add(struct queue *queue, int64_t at_ns, enum event_kind kind, uint32_t subject);
/* False if there is nothing left. */
bool queue_next_time(const struct queue *queue, int64_t *ret_at_ns);
void queue_take(struct queue *queue, struct event *ret_event);

#endif
