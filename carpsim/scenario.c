#include "scenario.h"

const char *host_kind_name(enum host_kind kind)
{
	static const char *const names[HOST_KINDS] = {"carpd", "openbsd", "freebsd", "ucarp"};

	return names[kind];
}

void scenario_clear(struct scenario *scenario)
{
	*scenario = (struct scenario){
	        .duration_ns = 60 * NS_PER_S,
	        .group_count = 1,
	        .segment_count = 1,
	        .advbase = 1,
	        .ipv4 = true,
	        .handover_wait_ns = NS_PER_S,
	        .seal = SEAL_OFFER,
	        .delay_ns = NS_PER_MS,
	        .losses_in_a_row = LOSSES_UNBOUNDED,
	};
}

uint8_t scenario_advskew(const struct scenario *scenario, size_t host, size_t group)
{
	return scenario->hosts[(host + group) % scenario->host_count].advskew;
}

static uint8_t largest_advskew(const struct scenario *scenario)
{
	uint8_t largest = 0;

	for (size_t i = 0; i < scenario->host_count; i++)
		if (scenario->hosts[i].advskew > largest)
			largest = scenario->hosts[i].advskew;
	return largest;
}

int64_t scenario_interval_ns(const struct scenario *scenario)
{
	return advert_interval_ns(scenario->advbase, largest_advskew(scenario));
}

int64_t scenario_patience_ns(const struct scenario *scenario)
{
	int64_t interval_ns = scenario_interval_ns(scenario);
	bool openbsd = false;

	for (size_t i = 0; i < scenario->host_count; i++)
		openbsd |= scenario->hosts[i].kind == HOST_OPENBSD;
	/* OpenBSD triples the whole interval, the others advbase only (doc/carp.md 4.1). */
	if (scenario->advbase == 0 || openbsd)
		return 3 * interval_ns;
	return 2 * scenario->advbase * NS_PER_S + interval_ns;
}

int64_t scenario_least_patience_ns(const struct scenario *scenario)
{
	/* In fast mode a backup waits for three intervals of the slower side. */
	return scenario->advbase > 0 ? 3 * scenario->advbase * NS_PER_S : 3 * scenario_interval_ns(scenario);
}

int64_t scenario_way_ns(const struct scenario *scenario)
{
	return scenario->delay_ns + scenario->jitter_ns;
}

bool scenario_is_carpd_only(const struct scenario *scenario)
{
	for (size_t i = 0; i < scenario->host_count; i++)
		if (scenario->hosts[i].kind != HOST_CARPD)
			return false;
	return true;
}
