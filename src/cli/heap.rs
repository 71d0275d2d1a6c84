//! What becomes of memory that is freed.

/// Has memory that an iteration frees kept for the next one. glibc gives larger blocks back to the system, and takes back at a
/// page fault for every four kilobytes what the next layer asks for: a third of an iteration of a small network. So it does with
/// the heaps that it gives each thread, of 64 MB at most, unless it is to add as much whenever it enlarges one.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn keep_freed_memory() {
    /// Bytes from which a block is mapped by itself, and given back once it is freed.
    const ALONE: libc::c_int = 1 << 30;
    /// Bytes above which what is free at the end of the heap is given back.
    const FREE: libc::c_int = libc::c_int::MAX;
    /// Bytes to ask the system for in advance: as much as a thread's heap has. What is not used costs an address and no memory.
    const AHEAD: libc::c_int = 64 << 20;
    // SAFETY: sets three numbers of the allocator, which takes its own lock for that.
    unsafe {
        // Where the first is refused the second would do harm, for it ends glibc's own adjustment of the first.
        if libc::mallopt(libc::M_MMAP_THRESHOLD, ALONE) == 1 {
            libc::mallopt(libc::M_TRIM_THRESHOLD, FREE);
            libc::mallopt(libc::M_TOP_PAD, AHEAD);
        }
    }
}

/// Elsewhere the allocator decides.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn keep_freed_memory() {}
