/* What the recorder's own versions of the C library's calls have in common.
 *
 * A call on the directory and its record are one step: the trace is in the
 * order in which the system saw the calls, whichever thread made them. */
#pragma once
#include <dlfcn.h>
#include <pthread.h>

/* The C library's own version of a call. */
#define REAL(call)                                                             \
  ({                                                                           \
    static __typeof__(&call) found;                                            \
    if (!found) found = (__typeof__(&call))dlsym(RTLD_NEXT, #call);            \
    found;                                                                     \
  })

extern pthread_mutex_t recorder_lock;

static inline void begin_step(void) { pthread_mutex_lock(&recorder_lock); }
static inline void end_step(void) { pthread_mutex_unlock(&recorder_lock); }
