/* Which files and names the trace is about. */
#pragma once
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

/* A file of the directory, or a name in it. */
struct traced {
  uint64_t inode;
  char name[PATH_MAX];
};

/* Whether a path, relative to a directory as for `openat`, names something in the directory; sets `name`. */
bool is_traced_path(int directory_fd, const char *path, struct traced *traced);

/* Whether a descriptor is of a file in the directory; sets both fields. */
bool is_traced_file(int fd, struct traced *traced);

/* Whether a descriptor is of the directory itself. */
bool is_traced_directory(int fd);

/* Whether a descriptor is of standard output, whatever its number. */
bool is_output(int fd);
