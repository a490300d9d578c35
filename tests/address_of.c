#include "address_of.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct address address_of(const char *text)
{
	struct address address = {.family = strchr(text, ':') ? FAMILY_IPV6 : FAMILY_IPV4};

	assert_int_equal(inet_pton(address.family == FAMILY_IPV4 ? AF_INET : AF_INET6, text, address.bytes),
	                 1);
	return address;
}
