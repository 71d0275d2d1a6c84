//! Settings of the system's allocator.

/// Keeps memory that an iteration frees for the next one. By default glibc returns large blocks to the system, and each
/// page of four kilobytes that is allocated again costs a page fault: a third of an iteration of a small network. It
/// does the same with the heaps of threads (up to 64 MB each) unless it is told to extend them by that much at a time.
///
/// What was freed before, such as copies of weights that were turned while a network was read, is given back: it lies in the heap
/// of another thread than the one that climbs, which could not use it.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn keep_freed_memory() {
    /// Blocks from this size on, in bytes, are mapped by themselves, and returned when they are freed.
    const ALONE: libc::c_int = 1 << 30;
    /// Free memory at the end of the heap is returned above this many bytes.
    const FREE: libc::c_int = libc::c_int::MAX;
    /// Bytes by which a heap is extended at a time: the size of a thread's heap. Pages that are not used take no
    /// memory.
    const AHEAD: libc::c_int = 64 << 20;
    // SAFETY: sets three numbers of the allocator, which takes its own lock for that, as it does for giving memory back.
    unsafe {
        libc::malloc_trim(0);
        // Only if the first is accepted: the second switches off glibc's own adjustment of the first.
        if libc::mallopt(libc::M_MMAP_THRESHOLD, ALONE) == 1 {
            libc::mallopt(libc::M_TRIM_THRESHOLD, FREE);
            libc::mallopt(libc::M_TOP_PAD, AHEAD);
        }
    }
}

/// Elsewhere the allocator decides.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn keep_freed_memory() {}
