#include "vhost_private.h"

/*
 * After a rival's advert its announcements are still on their way and may be the
 * last that switches and neighbours hear: announce once more behind them.
 */
#define ANNOUNCE_BEHIND_RIVAL_NS (50 * NS_PER_MS)

/* Whoever contradicts a master is answered at once, but no more often than this. */
#define ANSWERS_PER_INTERVAL 8

/*
 * Among equals the higher source address stays master.  Hosts without an address
 * of their own share their source too: there the higher sender id of the seal does.
 */
static bool outranks(const struct engine *engine, const struct vhost *vhost, const struct heard *heard)
{
	struct address own = engine_source(engine, vhost_settings(vhost), (enum family)heard->source.family);
	int order = address_compare(&own, &heard->source);

	return order != 0 ? order > 0 : engine->sender > heard->sender;
}

/*
 * The two families may order two hosts differently, and each would yield to the
 * other.  Of a dual-stack group IPv4 decides, unless it is not heard.
 */
static bool is_second_copy(const struct vhost *vhost, const struct heard *heard, instant now)
{
	const struct group_settings *settings = vhost_settings(vhost);
	bool ipv4 = false;

	for (size_t i = 0; i < settings->address_count; i++)
		ipv4 |= settings->addresses[i].address.family == FAMILY_IPV4;
	if (!ipv4 || heard->source.family != FAMILY_IPV6)
		return false;
	return vhost->rival.source.family == FAMILY_NONE ||
	       instant_span_ns(vhost->rival.without_ipv4, now) <= vhost_master_down_ns(vhost);
}

static struct cause cause_of(enum cause_kind kind, const struct heard *heard)
{
	return (struct cause){
	        .kind = kind, .peer = heard->source, .theirs = heard->terms, .last_advert = INSTANT_NEVER};
}

static bool may_preempt(const struct vhost *vhost, instant now)
{
	return vhost_settings(vhost)->preempt && !vhost->preempt_waived &&
	       instant_reached(vhost->preempt_after, now);
}

/* A master that will not advertise again before our own timer runs out may as well be gone now. */
static bool will_time_out(const struct vhost *vhost, const struct heard *heard)
{
	return vhost_settings(vhost)->advbase > 0 &&
	       vhost_patience_ns(vhost) < terms_interval_ns(heard->terms);
}

static bool shares_family(const struct vhost *vhost, enum family family)
{
	for (size_t i = 0; i < vhost_settings(vhost)->address_count; i++)
		if (vhost_settings(vhost)->addresses[i].address.family == family)
			return true;
	return false;
}

static void note_family(struct engine *engine, struct vhost *vhost, enum family family, instant now)
{
	struct master *master = &vhost->master;
	instant *same = family == FAMILY_IPV4 ? &master->heard_ipv4 : &master->heard_ipv6;
	instant other = family == FAMILY_IPV4 ? master->heard_ipv6 : master->heard_ipv4;
	struct report report = {.peer = master->source};

	*same = now;
	report.family = family == FAMILY_IPV4 ? FAMILY_IPV6 : FAMILY_IPV4;
	if (!shares_family(vhost, report.family)) {
		master->family_missing = false; /* a reload has taken its last address out */
		return;
	}
	if (instant_is_never(other))
		return; /* this master has never sent both */
	bool missing = instant_span_ns(other, now) > vhost_master_down_ns(vhost);
	if (missing == master->family_missing)
		return;
	master->family_missing = missing;
	report.kind = missing ? REPORT_FAMILY_SILENT : REPORT_FAMILY_RETURNED;
	actions_tell(engine, vhost->group, vhost_node(vhost), &report);
}

/* Of one family only can two sources be told apart: a dual-stack master has two. */
static bool is_another(const struct master *master, const struct address *source)
{
	return master->source.family == source->family && !address_equal(&master->source, source);
}

/*
 * A faster master does not end the lease of a slower one that was heard as well, and
 * whom it may not hear itself.
 */
static void wait_for(struct vhost *vhost, const struct address *source, instant now)
{
	const struct address before = vhost->waits_for;
	instant until = vhost->deadline;

	vhost_restart_timer(vhost, now);
	vhost->waits_for = *source;
	if (before.family == FAMILY_NONE || address_equal(&before, source) ||
	    !instant_before(vhost->deadline, until))
		return;
	vhost->deadline = until;
	vhost->waits_for = before;
}

/* A dual-stack master speaks from two addresses; only terms and time say that it is another host. */
static void note_master(struct engine *engine, struct vhost *vhost, const struct heard *heard, instant now)
{
	struct master *master = &vhost->master;

	if (is_another(master, &heard->source))
		vhost_forget_master(vhost);
	/* IPv4 is what people know their hosts by. */
	if (master->source.family != FAMILY_IPV4)
		master->source = heard->source;
	master->terms = heard->terms;
	master->sealed = heard->sealed;
	master->heard = now;
	if (vhost->doubtful)
		vhost_tell(engine, vhost, REPORT_DOUBT_OVER, &heard->source);
	vhost->doubtful = false;
	note_family(engine, vhost, heard->source.family, now);
	wait_for(vhost, &heard->source, now);
}

static void backup_hear(struct engine *engine, struct vhost *vhost, const struct heard *heard, instant now)
{
	struct terms ours = vhost_terms(vhost);
	enum precedence precedence = terms_compare(ours, heard->terms);

	if (terms_are_goodbye(heard->terms)) {
		if (is_another(&vhost->master, &heard->source)) {
			/* Its successor is there; until it hears so it serves on this advert's lease. */
			wait_for(vhost, &heard->source, now);
			return;
		}
		vhost_become_master(engine, vhost, cause_of(CAUSE_GOODBYE, heard), now);
		return;
	}
	if (heard->terms.demote > ours.demote) {
		vhost_become_master(engine, vhost, cause_of(CAUSE_PEER_DEMOTED, heard), now);
		return;
	}
	if (precedence == WE_ARE_BETTER && may_preempt(vhost, now)) {
		vhost_become_master(engine, vhost, cause_of(CAUSE_PREEMPTED_SLOWER, heard), now);
		return;
	}
	if (will_time_out(vhost, heard)) {
		vhost_become_master(engine, vhost, cause_of(CAUSE_WILL_TIME_OUT, heard), now);
		return;
	}
	note_master(engine, vhost, heard, now);
}

/* The rival must hear us, and everybody whom it has told otherwise. */
static void reassert(struct engine *engine, struct vhost *vhost, instant now)
{
	if (!instant_reached(vhost->reassert_after, now))
		return;
	vhost->reassert_after = instant_after(now, vhost_interval_ns(vhost) / ANSWERS_PER_INTERVAL);
	vhost_advertise(engine, vhost, now);
	vhost_announce(engine, vhost);
	vhost_repeat_announcements(vhost, instant_after(now, ANNOUNCE_BEHIND_RIVAL_NS), now);
}

/*
 * A predecessor that has not heard us yet.  It goes, so it is no rival; but the
 * copy of its goodbye over the other family needs no answer of its own.
 */
static void answer_goodbye(struct engine *engine, struct vhost *vhost, instant now)
{
	int64_t pause_ns = vhost_interval_ns(vhost) / ANSWERS_PER_INTERVAL;

	if (instant_span_ns(vhost->speaks_since, now) < pause_ns ||
	    !instant_reached(vhost->reassert_after, now))
		return;
	vhost->reassert_after = instant_after(now, pause_ns);
	vhost_advertise(engine, vhost, now);
}

/*
 * A predecessor's last advert, or its other family's, may come after ours and
 * means nothing: a rival is one who goes on.
 */
static void note_rival(struct engine *engine, struct vhost *vhost, const struct heard *heard, instant now)
{
	struct rival *rival = &vhost->rival;

	if (rival->source.family == FAMILY_NONE)
		rival->since = rival->without_ipv4 = now;
	if (heard->source.family == FAMILY_IPV4)
		rival->without_ipv4 = now;
	rival->source = heard->source;
	rival->heard = now;
	if (!rival->persistent && instant_span_ns(rival->since, now) >= vhost_interval_ns(vhost) / 2) {
		rival->persistent = true;
		vhost_tell(engine, vhost, REPORT_RIVAL, &heard->source);
	}
}

/*
 * Loses against an equal: the timer's half interval on top keeps the two from
 * rising together again.  It outlasts that advert, since ucarp sends one more
 * before it finds ours in its queue and yields in its turn.
 */
static void yield_to_equal(struct engine *engine, struct vhost *vhost, const struct heard *heard, instant now,
                           bool outranked)
{
	vhost_become_backup(engine, vhost, cause_of(CAUSE_PEER_EQUAL, heard), now);
	if (outranked)
		vhost->stand_back_until = instant_after(now, vhost_master_down_ns(vhost));
	note_master(engine, vhost, heard, now);
}

static void yield(struct engine *engine, struct vhost *vhost, enum cause_kind kind, const struct heard *heard,
                  instant now)
{
	vhost_become_backup(engine, vhost, cause_of(kind, heard), now);
	note_master(engine, vhost, heard, now);
}

/* Only another carpd is known to keep to the order of equals; to the rest we yield as they do. */
static bool has_better_right(const struct engine *engine, const struct vhost *vhost,
                             const struct heard *heard, instant now)
{
	enum precedence precedence = terms_compare(vhost_terms(vhost), heard->terms);

	if (precedence == EQUAL)
		return heard->sealed && (is_second_copy(vhost, heard, now) || outranks(engine, vhost, heard));
	return precedence == WE_ARE_BETTER;
}

/*
 * In a hand-over.  After our first advert and before our goodbye it is no answer: who speaks
 * has risen by itself, as we did, and leaves if it is told to go as well and hears of us.
 */
static bool may_be_answered(const struct vhost *vhost)
{
	return vhost->handover.said || vhost->lease_end.ns == 0;
}

static void master_hear(struct engine *engine, struct vhost *vhost, const struct heard *heard, instant now)
{
	enum precedence precedence = terms_compare(vhost_terms(vhost), heard->terms);

	if (vhost->handover.active && terms_are_goodbye(heard->terms))
		return;
	if (vhost->handover.active &&
	    (may_be_answered(vhost) || !has_better_right(engine, vhost, heard, now))) {
		bool stopping = vhost->handover.stopping, for_good = vhost->handover.for_good;
		yield(engine, vhost, CAUSE_HANDED_OVER, heard, now);
		vhost->preempt_waived = for_good;
		if (stopping)
			vhost_stop(engine, vhost, CAUSE_STOPPED, now);
		return;
	}
	if (terms_are_goodbye(heard->terms)) {
		answer_goodbye(engine, vhost, now);
		return;
	}
	switch (precedence) {
	case PEER_IS_LESS_DEMOTED:
		yield(engine, vhost, CAUSE_PEER_LESS_DEMOTED, heard, now);
		break;
	case PEER_IS_FASTER:
		yield(engine, vhost, CAUSE_PEER_FASTER, heard, now);
		break;
	case EQUAL:
		note_rival(engine, vhost, heard, now);
		if (heard->sealed && is_second_copy(vhost, heard, now))
			break;
		if (has_better_right(engine, vhost, heard, now))
			reassert(engine, vhost, now);
		else
			yield_to_equal(engine, vhost, heard, now, !outranks(engine, vhost, heard));
		break;
	case WE_ARE_BETTER:
		/* A predecessor that cannot have heard us. */
		if (!vhost_speaks(vhost))
			break;
		note_rival(engine, vhost, heard, now);
		reassert(engine, vhost, now);
		break;
	}
}

/*
 * Nobody can tell a recorded advert from that of an honest host which was set back by
 * one.  So it moves nothing: it calls nobody to rise and makes no master leave.  But a
 * host that can be heard is not taken for dead either.
 */
static void doubt(struct engine *engine, struct vhost *vhost, const struct heard *heard, instant now)
{
	const struct master *master = &vhost->master;
	instant believed = instant_is_never(master->heard) ? vhost->last.at : master->heard;

	/* The master itself no longer says that it is there. */
	if (terms_are_goodbye(heard->terms))
		return;
	vhost_restart_timer(vhost, now);
	if (vhost->doubtful || instant_span_ns(believed, now) <= vhost_master_down_ns(vhost))
		return;
	vhost->doubtful = true;
	vhost_tell(engine, vhost, REPORT_DOUBTFUL, &heard->source);
}

/* An honest host counts on from our answer, so that its next advert is above suspicion. */
static void answer_suspected(struct engine *engine, struct vhost *vhost, instant now)
{
	if (vhost->handover.active || !instant_reached(vhost->reassert_after, now))
		return;
	vhost->reassert_after = instant_after(now, vhost_interval_ns(vhost) / ANSWERS_PER_INTERVAL);
	vhost_advertise(engine, vhost, now);
}

static void hear_suspected(struct engine *engine, struct vhost *vhost, const struct heard *heard, instant now)
{
	if (vhost->state == VHOST_BACKUP)
		doubt(engine, vhost, heard, now);
	else if (vhost->state == VHOST_MASTER)
		answer_suspected(engine, vhost, now);
}

void vhost_hear(struct engine *engine, struct vhost *vhost, const struct heard *heard, instant now)
{
	/* What waited while this host was paused comes from whoever rules now. */
	vhost_lease_expired(engine, vhost, now);
	if (heard->suspected) {
		hear_suspected(engine, vhost, heard, now);
		return;
	}
	switch (vhost->state) {
	case VHOST_INIT:
		break;
	case VHOST_BACKUP:
		backup_hear(engine, vhost, heard, now);
		break;
	case VHOST_MASTER:
		master_hear(engine, vhost, heard, now);
		break;
	}
}
