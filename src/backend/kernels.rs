//! Keeping compiled GPU kernels from run to run.

use cubecl::config::cache::CacheConfig;
use cubecl::config::{CubeClRuntimeConfig, RuntimeConfig};
use etcetera::BaseStrategy;

/// Keeps compiled kernels, and which of several proved the fastest, in the user's cache folder: `deepvis/kernels`
/// there. What a `cubecl.toml` here or above, or the variables `CUBECL_...` say about all else still counts.
///
/// Must come before the first use of a GPU; later calls change nothing. Without a cache folder nothing is kept.
pub fn keep() {
    let Ok(strategy) = etcetera::choose_base_strategy() else {
        return;
    };
    let mut config = CubeClRuntimeConfig::from_current_dir().override_from_env();
    config.compilation.cache = true;
    config.environment.path = CacheConfig::Directory(strategy.cache_dir().join("deepvis").join("kernels"));
    CubeClRuntimeConfig::try_set(config);
}
