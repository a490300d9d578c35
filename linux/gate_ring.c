/*
 * The reader of the ring.  libbpf's own maps the whole ring twice and keeps
 * buffers of its own; this one needs three mappings and no memory.
 */
#include "gate_private.h"

#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define WINDOW_BYTES   65536
#define RECORDS_HEADER 8 /* length and flags, then a word of the kernel's own */
#define RECORD_MAX     (RECORDS_HEADER + sizeof(struct gate_advert))

/*
 * A page with the reader's position, one with the writer's, then the data,
 * mapped twice in a row by the kernel so that a record never wraps.
 */
int gate_ring_open(struct gate *gate)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *consumed = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, gate->ring_fd, 0);
	void *produced = mmap(NULL, page, PROT_READ, MAP_SHARED, gate->ring_fd, (off_t)page);

	gate->ring_consumed = consumed == MAP_FAILED ? NULL : consumed;
	gate->ring_produced = produced == MAP_FAILED ? NULL : produced;
	gate->window_bytes = page > WINDOW_BYTES / 2 ? 2 * page : WINDOW_BYTES;
	return gate->ring_consumed && gate->ring_produced ? 0 : -errno;
}

void gate_ring_close(struct gate *gate)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (gate->ring_consumed)
		munmap(gate->ring_consumed, page);
	if (gate->ring_produced)
		munmap((void *)(uintptr_t)gate->ring_produced, page);
	if (gate->window)
		munmap((void *)(uintptr_t)gate->window, gate->window_bytes);
}

/* Sees to it that a whole record at position is inside the window.  0 or -errno. */
static int window_move(struct gate *gate, uint64_t position)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint64_t start = position & ~((uint64_t)page - 1);
	uint64_t offset = 2 * page + (start & (GATE_RING_BYTES - 1));
	void *window;

	if (gate->window && position >= gate->window_start &&
	    position + RECORD_MAX <= gate->window_start + gate->window_bytes)
		return 0;
	window = mmap((void *)(uintptr_t)gate->window, gate->window_bytes, PROT_READ,
	              gate->window ? MAP_SHARED | MAP_FIXED : MAP_SHARED, gate->ring_fd, (off_t)offset);
	if (window == MAP_FAILED)
		return -errno;
	gate->window = window;
	gate->window_start = start;
	return 0;
}

static void record_hand_over(const uint8_t *record, gate_received *received, void *context)
{
	struct gate_advert advert;

	memcpy(&advert, record, sizeof(advert));
	/* Root may write in the ring's map, and then it is no advert of ours. */
	if (advert.bytes > sizeof(advert.data))
		return;
	received(context, (int)advert.link_index, advert.data, advert.bytes, advert.multicast != 0,
	         (instant){(int64_t)advert.arrived_ns});
}

int gate_fd(const struct gate *gate)
{
	return gate->ring_fd;
}

int gate_receive(struct gate *gate, gate_received *received, void *context)
{
	/* What comes while we read is left for the next turn: a flood must not hold up the timers.
	 * poll(2) tells of it again, as the ring is not empty. */
	uint64_t end = __atomic_load_n(gate->ring_produced, __ATOMIC_ACQUIRE);
	uint64_t position = __atomic_load_n(gate->ring_consumed, __ATOMIC_RELAXED);
	int adverts = 0;

	while (position < end) {
		const uint8_t *record;
		uint32_t bytes;
		int error = window_move(gate, position);

		if (error < 0)
			return error;
		record = gate->window + (position - gate->window_start);
		bytes = __atomic_load_n((const uint32_t *)(const void *)record, __ATOMIC_ACQUIRE);
		if (bytes & BPF_RINGBUF_BUSY_BIT)
			break;
		if (!(bytes & BPF_RINGBUF_DISCARD_BIT)) {
			if (received)
				record_hand_over(record + RECORDS_HEADER, received, context);
			adverts++;
		}
		bytes &= ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
		position += RECORDS_HEADER + ((bytes + 7) & ~UINT32_C(7));
		__atomic_store_n(gate->ring_consumed, position, __ATOMIC_SEQ_CST);
	}
	return adverts;
}

/* A little longer than the hush: an advert that just fell into it must be in the ring when we look. */
#define HUSH_NS       (200 * NS_PER_US)
#define LOOK_AGAIN_NS (250 * NS_PER_US)

instant gate_hush(struct gate *gate, instant now)
{
	__atomic_store_n(&gate->shared->hushed_until_ns, (uint64_t)instant_after(now, HUSH_NS).ns,
	                 __ATOMIC_RELAXED);
	return instant_after(now, LOOK_AGAIN_NS);
}

void gate_drain(struct gate *gate)
{
	(void)gate_receive(gate, NULL, NULL);
}
