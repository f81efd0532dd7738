/* SPDX-License-Identifier: GPL-2.0-only */
/* ledger.c - the entries in memory, and what of them is not on disk yet */
#include "user/actuate/ledger.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/actuate/ledger_file.h"

struct vmadj_ledger {
	struct vmadj_ledger_file *file;
	size_t n;     /* entries */
	size_t n_all; /* behind them, those that were forgotten and are still on disk */
	struct row {
		struct vmadj_ledger_entry entry;
		struct vmadj_ledger_entry undo; /* as it was at the last commit */
		bool dirty, fresh;
	} * rows;
};

/* --- one entry ---------------------------------------------------------- */

void vmadj_ledger_entry_clear(struct vmadj_ledger_entry *entry)
{
	char *texts[] = { (char *)entry->vm.id,
			  (char *)entry->vm.name,
			  (char *)entry->vm.uuid,
			  (char *)entry->vm.manager,
			  entry->knob,
			  entry->kind,
			  entry->owner,
			  entry->group,
			  entry->unit,
			  entry->by,
			  entry->original,
			  entry->ours,
			  entry->before };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		free(texts[i]);
	*entry = (struct vmadj_ledger_entry){ 0 };
}

static char *copied(const char *text, bool *failed)
{
	char *copy = strdup(text ? text : "");

	*failed |= !copy;
	return copy;
}

static const char *copied_or_null(const char *text, bool *failed)
{
	return text && *text ? copied(text, failed) : NULL;
}

int vmadj_ledger_entry_copy(const struct vmadj_ledger_entry *from,
			    struct vmadj_ledger_entry *ret_entry)
{
	bool failed = false;
	struct vmadj_ledger_entry entry = {
		.vm = { .id = copied(from->vm.id, &failed),
			.name = copied(from->vm.name, &failed),
			.uuid = copied_or_null(from->vm.uuid, &failed),
			.manager = copied_or_null(from->vm.manager, &failed),
			.pid = from->vm.pid,
			.start_ticks = from->vm.start_ticks },
		.knob = copied(from->knob, &failed),
		.kind = copied(from->kind, &failed),
		.owner = copied(from->owner, &failed),
		.group = copied(from->group, &failed),
		.unit = copied(from->unit, &failed),
		.by = copied(from->by, &failed),
		.original = copied(from->original, &failed),
		.ours = copied(from->ours, &failed),
		.before = copied(from->before, &failed),
		.stale = from->stale,
	};

	if (failed) {
		vmadj_ledger_entry_clear(&entry);
		return -ENOMEM;
	}
	*ret_entry = entry;
	return 0;
}

bool vmadj_ledger_is_theirs(const struct vmadj_ledger_entry *entry, const char *value)
{
	return strcmp(value, entry->ours) != 0 && strcmp(value, entry->before) != 0;
}

/* --- all of them -------------------------------------------------------- */

static struct row *find_row(const struct vmadj_ledger *ledger, const char *vm_id, const char *knob)
{
	for (size_t i = 0; i < ledger->n; i++) {
		struct row *row = &ledger->rows[i];

		if (!strcmp(row->entry.vm.id, vm_id) && !strcmp(row->entry.knob, knob))
			return row;
	}
	return NULL;
}

static void swap(struct row *a, struct row *b)
{
	struct row kept = *a;

	*a = *b;
	*b = kept;
}

static struct row *add_row(struct vmadj_ledger *ledger)
{
	struct row *rows = reallocarray(ledger->rows, ledger->n_all + 1, sizeof(*rows));

	if (!rows)
		return NULL;
	ledger->rows = rows;
	rows[ledger->n_all] = (struct row){ 0 };
	swap(&rows[ledger->n], &rows[ledger->n_all++]);
	return &rows[ledger->n++];
}

/* Out of the entries, kept until that is on disk. */
static void set_aside(struct vmadj_ledger *ledger, struct row *row)
{
	swap(row, &ledger->rows[--ledger->n]);
}

/* The last one of all, which was set aside. */
static void drop_last(struct vmadj_ledger *ledger)
{
	struct row *row = &ledger->rows[--ledger->n_all];

	vmadj_ledger_entry_clear(&row->entry);
	vmadj_ledger_entry_clear(&row->undo);
}

static void drop_row(struct vmadj_ledger *ledger, struct row *row)
{
	set_aside(ledger, row);
	swap(&ledger->rows[ledger->n], &ledger->rows[ledger->n_all - 1]);
	drop_last(ledger);
}

size_t vmadj_ledger_count(const struct vmadj_ledger *ledger)
{
	return ledger->n;
}

const struct vmadj_ledger_entry *vmadj_ledger_at(const struct vmadj_ledger *ledger, size_t i)
{
	return &ledger->rows[i].entry;
}

const struct vmadj_ledger_entry *vmadj_ledger_find(const struct vmadj_ledger *ledger,
						   const char *vm_id, const char *knob)
{
	struct row *row = find_row(ledger, vm_id, knob);

	return row ? &row->entry : NULL;
}

/* The entry stays as it was on disk until it is committed. */
static int replace(struct row *row, const struct vmadj_ledger_entry *entry)
{
	struct vmadj_ledger_entry now;
	struct vmadj_ledger_entry want = *entry;
	int err;

	if (row->entry.original)
		want.original = row->entry.original;
	err = vmadj_ledger_entry_copy(&want, &now);
	if (err)
		return err;
	if (row->dirty) {
		vmadj_ledger_entry_clear(&row->entry);
	} else {
		row->undo = row->entry;
		row->fresh = !row->entry.original;
	}
	row->entry = now;
	row->dirty = true;
	return 0;
}

int vmadj_ledger_note(struct vmadj_ledger *ledger, const struct vmadj_ledger_entry *entry)
{
	struct row *row = find_row(ledger, entry->vm.id, entry->knob);
	bool added = !row;
	int err;

	if (added)
		row = add_row(ledger);
	if (!row)
		return -ENOMEM;
	err = replace(row, entry);
	if (err && added)
		drop_row(ledger, row);
	return err;
}

int vmadj_ledger_forget(struct vmadj_ledger *ledger, const char *vm_id, const char *knob)
{
	struct row *row = find_row(ledger, vm_id, knob);

	if (row)
		set_aside(ledger, row);
	return row ? 0 : -ENOENT;
}

static void settle(struct vmadj_ledger *ledger)
{
	while (ledger->n_all > ledger->n)
		drop_last(ledger);
	for (size_t i = 0; i < ledger->n; i++) {
		struct row *row = &ledger->rows[i];

		vmadj_ledger_entry_clear(&row->undo);
		row->dirty = row->fresh = false;
	}
}

/* What is not on disk did not happen. Forgetting holds: at worst something is put back twice. */
static void undo(struct vmadj_ledger *ledger)
{
	for (size_t i = ledger->n; i--;) {
		struct row *row = &ledger->rows[i];

		if (row->dirty && row->fresh) {
			drop_row(ledger, row);
		} else if (row->dirty) {
			vmadj_ledger_entry_clear(&row->entry);
			row->entry = row->undo;
			row->undo = (struct vmadj_ledger_entry){ 0 };
			row->dirty = false;
		}
	}
}

/* What was forgotten first: it may have been noted anew since. */
static int write_all(struct vmadj_ledger *ledger)
{
	bool fresh = false;
	int err = 0;

	for (size_t i = ledger->n; i < ledger->n_all && !err; i++) {
		if (!ledger->rows[i].fresh)
			err = vmadj_ledger_file_forget(ledger->file, &ledger->rows[i].entry);
	}
	for (size_t i = 0; i < ledger->n && !err; i++) {
		const struct row *row = &ledger->rows[i];

		if (row->dirty)
			err = vmadj_ledger_file_add(ledger->file, &row->entry);
		fresh |= row->fresh;
	}
	return err ? err : vmadj_ledger_file_flush(ledger->file, fresh);
}

static int rewrite(struct vmadj_ledger *ledger)
{
	struct vmadj_ledger_entry *entries = calloc(ledger->n + 1, sizeof(*entries));
	int err;

	if (!entries)
		return -ENOMEM;
	for (size_t i = 0; i < ledger->n; i++)
		entries[i] = ledger->rows[i].entry;
	err = vmadj_ledger_file_rewrite(ledger->file, entries, ledger->n);
	free(entries);
	return err;
}

int vmadj_ledger_commit(struct vmadj_ledger *ledger)
{
	/* To empty the file needs no room: what was restored on a full disk is not done again. */
	bool is_all_gone = !ledger->n && ledger->n_all;
	int err =
		is_all_gone ? vmadj_ledger_file_rewrite(ledger->file, NULL, 0) : write_all(ledger);

	if (err) {
		undo(ledger);
		return err;
	}
	settle(ledger);
	/* Where that fails the long file serves as well. */
	if (vmadj_ledger_file_is_long(ledger->file, ledger->n))
		(void)rewrite(ledger);
	return 0;
}

static int take_over(void *userdata, const struct vmadj_ledger_entry *entry, bool forget)
{
	struct vmadj_ledger *ledger = userdata;
	struct row *row = find_row(ledger, entry->vm.id, entry->knob);
	struct vmadj_ledger_entry now;
	int err;

	if (forget) {
		if (row)
			drop_row(ledger, row);
		return 0;
	}
	err = vmadj_ledger_entry_copy(entry, &now);
	if (err)
		return err;
	if (!row)
		row = add_row(ledger);
	if (!row) {
		vmadj_ledger_entry_clear(&now);
		return -ENOMEM;
	}
	vmadj_ledger_entry_clear(&row->entry);
	row->entry = now;
	return 0;
}

int vmadj_ledger_open(const char *dir, struct vmadj_ledger **ret_ledger)
{
	struct vmadj_ledger *ledger = calloc(1, sizeof(*ledger));
	int err;

	if (!ledger)
		return -ENOMEM;
	err = vmadj_ledger_file_open(dir, take_over, ledger, &ledger->file);
	if (err) {
		vmadj_ledger_close(ledger);
		return err;
	}
	*ret_ledger = ledger;
	return 0;
}

void vmadj_ledger_close(struct vmadj_ledger *ledger)
{
	if (!ledger)
		return;
	while (ledger->n_all)
		drop_last(ledger);
	free(ledger->rows);
	vmadj_ledger_file_close(ledger->file);
	free(ledger);
}
