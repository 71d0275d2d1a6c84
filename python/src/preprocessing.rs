//! Keyword arguments of `load` that say how the network takes images.

use deepvis::model::preprocessing::{ChannelOrder, Given, PartError, Parts};
use deepvis::model::{Preprocessing, Scheme, Source};
use pyo3::prelude::*;

use crate::error;

/// The keywords, as Python gave them; numbers as literals.
#[derive(Default)]
pub(crate) struct Said {
    pub(crate) preprocess: Option<String>,
    pub(crate) mean: Option<String>,
    pub(crate) std: Option<String>,
    pub(crate) scale: Option<String>,
    pub(crate) channel_swap: Option<Vec<usize>>,
    pub(crate) channel_order: Option<String>,
}

impl Said {
    /// Sets what is said; what a model's folder says holds where nothing is, and not beside a scheme.
    pub(crate) fn apply(&self, source: &mut Source) -> PyResult<()> {
        let scheme: Option<Scheme> = word("preprocess", self.preprocess.as_deref())?;
        let order: Option<ChannelOrder> = word("channel_order", self.channel_order.as_deref())?;
        let swap = self.channel_swap.as_ref().map(|swap| format!("{swap:?}"));
        let given = Given {
            scheme,
            mean: self.mean.as_deref(),
            swap: swap.as_deref(),
            order,
            std: self.std.as_deref(),
            scale: self.scale.as_deref(),
        };
        let said = given.parts().map_err(told)?;
        if said.is_empty() {
            return Ok(());
        }
        let of_source = match scheme {
            Some(_) => Parts::default(),
            None => {
                let Preprocessing { mean, swap, std } = source.preprocessing.clone();
                Parts {
                    mean,
                    swap: Some(swap),
                    std,
                }
            }
        };
        source.preprocessing = said.completed_by(of_source).preprocessing();
        source.assumes_preprocessing = false;
        Ok(())
    }
}

fn word<T: std::str::FromStr<Err: std::fmt::Display>>(keyword: &str, given: Option<&str>) -> PyResult<Option<T>> {
    let understood = given.map(|given| {
        given
            .parse()
            .map_err(|message: T::Err| error::setting(format!("{keyword} \"{given}\": {message}")))
    });
    understood.transpose()
}

fn told(error: PartError) -> PyErr {
    error::setting(match error {
        PartError::Swap(given, message) => format!("channel_swap {given}: {message}"),
        PartError::Std(given, message) => format!("std {given}: {message}"),
        PartError::Scale(given, message) => format!("scale {given}: {message}"),
        PartError::SwapAndOrder => "channel_swap and channel_order say the same thing: give one of them".to_owned(),
        PartError::StdAndScale => "std and scale say the same thing (a scale is 1 / std): give one of them".to_owned(),
    })
}
