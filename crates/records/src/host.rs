//! What this machine is called.

/// The machine's name in its network, as the system tells it.
pub fn name() -> String {
    gethostname::gethostname().to_string_lossy().into_owned()
}
