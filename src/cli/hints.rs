//! What flag helps: the parts below know nothing of flags, so their errors are completed here.

use crate::ascent::{self, Image, Recipe, Start};
use crate::objective::{self, Axis};
use crate::output;
use crate::session::{self, Failure};

/// An error, with its causes and what helps. Causes are said once: many messages hold theirs already.
pub(super) fn told(error: &anyhow::Error) -> String {
    let text = error.chain().fold(String::new(), |text, cause| {
        let cause = cause.to_string();
        match text.as_str() {
            "" => cause,
            said if said.contains(&cause) => text,
            said => format!("{said}: {cause}"),
        }
    });
    let text = error.chain().fold(text, |text, cause| {
        let by_flag = if let Some(error) = cause.downcast_ref::<session::Error>() {
            session_by_flag(error)
        } else if let Some(error) = cause.downcast_ref::<crate::model::Error>() {
            model_by_flag(error)
        } else if let Some(crate::cli::error::Error::Model(error)) = cause.downcast_ref() {
            model_by_flag(error)
        } else {
            cause.downcast_ref::<objective::UnitError>().and_then(by_flag)
        };
        by_flag.map_or_else(|| text.clone(), |by_flag| text.replace(&cause.to_string(), &by_flag))
    });
    let hint = error.chain().find_map(|cause| {
        if let Some(error) = cause.downcast_ref::<session::Error>() {
            of_session(error)
        } else if let Some(error) = cause.downcast_ref::<output::Error>() {
            of_output(error)
        } else if let Some(error) = cause.downcast_ref::<ascent::Error>() {
            of_ascent(error)
        } else if let Some(error) = cause.downcast_ref::<crate::network::Error>() {
            of_network(error)
        } else if let Some(error) = cause.downcast_ref::<crate::cli::error::Error>() {
            of_usage(error)
        } else {
            cause.downcast_ref::<crate::model::Error>().and_then(of_model)
        }
    });
    let hint = hint.or_else(|| {
        error
            .chain()
            .find_map(|cause| match cause.downcast_ref::<deepvis_importer::Error>() {
                Some(error) => of_import(error),
                None => match cause.downcast_ref::<crate::model::Error>() {
                    Some(crate::model::Error::Import(error)) => of_import(error),
                    _ => None,
                },
            })
    });
    match hint {
        Some(hint) if !text.contains(hint) => format!("{text}; {hint}"),
        Some(_) | None => text,
    }
}

fn of_import(error: &deepvis_importer::Error) -> Option<&'static str> {
    match error {
        deepvis_importer::Error::NoInput { .. } => Some("--input-shape batch,channels,rows,columns gives it"),
        deepvis_importer::Error::Surplus { .. } => Some("--lenient takes the weights all the same"),
        deepvis_importer::Error::OtherNet { .. } => Some("check --deploy-proto and --net-weights"),
        deepvis_importer::Error::Exists(_) => Some("--brave overwrites it; or give another name"),
        deepvis_importer::Error::InFile { source, .. } => of_import(source),
        deepvis_importer::Error::Read { .. }
        | deepvis_importer::Error::Text { .. }
        | deepvis_importer::Error::Binary { .. }
        | deepvis_importer::Error::OtherFile { .. }
        | deepvis_importer::Error::Doubts { .. }
        | deepvis_importer::Error::Layer { .. }
        | deepvis_importer::Error::Net(_)
        | deepvis_importer::Error::Pack { .. } => None,
    }
}

fn of_network(error: &crate::network::Error) -> Option<&'static str> {
    match error {
        crate::network::Error::TooLarge { .. } => Some(
            "--max-memory allows more, and a smaller picture needs less (--data-size; --size of a parameterized image)",
        ),
        crate::network::Error::Import(error) => of_import(error),
        crate::network::Error::Layer { .. }
        | crate::network::Error::UnknownLayer { .. }
        | crate::network::Error::NotComputed { .. }
        | crate::network::Error::Unsupported { .. }
        | crate::network::Error::Input(_) => None,
    }
}

/// A unit that failed, and why.
pub(super) fn of_failure(failure: &Failure) -> String {
    let unit = &failure.recipe.objective.unit;
    format!("{unit}, seed {}: {}", failure.recipe.seed, why(failure))
}

/// Why a unit failed.
pub(super) fn why(failure: &Failure) -> String {
    let text = session_by_flag(&failure.error).unwrap_or_else(|| failure.error.to_string());
    match of_session(&failure.error) {
        Some(hint) => format!("{text}; {hint}"),
        None => text,
    }
}

/// What may help where the gradient of a single unit is 0.
pub(super) fn of_nothing_to_climb(recipe: &Recipe) -> &'static str {
    match (&recipe.image, &recipe.start_from) {
        (_, Some(_)) => "; another picture to start from may have something",
        (Image::GreyLevels, None) if recipe.start == Start::Mean => {
            "; --start-at mean_plus_rand may have something, and so may --preset fourier"
        }
        (Image::GreyLevels, None) => "; another --rand-seed may have something, and so may --preset fourier",
        (Image::Parameterized(_), None) => "; another --rand-seed may have something",
    }
}

/// Whether an error is a mistake in what was asked for (exit code 2), rather than a failure of what was done (1).
pub(super) fn is_usage(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        if let Some(error) = cause.downcast_ref::<session::Error>() {
            return match error {
                session::Error::Template { .. }
                | session::Error::SameFiles { .. }
                | session::Error::Objective(_)
                | session::Error::Changed(_)
                | session::Error::Shard(_)
                | session::Error::Ascent(ascent::Error::Objective(_) | ascent::Error::Setting(_))
                | session::Error::Network(
                    crate::network::Error::UnknownLayer { .. }
                    | crate::network::Error::Unsupported { .. }
                    | crate::network::Error::NotComputed { .. },
                ) => true,
                session::Error::Model(error) => !matches!(error, crate::model::Error::Import(_)),
                session::Error::Network(_)
                | session::Error::Ascent(_)
                | session::Error::Output(_)
                | session::Error::Import(_) => false,
            };
        }
        if let Some(error) = cause.downcast_ref::<crate::model::Error>() {
            return !matches!(error, crate::model::Error::Import(_));
        }
        if let Some(error) = cause.downcast_ref::<crate::cli::error::Error>() {
            return !matches!(error, crate::cli::error::Error::Model(crate::model::Error::Import(_)));
        }
        if let Some(error) = cause.downcast_ref::<crate::network::Error>() {
            return matches!(
                error,
                crate::network::Error::UnknownLayer { .. }
                    | crate::network::Error::Unsupported { .. }
                    | crate::network::Error::NotComputed { .. }
            );
        }
        cause.downcast_ref::<objective::UnitError>().is_some()
    })
}

fn of_session(error: &session::Error) -> Option<&'static str> {
    match error {
        session::Error::Ascent(error) => of_ascent(error),
        session::Error::Output(error) => of_output(error),
        session::Error::Model(error) => of_model(error),
        session::Error::Template { .. } => Some(
            "--output-template takes Python fields of p (parameters) and r (results), such as %(p.push_channel)04d",
        ),
        session::Error::SameFiles { .. } => Some("--output-template names the files"),
        session::Error::Network(error) => of_network(error),
        session::Error::Import(error) => of_import(error),
        session::Error::Objective(_) | session::Error::Changed(_) | session::Error::Shard(_) => None,
    }
}

fn of_output(error: &output::Error) -> Option<&'static str> {
    match error {
        output::Error::Exists(_) | output::Error::Other { .. } => {
            Some("--brave overwrites it, --output-prefix or --output-template give another name")
        }
        output::Error::Checkpoint { .. } => Some("--brave starts anew, too"),
        output::Error::Encode { path, .. } if path.to_string_lossy().ends_with("info_big.pkl") => {
            Some("--skipbig leaves it out")
        }
        output::Error::Write(_)
        | output::Error::Read { .. }
        | output::Error::NoResults(_)
        | output::Error::Encode { .. } => None,
    }
}

fn of_ascent(error: &ascent::Error) -> Option<&'static str> {
    match error {
        ascent::Error::Objective(_) => None,
        ascent::Error::NotFinite { .. } => Some(
            "a smaller learning rate (--lr-params) or decay keeps the image bounded, and `deepvis forward` shows whether \
             the weights are sound",
        ),
        ascent::Error::Device { .. } => Some("--backend flex computes on the CPU"),
        ascent::Error::Setting(_) => None,
    }
}

/// An error about a unit, by the flag that asked for it.
fn by_flag(error: &objective::UnitError) -> Option<String> {
    let text = error.to_string();
    match error {
        objective::UnitError::OutOfRange {
            axis: Axis::Channel, ..
        } => Some(text.replacen("channel", "--push-channel", 1)),
        objective::UnitError::OutOfRange {
            axis: Axis::Position, ..
        } => Some(text.replacen("position", "--push-spatial", 1)),
        objective::UnitError::NoUnits { .. } => None,
    }
}

/// An error about the mean, by its flag.
fn model_by_flag(error: &crate::model::Error) -> Option<String> {
    match error {
        crate::model::Error::NoFile { what: "mean", path } => Some(format!("--mean: there is no {}", path.display())),
        crate::model::Error::Mean(message) => Some(format!("--mean: {message}")),
        crate::model::Error::Read { .. }
        | crate::model::Error::NoFile { .. }
        | crate::model::Error::Settings { .. }
        | crate::model::Error::NoNetwork
        | crate::model::Error::NoneInFolder { .. }
        | crate::model::Error::Half { .. }
        | crate::model::Error::NoneFits { .. }
        | crate::model::Error::Several { .. }
        | crate::model::Error::Input { .. }
        | crate::model::Error::Unknown(_)
        | crate::model::Error::Import(_) => None,
    }
}

fn session_by_flag(error: &session::Error) -> Option<String> {
    match error {
        session::Error::Ascent(ascent::Error::Objective(error)) => by_flag(error),
        session::Error::Model(error) => model_by_flag(error),
        session::Error::Ascent(_)
        | session::Error::Network(_)
        | session::Error::Output(_)
        | session::Error::Template { .. }
        | session::Error::SameFiles { .. }
        | session::Error::Import(_)
        | session::Error::Objective(_)
        | session::Error::Changed(_)
        | session::Error::Shard(_) => None,
    }
}

fn of_usage(error: &crate::cli::error::Error) -> Option<&'static str> {
    match error {
        crate::cli::error::Error::Model(error) => of_model(error),
        crate::cli::error::Error::Literal { .. }
        | crate::cli::error::Error::Read { .. }
        | crate::cli::error::Error::NoFile { .. }
        | crate::cli::error::Error::Input { .. }
        | crate::cli::error::Error::Device(_)
        | crate::cli::error::Error::Usage(_) => None,
    }
}

fn of_model(error: &crate::model::Error) -> Option<&'static str> {
    match error {
        crate::model::Error::NoNetwork => Some(
            "give --deploy-proto and --net-weights (or a .bpk as --net-weights), or name them in deepvis.toml (`deepvis \
             init-settings` writes one)",
        ),
        crate::model::Error::Half {
            missing: "prototxt", ..
        }
        | crate::model::Error::NoneFits { .. } => Some("give --deploy-proto"),
        crate::model::Error::Several { what: "prototxt", .. } => {
            Some("--deploy-proto says which, and so does a prototxt with the name of the weights")
        }
        crate::model::Error::Several { .. } => Some("name the one that is meant"),
        crate::model::Error::Half { .. } => Some("give --net-weights"),
        crate::model::Error::NoneInFolder { .. } => Some(
            "name the file or folder of a network, or its files by --deploy-proto and --net-weights or in a deepvis.toml, or a \
             model (`deepvis fetch` lists some)",
        ),
        crate::model::Error::Unknown(_) => Some("see --model, and `deepvis fetch`"),
        crate::model::Error::Mean(_)
        | crate::model::Error::Read { .. }
        | crate::model::Error::NoFile { .. }
        | crate::model::Error::Settings { .. }
        | crate::model::Error::Input { .. }
        | crate::model::Error::Import(_) => None,
    }
}
