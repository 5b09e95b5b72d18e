//! How the command is linked.

use std::{
    env, fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Identical code folding.
const FOLDING: &str = "-Wl,--icf=all";

/// A script for the linker, beside its own: the tables by which a panic finds its way up the stack are left out.
const WITHOUT_UNWINDING: &str =
    "SECTIONS { /DISCARD/ : { *(.eh_frame) *(.eh_frame_hdr) } } INSERT AFTER .text;\n";

/// Whether an empty program can be linked so.
fn links_with(argument: &str) -> bool {
    let variable = |name: &str| env::var_os(name).expect("Cargo sets it");
    let mut rustc = Command::new(variable("RUSTC"));
    rustc.args(["--crate-name", "probe", "-", "-o"]).arg(Path::new(&variable("OUT_DIR")).join("probe"));
    rustc.arg("--target").arg(variable("TARGET")).arg(format!("-Clink-arg={argument}"));
    if let Some(linker) = env::var_os("RUSTC_LINKER") {
        rustc.arg("-C").arg(format!("linker={}", Path::new(&linker).display()));
    }
    let Ok(mut rustc) = rustc.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
    else {
        return false;
    };
    // Its end is what counts: it may have gone before it read anything.
    let _ = rustc.stdin.take().map(|mut input| input.write_all(b"fn main() {}"));
    rustc.wait().is_ok_and(|status| status.success())
}

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|found| found == value);
    // A program at a fixed place needs no table of its own addresses, 0.7 MB of 20: some 28,000 relocations, which would also be worked
    // through at every start. Libraries and the stack are placed at random all the same.
    if is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu") && is("PROFILE", "release") {
        println!("cargo:rustc-link-arg-bins=-no-pie");
        // Functions of the same instructions stand once, 0.3 MB less, where the linker knows how: LLVM's does, which is Rust's own here.
        if links_with(FOLDING) {
            println!("cargo:rustc-link-arg-bins={FOLDING}");
        }
        // In the profile `release` itself a panic ends the process: nothing is unwound, and the tables for it, 1.4 MB, would be read by
        // nobody. Cargo does not tell a build script how a panic ends, but its folder tells the profile.
        let folder = PathBuf::from(env::var_os("OUT_DIR").expect("Cargo sets it"));
        let ends_at_once = folder.ancestors().nth(3).is_some_and(|profile| profile.ends_with("release"));
        let script = folder.join("without-unwinding.ld");
        let argument = format!("-Wl,-T,{}", script.display());
        if ends_at_once && fs::write(&script, WITHOUT_UNWINDING).is_ok() && links_with(&argument) {
            println!("cargo:rustc-link-arg-bins={argument}");
        }
    }
}
