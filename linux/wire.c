#include "linux/wire.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/socket.h>

#include "linux/membership.h"

#define PROTOCOL_CARP 112

/* A burst of every virtual host at once fits. */
#define RECEIVE_BUFFER_BYTES (1 << 20)
#define PACKET_BYTES_MAX     1536

struct wire {
	int link_index;
	int send_fd;
	int group_ipv4_fd; /* hold the memberships, carry nothing */
	int group_ipv6_fd;
	int ipv4_fd;
	int ipv6_fd;
};

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

static int bind_packet(int fd, int link_index, uint16_t protocol)
{
	struct sockaddr_ll where = {
	        .sll_family = AF_PACKET,
	        .sll_protocol = htons(protocol),
	        .sll_ifindex = link_index,
	};

	return bind(fd, (const struct sockaddr *)&where, sizeof(where)) < 0 ? -errno : 0;
}

static int open_sender(struct wire *wire)
{
	wire->send_fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return wire->send_fd < 0 ? -errno : bind_packet(wire->send_fd, wire->link_index, 0);
}

static int join_ipv4(struct wire *wire)
{
	struct ip_mreqn group = {.imr_ifindex = wire->link_index};

	memcpy(&group.imr_multiaddr, carp_group_ipv4.bytes, sizeof(group.imr_multiaddr));
	wire->group_ipv4_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (wire->group_ipv4_fd < 0)
		return -errno;
	if (setsockopt(wire->group_ipv4_fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
		return -errno;
	return 0;
}

static int join_ipv6(struct wire *wire)
{
	struct ipv6_mreq group = {.ipv6mr_interface = (unsigned int)wire->link_index};

	memcpy(&group.ipv6mr_multiaddr, carp_group_ipv6.bytes, sizeof(group.ipv6mr_multiaddr));
	wire->group_ipv6_fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (wire->group_ipv6_fd < 0)
		return errno == EAFNOSUPPORT ? 0 : -errno;
	if (setsockopt(wire->group_ipv6_fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &group, sizeof(group)) == 0)
		return 0;
	/* What the kernel says of a link without IPv6, as with an MTU below 1280, is EINVAL. */
	return errno == EINVAL || errno == ENODEV || errno == EADDRNOTAVAIL ? 0 : -errno;
}

int wire_open(int link_index, struct wire **ret_wire)
{
	struct wire *wire = malloc(sizeof(*wire));
	int error;

	if (!wire)
		return -ENOMEM;
	*wire = (struct wire){link_index, -1, -1, -1, -1, -1};
	error = open_sender(wire);
	if (!error)
		error = join_ipv4(wire);
	if (!error)
		error = join_ipv6(wire);
	if (error) {
		wire_close(wire);
		return error;
	}
	*ret_wire = wire;
	return 0;
}

void wire_close(struct wire *wire)
{
	if (!wire)
		return;
	close_fd(wire->send_fd);
	close_fd(wire->group_ipv4_fd);
	close_fd(wire->group_ipv6_fd);
	close_fd(wire->ipv4_fd);
	close_fd(wire->ipv6_fd);
	free(wire);
}

/* Closed first: closing later would take the new membership for its own, and end it. */
static bool rejoin(struct wire *wire, int *fd, const struct address *group, int (*join)(struct wire *))
{
	if (membership_is_there(wire->link_index, group))
		return false;
	close_fd(*fd);
	*fd = -1;
	return join(wire) == 0 && membership_is_there(wire->link_index, group);
}

bool wire_rejoin(struct wire *wire)
{
	bool ipv4 = rejoin(wire, &wire->group_ipv4_fd, &carp_group_ipv4, join_ipv4);
	bool ipv6 = rejoin(wire, &wire->group_ipv6_fd, &carp_group_ipv6, join_ipv6);

	return ipv4 || ipv6;
}

int wire_highest_fd(const struct wire *wire)
{
	const int fds[] = {wire->send_fd, wire->group_ipv4_fd, wire->group_ipv6_fd, wire->ipv4_fd,
	                   wire->ipv6_fd};
	int highest = -1;

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] > highest)
			highest = fds[i];
	return highest;
}

int wire_send(struct wire *wire, const uint8_t *frame, size_t bytes)
{
	return send(wire->send_fd, frame, bytes, MSG_DONTWAIT) < 0 ? -errno : 0;
}

static int change_filter(const struct wire *wire, const struct mac *mac, int option)
{
	struct packet_mreq request = {
	        .mr_ifindex = wire->link_index,
	        .mr_type = PACKET_MR_UNICAST,
	        .mr_alen = sizeof(mac->bytes),
	};

	memcpy(request.mr_address, mac->bytes, sizeof(mac->bytes));
	return setsockopt(wire->send_fd, SOL_PACKET, option, &request, sizeof(request)) < 0 ? -errno : 0;
}

int wire_accept_mac(struct wire *wire, const struct mac *mac)
{
	return change_filter(wire, mac, PACKET_ADD_MEMBERSHIP);
}

int wire_refuse_mac(struct wire *wire, const struct mac *mac)
{
	int error = change_filter(wire, mac, PACKET_DROP_MEMBERSHIP);

	return error == -EADDRNOTAVAIL ? 0 : error;
}

/*
 * Offsets count from the network header, as in SOCK_DGRAM.  A frame of a VLAN
 * that has no interface reaches the parent with its tag taken off already, as
 * one for another host: refusing OTHERHOST, which comes before OUTGOING, refuses
 * these too.  VID 0 is not changed to OTHERHOST and passes.
 */
static int attach_filter(int fd, uint32_t protocol_offset)
{
	struct sock_filter code[] = {
	        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE)),
	        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, PACKET_OTHERHOST, 3, 0),
	        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, protocol_offset),
	        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PROTOCOL_CARP, 0, 1),
	        BPF_STMT(BPF_RET | BPF_K, PACKET_BYTES_MAX),
	        BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ? -errno : 0;
}

static int open_listener(int link_index, uint16_t protocol, uint32_t protocol_offset, int *ret_fd)
{
	int bytes = RECEIVE_BUFFER_BYTES, error;
	/* Protocol 0 until the filter is there, so that nothing slips in before. */
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	error = attach_filter(fd, protocol_offset);
	if (!error)
		error = bind_packet(fd, link_index, protocol);
	if (error) {
		close(fd);
		return error;
	}
	*ret_fd = fd;
	return 0;
}

int wire_listen(struct wire *wire)
{
	int error = open_listener(wire->link_index, ETH_P_IP, 9, &wire->ipv4_fd);

	if (!error)
		error = open_listener(wire->link_index, ETH_P_IPV6, 6, &wire->ipv6_fd);
	if (error) {
		close_fd(wire->ipv4_fd);
		wire->ipv4_fd = -1;
	}
	return error;
}

int wire_fd_ipv4(const struct wire *wire)
{
	return wire->ipv4_fd;
}

int wire_fd_ipv6(const struct wire *wire)
{
	return wire->ipv6_fd;
}

struct packets {
	struct mmsghdr messages[WIRE_BATCH_MAX];
	struct iovec vectors[WIRE_BATCH_MAX];
	struct sockaddr_ll from[WIRE_BATCH_MAX];
	uint8_t bytes[WIRE_BATCH_MAX][PACKET_BYTES_MAX];
};

static void prepare(struct packets *packets)
{
	for (size_t i = 0; i < WIRE_BATCH_MAX; i++) {
		packets->vectors[i] = (struct iovec){packets->bytes[i], PACKET_BYTES_MAX};
		packets->messages[i].msg_hdr = (struct msghdr){
		        .msg_name = &packets->from[i],
		        .msg_namelen = sizeof(packets->from[i]),
		        .msg_iov = &packets->vectors[i],
		        .msg_iovlen = 1,
		};
	}
}

int wire_receive(struct wire *wire, int fd, instant now, wire_received *received, void *context)
{
	static struct packets packets;
	int count;

	prepare(&packets);
	/* A link that goes down is told of once here, and by rtnetlink too; the socket lives on. */
	do
		count = recvmmsg(fd, packets.messages, WIRE_BATCH_MAX, MSG_DONTWAIT, NULL);
	while (count < 0 && (errno == EINTR || errno == ENETDOWN));
	if (count < 0)
		return errno == EAGAIN ? 0 : -errno;
	for (int i = 0; i < count; i++)
		received(context, wire->link_index, packets.bytes[i], packets.messages[i].msg_len,
		         packets.from[i].sll_pkttype != PACKET_HOST, now);
	return count;
}
