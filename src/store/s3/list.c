/* ListObjectsV2, page by page. A page is read whole before its entries are told, so that the
 * visitor may call the store. */
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/utf8.h"
#include "store/keys.h"
#include "store/s3/objects.h"

enum { PAGE_BYTES_MAX = 16 << 20, EMPTY_PAGES_MAX = 10000 };

typedef struct page_entry {
    size_t key; /* offset in page.texts: entries are kept while the texts move */
    bool is_prefix;
    akidb_object_info info;
} page_entry;

typedef struct page {
    akidb_buffer texts;
    page_entry *entries;
    size_t count, capacity;
    page_entry next; /* the element that is being read */
    bool has_key;
    bool url_encoded;
    bool truncated;
    akidb_buffer token;
} page;

static void page_free(page *p)
{
    akidb_buffer_free(&p->texts);
    akidb_buffer_free(&p->token);
    free(p->entries);
}

static akidb_status keep_text(page *p, const char *text, akidb_error *err)
{
    p->next.key = p->texts.size;
    p->has_key = true;
    return ak_buffer_append(&p->texts, text, strlen(text) + 1, err);
}

static akidb_status keep_entry(page *p, bool is_prefix, akidb_error *err)
{
    void *entries = p->entries;
    akidb_status status = AKIDB_OK;
    if (p->has_key) {
        status = ak_array_reserve(&entries, &p->capacity, p->count + 1, sizeof *p->entries, err);
        p->entries = entries;
    }
    if (status == AKIDB_OK && p->has_key) {
        p->next.is_prefix = is_prefix;
        p->entries[p->count++] = p->next;
    }
    p->next = (page_entry){0};
    p->has_key = false;
    return status;
}

static akidb_status read_element(void *context, const char *name, const char *text,
                                 akidb_error *err)
{
    page *p = context;
    if (strcmp(name, "Contents/Key") == 0 || strcmp(name, "CommonPrefixes/Prefix") == 0)
        return keep_text(p, text, err);
    if (strcmp(name, "Contents/Size") == 0) {
        if (!ak_s3_read_number(text, &p->next.info.size))
            return ak_fail(err, AKIDB_E_STORE, "the server's list has an object of \"%.40s\" bytes",
                           text);
    } else if (strcmp(name, "Contents/LastModified") == 0)
        return akidb_time_parse(text, &p->next.info.modified_at, err);
    else if (strcmp(name, "Contents") == 0)
        return keep_entry(p, false, err);
    else if (strcmp(name, "CommonPrefixes") == 0)
        return keep_entry(p, true, err);
    else if (strcmp(name, "EncodingType") == 0)
        p->url_encoded = strcmp(text, "url") == 0;
    else if (strcmp(name, "IsTruncated") == 0)
        p->truncated = strcmp(text, "true") == 0;
    else if (strcmp(name, "NextContinuationToken") == 0) {
        p->token.size = 0;
        return ak_buffer_append(&p->token, text, strlen(text) + 1, err);
    }
    return AKIDB_OK;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

/* In place; "+" is a space in S3's encoding of keys. A NUL would end the key, and make it
 * another's: it becomes U+0001, which is in no key of ours either. */
static void decode_key(char *text)
{
    char *to = text;
    for (; *text != '\0'; text++) {
        int high = *text == '%' ? hex_digit(text[1]) : -1;
        int low = high >= 0 ? hex_digit(text[2]) : -1;
        if (high >= 0 && low >= 0) {
            int byte = high * 16 + low;
            *to++ = (char)(byte == 0 ? 1 : byte);
            text += 2;
        } else {
            *to++ = *text == '+' ? ' ' : *text;
        }
    }
    *to = '\0';
}

typedef struct sortable {
    const char *key;
    const page_entry *entry;
} sortable;

static int compare_keys(const void *a, const void *b)
{
    return strcmp(((const sortable *)a)->key, ((const sortable *)b)->key);
}

/* Whether an entry is one that the caller asked for. What no key can be, such as the "folder/" that
 * consoles make, is not ours to tell. */
static bool is_wanted(const char *key, bool is_prefix, const char *prefix)
{
    char text[AKIDB_KEY_MAX + 1];
    size_t size = strlen(key);
    if (strncmp(key, prefix, strlen(prefix)) != 0 || size >= sizeof text)
        return false;
    memcpy(text, key, size + 1);
    if (is_prefix && (size == 0 || text[size - 1] != '/'))
        return false;
    if (is_prefix)
        text[size - 1] = '\0';
    return ak_key_check(text, NULL) == AKIDB_OK;
}

/* What came before a page. */
typedef struct progress {
    akidb_buffer last; /* its last key or prefix, with a NUL; empty: none */
    unsigned empty_pages;
} progress;

/* A list that begins anew, or whose pages stay empty, would have no end. *first_out is where the
 * new entries begin: some servers tell a prefix once more. */
static akidb_status check_progress(progress *done, const sortable *sorted, size_t count,
                                   size_t *first_out, akidb_error *err)
{
    *first_out = 0;
    if (count == 0 && ++done->empty_pages > EMPTY_PAGES_MAX)
        return ak_fail(err, AKIDB_E_STORE, "the server's list has more than %d empty pages",
                       EMPTY_PAGES_MAX);
    if (count == 0)
        return AKIDB_OK;
    int order = done->last.size > 0 ? strcmp(sorted[0].key, (const char *)done->last.data) : 1;
    if (order < 0)
        return ak_fail(err, AKIDB_E_STORE,
                       "the server's list is not in order: \"%.100s\" comes after \"%.100s\"",
                       sorted[0].key, (const char *)done->last.data);
    *first_out = order == 0 ? 1 : 0;
    const char *last = sorted[count - 1].key;
    done->last.size = 0;
    return ak_buffer_append(&done->last, last, strlen(last) + 1, err);
}

/* Tells a page in byte order: keys and prefixes come in two sorted runs, and this merges them. */
static akidb_status tell_page(const ak_s3_client *client, page *p, const char *prefix,
                              progress *done, akidb_list_visitor *visitor, void *context,
                              bool *stop_out, akidb_error *err)
{
    size_t skip = strlen(client->prefix), first;
    sortable *sorted = malloc((p->count + 1) * sizeof *sorted);
    if (sorted == NULL)
        return ak_fail_memory(err, (p->count + 1) * sizeof *sorted);
    for (size_t i = 0; i < p->count; i++) {
        char *key = (char *)p->texts.data + p->entries[i].key;
        if (p->url_encoded)
            decode_key(key);
        sorted[i] = (sortable){key, &p->entries[i]};
    }
    qsort(sorted, p->count, sizeof *sorted, compare_keys);
    akidb_status status = check_progress(done, sorted, p->count, &first, err);
    for (size_t i = first; status == AKIDB_OK && i < p->count && !*stop_out; i++) {
        if (strncmp(sorted[i].key, client->prefix, skip) != 0 ||
            !is_wanted(sorted[i].key + skip, sorted[i].entry->is_prefix, prefix))
            continue;
        const akidb_list_entry entry = {.key = sorted[i].key + skip,
                                        .is_prefix = sorted[i].entry->is_prefix,
                                        .info = sorted[i].entry->info};
        *stop_out = visitor(context, &entry) == AKIDB_VISIT_STOP;
    }
    free(sorted);
    return status;
}

static akidb_status fetch_page(ak_s3_client *client, const char *full_prefix, char delimiter,
                               const char *token, page *p, akidb_error *err)
{
    ak_s3_request request = {.method = "GET",
                             .action = "s3:ListBucket",
                             .error_in_200 = true,
                             .max_body_bytes = PAGE_BYTES_MAX};
    ak_s3_add_parameter(&request, "list-type", "2");
    ak_s3_add_parameter(&request, "encoding-type", "url");
    ak_s3_add_parameter(&request, "prefix", full_prefix);
    if (delimiter != '\0')
        ak_s3_add_parameter(&request, "delimiter", "/");
    if (token != NULL)
        ak_s3_add_parameter(&request, "continuation-token", token);
    akidb_status status =
        ak_s3_send_for_xml(client, &request, "ListBucketResult", read_element, p, err);
    if (status == AKIDB_OK && p->truncated && p->token.size <= 1)
        status =
            ak_fail(err, AKIDB_E_STORE, "the server says that the list goes on, but not where");
    return status;
}

/* Whether some key may begin with this. */
static bool begins_a_key(const char *prefix, size_t size)
{
    char text[AKIDB_KEY_MAX + 2];
    if (size > AKIDB_KEY_MAX)
        return false;
    memcpy(text, prefix, size);
    text[size] = '\0';
    if (ak_key_check(text, NULL) == AKIDB_OK)
        return true;
    text[size] = 'x';
    text[size + 1] = '\0';
    return ak_key_check(text, NULL) == AKIDB_OK;
}

/* All pages of the entries that begin with full_prefix; those that begin with `prefix` are told. */
static akidb_status list_pages(ak_s3_client *client, const char *full_prefix, const char *prefix,
                               char delimiter, akidb_list_visitor *visitor, void *context,
                               akidb_error *err)
{
    akidb_buffer token = {0};
    progress done = {.empty_pages = 0};
    akidb_status status = AKIDB_OK;
    bool stop = false, more = true;
    while (status == AKIDB_OK && more && !stop) {
        page p = {.count = 0};
        const char *from = token.size > 1 ? (const char *)token.data : NULL;
        status = fetch_page(client, full_prefix, delimiter, from, &p, err);
        if (status == AKIDB_OK)
            status = tell_page(client, &p, prefix, &done, visitor, context, &stop, err);
        more = p.truncated;
        if (status == AKIDB_OK && more && from != NULL &&
            strcmp(from, (const char *)p.token.data) == 0)
            status = ak_fail(err, AKIDB_E_STORE, "the server's list goes on where it went on");
        akidb_buffer_free(&token);
        token = p.token;
        p.token = (akidb_buffer){0};
        page_free(&p);
    }
    akidb_buffer_free(&done.last);
    akidb_buffer_free(&token);
    return status;
}

akidb_status ak_s3_list(void *handle, const char *prefix, char delimiter,
                        akidb_list_visitor *visitor, void *context, akidb_error *err)
{
    ak_s3_client *client = handle;
    /* A prefix may end within a character; what is sent may not. */
    size_t size = ak_utf8_valid_prefix(prefix, strlen(prefix));
    if (prefix[size] != '\0' && strchr(prefix + size, '/') != NULL)
        return AKIDB_OK;
    if (!begins_a_key(prefix, size))
        return AKIDB_OK;
    akidb_buffer full = {0};
    akidb_status status = ak_buffer_printf(&full, err, "%s%.*s", client->prefix, (int)size, prefix);
    if (status == AKIDB_OK)
        status =
            list_pages(client, (const char *)full.data, prefix, delimiter, visitor, context, err);
    akidb_buffer_free(&full);
    return status;
}
