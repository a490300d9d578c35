#include "sighting.h"

/* So many different counters make a sender one that changes them. */
#define MOVING_COUNTERS 3

/*
 * Whether the sender of a counter changes it with each advert.  OpenBSD draws a
 * new one whenever it starts, so two different ones prove nothing, and one that
 * has been used again proves the contrary.
 */
static bool counter_moves(const struct sightings *sightings, const struct sighting *of)
{
	size_t different = 0;

	if (of->constant)
		return false;
	for (size_t i = 0; i < sightings->count; i++) {
		const struct sighting *seen = &sightings->ring[i];
		if (!address_equal(&seen->source, &of->source))
			continue;
		if (seen->constant)
			return false;
		different++;
	}
	return different >= MOVING_COUNTERS;
}

static bool same_terms(const struct sighting *seen, const struct advert *advert)
{
	return seen->advbase == advert->advbase && seen->advskew == advert->advskew &&
	       seen->demote == advert->demote;
}

static void remember(struct sightings *sightings, const struct address *source, const struct advert *advert)
{
	/* A counter still in use keeps its place, whatever old ones are played back. */
	while (sightings->ring[sightings->next].recent) {
		sightings->ring[sightings->next].recent = false;
		sightings->next = (uint8_t)((sightings->next + 1) % SIGHTINGS_MAX);
	}
	sightings->ring[sightings->next] = (struct sighting){
	        .counter = advert->counter,
	        .source = *source,
	        .advbase = advert->advbase,
	        .advskew = advert->advskew,
	        .demote = advert->demote,
	};
	sightings->next = (uint8_t)((sightings->next + 1) % SIGHTINGS_MAX);
	if (sightings->count < SIGHTINGS_MAX)
		sightings->count++;
}

/* The entry of this counter in the family of source, else in the other family, else NULL. */
static struct sighting *find(struct sightings *sightings, uint64_t counter, const struct address *source)
{
	struct sighting *found = NULL;

	for (size_t i = 0; i < sightings->count; i++) {
		struct sighting *seen = &sightings->ring[i];
		if (seen->counter != counter)
			continue;
		if (seen->source.family == source->family)
			return seen;
		found = seen;
	}
	return found;
}

enum sighting_verdict sighting_judge(struct sightings *sightings, const struct address *source,
                                     const struct advert *advert)
{
	struct sighting *seen = find(sightings, advert->counter, source);

	if (seen == NULL) {
		remember(sightings, source, advert);
		return SIGHTING_NEW;
	}
	/*
	 * The original sender's habit decides, whatever source the copy claims:
	 * the digest does not cover the source.  OpenBSD sends one counter for
	 * ever, with changing terms; there nothing can be told.
	 */
	if (!counter_moves(sightings, seen)) {
		seen->constant |= seen->source.family == source->family;
		seen->recent = seen->constant;
		seen->advbase = advert->advbase;
		seen->advskew = advert->advskew;
		seen->demote = advert->demote;
		return SIGHTING_NEW;
	}
	if (!same_terms(seen, advert))
		return SIGHTING_ALTERED;
	/* A peer may send one counter over both families, once each. */
	if (seen->source.family != source->family) {
		remember(sightings, source, advert);
		return SIGHTING_NEW;
	}
	return address_equal(&seen->source, source) ? SIGHTING_REPEATED : SIGHTING_ALTERED;
}
