#include "replay.h"

#include <stdbool.h>

/* Two clocks drift apart by no more than one part in so many, as the lease assumes too. */
#define DRIFT_PARTS 1000

/* Its index, or REPLAY_SOURCES_MAX. */
static size_t find(const struct replay *replay, const struct address *source, uint32_t sender)
{
	size_t i;

	for (i = 0; i < REPLAY_SOURCES_MAX; i++)
		if (replay->sources[i].address.family != FAMILY_NONE && replay->sources[i].sender == sender &&
		    address_equal(&replay->sources[i].address, source))
			break;
	return i;
}

/* A free place, or that of the source silent for longest. */
static struct replay_source *find_room(struct replay *replay)
{
	struct replay_source *room = &replay->sources[0];

	for (size_t i = 0; i < REPLAY_SOURCES_MAX; i++) {
		struct replay_source *candidate = &replay->sources[i];
		if (candidate->address.family == FAMILY_NONE)
			return candidate;
		if (instant_before(candidate->heard, room->heard))
			room = candidate;
	}
	return room;
}

/* The least that a source's clock can be ahead of ours now. */
static int64_t least_lead_ns(const struct replay_source *source, instant now)
{
	return source->lead_ns - instant_span_ns(source->heard, now) / DRIFT_PARTS;
}

static bool is_first_of_now(uint64_t sequence, const struct replay_limits *limits)
{
	return limits->window_ns == 0 || sequence + (uint64_t)limits->window_ns >= limits->wall_ns;
}

/*
 * The window is for clocks that disagree, and the patience for an advert that comes late: it
 * may have been an old one that made the source known, and is not granted once more.
 */
static int64_t least_first_lead_ns(const struct replay_limits *limits, instant now)
{
	if (limits->window_ns == 0)
		return INT64_MIN;
	return (int64_t)limits->wall_ns - now.ns - (limits->window_ns - limits->patience_ns);
}

enum drop replay_check(struct replay *replay, const struct address *source, uint32_t sender,
                       uint64_t sequence, const struct replay_limits *limits, instant now)
{
	size_t i = find(replay, source, sender);
	bool known = i < REPLAY_SOURCES_MAX;
	int64_t lead_ns = (int64_t)sequence - now.ns;

	if (known && sequence <= replay->sources[i].highest)
		return DROP_REPLAY;
	if (sequence > SEQUENCE_MAX)
		return DROP_STALE;
	if (known) {
		int64_t least_ns = least_lead_ns(&replay->sources[i], now);
		if (lead_ns < least_ns - limits->patience_ns)
			return DROP_STALE;
		if (lead_ns < least_ns)
			lead_ns = least_ns;
	} else if (!is_first_of_now(sequence, limits)) {
		return DROP_STALE;
	} else if (lead_ns < least_first_lead_ns(limits, now)) {
		lead_ns = least_first_lead_ns(limits, now);
	}
	struct replay_source *entry = known ? &replay->sources[i] : find_room(replay);
	*entry = (struct replay_source){
	        .address = *source, .sender = sender, .highest = sequence, .lead_ns = lead_ns, .heard = now};
	return DROP_NONE;
}

int64_t replay_lead_ns(const struct replay *replay)
{
	int64_t furthest_ns = INT64_MIN;

	for (size_t i = 0; i < REPLAY_SOURCES_MAX; i++)
		if (replay->sources[i].address.family != FAMILY_NONE &&
		    replay->sources[i].lead_ns > furthest_ns)
			furthest_ns = replay->sources[i].lead_ns;
	return furthest_ns;
}

const struct replay_source *replay_find(const struct replay *replay, const struct address *source)
{
	size_t i = find(replay, source, 0);

	return i < REPLAY_SOURCES_MAX ? &replay->sources[i] : NULL;
}

void replay_restore(struct replay *replay, const struct replay_source *source)
{
	size_t i = find(replay, &source->address, source->sender);
	bool known = i < REPLAY_SOURCES_MAX;

	/* What was heard since counts for more than what was written down. */
	if (known && replay->sources[i].highest >= source->highest)
		return;
	struct replay_source *entry = known ? &replay->sources[i] : find_room(replay);
	*entry = *source;
}
