/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * replay.c - a fuzz target without a fuzzer: each file of the folders given, once
 *
 * Exit status: 0; 1 when there was no file; a target that finds something aborts.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_BYTES_MAX (1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void replay(const char *path)
{
	FILE *file = fopen(path, "re");
	uint8_t *data = malloc(FILE_BYTES_MAX), *exact;
	size_t n;

	if (!file || !data) {
		perror(path);
		exit(1);
	}
	n = fread(data, 1, FILE_BYTES_MAX, file);
	(void)fclose(file);
	/* So that the sanitizer sees what is read behind it. */
	exact = realloc(data, n ? n : 1);
	(void)LLVMFuzzerTestOneInput(exact ? exact : data, n);
	free(exact ? exact : data);
}

int main(int argc, char **argv)
{
	unsigned int n = 0;

	for (int i = 1; i < argc; i++) {
		DIR *dir = opendir(argv[i]);
		struct dirent *entry;
		char path[4096];

		while (dir && (entry = readdir(dir))) {
			if (entry->d_name[0] == '.')
				continue;
			(void)snprintf(path, sizeof(path), "%s/%s", argv[i], entry->d_name);
			replay(path);
			n++;
		}
		if (dir)
			(void)closedir(dir);
	}
	printf("%u files\n", n);
	return n ? 0 : 1;
}
