#include "channel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int channel_open(int ret_fds[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ret_fds) < 0 ? -errno
	                                                                                          : 0;
}

/* What comes before the text. */
struct head {
	enum message_kind kind;
	uint32_t number;
};

union control {
	struct cmsghdr header; /* for its alignment */
	uint8_t bytes[CMSG_SPACE(sizeof(int))];
};

int channel_say(int channel, enum message_kind kind)
{
	return channel_send(channel, kind, 0, NULL, -1);
}

int channel_send(int channel, enum message_kind kind, uint32_t number, const char *text, int fd)
{
	char empty = '\0';
	struct head head = {.kind = kind, .number = number};
	struct iovec parts[2] = {{.iov_base = &head, .iov_len = sizeof(head)},
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

static int receive(int channel, struct msghdr *header, struct message *ret_message)
{
	struct head head;
	struct iovec parts[2] = {{.iov_base = &head, .iov_len = sizeof(head)},
	                         {.iov_base = ret_message->text, .iov_len = sizeof(ret_message->text) - 1}};

	header->msg_iov = parts;
	header->msg_iovlen = 2;
	ret_message->fd = -1;
	ssize_t length = recvmsg(channel, header, MSG_CMSG_CLOEXEC);
	if (length < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (length == 0)
		return -EPIPE;
	if ((size_t)length < sizeof(head))
		return -EBADMSG;
	ret_message->kind = head.kind;
	ret_message->number = head.number;
	ret_message->text[(size_t)length - sizeof(head)] = '\0';
	return 1;
}

int channel_receive(int channel, struct message *ret_message)
{
	/* Without room for descriptors the kernel closes them. */
	struct msghdr header = {0};

	return receive(channel, &header, ret_message);
}

int channel_receive_with_fd(int channel, struct message *ret_message)
{
	union control control = {0};
	/* For one and not, as CMSG_SPACE's padding would be, for two. */
	struct msghdr header = {.msg_control = control.bytes, .msg_controllen = CMSG_LEN(sizeof(int))};
	int result = receive(channel, &header, ret_message);
	int fd;

	struct cmsghdr *first = result == -EPIPE || result == 0 ? NULL : CMSG_FIRSTHDR(&header);
	if (first == NULL || first->cmsg_type != SCM_RIGHTS)
		return result;
	memcpy(&fd, CMSG_DATA(first), sizeof(fd));
	if (result > 0 && ret_message->kind == MESSAGE_RELOAD)
		ret_message->fd = fd;
	else
		close(fd);
	return result;
}
