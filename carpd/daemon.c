#include "daemon.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "channel.h"
#include "linux/peer.h"
#include "linux/sandbox.h"
#include "log.h"
#include "loop.h"
#include "observe.h"
#include "perform.h"

/* The value of maintenance: further back than anything that goes wrong by itself. */
#define MAINTENANCE_VALUE 254

static int64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

instant daemon_read_clock(struct daemon *daemon)
{
	daemon->now = (instant){clock_ns(CLOCK_BOOTTIME)};
	daemon->engine->wall_offset_ns = clock_ns(CLOCK_REALTIME) - daemon->now.ns;
	return daemon->now;
}

const struct group *daemon_find_group(const struct daemon *daemon, int link_index,
                                      const struct address *address)
{
	for (size_t g = 0; g < daemon->engine->settings->group_count; g++) {
		const struct group *group = &daemon->engine->groups[g];
		const struct group_settings *settings = group->settings;
		if (daemon->interfaces.list[settings->parent].link.index != link_index)
			continue;
		for (size_t a = 0; a < settings->address_count; a++)
			if (address_equal(&settings->addresses[a].address, address))
				return group;
	}
	return NULL;
}

void daemon_set_maintenance(struct daemon *daemon, bool on)
{
	if (!on) {
		engine_undemote(daemon->engine, "maintenance", daemon->now);
		return;
	}
	/* First, so that the one advert that follows is the goodbye. */
	engine_give_way(daemon->engine, daemon->now);
	engine_demote(daemon->engine, "maintenance", MAINTENANCE_VALUE, daemon->now, INSTANT_NEVER);
}

bool daemon_make_room(struct daemon *daemon, const struct engine *engine)
{
	size_t capacity = engine->action_capacity;
	struct action *todo = calloc(capacity, sizeof(*todo));
	struct action *told = calloc(capacity, sizeof(*told));

	if (todo == NULL || told == NULL) {
		free(todo);
		free(told);
		return false;
	}
	free(daemon->todo);
	free(daemon->told);
	daemon->todo = todo;
	daemon->told = told;
	daemon->look_for_routes = INSTANT_NEVER;
	return true;
}

static bool start_engine(struct daemon *daemon, const struct endowment *endowment)
{
	instant now = {clock_ns(CLOCK_BOOTTIME)};

	state_open(&daemon->state, endowment->config->state_directory, endowment->channel, endowment->pages);
	uint64_t sequence = state_first_sequence(&daemon->state, now, clock_ns(CLOCK_REALTIME));
	daemon->runtime = runtime_create(endowment->config, runtime_seed(), sequence, now);
	if (daemon->runtime == NULL)
		return false;
	daemon->engine = daemon->runtime->engine;
	if (!daemon_make_room(daemon, daemon->engine) ||
	    interfaces_create(&daemon->interfaces, daemon->runtime, NULL) < 0)
		return false;
	daemon->interfaces.fd_limit = (int)sysconf(_SC_OPEN_MAX);
	daemon->gate = endowment->gate;
	daemon->interfaces.gate = endowment->gate;
	daemon->interfaces.gate_missing = endowment->gate_missing;
	daemon->admins = endowment->admins;
	daemon->keeper_sandbox = endowment->keeper_sandbox;
	/* Opened again, with its error told, when a peer is to be sent to. */
	daemon->peer_fds[0] = peer_open(FAMILY_IPV4);
	daemon->peer_fds[1] = peer_open(FAMILY_IPV6);
	daemon->started = daemon_read_clock(daemon);
	state_restore(&daemon->state, daemon->engine, now);
	state_save(&daemon->state, daemon->engine, now);
	if (state_maintenance(&daemon->state))
		daemon_set_maintenance(daemon, true);
	return true;
}

static bool open_daemon(struct daemon *daemon, const struct endowment *endowment)
{
	if (!start_engine(daemon, endowment)) {
		log_error("the engine cannot start: out of memory");
		return false;
	}
	if (daemon->gate != NULL) {
		gate_reset(daemon->gate);
		gate_drain(daemon->gate);
	}
	squatter_open(daemon);
	second_mac_open(daemon);
	route_follow_config(daemon);
	int error = observe_open(daemon);
	if (error < 0)
		log_error("rtnetlink cannot be opened: %s", strerror(-error));
	return error == 0;
}

/* Everything that the kernel holds for us is given back; the rest goes with the process. */
static void close_daemon(struct daemon *daemon)
{
	perform_all(daemon);
	state_close(&daemon->state, daemon->engine, daemon->now);
	loop_close(daemon->loop);
	squatter_close(daemon);
	second_mac_close(daemon);
	interfaces_free(&daemon->interfaces);
	route_free(&daemon->routes);
	surroundings_free(&daemon->surroundings);
	json_decref(daemon->troubles);
	rtnl_close(daemon->rtnl);
}

static int enter_sandbox(const struct endowment *endowment)
{
	const struct config *config = endowment->config;
	int error;

	if (config->realtime && (error = sandbox_be_punctual()) < 0)
		log_warning("no real-time priority: %s; takeovers may come late under load",
		            strerror(-error));
	error = sandbox_drop_privileges(endowment->uid, endowment->gid, endowment->gate != NULL);
	if (error < 0) {
		log_error("privileges cannot be dropped: %s", strerror(-error));
		return error;
	}
	return 0;
}

/* Only now: what was opened needed calls that are never made again. */
static void close_sandbox(struct daemon *daemon, const struct config *config)
{
	daemon->engine_sandbox = config->sandbox ? sandbox_filter_engine() : 0;
	if (daemon->engine_sandbox < 0)
		log_warning("the engine runs without its sandbox: %s", strerror(-daemon->engine_sandbox));
}

int daemon_run(const struct endowment *endowment)
{
	static struct daemon daemon;

	signal(SIGINT, SIG_IGN); /* of a terminal: the keeper decides */
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	if (enter_sandbox(endowment) < 0 || !open_daemon(&daemon, endowment))
		return EXIT_FAILURE;
	struct loop *loop = loop_open(&daemon, endowment->channel, endowment->control_fd);
	if (loop == NULL) {
		log_error("the event loop cannot be set up: out of memory or descriptors");
		return EXIT_FAILURE;
	}
	close_sandbox(&daemon, endowment->config);
	(void)channel_say(endowment->channel, MESSAGE_READY);
	loop_run(loop);
	close_daemon(&daemon);
	return EXIT_SUCCESS;
}
