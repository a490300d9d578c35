#include "vrrp.h"

/* VRRP routers speak every second, or every 41 at most (RFC 9568: 12 bits of centiseconds). */
#define GONE_NS (60 * NS_PER_S)

/* Heard at two looks in a row. */
#define GOES_ON_NS (3 * NS_PER_S)

/* By the gate, which leaves them to whoever wants them, or by the engine where there is none. */
static uint64_t count_packets(const struct daemon *daemon, const struct interface *interface,
                              const struct node *node)
{
	struct gate_counters counters = {0};

	if (interface->gate_port >= 0)
		gate_read_counters(daemon->gate, interface->gate_port, node->vhost.vhid, &counters);
	return counters.vrrp + node->counters.dropped[DROP_VRRP];
}

static void tell(struct daemon *daemon, const struct group *group, const struct interface *interface,
                 const struct node *node, bool near)
{
	history_note(&daemon->history, daemon_wall_ns(daemon), group->settings->name, "conflict",
	             near ? "a VRRP router on %s uses id %d too: both have the same MAC; change one id"
	                  : "no VRRP router on %s uses id %d any more",
	             interface->name, node->vhost.vhid);
}

static void look_at(struct daemon *daemon, const struct group *group, const struct node *node)
{
	struct interface *interface = daemon_interface_of(daemon, group);
	struct vrrp *vrrp = &interface->vrrp[node->vhost.vhid];
	uint64_t packets = count_packets(daemon, interface, node);
	bool heard = packets != vrrp->packets;

	vrrp->packets = packets;
	if (heard)
		vrrp->heard = daemon->now;
	if (vrrp->near ? instant_span_ns(vrrp->heard, daemon->now) < GONE_NS : !heard)
		return;
	vrrp->near = heard;
	vrrp->since = daemon->now;
	tell(daemon, group, interface, node, heard);
}

void vrrp_look(struct daemon *daemon)
{
	struct engine *engine = daemon->engine;

	for (size_t g = 0; g < engine->settings->group_count; g++)
		for (size_t n = 0; n < engine->groups[g].node_count; n++)
			look_at(daemon, &engine->groups[g], &engine->groups[g].nodes[n]);
}

const struct vrrp *vrrp_find(const struct daemon *daemon, const struct group *group)
{
	const struct interface *interface = daemon_interface_of(daemon, group);

	for (size_t n = 0; n < group->node_count; n++)
		if (interface->vrrp[group->nodes[n].vhost.vhid].near)
			return &interface->vrrp[group->nodes[n].vhost.vhid];
	return NULL;
}

bool vrrp_goes_on(const struct vrrp *vrrp)
{
	return instant_span_ns(vrrp->since, vrrp->heard) >= GOES_ON_NS;
}
