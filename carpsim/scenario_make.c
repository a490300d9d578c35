/*
 * Scenarios from a seed.
 */
#include <string.h>

#include "daemon.h"
#include "random.h"
#include "scenario.h"

/* How hard the network is on the protocol. */
enum weather {
	CALM,    /* loses nothing */
	BOUNDED, /* never two adverts in a row */
	ROUGH,   /* anything */
	WEATHERS
};

static void make_hosts(struct scenario *scenario, struct random *random)
{
	static const uint8_t skews[] = {0, 0, 1, 50, 100, 100, 150, 200, 254};
	/* Fast mode is carpd's: OpenBSD's backups there do not wait for a slower master. */
	bool mixed = scenario->advbase > 0 && scenario->seal != SEAL_REQUIRE && !scenario->unicast &&
	             random_chance(random, 400000);

	scenario->host_count = (size_t)random_between(random, 2, mixed ? 4 : 5);
	for (size_t i = 0; i < scenario->host_count; i++) {
		struct host_plan *host = &scenario->hosts[i];
		host->advskew = skews[random_below(random, sizeof(skews))];
		/* In fast mode they are of one order of magnitude, else every way is longer than an interval.
		 */
		if (scenario->advbase == 0)
			host->advskew = (uint8_t)(20 + host->advskew / 4);
		host->rate = random_between(random, -CLOCK_RATE_MAX, CLOCK_RATE_MAX);
		if (mixed && i > 0 && random_chance(random, 600000))
			host->kind = (enum host_kind)random_between(random, HOST_OPENBSD, HOST_UCARP);
		/* ucarp knows one IPv4 address. */
		if (host->kind == HOST_UCARP) {
			scenario->ipv4 = true;
			scenario->ipv6 = false;
		}
	}
}

static void make_group(struct scenario *scenario, struct random *random)
{
	static const uint8_t bases[] = {0, 1, 1, 2, 5, 10, 10, 20, 20, 30};

	scenario->advbase = bases[random_below(random, sizeof(bases))];
	scenario->ipv4 = random_chance(random, 850000);
	scenario->ipv6 = !scenario->ipv4 || random_chance(random, 400000);
	scenario->unicast = scenario->ipv4 && !scenario->ipv6 && random_chance(random, 200000);
	scenario->preempt = random_chance(random, 500000);
	if (random_chance(random, 300000))
		scenario->preempt_delay_ns = random_between(random, 1, 60) * NS_PER_S;
	scenario->handover_wait_ns = random_between(random, 1, 20) * 100 * NS_PER_MS;
	scenario->seal = (enum seal_policy)random_below(random, 3);
	scenario->group_count = random_chance(random, 200000) ? (size_t)random_between(random, 2, 3) : 1;
	scenario->segment_count = 1;
	if (scenario->group_count > 1 && !scenario->unicast && random_chance(random, 500000))
		scenario->segment_count = 2;
}

static void make_network(struct scenario *scenario, struct random *random, enum weather weather)
{
	int64_t interval_ns = advert_interval_ns(scenario->advbase, scenario->advbase > 0 ? 0 : 20);

	/* A way takes at most a tenth of the interval, in a rough network twice an interval. */
	int64_t longest_ns =
	        weather == ROUGH && random_chance(random, 200000) ? 2 * interval_ns : interval_ns / 10;
	scenario->delay_ns = random_between(random, 10 * NS_PER_US, longest_ns / 2);
	scenario->jitter_ns = random_between(random, 0, longest_ns / 2);
	if (random_chance(random, 300000))
		scenario->duplicate_per_million = random_between(random, 0, 100000);
	scenario->losses_in_a_row = weather == CALM ? 0 : weather == BOUNDED ? 1 : LOSSES_UNBOUNDED;
	if (weather != CALM)
		scenario->loss_per_million = random_between(random, 0, 300000);
}

static void add(struct scenario *scenario, int64_t at_ns, enum disturbance_kind kind, int64_t subject,
                int64_t argument)
{
	if (scenario->disturbance_count == DISTURBANCES_MAX)
		return;
	scenario->disturbances[scenario->disturbance_count++] =
	        (struct disturbance){.at_ns = at_ns, .kind = kind, .subject = subject, .argument = argument};
}

/* Short ones are as telling as long ones: a part of the patience, or some of it. */
static int64_t make_span(const struct scenario *scenario, struct random *random)
{
	int64_t patience_ns = scenario_patience_ns(scenario);

	return random_chance(random, 500000) ? random_between(random, 1, patience_ns)
	                                     : random_between(random, patience_ns, 4 * patience_ns);
}

/* In a bounded network only such as do not lose adverts, or say so to all (DISTURB_DEMOTE). */
static enum disturbance_kind choose_kind(struct random *random, enum weather weather)
{
	static const enum disturbance_kind everywhere[] = {
	        DISTURB_PAUSE, DISTURB_PAUSE,  DISTURB_STALL,     DISTURB_FREEZE, DISTURB_CRASH,
	        DISTURB_KILL,  DISTURB_STOP,   DISTURB_HAND_OVER, DISTURB_REFUSE, DISTURB_SNATCH,
	        DISTURB_WALL,  DISTURB_UNPLUG, DISTURB_DEMOTE,    DISTURB_RELOAD, DISTURB_MAINTAIN,
	};
	static const enum disturbance_kind rough[] = {DISTURB_CUT, DISTURB_SPLIT, DISTURB_LOSE, DISTURB_JAM};

	if (weather == ROUGH && random_chance(random, 400000))
		return rough[random_below(random, sizeof(rough) / sizeof(rough[0]))];
	return everywhere[random_below(random, sizeof(everywhere) / sizeof(everywhere[0]))];
}

/* Returns when it is over. */
static int64_t make_disturbance(struct scenario *scenario, struct random *random, enum weather weather,
                                int64_t at_ns)
{
	enum disturbance_kind kind = choose_kind(random, weather);
	int64_t host = random_below(random, (int64_t)scenario->host_count);
	int64_t other = random_below(random, (int64_t)scenario->host_count);
	int64_t segment = random_below(random, (int64_t)scenario->segment_count);
	int64_t span_ns = make_span(scenario, random);
	int64_t end_ns = at_ns + span_ns;

	switch (kind) {
	case DISTURB_PAUSE:
	case DISTURB_STALL:
		add(scenario, at_ns, kind, host, span_ns);
		break;
	case DISTURB_FREEZE:
		/* Longer than the seal's window, and whoever starts later takes it for a replay. */
		add(scenario, at_ns, kind, host, span_ns < NS_PER_S ? span_ns : NS_PER_S);
		break;
	case DISTURB_CRASH:
	case DISTURB_KILL:
		add(scenario, at_ns, kind, host, 0);
		add(scenario, end_ns, DISTURB_START, host, 0);
		break;
	case DISTURB_STOP:
		end_ns += scenario->handover_wait_ns + NS_PER_S;
		add(scenario, at_ns, kind, host, 0);
		add(scenario, end_ns, DISTURB_START, host, 0);
		break;
	case DISTURB_HAND_OVER:
	case DISTURB_SNATCH:
		add(scenario, at_ns, kind, host, 0);
		break;
	case DISTURB_REFUSE:
		add(scenario, at_ns, kind, host, 1);
		break;
	case DISTURB_WALL:
		add(scenario, at_ns, kind, host, (other - host) * NS_PER_S);
		add(scenario, end_ns, kind, host, (host - other) * NS_PER_S);
		break;
	case DISTURB_DEMOTE:
		add(scenario, at_ns, kind, host, 1 + 50 * other);
		add(scenario, end_ns, DISTURB_UNDEMOTE, host, 0);
		break;
	case DISTURB_MAINTAIN:
		add(scenario, at_ns, kind, host, 0);
		add(scenario, end_ns, DISTURB_UNDEMOTE, host, 0);
		break;
	case DISTURB_UNPLUG:
		add(scenario, at_ns, kind, host, segment);
		/* What is kept of a link across a reload matters while that link is down. */
		if (scenario->segment_count > 1 && random_chance(random, 500000))
			add(scenario, at_ns + span_ns / 2, DISTURB_RELOAD, host,
			    random_between(random, 0, CONFIGURED_ANYHOW));
		add(scenario, end_ns, DISTURB_PLUG, host, segment);
		break;
	case DISTURB_RELOAD:
		add(scenario, at_ns, kind, host, random_between(random, 0, CONFIGURED_ANYHOW));
		break;
	case DISTURB_JAM:
		add(scenario, at_ns, kind, host, 0);
		add(scenario, end_ns, DISTURB_UNJAM, host, 0);
		break;
	case DISTURB_CUT:
		add(scenario, at_ns, kind, host, other);
		add(scenario, end_ns, DISTURB_JOIN, host, other);
		break;
	case DISTURB_SPLIT:
		add(scenario, at_ns, kind, random_between(random, 1, (1 << scenario->host_count) - 2), 0);
		add(scenario, end_ns, DISTURB_HEAL, 0, 0);
		break;
	case DISTURB_LOSE:
		add(scenario, at_ns, kind, random_between(random, 0, 1000000), 0);
		add(scenario, end_ns, kind, scenario->loss_per_million, 0);
		break;
	case DISTURB_START:
	case DISTURB_UNDEMOTE:
	case DISTURB_PLUG:
	case DISTURB_UNJAM:
	case DISTURB_JOIN:
	case DISTURB_HEAL:
	case DISTURBANCE_KINDS:
		break;
	}
	return end_ns;
}

/* Within what a successor waits for its addresses, and a little longer. */
#define TOGETHER_NS (60 * NS_PER_MS)

static void make_plan(struct scenario *scenario, struct random *random)
{
	static const enum disturbance_kind kinds[] = {DISTURB_HAND_OVER, DISTURB_HAND_OVER, DISTURB_DEMOTE,
	                                              DISTURB_MAINTAIN, DISTURB_UNDEMOTE};
	int64_t patience_ns = scenario_patience_ns(scenario);
	int64_t at_ns = 2 * patience_ns;

	for (; at_ns < scenario->duration_ns - 8 * patience_ns; at_ns += 4 * patience_ns) {
		int64_t count = random_between(random, 1, 4);
		at_ns += random_between(random, 0, patience_ns);
		for (int64_t i = 0; i < count; i++) {
			int64_t kind = random_below(random, sizeof(kinds) / sizeof(kinds[0]));
			int64_t host = random_below(random, (int64_t)scenario->host_count);
			int64_t offset_ns = random_between(random, 0, TOGETHER_NS);
			add(scenario, at_ns + offset_ns, kinds[kind], host, 1 + 50 * i);
		}
	}
	for (int64_t i = 0; i < 2; i++) {
		int64_t host = random_below(random, (int64_t)scenario->host_count);
		int64_t offset_ns = random_between(random, 0, TOGETHER_NS);
		add(scenario, at_ns + offset_ns, i == 0 ? DISTURB_STOP : DISTURB_HAND_OVER, host, 0);
	}
}

/* It loses nothing, and nothing fails: hosts are told what to do, several of them at one moment. */
static void make_planned(struct scenario *scenario, struct random *random)
{
	int64_t patience_ns = scenario_patience_ns(scenario);

	for (size_t i = 0; i < scenario->host_count; i++)
		scenario->hosts[i].kind = HOST_CARPD;
	if (scenario->seal == SEAL_OFF)
		scenario->seal = SEAL_OFFER;
	scenario->delay_ns = random_between(random, 10 * NS_PER_US, NS_PER_MS);
	scenario->jitter_ns = random_between(random, 0, NS_PER_MS);
	scenario->loss_per_million = 0;
	scenario->losses_in_a_row = 0;
	scenario->handover_wait_ns += 200 * NS_PER_MS;
	scenario->routing_ns = random_between(random, 1, 80) * NS_PER_MS;
	scenario->duration_ns = patience_ns * random_between(random, 30, 100);
	make_plan(scenario, random);
}

/* One after the other, sometimes overlapping, with time to settle now and then. */
static void make_disturbances(struct scenario *scenario, struct random *random, enum weather weather)
{
	int64_t patience_ns = scenario_patience_ns(scenario);
	int64_t at_ns = 2 * patience_ns;

	while (at_ns < scenario->duration_ns && scenario->disturbance_count + 2 <= DISTURBANCES_MAX) {
		int64_t end_ns = make_disturbance(scenario, random, weather, at_ns);
		int64_t rest_ns = random_between(random, 0, 8 * patience_ns);
		if (random_chance(random, 50000))
			rest_ns += 20 * patience_ns + 60 * NS_PER_S;
		at_ns = random_chance(random, 300000) ? at_ns + rest_ns / 4 + 1 : end_ns + rest_ns;
	}
}

void scenario_make(struct scenario *scenario, uint64_t seed, int64_t duration_limit_ns)
{
	struct random random = {.state = seed};
	int64_t duration_ns;

	memset(scenario, 0, sizeof(*scenario));
	scenario->seed = seed;
	enum weather weather = (enum weather)random_below(&random, WEATHERS);
	make_group(scenario, &random);
	make_hosts(scenario, &random);
	make_network(scenario, &random, weather);
	/* What ends a bound: an interval that grows threefold, as when a host is demoted, or skews that do.
	 */
	if (weather == BOUNDED)
		for (size_t i = 0; i < scenario->host_count; i++)
			scenario->hosts[i].advskew /= 4;
	struct random beginnings = {.state = seed ^ ~seed << 32};
	if (random_chance(&beginnings, 250000)) {
		make_planned(scenario, &beginnings);
		return;
	}
	if (random_chance(&beginnings, 500000))
		scenario->routing_ns = random_between(&beginnings, 1, 100) * NS_PER_MS;
	if (random_chance(&beginnings, 200000))
		scenario->unrouted_per_million = random_between(&beginnings, 0, 1000000);
	duration_ns = scenario_patience_ns(scenario) * random_between(&random, 50, 1000);
	scenario->duration_ns = duration_ns < duration_limit_ns ? duration_ns : duration_limit_ns;
	make_disturbances(scenario, &random, weather);
	/* Of its own, so that it does not depend on the duration. */
	struct random attackers = {.state = ~seed};
	scenario->attacked = scenario->seal != SEAL_OFF && random_chance(&attackers, 300000);
}
