#include "store/s3/xml.h"

#include <expat.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"

/* Texts of the open elements lie one after the other in `text`; starts[d] is where that of depth d
 * begins. Text after a child has ended is not expected in S3's answers, and joins its parent's. */
typedef struct reader {
    XML_Parser parser;
    ak_xml_visitor *visitor;
    void *context;
    const char *what;
    akidb_status status;
    akidb_error *err;
    char path[AK_XML_PATH_MAX];
    size_t path_sizes[AK_XML_DEPTH_MAX + 1]; /* of path at each depth */
    size_t starts[AK_XML_DEPTH_MAX + 1];
    size_t depth;
    akidb_buffer text;
} reader;

static void stop(reader *r, akidb_status status)
{
    r->status = status;
    XML_StopParser(r->parser, XML_FALSE);
}

static void refuse(reader *r, const char *problem)
{
    if (r->status == AKIDB_OK)
        stop(r, ak_fail(r->err, AKIDB_E_STORE, "%s: the server's XML %s", r->what, problem));
}

static void on_start(void *context, const XML_Char *name, const XML_Char **attributes)
{
    (void)attributes;
    reader *r = context;
    const char *colon = strrchr(name, ':');
    if (colon != NULL && colon[1] != '\0')
        name = colon + 1;
    size_t name_size = strlen(name);
    size_t path_size = r->path_sizes[r->depth];
    size_t slash = r->depth > 0 ? 1 : 0;
    if (r->depth == AK_XML_DEPTH_MAX || path_size + slash + name_size >= sizeof r->path) {
        refuse(r, "is nested too deeply");
        return;
    }
    if (slash != 0)
        r->path[path_size] = '/';
    memcpy(r->path + path_size + slash, name, name_size + 1);
    r->depth++;
    r->path_sizes[r->depth] = path_size + slash + name_size;
    r->starts[r->depth] = r->text.size;
}

static void on_text(void *context, const XML_Char *text, int size)
{
    reader *r = context;
    if (r->text.size - r->starts[r->depth] + (size_t)size > AK_XML_TEXT_MAX) {
        refuse(r, "has a text that is too long");
        return;
    }
    akidb_status status = ak_buffer_append(&r->text, text, (size_t)size, r->err);
    if (status != AKIDB_OK)
        stop(r, status);
}

static void on_end(void *context, const XML_Char *name)
{
    (void)name;
    reader *r = context;
    if (r->status != AKIDB_OK)
        return;
    akidb_status status = ak_buffer_put(&r->text, '\0', r->err);
    if (status == AKIDB_OK)
        status = r->visitor(r->context, r->path, (const char *)r->text.data + r->starts[r->depth],
                            r->err);
    r->text.size = r->starts[r->depth];
    r->depth--;
    r->path[r->path_sizes[r->depth]] = '\0';
    if (status != AKIDB_OK)
        stop(r, status);
}

static void on_doctype(void *context, const XML_Char *name, const XML_Char *system,
                       const XML_Char *public_id, int has_internal_subset)
{
    (void)name, (void)system, (void)public_id, (void)has_internal_subset;
    refuse(context, "declares a document type");
}

akidb_status ak_xml_read(akidb_slice xml, const char *what, ak_xml_visitor *visitor, void *context,
                         akidb_error *err)
{
    reader r = {.visitor = visitor, .context = context, .what = what, .err = err};
    r.parser = XML_ParserCreate("UTF-8");
    if (r.parser == NULL)
        return ak_fail_memory(err, 0);
    XML_SetUserData(r.parser, &r);
    XML_SetElementHandler(r.parser, on_start, on_end);
    XML_SetCharacterDataHandler(r.parser, on_text);
    XML_SetStartDoctypeDeclHandler(r.parser, on_doctype);
    const char *at = xml.data;
    size_t left = xml.size;
    enum { PIECE = 1 << 20 }; /* expat counts in int */
    do {
        int piece = left > PIECE ? PIECE : (int)left;
        bool last = (size_t)piece == left;
        if (XML_Parse(r.parser, at, piece, last) == XML_STATUS_ERROR) {
            if (r.status == AKIDB_OK)
                r.status = ak_fail(err, AKIDB_E_STORE,
                                   "%s: the server's XML is not well-formed: %s at byte %lld", what,
                                   XML_ErrorString(XML_GetErrorCode(r.parser)),
                                   (long long)XML_GetCurrentByteIndex(r.parser));
            break;
        }
        at += piece;
        left -= (size_t)piece;
    } while (left > 0);
    XML_ParserFree(r.parser);
    akidb_buffer_free(&r.text);
    return r.status;
}

akidb_status ak_xml_append_text(akidb_buffer *buffer, const char *text, akidb_error *err)
{
    akidb_status status = AKIDB_OK;
    for (; *text != '\0' && status == AKIDB_OK; text++) {
        switch (*text) {
        case '&': status = ak_buffer_append(buffer, "&amp;", 5, err); break;
        case '<': status = ak_buffer_append(buffer, "&lt;", 4, err); break;
        case '>': status = ak_buffer_append(buffer, "&gt;", 4, err); break;
        case '"': status = ak_buffer_append(buffer, "&quot;", 6, err); break;
        case '\r': status = ak_buffer_append(buffer, "&#13;", 5, err); break;
        default: status = ak_buffer_put(buffer, (uint8_t)*text, err); break;
        }
    }
    return status;
}
