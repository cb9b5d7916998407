// An allocator that fails on request, in place of the C library's for the whole process: its
// malloc, and so every operator new. glibc only. Python preloads the same library and calls it by
// ctypes.
#pragma once

extern "C" {

/// The allocation after `count` more of them, by any thread, fails; those after it succeed again.
/// Negative: none fails. `library`: only allocations are counted that code in a file of this name
/// asks for, itself or by way of the C and C++ libraries; null: all.
void sr_ops_test_fail_allocation(long count, const char* library);

/// How many have failed since the process began.
long sr_ops_test_failed_allocations();
}
