#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "channel.h"
#include "log.h"
#include "text.h"

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

/* The first line, as ask makes it; sequences are nanoseconds since 1970, so half the range is enough.
 */
static int read_sequence(FILE *file, uint64_t *ret_sequence)
{
	char line[64] = "";
	uint64_t sequence;
	int end = 0;

	errno = 0;
	if (fgets(line, sizeof(line), file) == NULL && errno != 0)
		return -errno;
	if (sscanf(line, "sequence %" SCNu64 "%n", &sequence, &end) != 1 || line[end] != '\n' ||
	    sequence > INT64_MAX)
		return -EBADMSG;
	*ret_sequence = sequence;
	return 0;
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
	if (file != NULL)
		fclose(file);
	if (error < 0 && error != -ENOENT)
		log_warning("%s/seals cannot be read: %s; replays from before this start are not recognised, "
		            "and peers refuse our seals for a while if the clock was set back",
		            directory, describe_reading(error));
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

static void write_marks(FILE *file, const struct engine *engine)
{
	char address[TEXT_ADDRESS_MAX];

	for (size_t i = 0; i < engine->settings->node_count; i++) {
		const struct node *node = &engine->nodes[i];
		size_t parent = node->vhost.group->settings->parent;
		for (size_t s = 0; s < REPLAY_SOURCES_MAX; s++) {
			const struct replay_source *source = &node->replay.sources[s];
			if (source->address.family == FAMILY_NONE || !has_room(file))
				continue;
			fprintf(file, "mark %s %d %s %" PRIu64 "\n", engine->settings->parent_names[parent],
			        node->vhost.vhid, text_address(&source->address, address), source->highest);
		}
	}
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

void state_close(struct state *state, const struct engine *engine)
{
	(void)ask(state, engine, engine->sequence);
}

static void restore_mark(struct engine *engine, const char *interface, unsigned vhid,
                         const struct address *source, uint64_t highest, instant now)
{
	for (size_t p = 0; p < engine->settings->parent_count; p++) {
		if (strcmp(engine->settings->parent_names[p], interface) != 0 || vhid > UINT8_MAX)
			continue;
		uint16_t place = engine->parents[p].node_of[vhid];
		if (place != 0)
			replay_restore(&engine->nodes[place - 1].replay, source, highest, now);
	}
}

void state_restore_marks(const struct state *state, struct engine *engine, instant now)
{
	FILE *file;
	char line[MARK_BYTES_MAX], interface[IFNAMSIZ], text[TEXT_ADDRESS_MAX];
	struct address source;
	unsigned vhid;
	uint64_t highest;

	if (open_seals(state, &file) < 0)
		return;
	while (fgets(line, sizeof(line), file) != NULL)
		if (sscanf(line, "mark %15s %u %47s %" SCNu64, interface, &vhid, text, &highest) == 4 &&
		    text_read_address(text, &source))
			restore_mark(engine, interface, vhid, &source, highest, now);
	fclose(file);
}
