#include "simulated_disk.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_SIZE = 128, SECTOR = 512 };

/* A change of a file that is not stable: bytes, or a size. */
typedef struct change {
    uint64_t offset;
    uint8_t *bytes; /* NULL: the file became `size` long */
    uint64_t size;
} change;

typedef struct node node;

typedef struct name {
    char text[NAME_SIZE];
    node *node;
} name;

/* A change of a folder that is not stable: names that go and that come, together. */
typedef struct name_change {
    char removed[NAME_SIZE]; /* "": none */
    char added[NAME_SIZE];   /* "": none */
    node *node;              /* of the one that was added */
} name_change;

typedef struct image {
    uint8_t *bytes;
    uint64_t size;
} image;

typedef struct names {
    name *all;
    size_t count;
} names;

/* A file or a folder. Nodes live as long as the disk. */
struct node {
    node *next;
    bool is_folder;
    bool locked;
    image cache, stable;
    change *changes;
    names cached_names, stable_names;
    name_change *name_changes;
    size_t count; /* of changes or name_changes */
};

typedef struct opening {
    node *node;
    bool has_lock;
} opening;

struct simulated_disk {
    akidb_files files;
    pthread_mutex_t mutex;
    node *root;
    node *nodes; /* all, for the end */
    uint64_t changes, cut_at;
    uint64_t syncs, fail_sync;
    uint64_t room;
    size_t open_count;
    bool off;
};

static uint64_t next_random(uint64_t *state) /* splitmix64 */
{
    uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* A test cannot go on without memory. */
static void *must(void *memory)
{
    if (memory == NULL)
        abort();
    return memory;
}

/* ---- images and names ------------------------------------------------------------------------ */

static void image_resize(image *i, uint64_t size)
{
    i->bytes = must(realloc(i->bytes, (size_t)size + 1));
    if (size > i->size)
        memset(i->bytes + i->size, 0, (size_t)(size - i->size));
    i->size = size;
}

static void image_write(image *i, uint64_t offset, const uint8_t *bytes, uint64_t size)
{
    if (offset + size > i->size)
        image_resize(i, offset + size);
    if (size > 0)
        memcpy(i->bytes + offset, bytes, (size_t)size);
}

static void image_copy(image *to, const image *from)
{
    image_resize(to, from->size);
    if (from->size > 0)
        memcpy(to->bytes, from->bytes, (size_t)from->size);
}

static node *names_find(const names *n, const char *text)
{
    for (size_t i = 0; i < n->count; i++)
        if (strcmp(n->all[i].text, text) == 0)
            return n->all[i].node;
    return NULL;
}

static void names_remove(names *n, const char *text)
{
    for (size_t i = 0; i < n->count; i++)
        if (strcmp(n->all[i].text, text) == 0) {
            n->all[i] = n->all[--n->count];
            return;
        }
}

static void names_add(names *n, const char *text, node *to)
{
    names_remove(n, text);
    n->all = must(realloc(n->all, (n->count + 1) * sizeof *n->all));
    strncpy(n->all[n->count].text, text, NAME_SIZE - 1);
    n->all[n->count].text[NAME_SIZE - 1] = '\0';
    n->all[n->count++].node = to;
}

static void names_copy(names *to, const names *from)
{
    to->count = 0;
    for (size_t i = 0; i < from->count; i++)
        names_add(to, from->all[i].text, from->all[i].node);
}

static void names_apply(names *n, const name_change *c)
{
    if (c->removed[0] != '\0')
        names_remove(n, c->removed);
    if (c->added[0] != '\0')
        names_add(n, c->added, c->node);
}

static node *node_new(simulated_disk *disk, bool is_folder)
{
    node *n = must(calloc(1, sizeof *n));
    n->is_folder = is_folder;
    n->next = disk->nodes;
    disk->nodes = n;
    return n;
}

static void forget_changes(node *n)
{
    for (size_t i = 0; i < n->count && !n->is_folder; i++)
        free(n->changes[i].bytes);
    free(n->changes);
    free(n->name_changes);
    n->changes = NULL;
    n->name_changes = NULL;
    n->count = 0;
}

/* ---- changes --------------------------------------------------------------------------------- */

/* Whether the power goes off with this change, which then is neither there for sure nor not. */
static bool cut(simulated_disk *disk)
{
    disk->off = disk->off || disk->changes++ >= disk->cut_at;
    return disk->off;
}

static void change_file(node *n, uint64_t offset, const uint8_t *bytes, uint64_t size)
{
    change c = {offset, NULL, size};
    if (bytes != NULL) {
        c.bytes = must(malloc((size_t)size + 1));
        memcpy(c.bytes, bytes, (size_t)size);
        image_write(&n->cache, offset, bytes, size);
    } else {
        image_resize(&n->cache, size);
    }
    n->changes = must(realloc(n->changes, (n->count + 1) * sizeof *n->changes));
    n->changes[n->count++] = c;
}

static void change_names(node *folder, const char *removed, const char *added, node *to)
{
    name_change c = {"", "", to};
    if (removed != NULL)
        strncpy(c.removed, removed, NAME_SIZE - 1);
    if (added != NULL)
        strncpy(c.added, added, NAME_SIZE - 1);
    names_apply(&folder->cached_names, &c);
    folder->name_changes =
        must(realloc(folder->name_changes, (folder->count + 1) * sizeof *folder->name_changes));
    folder->name_changes[folder->count++] = c;
}

static int sync_node(simulated_disk *disk, node *n)
{
    if (cut(disk))
        return EIO;
    if (disk->syncs++ == disk->fail_sync) {
        forget_changes(n);
        return EIO;
    }
    /* Only what has changed since: what a failed sync lost stays lost. */
    for (size_t i = 0; i < n->count; i++) {
        if (n->is_folder) {
            names_apply(&n->stable_names, &n->name_changes[i]);
            continue;
        }
        const change *c = &n->changes[i];
        if (c->bytes != NULL)
            image_write(&n->stable, c->offset, c->bytes, c->size);
        else
            image_resize(&n->stable, c->size);
    }
    forget_changes(n);
    return 0;
}

/* ---- the power ------------------------------------------------------------------------------- */

/* A write keeps some of its sectors; all, none and a beginning come up more often than by chance.
 */
static void keep_some(image *stable, const change *c, uint64_t *random)
{
    uint64_t way = next_random(random) % 8;
    if (way == 0)
        return;
    uint64_t prefix = next_random(random) % (c->size + 1);
    if (c->bytes == NULL) {
        if (way >= 3)
            image_resize(stable, c->size);
        return;
    }
    uint64_t done = 0;
    while (done < c->size) {
        uint64_t at = c->offset + done;
        uint64_t part = (at / SECTOR + 1) * SECTOR - at;
        if (part > c->size - done)
            part = c->size - done;
        bool keep = way == 1   ? done < prefix
                    : way == 2 ? done >= prefix
                               : way > 5 || next_random(random) % 2 == 0;
        if (keep)
            image_write(stable, at, c->bytes + done, part);
        done += part;
    }
}

static void lose(node *n, uint64_t *random)
{
    for (size_t i = 0; i < n->count; i++) {
        if (!n->is_folder) {
            keep_some(&n->stable, &n->changes[i], random);
            continue;
        }
        name_change c = n->name_changes[i];
        uint64_t way = next_random(random) % 5;
        if (way == 0)
            continue;
        if (way == 1 && c.added[0] != '\0') /* a rename in part: both names */
            c.removed[0] = '\0';
        names_apply(&n->stable_names, &c);
    }
    forget_changes(n);
    if (n->is_folder)
        names_copy(&n->cached_names, &n->stable_names);
    else
        image_copy(&n->cache, &n->stable);
}

static void on_again(simulated_disk *disk)
{
    if (disk->open_count > 0)
        abort();
    disk->off = false;
    disk->cut_at = UINT64_MAX;
    disk->fail_sync = UINT64_MAX;
}

void simulated_disk_power_on(simulated_disk *disk, uint64_t seed)
{
    for (node *n = disk->nodes; n != NULL; n = n->next)
        lose(n, &seed);
    on_again(disk);
}

void simulated_disk_process_gone(simulated_disk *disk)
{
    on_again(disk);
}

/* ---- folders --------------------------------------------------------------------------------- */

#define BEGIN(disk)                                                                                \
    simulated_disk *disk = handle;                                                                 \
    pthread_mutex_lock(&disk->mutex);                                                              \
    int error_number = disk->off ? EIO : 0

#define END(disk)                                                                                  \
    pthread_mutex_unlock(&disk->mutex);                                                            \
    return error_number

static int find_path(simulated_disk *disk, const char *path, node **found_out)
{
    node *n = disk->root;
    while (*path != '\0') {
        size_t skip = strspn(path, "/");
        path += skip;
        size_t size = strcspn(path, "/");
        char part[NAME_SIZE];
        if (size == 0)
            break;
        if (size >= NAME_SIZE)
            return ENAMETOOLONG;
        memcpy(part, path, size);
        part[size] = '\0';
        path += size;
        if (!n->is_folder)
            return ENOTDIR;
        n = names_find(&n->cached_names, part);
        if (n == NULL)
            return ENOENT;
    }
    *found_out = n;
    return 0;
}

static int disk_open_root(void *handle, const char *path, akidb_folder *folder_out)
{
    BEGIN(disk);
    node *n = NULL;
    if (error_number == 0)
        error_number = find_path(disk, path, &n);
    if (error_number == 0 && !n->is_folder)
        error_number = ENOTDIR;
    if (error_number == 0)
        folder_out->object = n;
    END(disk);
}

static int disk_open_folder(void *handle, akidb_folder folder, const char *text,
                            akidb_folder *folder_out)
{
    BEGIN(disk);
    node *n = names_find(&((node *)folder.object)->cached_names, text);
    if (error_number == 0 && n == NULL)
        error_number = ENOENT;
    if (error_number == 0 && !n->is_folder)
        error_number = ENOTDIR;
    folder_out->object = n;
    END(disk);
}

static void disk_close_folder(void *handle, akidb_folder folder)
{
    (void)handle;
    (void)folder;
}

static int disk_sync_folder(void *handle, akidb_folder folder)
{
    BEGIN(disk);
    if (error_number == 0)
        error_number = sync_node(disk, folder.object);
    END(disk);
}

/* Adds a new file or folder. */
static int add_new(simulated_disk *disk, node *folder, const char *text, bool is_folder,
                   node **node_out)
{
    if (names_find(&folder->cached_names, text) != NULL)
        return EEXIST;
    if (strlen(text) >= NAME_SIZE)
        return ENAMETOOLONG;
    bool off = cut(disk);
    *node_out = node_new(disk, is_folder);
    change_names(folder, NULL, text, *node_out);
    return off ? EIO : 0;
}

static int disk_make_folder(void *handle, akidb_folder folder, const char *text)
{
    BEGIN(disk);
    node *n;
    if (error_number == 0)
        error_number = add_new(disk, folder.object, text, true, &n);
    END(disk);
}

/* Removes a name of the kind. */
static int remove_name(simulated_disk *disk, node *folder, const char *text, bool is_folder)
{
    const node *n = names_find(&folder->cached_names, text);
    if (n == NULL)
        return ENOENT;
    if (n->is_folder != is_folder)
        return is_folder ? ENOTDIR : EISDIR;
    if (is_folder && n->cached_names.count > 0)
        return ENOTEMPTY;
    bool off = cut(disk);
    change_names(folder, text, NULL, NULL);
    return off ? EIO : 0;
}

static int disk_remove_folder(void *handle, akidb_folder folder, const char *text)
{
    BEGIN(disk);
    if (error_number == 0)
        error_number = remove_name(disk, folder.object, text, true);
    END(disk);
}

static int disk_unlink(void *handle, akidb_folder folder, const char *text)
{
    BEGIN(disk);
    if (error_number == 0)
        error_number = remove_name(disk, folder.object, text, false);
    END(disk);
}

static int disk_list(void *handle, akidb_folder folder, akidb_name_visitor *visitor, void *context)
{
    BEGIN(disk);
    const names *all = &((node *)folder.object)->cached_names;
    for (size_t i = 0; error_number == 0 && i < all->count; i++)
        if (!visitor(context, all->all[i].text,
                     all->all[i].node->is_folder ? AKIDB_FILE_FOLDER : AKIDB_FILE_REGULAR))
            break;
    END(disk);
}

static void tell(const node *n, akidb_file_info *info_out)
{
    *info_out = (akidb_file_info){.kind = n->is_folder ? AKIDB_FILE_FOLDER : AKIDB_FILE_REGULAR,
                                  .size = n->cache.size};
}

static int disk_stat(void *handle, akidb_folder folder, const char *text, akidb_file_info *info_out)
{
    BEGIN(disk);
    const node *n = names_find(&((node *)folder.object)->cached_names, text);
    if (error_number == 0 && n == NULL)
        error_number = ENOENT;
    if (error_number == 0)
        tell(n, info_out);
    END(disk);
}

static int disk_rename(void *handle, akidb_folder folder, const char *from, const char *to)
{
    BEGIN(disk);
    node *parent = folder.object;
    node *n = names_find(&parent->cached_names, from);
    const node *old = names_find(&parent->cached_names, to);
    if (error_number == 0 && n == NULL)
        error_number = ENOENT;
    if (error_number == 0 && old != NULL && old->is_folder)
        error_number = EISDIR;
    if (error_number == 0) {
        error_number = cut(disk) ? EIO : 0;
        change_names(parent, from, to, n);
    }
    END(disk);
}

static int disk_link(void *handle, akidb_folder folder, const char *from, const char *to)
{
    BEGIN(disk);
    node *parent = folder.object;
    node *n = names_find(&parent->cached_names, from);
    if (error_number == 0 && n == NULL)
        error_number = ENOENT;
    if (error_number == 0 && names_find(&parent->cached_names, to) != NULL)
        error_number = EEXIST;
    if (error_number == 0) {
        error_number = cut(disk) ? EIO : 0;
        change_names(parent, NULL, to, n);
    }
    END(disk);
}

/* ---- files ----------------------------------------------------------------------------------- */

static int disk_open_file(void *handle, akidb_folder folder, const char *text, akidb_file_mode mode,
                          akidb_file *file_out)
{
    BEGIN(disk);
    node *n = names_find(&((node *)folder.object)->cached_names, text);
    if (error_number == 0 && mode == AKIDB_FILE_CREATE)
        error_number = add_new(disk, folder.object, text, false, &n);
    else if (error_number == 0 && n == NULL)
        error_number = ENOENT;
    else if (error_number == 0 && n->is_folder)
        error_number = EISDIR;
    if (error_number == 0) {
        opening *o = must(calloc(1, sizeof *o));
        o->node = n;
        file_out->object = o;
        disk->open_count++;
    }
    END(disk);
}

static node *node_of(akidb_file file)
{
    return ((opening *)file.object)->node;
}

static int disk_file_info(void *handle, akidb_file file, akidb_file_info *info_out)
{
    BEGIN(disk);
    tell(node_of(file), info_out);
    END(disk);
}

static int disk_read_at(void *handle, akidb_file file, uint64_t offset, void *dst, size_t size,
                        size_t *read_out)
{
    BEGIN(disk);
    const image *i = &node_of(file)->cache;
    uint64_t left = offset < i->size ? i->size - offset : 0;
    size_t part = size < left ? size : (size_t)left;
    if (part > 0)
        memcpy(dst, i->bytes + offset, part);
    *read_out = part;
    END(disk);
}

static uint64_t used_bytes(const simulated_disk *disk)
{
    uint64_t used = 0;
    for (const node *folder = disk->nodes; folder != NULL; folder = folder->next)
        for (size_t i = 0; i < folder->cached_names.count; i++)
            used += folder->cached_names.all[i].node->cache.size;
    return used;
}

static bool has_room(const simulated_disk *disk, const node *n, uint64_t size)
{
    return disk->room == UINT64_MAX || size <= n->cache.size ||
           used_bytes(disk) + (size - n->cache.size) <= disk->room;
}

static int disk_write_at(void *handle, akidb_file file, uint64_t offset, const akidb_slice *slices,
                         size_t count)
{
    BEGIN(disk);
    for (size_t i = 0; i < count && error_number == 0; i++) {
        if (!has_room(disk, node_of(file), offset + slices[i].size)) {
            error_number = ENOSPC;
            break;
        }
        error_number = cut(disk) ? EIO : 0;
        if (slices[i].size > 0)
            change_file(node_of(file), offset, slices[i].data, slices[i].size);
        offset += slices[i].size;
    }
    END(disk);
}

static int resize(simulated_disk *disk, node *n, uint64_t size)
{
    if (!has_room(disk, n, size))
        return ENOSPC;
    int error_number = cut(disk) ? EIO : 0;
    change_file(n, 0, NULL, size);
    return error_number;
}

static int disk_allocate(void *handle, akidb_file file, uint64_t size)
{
    BEGIN(disk);
    if (error_number == 0 && size > node_of(file)->cache.size)
        error_number = resize(disk, node_of(file), size);
    END(disk);
}

static int disk_truncate(void *handle, akidb_file file, uint64_t size)
{
    BEGIN(disk);
    if (error_number == 0)
        error_number = resize(disk, node_of(file), size);
    END(disk);
}

static int disk_sync_file(void *handle, akidb_file file)
{
    BEGIN(disk);
    if (error_number == 0)
        error_number = sync_node(disk, node_of(file));
    END(disk);
}

static int disk_lock(void *handle, akidb_file file)
{
    BEGIN(disk);
    opening *o = file.object;
    if (error_number == 0 && o->node->locked && !o->has_lock)
        error_number = EWOULDBLOCK;
    if (error_number == 0)
        o->node->locked = o->has_lock = true;
    END(disk);
}

static int disk_close_file(void *handle, akidb_file file)
{
    simulated_disk *disk = handle;
    pthread_mutex_lock(&disk->mutex);
    opening *o = file.object;
    if (o->has_lock)
        o->node->locked = false;
    free(o);
    disk->open_count--;
    pthread_mutex_unlock(&disk->mutex);
    return 0;
}

static const akidb_files_ops disk_ops = {
    .open_root = disk_open_root,
    .open_folder = disk_open_folder,
    .close_folder = disk_close_folder,
    .sync_folder = disk_sync_folder,
    .make_folder = disk_make_folder,
    .remove_folder = disk_remove_folder,
    .list = disk_list,
    .stat = disk_stat,
    .rename = disk_rename,
    .link = disk_link,
    .unlink = disk_unlink,
    .open_file = disk_open_file,
    .file_info = disk_file_info,
    .read_at = disk_read_at,
    .write_at = disk_write_at,
    .allocate = disk_allocate,
    .truncate = disk_truncate,
    .sync_file = disk_sync_file,
    .sync_data = disk_sync_file,
    .lock = disk_lock,
    .close_file = disk_close_file,
};

/* ---- the disk -------------------------------------------------------------------------------- */

simulated_disk *simulated_disk_new(void)
{
    simulated_disk *disk = calloc(1, sizeof *disk);
    if (disk == NULL)
        return NULL;
    pthread_mutex_init(&disk->mutex, NULL);
    disk->files = (akidb_files){&disk_ops, disk};
    disk->cut_at = disk->fail_sync = disk->room = UINT64_MAX;
    disk->root = node_new(disk, true);
    return disk;
}

void simulated_disk_free(simulated_disk *disk)
{
    if (disk == NULL)
        return;
    for (node *n = disk->nodes, *next; n != NULL; n = next) {
        next = n->next;
        forget_changes(n);
        free(n->cache.bytes);
        free(n->stable.bytes);
        free(n->cached_names.all);
        free(n->stable_names.all);
        free(n);
    }
    pthread_mutex_destroy(&disk->mutex);
    free(disk);
}

const akidb_files *simulated_disk_files(simulated_disk *disk)
{
    return &disk->files;
}

uint64_t simulated_disk_changes(const simulated_disk *disk)
{
    return disk->changes;
}

void simulated_disk_cut_at(simulated_disk *disk, uint64_t number)
{
    disk->changes = 0;
    disk->cut_at = number;
}

void simulated_disk_fail_sync(simulated_disk *disk, uint64_t sync)
{
    disk->syncs = 0;
    disk->fail_sync = sync;
}

void simulated_disk_set_room(simulated_disk *disk, uint64_t bytes)
{
    disk->room = bytes;
}

uint8_t *simulated_disk_bytes(simulated_disk *disk, const char *path, uint64_t *size_out)
{
    node *n;
    if (find_path(disk, path, &n) != 0 || n->is_folder)
        return NULL;
    image_copy(&n->stable, &n->cache);
    forget_changes(n);
    *size_out = n->cache.size;
    return n->cache.bytes;
}

bool simulated_disk_put(simulated_disk *disk, const char *path, const void *bytes, size_t size)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL || slash[1] == '\0')
        return false;
    char parent[1024];
    if ((size_t)(slash - path) >= sizeof parent)
        return false;
    memcpy(parent, path, (size_t)(slash - path));
    parent[slash - path] = '\0';
    node *folder;
    if (find_path(disk, parent, &folder) != 0)
        return false;
    node *n = names_find(&folder->cached_names, slash + 1);
    if (n == NULL) {
        n = node_new(disk, false);
        names_add(&folder->cached_names, slash + 1, n);
        names_add(&folder->stable_names, slash + 1, n);
    }
    image_resize(&n->cache, 0);
    image_write(&n->cache, 0, bytes, size);
    image_copy(&n->stable, &n->cache);
    forget_changes(n);
    return true;
}
