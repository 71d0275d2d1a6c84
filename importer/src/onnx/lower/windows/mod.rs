//! Operators that slide a window over the image: convolutions, pools, and LRN.

mod convolution;
mod pool;
mod window;

use super::{Live, Lowering};
use crate::graph::{LayerKind, Lrn, LrnRegion};
use crate::onnx::node::Node;
use crate::onnx::tensor::Step;

pub(super) use window::LARGEST;

impl Lowering<'_> {
    /// A value of `[batch, channels, length]` as an image of one row.
    fn as_image(&mut self, node: &Node, x: &Live) -> Step<Live> {
        match x.shape.as_slice() {
            [batch, channels, length] => {
                let image = self.view(node, x, vec![*batch, *channels, 1, *length])?;
                Ok(self.fronted(node, &image))
            }
            [_, _, _, _] => Ok(self.fronted(node, x)),
            shape => Err(format!(
                "it works along {} axes of a value of shape {shape:?}; 1 and 2 are computed",
                shape.len().saturating_sub(2)
            )),
        }
    }

    pub(super) fn lrn(&mut self, node: &Node) -> Step<Live> {
        let x = self.live(node, 0)?;
        let size = usize::try_from(node.int("size", 0))
            .ok()
            .filter(|size| (1..1 << 24).contains(size));
        let size = size.ok_or("its size must be 1 or more")?;
        let [batch, channels, space @ ..] = x.shape.as_slice() else {
            return Err(format!("it takes an image, not a value of shape {:?}", x.shape));
        };
        let settings = Lrn {
            region: LrnRegion::AcrossChannels,
            size,
            alpha: node.float("alpha", 1e-4),
            beta: node.float("beta", 0.75),
            k: node.float("bias", 1.0),
        };
        if size.is_multiple_of(2) {
            return Err(format!("its size is {size}; even ones are not computed"));
        }
        let image = if space.len() == 2 {
            self.fronted(node, &x)
        } else {
            let image = self.view(node, &x, vec![*batch, *channels, space.iter().product(), 1])?;
            self.fronted(node, &image)
        };
        let y = self.emit(
            node,
            LayerKind::Lrn(settings),
            &[&image],
            image.shape.clone(),
            image.images,
        );
        self.view(node, &y, x.shape.clone())
    }
}
