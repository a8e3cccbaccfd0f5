#ifndef AK_STORE_S3_XML_H
#define AK_STORE_S3_XML_H
/* The XML of S3's answers, read with expat. The server is not trusted: a document type declaration,
 * and with it every entity of its own, deep nesting and over-long texts are refused. */
#include "akidb/base.h"

enum { AK_XML_DEPTH_MAX = 16, AK_XML_PATH_MAX = 256, AK_XML_TEXT_MAX = 16 << 10 };

/* Called at the end of each element, with its path from the root without namespaces
 * ("ListBucketResult/Contents/Key") and the text directly in it. Anything but AKIDB_OK ends the
 * parsing with that status. */
typedef akidb_status ak_xml_visitor(void *context, const char *path, const char *text,
                                    akidb_error *err);

/* AKIDB_E_STORE when the text is not well-formed or breaks a limit. `what` names the answer. */
AKIDB_CHECK akidb_status ak_xml_read(akidb_slice xml, const char *what, ak_xml_visitor *visitor,
                                     void *context, akidb_error *err);

/* Appends text with &, <, > and quotes escaped. */
AKIDB_CHECK akidb_status ak_xml_append_text(akidb_buffer *buffer, const char *text,
                                            akidb_error *err);

#endif
