/*
 * Loading, and what is said when the kernel refuses: the right reason.
 */
#include "world.h"

#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static bool keep_capabilities(const char *text)
{
	cap_t capabilities = cap_from_text(text);
	bool kept = capabilities && cap_set_proc(capabilities) == 0;

	cap_free(capabilities);
	return kept;
}

/* What a process with no more than these capabilities is told; empty if it loads the gate. */
static const char *reason_with(const char *capabilities)
{
	static char reason[600];
	int words[2], status;
	const char *why = "";
	struct gate *gate;
	pid_t child;

	memset(reason, 0, sizeof(reason));
	assert_int_equal(pipe(words), 0);
	child = fork();
	if (child == 0) {
		if (!keep_capabilities(capabilities))
			_exit(1);
		if (gate_load(&gate, &why) == 0)
			why = "";
		_exit(write(words[1], why, strlen(why)) < 0);
	}
	close(words[1]);
	assert_true(read(words[0], reason, sizeof(reason) - 1) >= 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	close(words[0]);
	print_message("with %s: %s\n", capabilities, *reason ? reason : "loaded");
	return reason;
}

static void assert_says(const char *reason, const char *what)
{
	if (!strstr(reason, what))
		fail_msg("\"%s\" does not say \"%s\"", reason, what);
}

static void test_the_unit_gives_enough(void **state)
{
	(void)state;
	assert_string_equal(reason_with("cap_net_admin,cap_net_raw,cap_bpf,cap_perfmon=ep"), "");
}

static void test_missing_rights_are_named(void **state)
{
	const char *reason = reason_with("cap_net_raw=ep");

	(void)state;
	assert_says(reason, "rights that this process lacks: CAP_BPF CAP_PERFMON CAP_NET_ADMIN");
	assert_says(reason_with("cap_net_admin,cap_net_raw,cap_perfmon=ep"), "lacks: CAP_BPF");
}

/* Without CAP_PERFMON the verifier does not trust the program to compare a pointer with NULL. */
static void test_a_refusal_of_the_verifier_is_told_as_one(void **state)
{
	const char *reason = reason_with("cap_net_admin,cap_net_raw,cap_bpf=ep");
	struct utsname kernel;

	(void)state;
	assert_int_equal(uname(&kernel), 0);
	assert_says(reason, "the verifier of Linux ");
	assert_says(reason, kernel.release);
	assert_says(reason, " refuses carpd_gate_");
	assert_says(reason, "prohibited\"");
	assert_says(reason, "lacks CAP_PERFMON");
}

static void test_the_last_words_come_before_the_figures(void **state)
{
	const char *log = "0: (bf) r6 = r1\n\n"
	                  "23: (85) call bpf_skb_load_bytes#26\n"
	                  "invalid access to memory, mem_size=192 off=16 size=0\n"
	                  "R3 min value is outside of the allowed memory range\n"
	                  "processed 301 insns (limit 1000000) max_states_per_insn 1 total_states 18\n";
	const char *reason = gate_explain_refusal("carpd_gate_in", log);

	(void)state;
	assert_says(
	        reason,
	        "refuses carpd_gate_in: \"R3 min value is outside of the allowed memory range\"; that is");
	assert_says(gate_explain_refusal("carpd_gate_out", "unfinished"), "carpd_gate_out: \"unfinished\"");
	assert_says(gate_explain_refusal("carpd_gate_out", "processed 1 insns\n"), "carpd_gate_out: \"\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_the_unit_gives_enough),
	        cmocka_unit_test(test_missing_rights_are_named),
	        cmocka_unit_test(test_a_refusal_of_the_verifier_is_told_as_one),
	        cmocka_unit_test(test_the_last_words_come_before_the_figures),
	};
	struct world world;
	int failed;

	if (!world_make(&world))
		return 77;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	world_end(&world);
	return failed;
}
