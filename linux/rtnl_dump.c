/*
 * A socket, and a question to the kernel that has a whole table for its answer.
 */
#include "linux/rtnl_private.h"

#include <errno.h>
#include <string.h>

#include <sys/socket.h>

/* Kernel memory, used only while events are waiting: about ten thousand of them. */
#define RECEIVE_BUFFER_BYTES (8 << 20)
#define DUMP_TRIES_MAX       8

/*
 * Reads one whole dump, whatever happens in it: parts left on the socket would
 * be in the way of the next.  -EINTR if a change interrupted it.
 */
static int read_dump(struct mnl_socket *socket, uint8_t *buffer, size_t room, uint32_t sequence,
                     rtnl_heard *heard, void *context)
{
	bool interrupted = false;

	for (;;) {
		ssize_t got = mnl_socket_recvfrom(socket, buffer, room);
		const void *start = buffer;
		const struct nlmsghdr *message = start;
		int left = (int)got;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
			if (message->nlmsg_seq != sequence)
				continue;
			interrupted |= (message->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
			if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR) {
				/* Both begin with 0 or a negative errno. */
				const int *error = mnl_nlmsg_get_payload(message);

				if (mnl_nlmsg_get_payload_len(message) >= sizeof(*error) && *error < 0)
					return *error;
				return interrupted ? -EINTR : 0;
			}
			heard(context, message);
		}
	}
}

int rtnl_dump(struct rtnl *rtnl, struct mnl_socket *socket, uint8_t *buffer, size_t room,
              const struct rtnl_question *question, rtnl_heard *heard, void *context)
{
	int error = -EINTR;

	for (int i = 0; i < DUMP_TRIES_MAX && error == -EINTR; i++) {
		_Alignas(8) uint8_t request[RTNL_REQUEST_BYTES_MAX];
		struct nlmsghdr *message = mnl_nlmsg_put_header(request);

		message->nlmsg_type = question->type;
		message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
		message->nlmsg_seq = ++rtnl->sequence;
		memcpy(mnl_nlmsg_put_extra_header(message, question->header_bytes), question->header,
		       question->header_bytes);
		if (question->link_filter)
			mnl_attr_put_u32(message, IFLA_EXT_MASK, question->link_filter);
		if (mnl_socket_sendto(socket, message, message->nlmsg_len) < 0)
			return -errno;
		error = read_dump(socket, buffer, room, message->nlmsg_seq, heard, context);
	}
	return error;
}

int rtnl_socket_open(struct mnl_socket **ret_socket)
{
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	int on = 1, bytes = RECEIVE_BUFFER_BYTES, error;

	if (!socket)
		return -errno;
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		error = -errno;
		mnl_socket_close(socket);
		return error;
	}
	/* Kernels that lack one of these work without it. */
	mnl_socket_setsockopt(socket, NETLINK_EXT_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(socket, NETLINK_CAP_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(socket, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	if (setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
		setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	*ret_socket = socket;
	return 0;
}
