use deepvis::network::layers::entrywise::redirected_relu;

use super::{case, devices, with_gradient};

/// lucid's gradients are of a loss that is minimised, ours of an objective that is maximised.
#[test]
fn a_relu_that_blocks_all_of_an_image_is_redirected_as_in_lucid() {
    let Some(case) = case("relu/lucid_Relu_step0") else {
        return;
    };
    let (x, push) = (case.array("x"), case.array("grad_out"));
    for device in devices() {
        let (y, gradient) = with_gradient(x.four(&device), &push.negative(), redirected_relu);
        case.same("y", y, &case.array("y"));
        case.same("gradient", gradient, &case.array("grad").negative());
    }
}
