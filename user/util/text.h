/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * text.h - strings that somebody else wrote: names of VMs, of processes, of files
 *
 * A VM's name is chosen by whoever started it. Printed as it is, it could move
 * the cursor, forge a line of the log or turn the text around. So it is UTF-8
 * or it is escaped, and control characters are made visible.
 *
 * Units: sizes in bytes, widths in columns of a terminal.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * vmadj_utf8_decode() - the character at the start of @text
 *
 * @text must not be at its end. Overlong forms, surrogates and characters above
 * U+10FFFF are not characters.
 *
 * Return: its length in bytes (1..4); 0 when the bytes are not UTF-8.
 */
size_t vmadj_utf8_decode(const char *text, uint32_t *ret_char);

/* Control characters, and those that reorder text, hide in it or break lines. */
bool vmadj_char_is_treacherous(uint32_t c);

/**
 * vmadj_escape() - @text with what a terminal or a log would act on made visible
 *
 * Control characters become "\n", "\t", "\r" or "\x1b", characters that reorder
 * or break lines "\u202e", bytes that are not UTF-8 "\xff". The rest, backslashes
 * included, stays, so that escaping twice changes nothing. What does not fit into
 * @size bytes is cut between characters. NULL is written as "-".
 *
 * Return: @buf, always NUL-terminated (@size must not be 0).
 */
char *vmadj_escape(const char *text, char *buf, size_t size);

/**
 * vmadj_escape_ascii() - vmadj_escape() for a terminal that knows only ASCII
 *
 * Return: @buf.
 */
char *vmadj_escape_ascii(const char *text, char *buf, size_t size);

/**
 * vmadj_text_width() - the columns that @text takes in the current locale
 *
 * Return: the width; characters the locale does not know count as one column.
 */
size_t vmadj_text_width(const char *text);

/**
 * vmadj_text_cut() - shorten @text in place to at most @width columns
 *
 * When something is cut off, the last column shows @mark (one column wide, or "").
 *
 * @size: bytes that @text has room for, with the NUL.
 * Return: the width that is left.
 */
size_t vmadj_text_cut(char *text, size_t size, size_t width, const char *mark);

/* Whether both are the same text, or both NULL. */
bool vmadj_text_same(const char *a, const char *b);
