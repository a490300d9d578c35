#include "claim.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "linux/sandbox.h"
#include "log.h"

/*
 * One carpd a network namespace, since they would fight over addresses that they
 * mark alike.  An abstract socket belongs to the namespace and goes with the
 * process, however it ends.
 */
static bool bind_name(void)
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

static bool is_the_only_one(void)
{
	if (bind_name())
		return true;
	if (errno == EADDRINUSE)
		log_error("carpd is running in this network namespace already; one serves all its groups");
	else
		log_error("cannot make sure that no other carpd runs: %s", strerror(errno));
	return false;
}

static bool may_serve(void)
{
	if (sandbox_may_serve())
		return true;
	log_error("carpd must be started as root, or with the capabilities NET_ADMIN, NET_RAW, BPF and "
	          "PERFMON; the part that meets packets gives up what it can at once");
	return false;
}

bool claim_namespace(void)
{
	return may_serve() && is_the_only_one();
}
