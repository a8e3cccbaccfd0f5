#ifndef AK_JSON_SCAN_H
#define AK_JSON_SCAN_H
/*
 * Large JSON as a stream of raw pieces: the elements of one array, or the lines of a file, and the
 * members of an object. Only strings and nesting are followed to find where a piece ends; what is
 * in it is for the caller to check, so that each byte is looked at closely just once, by the
 * function that knows what it should be. Pieces are raw text, byte for byte. A byte order mark
 * before the first line of a file is passed; before an array it is refused.
 */
#include "akidb/base.h"

static inline bool ak_json_is_space(uint8_t c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* ---- elements of a stream -------------------------------------------------------------------- */

typedef enum ak_json_found {
    AK_JSON_FOUND_ELEMENT,
    AK_JSON_FOUND_NOTHING, /* no further whole element: feed more */
    AK_JSON_FOUND_END      /* the stream has ended as it should */
} ak_json_found;

typedef struct ak_json_scan {
    bool lines;         /* each line that is not blank is an element; otherwise one array */
    size_t limit;       /* in bytes, of an element: AKIDB_E_LIMIT */
    akidb_buffer bytes; /* fed and not given out; the rest belongs to scan.c */
    uint64_t offset;    /* in the stream, of the first of them */
    size_t at;          /* up to where they were looked at */
    size_t element;     /* where the element begins that was begun */
    size_t depth;       /* of nesting within it */
    bool in_string;
    bool finished;
    uint64_t line;       /* of a file: where the element begins that was found last, from 1 */
    uint64_t line_begin; /* its first byte, in the stream */
    int state;
} ak_json_scan;

void ak_json_scan_begin(ak_json_scan *scan, bool lines, size_t limit);
void ak_json_scan_end(ak_json_scan *scan);

/* Copies bytes to the end of what is held. */
AKIDB_CHECK akidb_status ak_json_scan_feed(ak_json_scan *scan, akidb_slice bytes, akidb_error *err);

/* No more bytes will come. */
void ak_json_scan_finish(ak_json_scan *scan);

/* Finds the next element, without white space around it, and its offset in the stream. It is
 * borrowed until the next feed. AKIDB_E_VALIDATION with the offset when the stream is no array. */
AKIDB_CHECK akidb_status ak_json_scan_next(ak_json_scan *scan, ak_json_found *found_out,
                                           akidb_slice *element_out, uint64_t *offset_out,
                                           akidb_error *err);

/* Makes the next call find the element again that the last one found. */
void ak_json_scan_put_back(ak_json_scan *scan);

/* ---- members of an object -------------------------------------------------------------------- */

typedef struct ak_json_members {
    const uint8_t *begin;
    const uint8_t *at;
    const uint8_t *end;
    bool any; /* a member was found already */
} ak_json_members;

/* `object` must outlive the walk. AKIDB_E_VALIDATION when it does not begin as an object. */
AKIDB_CHECK akidb_status ak_json_members_begin(ak_json_members *members, akidb_slice object,
                                               akidb_error *err);

/* The next member: its name with its quotes, and its value without white space around it, both raw
 * and not checked. *found_out is false after the last, when nothing but white space follows.
 * Offsets in errors count from the beginning of the object. */
AKIDB_CHECK akidb_status ak_json_members_next(ak_json_members *members, akidb_slice *name_out,
                                              akidb_slice *value_out, bool *found_out,
                                              akidb_error *err);

#endif
