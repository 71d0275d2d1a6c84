//! `deepvis devices`: what `--backend wgpu` can use.

use std::process::ExitCode;

use indicatif::HumanBytes;

use super::chatter::adapters_quietly;
use super::flags::DevicesFlags;
use super::stdout::out;

pub(super) fn run(flags: &DevicesFlags) -> anyhow::Result<ExitCode> {
    let adapters = adapters_quietly();
    if flags.json {
        out!("{}", serde_json::to_string_pretty(&adapters)?);
    } else if adapters.is_empty() {
        out!("no adapters found (looked for Vulkan, Metal, DirectX 12 and OpenGL); --backend flex computes on the CPU");
    }
    for adapter in adapters.iter().filter(|_| !flags.json) {
        out!(
            "{}  {}  {}  {}  driver {}  largest buffer {}",
            adapter.number,
            adapter.name,
            adapter.kind,
            adapter.api,
            adapter.driver,
            HumanBytes(adapter.largest_buffer)
        );
    }
    Ok(ExitCode::SUCCESS)
}
