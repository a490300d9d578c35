/*
 * The engine's process from its start to its end.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "carpd/engine/daemon.h"
#include "carpd/engine/observe.h"
#include "carpd/engine/perform.h"
#include "carpd/engine/route.h"
#include "carpd/engine/second_mac.h"
#include "carpd/engine/squatter.h"
#include "carpd/keeper/channel.h"
#include "carpd/keeper/startup.h"
#include "carpd/log/log.h"
#include "linux/peer.h"
#include "linux/sandbox.h"
#include "loop.h"

static int64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static bool start_engine(struct daemon *daemon, const struct startup *startup)
{
	instant now = {clock_ns(CLOCK_BOOTTIME)};

	state_open(&daemon->state, startup->config->state_directory, startup->channel, startup->pages);
	uint64_t sequence = state_first_sequence(&daemon->state, now, clock_ns(CLOCK_REALTIME));
	daemon->runtime = runtime_create(startup->config, runtime_seed(), sequence, now);
	if (daemon->runtime == NULL)
		return false;
	daemon->engine = daemon->runtime->engine;
	if (!daemon_make_room(daemon, daemon->engine) ||
	    interfaces_create(&daemon->interfaces, daemon->runtime, NULL) < 0)
		return false;
	daemon->interfaces.fd_limit = (int)sysconf(_SC_OPEN_MAX);
	daemon->gate = startup->gate;
	daemon->interfaces.gate = startup->gate;
	daemon->interfaces.gate_missing = startup->gate_missing;
	daemon->admins = startup->admins;
	daemon->keeper_sandbox = startup->keeper_sandbox;
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

static bool open_daemon(struct daemon *daemon, const struct startup *startup)
{
	if (!start_engine(daemon, startup)) {
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
	route_free(daemon);
	surroundings_free(&daemon->surroundings);
	json_decref(daemon->troubles);
	rtnl_close(daemon->rtnl);
}

static int enter_sandbox(const struct startup *startup)
{
	const struct config *config = startup->config;
	int error;

	if (config->realtime && (error = sandbox_be_punctual()) < 0)
		log_warning("no real-time priority: %s; takeovers may come late under load",
		            strerror(-error));
	error = sandbox_drop_privileges(startup->uid, startup->gid, startup->gate != NULL);
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

int daemon_run(const struct startup *startup)
{
	static struct squatters squatters;
	static struct trial trial;
	static struct daemon daemon = {.squatters = &squatters, .trial = &trial};

	signal(SIGINT, SIG_IGN); /* of a terminal: the keeper decides */
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	if (enter_sandbox(startup) < 0 || !open_daemon(&daemon, startup))
		return EXIT_FAILURE;
	struct loop *loop = loop_open(&daemon, startup->channel, startup->control_fd);
	if (loop == NULL) {
		log_error("the event loop cannot be set up: out of memory or descriptors");
		return EXIT_FAILURE;
	}
	close_sandbox(&daemon, startup->config);
	(void)channel_say(startup->channel, MESSAGE_READY);
	loop_run(loop);
	close_daemon(&daemon);
	return EXIT_SUCCESS;
}
