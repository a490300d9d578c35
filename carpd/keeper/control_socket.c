#include "control_socket.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 32

static bool somebody_listens(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool connected =
	        fd >= 0 && connect(fd, (const struct sockaddr *)(const void *)address, sizeof(*address)) == 0;

	if (fd >= 0)
		close(fd);
	return connected;
}

/* A socket that nobody listens on is one that a killed run left; anything else is not ours. */
static int remove_leftover(const struct sockaddr_un *address)
{
	struct stat what;

	if (lstat(address->sun_path, &what) < 0)
		return 0;
	if (!S_ISSOCK(what.st_mode))
		return -EEXIST;
	if (somebody_listens(address))
		return -EADDRINUSE;
	(void)unlink(address->sun_path);
	return 0;
}

int control_socket_open(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	int error = remove_leftover(&address);
	if (error < 0)
		return error;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	/* Everybody may look; who may act is decided by the peer's credentials. */
	if (bind(fd, (const struct sockaddr *)(const void *)&address, sizeof(address)) < 0 ||
	    chmod(path, 0666) < 0 || listen(fd, BACKLOG) < 0) {
		error = -errno;
		close(fd);
		return error;
	}
	return fd;
}
