/*
 * What must hold after every event.  doc/invariants.md derives the bounds; here
 * they are in short, by the names under which a failure is reported.
 *
 *   lease      While a host answers under a lease, no host that heard the advert
 *              on which the lease stands has taken over because of silence.  Holds
 *              for any loss, delay and partition, as long as clocks run on and two
 *              of them differ by less than the lease's margin, a part in 1000.
 *   false      In a network that never loses more adverts in a row than the timers
 *              allow, nobody takes over because of silence while another, whom it
 *              hears, has been serving for long enough to be heard.
 *   rising     A backup becomes master on an advert when it is called to, and only
 *              then: by its master's goodbye, by one demoted further, by preempt, or
 *              by one slower than its patience.
 *   rivals     A master leaves when it hears a better one, and only then.
 *   replay     No advert under a seal is taken notice of twice, or after a later one.
 *   fresh      What somebody without a key plays back is taken notice of only while it is
 *              no older than a backup is patient, and never if it was altered.  And what
 *              an honest host says is not taken for old, unless a clock stood still or was set.
 *   first      The first advert of a reign is no goodbye, and comes when the addresses
 *              are there, or 50 ms after the reign began.
 *   overlap    Who hands over serves beside its successor for one way of its first advert.
 *   served     Where nothing fails, and hosts are only told what to do, somebody serves.
 *   settled    Two masters never stay for longer than the longer of their
 *              intervals and one way of an advert after the last trouble between them.
 *   link       A host takes part while its link is up, until it is stopped.
 *   patience   A backup that has heard nothing for as long as it waits, and half an
 *              interval, is none any more.
 *   demoted    A master demoted further than a backup that hears it has left after
 *              an interval and two ways.
 *              And under maintenance above any backup, after handover-wait and a way.
 *   demotion   What a group is demoted by is the sum of what was asked for and of the
 *              reasons in its demotion group, in one byte, and no less or more for good.
 *   goodbye    A master that served and cannot have its addresses any more says so when it
 *              leaves.
 *   stopped    handover-wait after a stop was asked for, nothing of it is left, and
 *              it is silent; after that time a hand-over is over as well.
 *   terms      An advert says what its sender is: its settings, its demotion, and in a
 *              hand-over that it goes.
 *   announced  A master announces its addresses at once, and again after 1.1, 2.2 and
 *              5 seconds.
 *   addresses  A master has its addresses, or puts back within a second what somebody
 *              took away; none other has, and only a master's gate is open (a daemon
 *              that was killed leaves both behind).
 *   fence      A gate opens for no longer than a lease less its margin after the
 *              clock was read before sending, and an expired lease is never extended.
 *   deadline   Unless all is INIT the engine has a deadline, in time for all its
 *              nodes, and a tick that was due puts it into the future.
 *   actions    None is left when an event has been dealt with.
 *   sequence   No host uses a number of its seals again, or one below the last, or one
 *              that is behind its clock, so that a peer who hears it first would refuse it.
 *   vacant     Of two equals that seal and hear each other one stays.
 *   honest     Whatever a carpd thinks of the counter of a host without seals: it does
 *              not rise while that host is heard, nor yield or rise because of it.
 *   flapping   With no trouble left, nothing changes any more (in groups of carpd
 *              hosts that seal; among others equals are parted by chance).
 */
#ifndef CARPSIM_CHECK_H
#define CARPSIM_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/clock.h"
#include "core/drop.h"
#include "core/vhost.h"
#include "queue.h"

struct world;
struct check;

struct check *check_open(const struct world *world);
void check_close(struct check *check);
/* NULL while all is well; else what went wrong, where and when. */
const char *check_failure(const struct check *check);

/* What the check is told; each does nothing in a world without one. */
void check_lost(const struct world *world, size_t from, size_t to);
void check_sent(const struct world *world, const struct flight *flight);
/* At a carpd, which was as before says, was given it with the time arrived, and dropped it. */
void check_dropped(const struct world *world, const struct flight *flight, enum drop drop,
                   const struct vhost *before, instant arrived);
void check_accepted(const struct world *world, const struct flight *flight);
/* By a carpd, which was as before says and was given it with the time arrived; after check_accepted. */
void check_heard(const struct world *world, const struct flight *flight, const struct vhost *before,
                 instant arrived);
/* interval_ns: as the advert said it; that it left may have lifted a demotion. */
void check_gate(const struct world *world, size_t host, size_t unit, int64_t interval_ns, instant before,
                instant end);
/* Played back by the attacker at that age; patience_ns of the hearer. */
void check_attack(const struct world *world, const struct flight *flight, int64_t age_ns, int64_t patience_ns,
                  enum drop drop);
/* A reign may begin and end within one event. */
void check_rose(const struct world *world, size_t host, size_t unit, instant at);
void check_announced(const struct world *world, size_t host, size_t unit);
void check_trouble(const struct world *world, size_t host);
void check_cabling(const struct world *world);
void check_ticked(const struct world *world, size_t host);
/* After every event of host. */
void check_host(const struct world *world, size_t host);
/* Now and then, so that also a host without events is looked at. */
void check_audit(const struct world *world);

#endif
