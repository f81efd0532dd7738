/* SPDX-License-Identifier: GPL-2.0-only */
/* test_agent_orders.c - what vmadjust-guest understands of its host */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "user/agent/orders.h"

#define ORDER "{\"vmadjust\":1,\"interval_ms\":500}\n"

static struct vmadj_orders orders;

static void set_up(void)
{
	memset(&orders, 0, sizeof(orders));
}

TestSuite(agent_orders, .timeout = 10, .init = set_up);

static unsigned int feed(const char *text)
{
	return vmadj_orders_feed(&orders, text, strlen(text));
}

Test(agent_orders, an_interval_is_understood_whole_or_byte_by_byte)
{
	unsigned int ms = 0;

	cr_expect(eq(uint, feed(ORDER), 500));
	for (const char *p = ORDER; *p; p++)
		ms = vmadj_orders_feed(&orders, p, 1);
	cr_expect(eq(uint, ms, 500));
	cr_expect(eq(uint, feed("{\"other\":{\"x\":[1]},\"interval_ms\":200,\"vmadjust\":1}\r\n"),
		     200));
}

Test(agent_orders, of_several_the_last_counts)
{
	cr_expect(eq(uint, feed(ORDER "{\"vmadjust\":1,\"interval_ms\":60000}\nrubbish\n"), 60000));
}

Test(agent_orders, half_a_line_spoils_itself_only)
{
	cr_expect(eq(uint, feed("{\"vmadjust\":1,\"inter" ORDER), 0));
	cr_expect(eq(uint, feed(ORDER), 500));
}

struct bad_line {
	char text[80];
};

ParameterizedTestParameters(agent_orders, what_is_no_order_is_left_out)
{
	static struct bad_line lines[] = {
		{ "" },
		{ "{}" },
		{ "[]" },
		{ "1" },
		{ "null" },
		{ "{\"vmadjust\":1}" },
		{ "{\"interval_ms\":500}" },
		{ "{\"vmadjust\":2,\"interval_ms\":500}" },
		{ "{\"vmadjust\":\"1\",\"interval_ms\":500}" },
		{ "{\"vmadjust\":1,\"interval_ms\":199}" },
		{ "{\"vmadjust\":1,\"interval_ms\":60001}" },
		{ "{\"vmadjust\":1,\"interval_ms\":-500}" },
		{ "{\"vmadjust\":1,\"interval_ms\":4294967796}" },
		{ "{\"vmadjust\":1,\"interval_ms\":99999999999999999999}" },
		{ "{\"vmadjust\":1,\"interval_ms\":500.0}" },
		{ "{\"vmadjust\":1,\"interval_ms\":\"500\"}" },
		{ "{\"vmadjust\":1,\"interval_ms\":500}x" },
		{ "{\"vmadjust\":1,\"interval_ms\":300,\"interval_ms\":500}" },
		{ "\xff\xfe" },
	};

	return cr_make_param_array(struct bad_line, lines, sizeof(lines) / sizeof(lines[0]));
}

ParameterizedTest(struct bad_line *line, agent_orders, what_is_no_order_is_left_out)
{
	set_up();
	cr_expect(eq(uint, feed(line->text), 0));
	cr_expect(eq(uint, feed("\n"), 0), "%s", line->text);
	cr_expect(eq(uint, feed(ORDER), 500), "and the next one is understood");
}

Test(agent_orders, a_line_without_end_is_left_out_whole)
{
	char block[1000];

	memset(block, ' ', sizeof(block));
	for (int i = 0; i < 1000; i++)
		cr_assert(eq(uint, vmadj_orders_feed(&orders, block, sizeof(block)), 0));
	cr_expect(eq(uint, feed(ORDER), 0), "it is the end of that line");
	cr_expect(eq(uint, feed(ORDER), 500));
}

Test(agent_orders, the_longest_line_is_understood_and_one_byte_more_is_not)
{
	char line[VMADJ_ORDERS_MAX];

	memset(line, ' ', sizeof(line));
	memcpy(line, ORDER, strlen(ORDER) - 1);
	cr_expect(eq(uint, vmadj_orders_feed(&orders, line, sizeof(line) - 1), 0));
	cr_expect(eq(uint, feed("\n"), 500));
	cr_expect(eq(uint, vmadj_orders_feed(&orders, line, sizeof(line)), 0));
	cr_expect(eq(uint, feed("\n"), 0));
}

Test(agent_orders, nesting_as_deep_as_a_line_allows_is_survived)
{
	char line[VMADJ_ORDERS_MAX];

	memset(line, '[', sizeof(line));
	line[sizeof(line) - 1] = '\n';
	cr_expect(eq(uint, vmadj_orders_feed(&orders, line, sizeof(line)), 0));
	cr_expect(eq(uint, feed(ORDER), 500));
}
