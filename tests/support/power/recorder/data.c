/* Calls that change what is in a file. */
#define _GNU_SOURCE
#include "calls.h"
#include "trace.h"
#include "traced.h"
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* Where the next `write` goes. */
static int64_t position(int fd) {
  if ((fcntl(fd, F_GETFL) & O_APPEND) == 0) return lseek64(fd, 0, SEEK_CUR);
  struct stat found;
  return fstat(fd, &found) == 0 ? found.st_size : -1;
}

static void record_parts(const struct traced *file, int64_t at,
                         const struct iovec *parts, ssize_t left) {
  for (; left > 0; parts++) {
    size_t length = parts->iov_len < (size_t)left ? parts->iov_len : (size_t)left;
    trace(CALL_WRITE, file->inode, at, "", parts->iov_base, length);
    at += (int64_t)length;
    left -= (ssize_t)length;
  }
}

/* `at` is found out before the call, which moves it. */
#define WRITE(fd, at, parts, call)                                             \
  struct traced file;                                                          \
  if (!is_traced_file(fd, &file)) return call;                                 \
  begin_step();                                                                \
  int64_t place = at;                                                          \
  ssize_t written = call;                                                      \
  record_parts(&file, place, parts, written);                                  \
  end_step();                                                                  \
  return written

static ssize_t print(int fd, const void *bytes, size_t length) {
  begin_step();
  ssize_t written = REAL(write)(fd, bytes, length);
  if (written > 0) trace(CALL_PRINT, 0, 0, "", bytes, (size_t)written);
  end_step();
  return written;
}

ssize_t write(int fd, const void *bytes, size_t length) {
  if (is_output(fd)) return print(fd, bytes, length);
  struct iovec part = {(void *)bytes, length};
  WRITE(fd, position(fd), &part, REAL(write)(fd, bytes, length));
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) {
  struct iovec part = {(void *)bytes, length};
  WRITE(fd, at, &part, REAL(pwrite)(fd, bytes, length, at));
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at) {
  struct iovec part = {(void *)bytes, length};
  WRITE(fd, at, &part, REAL(pwrite64)(fd, bytes, length, at));
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
  WRITE(fd, position(fd), parts, REAL(writev)(fd, parts, count));
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) {
  WRITE(fd, at, parts, REAL(pwritev)(fd, parts, count, at));
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at) {
  WRITE(fd, at, parts, REAL(pwritev64)(fd, parts, count, at));
}

/* Records how long a file is after a call. */
static void record_size(int fd, const struct traced *file) {
  struct stat found;
  if (fstat(fd, &found) != 0) return;
  trace(CALL_RESIZE, file->inode, found.st_size, "", "", 0);
}

#define RESIZE(fd, call)                                                       \
  struct traced file;                                                          \
  if (!is_traced_file(fd, &file)) return call;                                 \
  begin_step();                                                                \
  int result = call;                                                           \
  if (result == 0) record_size(fd, &file);                                     \
  end_step();                                                                  \
  return result

int ftruncate(int fd, off_t size) { RESIZE(fd, REAL(ftruncate)(fd, size)); }

int ftruncate64(int fd, off64_t size) { RESIZE(fd, REAL(ftruncate64)(fd, size)); }

int posix_fallocate(int fd, off_t at, off_t length) {
  RESIZE(fd, REAL(posix_fallocate)(fd, at, length));
}

int posix_fallocate64(int fd, off64_t at, off64_t length) {
  RESIZE(fd, REAL(posix_fallocate64)(fd, at, length));
}

/* Calls that nothing here makes. A trace that has one is refused, so that
 * whoever begins to make it describes it first. */

static void record_unknown(int fd, const char *call) {
  struct traced file;
  if (is_traced_file(fd, &file)) trace(CALL_UNKNOWN, 0, 0, call, "", 0);
}

int truncate(const char *path, off_t size) {
  struct traced file;
  if (is_traced_path(AT_FDCWD, path, &file)) {
    trace(CALL_UNKNOWN, 0, 0, "truncate", "", 0);
  }
  return REAL(truncate)(path, size);
}

int fallocate(int fd, int mode, off_t at, off_t length) {
  record_unknown(fd, "fallocate");
  return REAL(fallocate)(fd, mode, at, length);
}

int fallocate64(int fd, int mode, off64_t at, off64_t length) {
  record_unknown(fd, "fallocate");
  return REAL(fallocate64)(fd, mode, at, length);
}

ssize_t copy_file_range(int from, off64_t *from_at, int to, off64_t *to_at,
                        size_t length, unsigned flags) {
  record_unknown(to, "copy_file_range");
  return REAL(copy_file_range)(from, from_at, to, to_at, length, flags);
}

ssize_t sendfile(int to, int from, off_t *at, size_t length) {
  record_unknown(to, "sendfile");
  return REAL(sendfile)(to, from, at, length);
}

ssize_t sendfile64(int to, int from, off64_t *at, size_t length) {
  record_unknown(to, "sendfile");
  return REAL(sendfile64)(to, from, at, length);
}

/* SQLite writes through memory to its -shm alone, which it makes anew. */
static void record_mapping(int protection, int flags, int fd) {
  struct traced file;
  int is_written = (flags & MAP_SHARED) && (protection & PROT_WRITE);
  if (!is_written || !is_traced_file(fd, &file)) return;
  size_t length = strlen(file.name);
  if (length > 4 && strcmp(file.name + length - 4, "-shm") == 0) return;
  trace(CALL_UNKNOWN, 0, 0, "mmap", "", 0);
}

void *mmap(void *at, size_t length, int protection, int flags, int fd,
           off_t offset) {
  record_mapping(protection, flags, fd);
  return REAL(mmap)(at, length, protection, flags, fd, offset);
}

void *mmap64(void *at, size_t length, int protection, int flags, int fd,
             off64_t offset) {
  record_mapping(protection, flags, fd);
  return REAL(mmap64)(at, length, protection, flags, fd, offset);
}
