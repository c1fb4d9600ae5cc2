//! Names the source that a release is built from: `sottovoce --version` says it, and
//! `scripts/source-hash.sh` prints the same of a checkout. And takes the page in, where it was built, with
//! its hash, which `scripts/page-hash.sh` prints of a folder.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// What decides over the program.
const SOURCES: [&str; 4] = ["Cargo.lock", "Cargo.toml", "build.rs", "src"];

/// Where `make web` puts the page. Another folder: `SOTTOVOCE_PAGE`; empty for none.
const PAGE: &str = "web/dist";

fn main() -> io::Result<()> {
    page()?;
    source()
}

/// Writes what `src/page/bundle.rs` includes: each file of the page, raw and compressed, sorted by name.
fn page() -> io::Result<()> {
    println!("cargo::rerun-if-env-changed=SOTTOVOCE_PAGE");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?);
    let named = env::var_os("SOTTOVOCE_PAGE").map(PathBuf::from);
    let folder = named.clone().unwrap_or_else(|| PAGE.into());
    let names = match (folder.is_dir(), named) {
        (true, _) => names(&folder)?,
        // What comes to be there later: scripts/web.sh says it by touching this file.
        (false, None) => Vec::new(),
        (false, Some(named)) if named.as_os_str().is_empty() => Vec::new(),
        (false, Some(named)) => panic!("SOTTOVOCE_PAGE: {} is no folder", named.display()),
    };
    let (mut table, mut list) = (String::from("&[\n"), String::new());
    for name in &names {
        let bytes = take(&folder, name, &out)?;
        list += &format!("{}  {name}\n", hex(&Sha256::digest(bytes)));
        let compressed = format!("{name}.br");
        let brotli = match folder.join(&compressed).is_file() {
            true => {
                take(&folder, &compressed, &out)?;
                format!("Some(include_bytes!(\"page/{compressed}\"))")
            }
            false => "None".into(),
        };
        table += &format!(
            "    PageFile {{ name: \"{name}\", bytes: include_bytes!(\"page/{name}\"), brotli: {brotli} }},\n"
        );
    }
    table += "]\n";
    fs::write(out.join("page.rs"), table)?;
    let hash = match names.is_empty() {
        true => "not built in".into(),
        false => hex(&Sha256::digest(list)),
    };
    println!("cargo::rustc-env=SOTTOVOCE_PAGE_HASH={hash}");
    Ok(())
}

/// The names of the page's files, as they stand in addresses, but for those that are compressed.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files = Vec::new();
    collect(folder, &mut files)?;
    let mut names = Vec::new();
    for file in files {
        let name = file.strip_prefix(folder).ok().and_then(Path::to_str);
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte);
        match name {
            Some(name) if name.ends_with(".br") => {}
            Some(name) if name.bytes().all(plain) => names.push(name.to_owned()),
            _ => panic!("{} has a name that no address should have", file.display()),
        }
    }
    names.sort();
    if !names.iter().any(|name| name == "index.html") {
        panic!(
            "{} holds no index.html; run `make web` again",
            folder.display()
        );
    }
    Ok(names)
}

/// Copies a file to where the compiler reads it, so that nothing names the folder.
fn take(folder: &Path, name: &str, out: &Path) -> io::Result<Vec<u8>> {
    let bytes = fs::read(folder.join(name))?;
    let copy = out.join("page").join(name);
    fs::create_dir_all(copy.parent().unwrap_or(out))?;
    fs::write(copy, &bytes)?;
    Ok(bytes)
}

fn source() -> io::Result<()> {
    // While working on it, everything would be built anew with each change of a file.
    if env::var("PROFILE").as_deref() != Ok("release") {
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
