/* What only a store on a disk has: modes, links, leftovers, full and read-only disks. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "akidb/sys/store_backend.h"
#include "folder.h"
#include "test.h"

typedef struct scene {
    char folder[TEST_FOLDER_SIZE];
    char root[TEST_FOLDER_SIZE + 16]; /* of the store, within folder; not made yet */
    akidb_store *store;
    akidb_error err;
} scene;

static scene *scene_open(void)
{
    scene *s = calloc(1, sizeof *s);
    assert_non_null(s);
    assert_true(test_folder_make(s->folder));
    snprintf(s->root, sizeof s->root, "%s/deep/root", s->folder);
    assert_ok(s->err, akidb_store_local_open(s->root, &s->store, &s->err));
    return s;
}

static void scene_close(scene *s)
{
    akidb_store_close(s->store);
    test_folder_remove(s->folder);
    free(s);
}

static akidb_status put(scene *s, const char *key, const char *text)
{
    akidb_slice slice = {text, strlen(text)};
    return akidb_store_put(s->store, key, &slice, 1, AKIDB_PUT_ALWAYS, &s->err);
}

/* A path below the folder of the scene; good until the next call. */
static const char *path_of(scene *s, const char *rest)
{
    static char path[TEST_FOLDER_SIZE + 256];
    snprintf(path, sizeof path, "%s/%s", s->folder, rest);
    return path;
}

static void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static unsigned mode_of(const char *path)
{
    struct stat st;
    assert_int_equal(lstat(path, &st), 0);
    return st.st_mode & 07777;
}

static akidb_visit add_key(void *context, const akidb_list_entry *entry)
{
    char *text = context; /* of 1,024 bytes */
    size_t used = strlen(text);
    snprintf(text + used, 1024 - used, "%s ", entry->key);
    return AKIDB_VISIT_CONTINUE;
}

static void assert_list(scene *s, char delimiter, const char *expected)
{
    char text[1024] = "";
    assert_ok(s->err, akidb_store_list(s->store, "", delimiter, add_key, text, &s->err));
    assert_string_equal(text, expected);
}

static void a_folder_that_is_not_there_is_empty_until_the_first_write(void **state)
{
    (void)state;
    scene *s = scene_open();
    assert_list(s, 0, "");
    akidb_buffer bytes;
    assert_status(AKIDB_E_NOT_FOUND, akidb_store_get(s->store, "a", 1, &bytes, &s->err));
    assert_ok(s->err, akidb_store_delete(s->store, "a", &s->err));
    uint64_t count;
    uint64_t size;
    assert_ok(s->err,
              akidb_store_remove_leftovers(s->store, INT64_MAX, false, &count, &size, &s->err));
    assert_int_equal(access(s->root, F_OK), -1);
    assert_ok(s->err, put(s, "a", "x"));
    assert_list(s, 0, "a ");
    scene_close(s);
}

static void files_and_folders_are_for_their_owner_alone(void **state)
{
    (void)state;
    mode_t before = umask(0);
    scene *s = scene_open();
    assert_ok(s->err, put(s, "x/y", "x"));
    akidb_upload *upload;
    assert_ok(s->err,
              akidb_store_upload_begin(s->store, "x/z", AKIDB_PUT_IF_ABSENT, &upload, &s->err));
    assert_ok(s->err, akidb_upload_commit(upload, &s->err));
    assert_int_equal(mode_of(s->root), 0700);
    assert_int_equal(mode_of(path_of(s, "deep")), 0700);
    assert_int_equal(mode_of(path_of(s, "deep/root/x")), 0700);
    assert_int_equal(mode_of(path_of(s, "deep/root/x/y")), 0600);
    assert_int_equal(mode_of(path_of(s, "deep/root/x/z")), 0600);
    scene_close(s);
    umask(before);
}

static void the_name_is_the_absolute_path(void **state)
{
    (void)state;
    scene *s = scene_open();
    char expected[TEST_FOLDER_SIZE + 32];
    snprintf(expected, sizeof expected, "file://%s", s->root);
    assert_string_equal(akidb_store_name(s->store), expected);
    scene_close(s);

    akidb_error err = {0};
    akidb_store *store;
    assert_ok(err, akidb_store_local_open("some where/\xc3\xa9//", &store, &err));
    assert_true(strncmp(akidb_store_name(store), "file:///", 8) == 0);
    assert_non_null(strstr(akidb_store_name(store), "/some%20where/%C3%A9"));
    akidb_store_close(store);
}

static void a_root_that_is_a_file_is_refused(void **state)
{
    (void)state;
    scene *s = scene_open();
    write_file(path_of(s, "file"), "x");
    akidb_store *store = s->store;
    assert_status(AKIDB_E_VALIDATION, akidb_store_local_open(path_of(s, "file"), &store, &s->err));
    assert_null(store);
    assert_non_null(strstr(s->err.message, "expected a folder"));
    assert_status(AKIDB_E_VALIDATION,
                  akidb_store_local_open(path_of(s, "file/below"), &store, &s->err));
    assert_status(AKIDB_E_VALIDATION, akidb_store_local_open("", &store, &s->err));

    /* And one that becomes a file later is not an empty store. */
    write_file(path_of(s, "deep"), "x");
    char text[1024] = "";
    assert_status(AKIDB_E_VALIDATION, akidb_store_list(s->store, "", 0, add_key, text, &s->err));
    assert_status(AKIDB_E_VALIDATION, put(s, "a", "x"));
    bool there;
    assert_status(AKIDB_E_VALIDATION, akidb_store_exists(s->store, "a", &there, &s->err));
    assert_non_null(strstr(s->err.message, s->root));
    scene_close(s);
}

static void no_symbolic_link_leads_out_of_the_root(void **state)
{
    (void)state;
    scene *s = scene_open();
    assert_ok(s->err, put(s, "inside/a", "x"));
    assert_int_equal(mkdir(path_of(s, "outside"), 0700), 0);
    write_file(path_of(s, "outside/secret"), "secret");
    assert_int_equal(symlink("../../outside", path_of(s, "deep/root/link")), 0);
    assert_int_equal(symlink("../../../outside/secret", path_of(s, "deep/root/inside/file")), 0);
    static const char *const keys[] = {"link/secret", "inside/file"};
    for (size_t i = 0; i < 2; i++) {
        akidb_buffer bytes;
        akidb_object_info info;
        assert_status(AKIDB_E_PERMISSION, akidb_store_get(s->store, keys[i], 100, &bytes, &s->err));
        assert_status(AKIDB_E_PERMISSION, akidb_store_head(s->store, keys[i], &info, &s->err));
        assert_status(AKIDB_E_PERMISSION,
                      akidb_store_copy(s->store, keys[i], "copy", AKIDB_PUT_ALWAYS, &s->err));
    }
    assert_status(AKIDB_E_PERMISSION, put(s, "link/new", "x"));
    assert_status(AKIDB_E_PERMISSION, put(s, "link/secret", "x"));
    assert_status(AKIDB_E_PERMISSION, akidb_store_delete(s->store, "link/secret", &s->err));
    assert_non_null(strstr(s->err.message, "symbolic link"));
    assert_list(s, 0, "inside/a ");
    assert_list(s, '/', "inside/ ");

    /* A put over a link replaces the link, not what it names. */
    assert_ok(s->err, put(s, "inside/file", "mine"));
    int fd = open(path_of(s, "outside/secret"), O_RDONLY | O_CLOEXEC);
    char text[16] = "";
    assert_int_equal(read(fd, text, sizeof text), 6);
    assert_memory_equal(text, "secret", 6);
    close(fd);
    scene_close(s);
}

static void what_is_no_regular_file_is_no_object(void **state)
{
    (void)state;
    scene *s = scene_open();
    assert_ok(s->err, put(s, "a", "x"));
    assert_int_equal(mkfifo(path_of(s, "deep/root/fifo"), 0600), 0);
    akidb_buffer bytes; /* opening a FIFO must not wait for a writer either */
    assert_status(AKIDB_E_PERMISSION, akidb_store_get(s->store, "fifo", 9, &bytes, &s->err));
    assert_list(s, 0, "a ");
    scene_close(s);
}

static void foreign_names_and_empty_folders_are_not_listed(void **state)
{
    (void)state;
    scene *s = scene_open();
    assert_ok(s->err, put(s, "a/b", "x"));
    write_file(path_of(s, "deep/root/new\nline"), "x");
    write_file(path_of(s, "deep/root/a/not-\xff-utf8"), "x");
    write_file(path_of(s, "deep/root/a/.akidb-tmp-1"), "x");
    assert_int_equal(mkdir(path_of(s, "deep/root/empty"), 0700), 0);
    assert_int_equal(mkdir(path_of(s, "deep/root/empty/too"), 0700), 0);
    assert_int_equal(mkdir(path_of(s, "deep/root/left"), 0700), 0);
    write_file(path_of(s, "deep/root/left/.akidb-tmp-2"), "x");
    assert_list(s, 0, "a/b ");
    assert_list(s, '/', "a/ ");
    assert_ok(s->err, put(s, "empty/too", "an empty folder makes way"));
    assert_list(s, 0, "a/b empty/too ");
    scene_close(s);
}

static void deletes_and_aborts_remove_folders_that_became_empty(void **state)
{
    (void)state;
    scene *s = scene_open();
    assert_ok(s->err, put(s, "a/b/c/d", "x"));
    assert_ok(s->err, put(s, "a/e", "x"));
    assert_ok(s->err, akidb_store_delete(s->store, "a/b/c/d", &s->err));
    assert_int_equal(access(path_of(s, "deep/root/a/b"), F_OK), -1);
    assert_int_equal(access(path_of(s, "deep/root/a/e"), F_OK), 0);
    akidb_upload *upload;
    assert_ok(s->err,
              akidb_store_upload_begin(s->store, "x/y/z", AKIDB_PUT_ALWAYS, &upload, &s->err));
    assert_int_equal(access(path_of(s, "deep/root/x/y"), F_OK), 0);
    akidb_upload_abort(upload);
    assert_int_equal(access(path_of(s, "deep/root/x"), F_OK), -1);
    assert_ok(s->err, akidb_store_delete(s->store, "a/e", &s->err));
    assert_int_equal(access(s->root, F_OK), 0); /* the root stays */
    scene_close(s);
}

/* ---- leftovers ------------------------------------------------------------------------------- */

static void make_leftover(scene *s, const char *rest, const char *text, time_t seconds)
{
    char path[TEST_FOLDER_SIZE + 256];
    snprintf(path, sizeof path, "%s", path_of(s, rest));
    write_file(path, text);
    struct timespec times[2] = {{seconds, 0}, {seconds, 0}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void leftovers_are_removed_by_age(void **state)
{
    (void)state;
    scene *s = scene_open();
    assert_ok(s->err, put(s, "a/object", "stays"));
    assert_ok(s->err, put(s, "b/object", "stays"));
    make_leftover(s, "deep/root/.akidb-tmp-old", "12345", 1000);
    make_leftover(s, "deep/root/a/.akidb-tmp-old", "123", 1999);
    make_leftover(s, "deep/root/a/.akidb-tmp-young", "1", 2000);
    assert_int_equal(mkdir(path_of(s, "deep/root/c"), 0700), 0);
    make_leftover(s, "deep/root/c/.akidb-tmp-old", "12", 1);
    assert_int_equal(mkdir(path_of(s, "deep/root/foreign"), 0700), 0);
    akidb_upload *upload;
    assert_ok(s->err,
              akidb_store_upload_begin(s->store, "a/up", AKIDB_PUT_ALWAYS, &upload, &s->err));
    for (int dry_run = 1; dry_run >= 0; dry_run--) {
        uint64_t count;
        uint64_t bytes;
        assert_ok(s->err, akidb_store_remove_leftovers(s->store, INT64_C(2000000000), dry_run == 1,
                                                       &count, &bytes, &s->err));
        assert_int_equal(count, 3);
        assert_int_equal(bytes, 10);
    }
    assert_int_equal(access(path_of(s, "deep/root/.akidb-tmp-old"), F_OK), -1);
    assert_int_equal(access(path_of(s, "deep/root/c"), F_OK), -1);
    assert_int_equal(access(path_of(s, "deep/root/foreign"), F_OK), 0);
    assert_int_equal(access(path_of(s, "deep/root/a/.akidb-tmp-young"), F_OK), 0);
    assert_ok(s->err, akidb_upload_commit(upload, &s->err)); /* it was young */
    assert_list(s, 0, "a/object a/up b/object ");
    scene_close(s);
}

/* An upload whose temporary file was swept away must not become an object, or a success. */
static void an_upload_that_was_swept_away_fails(void **state)
{
    (void)state;
    for (int mode = AKIDB_PUT_ALWAYS; mode <= AKIDB_PUT_IF_ABSENT; mode++) {
        scene *s = scene_open();
        akidb_upload *upload;
        assert_ok(s->err, akidb_store_upload_begin(s->store, "a/up", (akidb_put_mode)mode, &upload,
                                                   &s->err));
        uint64_t count;
        uint64_t bytes;
        assert_ok(s->err, akidb_store_remove_leftovers(s->store, INT64_MAX, false, &count, &bytes,
                                                       &s->err));
        assert_int_equal(count, 1);
        assert_status(AKIDB_E_IO, akidb_upload_commit(upload, &s->err));
        assert_list(s, 0, "");
        scene_close(s);
    }
}

/* ---- disks that refuse ----------------------------------------------------------------------- */

/* Runs as another user, in a child, since a superuser is refused nothing. */
static int run_as_nobody(int (*function)(scene *), scene *s)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
            _exit(100);
        _exit(function(s));
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

enum { NOT_REACHED = 101 };

/* The number of the check that failed; 0 when none did. */
static int use_forbidden_folder(scene *s)
{
    akidb_buffer bytes;
    char text[1024] = "";
    if (access(s->root, X_OK) != 0)
        return NOT_REACHED; /* TMPDIR is closed to others already */
    if (put(s, "new", "x") != AKIDB_E_PERMISSION || strstr(s->err.message, s->root) == NULL ||
        strstr(s->err.message, "new") == NULL)
        return 1;
    if (akidb_store_delete(s->store, "a", &s->err) != AKIDB_E_PERMISSION)
        return 2;
    if (akidb_store_get(s->store, "closed/b", 9, &bytes, &s->err) != AKIDB_E_PERMISSION)
        return 3;
    if (akidb_store_list(s->store, "", 0, add_key, text, &s->err) != AKIDB_E_PERMISSION)
        return 4; /* a list with a hole would be worse */
    if (akidb_store_get(s->store, "a", 9, &bytes, &s->err) != AKIDB_OK)
        return 5;
    akidb_buffer_free(&bytes);
    return 0;
}

static void a_folder_without_permission_says_so(void **state)
{
    (void)state;
    scene *s = scene_open();
    assert_ok(s->err, put(s, "a", "x"));
    assert_ok(s->err, put(s, "closed/b", "x"));
    assert_int_equal(chmod(path_of(s, "deep/root/a"), 0644), 0);
    assert_int_equal(chmod(path_of(s, "deep/root/closed"), 0000), 0);
    assert_int_equal(chmod(s->root, 0555), 0);
    assert_int_equal(chmod(path_of(s, "deep"), 0755), 0);
    assert_int_equal(chmod(s->folder, 0755), 0);
    int failed = run_as_nobody(use_forbidden_folder, s);
    assert_int_equal(chmod(s->root, 0755), 0);
    assert_int_equal(chmod(path_of(s, "deep/root/closed"), 0755), 0);
    scene_close(s);
    if (failed == NOT_REACHED) {
        print_message("SKIPPED: another user cannot reach the folder for tests\n");
        skip();
    }
    assert_int_equal(failed, 0);
}

/* Mounts a file system of 1 MiB at the scene's root; ends the scene where that is not allowed. */
static bool mount_small_disk(scene *s)
{
    assert_int_equal(mkdir(path_of(s, "deep"), 0700), 0);
    assert_int_equal(mkdir(s->root, 0700), 0);
    if (mount("tmpfs", s->root, "tmpfs", 0, "size=1m,mode=0700") == 0)
        return true;
    print_message("SKIPPED: mounting a small disk: %s\n", strerror(errno));
    scene_close(s);
    return false;
}

static void a_full_disk_loses_nothing(void **state)
{
    (void)state;
    scene *s = scene_open();
    if (!mount_small_disk(s)) {
        skip();
        return;
    }
    assert_ok(s->err, put(s, "a/old", "stays"));
    enum { SIZE = 1 << 21 };
    char *bytes = calloc(1, SIZE);
    assert_non_null(bytes);
    akidb_slice slice = {bytes, SIZE};
    for (int mode = AKIDB_PUT_ALWAYS; mode <= AKIDB_PUT_IF_ABSENT; mode++) {
        const char *key = mode == AKIDB_PUT_ALWAYS ? "a/old" : "b/new";
        assert_status(AKIDB_E_IO,
                      akidb_store_put(s->store, key, &slice, 1, (akidb_put_mode)mode, &s->err));
        assert_non_null(strstr(s->err.message, "No space left"));
        assert_non_null(strstr(s->err.message, key));
        assert_non_null(strstr(s->err.message, s->root));
    }
    free(bytes);
    assert_list(s, 0, "a/old ");
    akidb_object_info info;
    assert_ok(s->err, akidb_store_head(s->store, "a/old", &info, &s->err));
    assert_int_equal(info.size, 5);
    assert_ok(s->err, put(s, "b/new", "there is room again"));
    assert_int_equal(umount(s->root), 0);
    scene_close(s);
}

static void a_read_only_disk_says_so(void **state)
{
    (void)state;
    scene *s = scene_open();
    if (!mount_small_disk(s)) {
        skip();
        return;
    }
    assert_ok(s->err, put(s, "a", "x"));
    assert_int_equal(mount("tmpfs", s->root, "tmpfs", MS_REMOUNT | MS_RDONLY, "size=1m"), 0);
    assert_status(AKIDB_E_PERMISSION, put(s, "a", "y"));
    assert_non_null(strstr(s->err.message, "Read-only"));
    assert_status(AKIDB_E_PERMISSION, put(s, "new/b", "y"));
    assert_status(AKIDB_E_PERMISSION, akidb_store_delete(s->store, "a", &s->err));
    assert_list(s, 0, "a ");
    assert_int_equal(umount(s->root), 0);
    scene_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folder_that_is_not_there_is_empty_until_the_first_write),
        cmocka_unit_test(files_and_folders_are_for_their_owner_alone),
        cmocka_unit_test(the_name_is_the_absolute_path),
        cmocka_unit_test(a_root_that_is_a_file_is_refused),
        cmocka_unit_test(no_symbolic_link_leads_out_of_the_root),
        cmocka_unit_test(what_is_no_regular_file_is_no_object),
        cmocka_unit_test(foreign_names_and_empty_folders_are_not_listed),
        cmocka_unit_test(deletes_and_aborts_remove_folders_that_became_empty),
        cmocka_unit_test(leftovers_are_removed_by_age),
        cmocka_unit_test(an_upload_that_was_swept_away_fails),
        cmocka_unit_test(a_folder_without_permission_says_so),
        cmocka_unit_test(a_full_disk_loses_nothing),
        cmocka_unit_test(a_read_only_disk_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
