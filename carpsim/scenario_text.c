#include "scenario_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "daemon.h"

/* What stands behind the word of a disturbance. */
enum operand {
	OPERAND_NONE,
	OPERAND_HOST,
	OPERAND_SEGMENT,
	OPERAND_DEMOTION,
	OPERAND_CONFIGURATION,
	OPERAND_NUMBER,
	OPERAND_TIME,
};

static const struct {
	const char *word;
	enum operand subject, argument;
} disturbance_words[DISTURBANCE_KINDS] = {
        [DISTURB_PAUSE] = {"pause", OPERAND_HOST, OPERAND_TIME},
        [DISTURB_FREEZE] = {"freeze", OPERAND_HOST, OPERAND_TIME},
        [DISTURB_STALL] = {"stall", OPERAND_HOST, OPERAND_TIME},
        [DISTURB_CRASH] = {"crash", OPERAND_HOST, OPERAND_NONE},
        [DISTURB_KILL] = {"kill", OPERAND_HOST, OPERAND_NONE},
        [DISTURB_START] = {"start", OPERAND_HOST, OPERAND_NONE},
        [DISTURB_STOP] = {"stop", OPERAND_HOST, OPERAND_NONE},
        [DISTURB_HAND_OVER] = {"hand-over", OPERAND_HOST, OPERAND_NONE},
        [DISTURB_DEMOTE] = {"demote", OPERAND_HOST, OPERAND_DEMOTION},
        [DISTURB_UNDEMOTE] = {"undemote", OPERAND_HOST, OPERAND_NONE},
        [DISTURB_MAINTAIN] = {"maintain", OPERAND_HOST, OPERAND_NONE},
        [DISTURB_UNPLUG] = {"unplug", OPERAND_HOST, OPERAND_SEGMENT},
        [DISTURB_PLUG] = {"plug", OPERAND_HOST, OPERAND_SEGMENT},
        [DISTURB_JAM] = {"jam", OPERAND_HOST, OPERAND_NONE},
        [DISTURB_UNJAM] = {"unjam", OPERAND_HOST, OPERAND_NONE},
        [DISTURB_REFUSE] = {"refuse", OPERAND_HOST, OPERAND_NUMBER},
        [DISTURB_RELOAD] = {"reload", OPERAND_HOST, OPERAND_CONFIGURATION},
        [DISTURB_SNATCH] = {"snatch", OPERAND_HOST, OPERAND_NONE},
        [DISTURB_WALL] = {"wall", OPERAND_HOST, OPERAND_TIME},
        [DISTURB_CUT] = {"cut", OPERAND_HOST, OPERAND_HOST},
        [DISTURB_JOIN] = {"join", OPERAND_HOST, OPERAND_HOST},
        [DISTURB_SPLIT] = {"split", OPERAND_NUMBER, OPERAND_NONE},
        [DISTURB_HEAL] = {"heal", OPERAND_NONE, OPERAND_NONE},
        [DISTURB_LOSE] = {"lose", OPERAND_NUMBER, OPERAND_NONE},
};

static const struct {
	const char *unit;
	int64_t ns;
} units[] = {{"s", NS_PER_S}, {"ms", NS_PER_MS}, {"us", NS_PER_US}, {"ns", 1}};
#define UNITS (sizeof(units) / sizeof(units[0]))

static const char *const seal_words[] = {
        [SEAL_OFF] = "off", [SEAL_OFFER] = "offer", [SEAL_REQUIRE] = "require"};

/* In the largest unit that shows it whole. */
static size_t print_time(char *text, size_t room, int64_t ns)
{
	size_t i = 0;

	while (ns % units[i].ns != 0)
		i++;
	return (size_t)snprintf(text, room, "%" PRId64 "%s", ns / units[i].ns, units[i].unit);
}

static size_t print_operand(char *text, size_t room, enum operand operand, int64_t value)
{
	switch (operand) {
	case OPERAND_NONE:
		break;
	case OPERAND_HOST:
	case OPERAND_SEGMENT:
	case OPERAND_DEMOTION:
	case OPERAND_CONFIGURATION:
	case OPERAND_NUMBER:
		return (size_t)snprintf(text, room, " %" PRId64, value);
	case OPERAND_TIME:
		text[0] = ' ';
		return 1 + print_time(text + 1, room - 1, value);
	}
	return 0;
}

void scenario_print_disturbance(const struct disturbance *disturbance, char ret_text[DISTURBANCE_TEXT_MAX])
{
	size_t length = (size_t)snprintf(ret_text, DISTURBANCE_TEXT_MAX, "%s",
	                                 disturbance_words[disturbance->kind].word);

	length += print_operand(ret_text + length, DISTURBANCE_TEXT_MAX - length,
	                        disturbance_words[disturbance->kind].subject, disturbance->subject);
	print_operand(ret_text + length, DISTURBANCE_TEXT_MAX - length,
	              disturbance_words[disturbance->kind].argument, disturbance->argument);
}

static void write_time(FILE *file, const char *word, int64_t ns)
{
	char text[32];

	print_time(text, sizeof(text), ns);
	fprintf(file, "%s %s\n", word, text);
}

static const char *families_word(const struct scenario *scenario)
{
	if (scenario->ipv4 && scenario->ipv6)
		return "both";
	return scenario->ipv4 ? "ipv4" : "ipv6";
}

void scenario_write(const struct scenario *scenario, FILE *file)
{
	char text[DISTURBANCE_TEXT_MAX];

	fprintf(file, "seed %" PRIu64 "\n", scenario->seed);
	write_time(file, "duration", scenario->duration_ns);
	for (size_t i = 0; i < scenario->host_count; i++)
		fprintf(file, "host %s advskew %u rate %" PRId64 "\n",
		        host_kind_name(scenario->hosts[i].kind), scenario->hosts[i].advskew,
		        scenario->hosts[i].rate);
	fprintf(file,
	        "groups %zu\nsegments %zu\nadvbase %u\nfamilies %s\nunicast %d\npreempt %d\nseal %s\n"
	        "attacked %d\n",
	        scenario->group_count, scenario->segment_count, scenario->advbase, families_word(scenario),
	        scenario->unicast, scenario->preempt, seal_words[scenario->seal], scenario->attacked);
	write_time(file, "preempt-delay", scenario->preempt_delay_ns);
	write_time(file, "hand-over-wait", scenario->handover_wait_ns);
	write_time(file, "delay", scenario->delay_ns);
	write_time(file, "jitter", scenario->jitter_ns);
	fprintf(file, "loss %" PRId64 "\nduplicate %" PRId64 "\nlosses-in-a-row %" PRId64 "\n",
	        scenario->loss_per_million, scenario->duplicate_per_million, scenario->losses_in_a_row);
	write_time(file, "routing", scenario->routing_ns);
	fprintf(file, "unrouted %" PRId64 "\n", scenario->unrouted_per_million);
	for (size_t i = 0; i < scenario->disturbance_count; i++) {
		print_time(text, sizeof(text), scenario->disturbances[i].at_ns);
		fprintf(file, "at %s ", text);
		scenario_print_disturbance(&scenario->disturbances[i], text);
		fprintf(file, "%s\n", text);
	}
}

static bool read_number(const char *word, int64_t least, int64_t most, int64_t *ret_value)
{
	char *end;

	if (word == NULL || word[0] == '\0')
		return false;
	int64_t value = strtoll(word, &end, 10);
	if (*end != '\0' || value < least || value > most)
		return false;
	*ret_value = value;
	return true;
}

static bool read_time(const char *word, int64_t *ret_ns)
{
	char *end;

	if (word == NULL)
		return false;
	int64_t value = strtoll(word, &end, 10);
	for (size_t i = 0; i < UNITS; i++) {
		if (strcmp(end, units[i].unit) != 0)
			continue;
		if (value > INT64_MAX / 2 / units[i].ns || value < -INT64_MAX / 2 / units[i].ns)
			return false;
		*ret_ns = value * units[i].ns;
		return true;
	}
	return false;
}

static char *next_word(char **rest)
{
	return strtok_r(NULL, " \t\n", rest);
}

static bool read_host(struct scenario *scenario, char **rest)
{
	const char *kind = next_word(rest);
	struct host_plan plan = {.kind = HOST_KINDS};
	int64_t value;

	if (kind == NULL || scenario->host_count == HOSTS_MAX)
		return false;
	for (int i = 0; i < HOST_KINDS; i++)
		if (strcmp(kind, host_kind_name((enum host_kind)i)) == 0)
			plan.kind = (enum host_kind)i;
	if (plan.kind == HOST_KINDS)
		return false;
	for (const char *word = next_word(rest); word != NULL; word = next_word(rest)) {
		if (strcmp(word, "advskew") == 0 && read_number(next_word(rest), 0, 254, &value))
			plan.advskew = (uint8_t)value;
		else if (strcmp(word, "rate") == 0 &&
		         read_number(next_word(rest), -CLOCK_RATE_MAX, CLOCK_RATE_MAX, &value))
			plan.rate = value;
		else
			return false;
	}
	scenario->hosts[scenario->host_count++] = plan;
	return true;
}

/* Numbers of hosts and segments are indices later. */
static bool read_operand(const struct scenario *scenario, enum operand operand, char **rest,
                         int64_t *ret_value)
{
	int64_t most = INT64_MAX;

	switch (operand) {
	case OPERAND_NONE:
		return true;
	case OPERAND_HOST:
		most = (int64_t)scenario->host_count - 1;
		break;
	case OPERAND_SEGMENT:
		most = (int64_t)scenario->segment_count - 1;
		break;
	case OPERAND_DEMOTION:
		most = DEMOTION_SUM_MAX;
		break;
	case OPERAND_CONFIGURATION:
		most = CONFIGURED_ANYHOW;
		break;
	case OPERAND_NUMBER:
		break;
	case OPERAND_TIME:
		return read_time(next_word(rest), ret_value);
	}
	return read_number(next_word(rest), 0, most, ret_value);
}

static bool read_disturbance(struct scenario *scenario, char **rest)
{
	struct disturbance disturbance = {.kind = DISTURBANCE_KINDS};

	if (scenario->disturbance_count == DISTURBANCES_MAX ||
	    !read_time(next_word(rest), &disturbance.at_ns))
		return false;
	const char *word = next_word(rest);
	for (int i = 0; word != NULL && i < DISTURBANCE_KINDS; i++)
		if (strcmp(word, disturbance_words[i].word) == 0)
			disturbance.kind = (enum disturbance_kind)i;
	if (disturbance.kind == DISTURBANCE_KINDS ||
	    !read_operand(scenario, disturbance_words[disturbance.kind].subject, rest,
	                  &disturbance.subject) ||
	    !read_operand(scenario, disturbance_words[disturbance.kind].argument, rest,
	                  &disturbance.argument))
		return false;
	scenario->disturbances[scenario->disturbance_count++] = disturbance;
	return true;
}

static bool read_word_of(const char *word, const char *const words[], size_t count, int64_t *ret_value)
{
	for (size_t i = 0; word != NULL && i < count; i++)
		if (strcmp(word, words[i]) == 0) {
			*ret_value = (int64_t)i;
			return true;
		}
	return false;
}

static bool read_line(struct scenario *scenario, const char *word, char **rest)
{
	static const char *const families[] = {"ipv4", "ipv6", "both"};
	int64_t value = 0;
	bool right = true;

	if (strcmp(word, "host") == 0)
		return read_host(scenario, rest);
	if (strcmp(word, "at") == 0)
		return read_disturbance(scenario, rest);
	const char *operand = next_word(rest);
	if (strcmp(word, "seed") == 0)
		scenario->seed = operand != NULL ? strtoull(operand, NULL, 10) : 0;
	else if (strcmp(word, "duration") == 0)
		right = read_time(operand, &scenario->duration_ns);
	else if (strcmp(word, "groups") == 0) {
		right = read_number(operand, 1, GROUPS_MAX, &value);
		scenario->group_count = (size_t)value;
	} else if (strcmp(word, "segments") == 0) {
		right = read_number(operand, 1, SEGMENTS_MAX, &value);
		scenario->segment_count = (size_t)value;
	} else if (strcmp(word, "advbase") == 0) {
		right = read_number(operand, 0, 84, &value);
		scenario->advbase = (uint8_t)value;
	} else if (strcmp(word, "families") == 0) {
		right = read_word_of(operand, families, 3, &value);
		scenario->ipv4 = value != 1;
		scenario->ipv6 = value != 0;
	} else if (strcmp(word, "unicast") == 0) {
		right = read_number(operand, 0, 1, &value);
		scenario->unicast = value != 0;
	} else if (strcmp(word, "preempt") == 0) {
		right = read_number(operand, 0, 1, &value);
		scenario->preempt = value != 0;
	} else if (strcmp(word, "attacked") == 0) {
		right = read_number(operand, 0, 1, &value);
		scenario->attacked = value != 0;
	} else if (strcmp(word, "seal") == 0) {
		right = read_word_of(operand, seal_words, 3, &value);
		scenario->seal = (enum seal_policy)value;
	} else if (strcmp(word, "preempt-delay") == 0)
		right = read_time(operand, &scenario->preempt_delay_ns);
	else if (strcmp(word, "hand-over-wait") == 0)
		right = read_time(operand, &scenario->handover_wait_ns);
	else if (strcmp(word, "delay") == 0)
		right = read_time(operand, &scenario->delay_ns);
	else if (strcmp(word, "jitter") == 0)
		right = read_time(operand, &scenario->jitter_ns);
	else if (strcmp(word, "routing") == 0)
		right = read_time(operand, &scenario->routing_ns);
	else if (strcmp(word, "unrouted") == 0)
		right = read_number(operand, 0, 1000000, &scenario->unrouted_per_million);
	else if (strcmp(word, "loss") == 0)
		right = read_number(operand, 0, 1000000, &scenario->loss_per_million);
	else if (strcmp(word, "duplicate") == 0)
		right = read_number(operand, 0, 1000000, &scenario->duplicate_per_million);
	else if (strcmp(word, "losses-in-a-row") == 0)
		right = read_number(operand, LOSSES_UNBOUNDED, 100, &scenario->losses_in_a_row);
	else
		return false;
	return right;
}

int scenario_read(struct scenario *scenario, FILE *file)
{
	char line[256];
	int number = 0;

	scenario_clear(scenario);
	while (fgets(line, sizeof(line), file) != NULL) {
		char *rest;
		number++;
		line[strcspn(line, "#")] = '\0';
		char *word = strtok_r(line, " \t\n", &rest);
		if (word != NULL && !read_line(scenario, word, &rest))
			return number;
	}
	return scenario->host_count > 0 ? 0 : number + 1;
}
