// SPDX-License-Identifier: GPL-2.0-only
/* svg.c - a drawing in SVG */
#include "tools/bench/memory/svg.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>

static const char style_sheet[] =
	"<style>"
	"text{font-family:'Inter','Segoe UI','Helvetica Neue',Arial,'DejaVu Sans',sans-serif;"
	"font-size:12px;fill:#4a4f57}"
	".title{font-size:21px;font-weight:600;fill:#16191d}"
	".subtitle{font-size:13px}"
	".column{font-size:15px;font-weight:600;fill:#16191d}"
	".axis{font-size:13px;font-weight:600;fill:#2b3036}"
	".figure{font-size:13px;font-weight:600;fill:#16191d}"
	".mark{font-size:11px;fill:#6b7178}"
	".end{text-anchor:end}.middle{text-anchor:middle}"
	".grid{stroke:#e3e6ea;stroke-width:1}"
	".base{stroke:#9aa1a9;stroke-width:1}"
	".moment{stroke:#8a9098;stroke-width:1;stroke-dasharray:3 3}"
	".panel{fill:#fff}"
	"polyline{fill:none;stroke-linejoin:round;stroke-linecap:round}"
	"</style>\n";

int vmadj_svg_open(struct vmadj_svg *svg, const char *path, int width, int height)
{
	svg->to = fopen(path, "we");
	if (!svg->to)
		return -errno;
	(void)fprintf(svg->to,
		      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
		      "viewBox=\"0 0 %d %d\">\n%s<rect width=\"100%%\" height=\"100%%\" "
		      "fill=\"#fafbfc\"/>\n",
		      width, height, width, height, style_sheet);
	return 0;
}

int vmadj_svg_close(struct vmadj_svg *svg)
{
	bool failed;

	(void)fputs("</svg>\n", svg->to);
	failed = ferror(svg->to);
	failed |= fclose(svg->to) != 0;
	return failed ? -EIO : 0;
}

static void put_escaped(FILE *to, const char *text)
{
	for (; *text; text++) {
		if (*text == '&' || *text == '<' || *text == '>')
			(void)fprintf(to, "&#%d;", *text);
		else
			(void)fputc(*text, to);
	}
}

void vmadj_svg_text(struct vmadj_svg *svg, double x, double y, const char *style,
		    const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	(void)fprintf(svg->to, "<text x=\"%.1f\" y=\"%.1f\" %s>", x, y, style);
	put_escaped(svg->to, text);
	(void)fputs("</text>\n", svg->to);
}

void vmadj_svg_rect(struct vmadj_svg *svg, const struct vmadj_svg_box *box, const char *style)
{
	(void)fprintf(svg->to, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" %s/>\n",
		      box->x, box->y, box->width, box->height, style);
}

void vmadj_svg_line(struct vmadj_svg *svg, const struct vmadj_svg_box *box, const char *style)
{
	(void)fprintf(svg->to, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" %s/>\n",
		      box->x, box->y, box->x + box->width, box->y + box->height, style);
}

double vmadj_svg_x(const struct vmadj_svg_frame *frame, double x)
{
	return frame->box.x + frame->box.width * x / frame->x_max;
}

double vmadj_svg_y(const struct vmadj_svg_frame *frame, double y)
{
	return frame->box.y + frame->box.height * (1 - y / frame->y_max);
}

void vmadj_svg_curve(struct vmadj_svg *svg, const struct vmadj_svg_frame *frame,
		     const struct vmadj_svg_point *points, size_t n, const char *style)
{
	bool open = false;

	for (size_t i = 0; i < n; i++) {
		if (isnan(points[i].y)) {
			(void)fputs(open ? "\"/>\n" : "", svg->to);
			open = false;
			continue;
		}
		if (!open)
			(void)fprintf(svg->to, "<polyline %s points=\"", style);
		open = true;
		(void)fprintf(svg->to, "%.1f,%.1f ", vmadj_svg_x(frame, points[i].x),
			      vmadj_svg_y(frame, points[i].y));
	}
	(void)fputs(open ? "\"/>\n" : "", svg->to);
}
