#include "carpctl/request.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define READ_BYTES 65536U

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Linux refuses to connect to a plain file as it does to a socket that nobody listens on. */
static int explain_refusal(const char *path)
{
	struct stat status;

	if (stat(path, &status) == 0 && !S_ISSOCK(status.st_mode))
		return -ENOTSOCK;
	return -ECONNREFUSED;
}

static int connect_to(const char *path, int timeout_s, int *ret_fd)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval limit = {.tv_sec = timeout_s};
	int fd, error = 0;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path) + 1);

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	/* The limit holds for connect too, which waits while the daemon's backlog is full. */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0 ||
	    connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		error = -errno;
	if (error == -ECONNREFUSED)
		error = explain_refusal(path);
	if (error < 0) {
		close(fd);
		return error == -EAGAIN ? -ETIMEDOUT : error;
	}
	*ret_fd = fd;
	return 0;
}

static int send_line(int fd, const char *line)
{
	size_t left = strlen(line);

	while (left > 0) {
		ssize_t sent = send(fd, line, left, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		/* A daemon that hangs up on a request has told why before it did: read on. */
		if (sent < 0 && (errno == EPIPE || errno == ECONNRESET))
			return 0;
		if (sent < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		line += sent;
		left -= (size_t)sent;
	}
	return 0;
}

static int wait_readable(int fd, int64_t deadline_ms)
{
	struct pollfd readable = {.fd = fd, .events = POLLIN};

	for (;;) {
		int64_t left_ms = deadline_ms - now_ms();
		int ready = poll(&readable, 1, left_ms > 0 ? (int)left_ms : 0);

		if (ready > 0)
			return 0;
		if (ready == 0)
			return -ETIMEDOUT;
		if (errno != EINTR)
			return -errno;
	}
}

static int receive_some(int fd, int64_t deadline_ms, char *buffer, size_t room, size_t *ret_received)
{
	ssize_t received;
	int error = wait_readable(fd, deadline_ms);

	if (error < 0)
		return error;
	received = recv(fd, buffer, room, 0);
	if (received < 0 && errno != ECONNRESET)
		return -errno;
	*ret_received = received > 0 ? (size_t)received : 0;
	return 0;
}

/* Makes room for one more read behind what is there. */
static int make_room(char **line, size_t *size, size_t length)
{
	size_t larger_size = *size * 2 + READ_BYTES;
	char *larger;

	if (length + READ_BYTES <= *size)
		return 0;
	larger = realloc(*line, larger_size);
	if (!larger)
		return -ENOMEM;
	*line = larger;
	*size = larger_size;
	return 0;
}

/* The buffer is the caller's to free, whatever the outcome. */
static int receive_line(int fd, int64_t deadline_ms, char **line, size_t *ret_length)
{
	size_t size = 0, length = 0;

	while (length <= REQUEST_ANSWER_MAX) {
		size_t received = 0;
		char *end;
		int error = make_room(line, &size, length);

		if (error == 0)
			error = receive_some(fd, deadline_ms, *line + length, READ_BYTES, &received);
		if (error < 0)
			return error;
		if (received == 0)
			return length == 0 ? -ENODATA : -EPROTO;
		end = memchr(*line + length, '\n', received);
		if (end) {
			*end = '\0';
			*ret_length = (size_t)(end - *line);
			return *ret_length <= REQUEST_ANSWER_MAX ? 0 : -EMSGSIZE;
		}
		length += received;
	}
	return -EMSGSIZE;
}

int request_exchange(const char *socket_path, const char *line, int timeout_s, char **ret_answer,
                     size_t *ret_length)
{
	int64_t deadline_ms = now_ms() + (int64_t)timeout_s * 1000;
	char *answer = NULL;
	int fd = -1, error = connect_to(socket_path, timeout_s, &fd);

	if (error < 0)
		return error;
	error = send_line(fd, line);
	if (error == 0)
		error = receive_line(fd, deadline_ms, &answer, ret_length);
	close(fd);
	if (error < 0)
		free(answer);
	else
		*ret_answer = answer;
	return error;
}
