#include "actions.h"

#include <assert.h>
#include <string.h>

#include "engine_send.h"
#include "vhost.h"

static struct action *add_action(struct engine *engine)
{
	assert(engine->action_count < engine->action_capacity);
	struct action *action = &engine->actions[engine->action_count++];
	memset(action, 0, sizeof(*action));
	return action;
}

void actions_add(struct engine *engine, enum action_kind kind, struct group *group, struct node *node)
{
	struct action *action = add_action(engine);

	action->kind = kind;
	action->group = group;
	action->node = node;
	if (kind == ACTION_ADVERTISE || kind == ACTION_GOODBYE)
		engine_prepare_advert(engine, node,
		                      kind == ACTION_GOODBYE || vhost_says_goodbye(&node->vhost));
}

void actions_tell(struct engine *engine, struct group *group, struct node *node, const struct report *report)
{
	struct action *action = add_action(engine);

	action->kind = ACTION_TELL;
	action->group = group;
	action->node = node;
	action->report = *report;
}
