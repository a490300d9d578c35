#include "sighting.h"

#include <stddef.h>

/* So many different counters make a sender one that changes them. */
#define MOVING_COUNTERS 3

/*
 * A step within a run: some adverts are lost, and where a host counts for each
 * family, every second one is not in this run.
 */
#define STEP_MAX 16

static bool contains(const struct sighting *run, uint64_t counter)
{
	return run->heard > 0 && counter - run->first <= run->last - run->first;
}

/* The counter is not far above the end of the run. */
static bool follows(const struct sighting *run, uint64_t counter)
{
	return run->heard > 0 && counter != run->last && counter - run->last <= STEP_MAX;
}

/* The run with this counter: of source itself, else of its family, else any, else NULL. */
static struct sighting *find(struct sightings *sightings, uint64_t counter, const struct address *source)
{
	struct sighting *found = NULL;

	for (size_t i = 0; i < SIGHTING_RUNS_MAX; i++) {
		struct sighting *run = &sightings->runs[i];
		if (!contains(run, counter))
			continue;
		if (address_equal(&run->source, source))
			return run;
		if (found == NULL || run->source.family == source->family)
			found = run;
	}
	return found;
}

/*
 * Whether the sender of a run changes its counter with each advert.  OpenBSD draws
 * a new one whenever it starts, so two different ones prove nothing, and one that
 * has been used again proves the contrary.
 */
static bool counter_moves(const struct sightings *sightings, const struct sighting *of)
{
	size_t different = 0;

	for (size_t i = 0; i < SIGHTING_RUNS_MAX; i++) {
		const struct sighting *run = &sightings->runs[i];
		if (run->heard == 0 || !address_equal(&run->source, &of->source))
			continue;
		if (run->constant)
			return false;
		different += run->different;
	}
	return different >= MOVING_COUNTERS;
}

static bool same_terms(const struct sighting *run, const struct advert *advert)
{
	return run->advbase == advert->advbase && run->advskew == advert->advskew &&
	       run->demote == advert->demote;
}

static void note(struct sightings *sightings, struct sighting *run, const struct advert *advert)
{
	run->advbase = advert->advbase;
	run->advskew = advert->advskew;
	run->demote = advert->demote;
	run->heard = ++sightings->heard;
}

static struct sighting *find_room(struct sightings *sightings)
{
	struct sighting *room = &sightings->runs[0];

	for (size_t i = 1; i < SIGHTING_RUNS_MAX; i++)
		if (sightings->runs[i].heard < room->heard)
			room = &sightings->runs[i];
	return room;
}

/* A counter not seen from this source: the next of one of its runs, or the first of a new one. */
static void remember(struct sightings *sightings, const struct address *source, const struct advert *advert)
{
	struct sighting *run = NULL;

	for (size_t i = 0; run == NULL && i < SIGHTING_RUNS_MAX; i++)
		if (follows(&sightings->runs[i], advert->counter) &&
		    address_equal(&sightings->runs[i].source, source))
			run = &sightings->runs[i];
	if (run == NULL) {
		run = find_room(sightings);
		*run = (struct sighting){.first = advert->counter, .source = *source};
	}
	run->last = advert->counter;
	if (run->different < MOVING_COUNTERS)
		run->different++;
	run->constant &= run->different < MOVING_COUNTERS;
	note(sightings, run, advert);
}

static bool is_known(const struct sightings *sightings, const struct address *source)
{
	for (size_t i = 0; i < SIGHTING_SOURCES_MAX; i++)
		if (address_equal(&sightings->sources[i], source))
			return true;
	return false;
}

static void introduce(struct sightings *sightings, const struct address *source)
{
	if (is_known(sightings, source))
		return;
	sightings->sources[sightings->next_source] = *source;
	sightings->next_source = (uint8_t)((sightings->next_source + 1) % SIGHTING_SOURCES_MAX);
}

/* Somebody here does not change his counter, so whoever counts on from it uses the same ones each time. */
static bool one_is_constant(const struct sightings *sightings)
{
	for (size_t i = 0; i < SIGHTING_RUNS_MAX; i++)
		if (sightings->runs[i].constant)
			return true;
	return false;
}

/*
 * Hosts without seals that set each other back, whether or not we hear why.  A
 * single one is not: what looks like a second would be the advert of its other family.
 */
static bool is_one_of_several(const struct sightings *sightings, const struct address *source)
{
	size_t of_family = 0;

	for (size_t i = 0; i < SIGHTING_SOURCES_MAX; i++)
		of_family += sightings->sources[i].family == source->family;
	return of_family >= 2 && is_known(sightings, source);
}

enum sighting_verdict sighting_judge(struct sightings *sightings, const struct address *source,
                                     const struct advert *advert)
{
	struct sighting *run = find(sightings, advert->counter, source);

	if (run == NULL) {
		introduce(sightings, source);
		remember(sightings, source, advert);
		return SIGHTING_NEW;
	}
	bool same_source = address_equal(&run->source, source);
	bool same_family = run->source.family == source->family;
	/*
	 * The original sender's habit decides, whatever source the copy claims:
	 * the digest does not cover the source.
	 */
	if (!counter_moves(sightings, run)) {
		run->constant |= same_family;
		note(sightings, run, advert);
		return SIGHTING_NEW;
	}
	/* A peer may send one counter over both families, once each. */
	if (one_is_constant(sightings) || is_one_of_several(sightings, source) ||
	    (!same_family && same_terms(run, advert))) {
		if (same_source)
			note(sightings, run, advert);
		else
			remember(sightings, source, advert);
		return SIGHTING_NEW;
	}
	return same_source && same_terms(run, advert) ? SIGHTING_REPEATED : SIGHTING_ALTERED;
}
