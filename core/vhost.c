#include "vhost.h"

#include "vhost_private.h"

/*
 * A hand-over repeats its goodbye this often while it waits, so that one lost
 * packet does not cost the whole wait.
 */
#define GOODBYES_PER_WAIT 8

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

const struct group_settings *vhost_settings(const struct vhost *vhost)
{
	return vhost->group->settings;
}

int64_t vhost_patience_ns(const struct vhost *vhost)
{
	return 3 * vhost_settings(vhost)->advbase * NS_PER_S + vhost->advskew * NS_PER_S / 256;
}

int64_t vhost_master_down_ns(const struct vhost *vhost)
{
	const struct master *master = &vhost->master;
	uint8_t advbase = vhost_settings(vhost)->advbase;
	int64_t own_ns = advert_interval_ns(advbase, vhost->advskew);
	int64_t theirs_ns = 0;

	if (advbase > 0) {
		/* A sealed master is a carpd, which serves on its lease until then. */
		int64_t longer_ns = master->sealed && master->terms.advbase > advbase
		                            ? 3 * (master->terms.advbase - advbase) * NS_PER_S
		                            : 0;
		return vhost_patience_ns(vhost) + longer_ns;
	}
	if (master->source.family != FAMILY_NONE && !terms_are_goodbye(master->terms))
		theirs_ns = terms_interval_ns(master->terms);
	return 3 * (own_ns > theirs_ns ? own_ns : theirs_ns);
}

/* For how long an advert keeps every backup quiet. */
static int64_t lease_ns(const struct vhost *vhost)
{
	uint8_t advbase = vhost_settings(vhost)->advbase;
	int64_t span_ns = advbase > 0 ? 3 * advbase * NS_PER_S : 3 * vhost_interval_ns(vhost);

	return span_ns - span_ns / LEASE_MARGIN_DIVISOR;
}

struct node *vhost_node(struct vhost *vhost)
{
	return (struct node *)(void *)((char *)vhost - offsetof(struct node, vhost));
}

void vhost_act(struct engine *engine, enum action_kind kind, struct vhost *vhost)
{
	actions_add(engine, kind, vhost->group, vhost_node(vhost));
}

void vhost_tell(struct engine *engine, struct vhost *vhost, enum report_kind kind, const struct address *peer)
{
	struct report report = {.kind = kind};

	if (peer != NULL)
		report.peer = *peer;
	actions_tell(engine, vhost->group, vhost_node(vhost), &report);
}

void vhost_advertise(struct engine *engine, struct vhost *vhost, instant now)
{
	int64_t interval_ns = vhost_interval_ns(vhost);
	int64_t repeat_ns = engine->settings->handover_wait_ns / GOODBYES_PER_WAIT;

	/* The first advert will say what has changed meanwhile. */
	if (!vhost_speaks(vhost))
		return;
	/* A goodbye extends the lease as any advert does: in fast mode it is shorter than the wait. */
	vhost_act(engine, ACTION_ADVERTISE, vhost);
	vhost_act(engine, ACTION_SERVE, vhost);
	if (vhost->handover.active && repeat_ns < interval_ns)
		interval_ns = repeat_ns;
	vhost->deadline = instant_after(now, interval_ns);
}

void vhost_restart_timer(struct vhost *vhost, instant now)
{
	vhost->deadline = instant_after(now, vhost_master_down_ns(vhost));
	if (instant_before(now, vhost->stand_back_until))
		vhost->deadline = instant_after(vhost->deadline, vhost_interval_ns(vhost) / 2);
}

void vhost_forget_master(struct vhost *vhost)
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
	vhost->doubtful = false;
	report.transition = vhost->last;
	report.peer = cause.peer;
	actions_tell(engine, vhost->group, vhost_node(vhost), &report);
}

static bool successor_is_heard(enum cause_kind kind)
{
	return kind == CAUSE_PEER_FASTER || kind == CAUSE_PEER_LESS_DEMOTED || kind == CAUSE_PEER_EQUAL ||
	       kind == CAUSE_HANDED_OVER;
}

/*
 * Whoever can relieve a demoted master does so as soon as it hears one of its
 * adverts.  When so many have gone out nobody can, or would: a BSD or ucarp without
 * preempt leaves things as they are.  A goodbye would call it, but whoever is demoted
 * further too, who would hand it back; so this is told, and left to the operator.
 */
#define ADVERTS_FOR_RELIEF 3

static void expect_relief(struct vhost *vhost, instant now)
{
	if (vhost->group->demotion == 0) {
		vhost->relief_until = INSTANT_NEVER;
		vhost->unrelieved = false;
	} else if (instant_is_never(vhost->relief_until) && !vhost->unrelieved) {
		vhost->relief_until = instant_after(now, ADVERTS_FOR_RELIEF * vhost_interval_ns(vhost));
	}
}

static void give_up_relief(struct engine *engine, struct vhost *vhost, instant now)
{
	if (!instant_reached(vhost->relief_until, now))
		return;
	vhost->relief_until = INSTANT_NEVER;
	vhost->unrelieved = true;
	vhost_tell(engine, vhost, REPORT_UNRELIEVED, NULL);
}

/*
 * Whoever leaves of its own accord, and was heard as master, does not let the others
 * wait for its silence to be noticed; unless a hand-over has told them already.
 */
static bool owes_a_goodbye(const struct vhost *vhost, enum cause_kind why)
{
	return vhost->lease_end.ns != 0 &&
	       (why == CAUSE_TAKE_FAILED || (why == CAUSE_STOPPED && !vhost->handover.active));
}

static void leave_master(struct engine *engine, struct vhost *vhost, enum cause_kind why)
{
	vhost->successor_heard = vhost->lease_end.ns != 0 && successor_is_heard(why);
	vhost_act(engine, ACTION_SHUT, vhost);
	if (--vhost->group->masters == 0)
		actions_add(engine, ACTION_DROP, vhost->group, NULL);
	if (owes_a_goodbye(vhost, why))
		vhost_act(engine, ACTION_GOODBYE, vhost);
	vhost->handover = (struct handover){.deadline = INSTANT_NEVER};
	vhost->rival = (struct rival){.heard = INSTANT_NEVER};
	vhost->announce_at = INSTANT_NEVER;
	vhost->announce_again = INSTANT_NEVER;
	vhost->lease_end = NO_LEASE;
	vhost->relief_until = INSTANT_NEVER;
	vhost->unrelieved = false;
	vhost->send_failures = 0;
}

/*
 * A predecessor that lives answers until it has heard us, and its last answers may
 * turn the switches back to it, so that clients find nobody: announce behind them,
 * when it may just have heard us, and then ever more rarely.
 */
#define ANNOUNCE_BEHIND_PREDECESSOR_NS (100 * NS_PER_US)
#define ANNOUNCE_BEHIND_UNTIL_NS       (200 * NS_PER_MS)

static bool predecessor_lives(enum cause_kind kind)
{
	return kind == CAUSE_GOODBYE || kind == CAUSE_PEER_DEMOTED || kind == CAUSE_PREEMPTED_SLOWER ||
	       kind == CAUSE_WILL_TIME_OUT;
}

static instant next_announcement_behind(const struct vhost *vhost, instant now)
{
	int64_t elapsed_ns = instant_span_ns(vhost->speaks_since, now);

	return elapsed_ns < ANNOUNCE_BEHIND_UNTIL_NS / 4 ? instant_after(now, 3 * elapsed_ns) : INSTANT_NEVER;
}

void vhost_announce(struct engine *engine, struct vhost *vhost)
{
	if (vhost_speaks(vhost))
		vhost_act(engine, ACTION_ANNOUNCE, vhost);
}

void vhost_repeat_announcements(struct vhost *vhost, instant again, instant now)
{
	if (!vhost_speaks(vhost))
		return;
	vhost->announce_step = 0;
	vhost->announce_at = instant_after(now, announce_gaps_ns[0]);
	vhost->announce_again = again;
}

/*
 * The addresses come first, behind a gate that is still shut: a predecessor that
 * serves on until it hears our advert, and closes then, leaves no gap.  But backups
 * wait for the advert too, so it does not wait for the addresses for longer than this.
 */
#define TAKING_MAX_NS (50 * NS_PER_MS)

void vhost_become_master(struct engine *engine, struct vhost *vhost, struct cause cause, instant now)
{
	vhost->preempt_waived = false;
	vhost->lease_end = NO_LEASE;
	vhost->speaks_since = INSTANT_NEVER;
	vhost->rival = (struct rival){.heard = INSTANT_NEVER};
	vhost->deadline = instant_after(now, TAKING_MAX_NS);
	set_state(engine, vhost, VHOST_MASTER, cause, now);
	if (vhost->group->masters++ == 0)
		actions_add(engine, ACTION_TAKE, vhost->group, NULL);
}

/* The addresses are there: from now on others hear of this reign. */
static void begin_to_speak(struct engine *engine, struct vhost *vhost, instant now)
{
	bool predecessor = predecessor_lives(vhost->last.cause.kind);
	/*
	 * Where no virtual MAC moves with the advert, which to unicast peers it does
	 * not, clients are told first: they must not send to a predecessor that has
	 * stopped already.
	 */
	bool announce_first =
	        predecessor && (!vhost->group->virtual_mac || vhost_settings(vhost)->peer_count > 0);

	vhost->speaks_since = now;
	vhost->reassert_after = now;
	if (vhost->handover.active)
		vhost->handover.deadline = instant_after(now, engine->settings->handover_wait_ns);
	vhost_forget_master(vhost);
	expect_relief(vhost, now);
	if (announce_first)
		vhost_announce(engine, vhost);
	vhost_advertise(engine, vhost, now);
	if (!announce_first)
		vhost_announce(engine, vhost);
	vhost_repeat_announcements(
	        vhost, predecessor ? instant_after(now, ANNOUNCE_BEHIND_PREDECESSOR_NS) : INSTANT_NEVER, now);
}

void vhost_taken(struct engine *engine, struct vhost *vhost, instant now)
{
	if (vhost->state == VHOST_MASTER && !vhost_speaks(vhost))
		begin_to_speak(engine, vhost, now);
}

void vhost_become_backup(struct engine *engine, struct vhost *vhost, struct cause cause, instant now)
{
	if (vhost->state == VHOST_MASTER)
		leave_master(engine, vhost, cause.kind);
	vhost_forget_master(vhost);
	set_state(engine, vhost, VHOST_BACKUP, cause, now);
	vhost->waits_for.family = FAMILY_NONE;
	vhost_restart_timer(vhost, now);
}

/*
 * In fast mode the own interval says nothing of a master that is not known yet, which
 * may advertise once a second: the first wait is that of a backup with advbase 1.
 */
#define FIRST_ADVBASE 1

static int64_t first_wait_ns(const struct vhost *vhost)
{
	if (vhost_settings(vhost)->advbase > 0)
		return vhost_master_down_ns(vhost);
	return 3 * FIRST_ADVBASE * NS_PER_S + vhost->advskew * NS_PER_S / 256;
}

void vhost_start(struct engine *engine, struct vhost *vhost, instant now)
{
	if (vhost->state != VHOST_INIT)
		return;
	vhost->preempt_waived = false;
	vhost->preempt_after = instant_after(now, vhost_settings(vhost)->preempt_delay_ns);
	vhost_become_backup(engine, vhost, (struct cause){.kind = CAUSE_STARTED}, now);
	vhost->deadline = instant_after(now, first_wait_ns(vhost));
}

void vhost_stop(struct engine *engine, struct vhost *vhost, enum cause_kind why, instant now)
{
	if (vhost->state == VHOST_INIT)
		return;
	if (vhost->state == VHOST_MASTER)
		leave_master(engine, vhost, why);
	vhost_forget_master(vhost);
	set_state(engine, vhost, VHOST_INIT, (struct cause){.kind = why}, now);
	vhost->deadline = INSTANT_NEVER;
}

/* Not by a peer's doing: whoever was about to leave has left now. */
static void step_down(struct engine *engine, struct vhost *vhost, struct cause cause, instant now)
{
	if (vhost->group->stopped)
		vhost_stop(engine, vhost, cause.kind, now);
	else
		vhost_become_backup(engine, vhost, cause, now);
}

/* Nobody has heard of this reign, and whoever served before it serves on. */
static void step_back(struct engine *engine, struct vhost *vhost, enum cause_kind kind, instant now)
{
	struct cause cause = vhost->last.cause;
	const struct master predecessor = vhost->master;

	cause.kind = kind;
	vhost_become_backup(engine, vhost, cause, now);
	vhost->master = predecessor;
	vhost->waits_for.family = FAMILY_NONE;
	vhost_restart_timer(vhost, now);
}

static bool is_unheard_successor(const struct vhost *vhost)
{
	return vhost->lease_end.ns == 0 && predecessor_lives(vhost->last.cause.kind);
}

void vhost_hand_over(struct engine *engine, struct vhost *vhost, bool stopping, bool for_good, instant now)
{
	vhost_lease_expired(engine, vhost, now);
	/* What nobody has heard of needs no successor: its predecessor serves, or other backups count on. */
	if (vhost->state != VHOST_MASTER || (stopping && vhost->lease_end.ns == 0)) {
		if (stopping)
			vhost_stop(engine, vhost, CAUSE_STOPPED, now);
		return;
	}
	if (is_unheard_successor(vhost)) {
		step_back(engine, vhost, CAUSE_HANDED_OVER, now);
		vhost->preempt_waived = for_good;
		return;
	}
	if (vhost->handover.active) {
		vhost->handover.stopping |= stopping;
		vhost->handover.for_good |= for_good;
		return;
	}
	vhost->handover = (struct handover){
	        .active = true,
	        .stopping = stopping,
	        .for_good = for_good,
	        .deadline = instant_after(now, engine->settings->handover_wait_ns),
	};
	vhost_advertise(engine, vhost, now);
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
	if (!vhost->group->virtual_mac || vhost_settings(vhost)->peer_count > 0)
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
		vhost_announce(engine, vhost);
}

/* When a conflict ends the one who stays announces again, and says so. */
static void rival_gone_if_silent(struct engine *engine, struct vhost *vhost, instant now)
{
	struct rival rival = vhost->rival;

	if (rival.source.family == FAMILY_NONE ||
	    instant_span_ns(rival.heard, now) < vhost_master_down_ns(vhost))
		return;
	vhost->rival = (struct rival){.heard = INSTANT_NEVER};
	vhost_announce(engine, vhost);
	if (rival.persistent)
		vhost_tell(engine, vhost, REPORT_RIVAL_GONE, &rival.source);
}

static void hand_over_tick(struct engine *engine, struct vhost *vhost, instant now)
{
	if (!instant_reached(vhost->handover.deadline, now)) {
		if (instant_reached(vhost->deadline, now))
			vhost_advertise(engine, vhost, now);
		return;
	}
	if (vhost->handover.stopping) {
		vhost_stop(engine, vhost, CAUSE_STOPPED, now);
		return;
	}
	vhost->handover = (struct handover){.deadline = INSTANT_NEVER};
	vhost_tell(engine, vhost, REPORT_HANDOVER_KEPT, NULL);
	vhost_advertise(engine, vhost, now);
}

static void master_tick(struct engine *engine, struct vhost *vhost, instant now)
{
	if (vhost_lease_expired(engine, vhost, now))
		return;
	if (!vhost_speaks(vhost) && !instant_reached(vhost->deadline, now))
		return;
	vhost_taken(engine, vhost, now);
	rival_gone_if_silent(engine, vhost, now);
	give_up_relief(engine, vhost, now);
	announce_if_due(engine, vhost, now);
	if (vhost->handover.active)
		hand_over_tick(engine, vhost, now);
	else if (instant_reached(vhost->deadline, now))
		vhost_advertise(engine, vhost, now);
}

void vhost_tick(struct engine *engine, struct vhost *vhost, instant now)
{
	switch (vhost->state) {
	case VHOST_INIT:
		break;
	case VHOST_BACKUP:
		if (instant_reached(vhost->deadline, now))
			vhost_become_master(engine, vhost,
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

	if (!vhost_speaks(vhost))
		return deadline;
	deadline = instant_earlier(deadline, vhost->handover.deadline);
	deadline = instant_earlier(deadline, vhost->announce_at);
	deadline = instant_earlier(deadline, vhost->announce_again);
	deadline = instant_earlier(deadline, vhost->relief_until);
	if (vhost->lease_end.ns != 0)
		deadline = instant_earlier(deadline, vhost->lease_end);
	if (vhost->rival.source.family != FAMILY_NONE)
		deadline = instant_earlier(deadline,
		                           instant_after(vhost->rival.heard, vhost_master_down_ns(vhost)));
	return deadline;
}

void vhost_sent(struct vhost *vhost, instant before, int error)
{
	if (!vhost_speaks(vhost))
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
	vhost->handover.said |= vhost_says_goodbye(vhost);
	/* From the clock read before sending: a backup's timer starts later than that, never earlier. */
	vhost->lease_end = instant_after(before, lease_ns(vhost));
}

void vhost_take_failed(struct engine *engine, struct vhost *vhost, int error, instant now)
{
	if (!vhost_lease_expired(engine, vhost, now) && vhost->state == VHOST_MASTER)
		step_down(engine, vhost, (struct cause){.kind = CAUSE_TAKE_FAILED, .error = error}, now);
}

void vhost_terms_changed(struct engine *engine, struct vhost *vhost, instant now)
{
	if (vhost_lease_expired(engine, vhost, now) || vhost->state != VHOST_MASTER)
		return;
	/* It has the better right no longer, so the other would not leave. */
	if (is_unheard_successor(vhost) &&
	    terms_compare(vhost_terms(vhost), vhost->last.cause.theirs) == PEER_IS_LESS_DEMOTED) {
		step_back(engine, vhost, CAUSE_PEER_LESS_DEMOTED, now);
		return;
	}
	if (!vhost_speaks(vhost))
		return;
	expect_relief(vhost, now);
	if (!vhost->handover.active)
		vhost_advertise(engine, vhost, now);
}

void vhost_mac_changed(struct engine *engine, struct vhost *vhost, instant now)
{
	/* The advert opens a gate that is new, and turns the switches. */
	vhost_terms_changed(engine, vhost, now);
	vhost_announce(engine, vhost);
	vhost_repeat_announcements(vhost, INSTANT_NEVER, now);
}
