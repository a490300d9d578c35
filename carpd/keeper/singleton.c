#include "singleton.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/packet.h"
#include "linux/sandbox.h"
#include "carpd/log/log.h"

/*
 * One carpd a network namespace, since they would fight over addresses that they
 * mark alike.  The claim is a raw socket, bound to a group that nobody sends to: it
 * belongs to the namespace, whatever file system its processes see, goes with the
 * process, however it ends, and the kernel gives one to those with CAP_NET_RAW only.
 * A name among the sockets of AF_UNIX, or a lock on a file that a service without
 * root can open, anybody could take first.
 */
#define CLAIM_GROUP "239.255.0.112"

/* The kernel lets several bind the same, so who comes second goes; of two at once, after a while of its own.
 */
#define TRIES           5
#define PAUSE_MAX_NS    200000000U
#define SOCKETS_OF_RAW  "/proc/net/raw"
#define CLAIM_LINE_SIZE 256

static int open_claim(void)
{
	struct sock_filter drop_all[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
	const struct sock_fprog program = {.len = 1, .filter = drop_all};
	struct sockaddr_in group = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, CARP_PROTOCOL);

	if (fd < 0)
		return -errno;
	(void)inet_pton(AF_INET, CLAIM_GROUP, &group.sin_addr);
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ||
	    bind(fd, (const struct sockaddr *)(const void *)&group, sizeof(group)) < 0) {
		int error = -errno;
		close(fd);
		return error;
	}
	return fd;
}

/* Ours among them.  The file shows an address as the number that its bytes are on this machine. */
static int count_claims(void)
{
	struct in_addr group;
	char line[CLAIM_LINE_SIZE];
	uint32_t address;
	unsigned protocol;
	int count = 0;
	FILE *file = fopen(SOCKETS_OF_RAW, "re");

	if (file == NULL)
		return -errno;
	(void)inet_pton(AF_INET, CLAIM_GROUP, &group);
	while (fgets(line, sizeof(line), file) != NULL)
		if (sscanf(line, " %*u: %" SCNx32 ":%x", &address, &protocol) == 2 &&
		    address == group.s_addr && protocol == CARP_PROTOCOL)
			count++;
	fclose(file);
	/* A /proc that hides our own shows nobody else's either. */
	return count > 0 ? count : -ENOENT;
}

static void pause_for_a_while(void)
{
	uint32_t random = (uint32_t)getpid();
	struct timespec pause = {0};

	(void)getrandom(&random, sizeof(random), GRND_NONBLOCK);
	pause.tv_nsec = random % PAUSE_MAX_NS;
	(void)nanosleep(&pause, NULL);
}

/* How many others there are, or -errno. */
static int claim(void)
{
	int fd = open_claim();
	int count = fd < 0 ? fd : count_claims();

	if (count == 1)
		return 0; /* and fd stays open */
	if (fd >= 0)
		close(fd);
	return count < 0 ? count : count - 1;
}

static bool is_the_only_one(void)
{
	int others = claim();

	for (int i = 1; i < TRIES && others > 0; i++) {
		pause_for_a_while();
		others = claim();
	}
	if (others > 0)
		log_error("carpd is running in this network namespace already; one serves all its groups");
	if (others < 0)
		log_error("cannot make sure that no other carpd runs (a raw socket in " SOCKETS_OF_RAW
		          "): %s",
		          strerror(-others));
	return others == 0;
}

static bool may_serve(void)
{
	if (sandbox_may_serve())
		return true;
	log_error("carpd must be started as root, or with the capabilities NET_ADMIN, NET_RAW, BPF and "
	          "PERFMON; the part that meets packets gives up what it can at once");
	return false;
}

bool singleton_claim(void)
{
	return may_serve() && is_the_only_one();
}
