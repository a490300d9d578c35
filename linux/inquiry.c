#include "inquiry.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include <sys/socket.h>

/* Behind the eight bytes of the header, for Ethernet and IPv4. */
struct body {
	uint8_t sender_mac[6], sender[4], target_mac[6], target[4];
};

int inquiry_open(void)
{
	const struct sockaddr_ll everywhere = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ARP)};
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int error;

	if (fd < 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)&everywhere, sizeof(everywhere)) == 0)
		return fd;
	error = -errno;
	close(fd);
	return error;
}

/* False if it is of another kind, or this host's own. */
static bool read_inquiry(const struct arphdr *header, const struct body *body, const struct sockaddr_ll *from,
                         struct inquiry *ret_inquiry)
{
	if (from->sll_pkttype == PACKET_OUTGOING || header->ar_hrd != htons(ARPHRD_ETHER) ||
	    header->ar_pro != htons(ETH_P_IP) || header->ar_hln != 6 || header->ar_pln != 4 ||
	    (header->ar_op != htons(ARPOP_REQUEST) && header->ar_op != htons(ARPOP_REPLY)))
		return false;
	*ret_inquiry = (struct inquiry){
	        .link_index = from->sll_ifindex,
	        .question = header->ar_op == htons(ARPOP_REQUEST),
	        .sender.family = FAMILY_IPV4,
	        .target.family = FAMILY_IPV4,
	};
	memcpy(ret_inquiry->sender.bytes, body->sender, sizeof(body->sender));
	memcpy(ret_inquiry->target.bytes, body->target, sizeof(body->target));
	memcpy(ret_inquiry->sender_mac.bytes, body->sender_mac, sizeof(body->sender_mac));
	memcpy(ret_inquiry->target_mac.bytes, body->target_mac, sizeof(body->target_mac));
	return true;
}

bool inquiry_receive(int fd, struct inquiry *ret_inquiry)
{
	struct arphdr header;
	struct body body;
	struct iovec parts[] = {{&header, sizeof(header)}, {&body, sizeof(body)}};
	struct sockaddr_ll from;
	struct msghdr message = {
	        .msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = parts, .msg_iovlen = 2};
	ssize_t bytes;

	do {
		bytes = recvmsg(fd, &message, 0);
		/* A link that goes down is told of once for all sockets. */
		if (bytes < 0 && errno != EINTR && errno != ENETDOWN)
			return false;
	} while (bytes < (ssize_t)(sizeof(header) + sizeof(body)) ||
	         !read_inquiry(&header, &body, &from, ret_inquiry));
	return true;
}
