#include "keeper.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "channel.h"
#include "control_bind.h"
#include "endowment.h"
#include "linux/gate.h"
#include "linux/rtnl.h"
#include "linux/sandbox.h"
#include "log.h"
#include "notify.h"

/* An engine that has not been heard for so long is stuck; the gate is long shut by then. */
#define SILENCE_MAX_MS 10000

/*
 * Back-off between starts: doubled each time, and forgotten after a minute of
 * service.  The first is longer than any advskew, so that the peers' timers, which
 * run since the dead engine's last advert, end before the new one's.
 */
#define BACKOFF_FIRST_MS 1000
#define BACKOFF_MAX_MS   10000
#define SERVED_WELL_MS   60000

struct keeper {
	struct config *config;
	struct config *sent; /* under way to the engine */
	const char *path;
	struct gate *gate;
	const char *gate_missing;
	uid_t uid;
	gid_t gid;
	gid_t admins;
	int control_fd;
	int signals;
	int channel; /* to the engine; -1: none runs */
	pid_t engine;
	int64_t started_ms;
	int64_t heard_ms;
	int64_t start_again_ms; /* 0: it runs */
	int backoff_ms;
	bool stopping;
	bool announced; /* the service manager has been told that we are ready */
	int status;
};

static int64_t now_ms(void)
{
	struct timespec t;

	/* Not the boot clock: an engine is not late because the machine slept. */
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

/*
 * One carpd a network namespace, since they would fight over addresses that they
 * mark alike.  An abstract socket belongs to the namespace and goes with the
 * process, however it ends.
 */
static bool lock_namespace(void)
{
	static const char name[] = "\0carpd";
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memcpy(address.sun_path, name, sizeof(name) - 1);
	if (fd < 0)
		return false;
	return bind(fd, (const struct sockaddr *)(const void *)&address,
	            (socklen_t)(offsetof(struct sockaddr_un, sun_path) + sizeof(name) - 1)) == 0;
}

static bool be_the_only_one(void)
{
	if (lock_namespace())
		return true;
	if (errno == EADDRINUSE)
		log_error("carpd is running in this network namespace already; one serves all its groups");
	else
		log_error("cannot make sure that no other carpd runs: %s", strerror(errno));
	return false;
}

static void clean_kernel(const char *occasion)
{
	int addresses = rtnl_clean();
	int gates = gate_clean();

	if (addresses < 0)
		log_error("what carpd had added to the interfaces could not be removed: %s",
		          strerror(-addresses));
	if (addresses > 0 || gates > 0)
		log_notice("%s: removed %d addresses and entries and %d gates", occasion,
		           addresses > 0 ? addresses : 0, gates > 0 ? gates : 0);
}

/* While the engine is dead: shut by a store, then given back; the gates stay and keep the fence. */
static void drop_everything(struct keeper *keeper)
{
	if (keeper->gate != NULL)
		gate_close_all(keeper->gate);
	int removed = rtnl_clean();
	if (removed < 0)
		log_error("the engine's addresses could not be removed: %s", strerror(-removed));
}

static void look_up_user(struct keeper *keeper)
{
	const struct passwd *user = getpwnam(keeper->config->user);
	const struct group *admins = getgrnam("carpd-admin");

	keeper->admins = admins != NULL ? admins->gr_gid : GROUP_NOBODY_IS_IN;
	if (geteuid() != 0) {
		keeper->uid = getuid();
		keeper->gid = getgid();
		return;
	}
	if (user == NULL) {
		user = getpwnam("nobody");
		log_warning("there is no user \"%s\"; the engine runs as nobody (systemd-sysusers makes it)",
		            keeper->config->user);
	}
	keeper->uid = user != NULL ? user->pw_uid : 65534;
	keeper->gid = user != NULL ? user->pw_gid : 65534;
}

static void make_parent_directory(const char *path)
{
	char directory[CONFIG_PATH_MAX];

	snprintf(directory, sizeof(directory), "%s", path);
	char *slash = strrchr(directory, '/');
	if (slash == NULL || slash == directory)
		return;
	*slash = '\0';
	if (mkdir(directory, 0755) == 0)
		(void)chmod(directory, 0755); /* whatever the umask: everybody may look */
}

/* The engine writes in it; root needs no right to. */
static void make_state_directory(const struct keeper *keeper)
{
	const char *directory = keeper->config->state_directory;

	if (mkdir(directory, 0755) < 0 && errno != EEXIST) {
		log_warning("%s: %s; maintenance will not survive a restart", directory, strerror(errno));
		return;
	}
	if (chown(directory, keeper->uid, keeper->gid) < 0)
		log_warning("%s: %s; maintenance will not survive a restart", directory, strerror(errno));
}

static bool open_control(struct keeper *keeper)
{
	const char *path = keeper->config->control_path;

	make_parent_directory(path);
	keeper->control_fd = control_bind(path);
	if (keeper->control_fd >= 0)
		return true;
	log_error("control socket %s: %s", path, strerror(-keeper->control_fd));
	return false;
}

static bool wants_gate(const struct config *config)
{
	for (size_t i = 0; i < config->group_count; i++)
		if (config->groups[i].mac != CONFIG_MAC_INTERFACE)
			return true;
	return false;
}

/* Loaded even if no group wants it yet: a reload may, and the engine cannot. */
static void load_gate(struct keeper *keeper)
{
	int error = gate_load(&keeper->gate, &keeper->gate_missing);

	if (error == 0)
		return;
	keeper->gate = NULL;
	if (wants_gate(keeper->config))
		log_warning("no gate: %s (%s)", keeper->gate_missing, strerror(-error));
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
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void unblock_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* In the child.  Descriptors of the keeper's own are of no use to it. */
static int be_engine(struct keeper *keeper, int channel)
{
	struct endowment endowment = {
	        .config = keeper->config,
	        .gate = keeper->gate,
	        .gate_missing = keeper->gate_missing,
	        .channel = channel,
	        .control_fd = keeper->control_fd,
	        .uid = keeper->uid,
	        .gid = keeper->gid,
	        .admins = keeper->admins,
	};

	close(keeper->signals);
	unblock_signals();
	(void)prctl(PR_SET_NAME, "carpd-engine", 0, 0, 0);
	return daemon_run(&endowment);
}

static bool start_engine(struct keeper *keeper)
{
	int ends[2];
	int error = channel_open(ends);

	if (error < 0) {
		log_error("no channel to the engine: %s", strerror(-error));
		return false;
	}
	keeper->engine = fork();
	if (keeper->engine < 0) {
		log_error("the engine cannot be started: %s", strerror(errno));
		close(ends[0]);
		close(ends[1]);
		return false;
	}
	if (keeper->engine == 0) {
		close(ends[0]);
		exit(be_engine(keeper, ends[1]));
	}
	close(ends[1]);
	keeper->channel = ends[0];
	keeper->started_ms = keeper->heard_ms = now_ms();
	keeper->start_again_ms = 0;
	return true;
}

static void describe_end(int status)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		log_error("the sandbox killed the engine for a system call that it does not allow (the "
		          "kernel's "
		          "log has its number, type=1326); its addresses are dropped.  If carpd itself made "
		          "it, "
		          "sandbox = false turns the sandbox off until that is mended");
	else if (WIFSIGNALED(status))
		log_error("the engine was killed by signal %d (%s); its addresses are dropped",
		          WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		log_error("the engine ended with status %d; its addresses are dropped", WEXITSTATUS(status));
}

static void engine_ended(struct keeper *keeper, int status)
{
	bool clean = WIFEXITED(status) && WEXITSTATUS(status) == 0;

	if (!(clean && keeper->stopping)) {
		drop_everything(keeper);
		describe_end(status);
	}
	close(keeper->channel);
	keeper->channel = -1;
	keeper->engine = 0;
	if (keeper->sent != NULL)
		config_free(keeper->sent);
	keeper->sent = NULL;
	if (keeper->stopping) {
		keeper->status = clean ? EXIT_SUCCESS : EXIT_FAILURE;
		return;
	}
	if (now_ms() - keeper->started_ms > SERVED_WELL_MS)
		keeper->backoff_ms = BACKOFF_FIRST_MS;
	keeper->start_again_ms = now_ms() + keeper->backoff_ms;
	log_notice("the engine starts again in %d ms", keeper->backoff_ms);
	keeper->backoff_ms =
	        keeper->backoff_ms * 2 > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : keeper->backoff_ms * 2;
}

static void collect_children(struct keeper *keeper)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == keeper->engine)
			engine_ended(keeper, status);
}

/* The first request hands over and waits; a second one means: now. */
static void stop(struct keeper *keeper)
{
	bool again = keeper->stopping;

	keeper->stopping = true;
	notify_manager("STOPPING=1");
	if (keeper->engine == 0)
		return;
	if (again || channel_send(keeper->channel, MESSAGE_STOP, NULL, -1) < 0)
		(void)kill(keeper->engine, SIGKILL);
}

/* The answer to a request is one sentence on one line. */
static void join_lines(char *text)
{
	for (char *end = text; (end = strchr(end, '\n')) != NULL; end++)
		*end = end[1] == '\0' ? '\0' : ';';
}

static void refuse_reload(struct keeper *keeper, const char *errors)
{
	log_error("the configuration was not reloaded; the old one stays in force:");
	for (const char *line = errors; *line != '\0';) {
		size_t length = strcspn(line, "\n");
		log_error("%.*s", (int)length, line);
		line += length + (line[length] == '\n');
	}
	if (keeper->channel < 0)
		return;
	char *answer = strdup(errors);
	if (answer == NULL)
		return;
	join_lines(answer);
	(void)channel_send(keeper->channel, MESSAGE_RELOAD_REFUSED, answer, -1);
	free(answer);
}

/* Passphrases included, so in memory that has no name and goes with its last descriptor. */
static int write_for_engine(const struct config *config)
{
	int fd = memfd_create("carpd.conf", MFD_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(dup(fd), "w");

	if (file == NULL)
		return -errno;
	config_print(config, CONFIG_SHOW_SECRETS, file);
	if (fclose(file) != 0 || lseek(fd, 0, SEEK_SET) < 0) {
		close(fd);
		return -EIO;
	}
	return fd;
}

static void send_config(struct keeper *keeper, struct config *config)
{
	int fd = write_for_engine(config);

	if (keeper->sent != NULL)
		config_free(keeper->sent);
	keeper->sent = config;
	if (fd < 0 || channel_send(keeper->channel, MESSAGE_RELOAD, NULL, fd) < 0)
		log_error("the new configuration could not be given to the engine");
	if (fd >= 0)
		close(fd);
}

static void warn_of_restart(const struct config *old, const struct config *new)
{
	if (strcmp(old->user, new->user) != 0 || strcmp(old->control_path, new->control_path) != 0 ||
	    strcmp(old->state_directory, new->state_directory) != 0 || old->realtime != new->realtime ||
	    old->sandbox != new->sandbox)
		log_warning(
		        "user, control, state-directory, realtime and sandbox change with a restart only");
}

static void reload(struct keeper *keeper)
{
	char *errors = NULL;
	size_t length = 0;
	struct config *config = NULL;

	if (keeper->path == NULL) {
		refuse_reload(keeper, "carpd run has no file to read again");
		return;
	}
	FILE *stream = open_memstream(&errors, &length);
	if (stream == NULL)
		return;
	config = config_load(keeper->path, stream);
	fclose(stream);
	if (config == NULL) {
		refuse_reload(keeper, errors);
	} else {
		if (length > 0)
			log_warning("%s", errors);
		warn_of_restart(keeper->config, config);
		if (keeper->channel >= 0) {
			send_config(keeper, config);
		} else {
			config_free(keeper->config);
			keeper->config = config;
		}
	}
	free(errors);
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
			reload(keeper);
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
		notify_manager("READY=1\nSTATUS=in service");
	keeper->announced = true;
}

static void config_in_force(struct keeper *keeper)
{
	if (keeper->sent == NULL)
		return;
	config_free(keeper->config);
	keeper->config = keeper->sent;
	keeper->sent = NULL;
}

static void read_channel(struct keeper *keeper)
{
	struct message message;

	while (keeper->channel >= 0 && channel_receive(keeper->channel, &message) > 0) {
		keeper->heard_ms = now_ms();
		switch (message.kind) {
		case MESSAGE_READY:
			engine_is_ready(keeper);
			break;
		case MESSAGE_ALIVE:
			notify_manager("WATCHDOG=1");
			break;
		case MESSAGE_RELOAD_WANTED:
			reload(keeper);
			break;
		case MESSAGE_RELOADED:
			config_in_force(keeper);
			break;
		case MESSAGE_STOP:
		case MESSAGE_RELOAD:
		case MESSAGE_RELOAD_REFUSED:
			break;
		}
	}
}

static void watch_engine(struct keeper *keeper)
{
	if (keeper->engine == 0 || now_ms() - keeper->heard_ms < SILENCE_MAX_MS)
		return;
	log_error("the engine has not been heard for %d s; it is stuck, and ended", SILENCE_MAX_MS / 1000);
	keeper->heard_ms = now_ms();
	(void)kill(keeper->engine, SIGKILL);
}

static int next_timeout_ms(const struct keeper *keeper)
{
	int64_t due = keeper->engine != 0 ? keeper->heard_ms + SILENCE_MAX_MS : keeper->start_again_ms;
	int64_t left = due - now_ms();

	return left < 0 ? 0 : (int)left;
}

/* After the first engine has started; later ones are forked from inside of it. */
static void enter_sandbox(const struct config *config)
{
	int error = config->sandbox ? sandbox_filter_keeper() : 0;

	if (error < 0)
		log_warning("the keeper runs without its sandbox: %s", strerror(-error));
}

static void run(struct keeper *keeper)
{
	while (!(keeper->stopping && keeper->engine == 0)) {
		struct pollfd fds[2] = {{.fd = keeper->signals, .events = POLLIN},
		                        {.fd = keeper->channel, .events = POLLIN}};
		(void)poll(fds, 2, next_timeout_ms(keeper));
		if (fds[1].revents != 0)
			read_channel(keeper);
		if (fds[0].revents != 0)
			read_signals(keeper);
		watch_engine(keeper);
		if (keeper->engine == 0 && !keeper->stopping && now_ms() >= keeper->start_again_ms &&
		    !start_engine(keeper))
			keeper->start_again_ms = now_ms() + BACKOFF_MAX_MS;
	}
}

static bool may_serve(void)
{
	if (sandbox_may_serve())
		return true;
	log_error("carpd must be started as root, or with the capabilities NET_ADMIN, NET_RAW, BPF and "
	          "PERFMON; the part that meets packets gives up what it can at once");
	return false;
}

int keeper_clean(void)
{
	if (!may_serve() || !be_the_only_one())
		return EXIT_FAILURE;
	int addresses = rtnl_clean();
	int gates = gate_clean();
	if (addresses < 0) {
		log_error("interfaces cannot be cleaned: %s", strerror(-addresses));
		return EXIT_FAILURE;
	}
	if (addresses > 0 || gates > 0)
		log_notice("removed %d addresses and entries and %d gates", addresses, gates > 0 ? gates : 0);
	return EXIT_SUCCESS;
}

int keeper_run(struct config *config, const char *path)
{
	struct keeper keeper = {.config = config,
	                        .path = path,
	                        .channel = -1,
	                        .control_fd = -1,
	                        .backoff_ms = BACKOFF_FIRST_MS,
	                        .status = EXIT_FAILURE};

	if (!may_serve() || !be_the_only_one() || !open_control(&keeper))
		return EXIT_FAILURE;
	clean_kernel("an earlier run was killed");
	look_up_user(&keeper);
	make_state_directory(&keeper);
	load_gate(&keeper);
	keeper.signals = open_signals();
	log_notice("carpd %s: %zu group%s", CARPD_VERSION, config->group_count,
	           config->group_count == 1 ? "" : "s");
	if (keeper.signals < 0 || !start_engine(&keeper))
		return EXIT_FAILURE;
	enter_sandbox(config);
	run(&keeper);
	clean_kernel("stopped");
	(void)unlink(keeper.config->control_path);
	config_free(keeper.config);
	log_notice("stopped");
	return keeper.status;
}
