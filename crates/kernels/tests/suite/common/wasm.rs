//! What a WebAssembly module of tests tells its host, `tests/wasm.mjs`: such a module can print nothing by itself.

#[link(wasm_import_module = "host")]
unsafe extern "C" {
    fn checked_on(set: *const u8, length: usize);
    fn panicked(message: *const u8, length: usize);
}

/// Counts a check of an instruction set, so that the host sees which ones ran.
pub fn count(set: &str) {
    // SAFETY: the host reads the string before it returns.
    unsafe { checked_on(set.as_ptr(), set.len()) }
}

/// The host calls this before the tests; a panic would otherwise be a trap without a message.
#[unsafe(no_mangle)]
pub extern "C" fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let message = panic.to_string();
        // SAFETY: the host reads the string before it returns.
        unsafe { panicked(message.as_ptr(), message.len()) }
    }));
}
