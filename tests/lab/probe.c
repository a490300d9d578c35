/*
 * The lab's stop watch: sends probes at fixed times and writes one record for
 * each into a shared file that can be read while it runs.  Every time is the
 * boot clock's, as in carpd.
 *
 *   probe ping  FILE INTERVAL_US ADDRESS...
 *   probe arp   FILE INTERVAL_US INTERFACE SWITCH_NETNS ADDRESS...
 *   probe tcp   FILE INTERVAL_US ADDRESS PORT
 *   probe echo  PORT
 *   probe flood INTERFACE SECONDS FRAMES_PER_S FRAME_FILE
 *   probe hog   SECONDS
 */
#include <net/if.h> /* before any linux header, which then leaves its own part out */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/if_ether.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S    INT64_C(1000000000)
#define NS_PER_US   INT64_C(1000)
#define RECORDS_MAX (UINT64_C(1) << 25)
#define TARGETS_MAX 1024
#define GRACE_NS    (NS_PER_S / 5)

/* probe.py reads both structs. */
struct header {
	uint64_t count; /* of complete records */
	uint64_t answered;
	int64_t last_answer_ns;
	uint64_t unused[5];
};

struct record {
	int64_t sent_ns;
	int64_t answered_ns; /* 0: not, or not yet */
	uint32_t target;     /* index into the addresses of the command line */
	int32_t value;       /* ping, tcp: errno of the send; arp: the switch port's index */
	uint8_t mac[6];      /* arp: the owner as told in the reply */
	uint8_t unused[2];
};

struct target {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} to;
	socklen_t to_bytes;
	int64_t asked_ns;
};

struct echo {
	union {
		struct icmphdr v4;
		struct icmp6hdr v6;
	} head;
	uint64_t cookie;
	uint64_t index;
	uint8_t padding[32];
};

static struct header *header;
static struct record *records;
static struct target targets[TARGETS_MAX];
static uint32_t target_count;
static volatile sig_atomic_t stop;
static uint64_t cookie;

static void die(const char *what)
{
	fprintf(stderr, "probe: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static int64_t now_ns(void)
{
	return clock_ns(CLOCK_BOOTTIME);
}

static void on_signal(int number)
{
	(void)number;
	stop = 1;
}

static void records_open(const char *path)
{
	const size_t bytes = sizeof(*header) + RECORDS_MAX * sizeof(*records);
	const int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);

	/* Sparse: only what is written takes memory. */
	if (fd < 0 || ftruncate(fd, (off_t)bytes) < 0)
		die(path);
	void *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		die(path);
	close(fd);
	header = map;
	records = (struct record *)(void *)((uint8_t *)map + sizeof(*header));
}

/* The record at header->count; it counts from record_done on. */
static struct record *record_next(void)
{
	if (header->count == RECORDS_MAX) {
		fprintf(stderr, "probe: too many records\n");
		exit(1);
	}
	return &records[header->count];
}

static void record_done(void)
{
	__atomic_store_n(&header->count, header->count + 1, __ATOMIC_RELEASE);
}

static void record_answer(uint64_t index, int64_t at_ns)
{
	if (index >= header->count || records[index].answered_ns != 0)
		return;
	records[index].answered_ns = at_ns;
	header->answered++;
	header->last_answer_ns = at_ns;
}

static void target_add(const char *text)
{
	struct target *target = &targets[target_count];

	if (target_count == TARGETS_MAX) {
		fprintf(stderr, "probe: more than %d addresses\n", TARGETS_MAX);
		exit(1);
	}
	if (inet_pton(AF_INET, text, &target->to.v4.sin_addr) == 1) {
		target->to.v4.sin_family = AF_INET;
		target->to_bytes = sizeof(target->to.v4);
	} else if (inet_pton(AF_INET6, text, &target->to.v6.sin6_addr) == 1) {
		target->to.v6.sin6_family = AF_INET6;
		target->to_bytes = sizeof(target->to.v6);
	} else {
		fprintf(stderr, "probe: %s is not an address\n", text);
		exit(1);
	}
	target_count++;
}

static int64_t interval_ns_of(const char *text)
{
	const long us = strtol(text, NULL, 10);

	if (us <= 0) {
		fprintf(stderr, "probe: interval %s is not a number of microseconds\n", text);
		exit(1);
	}
	return us * NS_PER_US;
}

/* A datagram and when it came: the kernel's stamp, moved from the wall clock to the boot clock. */
static ssize_t receive_stamped(int fd, void *buffer, size_t bytes, struct sockaddr_ll *from,
                               int64_t *ret_at_ns)
{
	uint8_t control[128];
	struct iovec iov = {.iov_base = buffer, .iov_len = bytes};
	struct msghdr message = {
	        .msg_name = from,
	        .msg_namelen = from ? sizeof(*from) : 0,
	        .msg_iov = &iov,
	        .msg_iovlen = 1,
	        .msg_control = control,
	        .msg_controllen = sizeof(control),
	};
	const ssize_t got = recvmsg(fd, &message, MSG_DONTWAIT);

	if (got < 0)
		return got;
	*ret_at_ns = now_ns();
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
			struct timespec t;

			memcpy(&t, CMSG_DATA(c), sizeof(t));
			*ret_at_ns -= clock_ns(CLOCK_REALTIME) - (t.tv_sec * NS_PER_S + t.tv_nsec);
		}
	}
	return got;
}

static void socket_prepare(int fd)
{
	const int on = 1, bytes = 8 << 20;

	setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes));
	/* Frames that wait for ARP count against it; an outage must not end in ENOBUFS. */
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes));
}

/*
 * The pace: calls send for one target after the other, each once per interval,
 * and receive whenever the socket can be read.  A slot that was missed is left
 * out, not made up for: a burst would measure something else.
 */
static void pace(const struct pollfd *fds, nfds_t fd_count, int64_t interval_ns,
                 void (*send_one)(uint32_t target), void (*receive)(int fd))
{
	const int64_t gap_ns = interval_ns / target_count;
	int64_t next_ns = now_ns(), end_ns = INT64_MAX;
	uint32_t target = 0;
	struct pollfd polled[2];
	sigset_t none;

	sigemptyset(&none);
	memcpy(polled, fds, fd_count * sizeof(*fds));
	for (;;) {
		int64_t now = now_ns();

		if (stop && end_ns == INT64_MAX)
			end_ns = now + GRACE_NS;
		if (now >= end_ns)
			return;
		if (!stop && now >= next_ns) {
			send_one(target);
			target = (target + 1) % target_count;
			next_ns += gap_ns;
			now = now_ns();
			if (next_ns < now - interval_ns)
				next_ns = now;
		}
		const int64_t until_ns = stop ? end_ns : next_ns;
		const int64_t wait_ns = until_ns > now ? until_ns - now : 0;
		const struct timespec wait = {.tv_sec = wait_ns / NS_PER_S, .tv_nsec = wait_ns % NS_PER_S};

		if (ppoll(polled, fd_count, &wait, &none) <= 0)
			continue;
		for (nfds_t i = 0; i < fd_count; i++)
			if (polled[i].revents)
				receive(polled[i].fd);
	}
}

static int ping_v4 = -1, ping_v6 = -1;

static void ping_send(uint32_t index)
{
	const struct target *target = &targets[index];
	const bool v4 = target->to.any.sa_family == AF_INET;
	struct record *record = record_next();
	struct echo echo = {.cookie = cookie, .index = header->count};

	if (v4) {
		uint32_t sum = 0;
		uint16_t words[sizeof(echo) / 2];

		echo.head.v4.type = ICMP_ECHO;
		echo.head.v4.un.echo.sequence = htons((uint16_t)header->count);
		memcpy(words, &echo, sizeof(words));
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			sum += words[i];
		sum = (sum & 0xffff) + (sum >> 16);
		sum += sum >> 16;
		echo.head.v4.checksum = (uint16_t)~sum;
	} else {
		echo.head.v6.icmp6_type = ICMPV6_ECHO_REQUEST;
		echo.head.v6.icmp6_sequence = htons((uint16_t)header->count);
	}
	*record = (struct record){.sent_ns = now_ns(), .target = index};
	if (sendto(v4 ? ping_v4 : ping_v6, &echo, sizeof(echo), MSG_DONTWAIT, &target->to.any,
	           target->to_bytes) < 0)
		record->value = errno;
	record_done();
}

static void ping_receive(int fd)
{
	uint8_t packet[512];
	struct echo echo;
	int64_t at_ns;
	ssize_t got;

	while ((got = receive_stamped(fd, packet, sizeof(packet), NULL, &at_ns)) >= 0) {
		/* An IPv4 raw socket delivers the IP header as well, an IPv6 one does not. */
		const size_t skip = fd == ping_v4 ? (size_t)(packet[0] & 15) * 4 : 0;

		if ((size_t)got < skip + sizeof(echo))
			continue;
		memcpy(&echo, packet + skip, sizeof(echo));
		if (echo.cookie == cookie)
			record_answer(echo.index, at_ns);
	}
}

static void ping_run(int64_t interval_ns)
{
	struct icmp_filter only_v4 = {.data = ~(1U << ICMP_ECHOREPLY)};
	struct icmp6_filter only_v6;
	struct pollfd fds[2];

	memset(&only_v6, 0xff, sizeof(only_v6));
	only_v6.data[ICMPV6_ECHO_REPLY >> 5] &= ~(1U << (ICMPV6_ECHO_REPLY & 31));
	ping_v4 = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);
	ping_v6 = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMPV6);
	if (ping_v4 < 0 || ping_v6 < 0)
		die("raw socket");
	setsockopt(ping_v4, SOL_RAW, ICMP_FILTER, &only_v4, sizeof(only_v4));
	setsockopt(ping_v6, IPPROTO_ICMPV6, ICMPV6_FILTER, &only_v6, sizeof(only_v6));
	socket_prepare(ping_v4);
	socket_prepare(ping_v6);
	fds[0] = (struct pollfd){.fd = ping_v4, .events = POLLIN};
	fds[1] = (struct pollfd){.fd = ping_v6, .events = POLLIN};
	pace(fds, 2, interval_ns, ping_send, ping_receive);
}

struct arp_frame {
	struct ether_header ethernet;
	struct ether_arp arp;
} __attribute__((packed));

static int arp_out = -1;
static struct arp_frame arp_question;

static void arp_send(uint32_t index)
{
	struct target *target = &targets[index];

	memcpy(arp_question.arp.arp_tpa, &target->to.v4.sin_addr, 4);
	target->asked_ns = now_ns();
	if (send(arp_out, &arp_question, sizeof(arp_question), MSG_DONTWAIT) < 0 && errno != ENETDOWN &&
	    errno != ENOBUFS)
		die("ARP request");
}

static void arp_receive(int fd)
{
	struct sockaddr_ll from;
	struct arp_frame frame;
	int64_t at_ns;
	ssize_t got;

	while ((got = receive_stamped(fd, &frame, sizeof(frame), &from, &at_ns)) >= 0) {
		/* On the switch each frame is seen where it comes in and again where it goes out. */
		if (from.sll_pkttype == PACKET_OUTGOING || (size_t)got < sizeof(frame))
			continue;
		for (uint32_t i = 0; i < target_count; i++) {
			if (memcmp(frame.arp.arp_spa, &targets[i].to.v4.sin_addr, 4) != 0)
				continue;
			struct record *record = record_next();

			*record = (struct record){.sent_ns = targets[i].asked_ns,
			                          .answered_ns = at_ns,
			                          .target = i,
			                          .value = from.sll_ifindex};
			memcpy(record->mac, frame.arp.arp_sha, 6);
			record_done();
			header->answered++;
			header->last_answer_ns = at_ns;
		}
	}
}

static void arp_prepare_question(const char *interface)
{
	struct ifreq request = {0};

	strncpy(request.ifr_name, interface, IFNAMSIZ - 1);
	const int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0 || ioctl(fd, SIOCGIFHWADDR, &request) < 0)
		die(interface);
	memcpy(arp_question.arp.arp_sha, request.ifr_hwaddr.sa_data, 6);
	if (ioctl(fd, SIOCGIFADDR, &request) < 0)
		die(interface);
	struct sockaddr_in own;

	memcpy(&own, &request.ifr_addr, sizeof(own));
	memcpy(arp_question.arp.arp_spa, &own.sin_addr, 4);
	close(fd);
	memcpy(arp_question.ethernet.ether_shost, arp_question.arp.arp_sha, 6);
	memset(arp_question.ethernet.ether_dhost, 0xff, 6);
	arp_question.ethernet.ether_type = htons(ETH_P_ARP);
	arp_question.arp.ea_hdr = (struct arphdr){.ar_hrd = htons(ARPHRD_ETHER),
	                                          .ar_pro = htons(ETH_P_IP),
	                                          .ar_hln = 6,
	                                          .ar_pln = 4,
	                                          .ar_op = htons(ARPOP_REQUEST)};
}

static int packet_socket(const char *interface, uint16_t protocol)
{
	const int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_protocol = htons(protocol)};

	if (interface)
		to.sll_ifindex = (int)if_nametoindex(interface);
	if (fd < 0 || (interface && to.sll_ifindex == 0) ||
	    bind(fd, (const struct sockaddr *)&to, sizeof(to)) < 0)
		die(interface ? interface : "packet socket");
	return fd;
}

/* Hears the answers in the switch, where the port tells the hosts apart even if they share a virtual MAC. */
static int arp_switch_socket(const char *switch_netns)
{
	struct sock_filter replies[] = {
	        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
	        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_ARP, 0, 3),
	        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 20),
	        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARPOP_REPLY, 0, 1),
	        BPF_STMT(BPF_RET | BPF_K, 0xffff),
	        BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog filter = {.len = sizeof(replies) / sizeof(replies[0]), .filter = replies};
	const int netns = open(switch_netns, O_RDONLY | O_CLOEXEC);

	if (netns < 0 || setns(netns, CLONE_NEWNET) < 0)
		die(switch_netns);
	close(netns);
	const int fd = packet_socket(NULL, ETH_P_ALL);

	setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter));
	socket_prepare(fd);
	return fd;
}

static void arp_run(int64_t interval_ns, const char *interface, const char *switch_netns)
{
	arp_prepare_question(interface);
	arp_out = packet_socket(interface, 0);
	const struct pollfd fd = {.fd = arp_switch_socket(switch_netns), .events = POLLIN};

	pace(&fd, 1, interval_ns, arp_send, arp_receive);
}

static int tcp_fd = -1;

static void tcp_send(uint32_t index)
{
	struct record *record = record_next();
	const uint64_t number = header->count;

	*record = (struct record){.sent_ns = now_ns(), .target = index};
	const ssize_t sent = send(tcp_fd, &number, sizeof(number), MSG_DONTWAIT | MSG_NOSIGNAL);

	if (sent < 0 && errno == EAGAIN)
		record->value = EAGAIN;
	else if (sent != (ssize_t)sizeof(number))
		die("connection lost");
	record_done();
}

static void tcp_receive(int fd)
{
	static uint8_t pending[sizeof(uint64_t)];
	static size_t pending_bytes;
	uint8_t buffer[4096];
	const ssize_t got = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);

	if (got == 0) {
		errno = ECONNRESET;
		die("connection closed");
	}
	if (got < 0 && errno != EAGAIN)
		die("connection lost");
	for (ssize_t i = 0; i < got; i++) {
		pending[pending_bytes++] = buffer[i];
		if (pending_bytes == sizeof(pending)) {
			uint64_t number;

			memcpy(&number, pending, sizeof(number));
			record_answer(number, now_ns());
			pending_bytes = 0;
		}
	}
}

static void tcp_run(int64_t interval_ns, const char *port)
{
	struct target *target = &targets[0];
	const uint16_t number = htons((uint16_t)strtoul(port, NULL, 10));
	const int on = 1;

	if (target->to.any.sa_family == AF_INET)
		target->to.v4.sin_port = number;
	else
		target->to.v6.sin6_port = number;
	tcp_fd = socket(target->to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (tcp_fd < 0 || connect(tcp_fd, &target->to.any, target->to_bytes) < 0)
		die("connect");
	setsockopt(tcp_fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	const struct pollfd fd = {.fd = tcp_fd, .events = POLLIN};

	pace(&fd, 1, interval_ns, tcp_send, tcp_receive);
}

/* Sends back what it gets, on any number of connections, one process each. */
static void echo_run(const char *port)
{
	const struct sockaddr_in6 any = {.sin6_family = AF_INET6,
	                                 .sin6_addr = IN6ADDR_ANY_INIT,
	                                 .sin6_port = htons((uint16_t)strtoul(port, NULL, 10))};
	const int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fd < 0 || bind(fd, (const struct sockaddr *)&any, sizeof(any)) < 0 || listen(fd, 16) < 0)
		die("listen");
	puts("listening");
	fflush(stdout);
	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		const int peer = accept(fd, NULL, NULL);
		uint8_t buffer[4096];
		ssize_t got;

		if (peer < 0 || fork() != 0) {
			close(peer);
			continue;
		}
		setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		while ((got = recv(peer, buffer, sizeof(buffer), 0)) > 0)
			if (send(peer, buffer, (size_t)got, MSG_NOSIGNAL) != got)
				break;
		_exit(0);
	}
}

#define FRAMES_MAX        4096
#define FLOOD_BATCH       64
#define FLOOD_SECONDS_MAX 10
#define HOG_SECONDS_MAX   8

static struct iovec frames[FRAMES_MAX];

/* Each frame in the file follows its length in two bytes, little endian. */
static size_t frames_read(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t length[2];
	size_t count = 0;

	if (!file)
		die(path);
	while (count < FRAMES_MAX && fread(length, 2, 1, file) == 1) {
		struct iovec *frame = &frames[count++];

		frame->iov_len = (size_t)(length[0] | length[1] << 8);
		frame->iov_base = malloc(frame->iov_len);
		if (!frame->iov_base || fread(frame->iov_base, frame->iov_len, 1, file) != 1)
			die(path);
	}
	fclose(file);
	if (count == 0) {
		fprintf(stderr, "probe: no frame in %s\n", path);
		exit(1);
	}
	return count;
}

static void flood_run(const char *interface, double seconds, double per_s, const char *path)
{
	const size_t count = frames_read(path);
	const int fd = packet_socket(interface, 0), on = 1;
	const int64_t start_ns = now_ns();
	const int64_t span_ns = (int64_t)((seconds < FLOOD_SECONDS_MAX ? seconds : FLOOD_SECONDS_MAX) * 1e9);
	uint64_t sent = 0;

	setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on));
	for (int64_t now = start_ns; !stop && now < start_ns + span_ns; now = now_ns()) {
		struct mmsghdr batch[FLOOD_BATCH] = {0};
		uint64_t due = FLOOD_BATCH;

		if (per_s > 0) {
			due = (uint64_t)((double)(now - start_ns) / 1e9 * per_s) + 1 - sent;
			if (due == 0) {
				usleep(500);
				continue;
			}
			if (due > FLOOD_BATCH)
				due = FLOOD_BATCH;
		}
		for (uint64_t i = 0; i < due; i++) {
			batch[i].msg_hdr.msg_iov = &frames[(sent + i) % count];
			batch[i].msg_hdr.msg_iovlen = 1;
		}
		const int done = sendmmsg(fd, batch, (unsigned int)due, 0);

		if (done < 0 && errno != ENOBUFS)
			die("sendmmsg");
		if (done > 0)
			sent += (uint64_t)done;
	}
	printf("%llu %lld\n", (unsigned long long)sent, (long long)(now_ns() - start_ns));
}

/* Takes its processor from everybody whose priority is lower; "running" is told from inside. */
static void hog_run(double seconds)
{
	const struct sched_param priority = {.sched_priority = sched_get_priority_max(SCHED_FIFO)};
	const int64_t span_ns = (int64_t)((seconds < HOG_SECONDS_MAX ? seconds : HOG_SECONDS_MAX) * 1e9);

	if (sched_setscheduler(0, SCHED_FIFO, &priority) < 0)
		die("SCHED_FIFO");
	const int64_t end_ns = now_ns() + span_ns;

	puts("running");
	fflush(stdout);
	while (now_ns() < end_ns)
		;
}

/* Signals arrive only while ppoll waits; a probe is never late because the hosts under test are busy. */
static void probe_prepare(void)
{
	const struct sigaction action = {.sa_handler = on_signal};
	const struct sched_param priority = {.sched_priority = 1};
	sigset_t both;

	sigemptyset(&both);
	sigaddset(&both, SIGTERM);
	sigaddset(&both, SIGINT);
	sigprocmask(SIG_BLOCK, &both, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	prctl(PR_SET_TIMERSLACK, 1);
	sched_setscheduler(0, SCHED_RR, &priority);
	cookie = ((uint64_t)getpid() << 32) ^ (uint64_t)now_ns();
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";

	if (strcmp(mode, "ping") == 0 && argc >= 5) {
		for (int i = 4; i < argc; i++)
			target_add(argv[i]);
		records_open(argv[2]);
		probe_prepare();
		ping_run(interval_ns_of(argv[3]));
	} else if (strcmp(mode, "arp") == 0 && argc >= 7) {
		for (int i = 6; i < argc; i++)
			target_add(argv[i]);
		records_open(argv[2]);
		probe_prepare();
		arp_run(interval_ns_of(argv[3]), argv[4], argv[5]);
	} else if (strcmp(mode, "tcp") == 0 && argc == 6) {
		target_add(argv[4]);
		records_open(argv[2]);
		probe_prepare();
		tcp_run(interval_ns_of(argv[3]), argv[5]);
	} else if (strcmp(mode, "echo") == 0 && argc == 3) {
		echo_run(argv[2]);
	} else if (strcmp(mode, "flood") == 0 && argc == 6) {
		flood_run(argv[2], strtod(argv[3], NULL), strtod(argv[4], NULL), argv[5]);
	} else if (strcmp(mode, "hog") == 0 && argc == 3) {
		hog_run(strtod(argv[2], NULL));
	} else {
		fprintf(stderr, "probe: see the head of probe.c for the modes\n");
		return 2;
	}
	return 0;
}
