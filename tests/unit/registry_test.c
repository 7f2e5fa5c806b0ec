/* SPDX-License-Identifier: MIT */
/*
 * What is refused when it is loaded as a plugin, and with which words. The modules are built from
 * tests/support/badplugins, each wrong in one way.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sys/stat.h>

#include "core/plugin/registry.h"
#include "tests/support/folder.h"
#include "weft/plugin/role.h"

#define MODULES WEFT_TEST_MODULE_DIR "/"
#define SHOUT MODULES "role-shout.so"

static struct weft_registry *make(void)
{
	struct weft_registry *r = NULL;
	struct weft_error err;

	if (weft_registry_create(NULL, &r, &err))
		fail_msg("%s", err.text);
	return r;
}

static size_t count(const struct weft_registry *r)
{
	struct weft_plugin_info info;
	size_t n = 0;

	while (weft_registry_info(r, n, &info))
		n++;
	return n;
}

/* Loading path fails with status; the text has the words, a NULL-terminated list; nothing is registered. */
static void refuse(const char *path, enum weft_status status, ...)
{
	struct weft_registry *r = make();
	size_t before = count(r);
	struct weft_error err;
	const char *word;
	va_list words;

	assert_int_equal(weft_registry_load(r, path, &err), status);
	assert_int_equal(err.status, status);
	va_start(words, status);
	while ((word = va_arg(words, const char *))) {
		if (!strstr(err.text, word))
			fail_msg("\"%s\" does not say \"%s\"", err.text, word);
	}
	va_end(words);
	assert_int_equal(count(r), before);
	weft_registry_release(r);
}

/* A number in the words of a message. */
static const char *number(char out[24], size_t n)
{
	snprintf(out, 24, "%zu", n);
	return out;
}

/* ---- files ---- */

static void missing_file_is_refused(void **state)
{
	(void)state;
	refuse(MODULES "nothing.so", WEFT_ERR_NOT_FOUND, "nothing.so", "No such file", NULL);
}

static void relative_path_is_refused(void **state)
{
	(void)state;
	refuse("role-shout.so", WEFT_ERR_ARGUMENT, "role-shout.so", "absolute path", NULL);
	refuse("./modules/role-shout.so", WEFT_ERR_ARGUMENT, "absolute path", NULL);
	refuse("", WEFT_ERR_ARGUMENT, "absolute path", NULL);
}

static void directory_is_refused(void **state)
{
	(void)state;
	refuse(WEFT_TEST_MODULE_DIR, WEFT_ERR_PLUGIN, "modules", "a directory",
		"expected a shared object", NULL);
}

static void device_is_refused(void **state)
{
	(void)state;
	refuse("/dev/null", WEFT_ERR_PLUGIN, "/dev/null", "not a regular file", NULL);
}

static void file_that_is_no_elf_is_refused(void **state)
{
	char path[TEST_PATH_MAX];

	(void)state;
	test_file_write(test_folder_path(path, "text.so"), "#!/bin/sh\n");
	refuse(path, WEFT_ERR_PLUGIN, "text.so", "no ELF file", "expected a shared object", NULL);
	test_file_write(path, "");
	refuse(path, WEFT_ERR_PLUGIN, "text.so", "no ELF file", NULL);
}

static void truncated_module_is_refused(void **state)
{
	char path[TEST_PATH_MAX];

	(void)state;
	test_file_copy(SHOUT, test_folder_path(path, "role-shout.so"), 40);
	refuse(path, WEFT_ERR_PLUGIN, "role-shout.so: cannot be loaded", NULL);
}

static void program_is_refused(void **state)
{
	(void)state;
	refuse("/proc/self/exe", WEFT_ERR_PLUGIN, "cannot be loaded", NULL);
}

static void module_without_a_library_that_it_needs_is_refused(void **state)
{
	(void)state;
	refuse(MODULES "needs-library.so", WEFT_ERR_NOT_FOUND, "needs-library.so",
		"libweft_absent.so", NULL);
}

static void module_that_calls_what_is_not_there_is_refused(void **state)
{
	(void)state;
	refuse(MODULES "needs-symbol.so", WEFT_ERR_PLUGIN, "needs-symbol.so", "weft_of_tomorrow",
		NULL);
}

/* ---- descriptors ---- */

static void module_without_entry_is_refused(void **state)
{
	(void)state;
	refuse(MODULES "no-entry.so", WEFT_ERR_PLUGIN, "no-entry.so", "not a Weft plugin",
		"weft_plugin_entry", NULL);
}

static void other_magic_is_refused(void **state)
{
	(void)state;
	refuse(MODULES "other-magic.so", WEFT_ERR_PLUGIN, "other-magic.so", "0x7f454c46",
		"expected 0x57656674", NULL);
}

static void other_abi_is_refused_with_both_versions(void **state)
{
	char theirs[24], ours[24];

	(void)state;
	snprintf(theirs, sizeof(theirs), "plugin ABI %u,", WEFT_PLUGIN_ABI + 41);
	snprintf(ours, sizeof(ours), "has ABI %u", WEFT_PLUGIN_ABI);
	refuse(MODULES "other-abi.so", WEFT_ERR_ABI, "other-abi.so", theirs, ours, WEFT_VERSION,
		NULL);
}

static void other_descriptor_size_is_refused(void **state)
{
	char found[24], expected[24];

	(void)state;
	refuse(MODULES "other-size.so", WEFT_ERR_PLUGIN, "other-size.so",
		number(found, sizeof(struct weft_plugin) + 8),
		number(expected, sizeof(struct weft_plugin)), NULL);
}

static void unknown_kind_is_refused(void **state)
{
	(void)state;
	refuse(MODULES "other-kind.so", WEFT_ERR_PLUGIN, "other-kind.so", "kind 9", "event", "tls",
		"role", NULL);
}

static void bad_name_is_refused(void **state)
{
	(void)state;
	refuse(MODULES "bad-name.so", WEFT_ERR_PLUGIN, "bad-name.so", "Dummy/1", "a-z", NULL);
}

static void missing_version_is_refused(void **state)
{
	(void)state;
	refuse(MODULES "no-version.so", WEFT_ERR_PLUGIN, "no-version.so", "\"dummy\"", "no version",
		NULL);
}

static void kind_without_its_table_is_refused(void **state)
{
	(void)state;
	refuse(MODULES "no-table.so", WEFT_ERR_PLUGIN, "no-table.so", "event plugin \"dummy\"",
		"no ops table", NULL);
}

static void other_ops_size_is_refused(void **state)
{
	char found[24], expected[24];

	(void)state;
	refuse(MODULES "short-ops.so", WEFT_ERR_PLUGIN, "short-ops.so", "role plugin \"dummy\"",
		number(found, sizeof(struct weft_role_ops) - 8),
		number(expected, sizeof(struct weft_role_ops)), NULL);
}

static void missing_op_is_refused_by_name(void **state)
{
	(void)state;
	refuse(MODULES "null-op.so", WEFT_ERR_PLUGIN, "null-op.so", "role plugin \"dummy\"",
		"NULL for input", NULL);
}

static void capacity_without_open_is_refused(void **state)
{
	(void)state;
	refuse(MODULES "half-client.so", WEFT_ERR_PLUGIN, "half-client.so", "NULL for open",
		"capacity", NULL);
}

static void file_that_promises_another_name_is_refused(void **state)
{
	(void)state;
	refuse(MODULES "role-misnamed.so", WEFT_ERR_PLUGIN, "role-misnamed.so",
		"role plugin \"dummy\"", "expected role plugin \"misnamed\"", NULL);
}

static void file_that_promises_another_kind_is_refused(void **state)
{
	(void)state;
	refuse(MODULES "tls-dummy.so", WEFT_ERR_PLUGIN, "tls-dummy.so", "role plugin \"dummy\"",
		"expected tls plugin \"dummy\"", NULL);
}

static void duplicate_is_refused_with_both_versions(void **state)
{
	(void)state;
	refuse(MODULES "duplicate.so", WEFT_ERR_EXISTS, "duplicate.so", "role plugin \"raw\"",
		"version 7.0", WEFT_VERSION, "linked-in", NULL);
}

static void long_path_leaves_room_for_the_reason(void **state)
{
	char name[128], path[1024];

	(void)state;
	memset(name, 'd', 100);
	name[100] = '\0';
	test_folder_path(path, name);
	assert_int_equal(mkdir(path, 0700), 0);
	strcat(strcat(strcat(path, "/"), name), "/");
	assert_int_equal(mkdir(path, 0700), 0);
	strcat(path, "other-abi.so");
	test_file_copy(MODULES "other-abi.so", path, SIZE_MAX);
	refuse(path, WEFT_ERR_ABI, "other-abi.so", "made for plugin ABI", "has ABI", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(missing_file_is_refused),
		cmocka_unit_test(relative_path_is_refused),
		cmocka_unit_test(directory_is_refused),
		cmocka_unit_test(device_is_refused),
		cmocka_unit_test_setup_teardown(
			file_that_is_no_elf_is_refused, test_folder_make, test_folder_drop),
		cmocka_unit_test_setup_teardown(
			truncated_module_is_refused, test_folder_make, test_folder_drop),
		cmocka_unit_test(program_is_refused),
		cmocka_unit_test(module_without_a_library_that_it_needs_is_refused),
		cmocka_unit_test(module_that_calls_what_is_not_there_is_refused),
		cmocka_unit_test(module_without_entry_is_refused),
		cmocka_unit_test(other_magic_is_refused),
		cmocka_unit_test(other_abi_is_refused_with_both_versions),
		cmocka_unit_test(other_descriptor_size_is_refused),
		cmocka_unit_test(unknown_kind_is_refused),
		cmocka_unit_test(bad_name_is_refused),
		cmocka_unit_test(missing_version_is_refused),
		cmocka_unit_test(kind_without_its_table_is_refused),
		cmocka_unit_test(other_ops_size_is_refused),
		cmocka_unit_test(missing_op_is_refused_by_name),
		cmocka_unit_test(capacity_without_open_is_refused),
		cmocka_unit_test(file_that_promises_another_name_is_refused),
		cmocka_unit_test(file_that_promises_another_kind_is_refused),
		cmocka_unit_test(duplicate_is_refused_with_both_versions),
		cmocka_unit_test_setup_teardown(
			long_path_leaves_room_for_the_reason, test_folder_make, test_folder_drop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
