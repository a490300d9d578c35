#include "replay.h"

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

/* The two are unsigned: their difference must not be taken the wrong way round. */
static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

enum drop replay_check(struct replay *replay, const struct address *source, uint32_t sender,
                       uint64_t sequence, uint64_t wall_ns, int64_t window_ns, instant now)
{
	size_t i = find(replay, source, sender);
	bool known = i < REPLAY_SOURCES_MAX;

	if (known && sequence <= replay->sources[i].highest)
		return DROP_REPLAY;
	if (!known && window_ns != 0 && distance(sequence, wall_ns) > (uint64_t)window_ns)
		return DROP_STALE;

	struct replay_source *entry = known ? &replay->sources[i] : find_room(replay);
	*entry = (struct replay_source){
	        .address = *source, .sender = sender, .highest = sequence, .heard = now};
	return DROP_NONE;
}

const struct replay_source *replay_find(const struct replay *replay, const struct address *source)
{
	size_t i = find(replay, source, 0);

	return i < REPLAY_SOURCES_MAX ? &replay->sources[i] : NULL;
}

void replay_restore(struct replay *replay, const struct address *source, uint64_t highest, instant now)
{
	size_t i = find(replay, source, 0);
	bool known = i < REPLAY_SOURCES_MAX;

	/* What was heard since counts for more than what was written down. */
	if (known && replay->sources[i].highest >= highest)
		return;
	struct replay_source *entry = known ? &replay->sources[i] : find_room(replay);
	*entry = (struct replay_source){.address = *source, .highest = highest, .heard = now};
}
