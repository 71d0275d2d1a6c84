//! The Python package's compiled part, `deepvis._deepvis`.

mod command;
mod convert;
mod error;
mod events;
mod loaded;
mod model;
mod preprocessing;
mod result;
mod settings;
mod units;

use deepvis::heap::LargePages;
use pyo3::prelude::*;

/// Of this extension alone; Python keeps its own.
#[global_allocator]
static ALLOCATOR: LargePages = LargePages;

/// The compiled part of the package `deepvis`; import that.
#[pymodule]
fn _deepvis(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("_SETTINGS", settings::KEYWORDS)?;
    module.add("Error", py.get_type::<error::Error>())?;
    module.add("ModelError", py.get_type::<error::ModelError>())?;
    module.add("LayerError", py.get_type::<error::LayerError>())?;
    module.add("UnitError", py.get_type::<error::UnitError>())?;
    module.add("SettingError", py.get_type::<error::SettingError>())?;
    module.add("AscentError", py.get_type::<error::AscentError>())?;
    module.add("ResultsError", py.get_type::<error::ResultsError>())?;
    module.add_class::<model::Model>()?;
    module.add_class::<result::Result>()?;
    module.add_class::<events::Event>()?;
    module.add_class::<events::Events>()?;
    module.add_function(wrap_pyfunction!(model::load, module)?)?;
    module.add_function(wrap_pyfunction!(result::runs, module)?)?;
    module.add_function(wrap_pyfunction!(command::command, module)?)?;
    Ok(())
}
