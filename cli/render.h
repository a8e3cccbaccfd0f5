#ifndef CLI_RENDER_H
#define CLI_RENDER_H
/*
 * Three ways to set the same texts: plain for --help, troff (man macros) for the manual page, and
 * Markdown for docs/cli.md. Texts are ASCII; a text's paragraphs are divided by empty lines.
 */
#include <stdio.h>

typedef struct cli_renderer {
    void (*title)(FILE *file, const char *name, const char *summary);
    void (*section)(FILE *file, const char *title);
    void (*subsection)(FILE *file, const char *title);
    void (*usage)(FILE *file, const char *line);
    void (*text)(FILE *file, const char *text);
    /* A term and what it means; items_end comes after the last. */
    void (*item)(FILE *file, const char *term, const char *text);
    void (*items_end)(FILE *file);
    void (*example)(FILE *file, const char *what, const char *line);
} cli_renderer;

extern const cli_renderer cli_plain, cli_man, cli_markdown;

#endif
