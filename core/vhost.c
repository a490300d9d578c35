#include "vhost.h"

#include <string.h>

#include "engine.h"

/*
 * A hand-over repeats its goodbye this often while it waits, so that one lost
 * packet does not cost the whole wait.
 */
#define GOODBYES_PER_WAIT 8

/*
 * After a rival's advert its announcements are still on their way and may be the
 * last that switches and neighbours hear: announce once more behind them.
 */
#define ANNOUNCE_BEHIND_RIVAL_NS (50 * NS_PER_MS)

/* Whoever contradicts a master is answered at once, but no more often than this. */
#define ANSWERS_PER_INTERVAL 8

/*
 * An advert that could not be sent is tried again, so that three failures come
 * before the lease ends: a host that steps down then must be demoted already, or
 * it would preempt without a voice.
 */
#define TRIES_PER_INTERVAL 4

/* The lease ends this fraction before a backup's timer: clocks do not run alike. */
#define LEASE_MARGIN_DIVISOR 1000

/* Before the first advert of a reign, and outside one. */
#define NO_LEASE ((instant){0})

/* When the announcement of a takeover is repeated: after the first, in sum 1.1, 2.2 and 5 s. */
static const int64_t announce_gaps_ns[] = {1100 * NS_PER_MS, 1100 * NS_PER_MS, 2800 * NS_PER_MS};
#define ANNOUNCE_STEPS (sizeof(announce_gaps_ns) / sizeof(announce_gaps_ns[0]))

const char *vhost_state_name(enum vhost_state state)
{
	static const char *const names[] = {"init", "backup", "master"};

	return names[state];
}

static const struct group_settings *settings_of(const struct vhost *vhost)
{
	return vhost->group->settings;
}

static int64_t terms_interval_ns(struct terms terms)
{
	return advert_interval_ns(terms.advbase, terms.advskew);
}

static bool is_goodbye(struct terms terms)
{
	return terms.advbase == ADVERT_GONE && terms.advskew == ADVERT_GONE;
}

struct terms vhost_terms(const struct vhost *vhost)
{
	struct terms terms = {
	        .advbase = settings_of(vhost)->advbase,
	        .advskew = vhost->advskew,
	        .demote = vhost->group->demotion,
	};

	if (terms.demote > 0 && terms.advskew < DEMOTED_ADVSKEW)
		terms.advskew = DEMOTED_ADVSKEW;
	return terms;
}

int64_t vhost_interval_ns(const struct vhost *vhost)
{
	return terms_interval_ns(vhost_terms(vhost));
}

/* By the protocol: with the configured advskew, not the demoted one (protocol.md 4.1). */
static int64_t own_patience_ns(const struct vhost *vhost)
{
	return 3 * settings_of(vhost)->advbase * NS_PER_S + vhost->advskew * NS_PER_S / 256;
}

int64_t vhost_master_down_ns(const struct vhost *vhost)
{
	const struct master *master = &vhost->master;
	uint8_t advbase = settings_of(vhost)->advbase;
	int64_t own_ns = advert_interval_ns(advbase, vhost->advskew);
	int64_t theirs_ns = 0;

	if (advbase > 0) {
		/* A sealed master is a carpd, which serves on its lease until then. */
		int64_t longer_ns = master->sealed && master->terms.advbase > advbase
		                            ? 3 * (master->terms.advbase - advbase) * NS_PER_S
		                            : 0;
		return own_patience_ns(vhost) + longer_ns;
	}
	if (master->source.family != FAMILY_NONE && !is_goodbye(master->terms))
		theirs_ns = terms_interval_ns(master->terms);
	return 3 * (own_ns > theirs_ns ? own_ns : theirs_ns);
}

int64_t vhost_lease_ns(const struct vhost *vhost)
{
	uint8_t advbase = settings_of(vhost)->advbase;
	int64_t span_ns = advbase > 0 ? 3 * advbase * NS_PER_S : 3 * vhost_interval_ns(vhost);

	return span_ns - span_ns / LEASE_MARGIN_DIVISOR;
}

static struct node *node_of(struct vhost *vhost)
{
	return (struct node *)(void *)((char *)vhost - offsetof(struct node, vhost));
}

static void act(struct engine *engine, enum action_kind kind, struct vhost *vhost)
{
	engine_act(engine, kind, vhost->group, node_of(vhost));
}

static void tell(struct engine *engine, struct vhost *vhost, enum report_kind kind,
                 const struct address *peer)
{
	struct report report = {.kind = kind};

	if (peer != NULL)
		report.peer = *peer;
	engine_tell(engine, vhost->group, node_of(vhost), &report);
}

/* An advert goes out now, and the next one an interval later. */
static void advertise(struct engine *engine, struct vhost *vhost, instant now)
{
	act(engine, ACTION_ADVERTISE, vhost);
	act(engine, ACTION_SERVE, vhost);
	vhost->deadline = instant_after(now, vhost_interval_ns(vhost));
}

static void say_goodbye(struct engine *engine, struct vhost *vhost, instant now)
{
	int64_t interval_ns = vhost_interval_ns(vhost);
	int64_t repeat_ns = engine->settings->handover_wait_ns / GOODBYES_PER_WAIT;

	/* Each one extends the lease as any advert does: in fast mode it is shorter than the wait. */
	act(engine, ACTION_ADVERTISE, vhost);
	act(engine, ACTION_SERVE, vhost);
	vhost->deadline = instant_after(now, repeat_ns < interval_ns ? repeat_ns : interval_ns);
}

static void restart_master_down_timer(struct vhost *vhost, instant now)
{
	vhost->deadline = instant_after(now, vhost_master_down_ns(vhost));
	if (instant_before(now, vhost->stand_back_until))
		vhost->deadline = instant_after(vhost->deadline, vhost_interval_ns(vhost) / 2);
}

static void forget_master(struct vhost *vhost)
{
	vhost->master = (struct master){
	        .heard = INSTANT_NEVER, .heard_ipv4 = INSTANT_NEVER, .heard_ipv6 = INSTANT_NEVER};
}

/* The one place where a state changes. */
static void set_state(struct engine *engine, struct vhost *vhost, enum vhost_state state, struct cause cause,
                      instant now)
{
	struct report report = {.kind = REPORT_TRANSITION};

	cause.ours = vhost_terms(vhost);
	vhost->last = (struct transition){.from = vhost->state, .to = state, .cause = cause, .at = now};
	vhost->state = state;
	report.transition = vhost->last;
	report.peer = cause.peer;
	engine_tell(engine, vhost->group, node_of(vhost), &report);
}

static void leave_master(struct engine *engine, struct vhost *vhost)
{
	act(engine, ACTION_SHUT, vhost);
	if (--vhost->group->masters == 0)
		engine_act(engine, ACTION_DROP, vhost->group, NULL);
	vhost->handover = (struct handover){.deadline = INSTANT_NEVER};
	vhost->rival = (struct rival){.heard = INSTANT_NEVER};
	vhost->announce_at = INSTANT_NEVER;
	vhost->announce_again = INSTANT_NEVER;
	vhost->lease_end = NO_LEASE;
	vhost->send_failures = 0;
}

/*
 * A predecessor that lives answers until it has heard us, and its last answers may
 * turn the switches back to it: announce behind them, soon and then more rarely.
 */
#define ANNOUNCE_BEHIND_PREDECESSOR_NS (3 * NS_PER_MS)
#define ANNOUNCE_BEHIND_UNTIL_NS       (200 * NS_PER_MS)

static bool predecessor_lives(enum cause_kind kind)
{
	return kind == CAUSE_GOODBYE || kind == CAUSE_PEER_DEMOTED || kind == CAUSE_PREEMPTED_SLOWER ||
	       kind == CAUSE_WILL_TIME_OUT;
}

static instant next_announcement_behind(const struct vhost *vhost, instant now)
{
	int64_t elapsed_ns = instant_span_ns(vhost->last.at, now);

	return elapsed_ns < ANNOUNCE_BEHIND_UNTIL_NS / 4 ? instant_after(now, 3 * elapsed_ns) : INSTANT_NEVER;
}

static void become_master(struct engine *engine, struct vhost *vhost, struct cause cause, instant now)
{
	forget_master(vhost);
	vhost->held = false;
	vhost->lease_end = NO_LEASE;
	vhost->rival = (struct rival){.heard = INSTANT_NEVER};
	vhost->reassert_after = now;
	set_state(engine, vhost, VHOST_MASTER, cause, now);
	/*
	 * The addresses come first, behind a gate that is still shut: a predecessor
	 * that serves on until it hears our advert, and closes then, leaves no gap.
	 */
	if (vhost->group->masters++ == 0)
		engine_act(engine, ACTION_TAKE, vhost->group, NULL);
	/*
	 * Where no virtual MAC moves with the advert, clients are told first: they
	 * must not send to a predecessor that has stopped already.
	 */
	bool announce_first = predecessor_lives(cause.kind) && !vhost->group->virtual_mac;
	if (announce_first)
		act(engine, ACTION_ANNOUNCE, vhost);
	advertise(engine, vhost, now);
	if (!announce_first)
		act(engine, ACTION_ANNOUNCE, vhost);
	vhost->announce_step = 0;
	vhost->announce_at = instant_after(now, announce_gaps_ns[0]);
	vhost->announce_again = predecessor_lives(cause.kind)
	                                ? instant_after(now, ANNOUNCE_BEHIND_PREDECESSOR_NS)
	                                : INSTANT_NEVER;
}

static void become_backup(struct engine *engine, struct vhost *vhost, struct cause cause, instant now)
{
	if (vhost->state == VHOST_MASTER)
		leave_master(engine, vhost);
	forget_master(vhost);
	set_state(engine, vhost, VHOST_BACKUP, cause, now);
	restart_master_down_timer(vhost, now);
}

void vhost_start(struct engine *engine, struct vhost *vhost, instant now)
{
	if (vhost->state != VHOST_INIT)
		return;
	vhost->held = false;
	vhost->preempt_after = instant_after(now, settings_of(vhost)->preempt_delay_ns);
	become_backup(engine, vhost, (struct cause){.kind = CAUSE_STARTED}, now);
}

void vhost_stop(struct engine *engine, struct vhost *vhost, enum cause_kind why, instant now)
{
	if (vhost->state == VHOST_INIT)
		return;
	if (vhost->state == VHOST_MASTER)
		leave_master(engine, vhost);
	forget_master(vhost);
	set_state(engine, vhost, VHOST_INIT, (struct cause){.kind = why}, now);
	vhost->deadline = INSTANT_NEVER;
}

/* Not by a peer's doing: whoever was about to leave has left now. */
static void step_down(struct engine *engine, struct vhost *vhost, struct cause cause, instant now)
{
	if (vhost->group->stopped)
		vhost_stop(engine, vhost, cause.kind, now);
	else
		become_backup(engine, vhost, cause, now);
}

void vhost_hand_over(struct engine *engine, struct vhost *vhost, bool stopping, instant now)
{
	vhost_lease_expired(engine, vhost, now);
	if (vhost->state != VHOST_MASTER) {
		if (stopping)
			vhost_stop(engine, vhost, CAUSE_STOPPED, now);
		return;
	}
	if (vhost->handover.active) {
		vhost->handover.stopping |= stopping;
		return;
	}
	vhost->handover = (struct handover){
	        .active = true,
	        .stopping = stopping,
	        .deadline = instant_after(now, engine->settings->handover_wait_ns),
	};
	say_goodbye(engine, vhost, now);
}

/* Who has the better right to be master, by what both advertise (protocol.md 4.3, OpenBSD's column). */
enum standing {
	WE_ARE_BETTER,
	PEER_IS_LESS_DEMOTED,
	PEER_IS_FASTER,
	EQUAL,
};

static enum standing compare(struct terms ours, struct terms theirs)
{
	int64_t ours_ns = terms_interval_ns(ours);
	int64_t theirs_ns = terms_interval_ns(theirs);

	if (is_goodbye(theirs))
		return WE_ARE_BETTER;
	if (theirs.demote != ours.demote)
		return theirs.demote < ours.demote ? PEER_IS_LESS_DEMOTED : WE_ARE_BETTER;
	if (theirs_ns != ours_ns)
		return theirs_ns < ours_ns ? PEER_IS_FASTER : WE_ARE_BETTER;
	return EQUAL;
}

/*
 * Among equals the higher source address stays master.  Hosts without an address
 * of their own share their source too: there the higher sender id of the seal does.
 */
static bool outranks(const struct engine *engine, const struct vhost *vhost, const struct heard *heard)
{
	struct address own = engine_source(engine, settings_of(vhost), (enum family)heard->source.family);
	int order = address_compare(&own, &heard->source);

	return order != 0 ? order > 0 : engine->sender > heard->sender;
}

/*
 * The two families may order two hosts differently, and each would yield to the
 * other.  Of a dual-stack group IPv4 decides, unless it is not heard.
 */
static bool is_second_copy(const struct vhost *vhost, const struct heard *heard, instant now)
{
	const struct group_settings *settings = settings_of(vhost);
	bool ipv4 = false;

	for (size_t i = 0; i < settings->address_count; i++)
		ipv4 |= settings->addresses[i].address.family == FAMILY_IPV4;
	return ipv4 && heard->source.family == FAMILY_IPV6 &&
	       instant_span_ns(vhost->rival.since, now) <= vhost_master_down_ns(vhost);
}

static struct cause cause_of(enum cause_kind kind, const struct heard *heard)
{
	return (struct cause){
	        .kind = kind, .peer = heard->source, .theirs = heard->terms, .last_advert = INSTANT_NEVER};
}

static bool may_preempt(const struct vhost *vhost, instant now)
{
	return settings_of(vhost)->preempt && !vhost->held && instant_reached(vhost->preempt_after, now);
}

/* A master that will not advertise again before our own timer runs out may as well be gone now. */
static bool will_time_out(const struct vhost *vhost, const struct heard *heard)
{
	return settings_of(vhost)->advbase > 0 && own_patience_ns(vhost) < terms_interval_ns(heard->terms);
}

static bool shares_family(const struct vhost *vhost, enum family family)
{
	for (size_t i = 0; i < settings_of(vhost)->address_count; i++)
		if (settings_of(vhost)->addresses[i].address.family == family)
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
	engine_tell(engine, vhost->group, node_of(vhost), &report);
}

/* Of one family only can two sources be told apart: a dual-stack master has two. */
static bool is_another(const struct master *master, const struct address *source)
{
	return master->source.family == source->family && !address_equal(&master->source, source);
}

/* A dual-stack master speaks from two addresses; only terms and time say that it is another host. */
static void note_master(struct engine *engine, struct vhost *vhost, const struct heard *heard, instant now)
{
	struct master *master = &vhost->master;

	if (is_another(master, &heard->source))
		forget_master(vhost);
	/* IPv4 is what people know their hosts by. */
	if (master->source.family != FAMILY_IPV4)
		master->source = heard->source;
	master->terms = heard->terms;
	master->sealed = heard->sealed;
	master->heard = now;
	note_family(engine, vhost, heard->source.family, now);
	restart_master_down_timer(vhost, now);
}

static void backup_hear(struct engine *engine, struct vhost *vhost, const struct heard *heard, instant now)
{
	struct terms ours = vhost_terms(vhost);
	enum standing standing = compare(ours, heard->terms);

	if (is_goodbye(heard->terms)) {
		if (is_another(&vhost->master, &heard->source)) {
			/* Its successor is there; until it hears so it serves on this advert's lease. */
			restart_master_down_timer(vhost, now);
			return;
		}
		become_master(engine, vhost, cause_of(CAUSE_GOODBYE, heard), now);
		return;
	}
	if (heard->terms.demote > ours.demote) {
		become_master(engine, vhost, cause_of(CAUSE_PEER_DEMOTED, heard), now);
		return;
	}
	if (standing == WE_ARE_BETTER && may_preempt(vhost, now)) {
		become_master(engine, vhost, cause_of(CAUSE_PREEMPTED_SLOWER, heard), now);
		return;
	}
	if (will_time_out(vhost, heard)) {
		become_master(engine, vhost, cause_of(CAUSE_WILL_TIME_OUT, heard), now);
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
	advertise(engine, vhost, now);
	act(engine, ACTION_ANNOUNCE, vhost);
	vhost->announce_again = instant_after(now, ANNOUNCE_BEHIND_RIVAL_NS);
	vhost->announce_step = 0;
	vhost->announce_at = instant_after(now, announce_gaps_ns[0]);
}

/*
 * A predecessor that has not heard us yet.  It goes, so it is no rival; but the
 * copy of its goodbye over the other family needs no answer of its own.
 */
static void answer_goodbye(struct engine *engine, struct vhost *vhost, instant now)
{
	int64_t pause_ns = vhost_interval_ns(vhost) / ANSWERS_PER_INTERVAL;

	if (instant_span_ns(vhost->last.at, now) < pause_ns || !instant_reached(vhost->reassert_after, now))
		return;
	vhost->reassert_after = instant_after(now, pause_ns);
	advertise(engine, vhost, now);
}

/*
 * A predecessor's last advert, or its other family's, may come after ours and
 * means nothing: a rival is one who goes on.
 */
static void note_rival(struct engine *engine, struct vhost *vhost, const struct heard *heard, instant now)
{
	struct rival *rival = &vhost->rival;

	if (rival->source.family == FAMILY_NONE)
		rival->since = now;
	rival->source = heard->source;
	rival->heard = now;
	if (!rival->persistent && instant_span_ns(rival->since, now) >= vhost_interval_ns(vhost) / 2) {
		rival->persistent = true;
		tell(engine, vhost, REPORT_RIVAL, &heard->source);
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
	become_backup(engine, vhost, cause_of(CAUSE_PEER_EQUAL, heard), now);
	if (outranked)
		vhost->stand_back_until = instant_after(now, vhost_master_down_ns(vhost));
	note_master(engine, vhost, heard, now);
}

static void yield(struct engine *engine, struct vhost *vhost, enum cause_kind kind, const struct heard *heard,
                  instant now)
{
	become_backup(engine, vhost, cause_of(kind, heard), now);
	note_master(engine, vhost, heard, now);
}

static void master_hear(struct engine *engine, struct vhost *vhost, const struct heard *heard, instant now)
{
	enum standing standing = compare(vhost_terms(vhost), heard->terms);

	if (vhost->handover.active) {
		if (is_goodbye(heard->terms))
			return;
		bool stopping = vhost->handover.stopping;
		yield(engine, vhost, CAUSE_HANDED_OVER, heard, now);
		vhost->held = true;
		if (stopping)
			vhost_stop(engine, vhost, CAUSE_STOPPED, now);
		return;
	}
	if (is_goodbye(heard->terms)) {
		answer_goodbye(engine, vhost, now);
		return;
	}
	switch (standing) {
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
		/* Only another carpd is known to keep to the rule; to the rest we yield as they do. */
		if (heard->sealed && outranks(engine, vhost, heard)) {
			reassert(engine, vhost, now);
		} else {
			yield_to_equal(engine, vhost, heard, now, !outranks(engine, vhost, heard));
		}
		break;
	case WE_ARE_BETTER:
		note_rival(engine, vhost, heard, now);
		reassert(engine, vhost, now);
		break;
	}
}

void vhost_hear(struct engine *engine, struct vhost *vhost, const struct heard *heard, instant now)
{
	/* What waited while this host was paused comes from whoever rules now. */
	vhost_lease_expired(engine, vhost, now);
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

bool vhost_lease_expired(struct engine *engine, struct vhost *vhost, instant now)
{
	/* Not yet a lease: the first advert has not been sent. */
	if (vhost->state != VHOST_MASTER || vhost->lease_end.ns == 0)
		return false;
	if (instant_before(now, vhost->lease_end))
		return false;
	step_down(engine, vhost, (struct cause){.kind = CAUSE_LEASE_EXPIRED}, now);
	return true;
}

/*
 * Switches keep the virtual MAC by our adverts.  Without it, or where adverts are
 * unicast and carry the interface's own, neighbours and switches would forget.
 */
#define REFRESH_NS (60 * NS_PER_S)

static instant next_announcement(const struct vhost *vhost, instant now)
{
	if (vhost->announce_step < ANNOUNCE_STEPS)
		return instant_after(now, announce_gaps_ns[vhost->announce_step]);
	if (!vhost->group->virtual_mac || settings_of(vhost)->peer_count > 0)
		return instant_after(now, REFRESH_NS);
	return INSTANT_NEVER;
}

static void announce_if_due(struct engine *engine, struct vhost *vhost, instant now)
{
	bool due = false;

	if (instant_reached(vhost->announce_again, now)) {
		vhost->announce_again = next_announcement_behind(vhost, now);
		due = true;
	}
	if (instant_reached(vhost->announce_at, now)) {
		if (vhost->announce_step < ANNOUNCE_STEPS)
			vhost->announce_step++;
		vhost->announce_at = next_announcement(vhost, now);
		due = true;
	}
	if (due)
		act(engine, ACTION_ANNOUNCE, vhost);
}

/* When a conflict ends the one who stays announces again, and says so. */
static void rival_gone_if_silent(struct engine *engine, struct vhost *vhost, instant now)
{
	struct rival rival = vhost->rival;

	if (rival.source.family == FAMILY_NONE ||
	    instant_span_ns(rival.heard, now) < vhost_master_down_ns(vhost))
		return;
	vhost->rival = (struct rival){.heard = INSTANT_NEVER};
	act(engine, ACTION_ANNOUNCE, vhost);
	if (rival.persistent)
		tell(engine, vhost, REPORT_RIVAL_GONE, &rival.source);
}

static void hand_over_tick(struct engine *engine, struct vhost *vhost, instant now)
{
	if (!instant_reached(vhost->handover.deadline, now)) {
		if (instant_reached(vhost->deadline, now))
			say_goodbye(engine, vhost, now);
		return;
	}
	if (vhost->handover.stopping) {
		vhost_stop(engine, vhost, CAUSE_STOPPED, now);
		return;
	}
	vhost->handover = (struct handover){.deadline = INSTANT_NEVER};
	tell(engine, vhost, REPORT_HANDOVER_KEPT, NULL);
	advertise(engine, vhost, now);
}

static void master_tick(struct engine *engine, struct vhost *vhost, instant now)
{
	if (vhost_lease_expired(engine, vhost, now))
		return;
	rival_gone_if_silent(engine, vhost, now);
	announce_if_due(engine, vhost, now);
	if (vhost->handover.active)
		hand_over_tick(engine, vhost, now);
	else if (instant_reached(vhost->deadline, now))
		advertise(engine, vhost, now);
}

void vhost_tick(struct engine *engine, struct vhost *vhost, instant now)
{
	switch (vhost->state) {
	case VHOST_INIT:
		break;
	case VHOST_BACKUP:
		if (instant_reached(vhost->deadline, now))
			become_master(engine, vhost,
			              (struct cause){.kind = CAUSE_SILENCE,
			                             .peer = vhost->master.source,
			                             .theirs = vhost->master.terms,
			                             .last_advert = vhost->master.heard},
			              now);
		break;
	case VHOST_MASTER:
		master_tick(engine, vhost, now);
		break;
	}
}

instant vhost_deadline(const struct vhost *vhost)
{
	instant deadline = vhost->deadline;

	if (vhost->state != VHOST_MASTER)
		return deadline;
	deadline = instant_earlier(deadline, vhost->handover.deadline);
	deadline = instant_earlier(deadline, vhost->announce_at);
	deadline = instant_earlier(deadline, vhost->announce_again);
	if (vhost->lease_end.ns != 0)
		deadline = instant_earlier(deadline, vhost->lease_end);
	if (vhost->rival.source.family != FAMILY_NONE)
		deadline = instant_earlier(deadline,
		                           instant_after(vhost->rival.heard, vhost_master_down_ns(vhost)));
	return deadline;
}

void vhost_sent(struct vhost *vhost, instant before, int error)
{
	if (vhost->state != VHOST_MASTER)
		return;
	/* Too late: others may have taken over, and the next event finds it out. */
	if (vhost->lease_end.ns != 0 && instant_reached(vhost->lease_end, before))
		return;
	if (error != 0) {
		if (vhost->send_failures < UINT8_MAX)
			vhost->send_failures++;
		instant again = instant_after(before, vhost_interval_ns(vhost) / TRIES_PER_INTERVAL);
		vhost->deadline = instant_earlier(vhost->deadline, again);
		return;
	}
	vhost->send_failures = 0;
	/* From the clock read before sending: a backup's timer starts later than that, never earlier. */
	vhost->lease_end = instant_after(before, vhost_lease_ns(vhost));
}

void vhost_take_failed(struct engine *engine, struct vhost *vhost, int error, instant now)
{
	if (vhost->state == VHOST_MASTER)
		step_down(engine, vhost, (struct cause){.kind = CAUSE_TAKE_FAILED, .error = error}, now);
}

void vhost_terms_changed(struct engine *engine, struct vhost *vhost, instant now)
{
	if (!vhost_lease_expired(engine, vhost, now) && vhost->state == VHOST_MASTER &&
	    !vhost->handover.active)
		advertise(engine, vhost, now);
}
