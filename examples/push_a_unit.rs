//! What a unit looks for, as a library sees it: `cargo run --release --example push_a_unit`.

use deepvis::ascent::{Preset, Recipe};
use deepvis::backend::Compute;
use deepvis::model::Source;
use deepvis::session::optimize;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Or Source::caffe("deploy.prototxt", "net.caffemodel").with_mean("(104,117,123)"), or Source::burnpack("net.bpk").
    let model = Source::named("demo")?.load()?;
    let preset = Preset::named("demo").ok_or("there is no such preset")?;
    let record = optimize(&model, &Compute::cpu(), Recipe::of_unit("fc7", 24).with_preset(preset))?;
    std::fs::write("unit.jpg", record.picture(&model)?.jpeg()?)?;
    if let Some(best) = &record.best {
        println!("unit.jpg: objective {} at iteration {}", best.obj, best.ii);
    }
    Ok(())
}
