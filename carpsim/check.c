#include "check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "world.h"

/* For what happens at one moment but is not one event, and for the drift of clocks. */
#define SLACK_NS (2 * NS_PER_MS)

/* What others can know of a master, and since when it is so. */
struct standing {
	uint64_t reign;
	int64_t interval_ns;
	int demote;
	bool handing_over;
};

struct view {
	enum vhost_state state;
	int64_t state_since_ns;
	struct standing standing;
	int64_t standing_since_ns;
	struct standing sent;   /* as last advertised */
	uint64_t sent_first;    /* the number of the first advert that said so */
	uint64_t serving_reign; /* the last reign in which it was seen serving */
	int64_t serving_since_ns;
	int64_t heard_ns; /* when it last took notice of an advert */
	/* The latest advert of each host, by family, that it heard and stayed, or became, a backup. */
	uint64_t heard_as_backup[HOSTS_MAX][2];
	/* The same as a master on its present terms. */
	uint64_t heard_as_master[HOSTS_MAX][2];
};

struct check {
	const struct world *world;
	struct view (*views)[HOSTS_MAX];      /* of each unit and host */
	uint64_t highest_sequence[HOSTS_MAX]; /* ever sent, over all restarts */
	int64_t trouble_ns[HOSTS_MAX];
	int64_t lost_ns[HOSTS_MAX][HOSTS_MAX];
	int64_t cabling_ns;
	int64_t any_trouble_ns;
	bool ranks_equals; /* not by chance, as hosts do that know nothing of each other but adverts */
	char failure[300];
};

struct check *check_open(const struct world *world)
{
	struct check *check = memory_new(1, sizeof(*check));

	check->world = world;
	check->views = memory_new(world->scenario->group_count, sizeof(check->views[0]));
	check->ranks_equals = scenario_is_carpd_only(world->scenario) && world->scenario->seal != SEAL_OFF;
	return check;
}

void check_close(struct check *check)
{
	free(check->views);
	free(check);
}

const char *check_failure(const struct check *check)
{
	return check != NULL && check->failure[0] != '\0' ? check->failure : NULL;
}

/* The first failure counts; what follows from it is no news. */
__attribute__((format(printf, 2, 3))) static void fail(struct check *check, const char *format, ...)
{
	int64_t now_ns = check->world->now_ns;
	va_list arguments;
	int length;

	if (check->failure[0] != '\0')
		return;
	length = snprintf(check->failure, sizeof(check->failure), "%" PRId64 ".%09" PRId64 ": ",
	                  now_ns / NS_PER_S, now_ns % NS_PER_S);
	va_start(arguments, format);
	vsnprintf(check->failure + length, sizeof(check->failure) - (size_t)length, format, arguments);
	va_end(arguments);
}

static int64_t latest(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static struct standing standing_of(const struct host *host, size_t unit)
{
	if (host->kind != HOST_CARPD) {
		const struct peer *peer = &host->peers[unit];
		return (struct standing){.reign = peer->reign,
		                         .interval_ns = peer_interval_ns(peer),
		                         .demote = peer->dialect == HOST_OPENBSD ? peer->demotion : 0};
	}
	if (host->daemon.engine == NULL)
		return (struct standing){0};
	const struct vhost *vhost = &host->daemon.engine->nodes[unit].vhost;
	return (struct standing){.reign = (uint64_t)vhost->last.at.ns,
	                         .interval_ns = vhost_interval_ns(vhost),
	                         .demote = vhost->group->demotion,
	                         .handing_over = vhost->handover.active};
}

static bool same_standing(const struct standing *a, const struct standing *b)
{
	return a->reign == b->reign && a->interval_ns == b->interval_ns && a->demote == b->demote &&
	       a->handing_over == b->handing_over;
}

void check_lost(const struct world *world, size_t from, size_t to)
{
	if (world->check == NULL)
		return;
	world->check->lost_ns[from][to] = world->now_ns;
	world->check->any_trouble_ns = world->now_ns;
}

void check_trouble(const struct world *world, size_t host)
{
	if (world->check == NULL)
		return;
	world->check->trouble_ns[host] = world->now_ns;
	world->check->any_trouble_ns = world->now_ns;
}

void check_cabling(const struct world *world)
{
	if (world->check == NULL)
		return;
	world->check->cabling_ns = world->now_ns;
	world->check->any_trouble_ns = world->now_ns;
}

static bool read_sequence(const uint8_t *packet, size_t bytes, uint64_t *ret_sequence)
{
	size_t trailer = (packet[0] >> 4 == 4 ? 20u : 40u) + ADVERT_BYTES;
	uint64_t sequence = 0;

	if (bytes < trailer + 12 || packet[trailer] != 'C' || packet[trailer + 1] != 'X')
		return false;
	for (size_t i = 0; i < 8; i++)
		sequence = sequence << 8 | packet[trailer + 4 + i];
	*ret_sequence = sequence;
	return true;
}

bool check_excuses(const struct world *world, enum drop drop)
{
	const struct scenario *scenario = world->scenario;
	size_t peers = 0;
	bool counting = false;

	if (drop != DROP_REPLAY && drop != DROP_FORGED)
		return false;
	for (size_t i = 0; i < scenario->host_count; i++) {
		enum host_kind kind = scenario->hosts[i].kind;
		peers += kind != HOST_CARPD;
		counting |= kind == HOST_FREEBSD || kind == HOST_UCARP;
	}
	return counting && peers >= 2;
}

void check_sent(const struct world *world, const struct flight *flight)
{
	struct check *check = world->check;
	uint64_t sequence;

	if (check == NULL)
		return;
	const struct host *host = &world->hosts[flight->from];
	uint64_t *highest = &check->highest_sequence[flight->from];
	struct view *view = &check->views[flight->unit][flight->from];
	struct standing standing = standing_of(host, flight->unit);
	if (!same_standing(&standing, &view->sent)) {
		view->sent = standing;
		view->sent_first = flight->number;
		memset(view->heard_as_master, 0, sizeof(view->heard_as_master));
	}
	if (host->kind != HOST_CARPD)
		return;
	if (host_state(host, flight->unit) != VHOST_MASTER)
		fail(check, "stopped: host %u advertises group %u and is not its master", flight->from,
		     flight->unit);
	if (!read_sequence(flight->packet, flight->bytes, &sequence))
		return;
	if (sequence <= *highest)
		fail(check, "sequence: host %u seals with %" PRIu64 " after %" PRIu64, flight->from, sequence,
		     *highest);
	*highest = sequence;
}

static void note_heard(uint64_t *heard, uint64_t number)
{
	if (number > *heard)
		*heard = number;
}

void check_accepted(const struct world *world, const struct flight *flight)
{
	struct check *check = world->check;
	size_t family = flight->packet[0] >> 4 == 6;

	if (check == NULL)
		return;
	struct view *view = &check->views[flight->unit][flight->to];
	enum vhost_state state = host_state(&world->hosts[flight->to], flight->unit);
	if (view->state == VHOST_MASTER)
		note_heard(&view->heard_as_master[flight->from][family], flight->number);
	if (state != VHOST_BACKUP)
		return;
	view->heard_ns = world->now_ns;
	note_heard(&view->heard_as_backup[flight->from][family], flight->number);
}

void check_gate(const struct world *world, size_t index, size_t unit, instant before, instant end)
{
	struct check *check = world->check;
	const struct host *host = &world->hosts[index];
	const struct gate *gate = &host->kernel.gates[unit];

	if (check == NULL)
		return;
	int64_t interval_ns = standing_of(host, unit).interval_ns;
	int64_t most_ns =
	        world->scenario->advbase > 0 ? 3 * world->scenario->advbase * NS_PER_S : 3 * interval_ns;
	if (instant_span_ns(before, end) >= most_ns)
		fail(check, "fence: host %zu group %zu, a lease of %" PRId64 " ns", index, unit,
		     instant_span_ns(before, end));
	if (gate->open && !instant_before(before, gate->end))
		fail(check, "fence: host %zu extends an expired lease of group %zu", index, unit);
}

void check_ticked(const struct world *world, size_t index)
{
	struct check *check = world->check;
	const struct host *host = &world->hosts[index];

	if (check != NULL && instant_reached(engine_deadline(host->daemon.engine), host_now(host)))
		fail(check, "deadline: host %zu ticked and is due again at once", index);
}

static bool is_able(const struct host *host)
{
	return host->running && !host->paused && !host->kernel.jammed && !host->stopping;
}

/* Since when nothing has stood between a and b; false if something does now. */
static bool untroubled_since(const struct check *check, size_t a, size_t b, size_t unit, int64_t *ret_ns)
{
	const struct world *world = check->world;
	size_t port = unit % world->scenario->segment_count;
	int64_t since_ns = check->cabling_ns;

	if (!is_able(&world->hosts[a]) || !is_able(&world->hosts[b]))
		return false;
	if (!network_reaches(world, a, b, port) || !network_reaches(world, b, a, port))
		return false;
	since_ns = latest(since_ns, latest(check->trouble_ns[a], check->trouble_ns[b]));
	since_ns = latest(since_ns, latest(check->lost_ns[a][b], check->lost_ns[b][a]));
	*ret_ns = since_ns;
	return true;
}

/* Of an advert that goes out over both families, every copy or any. */
static uint64_t last_heard(const struct check *check, const uint64_t heard[2], bool every)
{
	const struct scenario *scenario = check->world->scenario;
	bool smaller = every && scenario->ipv4 && scenario->ipv6;

	return (heard[0] < heard[1]) == smaller ? heard[0] : heard[1];
}

/* The copies may order two hosts differently, so that one alone need not decide. */
static bool has_heard(const struct check *check, size_t unit, size_t one, size_t other)
{
	const struct view *views = check->views[unit];

	return last_heard(check, views[one].heard_as_master[other], true) >= views[other].sent_first;
}

/* A BSD with both families has two timers, and the one that is behind counts (protocol.md 1.6). */
static uint64_t last_heard_in_time(const struct check *check, size_t unit, size_t index, size_t other)
{
	return last_heard(check, check->views[unit][index].heard_as_backup[other],
	                  check->world->hosts[index].kind != HOST_CARPD);
}

static void check_rivals(struct check *check, size_t unit, size_t a, size_t b)
{
	const struct world *world = check->world;
	const struct view *one = &check->views[unit][a];
	const struct view *other = &check->views[unit][b];
	int64_t since_ns;

	/* Two who both go answer to a third, and between two peers nothing is ours. */
	if ((one->standing.handing_over && other->standing.handing_over) ||
	    (world->hosts[a].kind != HOST_CARPD && world->hosts[b].kind != HOST_CARPD))
		return;
	if (same_standing(&one->standing, &one->sent) && same_standing(&other->standing, &other->sent) &&
	    has_heard(check, unit, a, b) && has_heard(check, unit, b, a))
		fail(check, "rivals: hosts %zu and %zu have heard each other, both stay master of group %zu",
		     a, b, unit);
	if (!untroubled_since(check, a, b, unit, &since_ns))
		return;
	since_ns = latest(since_ns, latest(one->standing_since_ns, other->standing_since_ns));
	int64_t bound_ns = latest(one->standing.interval_ns, other->standing.interval_ns) +
	                   scenario_way_ns(world->scenario);
	if (world->now_ns - since_ns > bound_ns + bound_ns / 1000 + SLACK_NS)
		fail(check, "settled: hosts %zu and %zu both master of group %zu for %" PRId64 " ns", a, b,
		     unit, world->now_ns - since_ns);
}

static void check_demoted(struct check *check, size_t unit, size_t master, size_t backup)
{
	const struct world *world = check->world;
	const struct view *above = &check->views[unit][master];
	const struct view *below = &check->views[unit][backup];
	int64_t since_ns;

	if (world->hosts[backup].kind != HOST_CARPD || above->standing.demote <= below->standing.demote ||
	    above->standing.handing_over || !untroubled_since(check, master, backup, unit, &since_ns))
		return;
	since_ns = latest(since_ns, latest(above->standing_since_ns, below->standing_since_ns));
	int64_t bound_ns = above->standing.interval_ns + 2 * scenario_way_ns(world->scenario);
	if (world->now_ns - since_ns > bound_ns + bound_ns / 1000 + SLACK_NS)
		fail(check, "demoted: host %zu, demoted by %d, stays master of group %zu above host %zu",
		     master, above->standing.demote, unit, backup);
}

/* Host has begun to serve because of silence: whom has it passed over? */
static void check_takeover(struct check *check, size_t unit, size_t index, size_t other)
{
	const struct world *world = check->world;
	const struct scenario *scenario = world->scenario;
	const struct host *rival = &world->hosts[other];
	const struct view *theirs = &check->views[unit][other];
	int64_t since_ns;

	if (rival->kind != HOST_CARPD || !host_serves(rival, unit))
		return;
	/* A clock that stood still has not seen its lease run out: nothing can fence that. */
	bool frozen = rival->clock.frozen || rival->kernel.gates[unit].advert <= rival->adverts_at_freeze;
	if (!frozen && last_heard_in_time(check, unit, index, other) >= rival->kernel.gates[unit].advert)
		fail(check,
		     "lease: host %zu has taken group %zu over while the lease of host %zu, which it heard, "
		     "goes on",
		     index, unit, other);
	if (scenario->losses_in_a_row == LOSSES_UNBOUNDED)
		return;
	/* A demoted master advertises so seldom that two lost adverts are too many. */
	int64_t gap_ns =
	        (scenario->losses_in_a_row + 1) * theirs->standing.interval_ns + scenario_way_ns(scenario);
	if (gap_ns + gap_ns / 1000 >= scenario_least_patience_ns(scenario) ||
	    !untroubled_since(check, index, other, unit, &since_ns))
		return;
	since_ns = latest(latest(check->trouble_ns[index], check->trouble_ns[other]), check->cabling_ns);
	since_ns = latest(since_ns, latest(theirs->serving_since_ns, theirs->standing_since_ns));
	/* In fast mode a host that has just become a backup knows no master, and waits by its own interval.
	 */
	bool knows = scenario->advbase > 0 || check->views[unit][index].heard_as_backup[other][0] > 0 ||
	             check->views[unit][index].heard_as_backup[other][1] > 0;
	if (knows &&
	    world->now_ns - since_ns > 2 * scenario_patience_ns(scenario) + scenario_way_ns(scenario))
		fail(check, "false: host %zu has taken group %zu over though host %zu serves and is heard",
		     index, unit, other);
}

static bool rose_silently(const struct host *host, size_t unit)
{
	if (host->kind != HOST_CARPD)
		return host->peers[unit].rose_silently;
	return host->daemon.engine->nodes[unit].vhost.last.cause.kind == CAUSE_SILENCE;
}

static void note_serving(struct check *check, size_t unit, size_t index)
{
	const struct world *world = check->world;
	const struct host *host = &world->hosts[index];
	struct view *view = &check->views[unit][index];

	if (view->state != VHOST_MASTER || view->serving_reign == view->standing.reign ||
	    !host_serves(host, unit))
		return;
	view->serving_reign = view->standing.reign;
	view->serving_since_ns = world->now_ns;
	if (!rose_silently(host, unit))
		return;
	for (size_t i = 0; i < world->host_count; i++)
		if (i != index)
			check_takeover(check, unit, index, i);
}

/* Of two equals that hear each other one stays; here nobody has. */
static void check_vacancy(struct check *check, size_t unit, size_t index)
{
	const struct world *world = check->world;
	const struct host *host = &world->hosts[index];

	if (!check->ranks_equals || host->daemon.engine == NULL ||
	    host->daemon.engine->nodes[unit].vhost.last.cause.kind != CAUSE_PEER_EQUAL ||
	    world->now_ns - check->any_trouble_ns <= 2 * scenario_way_ns(world->scenario) + SLACK_NS)
		return;
	for (size_t i = 0; i < world->host_count; i++)
		if (host_state(&world->hosts[i], unit) == VHOST_MASTER)
			return;
	fail(check, "vacant: host %zu was the last master of group %zu and has yielded to an equal", index,
	     unit);
}

static void note_view(struct check *check, size_t unit, size_t index)
{
	const struct world *world = check->world;
	const struct host *host = &world->hosts[index];
	struct view *view = &check->views[unit][index];
	enum vhost_state state = host_state(host, unit);
	struct standing standing = standing_of(host, unit);

	/* In fast mode a backup waits for as long as its master says, and knows none when it becomes one. */
	if (state == VHOST_INIT || (world->scenario->advbase == 0 && state == VHOST_BACKUP &&
	                            standing.reign != view->standing.reign))
		memset(view->heard_as_backup, 0, sizeof(view->heard_as_backup));
	if (!same_standing(&standing, &view->standing)) {
		view->standing = standing;
		view->standing_since_ns = world->now_ns;
	}
	if (state == view->state)
		return;
	/* Demotions for what the kernel refused end by themselves after ten seconds. */
	int64_t calm_ns = 12 * scenario_patience_ns(world->scenario) + world->scenario->preempt_delay_ns +
	                  30 * NS_PER_S;
	if (check->ranks_equals && world->now_ns - check->any_trouble_ns > calm_ns)
		fail(check, "flapping: host %zu group %zu becomes %s without any trouble", index, unit,
		     vhost_state_name(state));
	if (view->state == VHOST_MASTER && state == VHOST_BACKUP)
		check_vacancy(check, unit, index);
	memset(view->heard_as_master, 0, sizeof(view->heard_as_master));
	view->state = state;
	view->state_since_ns = world->now_ns;
}

static void check_patience(struct check *check, size_t unit, size_t index)
{
	const struct world *world = check->world;
	const struct view *view = &check->views[unit][index];
	const struct scenario *scenario = world->scenario;
	int64_t slowest_ns = advert_interval_ns(scenario->advbase, 254);
	int64_t bound_ns =
	        scenario->advbase > 0 ? 2 * scenario->advbase * NS_PER_S + slowest_ns : 3 * slowest_ns;
	/* It may have been master for a moment, until the kernel refused an address. */
	int64_t since_ns = latest(latest(view->heard_ns, view->standing_since_ns), check->trouble_ns[index]);

	bound_ns += slowest_ns / 2;
	if (world->now_ns - since_ns > bound_ns + bound_ns / 1000 + SLACK_NS)
		fail(check,
		     "patience: host %zu is a backup of group %zu and has heard nothing for %" PRId64 " ns",
		     index, unit, world->now_ns - since_ns);
}

static void check_kernel(struct check *check, size_t unit, size_t index)
{
	const struct host *host = &check->world->hosts[index];
	bool master = host_state(host, unit) == VHOST_MASTER;

	if (master != host->kernel.taken[unit])
		fail(check, "addresses: host %zu is %s group %zu and has %s addresses", index,
		     master ? "master of" : "not master of", unit, master ? "not got its" : "its");
	if (!master && host->kernel.gates[unit].open)
		fail(check, "addresses: host %zu is not master of group %zu and its gate is open", index,
		     unit);
}

static void check_engine(struct check *check, size_t index)
{
	const struct host *host = &check->world->hosts[index];
	const struct engine *engine = host->daemon.engine;

	if (engine->action_count > 0)
		fail(check, "actions: host %zu has %zu left", index, engine->action_count);
	for (size_t i = 0; i < host->daemon.settings.node_count; i++) {
		const struct vhost *vhost = &engine->nodes[i].vhost;
		if (vhost->state == VHOST_INIT)
			continue;
		if (instant_is_never(engine_deadline(engine)) ||
		    instant_before(vhost_deadline(vhost), engine_deadline(engine)))
			fail(check, "deadline: host %zu has none in time for group %zu", index, i);
		if (instant_is_never(vhost_deadline(vhost)))
			fail(check, "deadline: host %zu, group %zu waits for nothing", index, i);
	}
}

static void check_stopped(struct check *check, size_t index)
{
	const struct host *host = &check->world->hosts[index];
	int64_t bound_ns = check->world->scenario->handover_wait_ns;

	if (host->stopping &&
	    check->world->now_ns - check->trouble_ns[index] > bound_ns + bound_ns / 1000 + SLACK_NS)
		fail(check, "stopped: host %zu should have left by now", index);
}

static void check_unit(struct check *check, size_t unit, size_t index)
{
	const struct world *world = check->world;
	const struct view *views = check->views[unit];

	note_view(check, unit, index);
	note_serving(check, unit, index);
	if (world->hosts[index].kind == HOST_CARPD) {
		check_kernel(check, unit, index);
		if (views[index].state == VHOST_BACKUP)
			check_patience(check, unit, index);
	}
	for (size_t i = 0; i < world->host_count; i++) {
		if (i == index)
			continue;
		if (views[index].state == VHOST_MASTER && views[i].state == VHOST_MASTER)
			check_rivals(check, unit, index, i);
		if (views[index].state == VHOST_MASTER && views[i].state == VHOST_BACKUP)
			check_demoted(check, unit, index, i);
	}
}

void check_host(const struct world *world, size_t index)
{
	struct check *check = world->check;
	const struct host *host = &world->hosts[index];

	if (check == NULL)
		return;
	for (size_t i = 0; i < world->scenario->group_count; i++) {
		if (host->running)
			check_unit(check, i, index);
		else
			note_view(check, i, index);
	}
	if (host->running && host->kind == HOST_CARPD)
		check_engine(check, index);
	if (host->running)
		check_stopped(check, index);
}

void check_audit(const struct world *world)
{
	for (size_t i = 0; i < world->host_count; i++)
		if (world->hosts[i].running && !world->hosts[i].paused)
			check_host(world, i);
}
