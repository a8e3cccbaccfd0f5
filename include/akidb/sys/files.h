#ifndef AKIDB_SYS_FILES_H
#define AKIDB_SYS_FILES_H
/*
 * Files: how the local store and the write-ahead log reach a disk, so that a test can put a disk in
 * memory, or a failing one, in its place. For implementors; the promise of stability is weaker than
 * that of the headers above this folder.
 *
 *   Names    Everything below a root is reached step by step from an open folder, and each name is
 *            one part: not empty, not "." or "..", without '/'. No step follows a symbolic link, so
 *            nothing outside the root can be reached. Only the root itself is a path.
 *   Folders  An open folder stays the same folder whatever happens to its name. A folder that was
 *            removed while it was open gives ENOENT when something is to be made in it.
 *   Crash    After a power cut a file has at least what it held at its last successful sync_file or
 *            sync_data, and a folder at least the names of its last successful sync_folder; what
 *            came after is there, or not, or in part. sync_data may leave out times, never bytes
 *            or the size. A sync that failed proves nothing about any later sync of the same file.
 *   Errors   Each function returns 0 or a number of <errno.h>; its caller knows what it was for and
 *            makes the message. Outputs count only after 0. Interrupted calls (EINTR) and short
 *            counts are the implementation's to repeat.
 *   Threads  All functions may be called from many threads at once, on one folder and on one file,
 *            except that close_file and close_folder run alone.
 */
#include "akidb/base.h"

AKIDB_BEGIN_DECLS

/* An open folder or file: a descriptor or an object, as the implementation likes. */
typedef union akidb_folder {
    int descriptor;
    void *object;
} akidb_folder;

typedef union akidb_file {
    int descriptor;
    void *object;
} akidb_file;

typedef enum akidb_file_kind {
    AKIDB_FILE_REGULAR = 0,
    AKIDB_FILE_FOLDER = 1,
    AKIDB_FILE_OTHER = 2 /* a symbolic link, a device, ... */
} akidb_file_kind;

typedef struct akidb_file_info {
    akidb_file_kind kind;
    uint64_t size;       /* in bytes; of a regular file */
    int64_t modified_at; /* microseconds since the epoch */
} akidb_file_info;

typedef enum akidb_file_mode {
    AKIDB_FILE_READ = 0,   /* a regular file that is there, for reading */
    AKIDB_FILE_UPDATE = 1, /* a regular file that is there, for reading and writing */
    AKIDB_FILE_CREATE = 2  /* a new file (EEXIST), for reading and writing, for its owner alone */
} akidb_file_mode;

/* One name of a folder, borrowed for the call; false ends the list. */
typedef bool akidb_name_visitor(void *context, const char *name, akidb_file_kind kind);

/* Every slot must be there, unless it says "may be NULL". */
typedef struct akidb_files_ops {
    /* ---- folders ----------------------------------------------------------------------------- */

    /* Opens the folder at a path of the system. ENOENT; ENOTDIR when it is something else. */
    int (*open_root)(void *handle, const char *path, akidb_folder *folder_out);
    /* Opens a folder within a folder. ENOENT; ELOOP for a symbolic link, ENOTDIR for all else. */
    int (*open_folder)(void *handle, akidb_folder folder, const char *name,
                       akidb_folder *folder_out);
    void (*close_folder)(void *handle, akidb_folder folder);
    /* Makes the names in the folder durable: those made, renamed and removed. */
    int (*sync_folder)(void *handle, akidb_folder folder);
    /* Makes a folder for its owner alone. EEXIST when the name is taken by anything. */
    int (*make_folder)(void *handle, akidb_folder folder, const char *name);
    /* Removes an empty folder. ENOTEMPTY (or EEXIST), ENOENT, ENOTDIR. */
    int (*remove_folder)(void *handle, akidb_folder folder, const char *name);
    /* Visits the names in the folder, in no order, without "." and "..". The visitor must not
     * change the folder. */
    int (*list)(void *handle, akidb_folder folder, akidb_name_visitor *visitor, void *context);
    /* ENOENT. Tells about a symbolic link itself. */
    int (*stat)(void *handle, akidb_folder folder, const char *name, akidb_file_info *info_out);
    /* Gives a file another name in the same folder, replacing a file that has it, at once: at no
     * moment is the name missing. EISDIR when a folder has it. */
    int (*rename)(void *handle, akidb_folder folder, const char *from, const char *to);
    /* Gives a file a second name in the same folder. EEXIST when anything has it: of many who try,
     * one succeeds. */
    int (*link)(void *handle, akidb_folder folder, const char *from, const char *to);
    /* Removes a name that is not a folder's. ENOENT; EISDIR or EPERM for a folder. */
    int (*unlink)(void *handle, akidb_folder folder, const char *name);

    /* ---- files ------------------------------------------------------------------------------- */

    /* ENOENT, EEXIST; EISDIR for a folder, ELOOP for a symbolic link, EINVAL for what else is not a
     * regular file. */
    int (*open_file)(void *handle, akidb_folder folder, const char *name, akidb_file_mode mode,
                     akidb_file *file_out);
    int (*file_info)(void *handle, akidb_file file, akidb_file_info *info_out);
    /* Reads up to `size` bytes; fewer only where the file ends. */
    int (*read_at)(void *handle, akidb_file file, uint64_t offset, void *dst, size_t size,
                   size_t *read_out);
    /* Writes all bytes of all slices from `offset` on, or fails, and then any part of them may have
     * been written. */
    int (*write_at)(void *handle, akidb_file file, uint64_t offset, const akidb_slice *slices,
                    size_t count);
    /* Makes sure that writing below `size` will not fail with ENOSPC; the file becomes that long if
     * it is shorter. May be NULL: EOPNOTSUPP. */
    int (*allocate)(void *handle, akidb_file file, uint64_t size);
    /* Makes the file exactly that long. */
    int (*truncate)(void *handle, akidb_file file, uint64_t size);
    int (*sync_file)(void *handle, akidb_file file);
    int (*sync_data)(void *handle, akidb_file file);
    /* Has the system begin to carry the range to the disk, so that a sync that follows finds less
     * to do. Promises nothing and waits for nothing; a failure shows in the sync. May be NULL. */
    void (*start_writing)(void *handle, akidb_file file, uint64_t offset, uint64_t size);
    /* Takes the file for this opening of it alone, until it is closed, against all processes that
     * ask too. EWOULDBLOCK when another has it; never waits. */
    int (*lock)(void *handle, akidb_file file);
    /* The file is closed, whatever the outcome; an error says that written bytes may be lost. */
    int (*close_file)(void *handle, akidb_file file);
} akidb_files_ops;

typedef struct akidb_files {
    const akidb_files_ops *ops;
    void *handle;
} akidb_files;

/* The files of the operating system: folders are made 0700, files 0600, descriptors close on exec.
 * Lives as long as the program. */
AKIDB_API const akidb_files *akidb_files_system(void);

AKIDB_END_DECLS
#endif
