//! The files of the page that this program was built with. `build.rs` takes them in.

/// A file of the page.
#[derive(Clone, Copy)]
pub struct PageFile {
    /// Its path in addresses, without the first `/`.
    pub name: &'static str,
    /// What is in it.
    pub bytes: &'static [u8],
    /// The same, compressed with brotli, where it was built so.
    pub brotli: Option<&'static [u8]>,
}

const BUILT: &[PageFile] = include!(concat!(env!("OUT_DIR"), "/page.rs"));

/// What is said where the program was built without its page.
const UNBUILT: &[PageFile] = &[PageFile {
    name: "index.html",
    bytes: include_bytes!("unbuilt.html"),
    brotli: None,
}];

/// The hash of the page: of a list of its files' hashes, as `scripts/page-hash.sh` makes it. Or that it
/// is not there.
pub const HASH: &str = env!("SOTTOVOCE_PAGE_HASH");

/// Whether the program was built with its page.
pub const fn is_built_in() -> bool {
    !BUILT.is_empty()
}

/// All files, by name.
pub fn files() -> &'static [PageFile] {
    match is_built_in() {
        true => BUILT,
        false => UNBUILT,
    }
}

/// The file at a path.
pub(super) fn find(path: &str) -> Option<&'static PageFile> {
    let name = match path.strip_prefix('/')? {
        "" => "index.html",
        name => name,
    };
    files().iter().find(|file| file.name == name)
}

impl PageFile {
    /// What it is, for a browser that will not guess.
    pub(super) fn kind(&self) -> &'static str {
        let (_, ending) = self.name.rsplit_once('.').unwrap_or_default();
        match ending {
            "html" => "text/html; charset=utf-8",
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "svg" => "image/svg+xml",
            "wasm" => "application/wasm",
            _ => "application/octet-stream",
        }
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn the_hash_is_that_of_the_files() {
        let hex = |bytes: &[u8]| data_encoding::HEXLOWER.encode(&Sha256::digest(bytes));
        let lines = files()
            .iter()
            .map(|file| format!("{}  {}\n", hex(file.bytes), file.name));
        let list: String = lines.collect();
        match is_built_in() {
            true => assert_eq!(HASH, hex(list.as_bytes())),
            false => assert_eq!(HASH, "not built in"),
        }
    }

    #[test]
    fn paths_are_looked_up_and_not_resolved() {
        for path in ["/", "/index.html"] {
            assert!(find(path).is_some(), "{path}");
        }
        for path in [
            "",
            "index.html",
            "//",
            "/.",
            "/./index.html",
            "/../index.html",
            "/index.html/",
            "/%2e%2e/index.html",
            "/INDEX.HTML",
            "//index.html",
            "/index.html\0",
            "*",
        ] {
            assert!(find(path).is_none(), "{path}");
        }
    }
}
