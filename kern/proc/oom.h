/* kern/proc/oom.h - when memory is out, a process is ended so that the others can go on. */
#pragma once
#include "lib/compiler.h"

/* Memory for programs was refused. If it is short, see that somebody ends (a process killed now, or one that
 * is on its way already) and wait a moment for what that frees. True: worth another try; false: there is
 * nobody left to end, or the caller itself is to end. Process context; may sleep, so mutexes only may be
 * held. */
bool oom_relieve(void);
/* Whether a call that ended in err should be made once more, now that somebody was ended. */
bool oom_try_again(int64_t err);
