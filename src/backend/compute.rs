//! Where to compute, and how much memory may be used for it.

use burn::tensor::Device;
use sysinfo::System;

use super::{Adapter, gpu};

/// Where to compute, and how much may be used for it.
#[derive(Debug, Clone)]
pub struct Compute {
    /// burn's device.
    pub device: Device,
    /// What to tell a user: "flex (CPU)", "wgpu (NVIDIA ...)".
    pub name: String,
    /// The most entries of one blob.
    pub most_entries: usize,
    /// Bytes that may be used.
    pub memory: u64,
    /// Bytes of the largest buffer that the device takes; `None` on the CPU.
    pub largest_buffer: Option<u64>,
}

impl Compute {
    /// A device with its name; `largest_buffer` is `None` on the CPU.
    pub fn new(device: Device, name: String, memory: u64, largest_buffer: Option<u64>) -> Self {
        Self {
            device,
            name,
            most_entries: usize::try_from(memory / 4).unwrap_or(usize::MAX),
            memory,
            largest_buffer,
        }
    }

    /// The CPU, with half of the memory that is free.
    pub fn cpu() -> Self {
        Self::new(Device::flex(), "flex (CPU)".to_owned(), free_memory() / 2, None)
    }

    /// A GPU, with half of the memory that is free.
    pub fn gpu(adapter: &Adapter) -> Self {
        let name = format!("wgpu ({}, {})", adapter.name, adapter.api);
        Self::new(gpu(adapter), name, free_memory() / 2, Some(adapter.largest_buffer))
    }

    /// Whether results have to be fetched from another device.
    pub fn is_gpu(&self) -> bool {
        self.largest_buffer.is_some()
    }
}

/// Bytes of free memory that are assumed where the system does not tell.
const ASSUMED_MEMORY: u64 = 4 << 30;

/// Bytes that a program can still get.
pub fn free_memory() -> u64 {
    let mut system = System::new();
    system.refresh_memory();
    match system.available_memory() {
        0 => ASSUMED_MEMORY,
        bytes => bytes,
    }
}
