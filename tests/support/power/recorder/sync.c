/* Calls that make things durable. `sync_file_range` is none: it gives no such
 * promise (sync_file_range(2)). */
#define _GNU_SOURCE
#include "calls.h"
#include "trace.h"
#include "traced.h"
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* The error with which to sync the directory fails, by its number, or 0. */
static int directory_error(void) {
  const char *error = getenv("ZESTOR_POWER_DIRECTORY_ERROR");
  return error ? atoi(error) : 0;
}

static int sync_directory(int fd) {
  if (directory_error()) {
    errno = directory_error();
    return -1;
  }
  begin_step();
  int result = REAL(fsync)(fd);
  if (result == 0) trace(CALL_SYNC_DIRECTORY, 0, 0, "", "", 0);
  end_step();
  return result;
}

#define SYNC(fd, call)                                                         \
  if (is_traced_directory(fd)) return sync_directory(fd);                      \
  struct traced file;                                                          \
  if (!is_traced_file(fd, &file)) return call;                                 \
  begin_step();                                                                \
  int result = call;                                                           \
  if (result == 0) trace(CALL_SYNC, file.inode, 0, "", "", 0);                 \
  end_step();                                                                  \
  return result

int fsync(int fd) { SYNC(fd, REAL(fsync)(fd)); }

/* It also makes the size durable, without which the data cannot be read (fdatasync(2)). */
int fdatasync(int fd) { SYNC(fd, REAL(fdatasync)(fd)); }
