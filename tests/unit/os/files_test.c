/* The system's files, as akidb/sys/files.h promises them. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "akidb/sys/files.h"
#include "folder.h"
#include "os/path.h"
#include "test.h"

typedef struct scene {
    char path[TEST_FOLDER_SIZE];
    const akidb_files_ops *ops;
    void *handle;
    akidb_folder folder;
} scene;

static void scene_open(scene *s)
{
    assert_true(test_folder_make(s->path));
    const akidb_files *files = akidb_files_system();
    s->ops = files->ops;
    s->handle = files->handle;
    assert_int_equal(s->ops->open_root(s->handle, s->path, &s->folder), 0);
}

static void scene_close(scene *s)
{
    s->ops->close_folder(s->handle, s->folder);
    test_folder_remove(s->path);
}

static akidb_file create(scene *s, const char *name)
{
    akidb_file file;
    assert_int_equal(s->ops->open_file(s->handle, s->folder, name, AKIDB_FILE_CREATE, &file), 0);
    return file;
}

static void create_with(scene *s, const char *name, const char *text)
{
    akidb_file file = create(s, name);
    akidb_slice slice = {text, strlen(text)};
    assert_int_equal(s->ops->write_at(s->handle, file, 0, &slice, 1), 0);
    assert_int_equal(s->ops->close_file(s->handle, file), 0);
}

static void assert_text(scene *s, const char *name, const char *text)
{
    akidb_file file;
    char bytes[64];
    size_t read;
    assert_int_equal(s->ops->open_file(s->handle, s->folder, name, AKIDB_FILE_READ, &file), 0);
    assert_int_equal(s->ops->read_at(s->handle, file, 0, bytes, sizeof bytes, &read), 0);
    assert_int_equal(s->ops->close_file(s->handle, file), 0);
    assert_int_equal(read, strlen(text));
    assert_memory_equal(bytes, text, read);
}

static void bytes_are_written_and_read_at_offsets(void **state)
{
    (void)state;
    scene s;
    scene_open(&s);
    akidb_file file = create(&s, "file");
    akidb_slice slices[300]; /* more than one system call takes here; some empty */
    for (size_t i = 0; i < 300; i++)
        slices[i] = (akidb_slice){i % 3 == 0 ? NULL : "xy", i % 3};
    assert_int_equal(s.ops->write_at(s.handle, file, 10, slices, 300), 0);
    assert_int_equal(s.ops->write_at(s.handle, file, 0, slices, 1), 0); /* nothing at all */
    assert_int_equal(s.ops->write_at(s.handle, file, 0, NULL, 0), 0);
    char bytes[400];
    size_t read;
    assert_int_equal(s.ops->read_at(s.handle, file, 5, bytes, sizeof bytes, &read), 0);
    assert_int_equal(read, 305);
    assert_memory_equal(bytes, "\0\0\0\0\0xxyxxyxxy", 14);
    assert_int_equal(s.ops->read_at(s.handle, file, 310, bytes, 1, &read), 0);
    assert_int_equal(read, 0);

    akidb_file_info info;
    assert_int_equal(s.ops->truncate(s.handle, file, 12), 0);
    assert_int_equal(s.ops->allocate(s.handle, file, 5000), 0);
    assert_int_equal(s.ops->allocate(s.handle, file, 100), 0);
    assert_int_equal(s.ops->file_info(s.handle, file, &info), 0);
    assert_int_equal(info.size, 5000);
    assert_int_equal(info.kind, AKIDB_FILE_REGULAR);
    assert_true(info.modified_at > INT64_C(1577836800000000));
    assert_int_equal(s.ops->sync_data(s.handle, file), 0);
    assert_int_equal(s.ops->sync_file(s.handle, file), 0);
    assert_int_equal(s.ops->close_file(s.handle, file), 0);
    assert_int_equal(s.ops->sync_folder(s.handle, s.folder), 0);
    scene_close(&s);
}

static void opening_says_what_is_in_the_way(void **state)
{
    (void)state;
    scene s;
    scene_open(&s);
    create_with(&s, "file", "x");
    assert_int_equal(s.ops->make_folder(s.handle, s.folder, "folder"), 0);
    assert_int_equal(symlinkat("folder", s.folder.descriptor, "link"), 0);
    assert_int_equal(mkfifoat(s.folder.descriptor, "fifo", 0600), 0);
    akidb_file file;
    const akidb_file_mode read = AKIDB_FILE_READ;
    assert_int_equal(s.ops->open_file(s.handle, s.folder, "none", read, &file), ENOENT);
    assert_int_equal(s.ops->open_file(s.handle, s.folder, "folder", read, &file), EISDIR);
    assert_int_equal(s.ops->open_file(s.handle, s.folder, "link", read, &file), ELOOP);
    assert_int_equal(s.ops->open_file(s.handle, s.folder, "fifo", read, &file), EINVAL);
    assert_int_equal(s.ops->open_file(s.handle, s.folder, "file", AKIDB_FILE_CREATE, &file),
                     EEXIST);
    akidb_folder folder;
    assert_int_equal(s.ops->open_folder(s.handle, s.folder, "none", &folder), ENOENT);
    assert_int_equal(s.ops->open_folder(s.handle, s.folder, "file", &folder), ENOTDIR);
    assert_int_equal(s.ops->open_folder(s.handle, s.folder, "link", &folder), ELOOP);
    assert_int_equal(s.ops->make_folder(s.handle, s.folder, "file"), EEXIST);
    assert_int_equal(s.ops->open_root(s.handle, "/nowhere/at/all", &folder), ENOENT);
    assert_int_equal(s.ops->open_root(s.handle, "/dev/null", &folder), ENOTDIR);
    scene_close(&s);
}

static void new_files_and_folders_are_private_and_closed_on_exec(void **state)
{
    (void)state;
    mode_t before = umask(0);
    scene s;
    scene_open(&s);
    akidb_file file = create(&s, "file");
    assert_int_equal(s.ops->make_folder(s.handle, s.folder, "folder"), 0);
    struct stat st;
    assert_int_equal(fstatat(s.folder.descriptor, "file", &st, 0), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(fstatat(s.folder.descriptor, "folder", &st, 0), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_not_equal(fcntl(file.descriptor, F_GETFD) & FD_CLOEXEC, 0);
    assert_int_not_equal(fcntl(s.folder.descriptor, F_GETFD) & FD_CLOEXEC, 0);
    assert_int_equal(s.ops->close_file(s.handle, file), 0);
    scene_close(&s);
    umask(before);
}

static void names_change_as_told(void **state)
{
    (void)state;
    scene s;
    scene_open(&s);
    create_with(&s, "a", "1");
    create_with(&s, "b", "2");
    assert_int_equal(s.ops->link(s.handle, s.folder, "a", "b"), EEXIST);
    assert_int_equal(s.ops->link(s.handle, s.folder, "a", "c"), 0);
    assert_int_equal(s.ops->rename(s.handle, s.folder, "a", "b"), 0);
    assert_text(&s, "b", "1");
    assert_text(&s, "c", "1");
    assert_int_equal(s.ops->rename(s.handle, s.folder, "a", "d"), ENOENT);
    assert_int_equal(s.ops->unlink(s.handle, s.folder, "a"), ENOENT);
    assert_int_equal(s.ops->unlink(s.handle, s.folder, "c"), 0);

    assert_int_equal(s.ops->make_folder(s.handle, s.folder, "folder"), 0);
    assert_int_equal(s.ops->rename(s.handle, s.folder, "b", "folder"), EISDIR);
    assert_int_equal(s.ops->link(s.handle, s.folder, "b", "folder"), EEXIST);
    assert_int_equal(s.ops->unlink(s.handle, s.folder, "folder"), EISDIR);
    akidb_folder folder;
    akidb_file file;
    assert_int_equal(s.ops->open_folder(s.handle, s.folder, "folder", &folder), 0);
    assert_int_equal(s.ops->open_file(s.handle, folder, "x", AKIDB_FILE_CREATE, &file), 0);
    assert_int_equal(s.ops->close_file(s.handle, file), 0);
    assert_int_equal(s.ops->remove_folder(s.handle, s.folder, "folder"), ENOTEMPTY);
    assert_int_equal(s.ops->unlink(s.handle, folder, "x"), 0);
    assert_int_equal(s.ops->remove_folder(s.handle, s.folder, "folder"), 0);
    /* The folder is still open, but nothing can be made in it. */
    assert_int_equal(s.ops->open_file(s.handle, folder, "x", AKIDB_FILE_CREATE, &file), ENOENT);
    assert_int_equal(s.ops->make_folder(s.handle, folder, "x"), ENOENT);
    assert_int_equal(s.ops->sync_folder(s.handle, folder), 0);
    s.ops->close_folder(s.handle, folder);
    scene_close(&s);
}

typedef struct seen {
    size_t files;
    size_t folders;
    size_t others;
    size_t stop_after;
} seen;

static bool see(void *context, const char *name, akidb_file_kind kind)
{
    seen *found = context;
    assert_string_not_equal(name, ".");
    assert_string_not_equal(name, "..");
    found->files += kind == AKIDB_FILE_REGULAR;
    found->folders += kind == AKIDB_FILE_FOLDER;
    found->others += kind == AKIDB_FILE_OTHER;
    return --found->stop_after != 0;
}

static void a_list_visits_each_name(void **state)
{
    (void)state;
    scene s;
    scene_open(&s);
    for (int i = 0; i < 300; i++) {
        char name[16];
        snprintf(name, sizeof name, "file-%d", i);
        create_with(&s, name, "");
    }
    assert_int_equal(s.ops->make_folder(s.handle, s.folder, "folder"), 0);
    assert_int_equal(symlinkat("folder", s.folder.descriptor, "link"), 0);
    for (int i = 0; i < 2; i++) { /* one list leaves no cursor for the next */
        seen found = {0};
        assert_int_equal(s.ops->list(s.handle, s.folder, see, &found), 0);
        assert_int_equal(found.files, 300);
        assert_int_equal(found.folders, 1);
        assert_int_equal(found.others, 1);
    }
    seen found = {.stop_after = 7};
    assert_int_equal(s.ops->list(s.handle, s.folder, see, &found), 0);
    assert_int_equal(found.files + found.folders + found.others, 7);
    akidb_file_info info;
    assert_int_equal(s.ops->stat(s.handle, s.folder, "link", &info), 0);
    assert_int_equal(info.kind, AKIDB_FILE_OTHER);
    assert_int_equal(s.ops->stat(s.handle, s.folder, "none", &info), ENOENT);
    scene_close(&s);
}

static void a_lock_keeps_others_out_until_the_close(void **state)
{
    (void)state;
    scene s;
    scene_open(&s);
    akidb_file first = create(&s, "lock");
    akidb_file second;
    assert_int_equal(s.ops->open_file(s.handle, s.folder, "lock", AKIDB_FILE_UPDATE, &second), 0);
    assert_int_equal(s.ops->lock(s.handle, first), 0);
    assert_int_equal(s.ops->lock(s.handle, second), EWOULDBLOCK);
    assert_int_equal(s.ops->close_file(s.handle, first), 0);
    assert_int_equal(s.ops->lock(s.handle, second), 0);
    assert_int_equal(s.ops->close_file(s.handle, second), 0);
    scene_close(&s);
}

/* With a limit on the size of files the system writes in part first, and then refuses. */
static void a_short_write_is_an_error_in_the_end(void **state)
{
    (void)state;
    scene s;
    scene_open(&s);
    akidb_file file = create(&s, "file");
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGXFSZ, SIG_IGN);
        struct rlimit limit = {1000, 1000};
        static char bytes[3000];
        akidb_slice slices[2] = {{bytes, 900}, {bytes, 2100}};
        if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
            _exit(2);
        _exit(s.ops->write_at(s.handle, file, 0, slices, 2) == EFBIG ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    akidb_file_info info;
    assert_int_equal(s.ops->file_info(s.handle, file, &info), 0);
    assert_int_equal(info.size, 1000);
    assert_int_equal(s.ops->close_file(s.handle, file), 0);
    scene_close(&s);
}

static void a_path_is_made_absolute(void **state)
{
    (void)state;
    akidb_error err = {0};
    char *path;
    assert_ok(err, ak_path_absolute("/a/b//", &path, &err));
    assert_string_equal(path, "/a/b");
    free(path);
    assert_ok(err, ak_path_absolute("//", &path, &err));
    assert_string_equal(path, "/");
    free(path);
    char *folder = getcwd(NULL, 0);
    assert_non_null(folder);
    assert_ok(err, ak_path_absolute("x/../y", &path, &err));
    assert_int_equal(strncmp(path, folder, strlen(folder)), 0);
    assert_string_equal(path + strlen(folder), "/x/../y");
    free(path);
    assert_ok(err, ak_path_absolute(".//./x", &path, &err));
    assert_string_equal(path + strlen(folder), "/x");
    free(path);
    assert_ok(err, ak_path_absolute("./.x", &path, &err));
    assert_string_equal(path + strlen(folder), "/.x");
    free(path);
    assert_ok(err, ak_path_absolute(".", &path, &err));
    assert_string_equal(path, folder);
    free(path);
    free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_written_and_read_at_offsets),
        cmocka_unit_test(opening_says_what_is_in_the_way),
        cmocka_unit_test(new_files_and_folders_are_private_and_closed_on_exec),
        cmocka_unit_test(names_change_as_told),
        cmocka_unit_test(a_list_visits_each_name),
        cmocka_unit_test(a_lock_keeps_others_out_until_the_close),
        cmocka_unit_test(a_short_write_is_an_error_in_the_end),
        cmocka_unit_test(a_path_is_made_absolute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
