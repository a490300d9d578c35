#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "text.h"

#define PATH_BYTES (CONFIG_PATH_MAX + 32)

static void path_of(const struct state *state, const char *name, char path[PATH_BYTES])
{
	snprintf(path, PATH_BYTES, "%s/%s", state->directory, name);
}

static FILE *open_seals(const struct state *state)
{
	char path[PATH_BYTES];

	path_of(state, "seals", path);
	return fopen(path, "re");
}

/* The first line, as write_seals makes it; sequences are nanoseconds since 1970, so half the range is enough.
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

void state_open(struct state *state, const char *directory)
{
	snprintf(state->directory, sizeof(state->directory), "%s", directory);
	FILE *file = open_seals(state);
	int error = file == NULL ? -errno : read_sequence(file, &state->reserved_sequence);

	if (file != NULL)
		fclose(file);
	if (error < 0 && error != -ENOENT)
		log_warning("%s/seals cannot be read: %s; replays from before this start are not recognised, "
		            "and peers refuse our seals for a while if the clock was set back",
		            directory, error == -EBADMSG ? "it is damaged" : strerror(-error));
}

bool state_maintenance(const struct state *state)
{
	char path[PATH_BYTES];

	path_of(state, "maintenance", path);
	return access(path, F_OK) == 0;
}

int state_set_maintenance(const struct state *state, bool on)
{
	char path[PATH_BYTES];

	path_of(state, "maintenance", path);
	if (!on)
		return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static void write_marks(FILE *file, const struct engine *engine)
{
	char address[TEXT_ADDRESS_MAX];

	for (size_t i = 0; i < engine->settings->node_count; i++) {
		const struct node *node = &engine->nodes[i];
		size_t parent = node->vhost.group->settings->parent;
		for (size_t s = 0; s < REPLAY_SOURCES_MAX; s++) {
			const struct replay_source *source = &node->replay.sources[s];
			if (source->address.family == FAMILY_NONE)
				continue;
			fprintf(file, "mark %s %d %s %" PRIu64 "\n", engine->settings->parent_names[parent],
			        node->vhost.vhid, text_address(&source->address, address), source->highest);
		}
	}
}

/* 0 or -errno. */
static int write_seals(const struct state *state, const struct engine *engine, uint64_t reserved)
{
	char path[PATH_BYTES], fresh[PATH_BYTES];
	int error = 0;

	path_of(state, "seals", path);
	path_of(state, "seals.new", fresh);
	FILE *file = fopen(fresh, "we");
	if (file == NULL)
		return -errno;
	fprintf(file, "sequence %" PRIu64 "\n", reserved);
	write_marks(file, engine);
	/* A buffer that was full before may have failed already. */
	if (ferror(file) || fflush(file) != 0)
		error = errno != 0 ? -errno : -EIO;
	fclose(file);
	if (error == 0 && rename(fresh, path) < 0)
		error = -errno;
	if (error < 0)
		unlink(fresh);
	return error;
}

static void reserve(struct state *state, const struct engine *engine, uint64_t reserved)
{
	int error = write_seals(state, engine, reserved);

	if (error == 0)
		state->reserved_sequence = reserved;
	if (state->failing == (error < 0))
		return;
	state->failing = error < 0;
	if (error < 0)
		log_warning("%s/seals cannot be written: %s; after a restart replays from before it are not "
		            "recognised, and peers refuse our seals for a while if the clock was set back",
		            state->directory, strerror(-error));
	else
		log_notice("%s/seals is written again", state->directory);
}

void state_save(struct state *state, const struct engine *engine, instant now)
{
	reserve(state, engine, engine_reserve_sequences(engine, now));
}

void state_renew(struct state *state, const struct engine *engine, instant now)
{
	if (engine_sequences_run_short(engine, state->reserved_sequence, now))
		state_save(state, engine, now);
}

void state_close(struct state *state, const struct engine *engine)
{
	reserve(state, engine, engine->sequence);
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
	FILE *file = open_seals(state);
	char line[160], interface[IFNAMSIZ], text[TEXT_ADDRESS_MAX];
	struct address source;
	unsigned vhid;
	uint64_t highest;

	if (file == NULL)
		return;
	while (fgets(line, sizeof(line), file) != NULL)
		if (sscanf(line, "mark %15s %u %47s %" SCNu64, interface, &vhid, text, &highest) == 4 &&
		    text_read_address(text, &source))
			restore_mark(engine, interface, vhid, &source, highest, now);
	fclose(file);
}
