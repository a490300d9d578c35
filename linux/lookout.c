#include "lookout.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/socket.h>

#define MESSAGES_MAX 64 /* in one call */
/* Two instructions each, and a classic filter may have 4096. */
#define WATCHED_MAX 2000

#define ARP_BYTES       28
#define ARP_SENDER_MAC  8
#define ARP_SENDER_IPV4 14
#define TARGET_OFFSET   8 /* of an advertisement */
#define OPTIONS_OFFSET  24

struct program {
	struct sock_filter code[2 * WATCHED_MAX + 8];
	unsigned short count;
};

static void add(struct program *program, struct sock_filter instruction)
{
	program->code[program->count++] = instruction;
}

/* Passes what holds one of the words at offset; everything if there are too many of them. */
static int watch_words(int fd, bool packet, uint32_t offset, enum family family,
                       const struct address *addresses, size_t count)
{
	static struct program program;
	const struct sock_filter pass = BPF_STMT(BPF_RET | BPF_K, UINT16_MAX);
	const struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog wanted = {.filter = program.code};

	program.count = 0;
	if (packet) {
		/* What this host sends is heard here as well. */
		add(&program, (struct sock_filter)BPF_STMT(BPF_LD | BPF_B | BPF_ABS,
		                                           (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE)));
		add(&program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 0, 1));
		add(&program, drop);
	}
	add(&program, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset));
	for (size_t i = 0; i < count && count <= WATCHED_MAX; i++) {
		const uint8_t *end = addresses[i].bytes + address_bytes(&addresses[i]);
		uint32_t word;

		if (addresses[i].family != family)
			continue;
		memcpy(&word, end - sizeof(word), sizeof(word));
		add(&program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ntohl(word), 0, 1));
		add(&program, pass);
	}
	add(&program, count <= WATCHED_MAX ? drop : pass);
	wanted.len = program.count;
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &wanted, sizeof(wanted)) < 0 ? -errno : 0;
}

int lookout_watch(struct lookout *lookout, const struct address *addresses, size_t count)
{
	int error = watch_words(lookout->arp_fd, true, ARP_SENDER_IPV4, FAMILY_IPV4, addresses, count);

	if (!error && lookout->neighbour_fd >= 0)
		error = watch_words(lookout->neighbour_fd, false, TARGET_OFFSET + 12, FAMILY_IPV6, addresses,
		                    count);
	return error;
}

static int open_neighbour(struct lookout *lookout)
{
	struct icmp6_filter filter;
	int on = 1;

	lookout->neighbour_fd = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMPV6);
	if (lookout->neighbour_fd < 0)
		return errno == EAFNOSUPPORT ? 0 : -errno;
	ICMP6_FILTER_SETBLOCKALL(&filter);
	ICMP6_FILTER_SETPASS(ND_NEIGHBOR_ADVERT, &filter);
	if (setsockopt(lookout->neighbour_fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof(filter)) < 0 ||
	    setsockopt(lookout->neighbour_fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on)) < 0)
		return -errno;
	return 0;
}

int lookout_open(struct lookout *lookout)
{
	struct sockaddr_ll everywhere = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ARP)};
	int error = 0;

	*lookout = (struct lookout){-1, -1};
	/* Protocol 0 until the filter is there, so that nothing slips in before. */
	lookout->arp_fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (lookout->arp_fd < 0)
		return -errno;
	error = open_neighbour(lookout);
	if (!error)
		error = lookout_watch(lookout, NULL, 0);
	if (!error && bind(lookout->arp_fd, (const struct sockaddr *)&everywhere, sizeof(everywhere)) < 0)
		error = -errno;
	if (error)
		lookout_close(lookout);
	return error;
}

void lookout_close(struct lookout *lookout)
{
	if (lookout->arp_fd >= 0)
		close(lookout->arp_fd);
	if (lookout->neighbour_fd >= 0)
		close(lookout->neighbour_fd);
	*lookout = (struct lookout){-1, -1};
}

static bool receive_arp(struct lookout *lookout, lookout_heard *heard, void *context)
{
	/* Ethernet and IPv4, six and four bytes. */
	static const uint8_t start[] = {0x00, 0x01, 0x08, 0x00, 6, 4};
	struct address address = {.family = FAMILY_IPV4};
	struct sockaddr_ll from = {0};
	socklen_t from_bytes = sizeof(from);
	uint8_t arp[ARP_BYTES];
	struct mac mac;
	ssize_t bytes = recvfrom(lookout->arp_fd, arp, sizeof(arp), 0, (struct sockaddr *)&from, &from_bytes);

	if (bytes < 0)
		return errno == EINTR || errno == ENETDOWN;
	if (bytes < ARP_BYTES || memcmp(arp, start, sizeof(start)) != 0)
		return true;
	memcpy(address.bytes, arp + ARP_SENDER_IPV4, 4);
	memcpy(mac.bytes, arp + ARP_SENDER_MAC, sizeof(mac.bytes));
	heard(context, from.sll_ifindex, &address, &mac);
	return true;
}

static struct mac target_mac(const uint8_t *message, size_t bytes)
{
	struct mac mac = {{0}};

	for (size_t at = OPTIONS_OFFSET; at + 8 <= bytes && message[at + 1] != 0; at += 8U * message[at + 1])
		if (message[at] == ND_OPT_TARGET_LINKADDR)
			memcpy(mac.bytes, message + at + 2, sizeof(mac.bytes));
	return mac;
}

static bool receive_neighbour(struct lookout *lookout, lookout_heard *heard, void *context)
{
	struct address address = {.family = FAMILY_IPV6};
	uint8_t message[128];
	_Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	struct iovec vector = {message, sizeof(message)};
	struct msghdr header = {
	        .msg_iov = &vector,
	        .msg_iovlen = 1,
	        .msg_control = control,
	        .msg_controllen = sizeof(control),
	};
	struct in6_pktinfo where = {0};
	ssize_t bytes = recvmsg(lookout->neighbour_fd, &header, 0);

	if (bytes < 0)
		return errno == EINTR;
	for (struct cmsghdr *part = CMSG_FIRSTHDR(&header); part != NULL; part = CMSG_NXTHDR(&header, part))
		if (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_PKTINFO)
			memcpy(&where, CMSG_DATA(part), sizeof(where));
	if (bytes < OPTIONS_OFFSET)
		return true;
	memcpy(address.bytes, message + TARGET_OFFSET, sizeof(address.bytes));
	struct mac mac = target_mac(message, (size_t)bytes);
	heard(context, (int)where.ipi6_ifindex, &address, &mac);
	return true;
}

void lookout_receive(struct lookout *lookout, lookout_heard *heard, void *context)
{
	for (int i = 0; i < MESSAGES_MAX && receive_arp(lookout, heard, context); i++)
		;
	for (int i = 0; i < MESSAGES_MAX && lookout->neighbour_fd >= 0; i++)
		if (!receive_neighbour(lookout, heard, context))
			break;
}
