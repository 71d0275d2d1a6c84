//! Where models are kept that belong to the user.

use std::path::PathBuf;

use etcetera::BaseStrategy;

/// The user's folder of models, on Linux `~/.local/share/deepvis/models`; `None` where the user has no home.
pub fn data_folder() -> Option<PathBuf> {
    let strategy = etcetera::choose_base_strategy().ok()?;
    Some(strategy.data_dir().join("deepvis").join("models"))
}
