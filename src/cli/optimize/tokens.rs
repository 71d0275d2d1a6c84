//! The tokens of a transformer's layer, which are its places.

use crate::cli::error::{Error, Result};
use crate::cli::literals::Spatial;
use crate::network::Axes;
use crate::objective::Reach;

/// The tokens of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tokens {
    /// How many.
    pub(super) count: usize,
    /// Whether the first is a class token.
    pub(super) has_class_token: bool,
}

impl Tokens {
    /// Of a layer of `shape` (with the batch axis); `None` where its places are rows and columns.
    pub(super) fn of(axes: Axes, shape: &[usize]) -> Option<Self> {
        axes.is_tokens(shape).then(|| Self {
            count: shape[1],
            has_class_token: axes.class_token,
        })
    }

    /// What is pushed where nobody said which token.
    pub(super) fn by_default(self, layer: &str, reach: Reach) -> String {
        let count = self.count;
        let first = if self.has_class_token {
            "the class token"
        } else {
            "the first"
        };
        let others = format!("a number from 0 to {}", count.saturating_sub(1));
        match (reach, self.has_class_token) {
            (Reach::Channel, true) => format!(
                "\"{layer}\" has {count} tokens, and the mean over all of them is pushed; --push-spatial cls pushes the class \
                 token, {others} another"
            ),
            (Reach::Channel, false) => format!(
                "\"{layer}\" has {count} tokens, and the mean over all of them is pushed; --push-spatial with {others} pushes one"
            ),
            (Reach::Position, _) => format!(
                "\"{layer}\" has {count} tokens, and {first} is pushed; --push-spatial with {others} pushes another, mean (with \
                 --preset fourier) the mean of all"
            ),
        }
    }

    /// The token in the middle of the image: tokens are the patches of a square, row by row, after the class token.
    fn middle(self) -> usize {
        let first = usize::from(self.has_class_token);
        let side = (self.count - first).isqrt();
        if side * side == self.count - first {
            first + side / 2 * side + side / 2
        } else {
            self.count / 2
        }
    }
}

/// Row and column that `--push-spatial` means in a layer of such places.
pub(super) fn place(
    given: Spatial,
    layer: &str,
    tokens: Option<Tokens>,
    [rows, columns]: [usize; 2],
) -> Result<[usize; 2]> {
    match (given, tokens) {
        (Spatial::Unset | Spatial::Mean, _) => Ok([0, 0]),
        (Spatial::At(place), _) => Ok(place),
        (Spatial::Center, None) => Ok([rows / 2, columns / 2]),
        (Spatial::Center, Some(tokens)) => Ok([tokens.middle(), 0]),
        (Spatial::Token(token), Some(Tokens { count, .. })) if token >= count => Err(Error::Usage(format!(
            "--push-spatial {token}: layer \"{layer}\" has {count} tokens (from 0 to {})",
            count.saturating_sub(1)
        ))),
        (Spatial::Token(token), Some(_)) => Ok([token, 0]),
        (Spatial::ClassToken, Some(tokens)) if tokens.has_class_token => Ok([0, 0]),
        (Spatial::ClassToken, Some(tokens)) => Err(Error::Usage(format!(
            "--push-spatial cls: the {} tokens of layer \"{layer}\" have no class token among them; a number is one of them, mean \
             all",
            tokens.count
        ))),
        (Spatial::Token(_) | Spatial::ClassToken, None) => Err(Error::Usage(format!(
            "--push-spatial: layer \"{layer}\" has no tokens, but {rows} x {columns} places: \"(row,column)\" is one of them"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_is_that_of_the_square_of_patches() {
        let middle = |count, has_class_token| Tokens { count, has_class_token }.middle();
        // 14 x 14 patches: row 7, column 7.
        assert_eq!(middle(196, false), 7 * 14 + 7);
        assert_eq!(middle(197, true), 1 + 7 * 14 + 7);
        assert_eq!(middle(198, true), 99);
    }
}
