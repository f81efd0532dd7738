/* SPDX-License-Identifier: GPL-2.0-only */
/* suggest.h - guess which word was meant by one that does not exist */
#pragma once

/**
 * vmadj_suggest() - the word of @words (NULL at the end) that was probably meant by @typed
 *
 * Return: one of @words; NULL when none is near.
 */
const char *vmadj_suggest(const char *typed, const char *const *words);
