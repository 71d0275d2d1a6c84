//! What results are called unless somebody says otherwise.

use sha2::{Digest, Sha256};

use crate::ascent::Recipe;
use crate::hexadecimal::hexadecimal;

/// Names of results after their prefix: layer, channel and seed.
pub const TEMPLATE: &str = "%(p.push_layer)s_%(p.push_channel)04d_%(p.rand_seed)d";
/// Letters of a formula in a file's name, at most.
const LONGEST_NAME: usize = 80;

/// The template of a recipe's names: a formula names its files itself.
pub fn template(recipe: &Recipe) -> String {
    match &recipe.formula {
        Some(formula) => format!("{}_%(p.rand_seed)d", as_a_name(&formula.to_string())),
        None => TEMPLATE.to_owned(),
    }
}

/// A formula as a part of a file's name: what is no letter or digit becomes a line, and the end of a long one a number that tells
/// it from others.
fn as_a_name(formula: &str) -> String {
    let plain = |letter: char| {
        if letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.' | '+') {
            letter
        } else {
            '_'
        }
    };
    let name: String = formula.chars().map(plain).collect();
    let name = name.trim_matches(['_', '-', '.']);
    if name.len() <= LONGEST_NAME {
        return name.to_owned();
    }
    let digest = Sha256::digest(formula.as_bytes());
    format!("{}_{}", &name[..LONGEST_NAME], hexadecimal(&digest[..4]))
}
