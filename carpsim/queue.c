#include "queue.h"

#include <stdlib.h>

#include "memory.h"

struct queue_entry {
	int64_t at_ns;
	uint64_t sequence;
	uint32_t slot;
};

static bool is_earlier(const struct queue_entry *a, const struct queue_entry *b)
{
	return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->sequence < b->sequence;
}

static void grow(struct queue *queue)
{
	size_t capacity = queue->capacity > 0 ? 2 * queue->capacity : 256;

	queue->heap = memory_resize(queue->heap, capacity, sizeof(queue->heap[0]));
	queue->slots = memory_resize(queue->slots, capacity, sizeof(queue->slots[0]));
	queue->free_slots = memory_resize(queue->free_slots, capacity, sizeof(queue->free_slots[0]));
	for (size_t i = capacity; i > queue->capacity; i--)
		queue->free_slots[queue->free_count++] = (uint32_t)(i - 1);
	queue->capacity = capacity;
}

void queue_close(struct queue *queue)
{
	free(queue->heap);
	free(queue->slots);
	free(queue->free_slots);
}

static void sift_up(struct queue *queue, size_t place, struct queue_entry entry)
{
	while (place > 0) {
		size_t parent = (place - 1) / 2;
		if (!is_earlier(&entry, &queue->heap[parent]))
			break;
		queue->heap[place] = queue->heap[parent];
		place = parent;
	}
	queue->heap[place] = entry;
}

static void sift_down(struct queue *queue, struct queue_entry entry)
{
	size_t place = 0;

	for (;;) {
		size_t child = 2 * place + 1;
		if (child >= queue->count)
			break;
		if (child + 1 < queue->count && is_earlier(&queue->heap[child + 1], &queue->heap[child]))
			child++;
		if (!is_earlier(&queue->heap[child], &entry))
			break;
		queue->heap[place] = queue->heap[child];
		place = child;
	}
	queue->heap[place] = entry;
}

struct event *queue_add(struct queue *queue, int64_t at_ns, enum event_kind kind, uint32_t subject)
{
	if (queue->free_count == 0)
		grow(queue);
	uint32_t slot = queue->free_slots[--queue->free_count];
	struct queue_entry entry = {.at_ns = at_ns, .sequence = queue->next_sequence++, .slot = slot};

	sift_up(queue, queue->count++, entry);
	queue->slots[slot].kind = kind;
	queue->slots[slot].subject = subject;
	return &queue->slots[slot];
}

bool queue_next_time(const struct queue *queue, int64_t *ret_at_ns)
{
	if (queue->count == 0)
		return false;
	*ret_at_ns = queue->heap[0].at_ns;
	return true;
}

void queue_take(struct queue *queue, struct event *ret_event)
{
	uint32_t slot = queue->heap[0].slot;

	*ret_event = queue->slots[slot];
	queue->free_slots[queue->free_count++] = slot;
	if (--queue->count > 0)
		sift_down(queue, queue->heap[queue->count]);
}
