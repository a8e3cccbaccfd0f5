#ifndef CLI_LIST_H
#define CLI_LIST_H
#include "cli.h"

/* Prints a list of snapshots. Returns the exit code: of damaged ones the worst. */
int cli_tell_snapshots(cli *session, const akidb_snapshot_list *list);

#endif
