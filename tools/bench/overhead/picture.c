// SPDX-License-Identifier: GPL-2.0-only
/*
 * picture.c - instructions added to a switch, a bar a tool
 *
 * Two panels, without a vCPU and with one, and in each a bar a tool and kernel. Colours are those
 * of Okabe and Ito, which colour-blind readers tell apart.
 */
#include <math.h>
#include <stdio.h>

#include "tools/bench/memory/svg.h"
#include "tools/bench/overhead/figures.h"

#define LEFT	204
#define PANEL	300
#define GAP	56
#define RIGHT	60
#define TOP	128
#define LINE	44
#define BAR	14
#define BOTTOM	44
#define DRAWN	(VMADJ_OVER_TOOLS - 1) /* all but nothing */
#define PANELS	2
#define WIDTH	(LEFT + PANELS * PANEL + GAP + RIGHT)
#define HEIGHT	(TOP + DRAWN * LINE + BOTTOM)
#define STEPS	4
#define DARK(n) ((n) ? ".55" : "1")

static const struct {
	const char *name, *colour;
} bars[VMADJ_OVER_TOOLS] = {
	[VMADJ_OVER_EMPTY] = { "an empty program", "#9aa1a9" },
	[VMADJ_OVER_KMOD_POLL] = { "kernel module, polling", "#d55e00" },
	[VMADJ_OVER_KMOD_TRACE] = { "kernel module, tracing", "#d55e00" },
	[VMADJ_OVER_OURS_POLL] = { "vmadjust-bpf, polling", "#0072b2" },
	[VMADJ_OVER_OURS_TRACE] = { "vmadjust-bpf, tracing", "#0072b2" },
	[VMADJ_OVER_CPUDIST] = { "cpudist", "#009e73" },
	[VMADJ_OVER_RUNQLAT] = { "runqlat", "#009e73" },
};

static double added(size_t kernel, size_t tool, size_t panel)
{
	enum vmadj_over_row row = panel ? VMADJ_OVER_SWITCH_VCPU : VMADJ_OVER_SWITCH;

	return vmadj_over_figure(kernel, tool, row) -
	       vmadj_over_figure(kernel, VMADJ_OVER_NOTHING, row);
}

/* The same for both panels: what is longer costs more. */
static double most(void)
{
	double value = 1;

	for (size_t i = 0; i < (size_t)PANELS * VMADJ_OVER_KERNELS * VMADJ_OVER_TOOLS; i++) {
		double one =
			added(i % VMADJ_OVER_KERNELS, i / VMADJ_OVER_KERNELS % VMADJ_OVER_TOOLS,
			      i / VMADJ_OVER_KERNELS / VMADJ_OVER_TOOLS);

		if (!isnan(one))
			value = fmax(value, one);
	}
	return value;
}

static double round_up(double value)
{
	double unit = pow(10, floor(log10(value)));
	double steps = ceil(value / unit);

	return steps <= 2 ? 2 * unit : steps <= 4 ? 4 * unit : steps <= 6 ? 6 * unit : 10 * unit;
}

static void draw_bar(struct vmadj_svg *svg, const struct vmadj_svg_frame *frame, size_t tool,
		     size_t kernel)
{
	size_t panel = frame->box.x > LEFT;
	double value = added(kernel, tool, panel);
	struct vmadj_svg_box box = { frame->box.x,
				     TOP + (double)(tool - 1) * LINE +
					     (LINE - VMADJ_OVER_KERNELS * (BAR + 2)) / 2.0 +
					     (double)kernel * (BAR + 2),
				     0, BAR };
	char style[64];

	if (isnan(value)) {
		vmadj_svg_text(svg, box.x + 6, box.y + BAR - 3, "class=\"mark\"", "not measured");
		return;
	}
	box.width = fmax(vmadj_svg_x(frame, fmax(value, 0)) - box.x, 1);
	(void)snprintf(style, sizeof(style), "rx=\"2\" fill=\"%s\" opacity=\"%s\"",
		       bars[tool].colour, DARK(kernel));
	vmadj_svg_rect(svg, &box, "class=\"panel\""); /* no line of the grid shines through */
	vmadj_svg_rect(svg, &box, style);
	vmadj_svg_text(svg, box.x + box.width + 6, box.y + BAR - 3, "class=\"mark\"", "%.0f",
		       round(value) == 0 ? 0.0 : value);
}

static void draw_panel(struct vmadj_svg *svg, size_t panel, double x_max)
{
	const struct vmadj_svg_frame frame = {
		.box = { LEFT + (double)panel * (PANEL + GAP), TOP, PANEL, DRAWN * LINE },
		.x_max = x_max,
		.y_max = 1,
	};

	vmadj_svg_rect(svg, &frame.box, "class=\"panel\"");
	vmadj_svg_text(svg, frame.box.x, TOP - 14, "class=\"column\"",
		       panel ? "with a vCPU" : "without a vCPU");
	for (int i = 0; i <= STEPS; i++) {
		struct vmadj_svg_box line = { vmadj_svg_x(&frame, x_max * i / STEPS), TOP, 0,
					      frame.box.height };

		vmadj_svg_line(svg, &line, i ? "class=\"grid\"" : "class=\"base\"");
		vmadj_svg_text(svg, line.x, TOP + frame.box.height + 18, "class=\"middle\"", "%.0f",
			       x_max * i / STEPS);
	}
	for (size_t i = 0; i < (size_t)DRAWN * VMADJ_OVER_KERNELS; i++)
		draw_bar(svg, &frame, 1 + i / VMADJ_OVER_KERNELS, i % VMADJ_OVER_KERNELS);
}

static void draw_key(struct vmadj_svg *svg)
{
	for (size_t kernel = 0; kernel < VMADJ_OVER_KERNELS; kernel++) {
		struct vmadj_svg_box box = { LEFT + (double)kernel * 110, 78, 26, BAR };
		char style[64];

		(void)snprintf(style, sizeof(style), "rx=\"2\" fill=\"#4a4f57\" opacity=\"%s\"",
			       DARK(kernel));
		vmadj_svg_rect(svg, &box, style);
		vmadj_svg_text(svg, box.x + 33, box.y + BAR - 3, "", "Linux %s",
			       vmadj_over_kernels[kernel]);
	}
}

int vmadj_over_draw(const char *path)
{
	struct vmadj_svg svg;
	double x_max = round_up(most());
	int err = vmadj_svg_open(&svg, path, WIDTH, HEIGHT);

	if (err)
		return err;
	vmadj_svg_text(&svg, 24, 38, "class=\"title\"", "What observing adds to a context switch");
	vmadj_svg_text(
		&svg, 24, 62, "class=\"subtitle\"",
		"Instructions, counted in an emulated host; a whole switch is %.0f without a "
		"vCPU and %.0f with one (Linux %s)",
		vmadj_over_figure(0, VMADJ_OVER_NOTHING, VMADJ_OVER_SWITCH),
		vmadj_over_figure(0, VMADJ_OVER_NOTHING, VMADJ_OVER_SWITCH_VCPU),
		vmadj_over_kernels[0]);
	draw_key(&svg);
	for (size_t tool = 1; tool < VMADJ_OVER_TOOLS; tool++) {
		vmadj_svg_text(&svg, LEFT - 12, TOP + (double)(tool - 1) * LINE + LINE / 2.0 + 5,
			       "class=\"axis end\"", "%s", bars[tool].name);
	}
	for (size_t panel = 0; panel < PANELS; panel++)
		draw_panel(&svg, panel, x_max);
	return vmadj_svg_close(&svg);
}
