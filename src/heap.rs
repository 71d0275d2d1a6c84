//! The system's allocator: what it is told of large blocks, and of memory that is freed.

use std::alloc::{GlobalAlloc, Layout, System};

/// The system's allocator, which asks for large pages for large blocks.
///
/// A processor finds a page in memory by tables. With pages of four kilobytes it looks into them so often that weights and
/// blobs of hundreds of megabytes are read at half of the speed: on Linux, a program must ask for pages of two megabytes on most
/// distributions (`/sys/kernel/mm/transparent_hugepage/enabled` says `madvise`).
pub struct LargePages;

// SAFETY: memory is the system allocator's; what is said of its pages changes neither what lies in them nor who may use them.
unsafe impl GlobalAlloc for LargePages {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as this function's own.
        advised(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as this function's own.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as this function's own.
        advised(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as this function's own.
        advised(unsafe { System.realloc(block, layout, size) }, size)
    }
}

/// The same block, whose whole large pages the system has been asked for.
#[cfg(target_os = "linux")]
fn advised(block: *mut u8, size: usize) -> *mut u8 {
    /// Bytes of a large page, on most processors.
    const PAGE: usize = 2 << 20;
    if size >= PAGE && !block.is_null() {
        let ahead = block.addr().next_multiple_of(PAGE) - block.addr();
        let len = size.saturating_sub(ahead) / PAGE * PAGE;
        if len > 0 {
            // SAFETY: the range is inside the block, whose contents the advice leaves as they are. Where it is not followed,
            // pages are small as without it.
            unsafe { libc::madvise(block.add(ahead).cast(), len, libc::MADV_HUGEPAGE) };
        }
    }
    block
}

/// Elsewhere the system decides.
#[cfg(not(target_os = "linux"))]
fn advised(block: *mut u8, _: usize) -> *mut u8 {
    block
}

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

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// What the system notes of the memory at `place` (`VmFlags` in proc(5)).
    fn flags(place: usize) -> String {
        let maps = std::fs::read_to_string("/proc/self/smaps").expect("smaps");
        let mut is_there = false;
        for line in maps.lines() {
            let range = line.split(' ').next().and_then(|range| range.split_once('-'));
            let range = range.map(|(first, end)| [first, end].map(|edge| usize::from_str_radix(edge, 16)));
            if let Some([Ok(first), Ok(end)]) = range {
                is_there = (first..end).contains(&place);
            }
            if let Some(flags) = line.strip_prefix("VmFlags:").filter(|_| is_there) {
                return flags.to_owned();
            }
        }
        String::new()
    }

    #[test]
    fn large_blocks_ask_for_large_pages() {
        if !std::path::Path::new("/sys/kernel/mm/transparent_hugepage").exists() {
            println!("SKIPPED: this kernel has no large pages");
            return;
        }
        let layout = |size: usize| Layout::from_size_align(size, 4).expect("a layout");
        let (small, large) = (layout(64), layout(32 << 20));
        let has_advice = |block: *mut u8| {
            let flags = flags(block.addr() + large.size() / 2);
            flags.split(' ').any(|flag| flag == "hg")
        };
        // SAFETY: blocks are given back as they were taken, and nothing else is done with them.
        unsafe {
            let block = LargePages.alloc(large);
            assert!(has_advice(block), "alloc");
            LargePages.dealloc(block, large);
            let block = LargePages.alloc_zeroed(large);
            assert!(has_advice(block), "alloc_zeroed");
            LargePages.dealloc(block, large);
            let block = LargePages.realloc(LargePages.alloc(small), small, large.size());
            assert!(has_advice(block), "realloc");
            LargePages.dealloc(block, large);
        }
    }
}
