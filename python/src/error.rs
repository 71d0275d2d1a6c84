//! Errors of the library as exceptions with the same texts.

use deepvis::{ascent, model, network, output, session};
use pyo3::create_exception;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;

create_exception!(deepvis, Error, PyException, "Whatever deepvis refuses or fails to do.");
create_exception!(deepvis, ModelError, Error, "A network that cannot be found or loaded.");
create_exception!(
    deepvis,
    LayerError,
    Error,
    "A layer that does not exist or cannot be computed."
);
create_exception!(
    deepvis,
    UnitError,
    Error,
    "A channel or a position that a layer does not have."
);
create_exception!(deepvis, SettingError, Error, "A setting that makes no sense.");
create_exception!(deepvis, AscentError, Error, "An ascent that failed on the way.");
create_exception!(
    deepvis,
    ResultsError,
    Error,
    "Results that cannot be written, read, or are there already."
);

/// A setting that makes no sense.
pub(crate) fn setting(message: impl Into<String>) -> PyErr {
    SettingError::new_err(message.into())
}

pub(crate) fn of_model(error: &model::Error) -> PyErr {
    ModelError::new_err(error.to_string())
}

pub(crate) fn of_network(error: &network::Error) -> PyErr {
    let text = error.to_string();
    match error {
        network::Error::Import(_) => ModelError::new_err(text),
        network::Error::Layer { .. }
        | network::Error::TooLarge { .. }
        | network::Error::UnknownLayer { .. }
        | network::Error::Unsupported { .. }
        | network::Error::NotComputed { .. }
        | network::Error::Input(_) => LayerError::new_err(text),
    }
}

pub(crate) fn of_ascent(error: &ascent::Error) -> PyErr {
    let text = error.to_string();
    match error {
        ascent::Error::Objective(_) => UnitError::new_err(text),
        ascent::Error::Setting(_) => SettingError::new_err(text),
        ascent::Error::NotFinite { .. } | ascent::Error::Device { .. } => AscentError::new_err(text),
    }
}

pub(crate) fn of_output(error: &output::Error) -> PyErr {
    ResultsError::new_err(error.to_string())
}

pub(crate) fn of_session(error: &session::Error) -> PyErr {
    match error {
        session::Error::Network(error) => of_network(error),
        session::Error::Model(error) => of_model(error),
        session::Error::Ascent(error) => of_ascent(error),
        session::Error::Output(error) => of_output(error),
        session::Error::Import(error) => ModelError::new_err(error.to_string()),
        session::Error::Template { .. } | session::Error::SameFiles { .. } => ResultsError::new_err(error.to_string()),
        session::Error::Shard(_) | session::Error::Objective(_) | session::Error::Changed(_) => {
            SettingError::new_err(error.to_string())
        }
    }
}
