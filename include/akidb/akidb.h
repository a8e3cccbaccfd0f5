#ifndef AKIDB_H
#define AKIDB_H
/* Everything. Each header stands alone too: include the ones that you use. */
#include "akidb/base.h"
#include "akidb/batch.h"
#include "akidb/formats.h"
#include "akidb/mapped.h"
#include "akidb/parquet.h"
#include "akidb/s3.h"
#include "akidb/snapshot.h"
#include "akidb/storage.h"
#include "akidb/store.h"
#include "akidb/tiering.h"
#include "akidb/verify.h"
#include "akidb/wal.h"
#endif
