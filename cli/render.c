#include "render.h"

#include "cli.h"

#include <ctype.h>
#include <string.h>

/* ---- plain ----------------------------------------------------------------------------------- */

enum { WIDTH = 79, ITEM_INDENT = 2, TEXT_INDENT = 28 };

/* Sets words from column `column` on, wrapped, later lines indented; ends the line. Stops at an
 * empty line and returns what follows it, or at the end and returns NULL. */
static const char *wrap(FILE *file, const char *text, size_t column, size_t indent)
{
    bool first = true;
    for (;;) {
        const char *blank = strstr(text, "\n\n");
        size_t gap = strspn(text, " \n");
        if (gap > 0 && blank == text) {
            fputc('\n', file);
            return text + 2;
        }
        text += gap;
        size_t size = strcspn(text, " \n");
        if (size == 0)
            break;
        if (!first && column + 1 + size > WIDTH) {
            fprintf(file, "\n%*s", (int)indent, "");
            column = indent;
            first = true;
        }
        if (!first)
            fputc(' ', file);
        fprintf(file, "%.*s", (int)size, text);
        column += size + (first ? 0 : 1);
        first = false;
        text += size;
    }
    fputc('\n', file);
    return NULL;
}

static void plain_title(FILE *file, const char *name, const char *summary)
{
    fprintf(file, "%s: %s\n", name, summary);
}

static void plain_section(FILE *file, const char *title)
{
    fprintf(file, "\n%s:\n", title);
}

static void plain_usage(FILE *file, const char *line)
{
    fprintf(file, "Usage: %s\n\n", line);
}

static void plain_text(FILE *file, const char *text)
{
    while (text != NULL) {
        text = wrap(file, text, 0, 0);
        if (text != NULL)
            fputc('\n', file);
    }
}

static void plain_item(FILE *file, const char *term, const char *text)
{
    fprintf(file, "%*s%s", ITEM_INDENT, "", term);
    size_t column = ITEM_INDENT + strlen(term);
    if (column + 2 > TEXT_INDENT) {
        fputc('\n', file);
        column = 0;
    }
    fprintf(file, "%*s", (int)(TEXT_INDENT - column), "");
    wrap(file, text, TEXT_INDENT, TEXT_INDENT);
}

static void plain_items_end(FILE *file)
{
    (void)file;
}

static void plain_example(FILE *file, const char *what, const char *line)
{
    fprintf(file, "  %s:\n    %s\n", what, line);
}

const cli_renderer cli_plain = {plain_title, plain_section, plain_section,   plain_usage,
                                plain_text,  plain_item,    plain_items_end, plain_example};

/* ---- man ------------------------------------------------------------------------------------- */

/* A line must not begin with a control character, and hyphens are to be copied as such. */
static void man_words(FILE *file, const char *text, bool line_begins)
{
    for (; *text != '\0'; text++) {
        if (line_begins && (*text == '.' || *text == '\''))
            fputs("\\&", file);
        line_begins = *text == '\n';
        if (*text == '-')
            fputs("\\-", file);
        else if (*text == '\\')
            fputs("\\e", file);
        else
            fputc(*text, file);
    }
}

static void man_title(FILE *file, const char *name, const char *summary)
{
    fputs(".TH AKIDB 1 \"\" \"AkiDB " AKIDB_VERSION_STRING "\" \"AkiDB manual\"\n.SH NAME\n", file);
    man_words(file, name, true);
    fputs(" \\- ", file);
    man_words(file, summary, false);
    fputc('\n', file);
}

static void man_section(FILE *file, const char *title)
{
    fputs(".SH ", file);
    for (; *title != '\0'; title++)
        fputc(toupper((unsigned char)*title), file);
    fputc('\n', file);
}

static void man_subsection(FILE *file, const char *title)
{
    fputs(".SS \"", file);
    man_words(file, title, false);
    fputs("\"\n", file);
}

static void man_usage(FILE *file, const char *line)
{
    fputs(".nf\n.B ", file);
    man_words(file, line, false);
    fputs("\n.fi\n", file);
}

static void man_text(FILE *file, const char *text)
{
    for (;;) {
        const char *end = strstr(text, "\n\n");
        fputs(".PP\n", file);
        if (end == NULL) {
            man_words(file, text, true);
            fputc('\n', file);
            return;
        }
        for (bool begins = true; text < end; text++, begins = false) {
            char letter[2] = {*text, '\0'};
            man_words(file, letter, begins);
        }
        fputc('\n', file);
        text = end + 2;
    }
}

static void man_item(FILE *file, const char *term, const char *text)
{
    fputs(".TP\n.B ", file);
    man_words(file, term, false);
    fputc('\n', file);
    man_words(file, text, true);
    fputc('\n', file);
}

static void man_items_end(FILE *file)
{
    (void)file;
}

static void man_example(FILE *file, const char *what, const char *line)
{
    fputs(".PP\n", file);
    man_words(file, what, true);
    fputs(":\n.PP\n.RS 4\n.nf\n", file);
    man_words(file, line, true);
    fputs("\n.fi\n.RE\n", file);
}

const cli_renderer cli_man = {man_title, man_section, man_subsection, man_usage,
                              man_text,  man_item,    man_items_end,  man_example};

/* ---- Markdown -------------------------------------------------------------------------------- */

/* Characters with a meaning in Markdown that the texts use for themselves. */
static void markdown_words(FILE *file, const char *text)
{
    for (; *text != '\0'; text++) {
        if (strchr("*_<>|", *text) != NULL)
            fputc('\\', file);
        fputc(*text, file);
    }
}

static void markdown_title(FILE *file, const char *name, const char *summary)
{
    fprintf(file,
            "# %s: %s\n\n<!-- Made by `akidb help --markdown`; a test compares the two. -->\n\n",
            name, summary);
}

static void markdown_section(FILE *file, const char *title)
{
    fprintf(file, "## %s\n\n", title);
}

static void markdown_subsection(FILE *file, const char *title)
{
    fprintf(file, "### %s\n\n", title);
}

static void markdown_usage(FILE *file, const char *line)
{
    fprintf(file, "```\n%s\n```\n\n", line);
}

static void markdown_text(FILE *file, const char *text)
{
    markdown_words(file, text);
    fputs("\n\n", file);
}

static void markdown_item(FILE *file, const char *term, const char *text)
{
    fprintf(file, "- `%s`: ", term);
    markdown_words(file, text);
    fputc('\n', file);
}

static void markdown_items_end(FILE *file)
{
    fputc('\n', file);
}

static void markdown_example(FILE *file, const char *what, const char *line)
{
    markdown_words(file, what);
    fprintf(file, ":\n\n```sh\n%s\n```\n\n", line);
}

const cli_renderer cli_markdown = {markdown_title,     markdown_section, markdown_subsection,
                                   markdown_usage,     markdown_text,    markdown_item,
                                   markdown_items_end, markdown_example};
