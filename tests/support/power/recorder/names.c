/* Calls that make, change and remove names. */
#define _GNU_SOURCE
#include "calls.h"
#include "trace.h"
#include "traced.h"
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

pthread_mutex_t recorder_lock = PTHREAD_MUTEX_INITIALIZER;

static void opened(int fd, int flags) {
  struct traced file;
  if (fd < 0 || !is_traced_file(fd, &file)) return;
  if ((flags & O_TMPFILE) == O_TMPFILE) {
    trace(CALL_UNKNOWN, 0, 0, "open with O_TMPFILE", "", 0);
  } else if (flags & (O_CREAT | O_TRUNC)) {
    trace(CALL_OPEN, file.inode, (flags & O_TRUNC) != 0, file.name, "", 0);
  }
}

/* A file that is only opened to be read may be a FIFO, which waits. */
static int is_change(int flags) {
  return (flags & (O_CREAT | O_TRUNC)) || (flags & O_TMPFILE) == O_TMPFILE;
}

#define MODE_OF(flags)                                                         \
  ({                                                                           \
    mode_t mode = 0;                                                           \
    if (is_change(flags)) {                                                    \
      va_list rest;                                                            \
      va_start(rest, flags);                                                   \
      mode = va_arg(rest, mode_t);                                             \
      va_end(rest);                                                            \
    }                                                                          \
    mode;                                                                      \
  })

#define OPEN(flags, call)                                                      \
  if (!is_change(flags)) return call;                                          \
  begin_step();                                                                \
  int fd = call;                                                               \
  opened(fd, flags);                                                           \
  end_step();                                                                  \
  return fd

int open(const char *path, int flags, ...) {
  mode_t mode = MODE_OF(flags);
  OPEN(flags, REAL(open)(path, flags, mode));
}

int open64(const char *path, int flags, ...) {
  mode_t mode = MODE_OF(flags);
  OPEN(flags, REAL(open64)(path, flags, mode));
}

int openat(int directory, const char *path, int flags, ...) {
  mode_t mode = MODE_OF(flags);
  OPEN(flags, REAL(openat)(directory, path, flags, mode));
}

int openat64(int directory, const char *path, int flags, ...) {
  mode_t mode = MODE_OF(flags);
  OPEN(flags, REAL(openat64)(directory, path, flags, mode));
}

int creat(const char *path, mode_t mode) {
  return open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

int creat64(const char *path, mode_t mode) {
  return open64(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

/* Records a change of one name to, or beside, another. */
static void record_pair(enum trace_call call, int from_directory,
                        const char *from, int to_directory, const char *to) {
  struct traced old, new;
  int is_from = is_traced_path(from_directory, from, &old);
  int is_to = is_traced_path(to_directory, to, &new);
  if (is_from && is_to) {
    trace(call, 0, 0, old.name, new.name, strlen(new.name));
  } else if (is_from || is_to) {
    trace(CALL_UNKNOWN, 0, 0, "rename or link across directories", "", 0);
  }
}

#define PAIR(record, from_directory, from, to_directory, to, call)             \
  begin_step();                                                                \
  int result = call;                                                           \
  if (result == 0) record_pair(record, from_directory, from, to_directory, to); \
  end_step();                                                                  \
  return result

int rename(const char *from, const char *to) {
  PAIR(CALL_RENAME, AT_FDCWD, from, AT_FDCWD, to, REAL(rename)(from, to));
}

int renameat(int from_directory, const char *from, int to_directory,
             const char *to) {
  PAIR(CALL_RENAME, from_directory, from, to_directory, to,
       REAL(renameat)(from_directory, from, to_directory, to));
}

int renameat2(int from_directory, const char *from, int to_directory,
              const char *to, unsigned flags) {
  enum trace_call record = flags & ~RENAME_NOREPLACE ? CALL_UNKNOWN : CALL_RENAME;
  PAIR(record, from_directory, from, to_directory, to,
       REAL(renameat2)(from_directory, from, to_directory, to, flags));
}

int link(const char *from, const char *to) {
  PAIR(CALL_LINK, AT_FDCWD, from, AT_FDCWD, to, REAL(link)(from, to));
}

int linkat(int from_directory, const char *from, int to_directory,
           const char *to, int flags) {
  PAIR(CALL_LINK, from_directory, from, to_directory, to,
       REAL(linkat)(from_directory, from, to_directory, to, flags));
}

#define ONE(record, directory, path, call)                                     \
  begin_step();                                                                \
  struct traced traced;                                                        \
  int is_traced = is_traced_path(directory, path, &traced);                    \
  int result = call;                                                           \
  if (result == 0 && is_traced) trace(record, 0, 0, traced.name, "", 0);       \
  end_step();                                                                  \
  return result

int unlink(const char *path) {
  ONE(CALL_UNLINK, AT_FDCWD, path, REAL(unlink)(path));
}

int unlinkat(int directory, const char *path, int flags) {
  ONE(flags & AT_REMOVEDIR ? CALL_UNKNOWN : CALL_UNLINK, directory, path,
      REAL(unlinkat)(directory, path, flags));
}

int mkdir(const char *path, mode_t mode) {
  ONE(CALL_UNKNOWN, AT_FDCWD, path, REAL(mkdir)(path, mode));
}

int symlink(const char *target, const char *path) {
  ONE(CALL_UNKNOWN, AT_FDCWD, path, REAL(symlink)(target, path));
}
