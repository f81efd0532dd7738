// SPDX-License-Identifier: GPL-2.0-only
/*
 * picture.c - memory and hit rate over time, a column for each side
 *
 * All columns have the same axes. Colours are those of Okabe and Ito, which colour-blind
 * readers tell apart.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tools/bench/memory/experiment.h"
#include "tools/bench/memory/svg.h"

#define COLUMN	   264
#define GAP	   18
#define LEFT	   66
#define RIGHT	   18
#define TOP	   152
#define ROW	   196
#define ROW_GAP	   56
#define BOTTOM	   56
#define LEAST_PART 0.05
#define SMOOTH_S   5 /* a hit rate is that of so many seconds */

static const char *const colour[VMADJ_EXP_VMS_MAX] = { "#0072b2", "#d55e00", "#009e73" };

struct drawing {
	struct vmadj_svg svg;
	const struct vmadj_exp_result *result;
	const struct vmadj_exp_picture *picture;
	double y_max, y_step; /* of the memory */
	double x_step;
};

static double round_step(double range)
{
	static const double steps[] = { 10, 20, 30, 50, 60, 100, 120, 150, 200, 300, 500, 1000 };
	size_t i = 0;

	while (i + 1 < sizeof(steps) / sizeof(steps[0]) && range / steps[i] > 6.01)
		i++;
	return steps[i];
}

static struct vmadj_svg_frame frame_of(const struct drawing *drawing, size_t side, int row)
{
	return (struct vmadj_svg_frame){
		.box = { LEFT + (double)side * (COLUMN + GAP), TOP + row * (ROW + ROW_GAP), COLUMN,
			 ROW },
		.x_max = drawing->result->what->end_s,
		.y_max = row ? 100 : drawing->y_max,
	};
}

/* --- the ground of a panel ---------------------------------------------- */

static void draw_grid(struct drawing *drawing, const struct vmadj_svg_frame *frame, size_t side,
		      double y_step)
{
	const struct vmadj_svg_box *box = &frame->box;
	double x_end = box->x + box->width, y_end = box->y + box->height;

	vmadj_svg_rect(&drawing->svg, box, "class=\"panel\"");
	for (double y = 0; y <= frame->y_max + 0.01; y += y_step) {
		struct vmadj_svg_box line = { box->x, vmadj_svg_y(frame, y), box->width, 0 };

		vmadj_svg_line(&drawing->svg, &line, y > 0 ? "class=\"grid\"" : "class=\"base\"");
		if (!side)
			vmadj_svg_text(&drawing->svg, box->x - 8, line.y + 4, "class=\"end\"",
				       "%.0f", y);
	}
	for (double x = 0; x <= frame->x_max + 0.01; x += drawing->x_step) {
		struct vmadj_svg_box tick = { vmadj_svg_x(frame, x), y_end, 0, 4 };

		vmadj_svg_line(&drawing->svg, &tick, "class=\"base\"");
		vmadj_svg_text(&drawing->svg, tick.x, y_end + 18,
			       tick.x > x_end - 12 ? "class=\"end\"" : "class=\"middle\"", "%.0f",
			       x);
	}
}

static void draw_marks(struct drawing *drawing, const struct vmadj_svg_frame *frame)
{
	for (size_t i = 0; i < VMADJ_EXP_MARKS_MAX && drawing->result->what->mark_s[i]; i++) {
		struct vmadj_svg_box line = { vmadj_svg_x(frame, drawing->result->what->mark_s[i]),
					      frame->box.y, 0, frame->box.height };

		vmadj_svg_line(&drawing->svg, &line, "class=\"moment\"");
	}
}

/* --- curves ------------------------------------------------------------- */

static void draw_memory(struct drawing *drawing, const struct vmadj_svg_frame *frame, size_t side,
			size_t vm)
{
	size_t n = (size_t)drawing->result->what->end_s * VMADJ_EXP_TICKS_S;
	struct vmadj_svg_point *points = calloc(n, sizeof(*points));
	char style[96];

	for (size_t t = 0; points && t < n; t++) {
		points[t].x = (double)t / VMADJ_EXP_TICKS_S;
		points[t].y = drawing->result->track[side][vm].mem_mib[t];
	}
	(void)snprintf(style, sizeof(style), "stroke=\"%s\" stroke-width=\"2.2\"", colour[vm]);
	if (points)
		vmadj_svg_curve(&drawing->svg, frame, points, n, style);
	free(points);
}

/* What a VM reads: steps at the marks, cut where the picture ends. */
static void draw_wanted(struct drawing *drawing, const struct vmadj_svg_frame *frame, size_t vm)
{
	const unsigned int *mark_s = drawing->result->what->mark_s;
	struct vmadj_svg_point points[2 * (VMADJ_EXP_MARKS_MAX + 1)];
	double from_s = 0;
	char style[128];
	size_t n = 0;

	if (!drawing->picture->wanted_mib)
		return;
	for (size_t i = 0;; i++) {
		bool last = i == VMADJ_EXP_MARKS_MAX || !mark_s[i];
		double y = fmin(drawing->picture->wanted_mib[i][vm], frame->y_max);

		points[n++] = (struct vmadj_svg_point){ from_s, y };
		from_s = last ? frame->x_max : mark_s[i];
		points[n++] = (struct vmadj_svg_point){ from_s, y };
		if (last)
			break;
	}
	(void)snprintf(
		style, sizeof(style),
		"stroke=\"%s\" stroke-width=\"1.4\" stroke-dasharray=\"2 4\" opacity=\".75\"",
		colour[vm]);
	vmadj_svg_curve(&drawing->svg, frame, points, n, style);
}

/* A rate of a few accesses is noise; NAN: who reads less than that of all is not drawn. */
static double drawn_pct(const struct vmadj_exp_result *result, size_t side, size_t vm,
			unsigned int s)
{
	unsigned int from_s = s > SMOOTH_S ? s - SMOOTH_S : 0;
	double all = 0, own = 0;

	for (size_t i = 0; i < result->what->n_vms; i++) {
		const struct vmadj_exp_track *track = &result->track[side][i];
		double pages = track->pages[s] - track->pages[from_s];

		all += pages;
		own += vm == VMADJ_EXP_VMS_MAX || vm == i ? pages : 0;
	}
	return own < LEAST_PART * all ? (double)NAN
				      : vmadj_exp_hit_pct(result, side, vm, from_s, s);
}

static void draw_hits(struct drawing *drawing, const struct vmadj_svg_frame *frame, size_t side,
		      size_t vm)
{
	struct vmadj_svg_point points[VMADJ_EXP_SECONDS_MAX];
	unsigned int end_s = drawing->result->what->end_s;
	bool all = vm == VMADJ_EXP_VMS_MAX;
	char style[96];

	for (unsigned int s = 1; s <= end_s; s++) {
		points[s - 1] =
			(struct vmadj_svg_point){ s, drawn_pct(drawing->result, side, vm, s) };
	}
	(void)snprintf(style, sizeof(style), "stroke=\"%s\" stroke-width=\"%s\"%s",
		       all ? "#16191d" : colour[vm], all ? "2.6" : "1.5",
		       all ? "" : " opacity=\".8\"");
	vmadj_svg_curve(&drawing->svg, frame, points, end_s, style);
}

/* --- the whole ---------------------------------------------------------- */

static void draw_column(struct drawing *drawing, size_t side)
{
	const struct vmadj_exp_result *result = drawing->result;
	struct vmadj_svg_frame memory = frame_of(drawing, side, 0);
	struct vmadj_svg_frame hits = frame_of(drawing, side, 1);
	double x_end = memory.box.x + memory.box.width;

	vmadj_svg_text(&drawing->svg, memory.box.x, TOP - 14, "class=\"column\"", "%s",
		       result->side[side]->title);
	draw_grid(drawing, &memory, side, drawing->y_step);
	draw_grid(drawing, &hits, side, 25);
	draw_marks(drawing, &memory);
	draw_marks(drawing, &hits);
	for (size_t vm = 0; vm < result->what->n_vms; vm++) {
		draw_wanted(drawing, &memory, vm);
		draw_memory(drawing, &memory, side, vm);
		draw_hits(drawing, &hits, side, vm);
	}
	draw_hits(drawing, &hits, side, VMADJ_EXP_VMS_MAX);
	vmadj_svg_text(&drawing->svg, x_end, hits.box.y - 10, "class=\"figure end\"",
		       "%.1f %% of all pages",
		       vmadj_exp_hit_pct(result, side, VMADJ_EXP_VMS_MAX, result->what->from_s,
					 result->what->end_s));
}

static void draw_key(struct drawing *drawing, double *x, const char *style, const char *text)
{
	struct vmadj_svg_box line = { *x, TOP - 52, 26, 0 };

	vmadj_svg_line(&drawing->svg, &line, style);
	vmadj_svg_text(&drawing->svg, *x + 33, TOP - 48, "", "%s", text);
	*x += 33 + 6.4 * (double)strlen(text) + 22;
}

static void draw_legend(struct drawing *drawing)
{
	double x = LEFT;
	char style[96];

	for (size_t vm = 0; vm < drawing->result->what->n_vms; vm++) {
		(void)snprintf(style, sizeof(style), "stroke=\"%s\" stroke-width=\"3\"",
			       colour[vm]);
		draw_key(drawing, &x, style, drawing->result->what->vm[vm].role);
	}
	draw_key(drawing, &x, "stroke=\"#16191d\" stroke-width=\"3\"", "all VMs together");
	if (drawing->picture->wanted_mib) {
		draw_key(drawing, &x,
			 "stroke=\"#6b7178\" stroke-width=\"1.6\" stroke-dasharray=\"2 4\"",
			 "what it reads and needs beside");
	}
	draw_key(drawing, &x, "class=\"moment\"", "the load changes");
}

static void draw_axis(struct drawing *drawing, int row, const char *text)
{
	double y = TOP + row * (ROW + ROW_GAP) + ROW / 2.0;
	char style[96];

	(void)snprintf(style, sizeof(style),
		       "class=\"axis middle\" transform=\"rotate(-90 20 %.1f)\"", y);
	vmadj_svg_text(&drawing->svg, 20, y, style, "%s", text);
}

int vmadj_exp_draw(const struct vmadj_exp_result *result, const struct vmadj_exp_picture *picture)
{
	int width = LEFT + (int)result->n_sides * (COLUMN + GAP) - GAP + RIGHT;
	int height = TOP + 2 * ROW + ROW_GAP + BOTTOM;
	struct drawing drawing = { .result = result,
				   .picture = picture,
				   .y_max = result->what->max_mib,
				   .y_step = result->what->max_mib / 4.0,
				   .x_step = round_step(result->what->end_s) };
	int err = vmadj_svg_open(&drawing.svg, picture->path, width, height);

	if (err)
		return err;
	vmadj_svg_text(&drawing.svg, LEFT, 38, "class=\"title\"", "%s", picture->title);
	vmadj_svg_text(&drawing.svg, LEFT, 62, "class=\"subtitle\"", "%s", picture->subtitle);
	draw_legend(&drawing);
	draw_axis(&drawing, 0, "memory given, MiB");
	draw_axis(&drawing, 1, "page-cache hits, %");
	for (size_t side = 0; side < result->n_sides; side++)
		draw_column(&drawing, side);
	vmadj_svg_text(&drawing.svg, LEFT + (width - LEFT - RIGHT) / 2.0, height - 14,
		       "class=\"axis middle\"", "seconds");
	return vmadj_svg_close(&drawing.svg);
}
