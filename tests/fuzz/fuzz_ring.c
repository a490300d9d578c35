/*
 * Records of the gate's ring, as the kernel lays them out: the input is what lies
 * in the ring, from a place near the end of its pages on.  A file stands in for
 * the map; the kernel's has its data twice in a row as well.
 */
#include "linux/gate_ring.c"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#define require(condition)                                                                                   \
	do {                                                                                                 \
		if (!(condition)) {                                                                          \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);              \
			abort();                                                                             \
		}                                                                                            \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct gate gate;
static uint64_t *produced; /* writable */
static uint8_t *ring;      /* its data, twice */
static size_t heard;

static void prepare(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), bytes = 2 * page + 2 * GATE_RING_BYTES;

	gate.ring_fd = memfd_create("ring", MFD_CLOEXEC);
	require(gate.ring_fd >= 0 && ftruncate(gate.ring_fd, (off_t)bytes) == 0);
	uint8_t *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, gate.ring_fd, 0);
	require(map != MAP_FAILED && gate_ring_open(&gate) == 0);
	produced = (uint64_t *)(void *)(map + page);
	ring = map + 2 * page;
}

/* Both copies, as one page of the kernel's is both. */
static void put(uint64_t position, const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		size_t offset = (position + i) & (GATE_RING_BYTES - 1);
		ring[offset] = ring[offset + GATE_RING_BYTES] = data[i];
	}
}

static void hear(void *context, int link_index, const uint8_t *network, size_t bytes, bool multicast,
                 instant arrived)
{
	(void)link_index;
	(void)multicast;
	(void)arrived;
	require(context == &gate && bytes <= GATE_CAPTURE_MAX);
	/* What lies at the reader's position, whichever part of the ring is mapped. */
	const uint8_t *record = ring + (*gate.ring_consumed & (GATE_RING_BYTES - 1)) + RECORDS_HEADER;
	require(memcmp(network, record + offsetof(struct gate_advert, data), bytes) == 0);
	heard++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t nothing[RECORDS_HEADER + sizeof(struct gate_advert)];
	uint64_t start;

	if (ring == NULL)
		prepare();
	if (size == 0)
		return 0;
	/* The first byte: how far before the end of the ring, and of what is mapped of it, the records begin.
	 */
	start = 3 * (uint64_t)GATE_RING_BYTES - 8 * (uint64_t)data[0];
	require(window_move(&gate, 3 * (uint64_t)GATE_RING_BYTES - gate.window_bytes) == 0);
	data++;
	size--;
	put(start, data, size);
	put(start + size, nothing, sizeof(nothing));
	*gate.ring_consumed = start;
	*produced = start + (size & ~(size_t)7);
	heard = 0;
	int adverts = gate_receive(&gate, hear, &gate);
	uint64_t end = *gate.ring_consumed;
	require(adverts >= 0 && heard <= (size_t)adverts && end >= start && end % 8 == 0);
	/* It reads on where it stopped, and nothing twice. */
	heard = 0;
	require(gate_receive(&gate, hear, &gate) == 0 && heard == 0 && *gate.ring_consumed == end);
	return 0;
}
