#include "clean.h"

#include <stdlib.h>
#include <string.h>

#include "singleton.h"
#include "linux/gate.h"
#include "linux/rtnl.h"
#include "carpd/log/log.h"

int clean_kernel(const char *occasion)
{
	int addresses = rtnl_clean();
	/* A shut gate fences what could not be removed, so it stays as long. */
	int gates = addresses < 0 ? 0 : gate_clean();

	if (addresses < 0)
		log_error(
		        "what carpd had added to the interfaces could not be removed: %s; the gate stays, as "
		        "nobody but it keeps the host from answering for the addresses",
		        strerror(-addresses));
	if (gates < 0)
		log_error("the gate could not be removed: %s", strerror(-gates));
	if (addresses > 0 || gates > 0)
		log_notice("%sremoved %d addresses and entries and %d gates", occasion,
		           addresses > 0 ? addresses : 0, gates > 0 ? gates : 0);
	if (addresses < 0)
		return addresses;
	return gates < 0 ? gates : 0;
}

void clean_after_engine(struct gate *gate)
{
	/* First, because it is but a store; and the gate is what keeps up the fence. */
	if (gate != NULL)
		gate_close_all(gate);
	int removed = rtnl_clean();
	if (removed < 0)
		log_error("the engine's addresses could not be removed: %s", strerror(-removed));
}

int clean_run(void)
{
	return singleton_claim() && clean_kernel("") == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
