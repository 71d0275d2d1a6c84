//! The line that says how far the work is, as wide as the terminal allows.

use std::time::Duration;

/// How far the work is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Standing<'a> {
    /// The layer at work.
    pub(super) layer: &'a str,
    /// Units done, of how many.
    pub(super) units: (usize, usize),
    /// Iterations done of the units at work, of how many each.
    pub(super) iterations: (usize, usize),
    /// Since the work began.
    pub(super) elapsed: Duration,
    /// What is left, once something is known about it.
    pub(super) left: Option<Duration>,
}

/// The part of all work that must be done before the rest is told by it.
const TELLING: f64 = 0.02;
/// Before that time nothing is told.
const EARLIEST: Duration = Duration::from_secs(1);

/// The time left, when `done` (from 0 to 1) of the work took `elapsed`; `None` before that tells anything.
pub(super) fn left(done: f64, elapsed: Duration) -> Option<Duration> {
    if !(TELLING..=1.0).contains(&done) || elapsed < EARLIEST {
        return None;
    }
    Duration::try_from_secs_f64(elapsed.as_secs_f64() * (1.0 - done) / done).ok()
}

/// `conv5 32/192 units · 96/200 iterations · 0:04 elapsed, 0:14 left`, cut to `columns`: what matters least goes first (the
/// time elapsed, the iterations, the layer).
pub(super) fn line(standing: &Standing<'_>, columns: usize) -> String {
    let Standing {
        layer,
        units,
        iterations,
        ..
    } = *standing;
    let counted = |(done, all): (usize, usize), what: &str| format!("{done}/{all} {what}");
    let units = (units.1 > 1).then(|| counted(units, "units"));
    let iterations = counted(iterations, "iterations");
    let elapsed = format!("{} elapsed", clock(standing.elapsed));
    let left = standing.left.map(|left| format!("{} left", clock(left)));
    let time = match &left {
        Some(left) => format!("{elapsed}, {left}"),
        None => elapsed.clone(),
    };
    let short_time = left.unwrap_or(elapsed);
    let head = units
        .as_ref()
        .map_or_else(|| layer.to_owned(), |units| format!("{layer} {units}"));
    let least = units.clone().unwrap_or_else(|| iterations.clone());
    let mut forms = vec![
        format!("{head} · {iterations} · {time}"),
        format!("{head} · {iterations} · {short_time}"),
    ];
    if units.is_some() {
        forms.push(format!("{head} · {short_time}"));
    }
    forms.extend([format!("{least} · {short_time}"), least.clone()]);
    let fits = |form: &String| form.chars().count() <= columns;
    let fitting = forms.into_iter().find(fits);
    fitting.unwrap_or_else(|| least.chars().take(columns).collect())
}

/// Minutes and seconds, or hours, minutes and seconds.
pub(super) fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing() -> Standing<'static> {
        Standing {
            layer: "conv5",
            units: (32, 192),
            iterations: (96, 200),
            elapsed: Duration::from_secs(4),
            left: Some(Duration::from_secs(14)),
        }
    }

    #[test]
    fn says_what_is_known() {
        assert_eq!(
            line(&standing(), 80),
            "conv5 32/192 units · 96/200 iterations · 0:04 elapsed, 0:14 left"
        );
        let begun = Standing {
            left: None,
            ..standing()
        };
        assert_eq!(
            line(&begun, 80),
            "conv5 32/192 units · 96/200 iterations · 0:04 elapsed"
        );
        let alone = Standing {
            units: (0, 1),
            ..standing()
        };
        assert_eq!(line(&alone, 80), "conv5 · 96/200 iterations · 0:04 elapsed, 0:14 left");
        let long = Standing {
            elapsed: Duration::from_secs(3723),
            left: None,
            ..standing()
        };
        assert!(line(&long, 80).ends_with("1:02:03 elapsed"));
    }

    #[test]
    fn is_never_wider_than_the_terminal() {
        let layer = "inception_4e/3x3_reduce/bn/scale".repeat(3);
        for standing in [
            standing(),
            Standing {
                layer: &layer,
                ..standing()
            },
            Standing {
                units: (0, 1),
                ..standing()
            },
        ] {
            for columns in 0..200 {
                let line = line(&standing, columns);
                assert!(line.chars().count() <= columns, "{columns}: {line}");
                assert!(columns < 12 || line.contains('/'), "{columns}: {line}");
            }
        }
    }

    #[test]
    fn tells_no_time_left_before_it_is_known() {
        assert_eq!(left(0.0, Duration::from_secs(100)), None);
        assert_eq!(left(0.5, Duration::from_millis(10)), None);
        assert_eq!(left(f64::NAN, Duration::from_secs(100)), None);
        assert_eq!(left(0.25, Duration::from_secs(10)), Some(Duration::from_secs(30)));
        assert_eq!(left(1.0, Duration::from_secs(10)), Some(Duration::ZERO));
    }
}
