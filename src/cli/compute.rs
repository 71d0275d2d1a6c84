//! `--backend`, `--device` and `--max-memory`, resolved.

use burn::tensor::Device;

use super::chatter::adapters_quietly;
use super::error::{Error, Result};
use super::flags::{Backend, DeviceFlags};
use super::literals;
use crate::backend::{Adapter, Compute, compute, gpu};

/// Resolves the flags.
///
/// # Errors
/// When a GPU is asked for and there is none, or no such one.
pub(super) fn resolve(flags: &DeviceFlags) -> Result<Compute> {
    let memory = memory(flags.max_memory.as_deref())?;
    let (device, name, largest_buffer) = choose(flags)?;
    Ok(Compute::new(device, name, memory, largest_buffer))
}

/// Bytes that may be used: as `--max-memory` says, else half of what is free.
///
/// # Errors
/// When that is not a size.
pub(super) fn memory(given: Option<&str>) -> Result<u64> {
    match given {
        Some(given) => literals::memory(given),
        None => Ok(compute::free_memory() / 2),
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
            let usable = adapters_quietly().into_iter().find(Adapter::is_gpu);
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
    let all = adapters_quietly();
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
