//! The controls of the page: flags of `deepvis optimize` that may be changed there, with what their help says about them.

use std::collections::BTreeMap;

use clap::CommandFactory;

use crate::ascent::{Method, Modern, PRESETS, Schedule};
use crate::cli::flags::Cli;
use crate::explore::{Kind, Preset, Setting};
use crate::transform::Views;

/// Which presets a setting goes with.
#[derive(Clone, Copy, PartialEq)]
enum With {
    All,
    Classic,
    Modern,
}

const fn number(min: f64, max: f64, step: f64) -> Kind {
    Kind::Number { min, max, step }
}

const PERCENTILE: Kind = number(0.0, 100.0, 1.0);
const CHOICE: Kind = Kind::Choice { values: Vec::new() };

/// Flag, name, what it takes (of a choice, what the flag itself allows), and what it goes with. A flag that this program does
/// not have is left out.
const SETTINGS: [(&str, &str, Kind, With); 18] = [
    ("max-iter", "steps", number(1.0, 100_000.0, 50.0), With::All),
    ("objective", "objective", Kind::Text, With::Modern),
    ("image-size", "image size", Kind::Text, With::Modern),
    ("lr-policy", "rate policy", CHOICE, With::Classic),
    ("lr-params", "rate", Kind::Text, With::Classic),
    ("learning-rate", "rate", number(0.0, 10.0, 0.01), With::Modern),
    ("transforms", "transforms", Kind::Text, With::Modern),
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

/// Whether the page offers a setting.
pub(super) fn is_known(name: &str) -> bool {
    SETTINGS.iter().any(|(known, ..)| *known == name)
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
                Kind::Number { .. } | Kind::Text => kind,
            },
            presets: match with {
                With::All => Vec::new(),
                With::Classic | With::Modern => PRESETS
                    .iter()
                    .filter(|preset| matches!(preset.method, Method::Classic { .. }) == (with == With::Classic))
                    .map(|preset| preset.name)
                    .collect(),
            },
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

/// What each preset gives, of those that need no picture to start from: the page has none to name.
pub(super) fn presets() -> Vec<Preset> {
    PRESETS
        .iter()
        .filter(|preset| !matches!(preset.method, Method::Modern(Modern::Accentuate)))
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
                }
            }
            Preset {
                name: preset.name,
                help: about(preset.name),
                settings,
            }
        })
        .collect()
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
        "deepdream" => "What a layer sees in a picture, exaggerated in octaves of growing size; begins with noise here",
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
