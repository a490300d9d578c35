#include "channel.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

int channel_open(int ret_fds[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ret_fds) < 0 ? -errno
	                                                                                          : 0;
}

union control {
	struct cmsghdr header; /* for its alignment */
	uint8_t bytes[CMSG_SPACE(sizeof(int))];
};

int channel_send(int channel, enum message_kind kind, const char *text, int fd)
{
	char empty = '\0';
	struct iovec parts[2] = {{.iov_base = &kind, .iov_len = sizeof(kind)},
	                         {.iov_base = &empty, .iov_len = 1}};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
	union control control = {0};
	char copy[CHANNEL_TEXT_MAX];

	if (text != NULL) {
		size_t length = strnlen(text, sizeof(copy) - 1);
		memcpy(copy, text, length);
		copy[length] = '\0';
		parts[1] = (struct iovec){.iov_base = copy, .iov_len = length + 1};
	}
	if (fd >= 0) {
		message.msg_control = control.bytes;
		message.msg_controllen = sizeof(control.bytes);
		struct cmsghdr *header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	}
	return sendmsg(channel, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int channel_receive(int channel, struct message *ret_message)
{
	struct iovec parts[2] = {{.iov_base = &ret_message->kind, .iov_len = sizeof(ret_message->kind)},
	                         {.iov_base = ret_message->text, .iov_len = sizeof(ret_message->text) - 1}};
	union control control = {0};
	struct msghdr message = {.msg_iov = parts,
	                         .msg_iovlen = 2,
	                         .msg_control = control.bytes,
	                         .msg_controllen = sizeof(control.bytes)};
	ssize_t length = recvmsg(channel, &message, MSG_CMSG_CLOEXEC);

	if (length < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (length == 0)
		return -EPIPE;
	if ((size_t)length < sizeof(ret_message->kind))
		return -EBADMSG;
	ret_message->text[(size_t)length - sizeof(ret_message->kind)] = '\0';
	ret_message->fd = -1;
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	if (header != NULL && header->cmsg_type == SCM_RIGHTS)
		memcpy(&ret_message->fd, CMSG_DATA(header), sizeof(ret_message->fd));
	return 1;
}
