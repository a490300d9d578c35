#include "terms.h"

#include "advert.h"

int64_t terms_interval_ns(struct terms terms)
{
	return advert_interval_ns(terms.advbase, terms.advskew);
}

bool terms_are_goodbye(struct terms terms)
{
	return terms.advbase == ADVERT_GONE && terms.advskew == ADVERT_GONE;
}

enum precedence terms_compare(struct terms ours, struct terms theirs)
{
	int64_t ours_ns = terms_interval_ns(ours);
	int64_t theirs_ns = terms_interval_ns(theirs);

	if (terms_are_goodbye(theirs))
		return WE_ARE_BETTER;
	if (theirs.demote != ours.demote)
		return theirs.demote < ours.demote ? PEER_IS_LESS_DEMOTED : WE_ARE_BETTER;
	if (theirs_ns != ours_ns)
		return theirs_ns < ours_ns ? PEER_IS_FASTER : WE_ARE_BETTER;
	return EQUAL;
}
