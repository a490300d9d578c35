/*
 * Between the files of the check: what it remembers of the hosts, and the
 * invariants that check.c goes through after each event.
 */
#ifndef CARPSIM_CHECK_STATE_H
#define CARPSIM_CHECK_STATE_H

#include "check.h"
#include "world.h"

/* For what happens at one moment but is not one event, and for the drift of clocks. */
#define SLACK_NS (2 * NS_PER_MS)

/* At the beginning of a reign, until the addresses are there. */
#define SILENCE_MAX_NS (50 * NS_PER_MS)

/* What others can know of a master, and since when it is so. */
struct standing {
	uint64_t reign;
	int64_t interval_ns;
	int demote;
	bool handing_over;
	bool speaks;
};

struct view {
	uint64_t highest_sequence; /* ever sent, over all restarts */
	uint64_t highest_advert;   /* that it was in */
	enum vhost_state state;
	int64_t state_since_ns;
	struct standing standing;
	int64_t standing_since_ns;
	uint64_t serving_reign; /* the last reign in which it was seen serving */
	int64_t serving_since_ns;
	uint64_t last_reign;   /* the last one that it began, seen or not */
	uint64_t spoken_reign; /* the last one in which it said something, */
	uint64_t first_advert; /* and the first that it said */
	int64_t goodbye_ns;    /* when it last said one */
	int64_t heard_ns;      /* when it last took notice of an advert */
	instant announced_reign;
	unsigned int announcements; /* in that reign */
	instant started;            /* left INIT, by its own clock */
	uint32_t masters_heard;     /* a bit for each host that it heard as a backup, other than goodbyes */
	int64_t suspected_ns[HOSTS_MAX]; /* when it last doubted the counter of each host */
	int64_t behind_ns[HOSTS_MAX];    /* when it last took what each host said for old */
	bool left_out;                   /* of the configuration, when its daemon was last seen */
	bool unlearnt; /* a run ended or began without the group, and so with nothing that it knew of the time
	                */
	/* The latest advert of each host, by family, that it took notice of, over all restarts. */
	uint64_t accepted[HOSTS_MAX][2];
	/* The latest advert of each host, by family, that it heard and stayed, or became, a backup. */
	uint64_t heard_as_backup[HOSTS_MAX][2];
	/* When the network brought the latest advert of each host, by family, that was taken notice of. */
	int64_t fresh_ns[HOSTS_MAX][2];
};

struct check {
	const struct world *world;
	struct view (*views)[HOSTS_MAX]; /* of each unit and host */
	int64_t furthest_ns;             /* that a sequence has been ahead of the true time */
	int64_t trouble_ns[HOSTS_MAX];
	int64_t lost_ns[HOSTS_MAX][HOSTS_MAX];
	int64_t cabling_ns;
	int64_t any_trouble_ns;
	bool planned;       /* nothing fails: hosts only do what they are told to */
	int64_t *served_ns; /* each unit, when it was last seen so; 0: never */
	int64_t *twice_served_ns;
	bool ranks_equals; /* not by chance, as hosts do that know nothing of each other but adverts */
	char failure[300];
};

/* check_fresh.c: nobody takes notice of flight, which somebody honest sent. */
void check_missed(struct check *check, const struct flight *flight, enum drop drop);

/* The first failure counts; what follows from it is no news. */
__attribute__((format(printf, 2, 3))) void check_fail(struct check *check, const char *format, ...);

/* The CARP header and what follows. */
static inline const uint8_t *flight_payload(const struct flight *flight)
{
	return flight->packet + (flight->packet[0] >> 4 == 4 ? 20 : 40);
}

static inline bool flight_is_sealed(const struct world *world, const struct flight *flight)
{
	return world->scenario->seal != SEAL_OFF && world->hosts[flight->from].kind == HOST_CARPD;
}

/* As whoever is demoted advertises it: no less than the 240 of the BSDs. */
static inline uint8_t demoted_advskew(uint8_t advskew, int demote)
{
	return demote > 0 && advskew < 240 ? 240 : advskew;
}

/* Preempt-delay counts from then; what the engine makes of it is no matter. */
static inline void check_note_start(struct view *view, const struct vhost *vhost)
{
	if (vhost->last.from == VHOST_INIT && vhost->state == VHOST_BACKUP)
		view->started = vhost->last.at;
}

/* check_trouble.c: since when nothing has stood between a and b; false if something does now. */
bool check_untroubled_since(const struct check *check, size_t a, size_t b, size_t unit, int64_t *ret_ns);

/* check_owners.c: never two owners. */
void check_overlap(struct check *check, size_t unit, size_t a, size_t b);
void check_settled(struct check *check, size_t unit, size_t a, size_t b);
/* Host has begun to serve because of silence: may it pass other over? */
void check_takeover(struct check *check, size_t unit, size_t host, size_t other);

/* check_service.c: always one. */
bool check_is_planned(const struct scenario *scenario);
void check_served(struct check *check, size_t unit);
void check_link(struct check *check, size_t unit, size_t host);
void check_patience(struct check *check, size_t unit, size_t host);
/* Host has left and is a backup. */
void check_vacancy(struct check *check, size_t unit, size_t host);
void check_change(struct check *check, size_t unit, size_t host, enum vhost_state state);
void check_engine(struct check *check, size_t host);

/* check_leaving.c: who leaves has left. */
void check_demoted(struct check *check, size_t unit, size_t master, size_t backup);
void check_stopped(struct check *check, size_t host);
/* Host has left. */
void check_farewell(struct check *check, size_t unit, size_t host);
void check_handover(struct check *check, size_t unit, size_t host);
void check_demotion(struct check *check, size_t unit, size_t host);
void check_kernel(struct check *check, size_t unit, size_t host);

/* check_saying.c: what a host says. */
void check_silence(struct check *check, size_t unit, size_t host);
void check_advert(struct check *check, const struct flight *flight);
void check_announcements(struct check *check, size_t unit, size_t host);

static inline int64_t latest(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Later than bound_ns after since_ns by every clock. */
static inline bool is_overdue(const struct world *world, int64_t since_ns, int64_t bound_ns)
{
	return world->now_ns - since_ns > bound_ns + bound_ns / 1000 + SLACK_NS;
}

#endif
