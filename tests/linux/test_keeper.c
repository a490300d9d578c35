/*
 * The keeper with an engine that is in somebody else's hands: daemon_run is the one
 * below, and does the worst that the engine's sandbox leaves it.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "carpd/keeper/channel.h"
#include "carpd/config/config.h"
#include "carpd/keeper/startup.h"
#include "carpd/keeper/keeper.h"
#include "network.h"

/* Shared between the test, the keeper and its engines. */
static struct shared {
	volatile unsigned engines; /* how many were started */
	volatile bool done;        /* the first has done what it wanted */
} * shared;

static void (*misdeed)(int channel);

int daemon_run(const struct startup *startup)
{
	shared->engines++;
	signal(SIGTERM, SIG_IGN);
	misdeed(startup->channel);
	return EXIT_SUCCESS;
}

static void sleep_ms(long ms)
{
	const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	nanosleep(&pause, NULL);
}

static void talk(int channel)
{
	for (;;) {
		(void)channel_say(channel, MESSAGE_ALIVE);
		sleep_ms(100);
	}
}

static void flood(int channel)
{
	for (;;) {
		(void)channel_say(channel, MESSAGE_ALIVE);
		(void)channel_say(channel, MESSAGE_RELOADED);
	}
}

#define DESCRIPTORS 300
/* More than the channel holds: when these are sent, those before have been read. */
#define PUSHING 1200

static void send_all(int channel, int count, int fd)
{
	while (count > 0)
		if (channel_send(channel, MESSAGE_ALIVE, 0, NULL, fd) == 0)
			count--;
		else
			sleep_ms(1);
}

static void send_descriptors(int channel)
{
	send_all(channel, DESCRIPTORS, open("/dev/null", O_RDONLY));
	send_all(channel, PUSHING, -1);
	shared->done = true;
	talk(channel);
}

static void close_channel(int channel)
{
	close(channel);
	for (;;)
		sleep_ms(1000);
}

static void babble(int channel)
{
	(void)send(channel, "x", 1, 0);
	for (;;)
		sleep_ms(1000);
}

static void claim_too_much(int channel)
{
	(void)channel_send(channel, MESSAGE_SEALS, ~MESSAGE_SEALS_SECOND, NULL, -1);
	(void)channel_send(channel, MESSAGE_SEALS, UINT32_MAX, NULL, -1);
	(void)channel_send(channel, (enum message_kind)12345, 0, "x", -1);
	shared->done = true;
	talk(channel);
}

static char directory[] = "/tmp/carpd-keeper-XXXXXX";

static struct config *configure(const char *path)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fprintf(file,
	        "control = \"%s/control\"\nstate-directory = \"%s/state\"\nhandover-wait = 0\nuser = nobody\n"
	        "group g { interface = eth0  vhid = 1  addresses = { 192.0.2.1/24 }  passphrase = carp }\n",
	        directory, directory);
	fclose(file);
	assert_int_equal(chmod(path, 0600), 0);
	struct config *config = config_load(path, stderr);
	assert_non_null(config);
	return config;
}

static pid_t start(void (*wanted)(int channel))
{
	char path[128];

	snprintf(path, sizeof(path), "%s/carpd.conf", directory);
	misdeed = wanted;
	shared->engines = 0;
	shared->done = false;
	struct config *config = configure(path);
	pid_t keeper = fork();
	assert_true(keeper >= 0);
	if (keeper == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		exit(keeper_run(config, path));
	}
	config_free(config);
	return keeper;
}

/* What the keeper's deadlines add up to, on a busy machine. */
#define PATIENCE_S 40

static int wait_for_end(pid_t keeper)
{
	int status;

	for (int i = 0; i < PATIENCE_S * 100; i++) {
		if (waitpid(keeper, &status, WNOHANG) == keeper)
			return status;
		sleep_ms(10);
	}
	kill(keeper, SIGKILL);
	fail_msg("the keeper does not end");
	return -1;
}

static void wait_for(pid_t keeper, bool (*condition)(pid_t keeper))
{
	for (int i = 0; i < PATIENCE_S * 100; i++) {
		if (condition(keeper))
			return;
		sleep_ms(10);
	}
	kill(keeper, SIGKILL);
	fail_msg("what is waited for does not come");
}

static bool has_engine(pid_t keeper)
{
	(void)keeper;
	return shared->engines > 0;
}

static bool has_second_engine(pid_t keeper)
{
	(void)keeper;
	return shared->engines > 1;
}

static bool is_done(pid_t keeper)
{
	(void)keeper;
	return shared->done;
}

static int count_descriptors(pid_t pid)
{
	char path[64];
	int count = 0;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	DIR *list = opendir(path);
	assert_non_null(list);
	while (readdir(list) != NULL)
		count++;
	closedir(list);
	return count;
}

static double cpu_s(pid_t pid)
{
	char path[64];
	unsigned long user = 0, system = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	(void)fscanf(file, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
	             &system);
	fclose(file);
	return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

/* The engine that ignores the request is killed for it, which is no clean end. */
static void stop(pid_t keeper)
{
	kill(keeper, SIGTERM);
	int status = wait_for_end(keeper);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EXIT_FAILURE);
}

static void stop_at_once(pid_t keeper)
{
	kill(keeper, SIGTERM);
	sleep_ms(50);
	kill(keeper, SIGTERM);
	sleep_ms(50);
	kill(keeper, SIGTERM);
	(void)wait_for_end(keeper);
}

static void test_takes_no_descriptors(void **state)
{
	pid_t keeper = start(send_descriptors);

	(void)state;
	wait_for(keeper, is_done);
	assert_true(count_descriptors(keeper) < 50);
	stop_at_once(keeper);
}

static void test_closed_channel(void **state)
{
	pid_t keeper = start(close_channel);

	(void)state;
	wait_for(keeper, has_second_engine);
	assert_true(cpu_s(keeper) < 1);
	stop_at_once(keeper);
}

static void test_babble(void **state)
{
	pid_t keeper = start(babble);

	(void)state;
	wait_for(keeper, has_second_engine);
	stop_at_once(keeper);
}

static void test_talks_and_ignores_a_stop(void **state)
{
	pid_t keeper = start(talk);

	(void)state;
	wait_for(keeper, has_engine);
	stop(keeper);
	assert_int_equal(shared->engines, 1);
}

static void test_floods_and_ignores_a_stop(void **state)
{
	pid_t keeper = start(flood);

	(void)state;
	wait_for(keeper, has_engine);
	stop(keeper);
	assert_int_equal(shared->engines, 1);
}

static void test_talks_and_ignores_a_reload(void **state)
{
	pid_t keeper = start(talk);

	(void)state;
	wait_for(keeper, has_engine);
	kill(keeper, SIGHUP);
	wait_for(keeper, has_second_engine);
	stop_at_once(keeper);
}

static void test_claims_too_much(void **state)
{
	pid_t keeper = start(claim_too_much);

	(void)state;
	wait_for(keeper, is_done);
	stop(keeper);
	assert_int_equal(shared->engines, 1);
}

static int prepare(void **state)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED || mkdtemp(directory) == NULL)
		return -1;
	return network_enter(state);
}

static int clear(void **state)
{
	(void)state;
	network_run("rm -r %s", directory);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_takes_no_descriptors),
	        cmocka_unit_test(test_closed_channel),
	        cmocka_unit_test(test_babble),
	        cmocka_unit_test(test_talks_and_ignores_a_stop),
	        cmocka_unit_test(test_floods_and_ignores_a_stop),
	        cmocka_unit_test(test_talks_and_ignores_a_reload),
	        cmocka_unit_test(test_claims_too_much),
	};

	return cmocka_run_group_tests(tests, prepare, clear);
}
