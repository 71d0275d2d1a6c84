//! Inception v3 and v4 (Szegedy et al. 2016, 2017): kernels of 1 x 7 and 7 x 1, sides that are no multiples of two.

use super::net::Net;

/// A convolution: channels, and rows and columns of its kernel.
type Conv = (usize, [usize; 2]);

/// One path of a module: convolutions of that many channels with kernels of rows and columns, at stride 1, their size kept.
fn path(n: &mut Net, name: &str, bottom: &str, layers: &[Conv]) -> String {
    let mut last = bottom.to_owned();
    for (number, (channels, kernel)) in layers.iter().enumerate() {
        last = n.conv_of(&format!("{name}_{number}"), &last, *channels, *kernel);
    }
    last
}

/// A module whose size stays: its paths, and one of a pooling and a 1 x 1 convolution.
fn module(n: &mut Net, name: &str, bottom: &str, paths: &[&[Conv]], pooled: usize) -> String {
    let mut parts: Vec<String> = (0..paths.len())
        .map(|number| path(n, &format!("{name}_path{number}"), bottom, paths[number]))
        .collect();
    let pool = n.pool("AVE", &format!("{name}_pool"), bottom, [3, 1, 1]);
    parts.push(n.conv_norm_relu(&format!("{name}_pool_proj"), &pool, pooled, [1, 1, 0]));
    n.concat(name, &parts)
}

/// A module that halves the size: paths that end in a 3 x 3 convolution of stride 2, and a pooling.
fn reduction(n: &mut Net, name: &str, bottom: &str, paths: &[(&[Conv], usize)]) -> String {
    let mut parts = Vec::new();
    for (number, (layers, channels)) in paths.iter().enumerate() {
        let name = format!("{name}_path{number}");
        let last = path(n, &name, bottom, layers);
        parts.push(n.conv_norm_relu(&format!("{name}_halved"), &last, *channels, [3, 2, 0]));
    }
    parts.push(n.pool("MAX", &format!("{name}_pool"), bottom, [3, 2, 0]));
    n.concat(name, &parts)
}

const ONE: [usize; 2] = [1, 1];

pub fn v3() -> Net {
    let mut n = Net::new([299, 299], 8);
    let mut last = n.conv_norm_relu("conv1", "data", 32, [3, 2, 0]);
    last = n.conv_norm_relu("conv2", &last, 32, [3, 1, 0]);
    last = n.conv_norm_relu("conv3", &last, 64, [3, 1, 1]);
    last = n.pool("MAX", "pool1", &last, [3, 2, 0]);
    last = n.conv_norm_relu("conv4", &last, 80, [1, 1, 0]);
    last = n.conv_norm_relu("conv5", &last, 192, [3, 1, 0]);
    last = n.pool("MAX", "pool2", &last, [3, 2, 0]);
    for (number, pooled) in (1..).zip([32, 64, 64]) {
        let paths: [&[_]; 3] = [
            &[(64, ONE)],
            &[(48, ONE), (64, [5, 5])],
            &[(64, ONE), (96, [3, 3]), (96, [3, 3])],
        ];
        last = module(&mut n, &format!("a{number}"), &last, &paths, pooled);
    }
    last = reduction(&mut n, "b", &last, &[(&[], 384), (&[(64, ONE), (96, [3, 3])], 96)]);
    for (number, narrow) in (1..).zip([128, 160, 160, 192]) {
        let (wide, tall) = ([1, 7], [7, 1]);
        let paths: [&[_]; 3] = [
            &[(192, ONE)],
            &[(narrow, ONE), (narrow, wide), (192, tall)],
            &[
                (narrow, ONE),
                (narrow, tall),
                (narrow, wide),
                (narrow, tall),
                (192, wide),
            ],
        ];
        last = module(&mut n, &format!("c{number}"), &last, &paths, 192);
    }
    last = reduction(
        &mut n,
        "d",
        &last,
        &[(&[(192, ONE)], 320), (&[(192, ONE), (192, [1, 7]), (192, [7, 1])], 192)],
    );
    for number in 1..=2 {
        let name = format!("e{number}");
        // Two of the paths end in kernels of 1 x 3 and 3 x 1 side by side.
        let mut parts = vec![path(&mut n, &format!("{name}_path0"), &last, &[(320, ONE)])];
        for (number, layers) in [(1, &[(384, ONE)][..]), (2, &[(448, ONE), (384, [3, 3])][..])] {
            let before = path(&mut n, &format!("{name}_path{number}"), &last, layers);
            parts.push(n.conv_of(&format!("{name}_path{number}_wide"), &before, 384, [1, 3]));
            parts.push(n.conv_of(&format!("{name}_path{number}_tall"), &before, 384, [3, 1]));
        }
        let pool = n.pool("AVE", &format!("{name}_pool"), &last, [3, 1, 1]);
        parts.push(n.conv_norm_relu(&format!("{name}_pool_proj"), &pool, 192, [1, 1, 0]));
        last = n.concat(&name, &parts);
    }
    last = n.pool("AVE", "pool3", &last, [8, 1, 0]);
    n.dense("fc", &last, 1000);
    // The paper's table 1; its 2048 channels at the end, here an eighth.
    for (name, shape) in [
        ("conv1", [4, 149, 149]),
        ("conv2", [4, 147, 147]),
        ("conv3", [8, 147, 147]),
        ("pool1", [8, 73, 73]),
        ("conv5", [24, 71, 71]),
        ("pool2", [24, 35, 35]),
        ("a1", [32, 35, 35]),
        ("a3", [36, 35, 35]),
        ("b", [96, 17, 17]),
        ("c4", [96, 17, 17]),
        ("d", [160, 8, 8]),
        ("e2", [256, 8, 8]),
        ("pool3", [256, 1, 1]),
    ] {
        n.is(name, shape);
    }
    n
}

pub fn v4() -> Net {
    let (wide, tall) = ([1, 7], [7, 1]);
    let mut n = Net::new([299, 299], 8);
    let mut last = n.conv_norm_relu("conv1", "data", 32, [3, 2, 0]);
    last = n.conv_norm_relu("conv2", &last, 32, [3, 1, 0]);
    last = n.conv_norm_relu("conv3", &last, 64, [3, 1, 1]);
    last = reduction(&mut n, "stem1", &last, &[(&[], 96)]);
    let mut parts = Vec::new();
    for (number, layers) in [(1, &[(64, ONE)][..]), (2, &[(64, ONE), (64, wide), (64, tall)][..])] {
        let name = format!("stem2_path{number}");
        let inner = path(&mut n, &name, &last, layers);
        parts.push(n.conv_norm_relu(&format!("{name}_3x3"), &inner, 96, [3, 1, 0]));
    }
    last = n.concat("stem2", &parts);
    last = reduction(&mut n, "stem3", &last, &[(&[], 192)]);
    for number in 1..=4 {
        let paths: [&[_]; 3] = [
            &[(96, ONE)],
            &[(64, ONE), (96, [3, 3])],
            &[(64, ONE), (96, [3, 3]), (96, [3, 3])],
        ];
        last = module(&mut n, &format!("a{number}"), &last, &paths, 96);
    }
    last = reduction(
        &mut n,
        "reduction_a",
        &last,
        &[(&[], 384), (&[(192, ONE), (224, [3, 3])], 256)],
    );
    for number in 1..=7 {
        let paths: [&[_]; 3] = [
            &[(384, ONE)],
            &[(192, ONE), (224, wide), (256, tall)],
            &[(192, ONE), (192, tall), (224, wide), (224, tall), (256, wide)],
        ];
        last = module(&mut n, &format!("b{number}"), &last, &paths, 128);
    }
    let paths: [(&[_], _); 2] = [(&[(192, ONE)], 192), (&[(256, ONE), (256, wide), (320, tall)], 320)];
    last = reduction(&mut n, "reduction_b", &last, &paths);
    for number in 1..=3 {
        let name = format!("c{number}");
        let mut parts = vec![path(&mut n, &format!("{name}_path0"), &last, &[(256, ONE)])];
        for (number, layers) in [
            (1, &[(384, ONE)][..]),
            (2, &[(384, ONE), (448, [3, 1]), (512, [1, 3])][..]),
        ] {
            let before = path(&mut n, &format!("{name}_path{number}"), &last, layers);
            parts.push(n.conv_of(&format!("{name}_path{number}_wide"), &before, 256, [1, 3]));
            parts.push(n.conv_of(&format!("{name}_path{number}_tall"), &before, 256, [3, 1]));
        }
        let pool = n.pool("AVE", &format!("{name}_pool"), &last, [3, 1, 1]);
        parts.push(n.conv_norm_relu(&format!("{name}_pool_proj"), &pool, 256, [1, 1, 0]));
        last = n.concat(&name, &parts);
    }
    last = n.pool("AVE", "pool_8x8_s1", &last, [8, 1, 0]);
    n.in_place("Dropout", "_drop", &last, "dropout_param { dropout_ratio: 0.2 }");
    n.dense("classifier", &last, 1000);
    // The paper's figures 3 to 9, channels divided by 8.
    for (name, shape) in [
        ("conv3", [8, 147, 147]),
        ("stem1", [20, 73, 73]),
        ("stem2", [24, 71, 71]),
        ("stem3", [48, 35, 35]),
        ("a4", [48, 35, 35]),
        ("reduction_a", [128, 17, 17]),
        ("b7", [128, 17, 17]),
        ("reduction_b", [192, 8, 8]),
        ("c3", [192, 8, 8]),
        ("pool_8x8_s1", [192, 1, 1]),
    ] {
        n.is(name, shape);
    }
    n
}
