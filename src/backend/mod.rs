//! Choosing what computes: a CPU backend, or a GPU that is really there.

pub mod compute;
pub mod failures;
#[cfg(feature = "kernel-cache")]
mod kernels;

use burn::tensor::Device;
#[cfg(feature = "wgpu")]
use burn_wgpu::wgpu;

pub use compute::Compute;

/// A GPU, or a program that stands in for one.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Adapter {
    /// The number that `--device` takes.
    pub number: usize,
    /// The maker's name for it.
    pub name: String,
    /// Vulkan, Metal, Dx12, Gl.
    pub api: String,
    /// Discrete, integrated, virtual or CPU.
    pub kind: String,
    /// The driver and its version.
    pub driver: String,
    /// Largest buffer, in bytes.
    pub largest_buffer: u64,
    /// The place among adapters of its kind.
    #[serde(skip)]
    pub index_of_kind: usize,
}

impl Adapter {
    /// Whether it is real hardware.
    pub fn is_gpu(&self) -> bool {
        self.kind != "Cpu" && self.kind != "Other"
    }
}

/// Graphics interfaces in the order in which burn tries them.
#[cfg(feature = "wgpu")]
const INTERFACES: [wgpu::Backends; 3] = [wgpu::Backends::VULKAN, wgpu::Backends::METAL, wgpu::Backends::DX12];

/// All adapters of the interface that burn settles on (the first with a GPU, else the first with anything), in the order in
/// which it numbers them.
#[cfg(feature = "wgpu")]
pub fn adapters() -> Vec<Adapter> {
    // Looking takes a tenth of a second, and some drivers complain each time.
    static FOUND: std::sync::OnceLock<Vec<Adapter>> = std::sync::OnceLock::new();
    FOUND.get_or_init(find).clone()
}

#[cfg(feature = "wgpu")]
fn find() -> Vec<Adapter> {
    // An instance limited to these: OpenGL, which burn does not compute with, complains on machines without a display.
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
        backends: INTERFACES
            .into_iter()
            .fold(wgpu::Backends::empty(), |all, interface| all | interface),
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    });
    let mut all: Vec<Vec<Adapter>> = INTERFACES
        .iter()
        .map(|interface| numbered(block_on(instance.enumerate_adapters(*interface))))
        .filter(|adapters| !adapters.is_empty())
        .collect();
    let chosen = all
        .iter()
        .position(|adapters| adapters.iter().any(Adapter::is_gpu))
        .unwrap_or(0);
    if all.is_empty() {
        Vec::new()
    } else {
        all.swap_remove(chosen)
    }
}

#[cfg(feature = "wgpu")]
fn numbered(found: Vec<wgpu::Adapter>) -> Vec<Adapter> {
    let mut seen: std::collections::HashMap<String, usize> = std::collections::HashMap::new();
    found
        .into_iter()
        .enumerate()
        .map(|(number, adapter)| {
            let info = adapter.get_info();
            let kind = format!("{:?}", info.device_type);
            let index_of_kind = *seen.entry(kind.clone()).and_modify(|count| *count += 1).or_insert(0);
            Adapter {
                number,
                name: info.name,
                api: format!("{:?}", info.backend),
                kind,
                driver: format!("{} {}", info.driver, info.driver_info).trim().to_owned(),
                largest_buffer: adapter.limits().max_buffer_size,
                index_of_kind,
            }
        })
        .collect()
}

/// All adapters: none, in a build without the `wgpu` feature.
#[cfg(not(feature = "wgpu"))]
pub fn adapters() -> Vec<Adapter> {
    Vec::new()
}

/// Waits for a future that is ready at once, or nearly so.
#[cfg(feature = "wgpu")]
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        match future.as_mut().poll(&mut context) {
            std::task::Poll::Ready(value) => return value,
            std::task::Poll::Pending => std::thread::yield_now(),
        }
    }
}

/// The device of an adapter.
#[cfg(feature = "wgpu")]
pub fn gpu(adapter: &Adapter) -> Device {
    use burn::tensor::DeviceKind;
    failures::watch();
    #[cfg(feature = "kernel-cache")]
    kernels::keep();
    let index = adapter.index_of_kind;
    Device::wgpu(match adapter.kind.as_str() {
        "DiscreteGpu" => DeviceKind::DiscreteGpu(index),
        "IntegratedGpu" => DeviceKind::IntegratedGpu(index),
        "VirtualGpu" => DeviceKind::VirtualGpu(index),
        "Cpu" => DeviceKind::Cpu,
        _ => DeviceKind::DefaultDevice,
    })
}

/// The device of an adapter: the CPU, in a build without the `wgpu` feature, where there are no adapters.
#[cfg(not(feature = "wgpu"))]
pub fn gpu(_: &Adapter) -> Device {
    Device::flex()
}
