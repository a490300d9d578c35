#include "peer.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/packet.h"

#define PACKET_BYTES_MAX 512
#define IPV6_BYTES       40
/* A flood must not keep the caller from its timers. */
#define PACKETS_MAX 256

/*
 * What is for this host alone.  That the socket is there also keeps the kernel from
 * answering a peer's advert with "protocol unreachable".
 */
static int receive_unicast(int fd, enum family family)
{
	struct sock_filter code[] = {
	        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE)),
	        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_HOST, 0, 1),
	        BPF_STMT(BPF_RET | BPF_K, PACKET_BYTES_MAX),
	        BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};
	int on = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0)
		return -1;
	if (family == FAMILY_IPV4)
		return setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
	if (setsockopt(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof(on)) < 0)
		return -1;
	return setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
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
	if (receive_unicast(fd, family) < 0 || send_as_carp(fd, family) < 0) {
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

struct arrival {
	uint8_t network[IPV6_BYTES + PACKET_BYTES_MAX];
	struct sockaddr_in6 source;
	int link_index;
};

union told {
	struct cmsghdr header; /* for its alignment */
	uint8_t bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(int))];
};

/* A raw socket of IPv6 gives the payload only. */
static void rebuild_header(struct arrival *arrival, struct msghdr *message, size_t payload_bytes)
{
	uint8_t *ipv6 = arrival->network;

	memset(ipv6, 0, IPV6_BYTES);
	ipv6[0] = 6 << 4;
	ipv6[4] = (uint8_t)(payload_bytes >> 8);
	ipv6[5] = (uint8_t)payload_bytes;
	ipv6[6] = CARP_PROTOCOL;
	memcpy(ipv6 + 8, &arrival->source.sin6_addr, 16);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
		struct in6_pktinfo info;
		int hops;

		if (c->cmsg_type == IPV6_HOPLIMIT) {
			memcpy(&hops, CMSG_DATA(c), sizeof(hops));
			ipv6[7] = (uint8_t)hops;
		} else if (c->cmsg_type == IPV6_PKTINFO) {
			memcpy(&info, CMSG_DATA(c), sizeof(info));
			memcpy(ipv6 + 24, &info.ipi6_addr, 16);
			arrival->link_index = (int)info.ipi6_ifindex;
		}
	}
}

static void find_link(struct arrival *arrival, struct msghdr *message)
{
	struct in_pktinfo info;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c))
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			memcpy(&info, CMSG_DATA(c), sizeof(info));
			arrival->link_index = info.ipi_ifindex;
		}
}

void peer_receive(int fd, enum family family, peer_received *received, void *context)
{
	size_t header_bytes = family == FAMILY_IPV6 ? IPV6_BYTES : 0;
	static struct arrival arrival;
	union told told;

	for (int i = 0; i < PACKETS_MAX; i++) {
		struct iovec part = {arrival.network + header_bytes, PACKET_BYTES_MAX};
		struct msghdr message = {.msg_name = &arrival.source,
		                         .msg_namelen = sizeof(arrival.source),
		                         .msg_iov = &part,
		                         .msg_iovlen = 1,
		                         .msg_control = told.bytes,
		                         .msg_controllen = sizeof(told.bytes)};
		ssize_t bytes = recvmsg(fd, &message, MSG_DONTWAIT);
		if (bytes < 0 && errno != EINTR)
			return;
		if (bytes < 0)
			continue;
		arrival.link_index = 0;
		if (family == FAMILY_IPV6)
			rebuild_header(&arrival, &message, (size_t)bytes);
		else
			find_link(&arrival, &message);
		received(context, arrival.link_index, arrival.network, header_bytes + (size_t)bytes);
	}
}
