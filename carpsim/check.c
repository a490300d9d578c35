#include "check_state.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

struct check *check_open(const struct world *world)
{
	struct check *check = memory_new(1, sizeof(*check));

	check->world = world;
	check->views = memory_new(world->scenario->group_count, sizeof(check->views[0]));
	check->served_ns = memory_new(world->scenario->group_count, sizeof(check->served_ns[0]));
	check->twice_served_ns = memory_new(world->scenario->group_count, sizeof(check->twice_served_ns[0]));
	check->planned = check_is_planned(world->scenario);
	check->ranks_equals = scenario_is_carpd_only(world->scenario) && world->scenario->seal != SEAL_OFF;
	return check;
}

void check_close(struct check *check)
{
	free(check->views);
	free(check->served_ns);
	free(check->twice_served_ns);
	free(check);
}

const char *check_failure(const struct check *check)
{
	return check != NULL && check->failure[0] != '\0' ? check->failure : NULL;
}

void check_fail(struct check *check, const char *format, ...)
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

static struct standing standing_of(const struct host *host, size_t unit)
{
	if (host->kind != HOST_CARPD) {
		const struct peer *peer = &host->peers[unit];
		return (struct standing){.reign = peer->reign,
		                         .interval_ns = peer_interval_ns(peer),
		                         .speaks = true,
		                         .demote = peer->dialect == HOST_OPENBSD ? peer->demotion : 0};
	}
	const struct node *node = daemon_node(host, unit);
	if (node == NULL)
		return (struct standing){0};
	const struct vhost *vhost = &node->vhost;
	return (struct standing){.reign = (uint64_t)vhost->last.at.ns,
	                         .interval_ns = vhost_interval_ns(vhost),
	                         .demote = vhost->group->demotion,
	                         .handing_over = vhost->handover.active,
	                         .speaks = vhost_speaks(vhost)};
}

static bool same_standing(const struct standing *a, const struct standing *b)
{
	return a->reign == b->reign && a->interval_ns == b->interval_ns && a->demote == b->demote &&
	       a->handing_over == b->handing_over && a->speaks == b->speaks;
}

void check_sent(const struct world *world, const struct flight *flight)
{
	if (world->check != NULL && world->hosts[flight->from].kind == HOST_CARPD)
		check_advert(world->check, flight);
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
	if (flight->recorded_ns == 0)
		view->fresh_ns[flight->from][family] = world->now_ns;
	enum vhost_state state = host_state(&world->hosts[flight->to], flight->unit);
	if (state != VHOST_BACKUP)
		return;
	view->heard_ns = world->now_ns;
	note_heard(&view->heard_as_backup[flight->from][family], flight->number);
}

static bool rose_silently(const struct host *host, size_t unit)
{
	if (host->kind != HOST_CARPD)
		return host->peers[unit].rose_silently;
	return daemon_node(host, unit)->vhost.last.cause.kind == CAUSE_SILENCE;
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

/*
 * What a daemon without the group knows of its seals it knows until it ends (core/engine_adopt.c),
 * and its peers know more than it does when the group is put in again.
 */
static void note_presence(struct check *check, size_t unit, size_t index)
{
	const struct host *host = &check->world->hosts[index];
	const struct node *node = daemon_node(host, unit);
	struct view *view = &check->views[unit][index];

	if (node != NULL)
		check_note_start(view, &node->vhost);
	if (node == NULL && (host->running ? host->started_ns == check->world->now_ns : view->left_out)) {
		view->unlearnt = true;
		view->highest_sequence = 0;
		view->highest_advert = 0;
		memset(view->accepted, 0, sizeof(view->accepted));
		memset(view->fresh_ns, 0, sizeof(view->fresh_ns));
	}
	if (host->running)
		view->left_out = node == NULL;
}

static void note_view(struct check *check, size_t unit, size_t index)
{
	const struct world *world = check->world;
	const struct host *host = &world->hosts[index];
	struct view *view = &check->views[unit][index];
	enum vhost_state state = host_state(host, unit);
	struct standing standing = standing_of(host, unit);

	if (host->kind == HOST_CARPD)
		note_presence(check, unit, index);
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
	check_change(check, unit, index, state);
	if (state == VHOST_INIT)
		view->masters_heard = 0;
	if (view->state == VHOST_MASTER)
		check_farewell(check, unit, index);
	if (view->state == VHOST_MASTER && state == VHOST_BACKUP)
		check_vacancy(check, unit, index);
	view->state = state;
	view->state_since_ns = world->now_ns;
}

static void check_unit(struct check *check, size_t unit, size_t index)
{
	const struct world *world = check->world;
	const struct view *views = check->views[unit];

	note_view(check, unit, index);
	note_serving(check, unit, index);
	if (world->hosts[index].kind == HOST_CARPD) {
		check_link(check, unit, index);
		check_kernel(check, unit, index);
		check_demotion(check, unit, index);
		check_handover(check, unit, index);
		if (views[index].state == VHOST_MASTER)
			check_silence(check, unit, index);
		if (views[index].state == VHOST_MASTER && views[index].standing.speaks)
			check_announcements(check, unit, index);
		if (views[index].state == VHOST_BACKUP)
			check_patience(check, unit, index);
	}
	for (size_t i = 0; i < world->host_count; i++) {
		if (i == index)
			continue;
		if (views[index].state == VHOST_MASTER && views[i].state == VHOST_MASTER)
			check_settled(check, unit, index, i);
		check_overlap(check, unit, index, i);
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
		check_served(check, i);
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
