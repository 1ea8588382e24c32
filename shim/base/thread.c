#include "base/thread.h"

__thread struct thread_state self;
bool thread_quiet;
