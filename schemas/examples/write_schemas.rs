//! Writes `schemas/json/*.json`: `cargo run -p schemas --example write_schemas`.

use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("json");
    std::fs::create_dir_all(&folder)?;
    for (name, schema) in schemas::catalogue::all() {
        let text = serde_json::to_string_pretty(&schema)?;
        std::fs::write(folder.join(name).with_extension("json"), text + "\n")?;
    }
    Ok(())
}
