/* The trace: what a process did to the files of one directory, in order.
 *
 * The environment names both: ZESTOR_POWER_DIRECTORY and ZESTOR_POWER_TRACE.
 * A record is this header, then the name, then the data. `trace.ts` reads it. */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum trace_call {
  CALL_OPEN = 1,       /* `name` was opened to be created or emptied; `place` is 1 if emptied */
  CALL_WRITE,          /* `data` was written to `file` at `place` */
  CALL_RESIZE,         /* `file` became `place` bytes long */
  CALL_SYNC,           /* `file` was synced */
  CALL_SYNC_DIRECTORY, /* the directory was synced */
  CALL_RENAME,         /* `name` became `data` */
  CALL_LINK,           /* `name` got the second name `data` */
  CALL_UNLINK,         /* `name` was removed */
  CALL_PRINT,          /* `data` was written to standard output */
  CALL_UNKNOWN,        /* `name` is a call that the recorder cannot describe */
};

struct trace_header {
  uint32_t call;
  uint32_t name_length;
  uint64_t file; /* the inode */
  int64_t place;
  uint64_t data_length;
};

/* Appends a record. It leaves `errno` alone. */
void trace(enum trace_call call, uint64_t file, int64_t place, const char *name,
           const void *data, size_t data_length);
