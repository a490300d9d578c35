/*
 * What gate.bpf.c and its users share: the layout of the maps.
 *
 * A parent interface has a port number and, by it, a page of 256 virtual hosts,
 * so that a process maps only the pages of the parents it has.
 */
#ifndef CARPD_LINUX_GATE_LAYOUT_H
#define CARPD_LINUX_GATE_LAYOUT_H

#include <linux/types.h>

#define GATE_LAYOUT_PORTS     64
#define GATE_VHIDS            256
#define GATE_LAYOUT_ADDRESSES 16384

/* 60 ms of adverts at 80 000 a second (doc/linux.md 3). */
#define GATE_RING_BYTES (1 << 20)

/* So much of a packet is handed over: IPv4 with options, twice 36 bytes, and some more. */
#define GATE_CAPTURE_MAX 176

/* Key: interface index. */
struct gate_port {
	__u8 parent_mac[6];
	__u8 port;
	__u8 reserved;
};

#define GATE_VHOST_WATCHED 1
#define GATE_VHOST_UNICAST 2
#define GATE_VHOST_PASSING 4

/* Index: port * GATE_VHIDS + vhid. */
struct gate_vhost {
	__u64 lease_end_ns; /* boot clock; 0: the engine has shut it */
	__u32 flags;
	__u32 reserved;
};

/* Key of the shared addresses.  An IPv4 address is in the first word, the rest zero. */
struct gate_address_key {
	__u32 link_index;
	__u32 family; /* 4 or 6 */
	__u32 words[4];
};

struct gate_address {
	__u16 vhost; /* index */
	__u8 vhid;
	__u8 reserved;
};

/* One for each CPU; the key is that of the virtual hosts.  The members are those of struct gate_counters. */
struct gate_counts {
	__u64 accepted, refused, fenced, rewritten, adverts, adverts_lost, vrrp;
};

/* A record of the ring.  data begins with the IP header. */
struct gate_advert {
	__u64 arrived_ns; /* boot clock */
	__u32 link_index;
	__u16 bytes;
	__u8 multicast;
	__u8 reserved;
	__u8 data[GATE_CAPTURE_MAX];
};

/*
 * A Bloom filter: a bit for every shared address.  Nearly all frames of others pass without
 * a lookup, which keeps forwarding cheap.  A bit too many costs one lookup.
 */
#define GATE_FILTER_BITS 32768

struct gate_filter {
	__u64 words[GATE_FILTER_BITS / 64];
};

/* Memory of both the program and the engine. */
struct gate_shared {
	struct gate_filter filter;
	__u64 hushed_until_ns; /* boot clock; before that no advert wakes the engine */
};

static inline __u32 gate_filter_bit_ipv4(__u32 word)
{
	return (word * 0x9e3779b1u) >> 17;
}

static inline __u32 gate_filter_bit_ipv6(const __u32 words[4])
{
	return gate_filter_bit_ipv4(words[0] ^ words[1] ^ words[2] ^ words[3]);
}

#endif
