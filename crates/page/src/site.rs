//! The files of the page.

/// A file of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct File {
    /// Its path within the site, such as `views/draw.js`.
    pub path: &'static str,
    /// Its type, as servers state it.
    pub media_type: &'static str,
    /// Whether the content is compressed by gzip, as a browser takes it.
    pub is_gzip: bool,
    /// Its content.
    pub content: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// Every file of the page, `index.html` among them, with the style that it shares with reports.
pub fn files() -> Vec<File> {
    let base = File {
        path: "base.css",
        media_type: "text/css; charset=utf-8",
        is_gzip: false,
        content: report::BASE_STYLE.as_bytes(),
    };
    FILES.iter().copied().chain([base]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_there_and_small() {
        let files = files();
        let index = files.iter().find(|file| file.path == "index.html").expect("a page");
        assert_eq!(index.media_type, "text/html; charset=utf-8");
        // Without data and WebAssembly, and compressed; `.ci/page` counts the files themselves.
        let bytes: usize = files.iter().map(|file| file.content.len()).sum();
        assert!(bytes < 250_000, "{bytes} bytes");
    }
}
