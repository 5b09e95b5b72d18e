//! Lists the files of the page, whatever lies in `site/`, compressed as browsers take them.

use flate2::{Compression, write::GzEncoder};
use std::{
    env,
    fmt::Write as _,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

fn main() -> io::Result<()> {
    let site = Path::new("site");
    println!("cargo::rerun-if-changed=site");
    let mut files = Vec::new();
    list(site, &mut files)?;
    files.sort();
    let out = env::var_os("OUT_DIR").map(PathBuf::from).expect("Cargo says where to write");
    let mut text = String::from("static FILES: &[File] = &[\n");
    for (index, file) in files.iter().enumerate() {
        let path = file.strip_prefix(site).map_err(io::Error::other)?.to_string_lossy().replace('\\', "/");
        let media_type = media_type(&path)?;
        let packed = out.join(format!("{index}.gz"));
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&fs::read(file)?)?;
        fs::write(&packed, encoder.finish()?)?;
        writeln!(
            text,
            "    File {{ path: {path:?}, media_type: {media_type:?}, is_gzip: true, content: include_bytes!({packed:?}) }},"
        )
        .map_err(io::Error::other)?;
    }
    text.push_str("];\n");
    fs::write(out.join("files.rs"), text)
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            list(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

fn media_type(path: &str) -> io::Result<&'static str> {
    let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
    Ok(match ending {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" => "application/json",
        "toml" | "txt" => "text/plain; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "woff2" => "font/woff2",
        "ts" => "text/plain; charset=utf-8",
        _ => return Err(io::Error::other(format!("site/{path}: a file of an unknown type"))),
    })
}
