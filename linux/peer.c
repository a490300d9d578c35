#include "peer.h"

#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/packet.h"

/*
 * The socket exists to send.  That it is there also keeps the kernel from
 * answering a peer's advert with "protocol unreachable".
 */
static int receive_nothing(int fd)
{
	struct sock_filter drop_all[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
	struct sock_fprog program = {.len = 1, .filter = drop_all};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

static int send_as_carp(int fd, enum family family)
{
	int hops = CARP_TTL, low_delay = 0x10;

	if (family == FAMILY_IPV6)
		return setsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &hops, sizeof(hops));
	if (setsockopt(fd, IPPROTO_IP, IP_TTL, &hops, sizeof(hops)) < 0)
		return -1;
	return setsockopt(fd, IPPROTO_IP, IP_TOS, &low_delay, sizeof(low_delay));
}

int peer_open(enum family family)
{
	int domain = family == FAMILY_IPV4 ? AF_INET : AF_INET6;
	int fd = socket(domain, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, CARP_PROTOCOL);

	if (fd < 0)
		return -errno;
	if (receive_nothing(fd) < 0 || send_as_carp(fd, family) < 0) {
		int error = -errno;
		close(fd);
		return error;
	}
	return fd;
}

union control {
	struct cmsghdr header; /* for its alignment */
	uint8_t bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

static int send_from(int fd, struct msghdr *message, int level, int type, const void *source,
                     size_t source_bytes)
{
	union control control = {0};

	message->msg_control = control.bytes;
	message->msg_controllen = CMSG_SPACE(source_bytes);
	struct cmsghdr *header = CMSG_FIRSTHDR(message);
	header->cmsg_level = level;
	header->cmsg_type = type;
	header->cmsg_len = CMSG_LEN(source_bytes);
	memcpy(CMSG_DATA(header), source, source_bytes);
	int error = sendmsg(fd, message, 0) < 0 ? -errno : 0;
	message->msg_control = NULL;
	return error;
}

static int send_ipv4(int fd, const struct address *source, const struct address *peer, struct iovec *payload)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	struct in_pktinfo from = {0};
	struct msghdr message = {
	        .msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = payload, .msg_iovlen = 1};

	memcpy(&to.sin_addr, peer->bytes, 4);
	memcpy(&from.ipi_spec_dst, source->bytes, 4);
	return send_from(fd, &message, IPPROTO_IP, IP_PKTINFO, &from, sizeof(from));
}

static int send_ipv6(int fd, int link_index, const struct address *source, const struct address *peer,
                     struct iovec *payload)
{
	struct sockaddr_in6 to = {.sin6_family = AF_INET6};
	struct in6_pktinfo from = {0};
	struct msghdr message = {
	        .msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = payload, .msg_iovlen = 1};

	memcpy(&to.sin6_addr, peer->bytes, 16);
	memcpy(&from.ipi6_addr, source->bytes, 16);
	if (address_is_link_local(peer))
		to.sin6_scope_id = (uint32_t)link_index;
	if (address_is_link_local(source))
		from.ipi6_ifindex = (unsigned)link_index;
	return send_from(fd, &message, IPPROTO_IPV6, IPV6_PKTINFO, &from, sizeof(from));
}

int peer_send(int fd, int link_index, const struct address *source, const struct address *peer,
              const uint8_t *payload, size_t bytes)
{
	struct iovec vector = {.iov_len = bytes};

	memcpy(&vector.iov_base, &payload, sizeof(payload)); /* sendmsg does not write to it */
	return peer->family == FAMILY_IPV4 ? send_ipv4(fd, source, peer, &vector)
	                                   : send_ipv6(fd, link_index, source, peer, &vector);
}
