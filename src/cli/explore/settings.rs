//! The controls of the page: flags of `deepvis optimize` that may be changed there, with what their help says about them.

use std::collections::BTreeMap;

use clap::CommandFactory;

use crate::ascent::{Method, Modern, PRESETS, Schedule};
use crate::cli::flags::Cli;
use crate::explore::{Kind, Photo, Preset, Setting};
use crate::parameterization::{Colour, Parameterization};
use crate::transform::Views;

/// Which presets a setting goes with.
#[derive(Clone, Copy, PartialEq)]
enum With {
    All,
    Classic,
    Modern,
    These(&'static [&'static str]),
}

impl With {
    /// The presets' names; none where all of them are meant.
    fn presets(self) -> Vec<&'static str> {
        let of = |is_classic: bool| {
            let kind = PRESETS
                .iter()
                .filter(move |preset| matches!(preset.method, Method::Classic { .. }) == is_classic);
            kind.map(|preset| preset.name).collect()
        };
        match self {
            Self::All => Vec::new(),
            Self::Classic => of(true),
            Self::Modern => of(false),
            Self::These(names) => names.to_vec(),
        }
    }
}

const fn number(min: f64, max: f64, step: f64) -> Kind {
    Kind::Number { min, max, step }
}

const PERCENTILE: Kind = number(0.0, 100.0, 1.0);
const CHOICE: Kind = Kind::Choice { values: Vec::new() };

/// Presets of a spectrum that is free.
const SPECTRA: With = With::These(&["fourier", "olah-2017", "accentuate"]);
/// Presets whose image is seen whole, under random changes.
const WHOLE: With = With::These(&["fourier", "olah-2017"]);
/// Presets whose image is seen through crops.
const CROPPED: With = With::These(&["maco", "accentuate"]);
/// Presets whose start is of numbers of a given spread.
const SPREAD: With = With::These(&["fourier", "olah-2017", "deepdream", "accentuate"]);

/// Flag, name, what it takes (of a choice, what the flag itself allows), and what it goes with.
const SETTINGS: [(&str, &str, Kind, With); 25] = [
    ("max-iter", "steps", number(1.0, 100_000.0, 50.0), With::All),
    ("objective", "objective", Kind::Text, With::Modern),
    ("size", "image size", Kind::Text, With::Modern),
    ("lr-policy", "rate policy", CHOICE, With::Classic),
    ("lr-params", "rate", Kind::Text, With::Classic),
    ("learning-rate", "rate", number(0.0, 10.0, 0.01), With::Modern),
    ("transforms", "transforms", Kind::Text, WHOLE),
    ("crops", "crops", number(1.0, 64.0, 1.0), CROPPED),
    ("optimizer", "optimizer", CHOICE, With::Modern),
    ("parameterization", "image made of", CHOICE, With::Modern),
    ("colour", "colours", CHOICE, With::Modern),
    ("decay-power", "decay power", number(0.0, 4.0, 0.1), SPECTRA),
    ("deviation", "start deviation", number(0.0, 10.0, 0.01), SPREAD),
    ("alpha", "transparent", Kind::Switch, WHOLE),
    ("decay", "decay", number(0.0, 1.0, 0.0001), With::Classic),
    ("blur-radius", "blur radius", number(0.0, 20.0, 0.1), With::Classic),
    ("blur-every", "blur every", number(0.0, 1000.0, 1.0), With::Classic),
    ("small-norm-percentile", "small norm", PERCENTILE, With::Classic),
    ("small-val-percentile", "small value", PERCENTILE, With::Classic),
    ("px-benefit-percentile", "contribution", PERCENTILE, With::Classic),
    (
        "px-abs-benefit-percentile",
        "abs. contribution",
        PERCENTILE,
        With::Classic,
    ),
    ("start-at", "start at", CHOICE, With::Classic),
    ("push-spatial", "position", Kind::Text, With::All),
    ("push-dir", "direction", number(-1.0, 1.0, 2.0), With::All),
    ("preset", "preset", CHOICE, With::All),
];

/// What a setting of the page takes; `None` where the page offers none of that name.
pub(super) fn kind(name: &str) -> Option<Kind> {
    let known = SETTINGS.into_iter().find(|(known, ..)| *known == name)?;
    Some(known.2)
}

/// The controls, in order.
pub(super) fn settings() -> Vec<Setting> {
    let command = Cli::command();
    let Some(optimize) = command.find_subcommand("optimize") else {
        return Vec::new();
    };
    let argument = |flag: &str| {
        optimize
            .get_arguments()
            .find(|argument| argument.get_long() == Some(flag))
    };
    let found = SETTINGS.into_iter().filter_map(|(flag, label, kind, with)| {
        let argument = argument(flag)?;
        let values = argument.get_possible_values();
        let values = values.iter().map(|value| value.get_name().to_owned()).collect();
        Some(Setting {
            name: flag,
            label,
            help: short_help(flag).map_or_else(|| help(argument), str::to_owned),
            kind: match kind {
                Kind::Choice { .. } => Kind::Choice { values },
                Kind::Number { .. } | Kind::Text | Kind::Switch => kind,
            },
            presets: with.presets(),
        })
    });
    found.collect()
}

/// What is said of flags whose help is too long for a line.
fn short_help(flag: &str) -> Option<&'static str> {
    Some(match flag {
        "objective" => {
            "A formula instead of a unit, such as channel(conv4, 9) - 0.1*l2(); layer and channel then do not count"
        }
        "lr-policy" => {
            "How long steps are: always the same rate, or such that the objective rises by as much each time (progress; \
             progress01 for outputs from 0 to 1)"
        }
        "lr-params" => r#"The policy's numbers, such as {"lr": 1} or {"max_lr": 100, "desired_prog": 2}"#,
        "transforms" => {
            "Random changes before the network sees the image: lucid, olah-2017, xplique, none, or a list such as pad 16, \
             jitter 8, scale 0.9..1.1, rotate -10..10"
        }
        "size" => {
            "Pixels, such as 512 or (480,640); the network sees the image resized to its own size, or crops of it"
        }
        "crops" => "How many parts of the image the network sees in each step",
        "optimizer" => "How a step follows from a gradient",
        "parameterization" => "Which numbers the image is: pixels, a spectrum, resolutions, or phases alone",
        "colour" => "Colours that vary independently, as natural pictures' do, or the image's own",
        "decay-power" => "How much stronger low frequencies of the spectrum are",
        "deviation" => "Standard deviation of the numbers that it begins with",
        "alpha" => "The picture becomes opaque only where that helps; other random grounds show through it elsewhere",
        "blur-radius" => "Radius of the blur in pixels; 0 for none, less than 0.3 works poorly",
        "blur-every" => "Steps from one blur to the next; 0 for none",
        "decay" => "The part of the image that is taken away in each step",
        "small-norm-percentile" => "Pixels with a norm below this percentile become 0",
        "small-val-percentile" => "Values below this percentile become 0; not in the paper",
        "px-benefit-percentile" => "Pixels that contribute less than this percentile become 0",
        "px-abs-benefit-percentile" => "Pixels whose absolute contribution is below this percentile become 0",
        "push-spatial" => "Row and column of the unit in a conv layer, as (6,6), or center",
        "push-dir" => "1 climbs to large values, -1 to small ones",
        "start-at" => "The image that it begins with: the mean and noise, noise alone, or the mean",
        _ => return None,
    })
}

/// What a flag's help says, without its default: presets have their own.
fn help(argument: &clap::Arg) -> String {
    let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
    let without_default = help.split(" [default").next().unwrap_or_default();
    let of_presets = without_default.split_once("olah-2017: ");
    let text = of_presets.map_or(without_default, |(_, rest)| rest).trim();
    let mut letters = text.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// What each preset gives.
pub(super) fn presets() -> Vec<Preset> {
    PRESETS
        .iter()
        .map(|preset| {
            let mut settings = BTreeMap::from([("max-iter", preset.steps.to_string())]);
            match &preset.method {
                Method::Classic {
                    regularizers: r,
                    schedule,
                } => {
                    settings.extend([
                        ("decay", r.decay.to_string()),
                        ("blur-radius", r.blur_radius.to_string()),
                        ("blur-every", r.blur_every.to_string()),
                        ("small-val-percentile", r.small_val_percentile.to_string()),
                        ("small-norm-percentile", r.small_norm_percentile.to_string()),
                        ("px-benefit-percentile", r.px_benefit_percentile.to_string()),
                        ("px-abs-benefit-percentile", r.px_abs_benefit_percentile.to_string()),
                        ("lr-policy", schedule.policy().to_owned()),
                        ("lr-params", lr_params(schedule)),
                        ("start-at", "mean_plus_rand".to_owned()),
                    ]);
                }
                Method::Modern(modern) => {
                    let views = match modern.views() {
                        Views::None => Some("none".to_owned()),
                        Views::Lucid => Some("lucid".to_owned()),
                        Views::Olah2017 => Some("olah-2017".to_owned()),
                        Views::Xplique => Some("xplique".to_owned()),
                        Views::List(list) => Some(list.to_string()),
                        // No list of transformations stands for them.
                        Views::Crops(_) | Views::Octaves(_) => None,
                    };
                    settings.insert("learning-rate", modern.optimizer().rate().to_string());
                    settings.extend(views.map(|views| ("transforms", views)));
                    settings.extend(of_image(*modern));
                }
            }
            Preset {
                name: preset.name,
                help: about(preset.name),
                photo: match preset.method {
                    Method::Modern(Modern::Accentuate) => Photo::Must,
                    Method::Modern(Modern::Maco) => Photo::Never,
                    Method::Modern(Modern::Fourier | Modern::Olah2017 | Modern::Deepdream) | Method::Classic { .. } => {
                        Photo::May
                    }
                },
                settings,
            }
        })
        .collect()
}

/// What a preset's image is made of, and how it moves.
fn of_image(modern: Modern) -> Vec<(&'static str, String)> {
    let spec = modern.image();
    let mut settings = vec![
        ("optimizer", modern.optimizer().name().to_owned()),
        (
            "colour",
            match spec.colour {
                Colour::Decorrelated => "decorrelated",
                Colour::None => "none",
            }
            .to_owned(),
        ),
    ];
    let (basis, spread) = match spec.parameterization {
        Parameterization::Pixels { deviation } => ("pixels", Some(deviation)),
        Parameterization::Laplacian { deviation, .. } => ("laplacian", Some(deviation)),
        Parameterization::Maco { .. } => ("maco", None),
        Parameterization::Fourier {
            decay_power, deviation, ..
        } => {
            settings.push(("decay-power", decay_power.to_string()));
            ("fourier", Some(deviation))
        }
    };
    settings.push(("parameterization", basis.to_owned()));
    settings.extend(spread.map(|spread| ("deviation", spread.to_string())));
    if let Views::Crops(crops) = modern.views() {
        settings.push(("crops", crops.count.to_string()));
    }
    settings
}

fn lr_params(schedule: &Schedule) -> String {
    match schedule {
        Schedule::Constant { lr } => format!("{{\"lr\": {lr}}}"),
        Schedule::Progress { max_lr, desired_prog } => {
            format!("{{\"max_lr\": {max_lr}, \"desired_prog\": {desired_prog}}}")
        }
        Schedule::Progress01 {
            max_lr,
            early_prog,
            late_prog_mult,
        } => format!("{{\"max_lr\": {max_lr}, \"early_prog\": {early_prog}, \"late_prog_mult\": {late_prog_mult}}}"),
    }
}

fn about(preset: &str) -> &'static str {
    match preset {
        "paper-1" => "Yosinski et al. 2015, Table 1, row 1: small pixels are cut away, a little blur",
        "paper-2" => "Yosinski et al. 2015, Table 1, row 2: strong decay, a part of the pixels is cut away",
        "paper-3" => "Yosinski et al. 2015, Table 1, row 3: blur and little decay, smooth pictures",
        "paper-4" => "Yosinski et al. 2015, Table 1, row 4: only pixels that contribute are left",
        "demo" => "Blur and little decay, in steps that suit the bundled network",
        "fourier" => "A decorrelated Fourier image under small random changes, as in lucid and lucent",
        "maco" => "Free phases under a fixed magnitude, seen through random crops (Fel et al. 2023)",
        "deepdream" => {
            "What a channel sees in a photograph (or noise), exaggerated in octaves of growing size; the objective \
             layer(conv4) dreams of a whole layer"
        }
        "accentuate" => "What a channel sees in a photograph, made stronger there (Hamblin et al. 2024)",
        "olah-2017" => "The same as fourier under the changes of Olah et al. 2017",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_control_is_explained_and_every_preset_fits_them() {
        let settings = settings();
        // Each is a flag that there is.
        assert_eq!(settings.len(), SETTINGS.len());
        for setting in &settings {
            assert!(setting.help.len() > 10, "{}: {}", setting.name, setting.help);
            if let Kind::Choice { values } = &setting.kind {
                assert!(!values.is_empty(), "{}", setting.name);
            }
        }
        for preset in presets() {
            assert!(!preset.help.is_empty(), "{}", preset.name);
            for name in preset.settings.keys() {
                let setting = settings.iter().find(|setting| setting.name == *name).unwrap();
                assert!(
                    setting.presets.is_empty() || setting.presets.contains(&preset.name),
                    "{name} of {}",
                    preset.name
                );
            }
        }
    }
}
