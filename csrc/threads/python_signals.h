// Handlers of signals that were written in Python, run from inside a long call: for front ends that
// may serve a Python program, and know nothing of Python themselves.
#pragma once

namespace sr_ops {

/// Whether a long call on this thread should let Python run handlers from time to time: Python is
/// in this process, and this is the thread that the process began with, on which Python runs them.
bool AnswersSignals();

/// Lets Python run them, where AnswersSignals(). False where one raised an exception: then the work
/// is to be given up. The exception is kept, and raised where Python goes on, unless
/// RaiseExceptionOfHandler() does so before.
bool RunSignalHandlers();

/// Whether an exception of a handler is kept, for this thread.
bool HasExceptionOfHandler();

/// With the interpreter lock: makes the exception that was kept the thread's own, as a function
/// does that fails. Another one, with `message`, where none is kept any more.
void RaiseExceptionOfHandler(const char* message);

}  // namespace sr_ops
