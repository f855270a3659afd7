//! Takes the charts in where `deploy/charts.sh` has made them; without them pages draw plain ones.

use std::path::Path;
use std::{env, fs};

fn main() -> std::io::Result<()> {
    let made = Path::new("charts/made");
    println!("cargo::rerun-if-changed={}", made.display());
    let out = env::var_os("OUT_DIR").ok_or(std::io::ErrorKind::NotFound)?;
    let charts = match fs::read(made.join("charts.js.gz")) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            println!(
                "cargo::warning=charts are not made (sh deploy/charts.sh): pages show plain ones"
            );
            Vec::new()
        }
        charts => charts?,
    };
    fs::write(Path::new(&out).join("charts.js.gz"), charts)
}
