/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * window.h - a mapped view of the first elements of an array map
 *
 * Reading counters through it takes no system call. Only as much is mapped as
 * slots are in use, because mapped pages count as resident memory.
 *
 * Threads:   one.
 * Ownership: the window borrows the map; close it before the map.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct bpf_map;

struct vmadj_window {
	int fd;
	size_t stride; /* bytes from one element to the next */
	size_t max;    /* elements of the map */
	size_t n;      /* elements mapped */
	void *base;
};

void vmadj_window_init(struct vmadj_window *window, const struct bpf_map *map);
void vmadj_window_close(struct vmadj_window *window);

/**
 * vmadj_window_reach() - let elements 0 .. @n - 1 be readable and writable
 *
 * Pointers got before are void.
 *
 * Return: 0; -ERANGE beyond the map's end; -errno of mmap().
 */
int vmadj_window_reach(struct vmadj_window *window, size_t n);

/** vmadj_window_at() - element @i; NULL where it is not mapped. */
void *vmadj_window_at(const struct vmadj_window *window, size_t i);
