/*
 * The gate's two programs.  Only the stable __sk_buff is used, so that the object loads without the kernel's
 * type information.
 *
 * Headers are read directly and written with bpf_skb_store_bytes: with a direct write every cloned frame
 * would be copied, also those that are not ours (doc/linux.md 2.3).
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <stddef.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "gate_layout.h"

#define PROTOCOL_CARP   112
#define PROTOCOL_ICMPV6 58

/* linux/if_arp.h includes the C library's headers, which do not fit this target. */
struct arp_ipv4 {
	__be16 hardware, protocol;
	__u8 hardware_bytes, protocol_bytes;
	__be16 operation;
	__u8 sender_mac[ETH_ALEN];
	__be16 sender[2]; /* not aligned to four bytes */
	__u8 target_mac[ETH_ALEN];
	__be16 target[2];
};

#define ARP_ETHERNET 1
#define ARP_REQUEST  1

#define ND_ROUTER_SOLICIT    133
#define ND_ROUTER_ADVERT     134
#define ND_NEIGHBOUR_SOLICIT 135
#define ND_NEIGHBOUR_ADVERT  136
#define ND_REDIRECT          137
#define ND_OPTION_SOURCE     1
#define ND_OPTION_TARGET     2
#define ND_OPTIONS_MAX       8
#define ND_CHECKSUM          2
#define ND_TARGET            8

#define ICMPV6_OFFSET (ETH_HLEN + 40)

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, GATE_LAYOUT_PORTS);
	__type(key, __u32);
	__type(value, struct gate_port);
} ports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, GATE_LAYOUT_PORTS *GATE_VHIDS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct gate_vhost);
} vhosts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, GATE_LAYOUT_ADDRESSES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct gate_address_key);
	__type(value, struct gate_address);
} addresses SEC(".maps");

/*
 * Per CPU, since the CPUs of a router would fight over atomic counters.  And a hash, since an array with room
 * for every possible virtual host would take a megabyte for each CPU.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, GATE_LAYOUT_PORTS *GATE_VHIDS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct gate_counts);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, GATE_RING_BYTES);
} ring SEC(".maps");

/* The only variable, so that the map of .bss is just this. */
struct gate_shared shared;

#define COUNT(index, member)                                                                                 \
	do {                                                                                                 \
		__u32 count_key = (index);                                                                   \
		struct gate_counts *count_of = bpf_map_lookup_elem(&counters, &count_key);                   \
		if (count_of)                                                                                \
			count_of->member++;                                                                  \
	} while (0)

static __always_inline void *frame_head(struct __sk_buff *skb, __u32 bytes)
{
	void *head = (void *)(long)skb->data;

	if (head + bytes <= (void *)(long)skb->data_end)
		return head;
	/* Some drivers leave headers outside the linear part. */
	if (skb->len < bytes || bpf_skb_pull_data(skb, bytes))
		return NULL;
	head = (void *)(long)skb->data;
	return head + bytes <= (void *)(long)skb->data_end ? head : NULL;
}

/* The untagged parent sees the frames of every VLAN, too (doc/linux.md 2.2).  VID 0 is a priority, not a
 * VLAN. */
static __always_inline int frame_of_vlan(const struct __sk_buff *skb)
{
	return skb->vlan_present && (skb->vlan_tci & 0xfff);
}

static __always_inline struct gate_vhost *vhost_find(__u32 index)
{
	return bpf_map_lookup_elem(&vhosts, &index);
}

/* The boot clock: a suspended machine must not wake up with a lease (doc/linux.md 6.2). */
static __always_inline int vhost_is_open(const struct gate_vhost *vhost)
{
	__u64 lease_end_ns = *(const volatile __u64 *)&vhost->lease_end_ns;

	return lease_end_ns && lease_end_ns > bpf_ktime_get_boot_ns();
}

static __always_inline int vhost_drop(const struct gate_vhost *vhost, __u32 index)
{
	if (vhost->lease_end_ns)
		COUNT(index, fenced);
	else
		COUNT(index, refused);
	return TC_ACT_SHOT;
}

static __always_inline int filter_has(__u32 bit)
{
	bit &= GATE_FILTER_BITS - 1;
	return shared.filter.words[bit / 64] >> (bit % 64) & 1;
}

static __always_inline struct gate_address *address_find_ipv4(struct __sk_buff *skb, __u32 word)
{
	struct gate_address_key key = {.family = 4, .words = {word}};

	if (!filter_has(gate_filter_bit_ipv4(word)))
		return NULL;
	key.link_index = skb->ifindex;
	return bpf_map_lookup_elem(&addresses, &key);
}

static __always_inline struct gate_address *address_find_ipv6(struct __sk_buff *skb, const __u32 *words)
{
	struct gate_address_key key = {.family = 6, .words = {words[0], words[1], words[2], words[3]}};

	if (!filter_has(gate_filter_bit_ipv6(key.words)))
		return NULL;
	key.link_index = skb->ifindex;
	return bpf_map_lookup_elem(&addresses, &key);
}

/*
 * Ingress.
 */

/* Waking costs more than all the rest of an advert's way (doc/linux.md 3).  In a burst the reader asks not to
 * be woken. */
static __always_inline __u64 wake_flags(__u64 now_ns)
{
	if (now_ns < *(const volatile __u64 *)&shared.hushed_until_ns)
		return BPF_RB_NO_WAKEUP;
	/*
	 * Without force the kernel wakes the reader for the first unread record only.
	 * Two processors that write at once may leave one that woke nobody before it,
	 * and then nothing would ever wake the reader again.
	 */
	return BPF_RB_FORCE_WAKEUP;
}

/* carp is at offset; the frame is one of protocol 112 and no fragment. */
static __always_inline int advert_take(struct __sk_buff *skb, __u32 offset, int multicast)
{
	__u32 link_index = skb->ifindex;
	struct gate_advert *advert;
	struct gate_port *port;
	struct gate_vhost *vhost;
	__u32 index;
	__u64 bytes;
	__u8 carp[4];

	if (bpf_skb_load_bytes(skb, offset, carp, sizeof(carp)))
		return TC_ACT_UNSPEC;
	port = bpf_map_lookup_elem(&ports, &link_index);
	if (!port)
		return TC_ACT_UNSPEC;
	index = port->port * GATE_VHIDS + carp[1];
	vhost = vhost_find(index);
	if (!vhost || !(vhost->flags & GATE_VHOST_WATCHED))
		return TC_ACT_UNSPEC;

	/* VRRP shares the protocol number.  CARP has 7 where VRRP counts its addresses; a VRRP version 3
	 * router with seven of them is told by its version. */
	if ((carp[0] & 0x0f) != 1 || carp[0] >> 4 == 3 || carp[3] != 7) {
		COUNT(index, vrrp);
		return TC_ACT_UNSPEC;
	}
	/* A router must not take what it only forwards (doc/linux.md 2.5). */
	if (skb->pkt_type == PACKET_OTHERHOST || (!multicast && !(vhost->flags & GATE_VHOST_UNICAST)))
		return TC_ACT_UNSPEC;

	advert = bpf_ringbuf_reserve(&ring, sizeof(*advert), 0);
	if (!advert) {
		COUNT(index, adverts_lost);
		return TC_ACT_SHOT;
	}
	/*
	 * Verifiers before Linux 6.12 know the bounds of a length only from tests of the very register that
	 * has it, the lower bound first.  So clang must not merge the two tests, nor test a copy.  And
	 * nothing may need the length after the call: it would be kept on the stack, where they lose track of
	 * it.
	 */
	bytes = skb->len - ETH_HLEN;
	asm volatile("" : "+r"(bytes));
	if (bytes < sizeof(carp))
		goto discard;
	asm volatile("" : "+r"(bytes));
	if (bytes > GATE_CAPTURE_MAX)
		bytes = GATE_CAPTURE_MAX;
	advert->bytes = (__u16)bytes;
	if (bpf_skb_load_bytes(skb, ETH_HLEN, advert->data, (__u32)bytes))
		goto discard;
	advert->arrived_ns = bpf_ktime_get_boot_ns();
	advert->link_index = link_index;
	advert->multicast = (__u8)multicast;
	advert->reserved = 0;
	bpf_ringbuf_submit(advert, wake_flags(advert->arrived_ns));
	COUNT(index, adverts);
	return TC_ACT_SHOT;
discard:
	bpf_ringbuf_discard(advert, BPF_RB_NO_WAKEUP);
	return TC_ACT_UNSPEC;
}

/* To 00:00:5e:00:01:vhid. */
static __always_inline int virtual_mac_in(struct __sk_buff *skb, __u8 vhid)
{
	__u32 link_index = skb->ifindex;
	struct gate_port *port = bpf_map_lookup_elem(&ports, &link_index);
	struct gate_vhost *vhost;
	__u32 index;

	if (!port)
		return TC_ACT_UNSPEC;
	index = port->port * GATE_VHIDS + vhid;
	vhost = vhost_find(index);
	if (!vhost || !(vhost->flags & GATE_VHOST_WATCHED))
		return TC_ACT_UNSPEC;
	if (!vhost_is_open(vhost))
		return vhost_drop(vhost, index);
	if (bpf_skb_store_bytes(skb, 0, port->parent_mac, sizeof(port->parent_mac), 0))
		return TC_ACT_SHOT;
	bpf_skb_change_type(skb, PACKET_HOST);
	COUNT(index, accepted);
	return TC_ACT_UNSPEC;
}

/*
 * A neighbour may still send to the parent's own MAC, for instance after a change from `mac = interface`.
 * The address can still be on this host while the gate is shut (doc/linux.md 6.3).
 */
static __always_inline int shared_address_in(const struct gate_address *address)
{
	struct gate_vhost *vhost;

	if (!address)
		return TC_ACT_UNSPEC;
	vhost = vhost_find(address->vhost);
	if (!vhost || vhost_is_open(vhost))
		return TC_ACT_UNSPEC;
	return vhost_drop(vhost, address->vhost);
}

static __always_inline int is_virtual_mac(const __u8 *mac)
{
	const __u16 *half = (const __u16 *)mac;

	return half[0] == 0 && half[1] == bpf_htons(0x5e00) && mac[4] == 1;
}

static __always_inline int ipv4_in(struct __sk_buff *skb)
{
	const __u8 *head = frame_head(skb, ETH_HLEN + sizeof(struct iphdr));
	const struct iphdr *ip;

	if (!head)
		return TC_ACT_UNSPEC;
	ip = (const struct iphdr *)(head + ETH_HLEN);
	if (ip->protocol == PROTOCOL_CARP && !(ip->frag_off & bpf_htons(0x3fff)) && ip->ihl >= 5) {
		int multicast = (ip->daddr & bpf_htonl(0xf0000000)) == bpf_htonl(0xe0000000);

		if (advert_take(skb, ETH_HLEN + ip->ihl * 4, multicast) == TC_ACT_SHOT)
			return TC_ACT_SHOT;
		head = frame_head(skb, ETH_HLEN + sizeof(struct iphdr));
		if (!head)
			return TC_ACT_UNSPEC;
		ip = (const struct iphdr *)(head + ETH_HLEN);
	}
	if (is_virtual_mac(head))
		return virtual_mac_in(skb, head[5]);
	if (skb->pkt_type != PACKET_HOST)
		return TC_ACT_UNSPEC;
	return shared_address_in(address_find_ipv4(skb, ip->daddr));
}

static __always_inline int ipv6_in(struct __sk_buff *skb)
{
	const __u8 *head = frame_head(skb, ETH_HLEN + sizeof(struct ipv6hdr));
	const struct ipv6hdr *ip;

	if (!head)
		return TC_ACT_UNSPEC;
	ip = (const struct ipv6hdr *)(head + ETH_HLEN);
	if (ip->nexthdr == PROTOCOL_CARP) {
		int multicast = ip->daddr.s6_addr[0] == 0xff;

		if (advert_take(skb, ETH_HLEN + sizeof(*ip), multicast) == TC_ACT_SHOT)
			return TC_ACT_SHOT;
		head = frame_head(skb, ETH_HLEN + sizeof(struct ipv6hdr));
		if (!head)
			return TC_ACT_UNSPEC;
		ip = (const struct ipv6hdr *)(head + ETH_HLEN);
	}
	if (is_virtual_mac(head))
		return virtual_mac_in(skb, head[5]);
	if (skb->pkt_type != PACKET_HOST)
		return TC_ACT_UNSPEC;
	return shared_address_in(address_find_ipv6(skb, ip->daddr.s6_addr32));
}

static __always_inline const struct arp_ipv4 *arp_find(const __u8 *head)
{
	const struct arp_ipv4 *arp = (const struct arp_ipv4 *)(head + ETH_HLEN);

	if (arp->hardware != bpf_htons(ARP_ETHERNET) || arp->protocol != bpf_htons(ETH_P_IP) ||
	    arp->hardware_bytes != ETH_ALEN || arp->protocol_bytes != 4)
		return NULL;
	return arp;
}

static __always_inline __u32 arp_address(const __be16 *halves)
{
	union {
		__be16 halves[2];
		__u32 word;
	} both = {.halves = {halves[0], halves[1]}};

	return both.word;
}

static __always_inline int arp_in(struct __sk_buff *skb)
{
	const __u8 *head = frame_head(skb, ETH_HLEN + sizeof(struct arp_ipv4));
	const struct arp_ipv4 *arp;

	if (!head)
		return TC_ACT_UNSPEC;
	if (is_virtual_mac(head))
		return virtual_mac_in(skb, head[5]);
	arp = arp_find(head);
	if (!arp || arp->operation != bpf_htons(ARP_REQUEST))
		return TC_ACT_UNSPEC;
	return shared_address_in(address_find_ipv4(skb, arp_address(arp->target)));
}

static __always_inline int other_in(struct __sk_buff *skb)
{
	const __u8 *head = frame_head(skb, ETH_HLEN);

	if (head && is_virtual_mac(head))
		return virtual_mac_in(skb, head[5]);
	return TC_ACT_UNSPEC;
}

SEC("tc")
int carpd_gate_in(struct __sk_buff *skb)
{
	if (frame_of_vlan(skb))
		return TC_ACT_UNSPEC;
	switch (skb->protocol) {
	case bpf_htons(ETH_P_IP):
		return ipv4_in(skb);
	case bpf_htons(ETH_P_IPV6):
		return ipv6_in(skb);
	case bpf_htons(ETH_P_ARP):
		return arp_in(skb);
	default:
		return other_in(skb);
	}
}

/*
 * Egress.
 */

struct virtual_mac {
	__u8 bytes[ETH_ALEN];
};

static __always_inline struct virtual_mac virtual_mac_of(__u8 vhid)
{
	return (struct virtual_mac){{0x00, 0x00, 0x5e, 0x00, 0x01, vhid}};
}

static __always_inline int mac_store(struct __sk_buff *skb, __u32 offset, __u8 vhid)
{
	struct virtual_mac mac = virtual_mac_of(vhid);

	return (int)bpf_skb_store_bytes(skb, offset, &mac, sizeof(mac), 0);
}

/* What a frame from a shared address tells those who get it. */
enum says { NOTHING_OF_IT, WHOSE_THE_ADDRESS_IS };

/* TC_ACT_UNSPEC if the frame may leave, with the virtual MAC as its source. */
static __always_inline int shared_address_out(struct __sk_buff *skb, const struct gate_address *address,
                                              enum says says)
{
	struct gate_vhost *vhost = vhost_find(address->vhost);

	if (!vhost)
		return TC_ACT_UNSPEC;
	/* A local sender gets ENOBUFS. */
	if (!vhost_is_open(vhost))
		return vhost_drop(vhost, address->vhost);
	if (vhost->flags & GATE_VHOST_PASSING)
		return says == WHOSE_THE_ADDRESS_IS ? vhost_drop(vhost, address->vhost) : TC_ACT_UNSPEC;
	if (mac_store(skb, ETH_ALEN, address->vhid))
		return TC_ACT_SHOT;
	COUNT(address->vhost, rewritten);
	return TC_ACT_UNSPEC;
}

/*
 * Puts the virtual MAC into the first option of that type, which may be anywhere
 * (doc/linux.md 2.4).
 */
static __always_inline int nd_option_store(struct __sk_buff *skb, __u32 offset, __u8 type, __u8 vhid)
{
	struct virtual_mac mac = virtual_mac_of(vhid);

	for (int i = 0; i < ND_OPTIONS_MAX; i++) {
		__u8 before[8], after[8];
		__s64 difference;

		if (bpf_skb_load_bytes(skb, offset, before, sizeof(before)) || before[1] == 0)
			return TC_ACT_UNSPEC;
		if (before[0] != type || before[1] != 1) {
			offset += before[1] * 8;
			continue;
		}
		after[0] = before[0];
		after[1] = before[1];
		__builtin_memcpy(after + 2, &mac, sizeof(mac));
		difference = bpf_csum_diff((__be32 *)(void *)before, sizeof(before), (__be32 *)(void *)after,
		                           sizeof(after), 0);
		if (difference < 0 || bpf_skb_store_bytes(skb, offset, after, sizeof(after), 0) ||
		    bpf_l4_csum_replace(skb, ICMPV6_OFFSET + ND_CHECKSUM, 0, (__u64)difference, 0))
			return TC_ACT_SHOT;
		return TC_ACT_UNSPEC;
	}
	return TC_ACT_UNSPEC;
}

/*
 * The option of an advertisement and of a redirect speaks of their target,
 * the one of the other three of their source (RFC 4861 section 4).
 */
static __always_inline int nd_out(struct __sk_buff *skb, __u8 type, struct gate_address *source)
{
	struct gate_address *target;
	__u32 words[4];
	int verdict;

	if (type == ND_NEIGHBOUR_ADVERT || type == ND_REDIRECT) {
		if (bpf_skb_load_bytes(skb, ICMPV6_OFFSET + ND_TARGET, words, sizeof(words)))
			return TC_ACT_UNSPEC;
		target = address_find_ipv6(skb, words);
		if (!target)
			return source ? shared_address_out(skb, source, WHOSE_THE_ADDRESS_IS) : TC_ACT_UNSPEC;
		verdict = shared_address_out(skb, target, WHOSE_THE_ADDRESS_IS);
		if (verdict != TC_ACT_UNSPEC)
			return verdict;
		return nd_option_store(skb, ICMPV6_OFFSET + (type == ND_REDIRECT ? 40 : 24), ND_OPTION_TARGET,
		                       target->vhid);
	}
	if (!source)
		return TC_ACT_UNSPEC;
	verdict = shared_address_out(skb, source, WHOSE_THE_ADDRESS_IS);
	if (verdict != TC_ACT_UNSPEC)
		return verdict;
	if (type == ND_NEIGHBOUR_SOLICIT)
		return nd_option_store(skb, ICMPV6_OFFSET + 24, ND_OPTION_SOURCE, source->vhid);
	return nd_option_store(skb, ICMPV6_OFFSET + (type == ND_ROUTER_ADVERT ? 16 : 8), ND_OPTION_SOURCE,
	                       source->vhid);
}

static __always_inline int ipv6_out(struct __sk_buff *skb)
{
	const __u8 *head = frame_head(skb, ETH_HLEN + sizeof(struct ipv6hdr));
	const struct ipv6hdr *ip;
	struct gate_address *source;
	__u8 protocol, type;

	if (!head)
		return TC_ACT_UNSPEC;
	ip = (const struct ipv6hdr *)(head + ETH_HLEN);
	protocol = ip->nexthdr;
	if (protocol == PROTOCOL_CARP)
		return TC_ACT_UNSPEC;
	source = address_find_ipv6(skb, ip->saddr.s6_addr32);
	if (protocol == PROTOCOL_ICMPV6 && !bpf_skb_load_bytes(skb, ICMPV6_OFFSET, &type, sizeof(type)) &&
	    type >= ND_ROUTER_SOLICIT && type <= ND_REDIRECT)
		return nd_out(skb, type, source);
	return source ? shared_address_out(skb, source, NOTHING_OF_IT) : TC_ACT_UNSPEC;
}

static __always_inline int ipv4_out(struct __sk_buff *skb)
{
	const __u8 *head = frame_head(skb, ETH_HLEN + sizeof(struct iphdr));
	const struct iphdr *ip;
	struct gate_address *source;

	if (!head)
		return TC_ACT_UNSPEC;
	ip = (const struct iphdr *)(head + ETH_HLEN);
	/* Adverts extend the lease, so they leave without one. */
	if (ip->protocol == PROTOCOL_CARP)
		return TC_ACT_UNSPEC;
	source = address_find_ipv4(skb, ip->saddr);
	return source ? shared_address_out(skb, source, NOTHING_OF_IT) : TC_ACT_UNSPEC;
}

static __always_inline int arp_out(struct __sk_buff *skb)
{
	const __u8 *head = frame_head(skb, ETH_HLEN + sizeof(struct arp_ipv4));
	const struct arp_ipv4 *arp = head ? arp_find(head) : NULL;
	struct gate_address *sender;
	int verdict;

	if (!arp)
		return TC_ACT_UNSPEC;
	sender = address_find_ipv4(skb, arp_address(arp->sender));
	if (!sender)
		return TC_ACT_UNSPEC;
	verdict = shared_address_out(skb, sender, WHOSE_THE_ADDRESS_IS);
	if (verdict != TC_ACT_UNSPEC)
		return verdict;
	if (mac_store(skb, ETH_HLEN + offsetof(struct arp_ipv4, sender_mac), sender->vhid))
		return TC_ACT_SHOT;
	return TC_ACT_UNSPEC;
}

SEC("tc")
int carpd_gate_out(struct __sk_buff *skb)
{
	if (frame_of_vlan(skb))
		return TC_ACT_UNSPEC;
	switch (skb->protocol) {
	case bpf_htons(ETH_P_IP):
		return ipv4_out(skb);
	case bpf_htons(ETH_P_IPV6):
		return ipv6_out(skb);
	case bpf_htons(ETH_P_ARP):
		return arp_out(skb);
	default:
		return TC_ACT_UNSPEC;
	}
}
