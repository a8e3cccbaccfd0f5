#ifndef CLI_AHEAD_H
#define CLI_AHEAD_H
/*
 * Reads files of documents in a thread of its own, one batch ahead of whoever takes them: parsing
 * and encoding overlap, and an interrupt is heard also while a pipe has nothing to say.
 *
 * One thread calls all functions. Two batches are in memory at most.
 */
#include "cli.h"

typedef struct cli_ahead cli_ahead;

typedef struct cli_sources {
    const char *const *paths;
    size_t count;
    akidb_import_options options; /* for each of them */
    akidb_hooks hooks;            /* what the options point to */
    const cli_list *ids;          /* files of external ids: one for each path, or an empty list */
    size_t batch_rows; /* aim for so many documents at a time; fewer when they are large */
} cli_sources;

/* Begins to read. The sources must outlive the reading. */
akidb_status cli_ahead_open(const cli_sources *sources, cli_ahead **ahead_out, akidb_error *err);

/* The next documents, valid until the next call; NULL after the last. AKIDB_E_CANCELLED when the
 * program was interrupted. Files of another dimension than the first are AKIDB_E_VALIDATION. */
akidb_status cli_ahead_next(cli_ahead *ahead, const akidb_documents **documents_out,
                            akidb_error *err);

/* The dimension of the first file that says one; 0 while none has. Correct once next has given
 * documents or the end. */
uint32_t cli_ahead_dimension(cli_ahead *ahead);

/* The path of the file that row `row` of all files together came from, and its row there; NULL when
 * it came from none. For rows that next has given. */
const char *cli_ahead_source_of(cli_ahead *ahead, uint64_t row, uint64_t *row_in_source_out);

/* Stops reading. A thread that waits for a pipe is left to the end of the program. */
void cli_ahead_close(cli_ahead *ahead);

/* Opens one file, with the external ids that belong to it. */
akidb_status cli_source_open(const cli_sources *sources, size_t index, akidb_import **import_out,
                             akidb_error *err);

/* Whether the dimension goes with the earlier one, which becomes it when it was 0. */
akidb_status cli_source_check_dimension(const cli_sources *sources, size_t index,
                                        uint32_t dimension, uint32_t *earlier, akidb_error *err);

#endif
