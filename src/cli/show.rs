//! `--show`: pictures in the terminal.

use std::io::IsTerminal;
use std::path::Path;

/// Columns that a picture takes.
const WIDTH: u32 = 48;

/// Shows a picture; if that is not possible, says why.
pub(super) fn picture(path: &Path) -> Option<String> {
    if !std::io::stdout().is_terminal() {
        return Some("--show: standard output is no terminal".into());
    }
    let config = viuer::Config {
        width: Some(WIDTH),
        absolute_offset: false,
        // Asking a terminal whether it is kitty waits for an answer that others never give.
        use_kitty: std::env::var_os("KITTY_WINDOW_ID").is_some(),
        ..viuer::Config::default()
    };
    let shown = image::open(path)
        .map_err(|e| e.to_string())
        .and_then(|image| viuer::print(&image, &config).map_err(|e| e.to_string()));
    shown.err().map(|error| format!("--show: {error}"))
}
