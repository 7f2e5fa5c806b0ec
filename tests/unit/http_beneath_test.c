/* SPDX-License-Identifier: MIT */
/*
 * Opening files below a directory: as the kernel confines it, and then, in a process that may not ask the
 * kernel for it, step by step.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "roles/http/beneath.h"

static char top[] = P_tmpdir "/weft-beneath-XXXXXX";
static char root[sizeof(top) + 8]; /* TOP/base, which has what may be seen */
static bool by_steps;              /* the kernel does not confine */

static const char *path_of(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", top, name);
	return path;
}

static void make_file(const char *name)
{
	FILE *f = fopen(path_of(name), "w");

	assert_non_null(f);
	assert_true(fputs(name, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void make_socket(const char *name)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_true(s >= 0);
	strncpy(a.sun_path, path_of(name), sizeof(a.sun_path) - 1);
	assert_int_equal(bind(s, (struct sockaddr *)&a, sizeof(a)), 0);
	close(s);
}

static const struct {
	const char *name, *to;
} links[] = {
	{ "base/link", "file" },
	{ "base/dir/up", "../file" },
	{ "base/linked", "dir" },
	{ "base/out", "../secret" },
	{ "base/outdir", ".." },
	{ "base/absolute", "/etc/passwd" },
	{ "base/round", "../base/file" },
	{ "base/loop", "loop" },
	{ "base/dangling", "nothing" },
	{ "base/magic", "/proc/self/cwd" },
};
static const char *const files[] = { "secret", "base/file", "base/dir/inner", "base/.hidden" };

static int make_tree(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(top));
	snprintf(root, sizeof(root), "%s/base", top);
	assert_int_equal(mkdir(root, 0700), 0);
	assert_int_equal(mkdir(path_of("base/dir"), 0700), 0);
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		make_file(files[i]);
	for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++)
		assert_int_equal(symlink(links[i].to, path_of(links[i].name)), 0);
	assert_int_equal(mkfifo(path_of("base/fifo"), 0600), 0);
	make_socket("base/socket");
	return 0;
}

static int remove_tree(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		unlink(path_of(files[i]));
	for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++)
		unlink(path_of(links[i].name));
	unlink(path_of("base/fifo"));
	unlink(path_of("base/socket"));
	rmdir(path_of("base/dir"));
	rmdir(root);
	return rmdir(top);
}

static int beneath(const char *directory, const char *path)
{
	int dir = open(directory, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
	int fd = dir < 0 ? -1 : weft_http_open_beneath(dir, path), saved = errno;

	if (dir >= 0) {
		assert_int_equal(fcntl(dir, F_GETFD), FD_CLOEXEC); /* it stays open */
		close(dir);
	}
	errno = saved;
	return fd;
}

/* The file's own name is in it. */
static void assert_opens(const char *path, const char *file)
{
	int fd = beneath(root, path);
	char text[64] = "";

	if (fd < 0)
		fail_msg("%s: %s", path, strerror(errno));
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	assert_string_equal(text, file);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
}

static void assert_fails(const char *path, int error)
{
	int fd = beneath(root, path);
	int e = errno;

	if (fd >= 0) {
		close(fd);
		fail_msg("%s was opened", path);
	}
	if (e != error)
		fail_msg("%s: %s, expected %s", path, strerror(e), strerror(error));
}

static void assert_mode(const char *path, mode_t mode)
{
	int fd = beneath(root, path);
	struct stat st;

	if (fd < 0)
		fail_msg("%s: %s", path, strerror(errno));
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & S_IFMT, mode);
	close(fd);
}

static void files_below_are_opened(void **state)
{
	(void)state;
	assert_opens("file", "base/file");
	assert_opens("dir/inner", "base/dir/inner");
	/* what begins with a dot is refused by who decodes the path */
	assert_opens(".hidden", "base/.hidden");
}

static void directories_are_opened_as_such(void **state)
{
	(void)state;
	assert_mode("", S_IFDIR);
	assert_mode("dir", S_IFDIR);
}

static void what_is_not_there_is_not_found(void **state)
{
	char longer[600];

	(void)state;
	assert_fails("nothing", ENOENT);
	assert_fails("nothing/file", ENOENT);
	assert_fails("dir/file", ENOENT);
	assert_fails("file/inner", ENOTDIR);
	memset(longer, 'n', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = 0;
	assert_fails(longer, ENAMETOOLONG);
	assert_int_equal(beneath(path_of("nowhere"), "file"), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(beneath(path_of("base/file"), "file"), -1);
	assert_int_equal(errno, ENOTDIR);
}

static void nothing_above_is_opened(void **state)
{
	(void)state;
	assert_fails("..", EXDEV);
	assert_fails("../secret", EXDEV);
	assert_fails("dir/../../secret", EXDEV);
	assert_fails("/etc/passwd", EXDEV);
}

static void links_may_not_leave_the_directory(void **state)
{
	(void)state;
	assert_fails("out", by_steps ? ELOOP : EXDEV);
	assert_fails("outdir/secret", by_steps ? ENOTDIR : EXDEV);
	assert_fails("absolute", by_steps ? ELOOP : EXDEV);
	/* not even to come back */
	assert_fails("round", by_steps ? ELOOP : EXDEV);
	assert_fails("loop", ELOOP);
	assert_fails("magic", by_steps ? ELOOP : EXDEV);
}

static void links_within_are_followed_where_the_kernel_watches(void **state)
{
	(void)state;
	if (by_steps) {
		assert_fails("link", ELOOP);
		assert_fails("dir/up", ELOOP);
		assert_fails("linked/inner", ENOTDIR);
		assert_fails("dangling", ELOOP);
		return;
	}
	assert_opens("link", "base/file");
	assert_opens("dir/up", "base/file");
	assert_opens("linked/inner", "base/dir/inner");
	assert_fails("dangling", ENOENT);
}

/* A FIFO without a writer would hold a blocking open for ever: the alarm ends the program. */
static void special_files_do_not_block(void **state)
{
	(void)state;
	alarm(20);
	assert_mode("fifo", S_IFIFO);
	assert_fails("socket", ENXIO);
	alarm(0);
}

static bool kernel_confines(void)
{
#ifdef SYS_openat2
	return syscall(SYS_openat2, AT_FDCWD, ".", NULL, 0) == 0 ||
	       (errno != ENOSYS && errno != EPERM);
#else
	return false;
#endif
}

/* From now on openat2 is unknown to this process, as on an old kernel. */
static bool forget_openat2(void)
{
#ifdef SYS_openat2
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(*code), code };

	return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
	       !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
#else
	return true;
#endif
}

static void not_on_this_system(void **state)
{
	(void)state;
	skip();
}

int main(void)
{
	static const struct CMUnitTest none[] = { cmocka_unit_test(not_on_this_system) };
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_below_are_opened),
		cmocka_unit_test(directories_are_opened_as_such),
		cmocka_unit_test(what_is_not_there_is_not_found),
		cmocka_unit_test(nothing_above_is_opened),
		cmocka_unit_test(links_may_not_leave_the_directory),
		cmocka_unit_test(links_within_are_followed_where_the_kernel_watches),
		cmocka_unit_test(special_files_do_not_block),
	};
	int failed = 0;

	if (kernel_confines())
		failed = cmocka_run_group_tests_name(
			"http beneath, openat2", tests, make_tree, remove_tree);
	else
		failed = cmocka_run_group_tests_name("http beneath, openat2", none, NULL, NULL);
	by_steps = true;
	memcpy(top + sizeof(top) - 7, "XXXXXX", 6);
	if (forget_openat2() && !kernel_confines())
		failed += cmocka_run_group_tests_name(
			"http beneath, by steps", tests, make_tree, remove_tree);
	else
		failed += cmocka_run_group_tests_name("http beneath, by steps", none, NULL, NULL);
	return failed;
}
