//! What a page is answered about a study, whichever engine computes.
//!
//! A [`Desk`] knows one study: its text, how far its runs are, their records, the newest weights of each model. It answers the calls of the
//! protocol (`docs/reference/page.md`) and says what has changed as [`Message`]s. It makes no run, opens no file and listens on no socket:
//! the server of `mnist-study page` and the browser's worker do that, each in its own way, and both tell the desk.
//!
//! [`files()`] is the page itself, as it is in `site/`.

mod archive;
mod bytes;
mod desk;
mod draw;
mod errors;
mod inside;
mod material;
mod mend;
mod message;
mod network;
mod problem;
mod read;
mod site;

pub use archive::folder_name;
pub use desk::{Assignment, Desk, EngineDescription, Sessions, prepare};
pub use material::Material;
pub use message::{Message, RunProgress, RunState, StudyState};
pub use network::{Board, Weights};
pub use problem::Problem;
pub use site::{File, files};
