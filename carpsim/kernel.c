#include "kernel.h"

#include <errno.h>
#include <stdlib.h>

#include "memory.h"
#include "random.h"

/* In which order the hosts' own addresses stand is chance, and another in each family. */
static void open_ports(struct kernel *kernel, const struct scenario *scenario, size_t local)
{
	for (size_t i = 0; i < scenario->segment_count; i++) {
		struct random order = {.state = scenario->seed + i};
		uint8_t turn_ipv4 = (uint8_t)random_below(&order, HOSTS_MAX);
		uint8_t turn_ipv6 = (uint8_t)random_below(&order, HOSTS_MAX);
		kernel->ports[i] = (struct port){
		        .up = true,
		        .mac = {{2, 0, 0, (uint8_t)i, 0, (uint8_t)local}},
		        .ipv4 = {.family = FAMILY_IPV4,
		                 .bytes = {192, 168, (uint8_t)i,
		                           (uint8_t)(10 + (local + turn_ipv4) % HOSTS_MAX)}},
		        .ipv6 = {.family = FAMILY_IPV6,
		                 .bytes = {0xfe,
		                           0x80, [15] = (uint8_t)(10 + (local + turn_ipv6) % HOSTS_MAX)}},
		};
	}
}

void kernel_open(struct kernel *kernel, const struct scenario *scenario, size_t local)
{
	open_ports(kernel, scenario, local);
	kernel->group_count = scenario->group_count;
	kernel->gates = memory_new(scenario->group_count, sizeof(kernel->gates[0]));
	kernel->taken = memory_new(scenario->group_count, sizeof(kernel->taken[0]));
	kernel->routed_ns = memory_new(scenario->group_count, sizeof(kernel->routed_ns[0]));
}

void kernel_close(struct kernel *kernel)
{
	free(kernel->gates);
	free(kernel->taken);
	free(kernel->routed_ns);
}

void kernel_clear(struct kernel *kernel)
{
	for (size_t i = 0; i < kernel->group_count; i++) {
		kernel_shut_gate(kernel, i);
		kernel_drop(kernel, i);
	}
}

int kernel_take(struct kernel *kernel, size_t group, int64_t now_ns)
{
	if (kernel->refusals > 0) {
		kernel->refusals--;
		kernel->refused_ns = now_ns;
		kernel->refused_group = group;
		return -EPERM;
	}
	kernel->taken[group] = true;
	return 0;
}

void kernel_drop(struct kernel *kernel, size_t group)
{
	kernel->taken[group] = false;
}

void kernel_open_gate(struct kernel *kernel, size_t unit, instant end)
{
	kernel->gates[unit].open = true;
	kernel->gates[unit].end = end;
}

void kernel_shut_gate(struct kernel *kernel, size_t unit)
{
	kernel->gates[unit].open = false;
}

bool kernel_routes(const struct kernel *kernel, size_t group, int64_t now_ns)
{
	return kernel->taken[group] && kernel->routed_ns[group] <= now_ns;
}

bool kernel_can_send(const struct kernel *kernel, size_t port)
{
	return !kernel->jammed && kernel->ports[port].up;
}

bool kernel_serves(const struct kernel *kernel, size_t unit, instant now)
{
	const struct gate *gate = &kernel->gates[unit];

	return kernel->taken[unit] && gate->open && instant_before(now, gate->end);
}

struct parent kernel_parent(const struct kernel *kernel, size_t port)
{
	const struct port *at = &kernel->ports[port];

	return (struct parent){
	        .up = at->up, .mac = at->mac, .source_ipv4 = at->ipv4, .source_ipv6 = at->ipv6};
}
