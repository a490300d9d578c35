#include "carpctl/key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define KEY_BYTES      32
#define KEY_LINE_BYTES (2 * KEY_BYTES + 1)

static int write_key(int fd)
{
	unsigned char key[KEY_BYTES];
	char line[KEY_LINE_BYTES + 1];
	ssize_t written;

	/* Up to 256 bytes come whole or not at all, once the kernel has enough to give (random(4)). */
	if (getrandom(key, sizeof(key), 0) != (ssize_t)sizeof(key))
		return -errno;
	for (size_t i = 0; i < KEY_BYTES; i++)
		sprintf(line + 2 * i, "%02x", (unsigned int)key[i]);
	line[KEY_LINE_BYTES - 1] = '\n';
	errno = ENOSPC;
	written = write(fd, line, KEY_LINE_BYTES);
	explicit_bzero(key, sizeof(key));
	explicit_bzero(line, sizeof(line));
	if (written != KEY_LINE_BYTES)
		return -errno;
	return fsync(fd) < 0 ? -errno : 0;
}

int key_create(const char *path)
{
	/* O_EXCL also refuses a symbolic link, which could lead the key to a place others read. */
	int error, fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	error = write_key(fd);
	if (close(fd) < 0 && error == 0)
		error = -errno;
	if (error < 0)
		unlink(path);
	return error;
}
