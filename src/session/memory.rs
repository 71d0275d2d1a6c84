//! How many units climb together: as many as the network keeps apart, and as there is memory for.

use super::error::Result;
use crate::ascent::{self, Image, Recipe};
use crate::backend::Compute;
use crate::network::{self, Network, Sizes, taking};

/// Most units that climb together unless a number is asked for: beyond it a CPU gains nothing.
const LARGEST_BATCH: usize = 16;
/// The same on a GPU.
const LARGEST_GPU_BATCH: usize = 64;
/// Bytes for each entry of an image of grey levels: itself, its mean, what is kept of it (first, best, last), and what is
/// written of these, in float64.
const GREY_LEVELS: u64 = 125;
/// The same of an image whose arrays are so large that the allocator gives each back when it is freed (see `heap.rs`): what is
/// there at once.
const LARGE_GREY_LEVELS: u64 = 64;
/// From so many entries on, of 8 bytes each.
const LARGE: u64 = 1 << 27;
/// The same of a parameterized image: parameters, moments, and the way from them to the image and back.
const PARAMETERIZED: u64 = 160;

/// Bytes that `units` of a recipe take when they climb together, as an estimate.
pub fn climb(sizes: &Sizes, recipe: &Recipe, image: [usize; 3], units: usize, is_on_gpu: bool) -> u64 {
    let entries = recipe
        .picture(image)
        .iter()
        .map(|extent| *extent as u64)
        .product::<u64>();
    let each = match recipe.image {
        Image::GreyLevels if entries >= LARGE => LARGE_GREY_LEVELS,
        Image::GreyLevels => GREY_LEVELS,
        Image::Parameterized(_) => PARAMETERIZED,
    };
    let images = units.saturating_mul(recipe.views.images());
    let network = if is_on_gpu {
        sizes.on_gpu(images)
    } else {
        match recipe.image {
            Image::GreyLevels => sizes.on_host(images, true),
            Image::Parameterized(_) => sizes.at_once(images),
        }
    };
    network.saturating_add(entries.saturating_mul(each).saturating_mul(units as u64))
}

/// How many units climb together: as asked for, else as many as pay; but no more than fit the memory that may be used, and a
/// GPU's largest buffer.
///
/// # Errors
/// When not even one fits (of a recipe whose images climb together or not at all: when these do not).
pub(super) fn batch_size(asked: Option<usize>, recipe: &Recipe, network: &Network, compute: &Compute) -> Result<usize> {
    let (sizes, image) = (network.sizes(), network.image());
    let bytes = |units| climb(&sizes, recipe, image, units, compute.is_gpu());
    let least = recipe.company.len().max(1);
    if bytes(least) > compute.memory {
        return Err(network::Error::TooLarge {
            what: refusal(recipe, image, bytes(least), compute.memory),
        }
        .into());
    }
    let most = asked.unwrap_or(if compute.is_gpu() {
        LARGEST_GPU_BATCH
    } else {
        LARGEST_BATCH
    });
    let by_buffer = match (asked, compute.largest_buffer) {
        (None, Some(buffer)) => usize::try_from(buffer / (4 * network.largest_blob().max(1) as u64)).unwrap_or(most),
        (Some(_), _) | (None, None) => most,
    };
    // Each crop is an image to the network.
    let most = most.min(by_buffer).max(1).div_ceil(recipe.views.images());
    // More take more, so the limit is found by halving.
    let (mut fitting, mut most) = (1, most);
    while fitting < most {
        let middle = most - (most - fitting) / 2;
        if bytes(middle) <= compute.memory {
            fitting = middle;
        } else {
            most = middle - 1;
        }
    }
    Ok(fitting)
}

/// Whether the images of recipes of one layer, of which as many as fit go together, can go through the network so; one alone can.
///
/// # Errors
/// When the network mixes images that climb together or not at all: crops of one, or those of a company.
pub(super) fn keeps_apart(recipes: &[Recipe], network: &Network, fitting: usize) -> Result<bool> {
    let (mut crops, mut companies) = (false, false);
    for recipe in recipes {
        crops |= recipe.views.images() > 1;
        companies |= recipe.company.len() > 1;
    }
    let is_alone = recipes.len().min(fitting) < 2 && !crops && !companies;
    if is_alone || network.keeps_images_apart() {
        return Ok(true);
    }
    let remedy = match (crops, companies) {
        (false, false) => return Ok(false),
        (true, _) => "several crops of an image cannot be shown to it at once; climb with one crop",
        (false, true) => "images whose objectives hang on each other cannot be climbed; climb each by itself",
    };
    let layer = recipes.first().map_or("", |recipe| &recipe.objective.unit.layer);
    Err(ascent::Error::Setting(format!(
        "a layer that \"{layer}\" depends on mixes the images of a batch, so that {remedy}"
    ))
    .into())
}

/// What does not fit, how much that is, and which image would fit.
fn refusal(recipe: &Recipe, image: [usize; 3], needed: u64, memory: u64) -> String {
    // What is climbed, which may be larger than what the network sees.
    let [_, rows, columns] = recipe.picture(image);
    let mut text = format!(
        "a climb of {} with {} of {rows} x {columns} pixels ({}",
        recipe.objective.unit,
        if recipe.company.len() > 1 { "images" } else { "an image" },
        taking(needed, memory)
    );
    // All but the weights grows with the area.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an estimate"
    )]
    let shorter = |side: usize| (side as f64 * (memory as f64 / needed as f64).sqrt()) as usize / 10 * 10;
    if shorter(rows.min(columns)) >= 100 {
        text.push_str(&format!("; {} x {} would fit", shorter(rows), shorter(columns)));
    }
    text.push(')');
    text
}
