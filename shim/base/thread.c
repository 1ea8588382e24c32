#include "base/thread.h"

__thread struct thread_state self;
