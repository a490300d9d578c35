#include "attacker.h"

#include <stdlib.h>
#include <string.h>

#include "core/seal.h"
#include "memory.h"
#include "world.h"

#define RECORDED_MAX 2048

/* What is done to a recorded advert before it is played back. */
enum change {
	UNCHANGED,
	WITHOUT_SEAL,
	OTHER_SOURCE,
	OTHER_TERMS,
	OTHER_KEY, /* the trailer names a key that nobody has */
	OTHER_TYPE,
	CHANGES
};

static int64_t next_strike_ns(struct world *world)
{
	return world->now_ns + random_below(&world->random, scenario_patience_ns(world->scenario));
}

void attacker_open(struct world *world)
{
	if (!world->scenario->attacked)
		return;
	world->attacker.recorded = memory_new(RECORDED_MAX, sizeof(struct flight));
	queue_add(&world->queue, next_strike_ns(world), EVENT_ATTACK, 0);
}

void attacker_close(struct world *world)
{
	free(world->attacker.recorded);
}

static bool is_sealed(const struct world *world, const struct flight *flight)
{
	return world->scenario->seal != SEAL_OFF && world->hosts[flight->from].kind == HOST_CARPD;
}

/* Something of all times: when there is no room, any one makes it. */
void attacker_overhears(struct world *world, const struct flight *flight)
{
	struct attacker *attacker = &world->attacker;

	if (attacker->recorded == NULL || !is_sealed(world, flight))
		return;
	if (attacker->count < RECORDED_MAX)
		attacker->latest = attacker->count++;
	else
		attacker->latest = (size_t)random_below(&world->random, RECORDED_MAX);
	attacker->recorded[attacker->latest] = *flight;
	attacker->recorded[attacker->latest].recorded_ns = world->now_ns;
}

static void play(struct world *world, const struct flight *flight, size_t to, int64_t at_ns)
{
	struct event *event = queue_add(&world->queue, at_ns, EVENT_FLIGHT, (uint32_t)to);

	event->flight = *flight;
	event->flight.to = (uint32_t)to;
}

bool attacker_withholds(struct world *world, const struct flight *flight, size_t to)
{
	int64_t patience_ns = scenario_patience_ns(world->scenario);
	struct flight late = *flight;

	/* Where the network has a bound the attacker has it too: a real loss is no forgery. */
	if (world->attacker.recorded == NULL || !is_sealed(world, flight) ||
	    world->scenario->losses_in_a_row != LOSSES_UNBOUNDED || !random_chance(&world->random, 20000))
		return false;
	late.recorded_ns = world->now_ns;
	play(world, &late, to, world->now_ns + random_between(&world->random, 1, 10 * patience_ns));
	return true;
}

/* The IP packet anew, around a payload of the attacker's. */
static void wrap(struct flight *flight, const struct packet *packet, const struct address *source,
                 const uint8_t *payload, size_t bytes)
{
	uint8_t frame[PACKET_FRAME_MAX];
	const struct mac nobody = {{0}};
	size_t length = packet_build(&nobody, &nobody, source, &packet->destination, payload, bytes, frame);

	flight->bytes = (uint16_t)(length - ETHERNET_BYTES);
	memcpy(flight->packet, frame + ETHERNET_BYTES, flight->bytes);
	flight->altered = true;
}

static void alter(struct world *world, struct flight *flight, enum change change)
{
	size_t mask = (size_t)random_below(&world->random, (int64_t)world->scenario->host_count);
	uint8_t demote = (uint8_t)random_below(&world->random, 256);
	struct packet packet;
	struct advert advert;
	uint8_t payload[SEALED_BYTES];

	if (change == UNCHANGED || packet_parse(flight->packet, flight->bytes, &packet) != DROP_NONE ||
	    packet.payload_bytes != SEALED_BYTES ||
	    advert_decode(packet.payload, packet.payload_bytes, &advert) != DROP_NONE)
		return;
	const struct port *port = &world->hosts[mask].kernel.ports[flight->port];
	struct address source = packet.source;
	size_t bytes = SEALED_BYTES;
	memcpy(payload, packet.payload, SEALED_BYTES);
	switch (change) {
	case OTHER_SOURCE:
		source = source.family == FAMILY_IPV4 ? port->ipv4 : port->ipv6;
		if (address_equal(&source, &packet.source))
			source.bytes[3] ^= 0x40;
		break;
	case WITHOUT_SEAL:
		source = source.family == FAMILY_IPV4 ? port->ipv4 : port->ipv6;
		bytes = ADVERT_BYTES;
		break;
	case OTHER_TERMS:
		advert.advskew ^= 1;
		advert.demote = demote;
		advert_encode(&advert, payload);
		break;
	case OTHER_KEY:
		payload[ADVERT_BYTES + 3] ^= 0x80;
		payload[ADVERT_BYTES + 33] ^= 0x80;
		break;
	case OTHER_TYPE:
		payload[ADVERT_BYTES + 2] = 2;
		break;
	case UNCHANGED:
	case CHANGES:
		return;
	}
	wrap(flight, &packet, &source, payload, bytes);
}

static void play_one(struct world *world)
{
	struct attacker *attacker = &world->attacker;
	size_t place = (size_t)random_below(&world->random, (int64_t)attacker->count);
	size_t to = (size_t)random_below(&world->random, (int64_t)world->scenario->host_count);
	enum change change = (enum change)random_below(&world->random, CHANGES);

	if (random_chance(&world->random, 300000))
		place = attacker->latest;
	struct flight flight = attacker->recorded[place];
	if (random_chance(&world->random, 500000))
		change = UNCHANGED;
	alter(world, &flight, change);
	play(world, &flight, to, world->now_ns + 1);
}

void attacker_strikes(struct world *world)
{
	int64_t times = random_between(&world->random, 1, 8);

	for (int64_t i = 0; i < times && world->attacker.count > 0; i++)
		play_one(world);
	queue_add(&world->queue, next_strike_ns(world), EVENT_ATTACK, 0);
}
