#pragma once

#include <string>
#include <vector>

/// A server that the kernel's write-back goes through must not wait for that write-back: what it
/// needs is in memory and stays there. (Linux: mm/mlock.c; prctl(2), PR_SET_IO_FLUSHER.)
namespace interposed::attach {

/// Memory that the calling thread, and those it creates, ask for is found without writing anything
/// back, and their own writing is throttled less than other processes'. Before threads are made.
/// Empty, or why it could not be done.
std::string become_io_flusher();

/// What only root may change for stay_resident(), for a process that is to be somebody else by
/// then: how much memory may be locked, and that the kernel spares it when memory runs out.
void prepare_to_stay_resident();

/// Locks what this process has mapped and will map, reads in the pages of its program and its
/// libraries, and asks the kernel to spare it when memory runs out. May read from disks. What could
/// not be done, in words.
std::vector<std::string> stay_resident();

} // namespace interposed::attach
