#include "lab.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const parent_names[] = {"eth0"};

void lab_init(struct lab *lab)
{
	*lab = (struct lab){.counter = 1000, .sequence = LAB_SEQUENCE};
	lab->addresses[0].address = address_of("10.0.0.100");
	lab->node = (struct node_settings){.vhid = LAB_VHID, .advskew = 100};
	seal_key_derive(&lab->key, 0, (const uint8_t *)"secret", 6);
	lab->group = (struct group_settings){
	        .name = "web",
	        .advbase = 1,
	        .ttl_check = true,
	        .nodes = &lab->node,
	        .node_count = 1,
	        .addresses = lab->addresses,
	        .address_count = 1,
	        .passphrase = {"secret", 6},
	        .mark_key = lab->key,
	        .seal_keys = &lab->key,
	        .seal_key_count = 1,
	        .seal_window_ns = 60 * NS_PER_S,
	};
	lab->settings = (struct engine_settings){
	        .groups = &lab->group,
	        .group_count = 1,
	        .node_count = 1,
	        .parent_names = parent_names,
	        .parent_count = 1,
	        .handover_wait_ns = 2 * NS_PER_S,
	        .grace_ns = 60 * NS_PER_S,
	        .seed = 1,
	        .sequence_base = LAB_SEQUENCE,
	};
}

void lab_place(struct lab *lab)
{
	void *memory = calloc(1, engine_bytes(&lab->settings));

	assert_non_null(memory);
	lab->engine = engine_place(memory, &lab->settings);
	lab->engine->wall_offset_ns = (int64_t)LAB_SEQUENCE;
	/* So that nothing is sent again only because a switch may forget. */
	lab->engine->groups[0].virtual_mac = true;
}

void lab_close(struct lab *lab)
{
	free(lab->engine);
	lab->engine = NULL;
}

struct node *lab_node(struct lab *lab)
{
	return &lab->engine->nodes[0];
}

struct vhost *lab_vhost(struct lab *lab)
{
	return &lab->engine->nodes[0].vhost;
}

void lab_up(struct lab *lab)
{
	const struct parent parent = {.up = true,
	                              .mac = {{2, 0, 0, 0, 0, 1}},
	                              .source_ipv4 = address_of("10.0.0.1"),
	                              .source_ipv6 = address_of("fe80::1")};

	engine_parent_changed(lab->engine, 0, &parent, lab->now);
}

void lab_up_unnumbered(struct lab *lab)
{
	const struct parent parent = {.up = true, .mac = {{2, 0, 0, 0, 0, 1}}};

	engine_parent_changed(lab->engine, 0, &parent, lab->now);
}

void lab_down(struct lab *lab)
{
	engine_parent_changed(lab->engine, 0, &(struct parent){0}, lab->now);
}

size_t lab_write(struct lab *lab, const struct said *said, uint8_t ret_packet[PACKET_FRAME_MAX])
{
	const struct group_settings *like = said->like != NULL ? said->like : &lab->group;
	struct address source = address_of(said->source);
	struct address destination = source.family == FAMILY_IPV4 ? carp_group_ipv4 : carp_group_ipv6;
	struct advert advert = {.vhid = LAB_VHID,
	                        .advbase = said->advbase,
	                        .advskew = said->advskew,
	                        .demote = said->demote,
	                        .counter = said->counter != 0 ? said->counter : lab->counter++};
	uint8_t payload[SEALED_BYTES], frame[PACKET_FRAME_MAX];
	size_t bytes = ADVERT_BYTES;
	const struct mac mac = {{2, 0, 0, 0, 0, 2}};
	struct digest digest;

	if (said->destination != NULL)
		destination = address_of(said->destination);
	digest_prepare(&digest, &like->passphrase, LAB_VHID, like->addresses, like->address_count,
	               DIGEST_WITHOUT_LINK_LOCAL);
	digest_sign(&digest, advert.counter, advert.digest);
	advert_encode(&advert, payload);
	if (said->sealed) {
		uint64_t time = LAB_SEQUENCE + (uint64_t)lab->now.ns;
		lab->sequence = time > lab->sequence ? time : lab->sequence + 1;
		seal_write(like->seal_keys, &source, payload,
		           said->sequence != 0 ? said->sequence : lab->sequence, 0, said->sender,
		           payload + ADVERT_BYTES);
		bytes = SEALED_BYTES;
	}
	bytes = packet_build(&mac, &mac, &source, &destination, payload, bytes, frame) - ETHERNET_BYTES;
	memcpy(ret_packet, frame + ETHERNET_BYTES, bytes);
	if (said->ttl != 0 && source.family == FAMILY_IPV4) {
		ret_packet[8] = said->ttl;
		ret_packet[10] = ret_packet[11] = 0;
		uint16_t checksum = internet_checksum(ret_packet, 20);
		ret_packet[10] = (uint8_t)(checksum >> 8);
		ret_packet[11] = (uint8_t)checksum;
	}
	return bytes;
}

enum drop lab_receive(struct lab *lab, const uint8_t *packet, size_t bytes)
{
	/* On the heap and no longer than it is, so that ASan sees a read beyond its end. */
	uint8_t *copy = malloc(bytes > 0 ? bytes : 1);

	assert_non_null(copy);
	memcpy(copy, packet, bytes);
	bool multicast = bytes < 20 || copy[0] >> 4 == 6 || (copy[16] & 0xf0) == 0xe0;
	enum drop drop = engine_receive(lab->engine, 0, copy, bytes, multicast, lab->now);
	free(copy);
	return drop;
}

enum drop lab_hear(struct lab *lab, struct said said)
{
	uint8_t packet[PACKET_FRAME_MAX];
	size_t bytes = lab_write(lab, &said, packet);

	return lab_receive(lab, packet, bytes);
}

void lab_tick(struct lab *lab, int64_t at_ns)
{
	lab->now.ns = at_ns;
	engine_tick(lab->engine, lab->now);
}

void lab_tick_exactly_at(struct lab *lab, int64_t at_ns)
{
	assert_int_equal(lab->engine->action_count, 0);
	while (engine_deadline(lab->engine).ns < at_ns) {
		lab_tick(lab, engine_deadline(lab->engine).ns);
		lab_expect(lab, "");
	}
	lab_tick(lab, at_ns - 1);
	lab_expect(lab, "");
	assert_int_equal(engine_deadline(lab->engine).ns, at_ns);
	lab_tick(lab, at_ns);
}

static const char *cause_word(enum cause_kind kind)
{
	static const char *const words[] = {
	        [CAUSE_NONE] = "none",
	        [CAUSE_STARTED] = "started",
	        [CAUSE_LINK_DOWN] = "link-down",
	        [CAUSE_STOPPED] = "stopped",
	        [CAUSE_SILENCE] = "silence",
	        [CAUSE_GOODBYE] = "goodbye",
	        [CAUSE_PREEMPTED_SLOWER] = "preempted-slower",
	        [CAUSE_WILL_TIME_OUT] = "will-time-out",
	        [CAUSE_PEER_DEMOTED] = "peer-demoted",
	        [CAUSE_PEER_FASTER] = "peer-faster",
	        [CAUSE_PEER_LESS_DEMOTED] = "peer-less-demoted",
	        [CAUSE_PEER_EQUAL] = "peer-equal",
	        [CAUSE_HANDED_OVER] = "handed-over",
	        [CAUSE_LEASE_EXPIRED] = "lease-expired",
	        [CAUSE_TAKE_FAILED] = "take-failed",
	};

	return words[kind];
}

static const char *report_word(enum report_kind kind)
{
	static const char *const words[] = {
	        [REPORT_DEMOTED] = "demoted",
	        [REPORT_UNDEMOTED] = "undemoted",
	        [REPORT_CANNOT_SEND] = "cannot-send",
	        [REPORT_CAN_SEND] = "can-send",
	        [REPORT_RIVAL] = "rival",
	        [REPORT_RIVAL_GONE] = "rival-gone",
	        [REPORT_CONFLICT] = "conflict",
	        [REPORT_CONFLICT_OVER] = "conflict-over",
	        [REPORT_OTHER_FORM] = "other-form",
	        [REPORT_OTHER_FORM_OVER] = "other-form-over",
	        [REPORT_FAMILY_SILENT] = "family-silent",
	        [REPORT_FAMILY_RETURNED] = "family-returned",
	        [REPORT_REPEATED] = "repeated",
	        [REPORT_FORGED] = "forged",
	        [REPORT_UNSEALED] = "unsealed",
	        [REPORT_DOUBTFUL] = "doubtful",
	        [REPORT_DOUBT_OVER] = "doubt-over",
	        [REPORT_HANDOVER_KEPT] = "handover-kept",
	        [REPORT_UNRELIEVED] = "unrelieved",
	        [REPORT_ADDRESS_PUT_BACK] = "put-back",
	        [REPORT_FIGHT] = "fight",
	        [REPORT_FIGHT_OVER] = "fight-over",
	        [REPORT_CREDENTIALS_CHANGED] = "credentials-changed",
	};

	return words[kind];
}

static void write_report(const struct report *report, char *text, size_t bytes)
{
	const struct transition *t = &report->transition;

	if (report->kind == REPORT_TRANSITION)
		snprintf(text, bytes, "%s>%s %s", vhost_state_name(t->from), vhost_state_name(t->to),
		         cause_word(t->cause.kind));
	else if (report->kind == REPORT_DEMOTED)
		snprintf(text, bytes, "demoted %s %d", report->name, report->value);
	else if (report->kind == REPORT_UNDEMOTED)
		snprintf(text, bytes, "undemoted %s", report->name);
	else
		snprintf(text, bytes, "%s", report_word(report->kind));
}

static void write_action(const struct action *action, char *text, size_t bytes)
{
	static const char *const words[] = {
	        [ACTION_SHUT] = "shut",       [ACTION_DROP] = "drop",         [ACTION_TAKE] = "take",
	        [ACTION_SERVE] = "serve",     [ACTION_ANNOUNCE] = "announce", [ACTION_PROBE] = "probe",
	        [ACTION_GOODBYE] = "goodbye",
	};

	if (action->kind == ACTION_ADVERTISE)
		snprintf(text, bytes, "advert %d/%d/%d", action->node->advert.advbase,
		         action->node->advert.advskew, action->node->advert.demote);
	else if (action->kind == ACTION_TELL)
		write_report(&action->report, text, bytes);
	else
		snprintf(text, bytes, "%s", words[action->kind]);
}

static void say_taken(struct lab *lab)
{
	for (size_t i = 0; i < lab->settings.group_count && !lab->takes_long; i++)
		if (engine_is_taking(&lab->engine->groups[i]))
			engine_taken(lab->engine, &lab->engine->groups[i], lab->now);
}

void lab_settle(struct lab *lab)
{
	struct engine *engine = lab->engine;
	size_t used = 0;

	lab->text[0] = '\0';
	say_taken(lab);
	/* Results may ask for more. */
	for (size_t i = 0; i < engine->action_count; i++) {
		const struct action action = engine->actions[i];
		if (used > 0)
			used += (size_t)snprintf(lab->text + used, sizeof(lab->text) - used, ", ");
		write_action(&action, lab->text + used, sizeof(lab->text) - used);
		used += strlen(lab->text + used);
		if (action.kind == ACTION_ADVERTISE)
			engine_sent(engine, action.node, lab->now, &lab->send_error, 1);
	}
	engine_clear_actions(engine);
}

int64_t lab_become_master(struct lab *lab)
{
	lab_up(lab);
	lab_settle(lab);
	lab_tick(lab, engine_deadline(lab->engine).ns);
	lab_settle(lab);
	assert_int_equal(lab_vhost(lab)->state, VHOST_MASTER);
	return lab->now.ns;
}
