#include "config_secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT_PASSPHRASE_MAX 19 /* the BSDs take 20 bytes with the final zero */
#define FILE_MAX            4096
#define OTHERS              (S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH)

static bool is_exposed(const struct stat *status)
{
	return (status->st_mode & OTHERS) != 0;
}

bool config_secret_is_exposed(FILE *stream, unsigned int *ret_mode)
{
	struct stat status;

	/* A file without a name, such as a memfd, can be reached by its owner's processes only. */
	if (fileno(stream) < 0 || fstat(fileno(stream), &status) < 0 || !S_ISREG(status.st_mode) ||
	    status.st_nlink == 0 || !is_exposed(&status))
		return false;
	*ret_mode = status.st_mode & 07777;
	return true;
}

/* As it is if it is harmless, so that it can be copied from the message. */
static const char *show_path(const char *path, char shown[CONFIG_QUOTE_MAX])
{
	size_t plain = strspn(path, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-/");

	return path[plain] == '\0' ? path : config_quote(path, shown);
}

static bool resolve(struct config_report *report, int line, const char *what, const char *path,
                    char resolved[CONFIG_PATH_MAX])
{
	const char *slash = strrchr(report->path, '/');
	int folder = path[0] != '/' && slash != NULL ? (int)(slash - report->path) + 1 : 0;

	if (path[0] == '\0') {
		config_error(report, line, "%s is empty; write the name of a file", what);
		return false;
	}
	if (snprintf(resolved, CONFIG_PATH_MAX, "%.*s%s", folder, report->path, path) >= CONFIG_PATH_MAX) {
		config_error(report, line, "%s is a path of more than %d characters; choose a shorter one",
		             what, CONFIG_PATH_MAX - 1);
		return false;
	}
	return true;
}

/* Who may open the file is looked at behind the open, so that it cannot be exchanged in between. */
static int open_secret(struct config_report *report, int line, const char *what, const char *path)
{
	char shown[CONFIG_QUOTE_MAX];
	struct stat status;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0) {
		config_error(report, line, "%s %s cannot be read: %s", what, show_path(path, shown),
		             strerror(errno));
		return -1;
	}
	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
		config_error(report, line, "%s %s is not a regular file; put the secret into one", what,
		             show_path(path, shown));
		close(fd);
		return -1;
	}
	if (is_exposed(&status)) {
		config_error(report, line, "%s %s can be read by others (mode %04o); chmod 600 it", what,
		             show_path(path, shown), status.st_mode & 07777U);
		close(fd);
		return -1;
	}
	return fd;
}

static ssize_t read_secret(struct config_report *report, int line, const char *what, const char *path,
                           char bytes[FILE_MAX])
{
	char shown[CONFIG_QUOTE_MAX];
	size_t length = 0;
	ssize_t more;
	int fd = open_secret(report, line, what, path);

	if (fd < 0)
		return -1;
	do {
		more = read(fd, bytes + length, FILE_MAX - length);
		if (more > 0)
			length += (size_t)more;
	} while (more > 0 || (more < 0 && errno == EINTR));
	if (more < 0)
		config_error(report, line, "%s %s cannot be read: %s", what, show_path(path, shown),
		             strerror(errno));
	close(fd);
	return more < 0 ? -1 : (ssize_t)length;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool read_hex(const char *digits, size_t count, uint8_t *bytes)
{
	for (size_t i = 0; i < count; i++) {
		int high = hex_digit(digits[2 * i]);
		int low = high < 0 ? -1 : hex_digit(digits[2 * i + 1]);

		if (low < 0)
			return false;
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static bool take_passphrase(struct config_report *report, int line, const char *text, size_t length,
                            struct passphrase *ret_passphrase)
{
	struct passphrase passphrase = {0};

	if (length == 0) {
		config_error(report, line, "the passphrase is empty; it needs 1 to %d bytes",
		             TEXT_PASSPHRASE_MAX);
		return false;
	}
	if (memchr(text, '\0', length) != NULL) {
		config_error(report, line,
		             "the passphrase has a zero byte; write it as 0x and 40 hex digits");
		return false;
	}
	if (length == 2 + 2 * sizeof(passphrase.bytes) && text[0] == '0' && text[1] == 'x' &&
	    read_hex(text + 2, sizeof(passphrase.bytes), passphrase.bytes)) {
		passphrase.length = sizeof(passphrase.bytes);
	} else if (length <= TEXT_PASSPHRASE_MAX) {
		memcpy(passphrase.bytes, text, length);
		passphrase.length = (uint8_t)length;
	} else {
		config_error(report, line,
		             "the passphrase has %zu bytes; at most %d, or a key of 0x and 40 hex digits",
		             length, TEXT_PASSPHRASE_MAX);
		explicit_bzero(&passphrase, sizeof(passphrase));
		return false;
	}
	*ret_passphrase = passphrase;
	explicit_bzero(&passphrase, sizeof(passphrase));
	return true;
}

bool config_secret_take_passphrase(struct config_report *report, int line, const char *text,
                                   struct passphrase *ret_passphrase)
{
	return take_passphrase(report, line, text, strlen(text), ret_passphrase);
}

static size_t first_line(const char *bytes, size_t length)
{
	const char *end = memchr(bytes, '\n', length);

	if (end == NULL)
		return length;
	return end > bytes && end[-1] == '\r' ? (size_t)(end - bytes) - 1 : (size_t)(end - bytes);
}

bool config_secret_read_passphrase(struct config_report *report, int line, const char *path,
                                   struct passphrase *ret_passphrase)
{
	char resolved[CONFIG_PATH_MAX], bytes[FILE_MAX];
	ssize_t length;
	bool good;

	if (!resolve(report, line, "passphrase-file", path, resolved))
		return false;
	length = read_secret(report, line, "passphrase-file", resolved, bytes);
	good = length >= 0 &&
	       take_passphrase(report, line, bytes, first_line(bytes, (size_t)length), ret_passphrase);
	explicit_bzero(bytes, sizeof(bytes));
	return good;
}

static bool take_key(const char *bytes, size_t length, uint8_t key[SEAL_KEY_BYTES])
{
	if (length == SEAL_KEY_BYTES) {
		memcpy(key, bytes, SEAL_KEY_BYTES);
		return true;
	}
	length = first_line(bytes, length) == 2 * SEAL_KEY_BYTES ? length : 0;
	/* One line and nothing behind it: a file that holds more is not what it was taken for. */
	if (length == 0 || length > 2 * SEAL_KEY_BYTES + 2 ||
	    (length > 2 * SEAL_KEY_BYTES && bytes[length - 1] != '\n'))
		return false;
	return read_hex(bytes, SEAL_KEY_BYTES, key);
}

static bool read_key_file(struct config_report *report, int line, struct config_key *key)
{
	char resolved[CONFIG_PATH_MAX], shown[CONFIG_QUOTE_MAX], bytes[FILE_MAX];
	ssize_t length;
	bool good;

	if (!resolve(report, line, "key", key->path, resolved))
		return false;
	length = read_secret(report, line, "key", resolved, bytes);
	good = length >= 0 && take_key(bytes, (size_t)length, key->bytes);
	if (length >= 0 && !good)
		config_error(
		        report, line,
		        "key %s is neither 32 bytes nor a line of 64 hex digits; make one with carpctl key",
		        show_path(resolved, shown));
	explicit_bzero(bytes, sizeof(bytes));
	return good;
}

bool config_secret_read_key(struct config_report *report, int line, const char *text,
                            struct config_key *ret_key)
{
	struct config_key key = {0};
	char *rest;
	unsigned long id = strtoul(text, &rest, 10);
	bool good;

	if (strcmp(text, "passphrase") == 0) {
		*ret_key = (struct config_key){.id = 0};
		return true;
	}
	/* The text is not shown: it may be a key. */
	if (hex_digit(text[0]) < 0 || *rest != ':' || id < 1 || id > 255) {
		config_error(report, line,
		             "a key is written \"ID:FILE\", with an id from 1 to 255, or \"passphrase\"");
		return false;
	}
	key.id = (uint8_t)id;
	rest++;
	if (strncmp(rest, "hex:", 4) == 0) {
		good = strlen(rest + 4) == 2 * SEAL_KEY_BYTES &&
		       read_hex(rest + 4, SEAL_KEY_BYTES, key.bytes);
		if (!good)
			config_error(report, line, "key %lu needs 64 hex digits behind hex:", id);
	} else if (strlen(rest) >= sizeof(key.path)) {
		config_error(report, line,
		             "key %lu has a path of more than %d characters; choose a shorter one", id,
		             CONFIG_PATH_MAX - 1);
		good = false;
	} else {
		memcpy(key.path, rest, strlen(rest) + 1);
		good = read_key_file(report, line, &key);
	}
	if (good)
		*ret_key = key;
	explicit_bzero(&key, sizeof(key));
	return good;
}
