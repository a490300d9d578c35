#include "peers.h"

#include <stdlib.h>

#include "memory.h"
#include "settings.h"
#include "world.h"

static size_t count_of(const struct host *host)
{
	return host->world->scenario->group_count;
}

static size_t port_of(const struct host *host, size_t unit)
{
	return unit % host->world->scenario->segment_count;
}

void peers_open(struct host *host)
{
	host->peers = memory_new(count_of(host), sizeof(host->peers[0]));
	settings_write_peers(host);
}

void peers_close(struct host *host)
{
	free(host->peers);
}

void peers_start(struct host *host)
{
	instant now = host_now(host);

	for (size_t i = 0; i < count_of(host); i++) {
		peer_demote(&host->peers[i], 0, now);
		if (host->kernel.ports[port_of(host, i)].up)
			peer_start(&host->peers[i], now);
	}
}

void peers_stop(struct host *host)
{
	for (size_t i = 0; i < count_of(host); i++)
		peer_stop(&host->peers[i]);
}

static void end(struct peer *peer)
{
	peer_stop(peer);
	peer->bow_out = false;
}

void peers_end(struct host *host)
{
	for (size_t i = 0; i < count_of(host); i++)
		end(&host->peers[i]);
}

void peers_plug(struct host *host, size_t port, bool up)
{
	for (size_t i = port; i < count_of(host); i += host->world->scenario->segment_count) {
		if (up)
			peer_start(&host->peers[i], host_now(host));
		else
			end(&host->peers[i]);
	}
}

void peers_demote(struct host *host, int value)
{
	for (size_t i = 0; i < count_of(host); i++)
		peer_demote(&host->peers[i], value, host_now(host));
}

static void send_advert(struct host *host, size_t unit, bool bow_out)
{
	struct peer *peer = &host->peers[unit];
	const struct port *port = &host->kernel.ports[port_of(host, unit)];
	const struct address *destinations[] = {&carp_group_ipv4, &carp_group_ipv6};
	const struct mac nobody = {{0}};
	const struct address everybody = {0};

	host->adverts++;
	for (size_t i = 0; i < 2; i++) {
		const struct address *source = i == 0 ? &port->ipv4 : &port->ipv6;
		uint8_t payload[ADVERT_BYTES];
		uint8_t frame[PACKET_FRAME_MAX];
		struct advert advert;
		if (!(i == 0 ? peer->ipv4 : peer->ipv6) || host->kernel.jammed)
			continue;
		peer_write(peer, &host->world->random, bow_out, &advert);
		advert_encode(&advert, payload);
		size_t length = packet_build(&nobody, &nobody, source, destinations[i], payload,
		                             sizeof(payload), frame);
		host_send(host, unit, port_of(host, unit), frame, length, &everybody);
	}
}

static void flush(struct host *host, size_t unit)
{
	struct peer *peer = &host->peers[unit];

	for (; peer->adverts > 0; peer->adverts--)
		send_advert(host, unit, false);
	if (peer->bow_out)
		send_advert(host, unit, true);
	peer->bow_out = false;
}

void peers_flush(struct host *host)
{
	for (size_t i = 0; i < count_of(host); i++)
		flush(host, i);
}

static void note_state(struct host *host, size_t unit, enum vhost_state before)
{
	enum vhost_state after = host->peers[unit].state;

	if (before != after)
		trace_line(&host->world->trace, host->world->now_ns, "host %zu group %zu: %s -> %s (%s)",
		           host->index, unit, vhost_state_name(before), vhost_state_name(after),
		           host_kind_name(host->kind));
}

static void receive(struct host *host, const struct waiting *waiting)
{
	const struct flight *flight = &waiting->flight;
	struct peer *peer = &host->peers[flight->unit];
	enum vhost_state before = peer->state;
	struct packet packet;
	struct advert advert;

	if (packet_parse(flight->packet, flight->bytes, &packet) != DROP_NONE ||
	    advert_decode(packet.payload, packet.payload_bytes, &advert) != DROP_NONE)
		return;
	if (packet.source.family == FAMILY_IPV6 && !peer->ipv6)
		return;
	peer_receive(peer, &packet.source, &advert, waiting->arrived);
	note_state(host, flight->unit, before);
	flush(host, flight->unit);
	check_accepted(host->world, flight);
}

void peers_turn(struct host *host)
{
	for (size_t i = 0; i < host->waiting_count; i++)
		receive(host, &host->waiting[i]);
	for (size_t i = 0; i < count_of(host); i++) {
		enum vhost_state before = host->peers[i].state;
		peer_tick(&host->peers[i], host_now(host));
		note_state(host, i, before);
		flush(host, i);
	}
}

instant peers_deadline(const struct host *host)
{
	instant earliest = INSTANT_NEVER;

	for (size_t i = 0; i < count_of(host); i++)
		earliest = instant_earlier(earliest, peer_deadline(&host->peers[i]));
	return earliest;
}
