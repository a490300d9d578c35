/*
 * A client of the control socket.  The first byte says who it is and what fails
 * meanwhile (enum circumstance), the others are what it sends; but a byte from 1 to 8
 * is time that passes, so many of the engine's deadlines.
 */
#include <errno.h>
#include <event2/buffer.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "carpd/control/conversation.h"
#include "carpd/log/log.h"

#define TURNS_MAX 64
/* An error may repeat a word of the request. */
#define ERROR_BYTES_MAX (REQUEST_BYTES_MAX + 256)

#define require(condition)                                                                                   \
	do {                                                                                                 \
		if (!(condition)) {                                                                          \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);              \
			abort();                                                                             \
		}                                                                                            \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of a digit, so that the corpus can be read: '1' may act, '5' may and its reload is refused. */
enum circumstance {
	MAY_ACT = 1,
	STATE_UNWRITABLE = 2,
	RELOAD_REFUSED = 4,
	IN_SINGLE_BYTES = 8,
};

/* wan is master, lan has no link, far is master and has a name of its own for demotions. */
static const char text[] =
        "group wan { interface = eth0  vhid = 1  addresses = { 192.0.2.1/24, \"fe80::1/64\" }\n"
        "  passphrase = carp }\n"
        "group lan { interface = eth1  vhid = 1  addresses = { 198.51.100.1/24 }\n"
        "  passphrase = carp  preempt = true }\n"
        "group far { interface = eth0  vhid = 7  addresses = { 203.0.113.1/24 }\n"
        "  peers = { 192.0.2.9 }  demotion-group = far  passphrase = carp }\n";

static struct daemon daemon_;
static struct conversation conversation;
static uint8_t circumstances;
static bool maintenance, maintenance_wanted;
static unsigned reloads;

/*
 * What the words need of the daemon's other parts.
 */

void log_line(enum log_level level, const char *format, ...)
{
	(void)level;
	(void)format;
}

instant daemon_read_clock(struct daemon *daemon)
{
	return daemon->now;
}

void daemon_set_maintenance(struct daemon *daemon, bool on)
{
	maintenance = on;
	if (on)
		engine_demote(daemon->engine, "maintenance", 254, daemon->now, INSTANT_NEVER);
	else
		engine_undemote(daemon->engine, "maintenance", daemon->now);
}

int state_ask_maintenance(struct state *state, bool on, uint32_t *ret_number)
{
	*ret_number = ++state->maintenance_asked << 1 | on;
	maintenance_wanted = on;
	return (circumstances & STATE_UNWRITABLE) != 0 ? -EPIPE : 0;
}

void gate_read_counters(struct gate *gate, int port, uint8_t vhid, struct gate_counters *ret_counters)
{
	(void)gate;
	(void)port;
	(void)vhid;
	*ret_counters = (struct gate_counters){0};
}

/* What kernel and network show is none of a client's making. */
const struct rtnl_address *interface_stranger(const struct interface *interface,
                                              const struct address *address)
{
	(void)interface;
	(void)address;
	return NULL;
}

const char *interface_describe_stranger(const struct interface *interface,
                                        const struct rtnl_address *stranger, char sentence[TEXT_SENTENCE_MAX])
{
	(void)interface;
	(void)stranger;
	return sentence;
}

void trouble_find(const struct daemon *daemon, const struct group *group, json_t *texts)
{
	(void)daemon;
	(void)group;
	(void)texts;
}

void squatter_find(const struct daemon *daemon, const struct group *group, json_t *problems, json_t *notes)
{
	(void)daemon;
	(void)group;
	(void)problems;
	(void)notes;
}

void route_problems(const struct daemon *daemon, const struct group *group, json_t *problems)
{
	(void)daemon;
	(void)group;
	(void)problems;
}

static void perform(const struct action *action)
{
	struct engine *engine = daemon_.engine;

	if (action->kind == ACTION_ADVERTISE)
		engine_sent(engine, action->node, daemon_.now, &(int){0}, 1);
	else if (action->kind == ACTION_TELL)
		history_report(&daemon_.history, engine, action, daemon_.now);
}

static void settle(struct daemon *daemon)
{
	struct engine *engine = daemon->engine;

	for (int turn = 0; engine->action_count > 0; turn++) {
		size_t count = engine->action_count;

		require(turn < TURNS_MAX && count <= engine->action_capacity);
		memcpy(daemon->todo, engine->actions, count * sizeof(*daemon->todo));
		engine_clear_actions(engine);
		for (size_t i = 0; i < count; i++)
			perform(&daemon->todo[i]);
	}
	conversation_settle(&conversation);
}

static int reload_wanted(struct daemon *daemon, uint32_t *ret_number)
{
	(void)daemon;
	*ret_number = ++reloads;
	return 0;
}

static const struct control_requests requests = {.reload = reload_wanted, .settle = settle};

static void tick(void)
{
	daemon_.now = engine_deadline(daemon_.engine);
	require(!instant_is_never(daemon_.now));
	engine_tick(daemon_.engine, daemon_.now);
	settle(&daemon_);
}

/*
 * One daemon is set up, and every input finds it as it was.
 */

static struct daemon pristine;
static void *pristine_engine;
static size_t engine_size;

static void prepare_daemon(void)
{
	static struct interface interfaces[] = {
	        {.name = "eth0", .link = {.index = 2, .name = "eth0", .up = true}, .gate_port = -1},
	        {.name = "eth1", .link = {.index = 3, .name = "eth1"}, .gate_port = -1}};
	const struct parent up = {.up = true, .source_ipv4 = {FAMILY_IPV4, {192, 0, 2, 2}}};
	FILE *file = fmemopen((void *)(uintptr_t)text, sizeof(text) - 1, "r"),
	     *nowhere = fopen("/dev/null", "w");

	require(file != NULL && nowhere != NULL);
	struct config *config = config_parse(file, "fuzz", nowhere);
	fclose(file);
	fclose(nowhere);
	require(config != NULL);
	daemon_.now = daemon_.started = (instant){NS_PER_S};
	daemon_.runtime = runtime_create(config, 1, 1, daemon_.now);
	require(daemon_.runtime != NULL);
	daemon_.engine = daemon_.runtime->engine;
	daemon_.todo = calloc(daemon_.engine->action_capacity, sizeof(*daemon_.todo));
	require(daemon_.todo != NULL);
	daemon_.interfaces = (struct interfaces){.list = interfaces, .count = 2};
	engine_parent_changed(daemon_.engine, 0, &up, daemon_.now);
	settle(&daemon_);
	for (int turn = 0; daemon_.engine->groups[0].masters + daemon_.engine->groups[2].masters < 2;
	     turn++) {
		require(turn < TURNS_MAX);
		tick();
	}
}

static void begin(void)
{
	if (pristine_engine == NULL) {
		prepare_daemon();
		engine_size = engine_bytes(&daemon_.runtime->settings);
		pristine_engine = malloc(engine_size);
		require(pristine_engine != NULL);
		memcpy(pristine_engine, daemon_.engine, engine_size);
		pristine = daemon_;
	}
	daemon_ = pristine;
	memcpy(daemon_.engine, pristine_engine, engine_size);
	maintenance = false;
	reloads = 0;
	conversation = (struct conversation){.daemon = &daemon_,
	                                     .requests = &requests,
	                                     .input = evbuffer_new(),
	                                     .output = evbuffer_new(),
	                                     .may_act = (circumstances & MAY_ACT) != 0};
	require(conversation.input != NULL && conversation.output != NULL);
}

static void end(void)
{
	conversation_end(&conversation);
	evbuffer_free(conversation.input);
	evbuffer_free(conversation.output);
}

/*
 * What must be so, whatever a client sends.
 */

/* The answer: one line, one object, and if it is an error then a short one. */
static json_t *read_answer(void)
{
	size_t left = evbuffer_get_length(conversation.output), length;
	char *line = evbuffer_readln(conversation.output, &length, EVBUFFER_EOL_LF);

	require(line != NULL && left == length + 1);
	json_t *answer = json_loadb(line, length, 0, NULL);
	require(json_is_object(answer) && json_is_boolean(json_object_get(answer, "ok")));
	if (json_is_false(json_object_get(answer, "ok")))
		require(length <= ERROR_BYTES_MAX &&
		        json_string_length(json_object_get(answer, "error")) > 0);
	for (size_t i = 0; i < length; i++)
		require((unsigned char)line[i] >= ' ');
	free(line);
	return answer;
}

/* Something else ends the wait, always. */
static void wait_for_answer(void)
{
	if (conversation.waiting == WAITING_FOR_RELOAD) {
		/* Of one that began before it asked: not its own. */
		conversation_reloaded(&conversation, reloads - 1, NULL);
		require(conversation.waiting == WAITING_FOR_RELOAD);
		conversation_reloaded(&conversation, reloads,
		                      (circumstances & RELOAD_REFUSED) != 0 ? "carpd.conf:1: unknown word"
		                                                            : NULL);
	}
	if (conversation.waiting == WAITING_FOR_DISK) {
		conversation_kept(&conversation, conversation.number, "");
		daemon_set_maintenance(&daemon_, maintenance_wanted);
		settle(&daemon_);
	}
	for (int turn = 0; conversation.waiting != WAITING_FOR_NOTHING; turn++) {
		require(turn < TURNS_MAX && evbuffer_get_length(conversation.output) == 0);
		tick();
	}
}

/* By a reading of its own: whether the next line is a request at all. */
static bool next_is_request(void)
{
	size_t length = evbuffer_get_length(conversation.input);
	const char *line = (const char *)evbuffer_pullup(conversation.input, -1);
	const char *newline = memchr(line, '\n', length);

	if (newline == NULL || newline - line > REQUEST_BYTES_MAX)
		return false;
	json_t *json = json_loadb(line, (size_t)(newline - line), 0, NULL);
	bool is_object = json_is_object(json);
	json_decref(json);
	return is_object;
}

static void serve(void)
{
	static uint8_t *before;
	bool is_request = next_is_request();
	unsigned reloads_before = reloads;
	bool maintenance_before = maintenance;

	if (before == NULL)
		before = malloc(engine_size);
	require(before != NULL);
	memcpy(before, daemon_.engine, engine_size);
	conversation_serve(&conversation);
	require(conversation.hung_up == !is_request);
	bool acted = memcmp(before, daemon_.engine, engine_size) != 0 || reloads != reloads_before ||
	             maintenance != maintenance_before || conversation.waiting != WAITING_FOR_NOTHING;
	wait_for_answer();
	json_t *answer = read_answer();
	bool ok = json_is_true(json_object_get(answer, "ok"));
	json_decref(answer);
	require(!acted || conversation.may_act);
	/* An error means that nothing was done; a reload is refused by somebody else. */
	require(!acted || ok || reloads != reloads_before);
	require(is_request || !ok);
}

static void ask(const uint8_t *bytes, size_t count)
{
	evbuffer_add(conversation.input, bytes, count);
	while (conversation_has_request(&conversation))
		serve();
}

static bool is_time(uint8_t byte)
{
	return byte >= 1 && byte <= 8;
}

static void pass(uint8_t deadlines)
{
	while (deadlines-- > 0)
		tick();
}

static size_t said_at_once(const uint8_t *data, size_t size)
{
	size_t bytes = 1;

	if ((circumstances & IN_SINGLE_BYTES) != 0 || is_time(data[0]))
		return bytes;
	while (bytes < size && !is_time(data[bytes]))
		bytes++;
	return bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	circumstances = data[0];
	begin();
	/* As the watermark of control.c: nothing is read of one who was hung up on. */
	for (size_t at = 1, piece; at < size && !conversation.hung_up; at += piece) {
		piece = said_at_once(data + at, size - at);
		if (is_time(data[at]))
			pass(data[at]);
		else
			ask(data + at, piece);
	}
	end();
	return 0;
}
