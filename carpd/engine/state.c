#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "carpd/keeper/channel.h"
#include "carpd/log/log.h"
#include "carpd/log/text.h"

#define PATH_BYTES (CONFIG_PATH_MAX + 32)

static void path_of(const struct state *state, const char *name, char path[PATH_BYTES])
{
	snprintf(path, PATH_BYTES, "%s/%s", state->directory, name);
}

/* Something else than a file may be there by mistake or malice, and a pipe would let us wait for ever. */
static int open_file(const char *path)
{
	struct stat status;
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	int error = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &status) < 0)
		error = -errno;
	else if (!S_ISREG(status.st_mode))
		error = S_ISDIR(status.st_mode) ? -EISDIR : -ENOTBLK;
	if (error == 0)
		return fd;
	close(fd);
	return error;
}

/* 0 or -errno. */
static int open_seals(const struct state *state, FILE **ret_file)
{
	char path[PATH_BYTES];

	path_of(state, "seals", path);
	int fd = open_file(path);
	if (fd < 0)
		return fd;
	*ret_file = fdopen(fd, "r");
	if (*ret_file != NULL)
		return 0;
	close(fd);
	return -ENOMEM;
}

/* The first line, as ask makes it. */
static int read_sequence(FILE *file, uint64_t *ret_sequence)
{
	char line[64] = "";
	uint64_t sequence;
	int end = 0;

	errno = 0;
	if (fgets(line, sizeof(line), file) == NULL && errno != 0)
		return -errno;
	if (sscanf(line, "sequence %" SCNu64 "%n", &sequence, &end) != 1 || line[end] != '\n' ||
	    sequence > SEQUENCE_MAX)
		return -EBADMSG;
	*ret_sequence = sequence;
	return 0;
}

#define BOOT_ID_BYTES 37 /* with the NUL */

/* Which run of the kernel this is; empty if it does not say. */
static void read_boot_id(char ret_id[BOOT_ID_BYTES])
{
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

	ret_id[0] = '\0';
	if (file == NULL)
		return;
	if (fscanf(file, "%36s", ret_id) != 1)
		ret_id[0] = '\0';
	fclose(file);
}

static bool is_plausible(int64_t span_ns)
{
	return span_ns >= -SEQUENCE_MAX && span_ns <= SEQUENCE_MAX;
}

/*
 * The boot clock cannot have been set back since: there is no need to skip what was
 * reserved, which would put us further ahead of the clock with each crash.
 */
static void read_boot(struct state *state, FILE *file)
{
	char line[64 + BOOT_ID_BYTES] = "", id[BOOT_ID_BYTES], ours[BOOT_ID_BYTES];
	int64_t lead_ns, ahead_ns;

	read_boot_id(ours);
	if (fgets(line, sizeof(line), file) == NULL ||
	    sscanf(line, "boot %36s %" SCNd64 " %" SCNd64, id, &lead_ns, &ahead_ns) != 3 ||
	    !is_plausible(lead_ns) || !is_plausible(ahead_ns))
		return;
	state->same_boot = strcmp(id, ours) == 0;
	state->lead_ns = lead_ns;
	state->ahead_ns = ahead_ns;
}

static const char *describe_reading(int error)
{
	switch (error) {
	case -EBADMSG:
		return "it is damaged";
	case -ENOTBLK:
		return "it is not a regular file";
	default:
		return strerror(-error);
	}
}

void state_open(struct state *state, const char *directory, int channel, struct state_pages *pages)
{
	FILE *file = NULL;

	snprintf(state->directory, sizeof(state->directory), "%s", directory);
	state->channel = channel;
	state->pages = pages;
	int error = open_seals(state, &file);
	if (error == 0)
		error = read_sequence(file, &state->reserved_sequence);
	if (error == 0)
		read_boot(state, file);
	if (file != NULL)
		fclose(file);
	if (error < 0 && error != -ENOENT)
		log_warning("%s/seals cannot be read: %s; replays from before this start are not recognised, "
		            "and peers refuse our seals for a while if the clock was set back",
		            directory, describe_reading(error));
}

uint64_t state_first_sequence(const struct state *state, instant now, int64_t wall_ns)
{
	int64_t least_ns = state->lead_ns + now.ns;

	if (!state->same_boot)
		return engine_first_sequence(state->reserved_sequence, wall_ns + state->ahead_ns);
	return engine_first_sequence(least_ns > 0 ? (uint64_t)least_ns : 0, wall_ns);
}

bool state_maintenance(const struct state *state)
{
	char path[PATH_BYTES];

	path_of(state, "maintenance", path);
	return access(path, F_OK) == 0;
}

int state_ask_maintenance(struct state *state, bool on, uint32_t *ret_number)
{
	*ret_number = ++state->maintenance_asked << 1 | (on ? MESSAGE_MAINTENANCE_ON : 0);
	return channel_send(state->channel, MESSAGE_MAINTENANCE, *ret_number, NULL, -1);
}

/* More than the page holds is left out: a peer of it is then one that is heard for the first time. */
#define MARK_BYTES_MAX 192

static bool has_room(FILE *file)
{
	return ftell(file) < (long)STATE_PAGE_BYTES - MARK_BYTES_MAX;
}

/*
 * As a sequence and the wall clock of the moment to which it belongs: that clock goes on
 * while this host is down.
 */
static void write_mark(FILE *file, const struct engine *engine, const struct node *node,
                       const struct replay_source *source)
{
	const char *interface = engine->settings->parent_names[node->vhost.group->settings->parent];
	char address[TEXT_ADDRESS_MAX];
	int64_t wall_ns = (int64_t)source->highest - source->lead_ns + engine->wall_offset_ns;

	fprintf(file, "mark %s %d %s %" PRIu32 " %" PRIu64 " %" PRId64 "\n", interface, node->vhost.vhid,
	        text_address(&source->address, address), source->sender, source->highest, wall_ns);
}

static void write_marks(FILE *file, const struct engine *engine)
{
	for (size_t i = 0; i < engine->settings->node_count; i++) {
		const struct node *node = &engine->nodes[i];
		for (size_t s = 0; s < REPLAY_SOURCES_MAX; s++)
			if (node->replay.sources[s].address.family != FAMILY_NONE && has_room(file))
				write_mark(file, engine, node, &node->replay.sources[s]);
	}
}

static void write_boot(FILE *file, const struct engine *engine)
{
	char id[BOOT_ID_BYTES];
	int64_t lead_ns = engine_sequence_lead_ns(engine);

	read_boot_id(id);
	fprintf(file, "boot %s %" PRId64 " %" PRId64 "\n", id[0] != '\0' ? id : "unknown", lead_ns,
	        lead_ns - engine->wall_offset_ns);
}

/* The latest first: the last of the former ones falls out when there are too many. */
static void write_senders(FILE *file, const struct engine *engine)
{
	fprintf(file, "sender %" PRIu32 "\n", engine->sender);
	for (size_t i = 0; i + 1 < FORMER_SENDERS && engine->former_senders[i] != 0; i++)
		fprintf(file, "sender %" PRIu32 "\n", engine->former_senders[i]);
}

/* The keeper's answer is late: until it comes nothing is asked again. */
#define PATIENCE_NS (10 * NS_PER_S)

static void note(struct state *state, const char *problem)
{
	if (state->problem[0] == '\0' && problem[0] != '\0')
		log_warning("%s/seals cannot be written: %s; after a restart replays from before it are not "
		            "recognised, and peers refuse our seals for a while if the clock was set back",
		            state->directory, problem);
	if (state->problem[0] != '\0' && problem[0] == '\0')
		log_notice("%s/seals is written again", state->directory);
	snprintf(state->problem, sizeof(state->problem), "%s", problem);
}

/* 0 or -errno. */
static int ask(struct state *state, const struct engine *engine, uint64_t reserved)
{
	FILE *file = fmemopen(state->pages->text[state->page], STATE_PAGE_BYTES, "w");

	if (file == NULL)
		return -ENOMEM;
	fprintf(file, "sequence %" PRIu64 "\n", reserved);
	write_boot(file, engine);
	write_senders(file, engine);
	write_marks(file, engine);
	long length = ftell(file);
	fclose(file);
	uint32_t which = state->page == 0 ? 0 : MESSAGE_SEALS_SECOND;
	state->page = !state->page;
	return channel_send(state->channel, MESSAGE_SEALS, which | (uint32_t)length, NULL, -1);
}

void state_save(struct state *state, const struct engine *engine, instant now)
{
	state->asked_sequence = engine_reserve_sequences(engine, now);
	int error = ask(state, engine, state->asked_sequence);
	state->asked = error == 0;
	state->asked_at = now;
	if (error < 0)
		note(state, strerror(-error));
}

void state_saved(struct state *state, const char *error)
{
	if (error[0] == '\0')
		state->reserved_sequence = state->asked_sequence;
	state->asked = false;
	note(state, error);
}

void state_renew(struct state *state, const struct engine *engine, instant now)
{
	if (state->asked && instant_span_ns(state->asked_at, now) > PATIENCE_NS)
		note(state, "the disk does not answer");
	else if (!state->asked && engine_sequences_run_short(engine, state->reserved_sequence, now))
		state_save(state, engine, now);
}

void state_close(struct state *state, const struct engine *engine, instant now)
{
	(void)ask(state, engine, engine_sequence_clock(engine, now));
}

static void restore_mark(struct engine *engine, const char *interface, unsigned vhid,
                         const struct replay_source *source)
{
	for (size_t p = 0; p < engine->settings->parent_count; p++) {
		if (strcmp(engine->settings->parent_names[p], interface) != 0 || vhid > UINT8_MAX)
			continue;
		uint16_t place = engine->parents[p].node_of[vhid];
		if (place != 0)
			replay_restore(&engine->nodes[place - 1].replay, source);
	}
}

/* Without a clock nobody knows how long it was: then a source need not have gone on. */
static int64_t elapsed_ns(const struct engine *engine, int64_t wall_ns, instant now)
{
	int64_t elapsed_ns = now.ns + engine->wall_offset_ns - wall_ns;

	return elapsed_ns > 0 ? elapsed_ns : 0;
}

static bool read_mark(const char *line, const struct engine *engine, instant now, char interface[IFNAMSIZ],
                      unsigned *ret_vhid, struct replay_source *ret_source)
{
	char text[TEXT_ADDRESS_MAX];
	int64_t wall_ns;

	if (sscanf(line, "mark %15s %u %47s %" SCNu32 " %" SCNu64 " %" SCNd64, interface, ret_vhid, text,
	           &ret_source->sender, &ret_source->highest, &wall_ns) != 6 ||
	    ret_source->highest > SEQUENCE_MAX || wall_ns < 0 || wall_ns > SEQUENCE_MAX ||
	    !text_read_address(text, &ret_source->address))
		return false;
	ret_source->heard = instant_after(now, -elapsed_ns(engine, wall_ns, now));
	ret_source->lead_ns = (int64_t)ret_source->highest - ret_source->heard.ns;
	return true;
}

void state_restore(const struct state *state, struct engine *engine, instant now)
{
	FILE *file;
	char line[MARK_BYTES_MAX], interface[IFNAMSIZ];
	struct replay_source source;
	size_t senders = 0;
	unsigned vhid;
	uint32_t sender;

	if (open_seals(state, &file) < 0)
		return;
	while (fgets(line, sizeof(line), file) != NULL)
		if (read_mark(line, engine, now, interface, &vhid, &source))
			restore_mark(engine, interface, vhid, &source);
		else if (senders < FORMER_SENDERS && sscanf(line, "sender %" SCNu32, &sender) == 1)
			engine->former_senders[senders++] = sender;
	fclose(file);
}
