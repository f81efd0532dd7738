/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * svg.h - a drawing in SVG: text, lines, and curves in a frame with axes of its own
 *
 * Units:     pixels from the upper left corner; inside a frame, the units of what is drawn.
 * Errors:    they stay with the stream: vmadj_svg_close() tells.
 */
#pragma once

#include <stddef.h>
#include <stdio.h>

struct vmadj_svg {
	FILE *to;
};

/** vmadj_svg_open() - Return: 0; -errno. */
int vmadj_svg_open(struct vmadj_svg *svg, const char *path, int width, int height);
int vmadj_svg_close(struct vmadj_svg *svg);

/* @style: attributes of SVG, or a class of the style sheet in svg.c: class="..." */
void vmadj_svg_text(struct vmadj_svg *svg, double x, double y, const char *style,
		    const char *format, ...) __attribute__((format(printf, 5, 6)));

struct vmadj_svg_box {
	double x, y, width, height;
};

void vmadj_svg_rect(struct vmadj_svg *svg, const struct vmadj_svg_box *box, const char *style);

/* From the one corner of the box to the other. */
void vmadj_svg_line(struct vmadj_svg *svg, const struct vmadj_svg_box *box, const char *style);

/* Where x_max, y_max of the data are the right and the upper edge, and 0, 0 the other corner. */
struct vmadj_svg_frame {
	struct vmadj_svg_box box;
	double x_max, y_max;
};

double vmadj_svg_x(const struct vmadj_svg_frame *frame, double x);
double vmadj_svg_y(const struct vmadj_svg_frame *frame, double y);

struct vmadj_svg_point {
	double x, y; /* y NAN: a gap */
};

void vmadj_svg_curve(struct vmadj_svg *svg, const struct vmadj_svg_frame *frame,
		     const struct vmadj_svg_point *points, size_t n, const char *style);
