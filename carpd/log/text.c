#include "text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const char *text_address(const struct address *address, char text[TEXT_ADDRESS_MAX])
{
	int family = address->family == FAMILY_IPV4 ? AF_INET : AF_INET6;

	if (address->family == FAMILY_NONE ||
	    inet_ntop(family, address->bytes, text, TEXT_ADDRESS_MAX) == NULL)
		snprintf(text, TEXT_ADDRESS_MAX, "nobody");
	return text;
}

bool text_read_address(const char *text, struct address *ret_address)
{
	struct address address = {0};

	if (inet_pton(AF_INET, text, address.bytes) == 1)
		address.family = FAMILY_IPV4;
	else if (inet_pton(AF_INET6, text, address.bytes) == 1)
		address.family = FAMILY_IPV6;
	else
		return false;
	*ret_address = address;
	return true;
}

const char *text_mac(const struct mac *mac, char text[TEXT_ADDRESS_MAX])
{
	const uint8_t *b = mac->bytes;

	snprintf(text, TEXT_ADDRESS_MAX, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4], b[5]);
	return text;
}

static struct tm local_time(int64_t wall_ns, int *ret_ms)
{
	time_t seconds = (time_t)(wall_ns / NS_PER_S);
	struct tm broken_down;

	localtime_r(&seconds, &broken_down);
	*ret_ms = (int)(wall_ns % NS_PER_S / NS_PER_MS);
	return broken_down;
}

const char *text_time(int64_t wall_ns, char text[TEXT_TIME_MAX])
{
	int ms;
	struct tm t = local_time(wall_ns, &ms);
	long zone_min = t.tm_gmtoff / 60;

	snprintf(text, TEXT_TIME_MAX, "%04d-%02d-%02dT%02d:%02d:%02d.%03d%c%02ld:%02ld", t.tm_year + 1900,
	         t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec, ms, zone_min < 0 ? '-' : '+',
	         labs(zone_min) / 60 % 24, labs(zone_min) % 60);
	return text;
}

const char *text_clock(int64_t wall_ns, char text[TEXT_TIME_MAX])
{
	int ms;
	struct tm t = local_time(wall_ns, &ms);

	snprintf(text, TEXT_TIME_MAX, "%02d:%02d:%02d.%03d", t.tm_hour, t.tm_min, t.tm_sec, ms);
	return text;
}

const char *text_span(int64_t span_ns, char text[TEXT_TIME_MAX])
{
	long long s = span_ns / NS_PER_S;

	if (s < 10)
		snprintf(text, TEXT_TIME_MAX, "%.3f s", (double)span_ns / (double)NS_PER_S);
	else if (s < 60)
		snprintf(text, TEXT_TIME_MAX, "%lld s", s);
	else if (s < 3600)
		snprintf(text, TEXT_TIME_MAX, "%lld min %lld s", s / 60, s % 60);
	else if (s < 86400)
		snprintf(text, TEXT_TIME_MAX, "%lld h %lld min", s / 3600, s % 3600 / 60);
	else
		snprintf(text, TEXT_TIME_MAX, "%lld d %lld h", s / 86400, s % 86400 / 3600);
	return text;
}

static void silence(const struct transition *transition, int64_t wall_offset_ns, const char *peer, char *text)
{
	instant last = transition->cause.last_advert;
	char span[TEXT_TIME_MAX], clock[TEXT_TIME_MAX];

	if (instant_is_never(last)) {
		snprintf(text, TEXT_SENTENCE_MAX, "no master was heard");
		return;
	}
	snprintf(text, TEXT_SENTENCE_MAX, "master %s silent for %s (last advert %s)", peer,
	         text_span(instant_span_ns(last, transition->at), span),
	         text_clock(last.ns + wall_offset_ns, clock));
}

const char *text_cause(const struct transition *transition, int64_t wall_offset_ns,
                       char text[TEXT_SENTENCE_MAX])
{
	const struct cause *cause = &transition->cause;
	char peer[TEXT_ADDRESS_MAX];

	text_address(&cause->peer, peer);
	switch (cause->kind) {
	case CAUSE_NONE:
		snprintf(text, TEXT_SENTENCE_MAX, "not started yet");
		break;
	case CAUSE_STARTED:
		snprintf(text, TEXT_SENTENCE_MAX, "the interface is up");
		break;
	case CAUSE_LINK_DOWN:
		snprintf(text, TEXT_SENTENCE_MAX, "the interface is down or missing");
		break;
	case CAUSE_STOPPED:
		snprintf(text, TEXT_SENTENCE_MAX, "stopped by request");
		break;
	case CAUSE_SILENCE:
		silence(transition, wall_offset_ns, peer, text);
		break;
	case CAUSE_GOODBYE:
		snprintf(text, TEXT_SENTENCE_MAX, "master %s said goodbye", peer);
		break;
	case CAUSE_PREEMPTED_SLOWER:
		snprintf(text, TEXT_SENTENCE_MAX,
		         "preempted %s, which advertises slower (advbase %d advskew %d, ours %d and %d)",
		         peer, cause->theirs.advbase, cause->theirs.advskew, cause->ours.advbase,
		         cause->ours.advskew);
		break;
	case CAUSE_WILL_TIME_OUT:
		snprintf(text, TEXT_SENTENCE_MAX,
		         "master %s advertises so slowly that it would time out anyway", peer);
		break;
	case CAUSE_PEER_DEMOTED:
		snprintf(text, TEXT_SENTENCE_MAX, "master %s is demoted by %d, this host by %d", peer,
		         cause->theirs.demote, cause->ours.demote);
		break;
	case CAUSE_PEER_FASTER:
		snprintf(text, TEXT_SENTENCE_MAX,
		         "%s advertises faster (advbase %d advskew %d, ours %d and %d)", peer,
		         cause->theirs.advbase, cause->theirs.advskew, cause->ours.advbase,
		         cause->ours.advskew);
		break;
	case CAUSE_PEER_LESS_DEMOTED:
		snprintf(text, TEXT_SENTENCE_MAX, "%s is demoted by %d, this host by %d", peer,
		         cause->theirs.demote, cause->ours.demote);
		break;
	case CAUSE_PEER_EQUAL:
		snprintf(text, TEXT_SENTENCE_MAX, "%s is master with the same advbase and advskew", peer);
		break;
	case CAUSE_HANDED_OVER:
		snprintf(text, TEXT_SENTENCE_MAX, "handed over to %s", peer);
		break;
	case CAUSE_LEASE_EXPIRED:
		snprintf(text, TEXT_SENTENCE_MAX,
		         "no advert was sent in time (paused, starved, or sending failed); another host may "
		         "have taken over");
		break;
	case CAUSE_TAKE_FAILED:
		if (cause->error == 0)
			snprintf(text, TEXT_SENTENCE_MAX, "the kernel refuses its addresses");
		else
			snprintf(text, TEXT_SENTENCE_MAX, "an address could not be taken: %s",
			         strerror(cause->error));
		break;
	}
	return text;
}

static const char *cure_of_sending(int error)
{
	switch (error) {
	case EPERM:
		return "; a rule of this host's firewall drops them: let IP protocol 112 out";
	case EACCES:
		return "; a route forbids it: ip route get";
	case ENETUNREACH:
	case EHOSTUNREACH:
		return "; this host lacks a route there";
	case EINVAL:
	case EADDRNOTAVAIL:
		return "; they would come from an address that this host has not got";
	case ENOBUFS:
		return "; the queue is full, or a filter of the interface drops them: tc filter, nft";
	case EMSGSIZE:
		return "; they are larger than the MTU";
	case EMFILE:
		return "; raise the hard limit of open files (LimitNOFILE=)";
	default:
		return "";
	}
}

const char *text_blocked(const struct address *destination, int error, char text[TEXT_SENTENCE_MAX])
{
	char to[TEXT_ADDRESS_MAX];

	snprintf(text, TEXT_SENTENCE_MAX, "adverts to %s cannot be sent: %s%s", text_address(destination, to),
	         strerror(error), cure_of_sending(error));
	return text;
}

const char *text_conflict(const struct conflict *conflict, uint8_t vhid, char text[TEXT_SENTENCE_MAX])
{
	static const char *const words[] = {
	        [CONFLICT_DIGEST] = "with another digest",
	        [CONFLICT_SEAL] = "with a seal that does not fit",
	        [CONFLICT_KEY] = "with a seal of an unknown key",
	        [CONFLICT_TIME] = "with a seal of an earlier time",
	        [CONFLICT_UNSEALED] = "without a seal",
	        [CONFLICT_REPLAY] = "with an old sequence in its seal",
	        [CONFLICT_ROUTED] = "through a router, with a TTL or hop limit below 255",
	        [CONFLICT_MULTICAST] = "by multicast",
	        [CONFLICT_UNICAST] = "to this host alone",
	        [CONFLICT_STRANGER] = "and is not among the peers here",
	        [CONFLICT_TWIN] = "from an address of this host",
	        [CONFLICT_MALFORMED] = "in a form that is not CARP version 2",
	};
	char peer[TEXT_ADDRESS_MAX], to[TEXT_ADDRESS_MAX];

	if (conflict->kind == CONFLICT_ELSEWHERE) {
		snprintf(text, TEXT_SENTENCE_MAX,
		         "%s advertises vhid %d to %s, which is not on the interface",
		         text_address(&conflict->source, peer), vhid,
		         text_address(&conflict->destination, to));
		return text;
	}
	snprintf(text, TEXT_SENTENCE_MAX, "%s advertises vhid %d %s", text_address(&conflict->source, peer),
	         vhid, words[conflict->kind]);
	return text;
}

const char *text_other_form(const struct group *group, const struct address *peer,
                            char text[TEXT_SENTENCE_MAX])
{
	bool ours = group->settings->digest_form == DIGEST_WITH_LINK_LOCAL;
	char address[TEXT_ADDRESS_MAX];

	snprintf(text, TEXT_SENTENCE_MAX,
	         "the digest of %s %s link-local addresses and ours %s: unless it is a carpd it does not "
	         "hear us, "
	         "and both become master; say hash-link-local = %s here",
	         text_address(peer, address), ours ? "leaves out" : "covers",
	         ours ? "covers them" : "does not", ours ? "false" : "true");
	return text;
}

const char *text_suspicion(const struct suspicion *suspicion, char text[TEXT_SENTENCE_MAX])
{
	char peer[TEXT_ADDRESS_MAX];

	text_address(&suspicion->source, peer);
	if (suspicion->drop == DROP_UNSEALED)
		snprintf(text, TEXT_SENTENCE_MAX,
		         "an advert as %s lacks the seal that its sender uses; ignored", peer);
	else if (suspicion->drop == DROP_FORGED)
		snprintf(text, TEXT_SENTENCE_MAX,
		         "an advert of a peer was recorded, altered and sent again as %s; it moves nothing",
		         peer);
	else
		snprintf(text, TEXT_SENTENCE_MAX,
		         "an advert as %s has a counter that was used before: it was recorded and sent "
		         "again, or set its sender back; it moves nothing",
		         peer);
	return text;
}

const char *text_doubtful(const struct address *peer, char text[TEXT_SENTENCE_MAX])
{
	char address[TEXT_ADDRESS_MAX];

	snprintf(text, TEXT_SENTENCE_MAX,
	         "DOUBTFUL  %s is heard only with counters that were used before: it is set back, or it is "
	         "dead "
	         "and somebody plays its adverts back.  While they come this host does not take over; look "
	         "whether the shared addresses answer, and find the sender: tcpdump -eni INTERFACE proto 112",
	         text_address(peer, address));
	return text;
}

const char *text_unrelieved(const struct group *group, char text[TEXT_SENTENCE_MAX])
{
	snprintf(text, TEXT_SENTENCE_MAX,
	         "demoted by %d, and nobody takes over: no peer is there, or each is demoted as far or does "
	         "not preempt; say net.inet.carp.preempt=1 on a BSD, --preempt for ucarp. To move it now: "
	         "carpctl handover %s",
	         group->demotion, group->settings->name);
	return text;
}

static const char *text_digest_advice(const struct diagnosis *diagnosis, char text[TEXT_SENTENCE_MAX])
{
	char address[TEXT_ADDRESS_MAX];

	switch (diagnosis->kind) {
	case DIAGNOSIS_UNKNOWN:
		snprintf(
		        text, TEXT_SENTENCE_MAX,
		        "It has another passphrase, or other addresses: both must be the same on all hosts.");
		break;
	case DIAGNOSIS_PEER_LACKS:
		snprintf(text, TEXT_SENTENCE_MAX,
		         "It fits our passphrase without %s: add that address there, or take it out here.",
		         text_address(&diagnosis->address, address));
		break;
	case DIAGNOSIS_PEER_IPV4_ONLY:
		snprintf(text, TEXT_SENTENCE_MAX,
		         "It fits our passphrase with the IPv4 addresses alone: add the IPv6 addresses "
		         "there.");
		break;
	case DIAGNOSIS_PEER_IPV6_ONLY:
		snprintf(text, TEXT_SENTENCE_MAX,
		         "It fits our passphrase with the IPv6 addresses alone: add the IPv4 addresses "
		         "there.");
		break;
	}
	return text;
}

const char *text_advice(const struct group *group, const struct node *node, char text[TEXT_SENTENCE_MAX])
{
	const struct conflict *conflict = &node->conflict;
	char peer[TEXT_ADDRESS_MAX];
	struct diagnosis diagnosis;

	switch (conflict->kind) {
	case CONFLICT_DIGEST:
		diagnosis = engine_diagnose(group, node);
		return text_digest_advice(&diagnosis, text);
	case CONFLICT_SEAL:
		return "Its key is not ours, or somebody alters its adverts: all hosts need the same keys.";
	case CONFLICT_KEY:
		return "Its key's id is missing here: add that key on this host first.";
	case CONFLICT_TIME:
		if (conflict->behind_ns < NS_PER_S)
			return "Its clock went slower than ours, or somebody plays its adverts back: set its "
			       "clock.";
		snprintf(text, TEXT_SENTENCE_MAX,
		         "Its sequence is %lld s behind our clock: set both clocks. If they are right, "
		         "somebody plays its adverts back.",
		         (long long)(conflict->behind_ns / NS_PER_S));
		return text;
	case CONFLICT_UNSEALED:
		return "Here only sealed adverts count: let it seal, or say seal = offer here.";
	case CONFLICT_REPLAY:
		return "Its clock was set back and it lost its state, or somebody plays its adverts back: "
		       "set its "
		       "clock, and start carpd there again.";
	case CONFLICT_ROUTED:
		return "Only adverts of this network count: say ttl-check = false here if that router is "
		       "meant to "
		       "be there.";
	case CONFLICT_MULTICAST:
		snprintf(text, TEXT_SENTENCE_MAX,
		         "Here peers are configured: say peers there too, or on no host.");
		return text;
	case CONFLICT_UNICAST:
		snprintf(text, TEXT_SENTENCE_MAX,
		         "Here no peers are configured: say peers = { \"%s\" } here, or "
		         "take peers out there.",
		         text_address(&conflict->source, peer));
		return text;
	case CONFLICT_STRANGER:
		snprintf(text, TEXT_SENTENCE_MAX,
		         "Add %s to peers here, or let that host speak from the address "
		         "that peers names.",
		         text_address(&conflict->source, peer));
		return text;
	case CONFLICT_ELSEWHERE:
		return "Its peers must name this host's address on the interface of the group.";
	case CONFLICT_TWIN:
		return "Two hosts have one address: each needs its own.";
	case CONFLICT_MALFORMED:
		return "It may be another protocol with the same number, or damaged on the way.";
	}
	return "";
}
