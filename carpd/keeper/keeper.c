#include "keeper.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "channel.h"
#include "child.h"
#include "singleton.h"
#include "clean.h"
#include "startup.h"
#include "linux/gate.h"
#include "linux/sandbox.h"
#include "carpd/log/log.h"
#include "systemd.h"
#include "reload_file.h"
#include "state_pages.h"
#include "writer.h"

struct keeper {
	struct startup startup;
	struct reload_file reload_file;
	struct child child;
	struct writer writer;
	int signals;
	unsigned stop_requests;
	bool announced; /* the service manager has been told that we are ready */
	int status;
};

/*
 * Each interface takes three descriptors, five without the gate, and the usual soft
 * limit of 1024 is for programs that use select(2).  The engine inherits it.
 */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN); /* of a log that nobody reads any more */
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void unblock_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* In the child.  The keeper's signals are of no use to it. */
static int be_engine(const struct keeper *keeper)
{
	close(keeper->signals);
	unblock_signals();
	(void)prctl(PR_SET_NAME, "carpd-engine", 0, 0, 0);
	return daemon_run(&keeper->startup);
}

static bool start_engine(struct keeper *keeper)
{
	pid_t pid = child_fork(&keeper->child, &keeper->startup.channel);

	if (pid == 0)
		exit(be_engine(keeper));
	return pid > 0;
}

static void describe_end(int status)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		log_error("the sandbox killed the engine for a system call that it does not allow (the "
		          "kernel's log has its number, type=1326); its addresses are dropped.  If carpd "
		          "itself made it, sandbox = false turns the sandbox off until that is mended");
	else if (WIFSIGNALED(status))
		log_error("the engine was killed by signal %d (%s); its addresses are dropped",
		          WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		log_error("the engine ended with status %d; its addresses are dropped", WEXITSTATUS(status));
}

static bool read_channel(struct keeper *keeper);

static void engine_ended(struct keeper *keeper, int status)
{
	bool clean = WIFEXITED(status) && WEXITSTATUS(status) == 0;

	/* What it has said at its end. */
	while (keeper->child.channel >= 0 && read_channel(keeper))
		;
	if (!(clean && keeper->stop_requests > 0)) {
		clean_after_engine(keeper->startup.gate);
		describe_end(status);
	}
	child_bury(&keeper->child);
	reload_file_lost(&keeper->reload_file);
	if (keeper->stop_requests > 0)
		keeper->status = clean ? EXIT_SUCCESS : EXIT_FAILURE;
	else
		child_put_off(&keeper->child);
}

static void collect_children(struct keeper *keeper)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == keeper->child.pid)
			engine_ended(keeper, status);
		else
			writer_ended(&keeper->writer, keeper->child.channel, pid, status);
}

/* The first request hands over and waits; the second breaks that off; a third one leaves the engine no
 * choice. */
static void stop(struct keeper *keeper)
{
	int wait_ms = keeper->startup.config->handover_wait_ms;

	switch (keeper->stop_requests++) {
	case 0:
		systemd_notify("STOPPING=1");
		child_stop(&keeper->child, MESSAGE_STOP, wait_ms);
		break;
	case 1:
		log_notice("told to stop a second time: waiting for no successor");
		child_stop(&keeper->child, MESSAGE_STOP_NOW, 0);
		break;
	default:
		child_kill(&keeper->child);
		break;
	}
}

static void read_signals(struct keeper *keeper)
{
	struct signalfd_siginfo info;

	while (read(keeper->signals, &info, sizeof(info)) == sizeof(info)) {
		switch (info.ssi_signo) {
		case SIGCHLD:
			collect_children(keeper);
			break;
		case SIGHUP:
			reload_file_read(&keeper->reload_file, &keeper->child);
			break;
		default:
			stop(keeper);
			break;
		}
	}
}

static void engine_is_ready(struct keeper *keeper)
{
	if (!keeper->announced)
		systemd_notify("READY=1\nSTATUS=in service");
	keeper->announced = true;
}

static void keep_seals(struct keeper *keeper, uint32_t number)
{
	const struct state_pages *pages = keeper->startup.pages;
	size_t length = number & ~MESSAGE_SEALS_SECOND;

	if (length <= STATE_PAGE_BYTES)
		writer_keep_seals(&keeper->writer, keeper->child.channel, number,
		                  pages->text[(number & MESSAGE_SEALS_SECOND) != 0], length);
}

static void hear(struct keeper *keeper, const struct message *message)
{
	switch (message->kind) {
	case MESSAGE_READY:
		engine_is_ready(keeper);
		break;
	case MESSAGE_SEALS:
		keep_seals(keeper, message->number);
		break;
	case MESSAGE_MAINTENANCE:
		writer_keep_maintenance(&keeper->writer, keeper->child.channel, message->number);
		break;
	case MESSAGE_RELOAD_WANTED:
		reload_file_wanted(&keeper->reload_file, &keeper->child, message->number);
		break;
	case MESSAGE_RELOADED:
		reload_file_confirmed(&keeper->reload_file, &keeper->child);
		break;
	case MESSAGE_RELOAD_REFUSED:
		reload_file_refused(&keeper->reload_file, &keeper->child, message->text);
		break;
	case MESSAGE_ALIVE: /* it was heard, and that is all it says */
	case MESSAGE_STOP:
	case MESSAGE_STOP_NOW:
	case MESSAGE_RELOAD:
		break;
	}
}

/* An engine that talks without end must not keep us from anything else. */
#define MESSAGES_MAX 64

/* Whether there may be more. */
static bool read_channel(struct keeper *keeper)
{
	struct message message;
	int result = 1;

	for (int i = 0; i < MESSAGES_MAX && result > 0; i++) {
		result = channel_receive(keeper->child.channel, &message);
		if (result > 0) {
			child_heard(&keeper->child);
			hear(keeper, &message);
		}
	}
	if (result < 0)
		child_lost(&keeper->child);
	return result > 0;
}

/* Engines are forked from inside of it, and tell of its failure those who ask. */
static void enter_sandbox(struct startup *startup)
{
	startup->keeper_sandbox = startup->config->sandbox ? sandbox_filter_keeper() : 0;
	if (startup->keeper_sandbox < 0)
		log_warning("the keeper runs without its sandbox: %s", strerror(-startup->keeper_sandbox));
}

/* The watchdog watches the keeper, which watches the engine: it is fed while there is none, too. */
static int timeout_ms(const struct keeper *keeper)
{
	int child_ms = child_timeout_ms(&keeper->child), watchdog_ms = systemd_feed_watchdog();

	return watchdog_ms >= 0 && watchdog_ms < child_ms ? watchdog_ms : child_ms;
}

static void run(struct keeper *keeper)
{
	while (!(keeper->stop_requests > 0 && keeper->child.pid == 0)) {
		struct pollfd fds[2] = {{.fd = keeper->signals, .events = POLLIN},
		                        {.fd = keeper->child.channel, .events = POLLIN}};
		(void)poll(fds, 2, timeout_ms(keeper));
		if (fds[1].revents != 0)
			(void)read_channel(keeper);
		if (fds[0].revents != 0)
			read_signals(keeper);
		child_watch(&keeper->child);
		if (keeper->stop_requests == 0 && child_is_due(&keeper->child))
			(void)start_engine(keeper);
	}
}

/* The disk gets so long, after the last signal. */
#define LAST_WRITE_MAX_MS 5000

static void wait_for_writer(struct keeper *keeper)
{
	struct pollfd signals = {.fd = keeper->signals, .events = POLLIN};

	while (writer_is_busy(&keeper->writer) && poll(&signals, 1, LAST_WRITE_MAX_MS) > 0)
		read_signals(keeper);
	if (writer_is_busy(&keeper->writer))
		log_warning("%s does not answer; what was to be kept at the end may be lost",
		            keeper->writer.directory);
}

int keeper_run(struct config *config, const char *path)
{
	struct keeper keeper = {.child = CHILD_NONE, .status = EXIT_FAILURE};

	raise_descriptor_limit();
	if (!singleton_claim() || !startup_open(&keeper.startup, config))
		return EXIT_FAILURE;
	keeper.reload_file = (struct reload_file){.path = path, .in_force = &keeper.startup.config};
	clean_kernel("an earlier run was killed: ");
	startup_load_gate(&keeper.startup);
	keeper.writer = (struct writer){.uid = keeper.startup.uid, .gid = keeper.startup.gid};
	memcpy(keeper.writer.directory, config->state_directory, sizeof(keeper.writer.directory));
	keeper.signals = open_signals();
	log_notice("carpd %s: %zu group%s", CARPD_VERSION, config->group_count,
	           config->group_count == 1 ? "" : "s");
	if (keeper.signals < 0)
		return EXIT_FAILURE;
	enter_sandbox(&keeper.startup);
	if (!start_engine(&keeper))
		return EXIT_FAILURE;
	run(&keeper);
	wait_for_writer(&keeper);
	writer_close(&keeper.writer);
	clean_kernel("stopped: ");
	gate_unload(keeper.startup.gate);
	(void)unlink(keeper.startup.config->control_path);
	config_free(keeper.startup.config);
	log_notice("stopped");
	return keeper.status;
}
