/*
 * Two hosts in virtual time, with nothing but core/: one dies, the other takes over.
 * Events go in with the time, actions come out; this file is all that lies between.
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/engine.h"

static const char *const interfaces[] = {"eth0"};
static const struct shared_address shared = {{FAMILY_IPV4, {10, 0, 0, 100}}, .prefix_length = 24};

/* The same group on both, but for advskew and the host's own address. */
static struct engine *boot(struct engine_settings *settings, struct group_settings *group,
                           struct node_settings *node, uint8_t number)
{
	*node = (struct node_settings){.vhid = 1, .advskew = (uint8_t)(100 * (number - 1))};
	*group = (struct group_settings){.name = "web",
	                                 .advbase = 1,
	                                 .ttl_check = true,
	                                 .nodes = node,
	                                 .node_count = 1,
	                                 .addresses = &shared,
	                                 .address_count = 1,
	                                 .passphrase = {"secret", 6}};
	*settings = (struct engine_settings){.groups = group,
	                                     .group_count = 1,
	                                     .node_count = 1,
	                                     .parent_names = interfaces,
	                                     .parent_count = 1,
	                                     .seed = number};
	struct engine *engine = engine_place(calloc(1, engine_bytes(settings)), settings);
	const struct parent link = {.up = true, .source_ipv4 = {FAMILY_IPV4, {10, 0, 0, number}}};
	engine_parent_changed(engine, 0, &link, (instant){0});
	return engine;
}

/* A host's actions until none is left: its addresses are there at once, and its adverts reach the other. */
static void perform(struct engine *engine, struct engine *other, int number, instant now)
{
	for (size_t i = 0; i < engine->action_count; i++) {
		const struct action action = engine->actions[i];
		struct advert_out out;
		const int sent = 0;

		if (action.kind == ACTION_TAKE)
			engine_taken(engine, action.group, now);
		if (action.kind == ACTION_ADVERTISE &&
		    engine_advert_frame(engine, action.node, 0, now, &out)) {
			engine_sent(engine, action.node, now, &sent, 1);
			if (other != NULL)
				engine_receive(other, 0, out.bytes + ETHERNET_BYTES,
				               out.length - ETHERNET_BYTES, true, now);
		}
		if (action.kind == ACTION_TELL && action.report.kind == REPORT_TRANSITION)
			printf("%7.3f s  host %d is %s\n", (double)now.ns / NS_PER_S, number,
			       vhost_state_name(action.report.transition.to));
	}
	engine_clear_actions(engine);
}

int main(void)
{
	struct engine_settings settings[2];
	struct group_settings groups[2];
	struct node_settings nodes[2];
	struct engine *first = boot(&settings[0], &groups[0], &nodes[0], 1);
	struct engine *second = boot(&settings[1], &groups[1], &nodes[1], 2);
	const instant death = {10 * NS_PER_S}, end = {20 * NS_PER_S};

	for (instant now = {0}; instant_before(now, end);) {
		if (instant_before(now, death)) {
			engine_tick(first, now);
			perform(first, second, 1, now);
		}
		engine_tick(second, now);
		perform(second, instant_before(now, death) ? first : NULL, 2, now);
		now = engine_deadline(second);
		if (instant_before(engine_deadline(first), now) &&
		    instant_before(engine_deadline(first), death))
			now = engine_deadline(first);
	}
	bool taken_over = second->nodes[0].vhost.state == VHOST_MASTER;
	free(first);
	free(second);
	return taken_over ? EXIT_SUCCESS : EXIT_FAILURE;
}
