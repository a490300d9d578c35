#include "sighting.h"

#include <stddef.h>

/* So many different counters, or steps of it, make a source one that counts. */
#define COUNTS 3

/*
 * A step: some adverts are lost, and where a host counts for each family, every
 * second one is of the other.
 */
#define STEP_MAX 16

/*
 * OpenBSD draws a new counter whenever it starts, and somebody may play its former
 * ones: a source that has kept one for two intervals keeps them, until it takes steps.
 * Once it is known to count, an advert that is played again and again must not make
 * it one that does not, so then it takes minutes; they end the mistake if somebody
 * has lent an OpenBSD's address to adverts of a host that counts.
 */
#define KEPT_INTERVALS 2
#define KEPT_NS        (5 * 60 * NS_PER_S)
#define PAUSE_NS       (60 * NS_PER_S)

static bool counts(const struct habit *habit)
{
	return habit->different >= COUNTS && !habit->keeps;
}

static struct habit *find_habit(struct sightings *sightings, const struct address *source)
{
	for (size_t i = 0; i < SIGHTING_SOURCES_MAX; i++)
		if (address_equal(&sightings->habits[i].source, source))
			return &sightings->habits[i];
	return NULL;
}

/* Who counts is forgotten last, or strangers would make us forget. */
static bool is_forgotten_before(const struct habit *habit, const struct habit *other)
{
	if (counts(habit) != counts(other))
		return !counts(habit);
	return instant_before(habit->heard, other->heard);
}

static struct habit *find_habit_room(struct sightings *sightings)
{
	struct habit *room = &sightings->habits[0];

	for (size_t i = 0; i < SIGHTING_SOURCES_MAX; i++) {
		struct habit *habit = &sightings->habits[i];
		if (habit->source.family == FAMILY_NONE)
			return habit;
		if (is_forgotten_before(habit, room))
			room = habit;
	}
	return room;
}

static bool is_step(uint64_t from, uint64_t to)
{
	return to != from && to - from <= STEP_MAX;
}

static void note_change(struct habit *habit, uint64_t counter, instant now)
{
	bool step = is_step(habit->counter, counter);

	habit->steps = !step ? 0 : habit->steps < COUNTS ? habit->steps + 1 : COUNTS;
	if (habit->steps == COUNTS)
		habit->keeps = false;
	if (habit->different < COUNTS)
		habit->different++;
	habit->counter = counter;
	habit->since = now;
}

static void learn(struct sightings *sightings, const struct address *source, const struct advert *advert,
                  instant now)
{
	struct habit *habit = find_habit(sightings, source);
	int64_t kept_ns = KEPT_INTERVALS * advert_interval_ns(advert->advbase, advert->advskew);

	if (habit == NULL) {
		habit = find_habit_room(sightings);
		*habit = (struct habit){.source = *source, .counter = advert->counter, .since = now};
		habit->different = 1;
	} else if (habit->counter != advert->counter) {
		note_change(habit, advert->counter, now);
	} else if (instant_span_ns(habit->heard, now) > PAUSE_NS) {
		habit->since = now;
	} else if (instant_span_ns(habit->since, now) >= (counts(habit) ? KEPT_NS : kept_ns)) {
		habit->keeps = true;
	}
	habit->heard = now;
}

static bool contains(const struct sighting *run, uint64_t counter)
{
	return run->heard > 0 && counter - run->first <= run->last - run->first;
}

/* The counter is not far above the end of the run. */
static bool follows(const struct sighting *run, uint64_t counter)
{
	return run->heard > 0 && is_step(run->last, counter);
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
	note(sightings, run, advert);
}

enum sighting_verdict sighting_judge(struct sightings *sightings, const struct address *source,
                                     const struct advert *advert, instant now)
{
	struct sighting *run = find(sightings, advert->counter, source);
	const struct habit *habit = run != NULL ? find_habit(sightings, &run->source) : NULL;
	bool same_source = run != NULL && address_equal(&run->source, source);
	/*
	 * The original sender's habit decides, whatever source the copy claims: the
	 * digest does not cover the source.  A peer may send one counter over both
	 * families, once each.
	 */
	bool suspected = habit != NULL && counts(habit) &&
	                 (run->source.family == source->family || !same_terms(run, advert));

	/* Nobody learns anything of a source that may have been lent. */
	if (!suspected || same_source)
		learn(sightings, source, advert, now);
	if (suspected)
		return same_source && same_terms(run, advert) ? SIGHTING_REPEATED : SIGHTING_ALTERED;
	if (same_source)
		note(sightings, run, advert);
	else
		remember(sightings, source, advert);
	return SIGHTING_NEW;
}
