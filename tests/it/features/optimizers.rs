use burn::tensor::Tensor;
use deepvis::ascent::Adaptive;

use super::{Reference, case, devices, same};

const BETAS: [f64; 2] = [0.9, 0.999];

#[test]
fn steps_are_the_libraries() {
    let cases = [
        ("optimizers/torch_Adam", Adaptive::adam(0.05)),
        (
            "optimizers/keras_Adam",
            Adaptive::Adam {
                rate: 0.05,
                betas: BETAS,
                epsilon: 1e-7,
            },
        ),
        ("optimizers/tf1_Adam", Adaptive::adam(0.05)),
        ("optimizers/torch_NAdam", Adaptive::nadam(1.0)),
        (
            "optimizers/keras_Nadam",
            Adaptive::NAdam {
                rate: 1.0,
                betas: BETAS,
                epsilon: 1e-7,
                momentum_decay: 1.0,
            },
        ),
        (
            "optimizers/keras_RMSprop",
            Adaptive::RmsProp {
                rate: 1.0,
                rho: 0.999,
                epsilon: 1e-7,
            },
        ),
    ];
    for device in devices() {
        for (name, stepper) in cases {
            let Some(case) = case(name) else { return };
            let (gradients, expected) = (case.array("gradients"), case.array("x"));
            let row = |all: &Reference, index: usize| Reference {
                values: all.values[index * 5..(index + 1) * 5].to_vec(),
                shape: vec![1, 5],
            };
            // Beside another row, which is two steps ahead.
            let mut z = case.array("x0").rows(1, &device);
            let mut other = Tensor::zeros([1, 5], &device);
            let mut state = stepper.start(&z);
            let mut ahead = stepper.start(&other);
            for index in 0..2 {
                other = stepper.step(other, row(&gradients, index).rows(1, &device), &mut ahead);
            }
            for index in 0..6 {
                let gradient = row(&gradients, index).negative().rows(1, &device);
                let mut both = deepvis::ascent::Moments::together(&[ahead, state]).unwrap();
                let gradients = Tensor::cat(vec![gradient.clone(), gradient], 0);
                let stepped = stepper.step(Tensor::cat(vec![other, z], 0), gradients, &mut both);
                other = stepped.clone().narrow(0, 0, 1);
                z = stepped.narrow(0, 1, 1);
                (ahead, state) = (both.rows(&[0]), both.rows(&[1]));
                same(&format!("{name} {index}"), z.clone(), &row(&expected, index));
            }
        }
    }
}
