//! Names the source that a release is built from: `sottovoce --version` says it, and
//! `scripts/source-hash.sh` prints the same of a checkout.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// What decides over the program.
const SOURCES: [&str; 4] = ["Cargo.lock", "Cargo.toml", "build.rs", "src"];

fn main() -> io::Result<()> {
    // While working on it, everything would be built anew with each change of a file.
    if std::env::var("PROFILE").as_deref() != Ok("release") {
        println!("cargo::rerun-if-changed=build.rs");
        println!("cargo::rustc-env=SOTTOVOCE_SOURCE=debug");
        return Ok(());
    }
    let mut files = Vec::new();
    for source in SOURCES {
        println!("cargo::rerun-if-changed={source}");
        collect(Path::new(source), &mut files)?;
    }
    // By bytes, as `LC_ALL=C sort` does it.
    files.sort_by(|one, other| {
        one.as_os_str()
            .as_encoded_bytes()
            .cmp(other.as_os_str().as_encoded_bytes())
    });
    let mut list = String::new();
    for file in files {
        list += &format!(
            "{}  {}\n",
            hex(&Sha256::digest(fs::read(&file)?)),
            file.display()
        );
    }
    println!(
        "cargo::rustc-env=SOTTOVOCE_SOURCE={}",
        hex(&Sha256::digest(list))
    );
    Ok(())
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if path.is_file() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        collect(&entry?.path(), files)?;
    }
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
