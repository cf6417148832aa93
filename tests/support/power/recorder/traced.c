#define _GNU_SOURCE
#include "traced.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *directory(void) {
  static const char *path;
  if (!path) path = getenv("ZESTOR_POWER_DIRECTORY");
  return path ? path : "";
}

/* Sets `name` to the rest of a path that begins with the directory. */
static bool split(const char *path, char *name) {
  size_t length = strlen(directory());
  if (length == 0 || strncmp(path, directory(), length) != 0) return false;
  if (path[length] != '/') return false;
  snprintf(name, PATH_MAX, "%s", path + length + 1);
  return true;
}

/* Where a descriptor leads, as the system tells it. To open the file again and
 * close it would drop the locks of the process on it. */
static bool path_of(int fd, char *path) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, PATH_MAX - 1);
  if (length < 0) return false;
  path[length] = 0;
  return true;
}

static bool find_path(int directory_fd, const char *path, char *name) {
  char full[2 * PATH_MAX], base[PATH_MAX] = "", parent[PATH_MAX];
  char found_path[2 * PATH_MAX];
  if (path[0] != '/') {
    bool has_base = directory_fd == AT_FDCWD ? getcwd(base, PATH_MAX) != NULL
                                             : path_of(directory_fd, base);
    if (!has_base) return false;
  }
  snprintf(full, sizeof full, "%s/%s", base, path);
  char *last = strrchr(full, '/');
  *last = 0;
  if (!realpath(full[0] ? full : "/", parent)) return false;
  snprintf(found_path, sizeof found_path, "%s/%s", parent, last + 1);
  return split(found_path, name);
}

bool is_traced_path(int directory_fd, const char *path, struct traced *traced) {
  int before = errno;
  bool found = path && find_path(directory_fd, path, traced->name);
  errno = before;
  return found;
}

bool is_traced_file(int fd, struct traced *traced) {
  int before = errno;
  struct stat found;
  char path[PATH_MAX];
  bool is_traced = fstat(fd, &found) == 0 && S_ISREG(found.st_mode) &&
                   path_of(fd, path) && split(path, traced->name);
  if (is_traced) traced->inode = found.st_ino;
  errno = before;
  return is_traced;
}

bool is_traced_directory(int fd) {
  int before = errno;
  char path[PATH_MAX];
  bool is_traced = path_of(fd, path) && strcmp(path, directory()) == 0;
  errno = before;
  return is_traced;
}

bool is_output(int fd) {
  int before = errno;
  struct stat output, found;
  bool is = fstat(STDOUT_FILENO, &output) == 0 && fstat(fd, &found) == 0 &&
            found.st_dev == output.st_dev && found.st_ino == output.st_ino;
  errno = before;
  return is;
}
