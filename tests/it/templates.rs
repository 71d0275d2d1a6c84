//! Templates, against Python's own `%`.

use std::process::Command;

use deepvis::python::{Value, template};

use crate::support::skip;

/// Every flag, width, precision and conversion with values of each kind: what is filled in is what Python 3 fills in, and
/// what Python 3 cannot fill is refused.
#[test]
fn templates_are_filled_as_python_fills_them() {
    let values: Vec<(&str, Value)> = vec![
        ("0", Value::Int(0)),
        ("7", Value::Int(7)),
        ("-255", Value::Int(-255)),
        ("2**40", Value::Int(1 << 40)),
        ("0.0", Value::Float(0.0)),
        ("-0.0", Value::Float(-0.0)),
        ("-2.5", Value::Float(-2.5)),
        ("123456.789", Value::Float(123_456.789)),
        ("1e20", Value::Float(1e20)),
        ("1e-05", Value::Float(1e-5)),
        ("float('inf')", Value::Float(f64::INFINITY)),
        ("float('-inf')", Value::Float(f64::NEG_INFINITY)),
        ("float('nan')", Value::Float(f64::NAN)),
        ("'fc8'", Value::Str("fc8".into())),
        ("'x'", Value::Str("x".into())),
        ("True", Value::Bool(true)),
        ("None", Value::None),
    ];
    let mut formats = Vec::new();
    for flags in ["", "0", "-", "+", " ", "#", "#0", "-0", "+ ", "+0", "#-"] {
        for width in ["", "3", "12"] {
            for precision in ["", ".", ".0", ".3", ".12"] {
                for conversion in "d i u x X o c e E f F g G s r a ld".split(' ') {
                    formats.push(format!("%(v){flags}{width}{precision}{conversion}"));
                }
            }
        }
    }
    let names: Vec<&str> = values.iter().map(|(name, _)| *name).collect();
    let code = format!(
        "for f in {formats:?}:\n for v in [{}]:\n  try: print('=' + f % {{'v': v}})\n  except Exception: print('!')",
        names.join(", ")
    );
    let output = match Command::new("python3").args(["-c", &code]).output() {
        Ok(output) if output.status.success() => String::from_utf8(output.stdout).unwrap(),
        _ => {
            skip("there is no python3 here, so templates are not compared with it");
            return;
        }
    };
    let mut lines = output.split('\n');
    let mut refused = 0;
    for format in &formats {
        for (name, value) in &values {
            let expected = lines.next().unwrap();
            let found = template::fill(format, |_| Some(value.clone()));
            match (expected.strip_prefix('='), found) {
                (Some(expected), Ok(found)) => assert_eq!(found, expected, "{format} of {name}"),
                (None, Ok(found)) => panic!("{format} of {name} is an error in Python, not {found}"),
                (None, Err(_)) => {}
                // Where Python 2 prints something else.
                (Some(_), Err(_)) => {
                    let conversion = format.chars().last().unwrap();
                    let is_whole = "diuxXod".contains(conversion);
                    let is_nothing = is_whole && !format.contains(".3") && !format.contains(".12");
                    let is_zero = value.as_number().is_some_and(|number| number.trunc() == 0.0) && format.contains('.');
                    let differs = conversion == 'a'
                        || (conversion == 'o' && format.contains('#'))
                        || (is_nothing && is_zero)
                        || (conversion == 'c' && value == &Value::Bool(true));
                    assert!(differs, "{format} of {name} is refused, and Python fills in {expected}");
                    refused += 1;
                }
            }
        }
    }
    let compared = formats.len() * values.len();
    assert!(refused * 10 < compared, "{refused} of {compared} are refused");
}
