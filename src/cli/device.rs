//! `--backend`, `--device` and `--max-memory`, resolved.

use burn::tensor::Device;
use sysinfo::System;

use super::error::{Error, Result};
use super::flags::{Backend, DeviceFlags};
use super::literals;
use crate::backend::{Adapter, adapters, gpu};

/// Where to compute, and how much may be used for it.
#[derive(Debug, Clone)]
pub struct Compute {
    /// burn's device.
    pub device: Device,
    /// What to tell the user: "flex (CPU)", "wgpu (NVIDIA ...)".
    pub name: String,
    /// The most entries of one blob.
    pub most_entries: usize,
    /// Bytes that may be used.
    pub memory: u64,
    /// Bytes of the largest buffer that the device takes; `None` on the CPU.
    pub largest_buffer: Option<u64>,
}

/// Bytes of free memory that are assumed where the system does not tell.
const ASSUMED_MEMORY: u64 = 4 << 30;

impl Compute {
    /// Resolves the flags.
    ///
    /// # Errors
    /// When a GPU is asked for and there is none, or no such one.
    pub fn resolve(flags: &DeviceFlags) -> Result<Self> {
        let memory = match &flags.max_memory {
            Some(given) => literals::memory(given)?,
            None => free_memory() / 2,
        };
        let (device, name, largest_buffer) = choose(flags)?;
        Ok(Self {
            largest_buffer,
            device,
            name,
            most_entries: usize::try_from(memory / 4).unwrap_or(usize::MAX),
            memory,
        })
    }
}

/// Bytes that a program can still get.
pub fn free_memory() -> u64 {
    let mut system = System::new();
    system.refresh_memory();
    match system.available_memory() {
        0 => ASSUMED_MEMORY,
        bytes => bytes,
    }
}

/// A device, its name, and its largest buffer.
type Chosen = (Device, String, Option<u64>);

fn choose(flags: &DeviceFlags) -> Result<Chosen> {
    let flex = || (Device::flex(), "flex (CPU)".to_owned(), None);
    if flags.device.is_some() && matches!(flags.backend, Backend::Flex | Backend::Ndarray) {
        return Err(Error::Usage(
            "--device chooses a GPU; it does not go with a CPU --backend".into(),
        ));
    }
    match flags.backend {
        Backend::Flex => Ok(flex()),
        #[expect(deprecated, reason = "the ndarray backend was asked for")]
        Backend::Ndarray => Ok((Device::ndarray(), "ndarray (CPU)".to_owned(), None)),
        Backend::Auto if flags.device.is_none() => {
            let usable = adapters().into_iter().find(Adapter::is_gpu);
            Ok(usable.map_or_else(flex, |adapter| named(&adapter)))
        }
        Backend::Auto | Backend::Wgpu => Ok(named(&asked_for(flags.device)?)),
    }
}

fn named(adapter: &Adapter) -> Chosen {
    let name = format!("wgpu ({}, {})", adapter.name, adapter.api);
    (gpu(adapter), name, Some(adapter.largest_buffer))
}

fn asked_for(number: Option<usize>) -> Result<Adapter> {
    if !cfg!(feature = "wgpu") {
        return Err(Error::Device(
            "--backend wgpu: this deepvis was built without the wgpu feature; use --backend flex".into(),
        ));
    }
    let all = adapters();
    if all.is_empty() {
        return Err(Error::Device(
            "--backend wgpu: no adapter was found (looked for Vulkan, Metal, DirectX 12 and OpenGL devices); \
             `deepvis devices` lists them once a driver is installed; use --backend flex to compute on the CPU"
                .into(),
        ));
    }
    match number {
        Some(number) => all
            .iter()
            .find(|adapter| adapter.number == number)
            .cloned()
            .ok_or_else(|| {
                Error::Device(format!(
                    "--device {number}: there are {} adapters; `deepvis devices` lists them",
                    all.len()
                ))
            }),
        None => Ok(all.iter().find(|adapter| adapter.is_gpu()).unwrap_or(&all[0]).clone()),
    }
}
